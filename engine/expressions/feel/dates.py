"""FEEL's built-in functions for dates, times and durations."""

from datetime import UTC, date, datetime, time

from engine.expressions import numbers, temporal
from engine.expressions.errors import EvaluationError, UnsupportedError
from engine.expressions.feel.registry import Registry
from engine.expressions.feel.rules import equal
from engine.expressions.numbers import Number
from engine.expressions.rules import Env
from engine.expressions.values import Months, Value

REGISTRY = Registry()
builtin = REGISTRY.add
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _int(value: Number) -> int:
    whole = numbers.whole(value)
    if type(whole) is not int:
        raise EvaluationError("a whole number is needed")
    return whole


def _year(value: Number) -> int:
    year = _int(value)
    if (year < 1 or year > 9999) and abs(year) <= 999_999_999:
        raise UnsupportedError("dates are supported in the years 1 to 9999")
    return year


@builtin("date", "from: string", "from: day", "year: number, month: number, day: number")
def _date(env: Env, first: Value, month: Value = None, day: Value = None) -> Value:
    if type(first) is str:
        return temporal.parse_date(first)
    if type(first) is datetime:
        return first.date()
    if type(first) is date:
        return first
    return temporal.make_date(_year(first), _int(month), _int(day))


_NUMBERS = "year: number, month: number, day: number, hour: number, minute: number, second: number"


@builtin(
    "date and time",
    "from: string",
    "date: day, time: time",
    "date: date and time, timezone: string",
    "from: day",
    f"{_NUMBERS}, offset: days duration~?",
    f"{_NUMBERS}, timezone: string",
)
def _date_and_time(env: Env, first: Value, *rest: Value) -> Value:
    if type(first) is str:
        return temporal.parse_date_time(first)
    if isinstance(first, date):
        return _combined(first, *rest)
    year, month, day = _year(first), _int(rest[0]), _int(rest[1])
    clock = _clock(rest[2], rest[3], rest[4], rest[5] if len(rest) > 5 else None)
    return datetime.combine(temporal.make_date(year, month, day), clock)


def _combined(day: date, other: Value = None) -> datetime:
    if isinstance(day, datetime) and other is None:
        return day
    if type(other) is str and isinstance(day, datetime):
        if day.tzinfo is None:
            return day.replace(tzinfo=temporal.zone(other))
        return day.astimezone(temporal.zone(other))
    plain = day.date() if isinstance(day, datetime) else day
    return datetime.combine(plain, time() if other is None else other)


@builtin(
    "time",
    "from: string",
    "from: moment",
    "hour: number, minute: number, second: number, offset: days duration~?",
)
def _time(env: Env, first: Value, minute: Value = None, second: Value = None, offset: Value = None) -> Value:
    if type(first) is str:
        return temporal.parse_time(first)
    if type(first) is datetime:
        return first.timetz()
    if type(first) is time:
        return first
    if type(first) is date:
        return time(tzinfo=UTC)
    return _clock(first, minute, second, offset)


def _clock(hour: Number, minute: Number, second: Number, where: Value) -> time:
    zone = None
    if type(where) is str:
        zone = temporal.zone(where)
    elif where is not None:
        zone = temporal.offset_zone(where)
    micros = int(numbers.truncate(numbers.multiply(second, 1_000_000)))
    try:
        return time(_int(hour), _int(minute), micros // 1_000_000, micros % 1_000_000, tzinfo=zone)
    except (ValueError, OverflowError) as error:
        raise EvaluationError("no time of a day") from error


@builtin("duration", "from: string", "from: duration")
def _duration(env: Env, value: Value) -> Value:
    return temporal.parse_duration(value) if type(value) is str else value


@builtin("years and months duration", "from: day, to: day")
def _years_and_months(env: Env, start: date, end: date) -> Months:
    return temporal.months_between(start, end)


@builtin("day of year", "date: day")
def _day_of_year(env: Env, day: date) -> Value:
    return day.timetuple().tm_yday


@builtin("day of week", "date: day")
def _day_of_week(env: Env, day: date) -> Value:
    return _DAYS[day.weekday()]


@builtin("month of year", "date: day")
def _month_of_year(env: Env, day: date) -> Value:
    return _MONTHS[day.month - 1]


@builtin("week of year", "date: day")
def _week_of_year(env: Env, day: date) -> Value:
    return day.isocalendar().week


@builtin("last day of month", "date: day")
def _last_day_of_month(env: Env, day: date) -> Value:
    plain = date(day.year, day.month, day.day)
    return plain.replace(day=temporal.days_in_month(day.year, day.month))


@builtin("is", "value1: any, value2: any")
def _is(env: Env, first: Value, second: Value) -> Value:
    if type(first) is not type(second):
        return type(first) in numbers.NUMERIC and type(second) in numbers.NUMERIC and bool(first == second)
    if isinstance(first, datetime | time):
        return first.tzinfo == second.tzinfo and first.replace(tzinfo=None) == second.replace(tzinfo=None)
    return equal(first, second) is True
