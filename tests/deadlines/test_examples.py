"""Deadlines worked out by hand on the calendar, and those that courts and commentaries print."""

from datetime import date, datetime

import pytest

from engine.deadlines.calendars import RegionalCalendar
from engine.deadlines.computing import Request, Settings, explain
from engine.deadlines.explanation import Explanation, FlagKind
from engine.deadlines.iso import parse_instant, parse_period
from engine.deadlines.rules import Channel
from engine.deadlines.rules_reading import load_rules

SAARLAND = RegionalCalendar("SL")


def work_out(
    rule: str,
    start: str,
    period: str | None = None,
    *,
    region: str = "SL",
    settings: dict[str, str] | None = None,
    **way: object,
) -> Explanation:
    moment: date | datetime = parse_instant(start) if "T" in start else date.fromisoformat(start)
    request = Request(rule, moment, parse_period(period) if period else None, **way)  # type: ignore[arg-type]
    return explain(load_rules(), request, RegionalCalendar(region), Settings(settings or {}))


# rule, start, period, end, why
PERIODS = [
    # § 187 Abs. 1, § 188 Abs. 2 BGB: the event's day does not count, the end carries its number or name.
    ("vwvfg-31", "2026-04-07", "P1M", "2026-05-07", "same number"),
    ("vwvfg-31", "2026-05-20", "P2W", "2026-06-03", "same weekday: Wednesday"),
    ("vwvfg-31", "2026-03-02", "P14D", "2026-03-16", "fourteenth day after"),
    ("vwvfg-31", "2021-02-02", "P1W", "2021-02-09", "Haufe SGB Office, Fristen und Termine 1.2.2"),
    ("vwvfg-31", "2021-02-02", "P1M", "2021-03-02", "Haufe SGB Office, Fristen und Termine 1.2.2"),
    ("vwvfg-31", "2022-04-04", "P1M", "2022-05-04", "entdeckejura.de on §§ 187, 188: 4.4. to 4.5."),
    # § 187 Abs. 2: the first day counts.
    ("bgb-187-2", "2021-02-02", "P1W", "2021-02-08", "Haufe SGB Office, Fristen und Termine 1.2.2"),
    ("bgb-187-2", "2021-02-03", "P1M", "2021-03-02", "Haufe SGB Office, Fristen und Termine 1.2.2"),
    ("bgb-187-2", "2022-04-04", "P1M", "2022-05-03", "entdeckejura.de on §§ 187, 188: 4.4. to 3.5."),
    ("bgb-187-2", "2026-03-01", "P1M", "2026-03-31", "a whole month"),
    ("bgb-187-2", "2026-03-31", "P1M", "2026-04-30", "the day before the missing 31 is the 30"),
    ("vwvfg-31-4", "2026-01-31", "P1M", "2026-02-28", "30 February is missing: last day; stays a Saturday"),
    (
        "vwvfg-31-4",
        "2028-01-30",
        "P1M",
        "2028-02-29",
        "the day before 30 February is the 29th of a leap year",
    ),
    # § 188 Abs. 3: the last month lacks the day.
    ("vwvfg-31", "2028-01-31", "P1M", "2028-02-29", "leap year, Tuesday"),
    ("vwvfg-31", "2026-01-30", "P1M", "2026-03-02", "28 February is a Saturday"),
    ("vwvfg-31", "2026-02-28", "P1M", "2026-03-30", "28 March, not the 31st; a Saturday"),
    ("vwvfg-31", "2028-02-29", "P1Y", "2029-02-28", "no leap day in 2029"),
    ("vwvfg-31", "2027-08-31", "P6M", "2028-02-29", "half a year is six months (§ 189 Abs. 1)"),
    # § 189 Abs. 2: the half month comes last.
    ("vwvfg-31", "2026-01-29", "P1M15D", "2026-03-16", "28 February, then 15 days: a Sunday"),
    # § 193 BGB, § 31 Abs. 3 VwVfG: Saturday, Sunday, holidays of the Saarland.
    ("vwvfg-31", "2026-05-21", "P2W", "2026-06-05", "4 June 2026 is Fronleichnam"),
    ("vwvfg-31", "2026-10-01", "P1M", "2026-11-02", "Allerheiligen on a Sunday"),
    ("vwvfg-31", "2027-10-01", "P1M", "2027-11-02", "Allerheiligen on a Monday"),
    ("vwvfg-31", "2026-03-20", "P2W", "2026-04-07", "Karfreitag to Ostermontag"),
    ("vwvfg-31", "2026-07-15", "P1M", "2026-08-17", "Mariä Himmelfahrt on a Saturday"),
    ("vwvfg-31", "2025-07-15", "P1M", "2025-08-18", "Mariä Himmelfahrt on a Friday"),
    ("vwvfg-31", "2026-12-11", "P2W", "2026-12-28", "two days of Christmas and a Sunday"),
    ("vwvfg-31", "2026-12-01", "P1M", "2027-01-04", "New Year on a Friday"),
    ("vwvfg-31", "2026-11-24", "P1M", "2026-12-24", "24 December is no holiday"),
    # § 31 Abs. 3 Satz 2 and Abs. 5: no move.
    ("vwvfg-31-3-2", "2026-06-04", None, "2026-06-04", "end day notified with reference to the rule"),
    ("vwvfg-31-5", "2026-03-01", None, "2026-03-01", "a date on a Sunday has to be kept"),
    # planning and building
    ("baugb-36-2", "1992-05-13", None, "1992-07-13", "BVerwG 4 C 24.95: request of 13 May 1992"),
    ("baugb-36-2", "2026-04-04", None, "2026-06-05", "Fronleichnam"),
    ("baugb-36-2", "2025-12-31", None, "2026-03-02", "no 31 February; 28 is a Saturday"),
    ("baugb-36a", "2025-10-30", None, "2026-01-30", "three months, the first day of the rule"),
    ("baugb-4-2", "2026-01-30", None, "2026-03-02", "28 February is 29 days; the 30th day is a Sunday"),
    ("baugb-4-2", "2027-02-01", None, "2027-03-03", "1 March is 28 days; the 30th day is Wednesday"),
    ("baugb-4-2", "2026-03-02", None, "2026-04-02", "31 days are more than 30"),
    ("baugb-4-2", "2026-03-02", "P6W", "2026-04-13", "a longer period may be set"),
    ("baugb-6-4", "2026-05-04", None, "2026-06-05", "Fronleichnam"),
    ("baugb-10-2", "2026-05-11", None, "2026-06-11", "as § 6 Abs. 4"),
    ("ksvg-82-5", "2026-11-26", None, "2026-12-28", "26 December is a holiday and a Saturday"),
    # objections
    ("vwgo-70", "2026-03-06", None, "2026-04-07", "6 April 2026 is Ostermontag"),
    ("vwgo-58-2", "2026-02-02", None, "2027-02-02", "one year"),
    (
        "vwgo-74",
        "2015-01-05",
        None,
        "2015-02-05",
        "L. Klenk, Fristbeginn nach § 187 BGB: served on 5 January",
    ),
    ("vwgo-75", "2026-02-28", None, "2026-05-28", "three months"),
    # social benefits
    ("sgb10-111", "2025-09-30", None, "2026-09-30", "Jansen, SGB X, § 111 Rz. 5: benefit until 30 September"),
    ("sgb10-113", "2026-07-03", None, "2030-12-31", "four years after the end of 2026"),
    # registration and trade
    ("bmg-33-1", "2026-11-23", None, "2026-11-26", "Tuesday, Wednesday, Thursday"),
    ("bmg-33-1", "2026-06-03", None, "2026-06-08", "Fronleichnam and Sunday are none: Fri, Sat, Mon"),
    ("bmg-33-2", "2026-12-23", None, "2026-12-29", "Thu 24, Mon 28, Tue 29: Christmas and Sunday are none"),
    ("bmg-34-4", "2026-07-03", None, "2027-12-31", "end of the following calendar year"),
    ("gewanzv-3-5", "2026-11-23", None, "2026-12-01", "Tuesday"),
    ("gewanzv-3-5", "2026-10-31", None, "2026-11-02", "1 November is Sunday"),
    ("gewo-14-11", "2026-08-31", None, "2027-02-28", "a Sunday; deleting does not wait"),
    ("aufenthv-68-2", "2026-02-27", None, "2036-02-27", "ten years"),
]


@pytest.mark.parametrize(("rule", "start", "period", "end", "why"), PERIODS)
def test_worked_by_hand(rule: str, start: str, period: str | None, end: str, why: str) -> None:
    assert work_out(rule, start, period).end == date.fromisoformat(end), why


# rule, way, posted or sent, day of notification, end of a month from it, why
NOTIFICATIONS = [
    ("ao-122", "post", "1997-12-18", "1997-12-22", "1998-01-22", "BFH IX R 68/98: third day is Sunday"),
    (
        "vwvfg-41-2",
        "post",
        "2021-02-08",
        "2021-02-11",
        "2021-03-11",
        "BG BAU, Frist: posted on 8 February 2021",
    ),
    ("vwvfg-41-2", "post", "2024-12-30", "2025-01-02", "2025-02-03", "third day; 2 February is a Sunday"),
    ("vwvfg-41-2", "post", "2024-12-31", "2025-01-03", "2025-02-03", "the last day of three days"),
    ("ao-122", "post", "2024-12-31", "2025-01-03", "2025-02-03", "the last day of three days"),
    ("ao-122", "post", "2025-01-01", "2025-01-06", "2025-02-06", "the first day of four: Sunday 5 January"),
    ("ao-122", "post", "2025-01-02", "2025-01-06", "2025-02-06", "fourth day"),
    ("vwvfg-41-2", "post", "2026-03-02", "2026-03-06", "2026-04-07", "fourth day; 6 April is Ostermontag"),
    ("vwvfg-41-2", "electronic", "2026-03-02", "2026-03-06", "2026-04-07", "the same electronically"),
    ("ao-122", "post", "2026-03-03", "2026-03-09", "2026-04-09", "fourth day Saturday moves (AO)"),
    ("ao-122", "electronic", "2026-05-29", "2026-06-02", "2026-07-02", "fourth day"),
    ("ao-122a", "electronic", "2026-05-29", "2026-06-02", "2026-07-02", "fourth day after provision"),
    ("ozg-9", "electronic", "2026-05-29", "2026-06-02", "2026-07-02", "fourth day after provision"),
    ("ozg-9", "electronic", "2024-11-04", "2024-11-07", "2024-12-09", "third day; 7 December is a Saturday"),
    ("vwzg-4", "post", "2026-03-02", "2026-03-06", "2026-04-07", "registered letter without return slip"),
    ("vwzg-5-5", "electronic", "2026-03-02", "2026-03-06", "2026-04-07", "on demand"),
    ("vwvfg-41-2a", "electronic", "2026-05-18", "2026-05-19", "2026-06-19", "the day after retrieval"),
    ("vwvfg-41-4", None, "2026-03-05", "2026-03-19", "2026-04-20", "two weeks; 19 April is a Sunday"),
    ("ao-122-4", None, "2026-03-05", "2026-03-19", "2026-04-20", "two weeks"),
]


@pytest.mark.parametrize(("rule", "way", "sent", "notified", "end", "why"), NOTIFICATIONS)
def test_notified_by_law(rule: str, way: str | None, sent: str, notified: str, end: str, why: str) -> None:
    channel = Channel(way) if way else None
    alone = work_out(rule, sent, channel=channel)
    assert alone.notification == alone.end == date.fromisoformat(notified), why
    followed = work_out(rule, sent, "P1M", channel=channel)
    assert (followed.notification, followed.end) == (date.fromisoformat(notified), date.fromisoformat(end)), (
        why
    )


def test_abroad_a_letter_takes_a_month_under_the_ao_and_is_not_presumed_under_the_vwvfg() -> None:
    from engine.deadlines.errors import NoFictionError

    assert work_out("ao-122", "2026-01-30", abroad=True).end == date(2026, 3, 2)  # 28 February: Saturday
    electronic = work_out("ao-122", "2026-01-26", abroad=True, channel=Channel.ELECTRONIC)
    assert electronic.end == date(2026, 1, 30)
    with pytest.raises(NoFictionError, match="presumes no notification"):
        work_out("vwvfg-41-2", "2026-01-30", abroad=True, channel=Channel.POST)
    assert work_out("vwvfg-41-2", "2026-01-26", abroad=True, channel=Channel.ELECTRONIC).end == date(
        2026, 1, 30
    )


def test_the_fourth_day_on_a_saturday_is_an_open_question_of_the_vwvfg_only() -> None:
    tax = work_out("ao-122", "2026-03-03", "P1M")
    assert not tax.alternatives
    act = work_out("vwvfg-41-2", "2026-03-03", "P1M")
    assert (act.notification, act.end) == (date(2026, 3, 9), date(2026, 4, 9))
    assert [(other.notification, other.end) for other in act.alternatives] == [
        (date(2026, 3, 7), date(2026, 4, 7))
    ]
    flags = [flag for flag in act.flags if flag.kind is FlagKind.OPEN_QUESTION]
    assert [flag.question for flag in flags] == ["weekend-vwvfg"]
    assert "Do 09.04.2026" in flags[0].text.de
    assert "Di 07.04.2026" in flags[0].text.de


def test_a_setting_answers_an_open_question_and_the_other_answer_stays_visible() -> None:
    strict = work_out("vwvfg-41-2", "2026-03-03", "P1M", settings={"weekend-vwvfg": "stay"})
    assert strict.end == date(2026, 4, 7)
    assert strict.answers == {"weekend-vwvfg": "stay"}
    assert [other.end for other in strict.alternatives] == [date(2026, 4, 9)]
    assert any(flag.kind is FlagKind.OPEN_QUESTION for flag in strict.flags)
    earlier = work_out("vwvfg-41-2", "2026-03-03", "P1M", settings={"weekend-vwvfg": "earlier"})
    assert earlier.end == date(2026, 4, 7)


def test_a_fourth_day_on_a_working_day_asks_nothing() -> None:
    act = work_out("vwvfg-41-2", "2026-03-02", "P1M")
    assert not act.alternatives
    assert not act.answers


def test_the_saarland_between_old_act_and_new_act_is_flagged() -> None:
    act = work_out("vwvfg-41-2", "2025-03-10", "P1M")
    assert (act.notification, act.end) == (date(2025, 3, 14), date(2025, 4, 14))
    assert date(2025, 3, 13) in {other.notification for other in act.alternatives}
    assert not work_out("vwvfg-41-2", "2025-11-10", "P1M").alternatives


def test_an_objection_runs_from_the_presumed_notification() -> None:
    objection = work_out("vwgo-70", "2026-03-02", fiction="vwvfg-41-2", channel=Channel.POST)
    assert objection.rule == "vwgo-70"
    assert (objection.notification, objection.end) == (date(2026, 3, 6), date(2026, 4, 7))
    assert [stage.rule for stage in objection.stages] == ["vwvfg-41-2", "vwgo-70"]


def test_a_proved_later_receipt_displaces_the_presumption_and_an_earlier_one_does_not() -> None:
    later = work_out("vwvfg-41-2", "2026-03-02", "P1M", received=date(2026, 3, 11))
    assert (later.notification, later.end) == (date(2026, 3, 11), date(2026, 4, 13))  # 11 April: Saturday
    earlier = work_out("vwvfg-41-2", "2026-03-02", "P1M", received=date(2026, 3, 4))
    assert earlier.notification == date(2026, 3, 6)


def test_a_return_slip_names_the_day_of_service_even_before_the_fourth_day() -> None:
    slip = work_out("vwzg-4", "2026-03-02", "P1M", acknowledged=date(2026, 3, 4))
    assert (slip.notification, slip.end) == (date(2026, 3, 4), date(2026, 4, 7))  # 4 April: Saturday, Easter
    tracked = work_out("vwzg-4", "2026-03-02", received=date(2026, 3, 4))
    assert tracked.notification == date(2026, 3, 6)  # delivery without slip: the presumption stays


def test_a_slip_has_no_place_where_the_law_knows_none() -> None:
    from engine.deadlines.errors import UnsuitableStartError

    with pytest.raises(UnsuitableStartError, match="knows no return slip"):
        work_out("vwvfg-41-2", "2026-03-02", acknowledged=date(2026, 3, 4))
    with pytest.raises(UnsuitableStartError, match="the receipt itself"):
        work_out("vwzg-5-4", "2026-03-02", received=date(2026, 3, 4))
    with pytest.raises(UnsuitableStartError, match="changes nothing"):
        work_out("baugb-36-2", "2026-03-02", received=date(2026, 3, 4))
    with pytest.raises(UnsuitableStartError, match="no rule of notification"):
        work_out("vwgo-70", "2026-03-02", fiction="baugb-36-2")
    with pytest.raises(UnsuitableStartError, match="does not run from"):
        work_out("bmg-33-1", "2026-03-02", fiction="vwvfg-41-2")


@pytest.mark.parametrize("proof", ["acknowledged", "received"])
def test_nothing_is_received_before_it_was_sent(proof: str) -> None:
    from engine.deadlines.errors import UnsuitableStartError

    with pytest.raises(UnsuitableStartError, match="before the start"):
        work_out("vwzg-4", "2026-03-02", **{proof: date(2025, 3, 4)})
    assert work_out("vwzg-4", "2026-03-02", **{proof: date(2026, 3, 2)}).notification is not None


def test_an_acknowledgement_on_a_saturday_is_service_on_that_saturday() -> None:
    served = work_out("vwzg-5-4", "2026-03-07", "P1M")
    assert (served.notification, served.end) == (date(2026, 3, 7), date(2026, 4, 7))


def test_a_calendar_per_party() -> None:
    assert work_out("vwvfg-31", "2026-05-21", "P2W", region="BE").end == date(2026, 6, 4)
    assert work_out("vwvfg-31", "2026-05-21", "P2W", region="RP").end == date(2026, 6, 5)
    assert work_out("vwvfg-31", "2026-02-08", "P1M", region="BE").end == date(2026, 3, 9)
    assert work_out("vwvfg-31", "2027-02-08", "P1M", region="BE").end == date(2027, 3, 9)  # Frauentag, Monday


def test_notification_and_declaration_each_follow_their_own_place() -> None:
    found = explain(
        load_rules(),
        Request("ao-122", date(2026, 5, 31), parse_period("P1M")),
        RegionalCalendar("BE"),
        recipient=RegionalCalendar("SL"),
    )
    # Fourth day 4 June 2026: Fronleichnam in the Saarland, a working day in Berlin.
    assert (found.notification, found.end) == (date(2026, 6, 5), date(2026, 7, 6))
    assert "DE-SL" in found.calendar.de
    assert "DE-BE" in found.calendar.de


@pytest.mark.parametrize(
    ("start", "period", "instant"),
    [
        ("2026-01-27", "P2M", "2026-03-27T23:00:00+00:00"),  # winter time
        ("2026-01-30", "P2M", "2026-03-30T22:00:00+00:00"),  # summer time since 29 March
        ("2026-09-25", "P1M", "2026-10-26T23:00:00+00:00"),  # 25 October, the 25-hour day, is a Sunday
        ("2026-09-23", "P1M", "2026-10-23T22:00:00+00:00"),
    ],
)
def test_the_end_is_24_oclock_on_both_sides_of_summer_time(start: str, period: str, instant: str) -> None:
    assert work_out("vwvfg-31", start, period).end_instant.isoformat() == instant


def test_hours_run_through_weekends_and_changes_of_summer_time() -> None:
    found = work_out("vwvfg-31-6", "2026-03-28T10:20", "PT48H")
    # From the full hour: 11:00 + 48 h is 12:00 summer time; from the minute it would be 11:20.
    assert found.end_instant.isoformat() == "2026-03-30T10:00:00+00:00"
    assert found.exact
    assert [other.end_instant.isoformat() for other in found.alternatives] == ["2026-03-30T09:20:00+00:00"]
    on_the_hour = work_out("vwvfg-31-6", "2026-05-01T10:00", "PT24H")  # 1 May to a Saturday
    assert on_the_hour.end_instant.isoformat() == "2026-05-02T08:00:00+00:00"
    assert not on_the_hour.alternatives


def test_authorities_duties_take_the_earlier_reading_and_say_so() -> None:
    report = work_out("bmg-33-1", "2026-06-03")
    assert [other.end for other in report.alternatives] == [date(2026, 6, 9)]
    statistics = work_out("gewanzv-3-5", "2026-12-15")
    assert statistics.end == date(2027, 1, 2)  # New Year is Friday; Saturday may count
    assert [other.end for other in statistics.alternatives] == [date(2027, 1, 4)]
    claim = work_out("sgb10-111", "2023-02-28")
    assert claim.end == date(2024, 2, 28)
    assert [other.end for other in claim.alternatives] == [date(2024, 2, 29)]


def test_no_retrieval_in_ten_days() -> None:
    lapse = work_out("vwvfg-41-2a-lapse", "2026-03-04")
    assert lapse.end == date(2026, 3, 16)  # tenth day: Saturday 14
    assert [other.end for other in lapse.alternatives] == [date(2026, 3, 14)]


def test_publication_counts_its_first_day_and_lasts_thirty_days_at_least() -> None:
    assert work_out("baugb-3-2", "2026-03-02").end == date(2026, 4, 1)
    february = work_out("baugb-3-2", "2027-02-01")
    assert february.end == date(2027, 3, 2)  # 28 days are too few; 30 days end on Tuesday 2 March
    assert february.stages[0].counted_days == 30


def test_the_version_of_the_data_retrieval_rule_follows_its_start() -> None:
    assert work_out("ao-122a", "2024-12-30").stages[0].start_text.en == "sending of the notice"
    assert work_out("ao-122a", "2026-01-02").stages[0].start_text.en == "provision for retrieval"


def test_a_minimum_that_decides_says_so() -> None:
    found = work_out("baugb-4-2", "2027-02-01")
    assert "mindestens P30D; P1M wäre schon am Mo 01.03.2027 um" in found.text("de")
    assert "mindestens" not in work_out("baugb-4-2", "2026-03-02").text("de")


@pytest.mark.parametrize(
    "rule", ["sgb10-111", "vwvfg-41-2", "sgb10-113", "bmg-33-1", "gewanzv-3-5", "vwvfg-31-5"]
)
def test_the_calendars_end_is_refused(rule: str) -> None:
    from engine.deadlines.errors import OutOfCalendarError

    with pytest.raises(OutOfCalendarError):
        work_out(rule, "9999-12-31")


def test_records_of_long_ago_are_kept_without_asking_for_holidays() -> None:
    assert work_out("waffg-44a-possession", "1985-05-06").end == date(2015, 5, 6)
