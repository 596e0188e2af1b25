"""Processes are killed at random points of the whole exchange: nothing is lost, nothing is doubled.

The children are forked. Each opens the installation anew and kills itself, as a power cut would, at the n-th
of the points that ``Installation.probe`` names. The clock is turned past the leases of what died.
"""

import os
import random
import signal
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from engine.clock import SystemClock
from engine.exchange.codes import make_code
from engine.service import tasks
from engine.service.arrivals import registering
from engine.service.cases import start_case
from engine.service.installation import Installation, open_installation
from engine.service.trial import Side
from engine.service.verifying import verify_installation
from engine.service.work import run_until_idle
from engine.store.errors import DatabaseUnavailableError
from engine.store.tables import arrivals, cases, dispatches, evidence, exchanges, facts, incidents
from engine.work.embedded import LEASE
from tests.postgres import Postgres
from tests.service.conftest import HOMBURG, REFUSAL, REQUEST, SAARBRUECKEN, Halls

pytestmark = pytest.mark.forks

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
SERVER_GONE = 3
AFTER = LEASE + timedelta(seconds=1)


@dataclass
class Killer:
    """Lets things be done by children that may die, until they are done."""

    halls: Halls
    source: random.Random
    points: Counter[str] = field(default_factory=Counter)
    first: int = 9
    """A child dies at one of its first so many points, if it comes so far."""
    real_clock: bool = False
    server: Postgres | None = None
    """With one, every fourth time the database's processes are killed instead of the worker."""

    @property
    def kills(self) -> int:
        return sum(self.points.values())

    def until(self, reached: Callable[[], bool], side: Side, action: Callable[[Side], object]) -> None:
        for _ in range(2000):
            if reached():
                return
            self._child(side, action)
        raise AssertionError("not reached in 2000 attempts")

    def _child(self, side: Side, action: Callable[[Side], object]) -> None:
        countdown = self.source.randint(1, self.first)
        power_cut = self.server is not None and self.source.random() < 0.25
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._live_and_die(side, action, countdown, writing, power_cut=power_cut)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == SERVER_GONE and self.server is not None:
            self.points[f"server: {told}"] += 1
            self.server.restart()
            self.halls.clock.turn(AFTER)
            return
        if os.WIFSIGNALED(status):
            self.points[told] += 1
            self.halls.clock.turn(AFTER)
            return
        assert os.WEXITSTATUS(status) == 0, told

    def _live_and_die(
        self,
        side: Side,
        action: Callable[[Side], object],
        countdown: int,
        writing: int,
        *,
        power_cut: bool,
    ) -> None:
        left = countdown

        def probe(point: str) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                os.write(writing, point.encode())
                if power_cut and self.server is not None:
                    # The worker lives on for a moment and tries to commit, or to send what it has prepared.
                    self.server.kill()
                else:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            clock = SystemClock() if self.real_clock else self.halls.clock
            app = open_installation(side.app.settings.home, clock=clock)
            app.probe = probe
            action(Side(app, side.actor, side.role))
            app.close()
            if power_cut and left <= 0:
                os._exit(SERVER_GONE)
        except DatabaseUnavailableError:
            if power_cut and left <= 0:
                os._exit(SERVER_GONE)
            os.write(writing, traceback.format_exc().encode())
            os._exit(1)
        except BaseException:  # noqa: BLE001 - the parent must hear of whatever went wrong
            os.write(writing, traceback.format_exc().encode())
            os._exit(1)
        os._exit(0)


def count(app: Installation, table: object, *conditions: object) -> int:
    with app.read() as tx:
        return int(tx.scalar(select(func.count()).select_from(table).where(*conditions)) or 0)


def open_tasks(side: Side, name: str) -> list[tasks.TaskLine]:
    found = tasks.list_tasks(side.app, side.actor, limit=500)
    return [task for task in found if name in (task.name, task.kind)]


def complete_all(name: str, data: object) -> Callable[[Side], object]:
    def act(side: Side) -> None:
        for task in open_tasks(side, name):
            tasks.complete_task(side.app, side.actor, task.id, data)

    return act


def work(side: Side) -> object:
    return run_until_idle(side.app)


def electronic_flow(killer: Killer, number: int) -> None:
    """Play ``number`` requests and refusals over folders, with children that die."""
    sb, hom = killer.halls.sb, killer.halls.hom
    _requests(killer, number)
    done = dispatches.c.state == "handed_over"
    killer.until(lambda: count(sb.app, dispatches, done) == number, sb, work)
    killer.until(lambda: len(open_tasks(hom, "Ersuchen prüfen")) == number, hom, work)
    killer.until(
        lambda: not open_tasks(hom, "Ersuchen prüfen"), hom, complete_all("Ersuchen prüfen", REFUSAL)
    )
    answered = (done, dispatches.c.purpose == "message")
    killer.until(lambda: count(hom.app, dispatches, *answered) == number, hom, work)
    killer.until(lambda: len(open_tasks(sb, "Antwort auswerten")) == number, sb, work)
    _evaluate(killer, number)


def paper_flow(killer: Killer, number: int) -> None:
    """The same by letter: printed, posted, and registered by clerks on the other side."""
    sb, hom = killer.halls.sb, killer.halls.hom
    _requests(killer, number)
    _post_and_register(killer, sb, hom, "vollstreckungsersuchen", SAARBRUECKEN)
    killer.until(
        lambda: not open_tasks(hom, "Ersuchen prüfen"), hom, complete_all("Ersuchen prüfen", REFUSAL)
    )
    _post_and_register(killer, hom, sb, "vollstreckungsantwort", HOMBURG)
    _evaluate(killer, number)


def _requests(killer: Killer, number: int) -> None:
    sb = killer.halls.sb
    for wanted in range(1, number + 1):
        killer.until(
            lambda wanted=wanted: count(sb.app, cases) == wanted,
            sb,
            lambda side: start_case(side.app, side.actor, "vollstreckungshilfe"),
        )
    killer.until(
        lambda: not open_tasks(sb, "Ersuchen erfassen"), sb, complete_all("Ersuchen erfassen", REQUEST)
    )


def _evaluate(killer: Killer, number: int) -> None:
    sb = killer.halls.sb
    act = complete_all("Antwort auswerten", {"auswertung": {"weiteres": "stundung"}})
    killer.until(lambda: count(sb.app, cases, cases.c.status == "ended") == number, sb, act)


def _post_and_register(killer: Killer, sender: Side, receiver: Side, message: str, authority: str) -> None:
    with sender.app.read() as tx:
        sent = tx.execute(select(exchanges.c.id, exchanges.c.data)).all()
    killer.until(lambda: len(open_tasks(sender, "confirm-posting")) == len(sent), sender, work)
    killer.until(
        lambda: not open_tasks(sender, "confirm-posting"), sender, complete_all("confirm-posting", {})
    )
    for number, row in enumerate(sent, 1):
        code = make_code(sender.app.settings.code, row.id, sender.app.secret).text

        def register(side: Side, code: str = code, row: object = row) -> None:
            codes = [code] if message == "vollstreckungsersuchen" else [code, *_answered(side)]
            paper = registering.PaperArrival(message, authority, row.data, codes=tuple(codes))
            registering.register(side.app, side.actor, paper)

        killer.until(lambda number=number: count(receiver.app, arrivals) == number, receiver, register)
    killer.until(lambda: run_until_idle(receiver.app).nothing, receiver, work)


def _answered(side: Side) -> list[str]:
    """Return the code of the oldest own exchange without an answer: what a clerk reads off the letter."""
    with side.app.read() as tx:
        found = tx.scalar(
            select(exchanges.c.id)
            .where(exchanges.c.status == "open")
            .order_by(exchanges.c.created_at)
            .limit(1)
        )
    return [make_code(side.app.settings.code, found, side.app.secret).text]


def nothing_lost_nothing_doubled(halls: Halls, number: int) -> None:
    halls.work()
    for side in halls.sides.values():
        app = side.app
        report = verify_installation(app)
        assert report.faults == ()
        assert (report.cases, count(app, cases), count(app, exchanges)) == (number, number, number)
        assert count(app, incidents) == 0
        with app.read() as tx:
            for column in (dispatches.c.exchange_id, dispatches.c.arrival_id):
                per = Counter(row[0] for row in tx.execute(select(column).where(column.is_not(None))))
                assert set(per.values()) <= {1}
            assert {row.state for row in tx.execute(select(dispatches.c.state))} == {"handed_over"}
            statuses = {row.status for row in tx.execute(select(arrivals.c.status))}
            assert statuses <= {"matched", "started", "confirmation"}
            proofs = [
                tuple(row)
                for row in tx.execute(
                    select(evidence.c.dispatch_id, evidence.c.arrival_id, evidence.c.kind, evidence.c.name)
                )
            ]
            assert len(proofs) == len(set(proofs))
            known = [tuple(r) for r in tx.execute(select(facts.c.exchange_id, facts.c.kind, facts.c.source))]
            assert len(known) == len(set(known))
        assert len({task.id for task in tasks.list_tasks(app, side.actor)}) == 0


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_killed_processes_lose_nothing_and_double_nothing(electronic):
    killer = Killer(electronic, random.Random(7))
    electronic_flow(killer, 2)
    nothing_lost_nothing_doubled(electronic, 2)
    assert killer.kills >= 8, killer.points


@pytest.mark.parametrize("database", BOTH, indirect=True)
def test_killed_processes_lose_and_double_no_letter(halls):
    killer = Killer(halls, random.Random(11), first=3)
    paper_flow(killer, 1)
    nothing_lost_nothing_doubled(halls, 1)
    assert killer.kills >= 6, killer.points


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_killed_procrastinate_workers_lose_nothing_and_double_nothing(electronic, monkeypatch):
    monkeypatch.setenv("DIENSTWEG_STALLED_AFTER", "1")
    electronic.clock.set(datetime.now(UTC))
    killer = Killer(electronic, random.Random(5), first=6, real_clock=True)
    electronic_flow(killer, 1)
    killed, killer.first = killer.kills, 10**9
    for side in (electronic.sb, electronic.hom, electronic.sb):
        killer.until(lambda side=side: idle(side), side, work)
    nothing_lost_nothing_doubled(electronic, 1)
    assert killed >= 4, killer.points


def idle(side: Side) -> bool:
    with side.app.read() as tx:
        return tx.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0


@pytest.mark.long
@pytest.mark.parametrize("database", BOTH, indirect=True)
@pytest.mark.parametrize("flow", [electronic_flow, paper_flow])
def test_two_hundred_kills(halls, flow):
    if flow is electronic_flow:
        halls.go_electronic()
    killer, number = Killer(halls, random.Random(13), first=4), 40
    flow(killer, number)
    nothing_lost_nothing_doubled(halls, number)
    assert killer.kills >= 200, killer.points


@pytest.mark.postgres
@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("flow", "number", "least"),
    [
        (electronic_flow, 1, 1),
        pytest.param(electronic_flow, 20, 25, marks=pytest.mark.long),
        pytest.param(paper_flow, 20, 25, marks=pytest.mark.long),
    ],
)
def test_a_server_that_loses_power_keeps_what_was_committed(halls, postgres, flow, number, least):
    if flow is electronic_flow:
        halls.go_electronic()
    killer = Killer(halls, random.Random(17), first=4 if number > 1 else 8, server=postgres)
    flow(killer, number)
    nothing_lost_nothing_doubled(halls, number)
    cuts = sum(times for point, times in killer.points.items() if point.startswith("server: "))
    assert cuts >= least, killer.points
