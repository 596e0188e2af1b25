"""Playing scenarios: real installations, real channels, a turned clock; one verdict for each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from sqlalchemy import select

from engine import runtime
from engine.deadlines.iso import add_period, parse_period
from engine.definitions import scenarios as told
from engine.definitions.checker import Sandbox
from engine.definitions.forms import FormRefusedError
from engine.definitions.model import Node
from engine.definitions.package import ProcedurePackage
from engine.definitions.scenarios import Scenario, differences, read_scenarios
from engine.errors import DienstwegError, RefusedError
from engine.exchange.codes import make_code
from engine.exchange.ports import split_channel
from engine.service import cases, tasks
from engine.service.arrivals import registering
from engine.service.exchanges.listing import explain_exchange
from engine.service.exchanges.outcomes import CONFIRM_POSTING
from engine.service.exchanges.signing import SIGN
from engine.service.migration.switching import Switch, switch
from engine.service.scenario_timers import ScheduledStart
from engine.service.starting import TimersOnlyError
from engine.service.trial import Side, begin_clock, open_sides
from engine.service.troubles import list_incidents
from engine.service.work import run_until_idle
from engine.store.tables import cases as cases_table
from engine.store.tables import dispatches, exchanges

T = TypeVar("T")


class ScenarioFailedError(RefusedError):
    """A scenario does not go as it is told."""


class ScenarioUnknownError(RefusedError):
    """The package has no such scenario."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one scenario went on one channel."""

    name: str
    channel: str
    passed: bool
    why: str | None = None


def run_scenarios(package: ProcedurePackage, only: str | None = None) -> list[Verdict]:
    """Play a package's scenarios on every channel they name; ``only`` picks one by file name.

    Raises PackageRefusedError for scenarios that cannot be read, ScenarioUnknownError.
    """
    found = [s for s in read_scenarios(package) if only is None or Path(s.file).name == Path(only).name]
    if only is not None and not found:
        raise ScenarioUnknownError(
            f"{package.key} has no scenario {only!r}", hint=f"it has: {', '.join(package.scenarios)}"
        )
    # Each play deploys the package anew: one process checks it for all of them.
    with Sandbox() as sandbox:
        return [
            play(package, scenario, channel, sandbox) for scenario in found for channel in scenario.channels
        ]


def play(
    package: ProcedurePackage, scenario: Scenario, channel: str, sandbox: Sandbox | None = None
) -> Verdict:
    """Play one scenario on one channel in throw-away installations; ``sandbox`` checks the package."""
    clock = begin_clock(scenario.begins)
    with TemporaryDirectory(prefix="dienstweg-") as folder:
        sides: dict[str, Side] = {}
        line = 0
        try:
            sides = open_sides(Path(folder), package, scenario.authorities, channel, clock, sandbox=sandbox)
            stage = _Stage(sides, channel, package)
            for step in scenario.steps:
                line = step.line
                stage.play(step)
            stage.check_end()
        except DienstwegError as error:
            return Verdict(scenario.title, channel, False, f"{scenario.file}:{line}: {error}")
        finally:
            for side in sides.values():
                side.app.close()
    return Verdict(scenario.title, channel, True)


@dataclass
class _Stage:
    """The scenario's sides, and what it has looked at so far."""

    sides: Mapping[str, Side]
    channel: str
    package: ProcedurePackage
    cases: dict[str, str] = field(default_factory=dict)
    seen: dict[str, set[str]] = field(default_factory=dict)
    named: dict[str, set[str]] = field(default_factory=dict)
    """Role → its incidents that a step has named."""

    def play(self, step: told.Step) -> None:
        if isinstance(step, told.Start):
            self._start(step)
        elif isinstance(step, told.Complete):
            self._complete(step)
        elif isinstance(step, told.Deliver):
            self._deliver(step)
        elif isinstance(step, told.Turn):
            self._turn(step)
        else:
            self._then(step)

    def _start(self, step: told.Start) -> None:
        side = self.sides[step.role]
        procedure = self._procedure(side)
        process = self.package.roles[step.role].process
        if step.at is not None:
            self._start_by_timer(side, procedure, process, step.at)
            return
        try:
            case = cases.start_case(side.app, side.actor, procedure, step.data, process_id=process)
        except TimersOnlyError as error:
            raise ScenarioFailedError(error.message, hint="say which with at: NAME") from error
        except runtime.StartRefusedError as error:
            raise ScenarioFailedError(f"{step.role} begins no case by hand: {error.message}") from error
        self.cases[step.role] = case.id
        self._work()

    def _start_by_timer(self, side: Side, procedure: str, process: str, name: str) -> None:
        """Turn the clock to the next due instant of a timer start; its case is the role's from now on."""
        start = ScheduledStart(side, procedure, process, name)
        self._set_clock(start.next_due())
        self.cases[side.role] = start.begun_case()

    @staticmethod
    def _procedure(side: Side) -> str:
        from engine.service.procedures import list_versions

        return list_versions(side.app, side.actor)[0].procedure_key

    def _complete(self, step: told.Complete) -> None:
        side = self.sides[step.role]
        named = [t for t in self._open_tasks(step.role) if t.name == step.task]
        task = _one(
            sorted(named, key=lambda t: t.case_id != self.cases.get(step.role)),
            f"{step.role} has no open task {step.task!r}; open are: "
            f"{', '.join(t.name for t in self._open_tasks(step.role)) or 'none'}",
        )
        try:
            tasks.complete_task(side.app, side.actor, task.id, step.data)
        except FormRefusedError as error:
            refused = sorted(fault.key for fault in error.faults)
            if step.refused and refused == sorted(step.refused):
                return
            raise
        if step.refused:
            raise ScenarioFailedError(f"the form accepted {', '.join(step.refused)}")
        self._work()

    def _deliver(self, step: told.Deliver) -> None:
        sender = self.sides[step.role]
        exchange = self._sent(step.role, step.message)
        self.seen.setdefault(step.role, set()).add(exchange["id"])
        channel = step.channel or self.channel
        if step.channel is not None:
            switch(sender.app, sender.actor, Switch(step.channel, reason="scenario"))
        receiver = next(
            side for side in self.sides.values() if side.actor.authority_id == exchange["recipient_id"]
        )
        self._work()
        self._sign(sender)
        carried = self._carried(sender, exchange["id"])
        if carried != channel:
            why = self._reasons(sender, exchange["id"])
            raise ScenarioFailedError(f"{step.message} went by {carried}, not by {channel}: {why}")
        if split_channel(channel)[1] == "post":
            self._by_post(sender, receiver, exchange, step)
        self._work()
        if receiver.role not in self.cases:
            self._adopt(receiver)

    def _sign(self, sender: Side) -> None:
        """Have the letters signed that wait for it."""
        waiting = [task for task in self._tasks_of(sender) if task.kind == SIGN]
        for task in waiting:
            tasks.complete_task(sender.app, sender.actor, task.id)
        if waiting:
            self._work()

    def _by_post(self, sender: Side, receiver: Side, exchange: Mapping[str, Any], step: told.Deliver) -> None:
        """Post the letter and register it on the other side, as two clerks would."""
        for task in self._tasks_of(sender):
            if task.kind == CONFIRM_POSTING:
                tasks.complete_task(sender.app, sender.actor, task.id)
        paper = registering.PaperArrival(
            message_type=step.message,
            sender=sender.actor.authority_id,
            data=exchange["data"] if step.typed is None else step.typed,
            codes=_printed_codes(sender, exchange),
            sender_reference=_reference(sender, exchange["case_id"]),
        )
        line = registering.register(receiver.app, receiver.actor, paper)
        if line.status not in ("matched", "started"):
            raise ScenarioFailedError(f"the letter was not taken in: {line.status} {line.reason or ''}")

    def _turn(self, step: told.Turn) -> None:
        now = next(iter(self.sides.values())).app.clock.now()
        self._set_clock(step.to or add_period(now, parse_period(step.by or "")))

    def _set_clock(self, instant: datetime) -> None:
        """Put the clock that all sides share to ``instant``; what is due then happens."""
        clock = next(iter(self.sides.values())).app.clock
        clock.set(instant)  # type: ignore[attr-defined]
        self._work()

    def _then(self, step: told.Then) -> None:
        side = self.sides[step.role]
        self._check_incidents(side, step.incidents)
        view = cases.show_case(side.app, side.actor, self._case(step.role))
        nodes = self._nodes(side)
        if step.tasks is not None:
            found = [task.name for task in self._open_tasks(step.role) if task.case_id == view.case.id]
            _same(sorted(step.tasks), sorted(found), "open tasks")
        if step.waits is not None:
            waiting = {_label(nodes, row["element_id"]) for row in (*view.waits, *view.timers)}
            missing = sorted(set(step.waits) - waiting)
            if missing:
                raise ScenarioFailedError(f"nothing waits at {missing[0]!r}; waited at: {sorted(waiting)}")
        if step.sent is not None:
            self._check_sent(step)
        if step.data is not None:
            _matches(step.data, self._data(side, view.case.id))
        if step.ended is not None:
            ends = [_label(nodes, element) for element in view.end_events]
            _same(sorted(step.ended), sorted(ends), "ends reached")
            if view.case.status != "ended":
                raise ScenarioFailedError("the case is still open")

    def _check_sent(self, step: told.Then) -> None:
        seen = self.seen.setdefault(step.role, set())
        fresh = [row for row in self._exchanges(step.role) if row["id"] not in seen]
        exchange = _one(fresh[:1], f"{step.role} has sent nothing more")
        seen.add(exchange["id"])
        if exchange["message_type"] != step.sent:
            raise ScenarioFailedError(f"{step.role} sent {exchange['message_type']}, not {step.sent}")
        if step.message is not None:
            _matches(step.message, exchange["data"])

    def _check_incidents(self, side: Side, names: tuple[str, ...] | None = None) -> None:
        """Raise ScenarioFailedError for open incidents other than ``names``; None: than earlier ones."""
        nodes, found = self._nodes(side), list_incidents(side.app, side.actor)
        places = {i.id: _label(nodes, i.element_id) if i.element_id else "no element" for i in found}
        words = {i.id: {i.kind, i.element_id, places[i.id]} for i in found}
        if names is not None:
            absent = sorted(set(names).difference(*words.values()))
            if absent:
                raise ScenarioFailedError(f"{side.role} has no open incident {absent[0]!r}")
            self.named[side.role] = {key for key, known in words.items() if known & set(names)}
        unnamed = [i for i in found if i.id not in self.named.get(side.role, ())]
        if unnamed:
            word = unnamed[0].element_id or unnamed[0].kind
            shown = (f"{i.kind} at {places[i.id]}: {i.message}" for i in unnamed)
            raise ScenarioFailedError(
                f"{side.role} has an open incident that no step names: {'; '.join(shown)}",
                hint=f"if the story wants it: then: {side.role}, incidents: [{word}]",
            )

    def check_end(self) -> None:
        """Raise ScenarioFailedError where a role has an incident or has sent what no step has named."""
        for role, side in self.sides.items():
            self._check_incidents(side)
            with side.app.read() as tx:
                sent = tx.execute(select(exchanges.c.id, exchanges.c.message_type)).all()
            unnamed = sorted(row.message_type for row in sent if row.id not in self.seen.get(role, ()))
            if unnamed:
                raise ScenarioFailedError(
                    f"{role} has sent what no step names: {', '.join(unnamed)}",
                    hint="deliver it, or say that it is sent",
                )

    # --- looking ---------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Let every installation work until none has anything to do."""
        busy = True
        while busy:
            busy = not all(run_until_idle(side.app).nothing for side in self.sides.values())

    def _case(self, role: str) -> str:
        if role not in self.cases:
            raise ScenarioFailedError(f"{role} has no case yet")
        return self.cases[role]

    def _adopt(self, side: Side) -> None:
        """Remember the case that a message began."""
        found = cases.list_cases(side.app, side.actor)
        if found:
            self.cases[side.role] = found[0].id

    def _open_tasks(self, role: str) -> list[tasks.TaskLine]:
        return [task for task in self._tasks_of(self.sides[role]) if task.kind == "form"]

    @staticmethod
    def _tasks_of(side: Side) -> list[tasks.TaskLine]:
        return tasks.list_tasks(side.app, side.actor, limit=1000)

    def _exchanges(self, role: str) -> list[Mapping[str, Any]]:
        query = select(exchanges).where(exchanges.c.case_id == self._case(role))
        with self.sides[role].app.read() as tx:
            rows = tx.execute(query.order_by(exchanges.c.created_at, exchanges.c.key)).mappings()
            return [dict(row) for row in rows]

    def _sent(self, role: str, message: str) -> Mapping[str, Any]:
        """Return the latest exchange of this message type."""
        rows = [row for row in self._exchanges(role) if row["message_type"] == message]
        return _one(rows[-1:], f"{role} has not sent {message}")

    @staticmethod
    def _carried(side: Side, exchange_id: str) -> str | None:
        with side.app.read() as tx:
            found: str | None = tx.scalar(
                select(dispatches.c.channel)
                .where(dispatches.c.exchange_id == exchange_id, dispatches.c.state == "handed_over")
                .order_by(dispatches.c.number.desc())
            )
            return found

    @staticmethod
    def _reasons(side: Side, exchange_id: str) -> str:
        found = explain_exchange(side.app, side.actor, exchange_id)
        told_now = [found["now"]] if found["now"] else []
        decisions = [made["decision"] for made in found["decisions"]] + told_now
        return "; ".join(
            f"{seen['channel']} {seen['verdict']}: {', '.join(seen['reasons'])}"
            for decision in decisions
            for seen in decision["considered"]
        )

    @staticmethod
    def _nodes(side: Side) -> Mapping[str, Node]:
        with side.app.read() as tx:
            version_id = tx.scalar(select(cases_table.c.version_id).limit(1))
            return side.app.programs.nodes(tx, version_id) if version_id else {}

    @staticmethod
    def _data(side: Side, case_id: str) -> Mapping[str, Any]:
        with side.app.read() as tx:
            return cases.data_of(side.app, tx, case_id)


def _printed_codes(sender: Side, exchange: Mapping[str, Any]) -> list[str]:
    """Return the codes that stand on a letter: its own, and the one it answers or reminds of."""
    app = sender.app
    own = [exchange["id"], *([exchange["reminds"]] if exchange["reminds"] else [])]
    codes = [make_code(app.settings.code, name, app.secret).text for name in own]
    return [exchange["answer_to"], *codes] if exchange["answer_to"] else codes


def _reference(side: Side, case_id: str) -> str:
    return cases.show_case(side.app, side.actor, case_id).case.own_reference


def _label(nodes: Mapping[str, Node], element_id: str) -> str:
    node = nodes.get(element_id)
    return node.name if node is not None and node.name else element_id


def _one(found: list[T], otherwise: str) -> T:
    if not found:
        raise ScenarioFailedError(otherwise)
    return found[0]


def _same(expected: list[str], found: list[str], what: str) -> None:
    if expected != found:
        raise ScenarioFailedError(f"{what}: {found or 'none'}, not {expected or 'none'}")


def _matches(expected: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    wrong = next(iter(differences(expected, found)), None)
    if wrong is not None:
        raise ScenarioFailedError(wrong)
