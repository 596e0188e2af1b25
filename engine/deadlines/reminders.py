"""When to remind people of a deadline: before its end, on days the office works."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from engine.deadlines.calendars import Calendar
from engine.deadlines.iso import Period, add_period, zone_of


def reminders(
    end: date, before: Sequence[Period], calendar: Calendar, at: time = time(8)
) -> tuple[datetime, ...]:
    """Return the UTC instants of reminders, in order: local ``at`` that long before ``end``.

    A reminder on a day the office is closed comes on the working day before it.
    """
    found = set()
    for period in before:
        day = add_period(end, period, times=-1)
        while calendar.free_day(day) is not None:
            day -= timedelta(days=1)
        found.add(datetime.combine(day, at, zone_of(calendar.zone)).astimezone(UTC))
    return tuple(sorted(found))
