"""Timers: literals as modelers write them, expressions, and what is refused."""

import pytest

from engine.expressions import EvaluationError, ExpressionError, compile_timer


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("timeDuration", "PT1H"),
        ("timeDuration", " P14D "),
        ("timeDuration", "P1Y2M3DT4H5M6.5S"),
        ("timeDuration", "P2W"),
        ("timeDuration", "PT0.1S"),
        ("timeDate", "2026-11-23T10:00:00+01:00"),
        ("timeDate", "2026-11-23T10:00:00Z"),
        ("timeDate", "2036-11-14T11:12:22"),
        ("timeDate", "2026-11-23"),
        ("timeCycle", "R3/PT10M"),
        ("timeCycle", "R/P1D"),
        ("timeCycle", "R2/2021-07-01T19:22:00Z/P1D"),
    ],
)
def test_literals(kind, text):
    timer = compile_timer(text, kind)
    assert timer.constant == timer.evaluate({}) == text.strip()
    assert timer.dialect == "literal"
    assert timer.names == frozenset()


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        ("timeCycle", "0 0 9 * * ?", "cron"),
        ("timeCycle", "0 0/1 * * * ?", "cron"),
        ("timeCycle", "0 9 * * MON", "cron"),
        ("timeDuration", "-PT5M", "negative"),
        ("timeDuration", "P1X", "no timeDuration"),
        ("timeDuration", "PT", "no timeDuration"),
        ("timeDuration", "P", "no timeDuration"),
        ("timeDuration", "P1DT", "no timeDuration"),
        ("timeDuration", "5", "no timeDuration"),
        ("timeDuration", "5 min", "no timeDuration"),
        ("timeDuration", "2026-11-23", "is a timeDate"),
        ("timeDate", "PT1H", "is a timeDuration"),
        ("timeDate", "2026-02-30", "calendar"),
        ("timeDate", "2026-11-23T25:00:00", "calendar"),
        ("timeDate", "23.11.2026", "no timeDate"),
        ("timeCycle", "PT10M", "is a timeDuration"),
        ("timeCycle", "R0/PT10M", "never fires"),
        ("timeCycle", "R/PT0S", "above zero"),
        ("timeCycle", "R3/PT10M/2026-11-23T10:00:00Z", "end date"),
        ("timeCycle", "R-1/PT10M", "no timeCycle"),
        ("timeDuration", '"PTxH"', "no timeDuration"),
        ("timeDuration", "1 + 1", "must be text"),
        ("timeDuration", "", "empty"),
        ("timeDuration", "a b", "unexpected"),
        ("timeDate", "${service.when()}", "methods"),
    ],
)
def test_refused(kind, text, message):
    with pytest.raises(ExpressionError, match=message):
        compile_timer(text, kind)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("timeDuration", '"PT" + str(n) + "H"', "PT2H"),
        ("timeDuration", "PT${n}H", "PT2H"),
        ("timeDuration", '=duration("PT1H") * n', "PT2H"),
        ("timeDate", '=date(day) + duration("P14D")', "2026-12-07"),
        ("timeDate", "day", "2026-11-23"),
        ("timeDuration", '"PT1H"', "PT1H"),
        ("timeCycle", "#{cycle}", "R3/PT10M"),
    ],
)
def test_expressions(kind, text, value):
    assert compile_timer(text, kind).evaluate({"n": 2, "day": "2026-11-23", "cycle": "R3/PT10M"}) == value


@pytest.mark.parametrize("value", [5, None, "PT", "-PT1H", "soon", True, []])
def test_values_that_are_no_timer(value):
    with pytest.raises(EvaluationError):
        compile_timer("wait", "timeDuration").evaluate({"wait": value})
