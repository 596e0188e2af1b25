"""The functions about deadlines that expressions of a model may call.

``deadline(rule, period, start)`` is the instant at which a deadline ends (24:00 of its last day) in ISO 8601,
UTC; ``deadline_date(…)`` its last day as YYYY-MM-DD. ``workdays(n, start)`` is the instant at which the n-th
working day after the start ends, ``workdays_date(…)`` that day. ``now()`` and ``today()`` are the present
instant in the calendar's zone, and its day.

``period`` is null or left out where the rule has its own figure; ``start`` is a date or date-time, left out
it is today. Working days skip Saturdays, Sundays, holidays and the office's closing days; deadlines skip what
the law says. The instants are what a timer's ``timeDate`` takes: a date alone would fire a day early.

``start`` can also name a basis that hangs on an exchange: ``arrival``, ``receipt`` or
``notification-fiction``, with ``:`` and a send's element id where it is not the obvious one. As long as the
facts do not exist the functions give null, and a timer that gets null is not armed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.deadlines.calendars import Calendar
from engine.deadlines.computing import Request, Settings, explain
from engine.deadlines.counting import nth_workday
from engine.deadlines.errors import InvalidInstantError, InvalidPeriodError, UnsuitablePeriodError
from engine.deadlines.explanation import Explanation
from engine.deadlines.iso import Period, end_of_day, parse_date, parse_instant, parse_period, zone_of
from engine.deadlines.rules import Basis
from engine.deadlines.rules_reading import load_rules
from engine.errors import DienstwegError
from engine.expressions.errors import EvaluationError
from engine.expressions.values import Months

FromFacts = Callable[[str, Period | None, str, str | None], Explanation | None]
"""Computes a rule (id, period) from the facts of an exchange (basis, element id); None: not yet known."""
BASES = tuple(basis.value for basis in Basis if basis is not Basis.FIXED)
NAMES = ("deadline", "deadline_date", "workdays", "workdays_date", "now", "today")
"""The functions' names, for checking models before there is an instant."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of ``deadline`` or ``deadline_date``, and what came of it."""

    rule: str
    period: Period | None
    basis: Basis
    """What the start hangs on; ``fixed`` where it was given."""
    element: str | None
    """The send that is meant, where the call names it."""
    found: Explanation | None


def model_functions(
    calendar: Calendar,
    clock_now: datetime,
    settings: Settings | None = None,
    *,
    recipient: Calendar | None = None,
    from_facts: FromFacts | None = None,
    note: Callable[[Asked], None] = lambda _asked: None,
) -> Mapping[str, Callable[..., Any]]:
    """Return the functions bound to a party's calendar and the present instant.

    ``from_facts`` answers for starts that hang on an exchange's facts; without it they are refused. ``note``
    is told of every deadline that was computed or asked for. The functions raise EvaluationError, as every
    function of an expression does.
    """
    local = clock_now.astimezone(zone_of(calendar.zone))
    today = local.date()

    def computed(rule: Any, period: Any = None, start: Any = None) -> Explanation | None:
        if not isinstance(rule, str):
            raise InvalidPeriodError("the rule must be its id", hint='for example deadline("baugb-36-2")')
        basis, _, element = start.partition(":") if isinstance(start, str) else ("", "", "")
        length = _period_of(period)
        if basis in BASES:
            if from_facts is None:
                raise InvalidInstantError(f"no exchange's facts are known here, so {basis} is no start")
            found = from_facts(rule, length, basis, element or None)
            note(Asked(rule, length, Basis(basis), element or None, found))
            return found
        begin = today if start is None else _start_of(start, calendar.zone)
        found = explain(load_rules(), Request(rule, begin, length), calendar, settings, recipient=recipient)
        note(Asked(rule, length, Basis.FIXED, None, found))
        return found

    def counted(count: Any, start: Any = None) -> date:
        begin = today if start is None else _day_of(start, calendar.zone)
        return nth_workday(begin, _number(count), calendar)

    return {
        "deadline": _guarded("deadline", lambda *args: _instant(computed(*args)), 1, 3),
        "deadline_date": _guarded("deadline_date", lambda *args: _day(computed(*args)), 1, 3),
        "workdays": _guarded(
            "workdays", lambda *args: _text(end_of_day(counted(*args), calendar.zone)), 1, 2
        ),
        "workdays_date": _guarded("workdays_date", lambda *args: counted(*args).isoformat(), 1, 2),
        "now": _guarded("now", lambda: local, 0, 0),
        "today": _guarded("today", lambda: today, 0, 0),
    }


def _guarded(name: str, call: Callable[..., Any], least: int, most: int) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        if not least <= len(arguments) <= most:
            raise EvaluationError(
                f"{name}() with {len(arguments)} arguments", hint=f"it takes {least} to {most}"
            )
        try:
            return call(*arguments)
        except EvaluationError:
            raise
        except DienstwegError as error:
            raise EvaluationError(f"{name}(): {error.message}", hint=error.hint) from error

    return run


def _instant(found: Explanation | None) -> str | None:
    return None if found is None else _text(found.end_instant)


def _day(found: Explanation | None) -> str | None:
    return None if found is None else found.end.isoformat()


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _period_of(value: Any) -> Period | None:
    if value is None or isinstance(value, Period):
        return value
    if isinstance(value, str):
        return parse_period(value) if value.strip() else None
    if isinstance(value, Months):
        return parse_period(f"P{value.months}M") if value.months >= 0 else _no_period(value)
    if isinstance(value, timedelta) and value >= timedelta(0):
        days, rest = divmod(value, timedelta(days=1))
        return Period(days=days, seconds=rest.seconds, microseconds=rest.microseconds)
    return _no_period(value)


def _no_period(value: Any) -> Period:
    raise InvalidPeriodError(f"{value!r} is no period", hint='write text like "P1M"')


def _start_of(value: Any, zone: str) -> date | datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=zone_of(zone))
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise InvalidInstantError(f"{value!r} is no date", hint="write text like 2026-11-23")
    return parse_instant(value, zone) if "T" in value else parse_date(value)


def _day_of(value: Any, zone: str) -> date:
    start = _start_of(value, zone)
    return start.astimezone(zone_of(zone)).date() if isinstance(start, datetime) else start


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or value != int(value):
        raise UnsuitablePeriodError(f"{value!r} is no whole number of working days")
    return int(value)
