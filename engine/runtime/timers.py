"""Due instants of timer events. Calendar arithmetic is done in the zone, instants are kept in UTC."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from engine.definitions.model import TimerKind
from engine.runtime.api import Json
from engine.runtime.errors import BranchFailure
from engine.runtime.periods import PeriodError, add_period, parse_cycle
from engine.runtime.tokens import Wait

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.elements.base import Trigger


def arm(case: "Case", wait: Wait, trigger: "Trigger", view: Any) -> None:
    """Work out when ``wait`` is due; a timer whose value is None has no due instant yet (unarmed)."""
    if trigger.formula is None or trigger.timer is None:
        raise BranchFailure("the timer has no value")
    value = trigger.formula.value(view, case.services.functions)
    wait.expression = value if isinstance(value, str) else trigger.formula.text
    if value is None:
        return
    now, zone = case.services.now, case.services.zone
    try:
        if trigger.timer is TimerKind.DATE:
            wait.due = instant_of(value, zone)
        elif trigger.timer is TimerKind.DURATION:
            wait.due = _after(now, value, zone)
        else:
            _arm_cycle(wait, str(value), now, zone)
    except (PeriodError, ValueError) as error:
        raise BranchFailure(f"the timer's value {value!r} is no {trigger.timer.value}: {error}") from error


def _after(now: datetime, value: Json, zone: str) -> datetime:
    if not isinstance(value, str):
        return instant_of(value, zone)
    if _looks_like_instant(value):
        return instant_of(value, zone)
    return add_period(now, value, zone)


def _looks_like_instant(value: str) -> bool:
    return value[:4].isdigit()


def instant_of(value: Json, zone: str) -> datetime:
    """Return the UTC instant of an ISO 8601 date or date-time; without offset it is local time."""
    if isinstance(value, datetime):
        parsed = value
    elif isinstance(value, date):
        parsed = datetime(value.year, value.month, value.day)  # noqa: DTZ001 (the zone follows)
    else:
        parsed = datetime.fromisoformat(str(value))
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=ZoneInfo(zone))
    return parsed.astimezone(UTC)


def _arm_cycle(wait: Wait, text: str, now: datetime, zone: str) -> None:
    cycle = parse_cycle(text)
    start = now if cycle.start is None else instant_of(cycle.start, zone)
    first = 1 if cycle.start is None else 0
    wait.cycle = {"start": start.isoformat(), "period": cycle.period, "count": cycle.count, "round": first}
    wait.due = add_period(start, cycle.period, zone, times=first)


def next_round(case: "Case", wait: Wait) -> bool:
    """Set a cycling timer to its next due instant; tell whether there is one."""
    cycle = wait.cycle
    if cycle is None:
        return False
    if cycle["count"] is not None:
        cycle["count"] -= 1
        if cycle["count"] <= 0:
            return False
    cycle["round"] += 1
    start = datetime.fromisoformat(cycle["start"])
    wait.due = add_period(start, cycle["period"], case.services.zone, times=cycle["round"])
    wait.revision += 1
    case.out.change(wait)
    return True
