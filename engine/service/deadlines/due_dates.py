"""When a task is due: ``dw:due``, or what other modelers write as a task's due date."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from engine.deadlines.errors import IsoTextError, OutOfCalendarError
from engine.deadlines.functions import NAMES, Asked
from engine.deadlines.iso import add_period, end_of_day, parse_instant, parse_period
from engine.deadlines.rules import Basis
from engine.definitions.model import Node
from engine.errors import RefusedError
from engine.expressions import CompiledTimer, EvaluationError, ExpressionError, compile_timer
from engine.runtime import api
from engine.service.model_functions import ModelFunctions, Watch

if TYPE_CHECKING:
    from engine.service.advance import CaseRow
    from engine.service.installation import Installation


class DueDateRefusedError(RefusedError):
    """The text gives no due date."""


@dataclass(frozen=True, slots=True)
class TaskDue:
    """When a task is due, and the deadline behind it."""

    due: datetime | None = None
    """UTC; None where it is not known yet."""
    asked: Asked | None = None
    fault: str | None = None
    """Why there is none: the model's text gives none here."""


def written(node: Node) -> str | None:
    """Return what a model says of a task's due date; ``dw:due`` wins."""
    return node.attributes.get("due") or node.assignment.get("dueDate")


def of_task(app: "Installation", case: "CaseRow", node: Node, item: api.OpenItem) -> TaskDue | None:
    """Return when the task ``item`` is due, None where its model says nothing.

    A text that gives no date stops no case: the task opens without one, and ``fault`` says why.
    """
    text = written(node)
    if text is None:
        return None
    watch, now = Watch(), app.clock.now()
    functions = ModelFunctions(case.authority_id, now, app.settings.deadlines, watch)
    watch.begin()
    try:
        timer = compile_due(text)
        value = timer.constant
        if timer.expression is not None:
            value = timer.expression.evaluate(item.data, functions)
        due = None if value is None else _instant(value, now)
    except (EvaluationError, DueDateRefusedError) as error:
        return TaskDue(fault=f"the task {node.name or node.id} has no due date: {error}")
    asked = watch.end()
    if (
        asked is not None
        and asked.basis is Basis.FIXED
        and (asked.found is None or due != asked.found.end_instant)
    ):
        asked = None
    return TaskDue(due, asked)


@lru_cache(maxsize=1024)
def compile_due(text: str) -> CompiledTimer:
    """Compile a due date: a day, an instant, a period from now, or an expression that gives one of them."""
    try:
        return compile_timer(text, "timeDuration", functions=NAMES)
    except ExpressionError:
        pass  # it is no period; what it should have been, the second attempt says
    try:
        return compile_timer(text, "timeDate", functions=NAMES)
    except ExpressionError as error:
        raise DueDateRefusedError(str(error)) from error


def _instant(value: Any, now: datetime) -> datetime:
    """Return the first instant that is too late: 24:00 of a day, a moment itself, or a period from now."""
    text = str(value).strip()
    try:
        if not isinstance(value, str):
            raise DueDateRefusedError(f"{value!r} is no date", hint="give text like 2026-11-23 or P14D")
        if text.startswith("P"):
            return add_period(now, parse_period(text))
        if len(text) == len("2026-11-23"):
            return end_of_day(date.fromisoformat(text))
        return parse_instant(text)
    except (IsoTextError, OutOfCalendarError, ValueError) as error:
        raise DueDateRefusedError(f"{text[:60]!r} is no date", hint="write 2026-11-23 or P14D") from error
