"""ISO 8601 durations and cycles, by the calendar of a zone."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

_UNITS = ("years", "months", "weeks", "days", "hours", "minutes", "seconds")
_NUMBER = r"\d+(?:[.,]\d+)?"
_PERIOD = re.compile(
    rf"(?P<sign>[+-]?)P(?P<rest>(?:(?P<years>{_NUMBER})Y)?(?:(?P<months>{_NUMBER})M)?(?:(?P<weeks>{_NUMBER})W)?"
    rf"(?:(?P<days>{_NUMBER})D)?(?:T(?:(?P<hours>{_NUMBER})H)?(?:(?P<minutes>{_NUMBER})M)?"
    rf"(?:(?P<seconds>{_NUMBER})S)?)?)"
)


class PeriodError(ValueError):
    """The text is no ISO 8601 duration or cycle."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeating interval: ``count`` occurrences (None: without end), ``period`` apart."""

    count: int | None
    start: str | None
    period: str


def add_period(instant: datetime, period: str, zone: str, *, times: int = 1) -> datetime:
    """Return the UTC instant ``times`` periods after ``instant``.

    Years, months, weeks and days are counted on the calendar of ``zone`` (31 January + P1M is the end of
    February; a day keeps its time of day over a change of summer time), hours and less in real time.
    """
    months, days, seconds = parse_period(period)
    months, days, exact = months * times, days * times, timedelta(seconds=float(seconds * times))
    if not months and not days:
        return instant.astimezone(UTC) + exact
    local = instant.astimezone(ZoneInfo(zone))
    shifted = _add_months(local.replace(tzinfo=None), months) + timedelta(days=days)
    return shifted.replace(tzinfo=local.tzinfo, fold=local.fold).astimezone(UTC) + exact


def parse_period(text: str) -> tuple[int, int, Decimal]:
    """Return months, days and seconds of an ISO 8601 duration; raise PeriodError.

    isodate folds 48 hours into two days, which differ at a change of summer time; so the parts are read here.
    """
    found = _PERIOD.fullmatch(text.strip())
    if found is None or found["rest"] in ("", "T") or found["rest"].endswith("T"):
        raise PeriodError(f"{text!r} is no ISO 8601 duration")
    part = {
        name: Decimal((value or "0").replace(",", "."))
        for name, value in found.groupdict().items()
        if name in _UNITS
    }
    months = part["years"] * 12 + part["months"]
    days = part["weeks"] * 7 + part["days"]
    if months % 1 or days % 1:
        raise PeriodError(f"{text!r} has a fraction of a month or day")
    seconds = part["hours"] * 3600 + part["minutes"] * 60 + part["seconds"]
    sign = -1 if found["sign"] == "-" else 1
    return sign * int(months), sign * int(days), sign * seconds


def _add_months(moment: datetime, months: int) -> datetime:
    if not months:
        return moment
    index = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=min(moment.day, last))


def parse_cycle(text: str) -> Cycle:
    """Return the parts of ``R3/PT10M``, ``R/2026-01-01T00:00:00Z/P1D`` or a duration (once)."""
    parts = text.strip().split("/")
    count: int | None = 1
    if parts[0].upper().startswith("R"):
        digits = parts.pop(0)[1:]
        if digits and not digits.isdigit():
            raise PeriodError(f"{text!r} does not say how often")
        count = int(digits) if digits else None
    if len(parts) == 2 and not parts[0].upper().startswith(("P", "-P", "+P")):
        return Cycle(count, parts[0], parts[1])
    if len(parts) != 1:
        raise PeriodError(f"{text!r} is no repeating interval with a duration")
    return Cycle(count, None, parts[0])
