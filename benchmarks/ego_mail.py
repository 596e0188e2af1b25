"""eGo-MAIL with the whole case flow around it: two installations, a trial intermediary behind TLS.

Each case is a request for enforcement assistance and its refusal: begun, form filled, sent as xdomea container,
collected, matched, its own case begun at the other side, answered, matched, ended. Every commit is synced (SQLite,
synchronous FULL); both OSCI layers are signed and encrypted with 2048-bit keys.
"""

import copy
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from adapters.ego_mail.site import TrialSite
from benchmarks.result import Row
from engine.clock import SystemClock, TurnedClock
from engine.definitions.package import load_package
from engine.identifiers import RandomIds
from engine.service import cases, files, tasks
from engine.service.directory.mailboxes import add_mailbox
from engine.service.installation import open_installation
from engine.service.migration.switching import Switch, switch
from engine.service.trial import Side, open_sides
from engine.service.work import run_until_idle
from engine.store.tables import cases as case_rows
from engine.store.tables import dispatches
from processes.bpmn import shipped

DESCRIPTION = "eGo-MAIL: whole cases between two installations through an intermediary with TLS"
CHANNEL = "xdomea+ego_mail"
OWN, PARTNER = "10041100", "10045114"
CASES = {"quick": 10, "full": 250}
"""Each makes four messages: request, answer, and the confirmation of each."""
LARGE = 29_900_000
REQUEST: dict[str, Any] = {
    "empfaenger": PARTNER,
    "vollstreckungsersuchen": {
        "schuldner": {"name": "Muster", "strasse": "Talstraße 1", "plz": "66424", "ort": "Homburg"},
        "forderung": {
            "grund": "Hundesteuer 2025",
            "aktenzeichen": "H 2025/9",
            "bescheid_vom": "2025-01-15",
            "faellig_seit": "2025-02-15",
            "hauptforderung": 96,
        },
        "vollstreckbarkeit": {"erklaert": True, "mahnung_vom": "2025-03-20"},
        "zahlung": {"iban": "DE02120300000000202051", "verwendungszweck": "H 2025/9"},
    },
}
REFUSAL = {"pruefung": {"annahme": "nein", "grund": "Die Schuldnerin ist nach Neunkirchen verzogen."}}
EVALUATED = {"auswertung": {"weiteres": "erneut", "vermerk": "Ersuchen an Neunkirchen richten."}}


@dataclass
class Halls:
    own: Side
    partner: Side
    clock: TurnedClock

    def request(self, attachment: Path | None = None) -> None:
        case = cases.start_case(self.own.app, self.own.actor, "vollstreckungshilfe")
        if attachment is not None:
            files.add_document(self.own.app, self.own.actor, case.id, attachment, role="vollstreckungstitel")
        self.clock.turn(timedelta(seconds=1))
        (task,) = tasks.list_tasks(self.own.app, self.own.actor, case=case.id)
        tasks.complete_task(self.own.app, self.own.actor, task.id, copy.deepcopy(REQUEST))

    def complete_all(self, side: Side, name: str, data: dict[str, Any]) -> None:
        while found := [task for task in tasks.list_tasks(side.app, side.actor) if task.name == name]:
            for task in found:
                self.clock.turn(timedelta(seconds=1))
                tasks.complete_task(side.app, side.actor, task.id, copy.deepcopy(data))

    def go_on(self) -> None:
        """Let requests be answered, and answers be evaluated, until all cases have ended."""
        run_until_idle(self.own.app)
        run_until_idle(self.partner.app)
        self.complete_all(self.partner, "Ersuchen prüfen", REFUSAL)
        run_until_idle(self.partner.app)
        run_until_idle(self.own.app)
        self.complete_all(self.own, "Antwort auswerten", EVALUATED)
        run_until_idle(self.own.app)

    def sent(self) -> int:
        query = select(func.count()).where(dispatches.c.state == "handed_over")
        return sum(_count(side, query) for side in (self.own, self.partner))

    def ended(self) -> int:
        return _count(self.own, select(func.count()).where(case_rows.c.status == "ended"))


def _count(side: Side, query: Any) -> int:
    with side.app.read() as tx:
        return int(tx.scalar(query))


@contextmanager
def halls() -> Iterator[Halls]:
    clock = TurnedClock(SystemClock().now())
    package = next(load_package(folder) for folder in shipped() if folder.name == "vollstreckungshilfe")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        site = TrialSite(folder, [OWN, PARTNER], clock, RandomIds())
        with site.open() as uri:
            roles = {"requesting": OWN, "enforcing": PARTNER}
            sides = open_sides(folder / "halls", package, roles, "letter+post", clock)
            made = [_equip(site, side, roles[role], uri, clock) for role, side in sides.items()]
            try:
                yield Halls(*made, clock)
            finally:
                for side in made:
                    side.app.close()


def _equip(site: TrialSite, side: Side, authority: str, uri: str, clock: TurnedClock) -> Side:
    home = side.app.settings.home
    with (home / "dienstweg.toml").open("a", encoding="utf-8") as file:
        file.write(site.equip(home, authority, uri))
    side.app.close()
    app = open_installation(home, clock=clock)
    equipped = Side(app, app.actor(side.actor.person_id), side.role)
    for owner in (OWN, PARTNER):
        add_mailbox(app, equipped.actor, site.mailbox(owner, "xdomea", uri, clock.now().date()))
    switch(app, equipped.actor, Switch(CHANNEL, reason="benchmark"))
    return equipped


def flow(count: int) -> list[Row]:
    with halls() as made:
        made.request()
        made.go_on()
        before, rest = made.sent(), _peak()
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(count):
            made.request()
        made.go_on()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert made.ended() == count + 1
        messages = made.sent() - before
        return [
            Row("cases begun, answered and ended", count, "cases"),
            Row("messages handed over and taken in", messages, "messages"),
            Row("on the clock", messages / wall, "messages/s"),
            Row("CPU of all three for a message, case flow included", 1000 * cpu / messages, "ms"),
            Row("peak memory of all three in one process, before", rest, "MB"),
            Row("peak memory of all three in one process, after", _peak(), "MB"),
        ]


def fresh(kind: str, amount: int) -> list[float]:
    """Return the figures that ``kind`` prints in a process of its own."""
    script = f"from benchmarks.ego_mail import {kind}; {kind}({amount})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return [float(figure) for figure in done.stdout.split()]


def print_large(size: int) -> None:
    with halls() as made, tempfile.TemporaryDirectory() as folder:
        attachment = Path(folder) / "titel.pdf"
        attachment.write_bytes(b"%PDF-1.7\n")
        made.request(attachment)
        made.go_on()
        rest = _peak()
        with attachment.open("wb") as file:
            file.write(b"%PDF-1.7\n")
            for _ in range(size // 100_000):
                file.write(os.urandom(100_000))
        wall, cpu = time.perf_counter(), time.process_time()
        made.request(attachment)
        made.go_on()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        assert made.ended() == 2
        print(rest, _peak(), wall, cpu)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def run(scale: str) -> list[Row]:
    # First: a child begins with the peak that its parent had.
    rest, most, wall, cpu = fresh("print_large", LARGE)
    return [
        *flow(CASES[scale]),
        Row("30 MB: a whole case with a document of that size, on the clock", wall, "s"),
        Row("30 MB: CPU of all three for that case", cpu, "s"),
        Row("peak memory after a small case, both installations and intermediary in one process", rest, "MB"),
        Row("peak memory after a case with 30 MB", most, "MB"),
    ]
