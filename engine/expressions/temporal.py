"""FEEL's dates, times and durations: reading, writing, calculating.

They are Python's own types (date, datetime, time, timedelta) and ``Months``, so years run from 1 to 9999 and
fractions of a second have six digits; further digits are dropped.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo

from engine.expressions import numbers
from engine.expressions.errors import EvaluationError, UnsupportedError
from engine.expressions.numbers import Number
from engine.expressions.values import Months, Value, kind

_DATE = r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})"
_OFFSET = r"(?P<sign>[+-])(?P<zh>\d{2}):(?P<zm>\d{2})(?::(?P<zs>\d{2}))?"
_ZONE = rf"(?P<utc>Z)|{_OFFSET}|@(?P<zone>[A-Za-z0-9_+/-]{{1,60}})"
_CLOCK = r"(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})(?:\.(?P<fraction>\d{1,30}))?"
_TIME = rf"{_CLOCK}(?:{_ZONE})?"
DATE = re.compile(_DATE, re.ASCII)
TIME = re.compile(_TIME, re.ASCII)
DATE_TIME = re.compile(rf"{_DATE}(?:T{_TIME})?", re.ASCII)
_MONTHS = re.compile(r"(-?)P(?=\d)(?:(\d{1,9})Y)?(?:(\d{1,9})M)?", re.ASCII)
_DAYS = re.compile(
    r"(-?)P(?=\d|T)(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})(?:\.(\d{1,30}))?S)?)?",
    re.ASCII,
)
_FAR = re.compile(r"-\d{4,9}-\d{2}-\d{2}|[1-9]\d{4,8}-\d{2}-\d{2}|0000-\d{2}-\d{2}", re.ASCII)
_MICRO = timedelta(microseconds=1)
LONGEST_OFFSET = timedelta(hours=18)


def parse_date(text: str) -> date:
    """Return the date that ``text`` writes as 2026-11-23; raise EvaluationError."""
    match = DATE.fullmatch(text)
    if match is None:
        _far(text)
        raise EvaluationError(f'"{text[:40]}" is no date', hint="write 2026-11-23")
    return make_date(int(match["year"]), int(match["month"]), int(match["day"]))


def _far(text: str) -> None:
    """Refuse dates that the specification has and we have not, instead of calling them no dates."""
    if _FAR.match(text):
        raise UnsupportedError("dates are supported in the years 1 to 9999")


def make_date(year: int, month: int, day: int) -> date:
    """Return the date; raise EvaluationError where the calendar has none."""
    try:
        return date(year, month, day)
    except (ValueError, OverflowError) as error:
        raise EvaluationError(f"no date {year}-{month}-{day}") from error


def parse_time(text: str) -> time:
    """Return the time that ``text`` writes as 10:00:00, with Z, offset or @zone; raise EvaluationError."""
    match = TIME.fullmatch(text)
    if match is None:
        raise EvaluationError(f'"{text[:40]}" is no time', hint="write 10:00:00 or 10:00:00+01:00")
    return _time(match)


def parse_date_time(text: str) -> datetime:
    """Return the date and time that ``text`` writes as 2026-11-23T10:00:00; raise EvaluationError."""
    match = DATE_TIME.fullmatch(text)
    if match is None:
        _far(text)
        raise EvaluationError(f'"{text[:40]}" is no date and time', hint="write 2026-11-23T10:00:00+01:00")
    day = make_date(int(match["year"]), int(match["month"]), int(match["day"]))
    if (match["hour"], match["minute"], match["second"]) == ("24", "00", "00") and not match["fraction"]:
        next_day: datetime = shift(datetime.combine(day, time()), timedelta(days=1))
        return next_day.replace(tzinfo=_zone(match))
    return datetime.combine(day, _time(match) if match["hour"] else time())


def _time(match: re.Match[str]) -> time:
    micro = int((match["fraction"] or "")[:6].ljust(6, "0"))
    try:
        return time(
            int(match["hour"]), int(match["minute"]), int(match["second"]), micro, tzinfo=_zone(match)
        )
    except ValueError as error:
        raise EvaluationError(f'"{match.group()}" is no time of a day') from error


def _zone(match: re.Match[str]) -> tzinfo | None:
    if match["utc"]:
        return UTC
    if match["sign"]:
        if int(match["zm"]) > 59 or int(match["zs"] or 0) > 59:
            raise EvaluationError("an offset has at most 59 minutes")
        offset = timedelta(hours=int(match["zh"]), minutes=int(match["zm"]), seconds=int(match["zs"] or 0))
        return offset_zone(-offset if match["sign"] == "-" else offset)
    return zone(match["zone"]) if match["zone"] else None


def offset_zone(offset: timedelta) -> timezone:
    """Return the zone with a fixed offset; raise EvaluationError beyond 18 hours."""
    if abs(offset) > LONGEST_OFFSET:
        raise EvaluationError("an offset from UTC has at most 18 hours")
    return UTC if not offset else timezone(offset)


def zone(name: str) -> tzinfo:
    """Return the IANA zone called ``name``; raise EvaluationError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise EvaluationError(f'no time zone "{name}"') from error


def parse_duration(text: str) -> Months | timedelta:
    """Return the duration that ``text`` writes as P1Y2M or P3DT4H; raise EvaluationError for a mixture."""
    match = _MONTHS.fullmatch(text)
    if match is not None:
        months = int(match[2] or 0) * 12 + int(match[3] or 0)
        return Months(-months if match[1] else months)
    match = _DAYS.fullmatch(text)
    if match is None or not any(match.groups()[1:]):
        raise EvaluationError(f'"{text[:40]}" is no duration', hint="write P1Y6M or P3DT4H")
    sign, days, hours, minutes, seconds, fraction = match.groups()
    micro = int((fraction or "")[:6].ljust(6, "0"))
    try:
        span = timedelta(
            days=int(days or 0),
            hours=int(hours or 0),
            minutes=int(minutes or 0),
            seconds=int(seconds or 0),
            microseconds=micro,
        )
        return -span if sign else span
    except OverflowError as error:
        raise EvaluationError(f'the duration "{text}" is too long') from error


def parse_any(text: str) -> Value:
    """Return what ``@"text"`` stands for: a date, time, date and time or duration; raise EvaluationError."""
    if text.startswith(("P", "-P")):
        return parse_duration(text)
    if DATE.fullmatch(text):
        return parse_date(text)
    return parse_time(text) if ":" in text[:3] else parse_date_time(text)


def show(value: Value) -> str:
    """Return the ISO 8601 text; a named zone is written as its offset at that time."""
    if isinstance(value, datetime):
        return _clock(value.isoformat(), None) if value.utcoffset() is not None else value.isoformat()
    return text(value)


def text(value: Value) -> str:
    """Return FEEL's own text, which keeps a zone's name: 10:00:00@Europe/Berlin."""
    if isinstance(value, datetime | time):
        return _clock(value.isoformat(), value.tzinfo)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Months):
        return _months_text(value.months)
    if isinstance(value, timedelta):
        return _span_text(value)
    raise EvaluationError(f"a {kind(value)} is no date, time or duration")


def _clock(iso: str, where: tzinfo | None) -> str:
    if isinstance(where, ZoneInfo):
        bare = re.sub(r"(?<=\d{2}:\d{2}:\d{2})(\.\d+)?[+-]\d{2}:.*$", r"\1", iso)
        return f"{_trim(bare)}@{where.key}"
    return re.sub(r"\+00:00$", "Z", _trim(iso))


def _trim(iso: str) -> str:
    """Drop a fraction's trailing zeros."""
    return re.sub(r"(\.\d*?)0+(?=\D|$)", lambda found: "" if found[1] == "." else found[1], iso)


def _months_text(months: int) -> str:
    years, rest = divmod(abs(months), 12)
    body = (f"{years}Y" if years else "") + (f"{rest}M" if rest else "")
    return f"{'-' if months < 0 else ''}P{body or '0M'}"


def _span_text(span: timedelta) -> str:
    micros = abs(span) // _MICRO
    seconds, micro = divmod(micros, 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    tail = f"{seconds}.{micro:06d}".rstrip("0") if micro else str(seconds)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    clock += f"{tail}S" if seconds or micro else ""
    body = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return f"{'-' if span < timedelta() else ''}P{body or 'T0S'}"


def seconds_of(span: timedelta) -> Number:
    """Return a span's exact length in seconds."""
    return numbers.whole(numbers.divide(span // _MICRO, 1_000_000))


def span_of(seconds: Number) -> timedelta:
    """Return the span of so many seconds, to the microsecond; raise EvaluationError beyond Python's range."""
    try:
        micros = int(numbers.truncate(numbers.multiply(seconds, 1_000_000)))
        return timedelta(microseconds=micros)
    except OverflowError as error:
        raise EvaluationError("the duration is too long") from error


def add_months(day: date, months: int) -> date:
    """Return the day so many months on; the month's last day where it is shorter. Keeps a datetime's time."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    if not 1 <= year <= 9999:
        raise EvaluationError("the date leaves the years 1 to 9999")
    return day.replace(year=year, month=month, day=min(day.day, days_in_month(year, month)))


def days_in_month(year: int, month: int) -> int:
    """Return how many days the month has."""
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def shift(moment: Value, span: timedelta) -> Value:
    """Return a date, date and time or time moved by ``span``; times go round the clock."""
    try:
        if isinstance(moment, time):
            moved = datetime.combine(date(2000, 1, 2), moment.replace(tzinfo=None)) + (
                span % timedelta(days=1)
            )
            return moved.time().replace(tzinfo=moment.tzinfo)
        if isinstance(moment, datetime):
            if moment.tzinfo is None:
                return moment + span
            return (moment.astimezone(UTC) + span).astimezone(moment.tzinfo)
        return (datetime.combine(moment, time()) + span).date()
    except OverflowError as error:
        raise EvaluationError("the date leaves the years 1 to 9999") from error


def distance(left: Value, right: Value) -> timedelta:
    """Return ``left - right`` of two dates, dates and times, or times; raise EvaluationError where unlike."""
    if isinstance(left, time) and isinstance(right, time):
        a, b = (datetime.combine(date(2000, 1, 2), moment) for moment in (left, right))
    else:
        a, b = _moment(left), _moment(right)
    if (a.utcoffset() is None) != (b.utcoffset() is None):
        raise EvaluationError("one has an offset from UTC and the other none")
    return a.astimezone(UTC) - b.astimezone(UTC) if a.utcoffset() is not None else a - b


def _moment(value: Value) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, date):
        raise EvaluationError(f"a {kind(value)} is no date")
    return datetime.combine(value, time(), tzinfo=UTC)


def scale(span: Value, factor: Number) -> Value:
    """Return a duration times a number; months are cut to whole ones."""
    if isinstance(span, Months):
        return Months(int(numbers.truncate(numbers.multiply(span.months, factor))))
    return span_of(numbers.multiply(seconds_of(span), factor))


def months_between(start: date, end: date) -> Months:
    """Return the whole months from ``start`` to ``end``."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months > 0 and end.day < start.day:
        months -= 1
    elif months < 0 and end.day > start.day:
        months += 1
    return Months(months)


def same_time(left: time, right: time) -> bool:
    """Tell whether two times are the same moment of the day: a zone's name is part of a time."""
    if isinstance(left.tzinfo, ZoneInfo) or isinstance(right.tzinfo, ZoneInfo):
        return left.tzinfo == right.tzinfo and left.replace(tzinfo=None) == right.replace(tzinfo=None)
    return left == right


def fraction(value: time) -> Decimal:
    """Return a time's seconds with their fraction."""
    return Decimal(value.second) + Decimal(value.microsecond).scaleb(-6)
