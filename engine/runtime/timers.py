"""Due instants of timer events. Calendar arithmetic is done in the zone, instants are kept in UTC."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.deadlines.errors import IsoTextError, OutOfCalendarError
from engine.deadlines.iso import add_period, parse_cycle, parse_instant, parse_period
from engine.definitions.model import TimerKind
from engine.runtime.api import Json
from engine.runtime.errors import BranchFailure
from engine.runtime.tokens import Wait

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.compiling import Formula
    from engine.runtime.elements.base import Trigger


def arm(case: "Case", wait: Wait, trigger: "Trigger", view: Any) -> None:
    """Work out when ``wait`` is due; a timer whose value is None has no due instant yet (unarmed)."""
    if trigger.formula is None or trigger.timer is None:
        raise BranchFailure("the timer has no value")
    value = _value(case, wait, trigger.formula, view)
    wait.expression = value if isinstance(value, str) else trigger.formula.text
    if value is None:
        return
    now, zone = case.services.now, case.services.zone
    try:
        if trigger.timer is TimerKind.CYCLE:
            wait.cycle = {"text": str(value), "start": now.isoformat(), "round": 1}
            wait.due = parse_cycle(str(value), zone).nth(now, 1)
        elif trigger.timer is TimerKind.DATE or _is_instant(value):
            wait.due = parse_instant(str(value), zone)
        else:
            wait.due = add_period(now, parse_period(str(value)), zone)
    except (IsoTextError, OutOfCalendarError) as error:
        raise BranchFailure(f"the timer's value {value!r} is no {trigger.timer.value}: {error}") from error


def _value(case: "Case", wait: Wait, formula: "Formula", view: Any) -> Json:
    """Work out a timer's value, and let the caller's watch note what it comes from."""
    watch = case.services.watch
    if watch is None:
        return formula.value(view, case.services.functions)
    watch.begin()
    try:
        return formula.value(view, case.services.functions)
    finally:
        wait.source = watch.end()


def _is_instant(value: Json) -> bool:
    """Tell whether a duration's value is an instant already, as deadline functions give it."""
    return str(value)[:4].isdigit()


def next_round(case: "Case", wait: Wait) -> bool:
    """Set a cycling timer to its next due instant, counted from its start; tell whether there is one."""
    cycle = wait.cycle
    if cycle is None:
        return False
    cycle["round"] += 1
    start = datetime.fromisoformat(cycle["start"])
    due = parse_cycle(cycle["text"], case.services.zone).nth(start, cycle["round"])
    if due is None:
        return False
    wait.due = due
    wait.revision += 1
    case.out.change(wait)
    return True
