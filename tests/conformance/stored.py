"""The product's whole path for a behaviour case: check, deploy, durable store, reload, turned clock.

``StoredDriver`` drives like ``Driver``, but every command is a transaction of a real installation: the
package goes through the checker's sandbox and is deployed; the case document, tasks, timers and history are
rows of an SQLite file; each command reads them back.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from engine.actor import Actor, Role
from engine.clock import TurnedClock
from engine.definitions.checker import Sandbox
from engine.definitions.package import ProcedurePackage, build_package
from engine.identifiers import SeededIds
from engine.runtime import Advance, Command, FireTimer
from engine.service import procedures, starting
from engine.service.advance import move
from engine.service.cases import data_of
from engine.service.installation import Installation, create_installation, open_installation
from engine.service.schedules import managing, rounds
from engine.store.tables import processes, timers
from engine.store.tables import schedules as schedule_rows
from tests.conformance.driver import BEGIN, Driver, MisfitError

ACTOR = Actor("tester", "10041100", frozenset({Role.ADMIN, Role.CLERK}))
_KEY = "case"


@dataclass
class Bench:
    """What all cases of a run share: an empty installation to copy, and one checker that stays up."""

    template: Path
    sandbox: Sandbox

    def warm_up(self) -> None:
        """Make the template and start the checker before the first case is timed."""
        create_installation(self.template, "TEST")
        self.sandbox.check(b"", "empty.bpmn")

    def installation(self, home: Path, clock: TurnedClock) -> Installation:
        """Return a fresh installation at ``home``."""
        shutil.copytree(self.template, home)
        return open_installation(home, clock=clock, ids=SeededIds(7))


def package_of(folder: Path, case: Mapping[str, Any]) -> ProcedurePackage:
    """Make a procedure package of a case folder's files."""
    names = [item["adapted"] for item in case.get("models", [{"adapted": "adapted.bpmn"}])]
    bpmn = {name.replace(".", "-").removesuffix("-bpmn") + ".bpmn": name for name in names}
    models = "".join(f"  - {name}\n" for name in bpmn)
    head = (
        f"format: 1\nkey: {_KEY}\ntitle: Verhaltensfall\nbasis: [{{law: BPMN, paragraphs: 2.0.2}}]\n"
        f"models:\n{models}roles:\n  one: {{process: {case['process_id']}, title: Eine}}\n"
        "retention: {period: P1D, basis: Probe}\n"
    )
    files = {"procedure.yaml": head.encode()}
    files |= {name: (folder / original).read_bytes() for name, original in bpmn.items()}
    if case.get("decisions"):
        files["decisions/decisions.dmn"] = (folder / case["decisions"]).read_bytes()
    return build_package(files)


class StoredDriver(Driver):
    """Drives a case through the services."""

    worked: frozenset[str] = frozenset()
    """Service tasks that the scenarios complete or fail by hand."""
    app: Installation
    choice: starting.ProcessChoice
    case_id: str | None = None

    def deploy(self, app: Installation, package: ProcedurePackage, process_id: str, box: Sandbox) -> None:
        """Check and deploy the case's package; raises what deploying refuses."""
        self.app = app
        workers = frozenset(self.pass_through | self.worked)
        version = procedures.deploy(app, ACTOR, package, sandbox=box, workers=workers)
        with app.read() as tx:
            row = (
                tx.execute(
                    select(processes).where(
                        processes.c.version_id == version.id, processes.c.process_id == process_id
                    )
                )
                .mappings()
                .one()
            )
            self.program = app.programs.program(tx, version.id, process_id)
        self.choice = starting.ProcessChoice(version.id, process_id, _KEY, row["name"])

    def start(self, variables: Mapping[str, Any]) -> None:
        """Start the case; timer starts are switched on, as an admin does it."""
        super().start(variables)
        if self.plans:
            managing.switch_on(self.app, ACTOR, _KEY)

    def _start_by_timer(self) -> None:
        with self.app.write() as tx:
            due = select(schedule_rows.c.id).order_by(schedule_rows.c.due_at, schedule_rows.c.id)
            begun = rounds.begin_within(self.app, tx, tx.scalars(due).first() or "")
        if begun is not None:
            self.case_id, result = begun
            self._go_on(result)

    def turn(self, duration: str) -> None:
        """Turn the installation's clock and fire the timer rows that are due, the earliest first."""
        from engine.deadlines.iso import add_period, parse_period

        clock = self.app.clock
        assert isinstance(clock, TurnedClock)
        clock.set(add_period(clock.now(), parse_period(duration)))
        if self.plans and self.case_id is None:
            self._start_by_timer()
        for _ in range(1000):
            with self.app.read() as tx:
                row = tx.execute(
                    select(timers)
                    .where(timers.c.due_at <= clock.now())
                    .order_by(timers.c.due_at, timers.c.id)
                    .limit(1)
                ).one_or_none()
            if row is None or self.completed:
                return
            self._apply(FireTimer(row.id, row.revision))
        raise MisfitError("timers fire without end")

    def _advance(self, command: Command) -> Advance:
        with self.app.write() as tx:
            if self.case_id is not None:
                return move(self.app, tx, self.case_id, command, ACTOR.person_id)
            self.case_id, result = starting.begin_with(
                self.app, tx, ACTOR.authority_id, self.choice, command, by=ACTOR.person_id
            )
            return result

    def visible(self) -> list[Mapping[str, Any]]:
        """Return the data that open tasks show, and the case's own as the store has it."""
        shown = super().visible()
        if self.case_id is None:
            return shown
        with self.app.read() as tx:
            return [*shown, data_of(self.app, tx, self.case_id)]


def begin_clock() -> TurnedClock:
    """Return the clock every case begins with."""
    return TurnedClock(BEGIN)
