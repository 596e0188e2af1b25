"""What expressions of a model may call, through the evaluator itself."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from engine.deadlines.calendars import RegionalCalendar
from engine.deadlines.errors import UnsuitablePeriodError
from engine.deadlines.explanation import Explanation
from engine.deadlines.facts import Fact, Plan, derive
from engine.deadlines.functions import NAMES, model_functions, nth_workday
from engine.deadlines.iso import Period
from engine.deadlines.rules_reading import load_rules
from engine.expressions.api import compile_expression
from engine.expressions.errors import EvaluationError
from engine.expressions.timers import compile_timer

SAARLAND = RegionalCalendar("SL", {date(2026, 12, 24): "Heiligabend"})
FUNCTIONS = model_functions(SAARLAND, datetime(2026, 6, 2, 22, 30, tzinfo=UTC))  # 3 June, 00:30 local


def value(text: str, **data: Any) -> Any:
    return compile_expression(text, None, functions=NAMES).evaluate(data, FUNCTIONS)


def test_a_deadline_is_the_instant_after_its_last_day() -> None:
    assert value('deadline("baugb-36-2", "", "2026-04-04")') == "2026-06-05T22:00:00Z"
    assert value('deadline_date("baugb-36-2", "", "2026-04-04")') == "2026-06-05"
    assert (
        value('deadline_date("vwvfg-31", frist, eingang)', frist="P1M", eingang="2026-12-01") == "2027-01-04"
    )


def test_a_start_left_out_is_today_in_the_zone() -> None:
    assert value('deadline_date("vwvfg-31", "P2W")') == "2026-06-17"
    assert value('deadline_date("vwvfg-31", "P2W", "2026-06-02T22:30:00Z")') == "2026-06-17"


def test_working_days_skip_holidays_and_closing_days() -> None:
    assert value("workdays_date(1)") == "2026-06-05"  # 4 June is Fronleichnam
    assert value("workdays(3)") == "2026-06-09T22:00:00Z"
    assert value("workdays_date(0)") == "2026-06-03"
    assert value('workdays_date(1, "2026-12-23")') == "2026-12-28"


def test_python_values_of_other_dialects_are_understood() -> None:
    deadline = FUNCTIONS["deadline_date"]
    assert deadline("vwvfg-31", timedelta(days=14), date(2026, 5, 20)) == "2026-06-03"
    assert deadline("vwvfg-31", "P2W", datetime(2026, 5, 20, 9)) == "2026-06-03"  # noqa: DTZ001
    assert FUNCTIONS["today"]() == date(2026, 6, 3)
    assert FUNCTIONS["now"]().isoformat() == "2026-06-03T00:30:00+02:00"


def test_a_start_may_hang_on_the_facts_of_an_exchange() -> None:
    asked: list[tuple[object, ...]] = []
    facts: list[Fact] = []

    def from_facts(rule: str, period: Period | None, basis: str, element: str | None) -> Explanation | None:
        asked.append((rule, period, basis, element))
        return derive(load_rules(), Plan(rule, period), facts, SAARLAND).explanation

    functions = model_functions(SAARLAND, datetime(2026, 4, 1, tzinfo=UTC), from_facts=from_facts)
    expression = compile_expression('deadline("baugb-36-2", "", "arrival:Send_1")', None, functions=NAMES)
    assert expression.evaluate({}, functions) is None
    assert asked == [("baugb-36-2", None, "arrival", "Send_1")]
    facts.append(Fact("received", datetime(2026, 4, 4, 9, tzinfo=UTC), "slip"))
    assert expression.evaluate({}, functions) == "2026-06-05T22:00:00Z"
    with pytest.raises(EvaluationError, match="no exchange's facts"):
        value('deadline("baugb-36-2", "", "arrival")')


def test_a_timer_takes_a_deadline_as_its_date() -> None:
    timer = compile_timer('deadline("baugb-36-2", "", eingang)', "timeDate", functions=NAMES)
    assert timer.evaluate({"eingang": "2026-04-04"}, FUNCTIONS) == "2026-06-05T22:00:00Z"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('deadline("baugb-36")', "no deadline rule"),
        ('deadline("vwvfg-31")', "period has to be named"),
        ('deadline("vwvfg-31", "1 month")', "no ISO 8601"),
        ('deadline("vwvfg-31", "P1M", "4.4.2026")', "no date"),
        ("deadline(5)", "its id"),
        ('deadline("vwvfg-31", 5)', "no period"),
        ('deadline("vwvfg-31", "P1M", 5)', "no date"),
        ("deadline()", "takes 1 to 3"),
        ("workdays(1.5)", "no whole number"),
        ("workdays(-1)", "-1 working days"),
        ("workdays(99999)", "99999 working days"),
        ('workdays("3")', "no whole number"),
    ],
)
def test_what_is_wrong_is_an_evaluation_error(text: str, says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        value(text)


def test_working_days_without_end_are_refused() -> None:
    with pytest.raises(UnsuitablePeriodError):
        nth_workday(date(2026, 1, 1), 10**9, SAARLAND)
