"""Holidays of each party's place, and closing days that never move a legal deadline."""

import csv
from datetime import date
from pathlib import Path

import pytest

from engine.deadlines.calendars import RegionalCalendar, RegionalCalendars, next_working_day, region_of
from engine.deadlines.computing import Request, explain
from engine.deadlines.errors import OutOfCalendarError, UnknownRegionError
from engine.deadlines.functions import nth_workday
from engine.deadlines.rules_reading import load_rules

OFFICIAL = Path(__file__).parents[2] / ".." / "shared" / "domain" / "saarland_feiertage_2025_2031.csv"
# § 2 SFG names twelve holidays; the movable ones of 2026 worked out from Easter Sunday, 5 April.
SAARLAND_2026 = {
    date(2026, 1, 1),
    date(2026, 4, 3),
    date(2026, 4, 6),
    date(2026, 5, 1),
    date(2026, 5, 14),
    date(2026, 5, 25),
    date(2026, 6, 4),
    date(2026, 8, 15),
    date(2026, 10, 3),
    date(2026, 11, 1),
    date(2026, 12, 25),
    date(2026, 12, 26),
}


def holidays_of(calendar: RegionalCalendar, year: int) -> set[date]:
    first = date(year, 1, 1).toordinal()
    every = (date.fromordinal(first + offset) for offset in range(366))
    return {day for day in every if day.year == year and calendar.holiday(day) is not None}


def test_the_saarlands_twelve_holidays() -> None:
    assert holidays_of(RegionalCalendar("SL"), 2026) == SAARLAND_2026


@pytest.mark.skipif(not OFFICIAL.exists(), reason="the list of holidays is not part of the repository")
def test_the_saarlands_holidays_are_those_of_the_list_computed_from_the_act() -> None:
    with OFFICIAL.open(encoding="utf-8") as file:
        listed = {date.fromisoformat(row["datum"]) for row in csv.DictReader(file)}
    years = sorted({day.year for day in listed})
    assert len(years) == 7
    assert {day for year in years for day in holidays_of(RegionalCalendar("SL"), year)} == listed


def test_each_authority_has_the_calendar_of_its_land() -> None:
    source = RegionalCalendars(
        regions={"partner": "RP"}, closing={"10041100": {date(2026, 2, 16): "Rosenmontag"}}
    )
    assert source.for_authority("10041100").region == "SL"
    assert source.for_authority("07211000").region == "RP"
    assert source.for_authority("11000000").region == "BE"
    assert source.for_authority("partner").region == "RP"
    assert source.for_authority("somebody").region == "SL"
    assert region_of("99") is None
    assert source.for_authority("10041100").free_day(date(2026, 2, 16)) is not None
    assert source.for_authority("10042111").free_day(date(2026, 2, 16)) is None


def test_a_closing_day_stops_the_office_but_moves_no_deadline() -> None:
    shut = RegionalCalendar("SL", {date(2026, 12, 24): "Heiligabend", date(2026, 12, 31): "Silvester"})
    assert nth_workday(date(2026, 12, 23), 1, shut) == date(2026, 12, 28)
    request = Request("baugb-36-2", date(2026, 10, 24))
    assert explain(load_rules(), request, shut).end == date(2026, 12, 24)
    assert "Heiligabend" in str(shut.free_day(date(2026, 12, 24)))


def test_regions_with_local_holidays_say_so() -> None:
    remark = RegionalCalendar("BY").remark
    assert remark is not None
    assert "bestimmten Gemeinden" in remark.de
    assert RegionalCalendar("SL").remark is None
    found = explain(load_rules(), Request("baugb-36-2", date(2026, 3, 2)), RegionalCalendar("BY"))
    assert remark in [flag.text for flag in found.flags]


def test_unknown_regions_and_years_are_refused() -> None:
    with pytest.raises(UnknownRegionError, match="no German Land"):
        RegionalCalendar("XX")
    with pytest.raises(OutOfCalendarError, match="1990"):
        RegionalCalendar("SL").rest_day(date(1990, 1, 2))
    with pytest.raises(OutOfCalendarError, match="2101"):
        RegionalCalendar("SL").rest_day(date(2101, 1, 2))


def test_the_next_working_day() -> None:
    saarland = RegionalCalendar("SL")
    assert next_working_day(date(2026, 4, 3), saarland.rest_day) == date(2026, 4, 7)
    assert next_working_day(date(2026, 4, 7), saarland.rest_day) == date(2026, 4, 7)
