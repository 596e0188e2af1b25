"""The traffic light of a deadline, for lists."""

from datetime import date, datetime, timedelta
from enum import StrEnum

from engine.deadlines.calendars import Calendar
from engine.deadlines.counting import nth_workday
from engine.deadlines.domain import Deadline, State
from engine.deadlines.iso import zone_of


class Light(StrEnum):
    """How urgent a deadline is."""

    GREY = "grey"
    """Unarmed: nobody knows yet when it ends."""
    GREEN = "green"
    YELLOW = "yellow"
    """Ends soon."""
    RED = "red"
    """Over, and nothing was done in time."""
    DONE = "done"
    """Met or cancelled."""


def light(deadline: Deadline, now: datetime, calendar: Calendar, soon: int = 3) -> Light:
    """Return the light at ``now``; yellow when at most ``soon`` working days of the office are left."""
    if deadline.state in (State.MET, State.CANCELLED):
        return Light.DONE
    if deadline.due is None or deadline.end is None:
        return Light.GREY
    if deadline.state is State.FIRED or now >= deadline.due:
        return Light.RED
    return _by_day(deadline.end, now, calendar, soon)


def light_of(due: datetime, now: datetime, calendar: Calendar, soon: int = 3) -> Light:
    """Return the light of something that is due at an instant, without a legal deadline behind it."""
    if now >= due:
        return Light.RED
    last = (due - timedelta(microseconds=1)).astimezone(zone_of(calendar.zone)).date()
    return _by_day(last, now, calendar, soon)


def _by_day(end: date, now: datetime, calendar: Calendar, soon: int) -> Light:
    today = now.astimezone(zone_of(calendar.zone)).date()
    return Light.YELLOW if end <= nth_workday(today, soon, calendar) else Light.GREEN
