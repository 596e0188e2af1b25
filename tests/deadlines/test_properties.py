"""What holds for every start: ends are working days where they must be, later starts end no earlier."""

from datetime import date, timedelta
from itertools import pairwise

from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.deadlines.calendars import RegionalCalendar
from engine.deadlines.computing import Request, explain
from engine.deadlines.counting import DayKind, end_of_period, workday_groups
from engine.deadlines.explanation import Explanation
from engine.deadlines.functions import nth_workday
from engine.deadlines.iso import Period, end_of_day
from engine.deadlines.rules import How
from engine.deadlines.rules_reading import load_rules

RULES = load_rules()
SAARLAND = RegionalCalendar("SL")
DAY = timedelta(days=1)
days = st.dates(date(1995, 1, 1), date(2080, 12, 31))
lengths = st.one_of(
    st.builds(Period, months=st.integers(1, 30)),
    st.builds(Period, weeks=st.integers(1, 60)),
    st.builds(Period, days=st.integers(1, 400)),
    st.builds(Period, years=st.integers(1, 5)),
    st.builds(Period, months=st.integers(1, 5), days=st.integers(1, 30)),
)
DAILY = [
    rule.id
    for rule in RULES.rules.values()
    if rule.how is not How.HOURS and all(version.valid_from is None for version in rule.versions[:1])
]
SHIFTING = [
    rule.id
    for rule in RULES.rules.values()
    if rule.weekend == "shift" and rule.how is not How.NEXT_MONTH_WORKDAY and rule.id in DAILY
]


def computed(rule: str, start: date, period: Period | None = None) -> Explanation:
    named = RULES.get(rule)
    needs = named.how in (How.PERIOD, How.PROMPTLY) and not named.versions[0].cases
    return explain(RULES, Request(rule, start, period if needs else None), SAARLAND)


@given(st.sampled_from(SHIFTING), days, lengths)
def test_an_end_that_must_be_a_working_day_is_one(rule: str, start: date, period: Period) -> None:
    found = computed(rule, start, period)
    assert SAARLAND.rest_day(found.end) is None
    assert found.end_instant == end_of_day(found.end)


@given(st.sampled_from(DAILY), days, lengths)
def test_an_end_moves_over_rest_days_only_and_no_further_than_needed(
    rule: str, start: date, period: Period
) -> None:
    for stage in computed(rule, start, period).stages:
        for moved in stage.moved:
            assert all(SAARLAND.rest_day(moved.first + DAY * step) is not None for step in range(moved.days))
        if stage.moved:
            assert stage.end == stage.moved[-1].last + DAY


@given(st.sampled_from(DAILY), days, st.integers(1, 400), lengths)
def test_later_starts_end_no_earlier(rule: str, start: date, gap: int, period: Period) -> None:
    first, second = computed(rule, start, period), computed(rule, start + DAY * gap, period)
    assert first.end <= second.end


@given(st.sampled_from(["vwvfg-41-2", "ao-122", "ozg-9", "vwzg-4"]), days, st.integers(1, 400), lengths)
def test_later_postings_end_no_earlier(rule: str, posted: date, gap: int, period: Period) -> None:
    first, second = (
        explain(RULES, Request(rule, start, period), SAARLAND) for start in (posted, posted + DAY * gap)
    )
    assert first.end <= second.end
    assert first.notification is not None
    assert second.notification is not None
    assert posted < first.notification <= second.notification


@given(st.sampled_from(["vwvfg-31", "bgb-187-2", "vwvfg-31-4", "ao-108"]), days, lengths)
def test_the_explained_days_follow_each_other_and_add_up(rule: str, start: date, period: Period) -> None:
    stage = computed(rule, start, period).stages[0]
    counts = RULES.get(rule).counts == "day"
    groups = [group for group in stage.groups if group.kind is not DayKind.MOVED]
    nominal = end_of_period(start, period, start_counts=counts)
    assert groups[0].first == start
    assert all(left.last + DAY == right.first for left, right in pairwise(groups))
    assert groups[-1].last == nominal
    assert stage.counted_days == (nominal - start).days + (1 if counts else 0)
    if stage.moved:
        assert stage.moved[0].first == nominal
    else:
        assert stage.end == nominal


@given(days, st.integers(0, 30), st.integers(0, 3), st.integers(0, 60))
def test_another_library_counts_the_same(start: date, months: int, weeks: int, more: int) -> None:
    if not (months or weeks or more):
        return
    period = Period(months=months, weeks=weeks, days=more)
    end = start + relativedelta(months=months, weeks=weeks, days=more)
    while SAARLAND.rest_day(end) is not None:
        end += DAY
    assert explain(RULES, Request("vwvfg-31", start, period), SAARLAND).end == end


@given(days, st.integers(1, 120))
def test_months_end_on_the_events_number_or_the_months_last_day(start: date, months: int) -> None:
    end = end_of_period(start, Period(months=months), start_counts=False)
    assert (end.year - start.year) * 12 + end.month - start.month == months
    assert end.day == start.day or (end.day < start.day and (end + DAY).day == 1)


@given(days, st.integers(1, 120))
def test_a_counted_start_ends_the_day_before_its_number_or_on_the_last_day(start: date, months: int) -> None:
    end = end_of_period(start, Period(months=months), start_counts=True)
    follows = end + DAY
    assert follows.day in (start.day, 1)
    by_event = end_of_period(start, Period(months=months), start_counts=False)
    assert end in (by_event, by_event - DAY)


@given(days, st.integers(1, 60))
def test_weeks_are_seven_days_and_keep_the_weekday(start: date, weeks: int) -> None:
    end = end_of_period(start, Period(weeks=weeks), start_counts=False)
    assert end == end_of_period(start, Period(days=7 * weeks), start_counts=False)
    assert end.weekday() == start.weekday()


@given(days, st.integers(1, 60))
def test_working_days_counted_are_as_many_as_asked(start: date, count: int) -> None:
    end, groups = workday_groups(start, count, SAARLAND.rest_day, "")
    assert sum(group.days for group in groups if group.kind is DayKind.COUNTED) == count
    assert sum(group.days for group in groups) == (end - start).days + 1
    assert nth_workday(start, count, SAARLAND) == end
    assert SAARLAND.rest_day(end) is None


@given(days, st.integers(1, 30), st.integers(0, 30))
def test_working_days_add(start: date, first: int, second: int) -> None:
    middle = nth_workday(start, first, SAARLAND)
    assert nth_workday(middle, second, SAARLAND) == nth_workday(start, first + second, SAARLAND)


@settings(max_examples=40)
@given(st.sampled_from(DAILY), days)
def test_every_explanation_can_be_shown_in_both_languages(rule: str, start: date) -> None:
    found = computed(rule, start, Period(months=1))
    assert found.as_json()["end"] == found.end.isoformat()
    for language in ("de", "en"):
        assert rule in found.text(language)  # type: ignore[arg-type]
