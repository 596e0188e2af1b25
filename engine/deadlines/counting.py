"""The arithmetic of §§ 187–193 BGB: which days count, where a period ends, how far an end moves."""

import calendar as months
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from engine.deadlines.calendars import Calendar, days_after
from engine.deadlines.errors import OutOfCalendarError, UnsuitablePeriodError
from engine.deadlines.iso import Period, add_period
from engine.deadlines.text import Text

DAY = timedelta(days=1)
_MOST_WORKDAYS = 3660
_EVENT = Text("Tag des Ereignisses, nicht mitgerechnet", "day of the event, not counted")
_WORKING = Text("Werktag", "working day")


class DayKind(StrEnum):
    """What became of a group of days."""

    NOT_COUNTED = "not-counted"
    """The day of the event (§ 187 Abs. 1 BGB)."""
    COUNTED = "counted"
    SKIPPED = "skipped"
    """Inside a period of working days, but none."""
    MOVED = "moved"
    """The end fell here and moved on (§ 193 BGB)."""


@dataclass(frozen=True, slots=True)
class DayGroup:
    """Consecutive days that had the same fate, and why."""

    kind: DayKind
    first: date
    last: date
    reason: Text
    source: str

    @property
    def days(self) -> int:
        """How many days it holds."""
        return (self.last - self.first).days + 1


def end_of_period(start: date, period: Period, *, start_counts: bool) -> date:
    """Return the last day of ``period`` by § 188 BGB, before any move.

    ``start`` is the day of the event (§ 187 Abs. 1, it does not count), or with ``start_counts`` the first
    day itself (§ 187 Abs. 2). Months come first, weeks and days after them (§ 189 Abs. 2).

    Raises:
        UnsuitablePeriodError: hours, or no length at all.
        OutOfCalendarError: the end lies beyond the year 9999.
    """
    if period.has_time:
        raise UnsuitablePeriodError(f"{period} has hours", hint="periods in hours have rules of their own")
    if period.is_zero or period.negative:
        raise UnsuitablePeriodError(f"{period} has no length")
    event = start
    if start_counts:
        try:
            event = start - DAY
        except OverflowError:
            raise OutOfCalendarError(f"the day before {start} lies outside the calendar") from None
    if not start_counts or period.total_months == 0:
        return add_period(event, period)
    last = _end_of_counted_months(start, period.total_months)
    return add_period(last, Period(days=period.total_days)) if period.total_days else last


def _end_of_counted_months(start: date, count: int) -> date:
    """Return the day before the one that carries the start's number (§ 188 Abs. 2 second case, Abs. 3).

    The day before the 31 of a month with 30 days is the 30, not the 29: the number is looked for first, and
    the month's last day stands in only where that number is missing.
    """
    first_of_last = add_period(start.replace(day=1), Period(months=count))
    if start.day == 1:
        return first_of_last - DAY
    length = months.monthrange(first_of_last.year, first_of_last.month)[1]
    return first_of_last.replace(day=min(start.day - 1, length))


def period_groups(
    start: date, end: date, *, start_counts: bool, source: str, why: Text | None = None
) -> tuple[DayGroup, ...]:
    """Return the groups of a period of days, weeks, months or years: the event's day, then what counts.

    ``why`` replaces the usual reason of the counted days.
    """
    if start_counts:
        reason = why or Text("der Anfangstag wird mitgerechnet", "the first day counts")
        return (DayGroup(DayKind.COUNTED, start, end, reason, f"§ 187 Abs. 2, § 188 BGB; {source}"),)
    counted = why or Text("alle Tage zählen", "every day counts")
    return (
        DayGroup(DayKind.NOT_COUNTED, start, start, _EVENT, "§ 187 Abs. 1 BGB"),
        DayGroup(DayKind.COUNTED, start + DAY, end, counted, f"§ 188 BGB; {source}"),
    )


def move_to_working_day(end: date, calendar: Calendar, source: str) -> tuple[date, tuple[DayGroup, ...]]:
    """Return the day an end moves to, and the days it moved over; the same day where it need not move."""
    groups: list[DayGroup] = []
    day = end
    following = days_after(end)
    while (reason := calendar.rest_day(day)) is not None:
        groups.append(DayGroup(DayKind.MOVED, day, day, reason, source))
        day = next(following)
    return day, tuple(groups)


def workday_groups(
    start: date, count: int, why_free: Callable[[date], Text | None], source: str
) -> tuple[date, tuple[DayGroup, ...]]:
    """Return the ``count``-th working day after ``start``, and every day up to it with its fate.

    Raises:
        UnsuitablePeriodError: ``count`` is below 1.
    """
    if count < 1:
        raise UnsuitablePeriodError(f"{count} working days are no period")
    groups = [DayGroup(DayKind.NOT_COUNTED, start, start, _EVENT, "§ 187 Abs. 1 BGB")]
    for day in days_after(start):
        reason = why_free(day)
        if reason is None:
            count -= 1
            groups = _join(
                groups, DayGroup(DayKind.COUNTED, day, day, Text("Werktag", "working day"), source)
            )
        else:
            groups = _join(groups, DayGroup(DayKind.SKIPPED, day, day, reason, source))
        if count == 0:
            return day, tuple(groups)
    raise AssertionError("days_after never ends")


def _join(groups: list[DayGroup], group: DayGroup) -> list[DayGroup]:
    last = groups[-1]
    if (last.kind, last.reason) == (group.kind, group.reason):
        return [*groups[:-1], DayGroup(last.kind, last.first, group.last, last.reason, last.source)]
    return [*groups, group]


def nth_workday(start: date, count: int, calendar: Calendar) -> date:
    """Return the ``count``-th day after ``start`` on which the office works.

    0 is ``start`` itself, or the next day the office works. Raises UnsuitablePeriodError below 0 and above
    ten years.
    """
    if not 0 <= count <= _MOST_WORKDAYS:
        raise UnsuitablePeriodError(f"{count} working days", hint=f"between 0 and {_MOST_WORKDAYS}")
    day = start - DAY if count == 0 else start
    left = max(count, 1)
    for later in days_after(day):
        if calendar.free_day(later) is None:
            left -= 1
            if left == 0:
                return later
    raise AssertionError("days_after never ends")
