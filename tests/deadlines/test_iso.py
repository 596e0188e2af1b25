"""ISO 8601 arithmetic: calendar parts on the calendar, time parts in real time, repetitions without drift."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.deadlines.errors import (
    InvalidCycleError,
    InvalidInstantError,
    InvalidPeriodError,
    NegativePeriodError,
    OutOfCalendarError,
)
from engine.deadlines.iso import (
    Period,
    add_period,
    end_of_day,
    local_text,
    parse_cycle,
    parse_date,
    parse_instant,
    parse_period,
    typed_instant,
)

BERLIN = ZoneInfo("Europe/Berlin")


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("P1M", Period(months=1)),
        ("P2W", Period(weeks=2)),
        ("P1Y2M3DT4H5M6S", Period(1, 2, 0, 3, 4, 5, 6)),
        ("PT0.5S", Period(microseconds=500_000)),
        ("PT48H", Period(hours=48)),
        ("P0D", Period()),
    ],
)
def test_reads_durations(text: str, period: Period) -> None:
    assert parse_period(text) == period
    assert str(parse_period(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "P", "PT", "P1", "1M", "P1H", "PT1D", "P1W2D", "p1m", "P1.5M", "+P1M", "P1M ago", "P-1M", "P٣M"],
)
def test_refuses_what_is_no_duration(text: str) -> None:
    with pytest.raises(InvalidPeriodError):
        parse_period(text)


def test_negative_durations_only_where_before_makes_sense() -> None:
    with pytest.raises(NegativePeriodError, match="write P3D"):
        parse_period("-P3D")
    before = parse_period("-P3D", negative=True)
    assert add_period(date(2026, 3, 2), before) == date(2026, 2, 27)
    assert str(before) == "-P3D"


@pytest.mark.parametrize(
    ("start", "period", "end"),
    [
        (date(2026, 1, 31), "P1M", date(2026, 2, 28)),
        (date(2028, 1, 31), "P1M", date(2028, 2, 29)),
        (date(2026, 1, 30), "P1M", date(2026, 2, 28)),
        (date(2026, 2, 28), "P1M", date(2026, 3, 28)),
        (date(2028, 2, 29), "P1Y", date(2029, 2, 28)),
        (date(2026, 12, 31), "P2M", date(2027, 2, 28)),
        (date(2026, 1, 31), "P1M1D", date(2026, 3, 1)),
        (date(2026, 12, 24), "P2W", date(2027, 1, 7)),
    ],
)
def test_months_end_on_the_same_number_or_the_last_day(start: date, period: str, end: date) -> None:
    assert add_period(start, parse_period(period)) == end


def test_wall_clock_is_kept_over_summer_time_and_hours_are_real() -> None:
    # 29 March 2026, 02:00 -> 03:00: that day has 23 hours.
    noon = local("2026-03-28T12:00")
    assert add_period(noon, parse_period("P1D")).astimezone(BERLIN) == local("2026-03-29T12:00")
    assert add_period(noon, parse_period("P1D")) - noon == timedelta(hours=24)  # same zone: wall clock
    assert add_period(noon.astimezone(UTC), parse_period("P1D")) - noon.astimezone(UTC) == timedelta(hours=23)
    assert add_period(noon, parse_period("PT24H")).astimezone(BERLIN) == local("2026-03-29T13:00")
    # 25 October 2026, 03:00 -> 02:00: 25 hours.
    noon = local("2026-10-24T12:00").astimezone(UTC)
    assert add_period(noon, parse_period("P1D")) - noon == timedelta(hours=25)
    assert add_period(noon, parse_period("P1M")).astimezone(BERLIN).hour == 12


def test_a_time_in_the_gap_moves_on_and_a_doubled_time_is_the_first() -> None:
    assert parse_instant("2026-03-29T02:30") == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert parse_instant("2026-03-29T02:30").astimezone(BERLIN).hour == 3
    assert parse_instant("2026-10-25T02:30") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert parse_instant("2026-10-25T02:30+01:00") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    from_before = add_period(local("2026-03-28T02:30"), parse_period("P1D"))
    assert from_before.astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def test_the_second_of_a_doubled_time_stays_itself_when_no_day_passes() -> None:
    second = datetime(2026, 10, 25, 1, 30, tzinfo=UTC).astimezone(BERLIN)
    assert add_period(second, parse_period("PT0S")).astimezone(UTC) == second.astimezone(UTC)
    assert add_period(second, parse_period("P1D"), times=0).astimezone(UTC) == second.astimezone(UTC)


def test_an_instant_comes_back_in_the_zone_it_came_in() -> None:
    assert add_period(datetime(2026, 1, 1, tzinfo=UTC), parse_period("P1M")).tzinfo is UTC
    assert add_period(local("2026-01-01T00:00"), parse_period("P1M")).tzinfo is BERLIN


def test_dates_take_no_hours_and_naive_instants_are_refused() -> None:
    with pytest.raises(InvalidPeriodError, match="has hours"):
        add_period(date(2026, 1, 1), parse_period("PT5H"))
    with pytest.raises(InvalidPeriodError, match="no offset"):
        add_period(datetime(2026, 1, 1), parse_period("P1D"))  # noqa: DTZ001


def test_the_calendar_ends() -> None:
    for start in (date(9999, 12, 1), datetime(9999, 12, 1, tzinfo=UTC)):
        for period in ("P1M", "P999999999D", "P999999999Y"):
            with pytest.raises(OutOfCalendarError):
                add_period(start, parse_period(period))
    with pytest.raises(OutOfCalendarError):
        add_period(datetime(9999, 12, 1, tzinfo=UTC), parse_period("PT999999999H"))


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-23", "2026-11-22T23:00:00+00:00"),
        ("2026-07-01", "2026-06-30T22:00:00+00:00"),
        ("2026-11-23T10:00", "2026-11-23T09:00:00+00:00"),
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00+00:00"),
        ("2026-11-23T10:00:00.25+02:00", "2026-11-23T08:00:00.250000+00:00"),
    ],
)
def test_reads_instants_in_the_zone(text: str, instant: str) -> None:
    assert parse_instant(text).isoformat() == instant


@pytest.mark.parametrize(
    "text", ["", "2026-02-30", "23.11.2026", "2026-11-23 10:00", "2026-11-23T25:00", "now"]
)
def test_refuses_what_is_no_instant(text: str) -> None:
    with pytest.raises(InvalidInstantError):
        parse_instant(text)


def test_refuses_unknown_zones_and_what_is_no_date() -> None:
    with pytest.raises(InvalidInstantError, match="no IANA time zone"):
        parse_instant("2026-11-23", "Saarland/Merzig")
    with pytest.raises(InvalidInstantError, match="YYYY-MM-DD"):
        parse_date("23.11.2026")
    with pytest.raises(InvalidInstantError, match="of the calendar"):
        parse_date("2026-02-29")


def test_the_end_of_a_day_is_its_24_oclock_in_the_zone() -> None:
    assert end_of_day(date(2026, 3, 29)).isoformat() == "2026-03-29T22:00:00+00:00"
    assert end_of_day(date(2026, 10, 25)).isoformat() == "2026-10-25T23:00:00+00:00"


def test_cycles_repeat_from_the_start_without_drift() -> None:
    entered = local("2026-01-31T10:00").astimezone(UTC)
    cycle = parse_cycle("R3/P1M")
    found = [cycle.nth(entered, n) for n in (1, 2, 3)]
    assert [moment.astimezone(BERLIN).isoformat() for moment in found if moment] == [
        "2026-02-28T10:00:00+01:00",
        "2026-03-31T10:00:00+02:00",
        "2026-04-30T10:00:00+02:00",
    ]
    assert cycle.nth(entered, 4) is None


def test_a_cycle_with_its_own_start_begins_there() -> None:
    cycle = parse_cycle("R3/2026-01-31T10:00:00+01:00/P1M")
    any_time = datetime(2030, 1, 1, tzinfo=UTC)
    assert cycle.nth(any_time, 1) == datetime(2026, 1, 31, 9, tzinfo=UTC)
    assert cycle.nth(any_time, 2) == datetime(2026, 2, 28, 9, tzinfo=UTC)
    assert cycle.nth(any_time, 3) == datetime(2026, 3, 31, 8, tzinfo=UTC)
    assert cycle.nth(any_time, 4) is None
    assert str(cycle) == "R3/2026-01-31T09:00:00Z/P1M"


def test_a_cycle_without_end_goes_on() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert parse_cycle("R/PT10M").nth(start, 1000) == start + timedelta(minutes=10_000)
    with pytest.raises(InvalidCycleError, match="numbered from 1"):
        parse_cycle("R/PT10M").nth(start, 0)


@pytest.mark.parametrize(
    "text", ["", "P1M", "R", "R0/P1M", "R3/P0D", "R-1/P1M", "R3/P1M/2026-01-01", "R3/x/P1M/y", "0 0 * * *"]
)
def test_refuses_what_is_no_cycle(text: str) -> None:
    with pytest.raises(InvalidCycleError):
        parse_cycle(text)


def test_a_negative_or_misspelt_cycle_names_its_part() -> None:
    with pytest.raises(NegativePeriodError):
        parse_cycle("R3/-P1D")
    with pytest.raises(InvalidInstantError):
        parse_cycle("R3/tomorrow/P1D")


units = st.builds(
    Period,
    years=st.integers(0, 20),
    months=st.integers(0, 40),
    days=st.integers(0, 800),
    hours=st.integers(0, 100),
    minutes=st.integers(0, 100),
    seconds=st.integers(0, 100),
    microseconds=st.integers(0, 999_999),
)
instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(units)
def test_text_and_period_are_inverse(period: Period) -> None:
    assert parse_period(str(period)) == period


@given(instants, st.integers(1, 48), st.integers(1, 30))
def test_repetitions_keep_the_day_or_take_the_months_last(start: datetime, months: int, times: int) -> None:
    end = add_period(start, Period(months=months), times=times).astimezone(BERLIN)
    begun = start.astimezone(BERLIN)
    following = (end.date() + timedelta(days=1)).day
    assert end.day == begun.day or (end.day < begun.day and following == 1)
    assert (end.year - begun.year) * 12 + end.month - begun.month == months * times


@given(instants, instants, st.integers(0, 40), st.integers(0, 800))
def test_later_starts_end_no_earlier(one: datetime, other: datetime, months: int, days: int) -> None:
    first, second = sorted((one, other))
    period = Period(months=months, days=days)
    # A doubled hour in autumn is folded to its first half, so two starts within it may swap by an hour.
    assert add_period(first, period) <= add_period(second, period) + timedelta(hours=1)
    assert add_period(first.date(), period) <= add_period(second.date(), period)


@given(instants, st.sampled_from(["P1M", "P7D", "PT5H", "P1DT1H"]), st.none() | st.integers(1, 40), instants)
def test_until_counts_the_occurrences_that_have_passed(
    start: datetime, every: str, times: int | None, instant: datetime
) -> None:
    cycle = parse_cycle(f"R{'' if times is None else times}/{every}")
    count = cycle.until(start, instant)
    passed = cycle.nth(start, count) if count else None
    later = cycle.nth(start, count + 1)
    assert passed is None or passed <= instant
    assert later is None or later > instant
    assert times is None or count <= times


def test_until_bears_cycles_that_reach_the_end_of_the_calendar() -> None:
    start = datetime(2026, 3, 2, tzinfo=UTC)
    assert parse_cycle("R/P4000Y").until(start, datetime(9999, 1, 1, tzinfo=UTC)) == 1
    assert parse_cycle("R/PT1S").until(start, datetime(9999, 1, 1, tzinfo=UTC)) > 10**11


def test_a_typed_hour_that_no_clock_shows_or_two_clocks_show_is_asked_for() -> None:
    skipped = datetime.fromisoformat("2027-03-28T02:30")
    doubled = datetime.fromisoformat("2026-10-25T02:30")
    with pytest.raises(InvalidInstantError, match="does not exist") as gap:
        typed_instant(skipped)
    assert gap.value.hint == "write 2027-03-28T01:30+01:00 or 2027-03-28T03:30+02:00"
    with pytest.raises(InvalidInstantError, match="exists twice") as twice:
        typed_instant(doubled)
    assert twice.value.hint == "write 2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00"
    for offset, hour in ((2, 0), (1, 1)):
        meant = doubled.replace(tzinfo=timezone(timedelta(hours=offset)))
        assert typed_instant(meant) == datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    with pytest.raises(OutOfCalendarError):
        typed_instant(datetime.fromisoformat("0001-01-01"))


@given(instants)
def test_what_is_shown_of_an_instant_may_be_typed(instant: datetime) -> None:
    minute = instant.replace(second=0, microsecond=0)
    assert typed_instant(datetime.strptime(local_text(minute), "%Y-%m-%dT%H:%M%z")) == minute
    local = minute.astimezone(BERLIN).replace(tzinfo=None)
    try:
        assert typed_instant(local) == minute
    except InvalidInstantError:
        shifted = {(minute + timedelta(hours=by)).astimezone(BERLIN).replace(tzinfo=None) for by in (-1, 1)}
        assert local in shifted
