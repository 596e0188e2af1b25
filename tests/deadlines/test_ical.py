"""The iCalendar feed, read back by the library and looked at byte by byte."""

from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar

from engine.deadlines.ical import FeedEntry, feed
from engine.deadlines.iso import parse_period

CHANGED = datetime(2026, 4, 8, 7, 15, tzinfo=UTC)
ENTRY = FeedEntry(
    uid="d-1@dienstweg.example",
    end=date(2026, 6, 5),
    summary="Einvernehmen, Az. 63/2026-17; Straße „Am Bächel“",
    changed_at=CHANGED,
    revision=2,
    description="§ 36 Abs. 2 BauGB\nEingang 04.04.2026",
    reminders=(parse_period("P1W"),),
)


def test_a_deadline_is_a_whole_day_with_its_revision() -> None:
    (event,) = Calendar.from_ical(feed("Bauamt", [ENTRY])).walk("VEVENT")
    assert event.decoded("dtstart") == date(2026, 6, 5)
    assert event.decoded("dtend") == date(2026, 6, 6)
    assert str(event["summary"]) == ENTRY.summary
    assert str(event["description"]) == ENTRY.description
    assert (event["uid"], event["sequence"]) == (ENTRY.uid, 2)
    assert event.decoded("dtstamp") == CHANGED
    assert event.walk("VALARM")[0].decoded("trigger") == timedelta(days=-7)


def test_lines_are_folded_at_75_octets_and_end_with_crlf() -> None:
    long = FeedEntry("x@y", date(2026, 6, 5), "Ä" * 300, CHANGED)
    content = feed("Bauamt", [long])
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    content.decode("utf-8")
    assert str(Calendar.from_ical(content).walk("VEVENT")[0]["summary"]) == "Ä" * 300


def test_a_settled_deadline_is_struck_out_and_rings_no_more() -> None:
    settled = FeedEntry(
        "x@y", date(2026, 6, 5), "erledigt", CHANGED, cancelled=True, reminders=ENTRY.reminders
    )
    (event,) = Calendar.from_ical(feed("Bauamt", [settled])).walk("VEVENT")
    assert event["status"] == "CANCELLED"
    assert not event.walk("VALARM")


def test_a_deadline_in_hours_has_its_instant() -> None:
    due = datetime(2026, 3, 30, 10, tzinfo=UTC)
    (event,) = Calendar.from_ical(feed("x", [FeedEntry("x@y", due.date(), "48 h", CHANGED, due=due)])).walk(
        "VEVENT"
    )
    assert event.decoded("dtstart") == due


def test_the_same_deadlines_give_the_same_bytes_in_the_order_of_ends() -> None:
    earlier = FeedEntry("z@y", date(2026, 1, 2), "früher", CHANGED)
    content = feed("Bauamt", [ENTRY, earlier])
    assert content == feed("Bauamt", [earlier, ENTRY])
    assert content.index(b"z@y") < content.index(b"d-1@")


def test_an_empty_feed_is_a_calendar() -> None:
    assert not Calendar.from_ical(feed("leer", [])).walk("VEVENT")
