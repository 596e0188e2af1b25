"""The timer starts of deployed procedures, and what their timers come to for one authority."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from engine.deadlines.iso import ZONE
from engine.deadlines.plans import Plan
from engine.definitions.model import Expression, NodeKind, TimerKind
from engine.expressions import compile_timer
from engine.runtime import FUNCTIONS
from engine.service.model_functions import ModelFunctions, Watch
from engine.service.programs import Deployed, ProcedureUnknownError
from engine.service.starting import ProcessChoice, latest_processes

if TYPE_CHECKING:
    from engine.service.installation import Installation


@dataclass(frozen=True, slots=True)
class TimerStart:
    """A timer at a start event of a process; ``position`` counts the event's definitions."""

    process_id: str
    element_id: str
    position: int
    timer: TimerKind
    expression: Expression

    @property
    def key(self) -> tuple[str, str, int]:
        """What names it in every version of the procedure."""
        return self.process_id, self.element_id, self.position


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a schedule stands when it begins anew."""

    plan: Plan
    number: int
    due_at: datetime | None
    """None: every instant it names had passed already."""


def starts_of(deployed: Deployed, processes: Sequence[str]) -> list[TimerStart]:
    """Return the timer starts of the processes that cases can be begun of, in the file's order."""
    return [
        TimerStart(process.id, node.id, position, event.timer, event.expression)
        for model in deployed.models
        for process in model.processes
        if process.id in processes
        for node in process.scope.starts()
        if node.kind is NodeKind.START_EVENT
        for position, event in enumerate(node.events)
        if event.timer is not None and event.expression is not None
    ]


def newest_starts(app: "Installation", tx: Connection, procedure: str) -> list[TimerStart]:
    """Return the timer starts of the newest version; raise ProcedureUnknownError where none is deployed."""
    rows = latest_processes(tx, procedure)
    if not rows:
        raise ProcedureUnknownError(
            f"no procedure {procedure!r} is deployed", hint="'dienstweg model list' shows what is"
        )
    return starts_of(
        app.programs.deployed(tx, rows[0]["version_id"]), [str(row["process_id"]) for row in rows]
    )


def choose(tx: Connection, procedure: str, process_id: str, element_id: str) -> ProcessChoice:
    """Return the process of the newest version, begun at ``element_id``; raise ProcedureUnknownError."""
    for row in latest_processes(tx, procedure):
        if row["process_id"] == process_id:
            return ProcessChoice(row["version_id"], process_id, procedure, row["name"], element_id)
    raise ProcedureUnknownError(f"the newest version of {procedure} has no process {process_id!r}")


def begin_anew(app: "Installation", authority_id: str, start: TimerStart, reference: datetime) -> Beginning:
    """Work out a timer start's value for an authority and its first due instant from ``reference`` on.

    Raises ExpressionError, EvaluationError, IsoTextError, OutOfCalendarError.
    """
    text, language = start.expression.text, start.expression.language
    timer = compile_timer(text, start.timer.value, language, functions=FUNCTIONS)
    functions = ModelFunctions(authority_id, reference, app.settings.deadlines, Watch())
    if timer.expression is None:
        value = text.strip()
    else:
        found = timer.expression.evaluate({}, functions)
        value = found.isoformat() if isinstance(found, date) else str(found)
    plan = Plan(start.timer.value, value, ZONE)
    number = plan.first(reference)
    due = plan.nth(reference, number)
    return Beginning(plan, number, due)
