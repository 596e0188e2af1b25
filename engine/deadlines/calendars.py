"""Working days, by the holidays of the place where a party acts (§ 193 BGB) and its own closing days.

Two questions are kept apart. A *legal* deadline moves only from Saturdays, Sundays and statutory holidays
(``rest_day``); an office that is shut on 24 December does not move it. What an office does by its own choice
(reminders, ``workdays(n)``) also skips its closing days (``free_day``).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Protocol

from engine.deadlines.errors import OutOfCalendarError, UnknownRegionError
from engine.deadlines.iso import ZONE
from engine.deadlines.text import Text

SATURDAY = 5
SUNDAY = 6
REGION = "SL"
"""The Saarland: the region of authorities that nothing else is known of."""

_REGION_OF_LAND: Mapping[str, str] = MappingProxyType(
    {
        "01": "SH",
        "02": "HH",
        "03": "NI",
        "04": "HB",
        "05": "NW",
        "06": "HE",
        "07": "RP",
        "08": "BW",
        "09": "BY",
        "10": "SL",
        "11": "BE",
        "12": "BB",
        "13": "MV",
        "14": "SN",
        "15": "ST",
        "16": "TH",
    }
)
_LOCAL_HOLIDAYS = frozenset({"BY", "SN", "TH"})
"""Regions in which some holidays hold in some municipalities only."""


class Calendar(Protocol):
    """The days of one party."""

    @property
    def name(self) -> Text:
        """Whose days these are, for explanations."""
        ...

    @property
    def zone(self) -> str:
        """The IANA zone in which its days begin and end."""
        ...

    @property
    def remark(self) -> Text | None:
        """What this calendar cannot know; None where it is complete."""
        ...

    def rest_day(self, day: date) -> Text | None:
        """Return why the law does not let a deadline end on ``day``; None for a working day."""
        ...

    def holiday(self, day: date) -> Text | None:
        """Return the statutory holiday's name; None for any other day, Sundays included."""
        ...

    def free_day(self, day: date) -> Text | None:
        """Return why the office does not work on ``day``; None where it does."""
        ...


class CalendarSource(Protocol):
    """Gives each party its calendar."""

    def for_authority(self, authority_id: str) -> Calendar:
        """Return the calendar of the authority; unknown ones get the default region's."""
        ...


@dataclass(frozen=True)
class RegionalCalendar:
    """The statutory holidays of a German Land, and closing days of the office.

    ``closing`` maps own closing days to their name (§ 31 VwVfG knows none: they never move a deadline).
    """

    region: str = REGION
    closing: Mapping[date, str] = field(default_factory=dict)
    zone: str = ZONE

    def __post_init__(self) -> None:
        regions = set(_REGION_OF_LAND.values())
        if self.region not in regions:
            raise UnknownRegionError(
                f'"{self.region}" is no German Land', hint="one of " + ", ".join(sorted(regions))
            )

    @property
    def name(self) -> Text:
        """Whose days these are."""
        return Text(f"gesetzliche Feiertage DE-{self.region}", f"statutory holidays of DE-{self.region}")

    @property
    def remark(self) -> Text | None:
        """Tell of holidays that hold in some municipalities only."""
        if self.region not in _LOCAL_HOLIDAYS:
            return None
        return Text(
            f"In DE-{self.region} gelten einzelne Feiertage nur in bestimmten Gemeinden; hier zählen nur die "
            "landesweiten.",
            f"In DE-{self.region} some holidays hold in some municipalities only; here only those of the "
            "whole Land are taken.",
        )

    def rest_day(self, day: date) -> Text | None:
        """Return Saturday, Sunday or the holiday's name; None for a working day."""
        holiday = self.holiday(day)
        if holiday is not None:
            return holiday
        if day.weekday() == SATURDAY:
            return Text("Sonnabend", "Saturday")
        if day.weekday() == SUNDAY:
            return Text("Sonntag", "Sunday")
        return None

    def holiday(self, day: date) -> Text | None:
        """Return the statutory holiday's name; raise OutOfCalendarError for years without known holidays."""
        german = _holidays(self.region, day.year).get(day)
        if german is None:
            return None
        return Text(f"Feiertag: {german[0]}", f"holiday: {german[1]}")

    def free_day(self, day: date) -> Text | None:
        """Return rest days and the office's closing days."""
        reason = self.rest_day(day)
        if reason is None and day in self.closing:
            return Text(f"Schließtag: {self.closing[day]}", f"office closed: {self.closing[day]}")
        return reason


@lru_cache(maxsize=512)
def _holidays(region: str, year: int) -> Mapping[date, tuple[str, str]]:
    """Return the public holidays of a Land and year with their German and English names."""
    from holidays.countries.germany import Germany

    if not Germany.start_year <= year <= Germany.end_year:
        raise OutOfCalendarError(
            f"the holidays of {year} are not known",
            hint=f"deadlines are computed from {Germany.start_year} to {Germany.end_year}",
        )
    german = Germany(subdiv=region, years=year, language="de")
    english = Germany(subdiv=region, years=year, language="en_US")
    return MappingProxyType({day: (name, english[day]) for day, name in german.items()})


def region_of(authority_id: str) -> str | None:
    """Return the Land of an AGS or a district key (first two digits); None for other ids."""
    return (
        _REGION_OF_LAND.get(authority_id[:2]) if authority_id.isdigit() and len(authority_id) >= 2 else None
    )


@dataclass(frozen=True)
class RegionalCalendars:
    """Calendars by authority: the Land of its AGS, what ``regions`` says otherwise, else the default.

    ``closing`` gives the closing days of each authority, by id.
    """

    regions: Mapping[str, str] = field(default_factory=dict)
    closing: Mapping[str, Mapping[date, str]] = field(default_factory=dict)
    default: str = REGION
    zone: str = ZONE

    def for_authority(self, authority_id: str) -> RegionalCalendar:
        """Return the authority's calendar."""
        region = self.regions.get(authority_id) or region_of(authority_id) or self.default
        return RegionalCalendar(region, self.closing.get(authority_id, {}), self.zone)


def days_after(day: date) -> Iterator[date]:
    """Yield the days after ``day``, in order."""
    while True:
        try:
            day += timedelta(days=1)
        except OverflowError:
            raise OutOfCalendarError(f"the day after {day} lies outside the calendar") from None
        yield day


def next_working_day(day: date, why_free: Callable[[date], Text | None]) -> date:
    """Return ``day``, or the first later one that ``why_free`` has nothing against."""
    if why_free(day) is None:
        return day
    return next(later for later in days_after(day) if why_free(later) is None)
