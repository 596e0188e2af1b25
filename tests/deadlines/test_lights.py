"""The traffic light follows the office's working days."""

from dataclasses import replace
from datetime import UTC, date, datetime

from engine.deadlines import domain
from engine.deadlines.calendars import RegionalCalendar
from engine.deadlines.domain import State
from engine.deadlines.iso import end_of_day, parse_period
from engine.deadlines.lights import Light, light
from engine.deadlines.rules_reading import load_rules

SAARLAND = RegionalCalendar("SL")
UNARMED = domain.open_deadline(
    "d-1", load_rules().get("baugb-36-2"), datetime(2026, 4, 1, tzinfo=UTC), parse_period("P14D")
)
END = date(2026, 6, 9)  # a Tuesday; Thursday before is Fronleichnam
ARMED = replace(UNARMED, state=State.ARMED, end=END, due=end_of_day(END))


def at(day: int) -> datetime:
    return datetime(2026, 6, day, 10, tzinfo=UTC)


def test_grey_green_yellow_red() -> None:
    assert light(UNARMED, at(9), SAARLAND) is Light.GREY
    assert light(ARMED, at(2), SAARLAND) is Light.GREEN
    assert light(ARMED, at(3), SAARLAND) is Light.YELLOW  # Friday, Monday, Tuesday are left
    assert light(ARMED, at(9), SAARLAND) is Light.YELLOW
    assert light(ARMED, at(10), SAARLAND) is Light.RED
    assert light(replace(ARMED, state=State.FIRED), at(10), SAARLAND) is Light.RED
    assert light(replace(ARMED, state=State.MET), at(10), SAARLAND) is Light.DONE
