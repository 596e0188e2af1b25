"""Deadlines as an iCalendar feed (RFC 5545), for the calendars of an authority or a clerk."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from icalendar import Alarm, Calendar, Event

from engine.deadlines.iso import Period

PRODUCT = "-//Dienstweg//Fristen//DE"


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One deadline of a feed.

    A feed leaves the installation: ``summary`` and ``description`` should hold file references and rules, no
    names of citizens.
    """

    uid: str
    """Stable over revisions and unique in the world, e.g. ``<deadline id>@<installation>``."""
    end: date
    """The last day; it is shown as a whole day."""
    summary: str
    changed_at: datetime
    """When this state of the deadline came about, UTC."""
    revision: int = 0
    description: str = ""
    url: str | None = None
    cancelled: bool = False
    """It was settled or disarmed; calendars then strike it out."""
    due: datetime | None = None
    """The exact instant, for deadlines in hours; None for whole days."""
    reminders: tuple[Period, ...] = field(default=())
    """How long before the end an alarm rings."""


def feed(name: str, entries: Iterable[FeedEntry], *, refresh: timedelta = timedelta(hours=1)) -> bytes:
    """Return the feed as bytes (UTF-8, CRLF, folded lines), entries by end and uid.

    ``name`` is what calendars call it; ``refresh`` says how often they should look again.
    """
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("name", name)
    calendar.add("x-wr-calname", name)
    calendar.add("refresh-interval", refresh, parameters={"value": "DURATION"})
    for entry in sorted(entries, key=lambda entry: (entry.end, entry.uid)):
        calendar.add_component(_event(entry))
    content: bytes = calendar.to_ical()
    return content


def _event(entry: FeedEntry) -> Event:
    event = Event()
    event.add("uid", entry.uid)
    event.add("dtstamp", entry.changed_at.astimezone(UTC))
    event.add("last-modified", entry.changed_at.astimezone(UTC))
    event.add("sequence", entry.revision)
    event.add("summary", entry.summary)
    if entry.description:
        event.add("description", entry.description)
    if entry.url:
        event.add("url", entry.url)
    if entry.due is None:
        event.add("dtstart", entry.end)
        event.add("dtend", entry.end + timedelta(days=1))
    else:
        event.add("dtstart", entry.due.astimezone(UTC))
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("categories", ["Frist"])
    if not entry.cancelled:
        for before in entry.reminders:
            event.add_component(_alarm(entry, before))
    return event


def _alarm(entry: FeedEntry, before: Period) -> Alarm:
    """Return an alarm; months have no place in RFC 5545 durations, so they count as 30 days."""
    length = timedelta(days=abs(before.total_days) + 30 * abs(before.total_months)) + abs(before.time)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", entry.summary)
    alarm.add("trigger", -length)
    return alarm
