"""ISO 8601 durations, instants and cycles, by the calendar of a zone.

How a duration is added (``add_period``), in this order:

1. *Years and months* go to the same-numbered day; where the month is shorter, to its last day
   (31 January + P1M is 28 or 29 February).
2. *Weeks and days* follow, on the calendar. The time of day is kept over a change of summer time: 10:00
   stays 10:00 although the day has 23 or 25 hours.
3. *Hours, minutes and seconds* follow in real time: PT24H over a change of summer time lands an hour off.

The n-th repetition is computed from the start, never from the repetition before it, so R12/P1M from
31 January gives 28 February and then 31 March.

A time of day that does not exist (the clock jumps from 02:00 to 03:00) is read with the offset that was in
force before the jump: 02:30 becomes 03:30. A time of day that exists twice (the clock goes back from 03:00
to 02:00) is the first of the two. Write an offset where the other is meant. What a person types for one
instant is not read but refused there (``typed_instant``): somebody is there to be asked.
"""

import calendar
import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache, partial
from typing import overload
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from engine.deadlines.errors import (
    InvalidCycleError,
    InvalidInstantError,
    InvalidPeriodError,
    NegativePeriodError,
    OutOfCalendarError,
)

ZONE = "Europe/Berlin"
"""The zone in which dates are meant where nothing else is said."""

_LONGEST = 200
_END = datetime.max.replace(tzinfo=UTC)
_PERIOD = re.compile(
    r"(?P<sign>[+-]?)P(?!$)(?:(?P<weeks>\d{1,9})W"
    r"|(?:(?P<years>\d{1,9})Y)?(?:(?P<months>\d{1,9})M)?(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=\d)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?"
    r"(?:(?P<seconds>\d{1,9})(?:[.,](?P<fraction>\d{1,6}))?S)?)?)",
    re.ASCII,
)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)
_REPEAT = re.compile(r"R(\d{0,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """A length of time in calendar units; ``microseconds`` hold the fraction of a second.

    Units are kept as written: 24 hours are not a day, 7 days are a week only in sum. ``negative`` periods
    (for "before") exist only where the reader asked for them.
    """

    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0
    microseconds: int = 0
    negative: bool = False

    @property
    def total_months(self) -> int:
        """Years and months in months, signed."""
        return self._signed(self.years * 12 + self.months)

    @property
    def total_days(self) -> int:
        """Weeks and days in days, signed; years and months are not in it."""
        return self._signed(self.weeks * 7 + self.days)

    @property
    def time(self) -> timedelta:
        """Hours and less as real time, signed."""
        length = timedelta(
            hours=self.hours, minutes=self.minutes, seconds=self.seconds, microseconds=self.microseconds
        )
        return -length if self.negative else length

    @property
    def has_time(self) -> bool:
        """Tell whether hours, minutes or seconds are part of it."""
        return bool(self.hours or self.minutes or self.seconds or self.microseconds)

    @property
    def is_zero(self) -> bool:
        """Tell whether it has no length."""
        return not (self.total_months or self.total_days or self.has_time)

    def _signed(self, value: int) -> int:
        return -value if self.negative else value

    def __str__(self) -> str:
        """Return the ISO 8601 text."""
        days = _units((self.years, "Y"), (self.months, "M"), (self.days, "D"))
        if self.weeks:
            days = f"{self.weeks}W" if not days and not self.has_time else f"{days}{self.weeks * 7}D"
        clock = _units((self.hours, "H"), (self.minutes, "M"))
        if self.microseconds:
            clock += f"{self.seconds}.{self.microseconds:06d}".rstrip("0") + "S"
        elif self.seconds:
            clock += f"{self.seconds}S"
        body = days + (f"T{clock}" if clock else "")
        return f"{'-' if self.negative else ''}P{body or '0D'}"


def _units(*parts: tuple[int, str]) -> str:
    return "".join(f"{number}{letter}" for number, letter in parts if number)


def parse_period(text: str, *, negative: bool = False) -> Period:
    """Return the duration that ``text`` stands for (``P1M``, ``P2W``, ``P1DT12H``, ``PT0.5S``).

    Fractions are for seconds only, weeks stand alone, letters are capitals. ``-P3D`` is read only with
    ``negative=True`` (where "before" makes sense).

    Raises:
        InvalidPeriodError: the text is none of this.
        NegativePeriodError: it is negative and must not be.
    """
    stripped = text.strip()
    found = _PERIOD.fullmatch(stripped) if len(stripped) <= _LONGEST else None
    if found is None or found["sign"] == "+":
        raise InvalidPeriodError(
            f'"{text[:60]}" is no ISO 8601 duration', hint="write for example P14D, P2W, P1M, P1Y or PT48H"
        )
    if found["sign"] and not negative:
        raise NegativePeriodError(f'the duration "{stripped}" is negative', hint=f"write {stripped[1:]}")
    whole = {name: int(found[name] or 0) for name in _WHOLE}
    return Period(
        **whole, microseconds=int((found["fraction"] or "0").ljust(6, "0")), negative=bool(found["sign"])
    )


_WHOLE = ("years", "months", "weeks", "days", "hours", "minutes", "seconds")


@overload
def add_period(start: datetime, period: Period, zone: str = ZONE, times: int = 1) -> datetime: ...
@overload
def add_period(start: date, period: Period, zone: str = ZONE, times: int = 1) -> date: ...
def add_period(start: date, period: Period, zone: str = ZONE, times: int = 1) -> date:
    """Return ``start`` plus ``times`` periods, counted as the module's docstring says.

    An aware instant gives an instant in the tzinfo it came with (UTC in, UTC out), its calendar parts
    counted in ``zone``; a date gives a date. ``times`` may be 0 or negative (then it is "before").

    Raises:
        InvalidPeriodError: hours on a date, or an instant without offset.
        OutOfCalendarError: the result lies beyond the year 9999.
    """
    if not isinstance(start, datetime):
        if period.has_time:
            raise InvalidPeriodError(
                f"{period} has hours, so it cannot be added to the date {start}", hint="give a time of day"
            )
        return _move(datetime.combine(start, time()), period, times).date()
    if start.tzinfo is None:
        raise InvalidPeriodError(f"the instant {start.isoformat()} has no offset", hint="use parse_instant")
    if (period.total_months == 0 and period.total_days == 0) or times == 0:
        return _exact(start.astimezone(UTC), period, times).astimezone(start.tzinfo)
    local = start.astimezone(zone_of(zone))
    moved = _move(local.replace(tzinfo=None), period, times).replace(tzinfo=local.tzinfo, fold=0)
    return _exact(moved.astimezone(UTC), period, times).astimezone(start.tzinfo)


def _move(moment: datetime, period: Period, times: int) -> datetime:
    """Return a naive moment moved by the calendar parts."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + period.total_months * times, 12)
    if not 1 <= year <= 9999:
        raise OutOfCalendarError(f"{moment.date()} and {times} times {period} is beyond the calendar")
    last = calendar.monthrange(year, month + 1)[1]
    try:
        days = timedelta(days=period.total_days * times)
        return moment.replace(year=year, month=month + 1, day=min(moment.day, last)) + days
    except OverflowError:
        raise OutOfCalendarError(
            f"{moment.date()} and {times} times {period} is beyond the calendar"
        ) from None


def _exact(instant: datetime, period: Period, times: int) -> datetime:
    try:
        return instant + period.time * times
    except OverflowError:
        raise OutOfCalendarError(
            f"{instant.isoformat()} and {times} times {period} is beyond the calendar"
        ) from None


@lru_cache(maxsize=16)
def zone_of(name: str) -> tzinfo:
    """Return the IANA zone; raise InvalidInstantError for a name that is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInstantError(
            f'"{name}" is no IANA time zone', hint="for example Europe/Berlin"
        ) from None


def parse_date(text: str) -> date:
    """Return the calendar date of ``YYYY-MM-DD``; raise InvalidInstantError for anything else."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text.strip(), re.ASCII):
            return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidInstantError(f'"{text[:60]}" is no date of the calendar') from None
    raise InvalidInstantError(f'"{text[:60]}" is no date', hint="write YYYY-MM-DD, for example 2026-11-23")


def parse_instant(text: str, zone: str = ZONE) -> datetime:
    """Return the UTC instant of ``2026-11-23``, ``2026-11-23T10:00`` or ``2026-11-23T10:00:00+01:00``.

    A date alone is the start of that day in ``zone``; a time without offset is local time there. Times that
    do not exist or exist twice are read as the module's docstring says.

    Raises:
        InvalidInstantError: the text is no date and no date-time of the calendar, or the zone is unknown.
    """
    moment = _moment(text)
    try:
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone_of(zone))).astimezone(UTC)
    except OverflowError:
        raise OutOfCalendarError(f'"{text.strip()}" lies outside the calendar') from None


def _moment(text: str) -> datetime:
    stripped = text.strip()
    if _INSTANT.fullmatch(stripped) is None:
        raise InvalidInstantError(
            f'"{text[:60]}" is no date and no date-time',
            hint="write 2026-11-23 or 2026-11-23T10:00 or 2026-11-23T10:00:00+01:00",
        )
    try:
        return datetime.fromisoformat(stripped.replace(",", "."))
    except ValueError:
        raise InvalidInstantError(f'"{stripped}" is no date of the calendar') from None


def typed_instant(typed: str | datetime, zone: str = ZONE) -> datetime:
    """Return the UTC instant that a person typed, as ``parse_instant`` reads it, but nothing is assumed.

    Raises:
        InvalidInstantError: the text is no instant, or without an offset, and no clock in ``zone`` shows that
            time, or two an hour apart do.
        OutOfCalendarError: it lies outside the calendar.
    """
    moment = _moment(typed) if isinstance(typed, str) else typed
    try:
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        local = moment.replace(tzinfo=zone_of(zone), fold=0)
        first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    except OverflowError:
        raise OutOfCalendarError(f'"{moment}" lies outside the calendar') from None
    if first == second:
        return first
    early, late = (local_text(each, zone) for each in sorted((first, second)))
    said = (
        "does not exist: the clocks are put forward over it"
        if first > second
        else "exists twice: the clocks are put back, and an offset must say which is meant"
    )
    raise InvalidInstantError(f"{moment:%Y-%m-%dT%H:%M} {said} ({zone})", hint=f"write {early} or {late}")


def local_text(instant: datetime, zone: str = ZONE) -> str:
    """Return an instant as one may type it: local time with its offset, e.g. ``2026-11-23T10:00+01:00``."""
    return instant.astimezone(zone_of(zone)).isoformat(timespec="minutes")


def start_of_day(day: date, zone: str = ZONE) -> datetime:
    """Return the UTC instant at which ``day`` begins in ``zone``."""
    return datetime.combine(day, time(), zone_of(zone)).astimezone(UTC)


def end_of_day(day: date, zone: str = ZONE) -> datetime:
    """Return the UTC instant of 24:00 of ``day`` in ``zone``: the first instant that is no longer in it."""
    if day == date.max:
        raise OutOfCalendarError(f"the day after {day} lies outside the calendar")
    return start_of_day(day + timedelta(days=1), zone)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repeating interval: ``count`` occurrences (None: without end), ``period`` apart."""

    count: int | None
    start: datetime | None
    """The first occurrence, UTC, where the cycle names one."""
    period: Period
    zone: str = ZONE

    def nth(self, start: datetime, n: int) -> datetime | None:
        """Return the n-th occurrence (the first is 1) as a UTC instant; None after the last.

        A cycle with its own start (``R3/2026-01-31T10:00:00+01:00/P1M``) occurs first at that start, and
        ``start`` is not looked at. A cycle without (``R3/P1M``) occurs first one period after ``start``, the
        aware instant at which it was entered. Each occurrence is computed from the start: no drift.

        Raises:
            InvalidCycleError: ``n`` is below 1.
            OutOfCalendarError: the occurrence lies beyond the year 9999.
        """
        if n < 1:
            raise InvalidCycleError(f"the occurrences of a cycle are numbered from 1, not {n}")
        if self.count is not None and n > self.count:
            return None
        origin, times = (start, n) if self.start is None else (self.start, n - 1)
        return add_period(origin, self.period, self.zone, times).astimezone(UTC)

    def until(self, start: datetime, instant: datetime) -> int:
        """Return how many occurrences lie at or before ``instant``; found by halving, however many there are.

        What would lie beyond the calendar counts as never.
        """
        return bisect_right(
            range(1, self._more_than(start, instant)), instant, key=partial(self._or_end, start)
        )

    def _more_than(self, start: datetime, instant: datetime) -> int:
        """Return a number whose occurrence is later than ``instant``."""
        number = 1
        while self._or_end(start, number) <= instant:
            number *= 2
        return number

    def _or_end(self, start: datetime, n: int) -> datetime:
        try:
            return self.nth(start, n) or _END
        except OutOfCalendarError:
            return _END

    def __str__(self) -> str:
        """Return the ISO 8601 text, the start in UTC."""
        count = "" if self.count is None else str(self.count)
        begin = "" if self.start is None else self.start.isoformat().replace("+00:00", "Z") + "/"
        return f"R{count}/{begin}{self.period}"


def parse_cycle(text: str, zone: str = ZONE) -> Cycle:
    """Return the cycle of ``R3/P1M``, ``R/PT10M`` or ``R3/2026-01-31T10:00:00+01:00/P1M``.

    ``R3`` means three occurrences, ``R`` means without end. Cycles with an end date are not read.

    Raises:
        InvalidCycleError, InvalidPeriodError, InvalidInstantError: what is wrong and how to write it.
    """
    parts = text.strip().split("/")
    repeat = _REPEAT.fullmatch(parts[0])
    if repeat is None or len(parts) not in (2, 3) or len(text) > _LONGEST:
        raise InvalidCycleError(
            f'"{text[:60]}" is no repeating interval', hint="write R3/PT10M, or R/PT10M without end"
        )
    if not parts[-1].startswith(("P", "-P", "+P")):
        raise InvalidCycleError(
            f'"{text[:60]}" does not end with a duration', hint="cycles with an end date are not supported"
        )
    count = int(repeat[1]) if repeat[1] else None
    if count == 0:
        raise InvalidCycleError(f'"{text}" never fires', hint="write R1 for one time, R for without end")
    period = parse_period(parts[-1])
    if period.is_zero:
        raise InvalidCycleError(f'"{text}" repeats without any time between')
    start = parse_instant(parts[1], zone) if len(parts) == 3 else None
    return Cycle(count, start, period, zone)
