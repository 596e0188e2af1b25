"""The meaning of FEEL's operators: three-valued logic, and null for what does not fit together."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from engine.expressions import numbers, temporal
from engine.expressions.errors import EvaluationError, FirmError
from engine.expressions.limits import check_text
from engine.expressions.nodes import Op
from engine.expressions.numbers import NUMERIC
from engine.expressions.rules import Builtin
from engine.expressions.values import Months, Range, Value, as_text, intake, kind
from engine.expressions.values import equal as equal_json

DURATIONS = (timedelta, Months)
ORDERED = frozenset({str, date, time, datetime, timedelta, Months})


def lenient(function: Callable[..., Value]) -> Callable[..., Value]:
    """Return ``function`` with null for what it refuses; firm errors stay."""

    def call(*arguments: Value) -> Value:
        try:
            return function(*arguments)
        except FirmError:
            raise
        except EvaluationError:
            return None

    return call


def equal(left: Value, right: Value) -> bool | None:
    """Return whether two values are equal; null where their kinds differ (nothing but null equals null)."""
    if left is None or right is None:
        return left is right
    if type(left) is str and type(right) is str:
        return bool(left == right)
    if type(left) in NUMERIC and type(right) in NUMERIC:
        return bool(left == right)
    if type(left) is not type(right):
        return None
    if type(left) is time:
        return temporal.same_time(left, right)
    return equal_json(left, right)


def less(left: Value, right: Value) -> bool | None:
    """Return whether ``left`` comes before ``right``; null where they cannot be compared."""
    if type(left) in NUMERIC and type(right) in NUMERIC:
        return bool(left < right)
    if type(left) is not type(right) or type(left) not in ORDERED:
        return None
    if type(left) in (datetime, time) and (left.utcoffset() is None) != (right.utcoffset() is None):
        return None
    return bool(left < right)


def at_most(left: Value, right: Value) -> bool | None:
    """Return whether ``left`` is ``right`` or comes before it; null where they cannot be compared."""
    before = less(left, right)
    return before if before is None or before else equal(left, right)


def contains(span: Range, value: Value) -> bool | None:
    """Return whether ``value`` lies in the range; null where it cannot be compared."""
    open_low, open_high = (span.comparison and end is None for end in (span.low, span.high))
    low = True if open_low else (at_most if span.low_closed else less)(span.low, value)
    high = True if open_high else (at_most if span.high_closed else less)(value, span.high)
    if low is None or high is None:
        return None
    return low and high


def within(value: Value, test: Value) -> bool | None:
    """Return whether ``value`` is in ``test``: a range that holds it, a list that has it, or its equal."""
    if type(test) is Range:
        return contains(test, value)
    if type(test) is list and type(value) is not list:
        return any(within(value, intake(item)) is True for item in test)
    if type(test) is list:
        return equal(value, test) or any(within(value, intake(item)) is True for item in test)
    return equal(value, test)


def _add(left: Value, right: Value) -> Value:
    if type(left) in NUMERIC and type(right) in NUMERIC:
        return numbers.add(left, right)
    if type(left) is str and type(right) is str:
        return check_text(left + right)
    if isinstance(left, DURATIONS) and not isinstance(right, DURATIONS):
        left, right = right, left
    return _move(left, right, 1)


def _subtract(left: Value, right: Value) -> Value:
    if type(left) in NUMERIC and type(right) in NUMERIC:
        return numbers.subtract(left, right)
    if isinstance(right, DURATIONS):
        return _move(left, right, -1)
    return temporal.distance(left, right)


def _move(left: Value, span: Value, sign: int) -> Value:
    """Return a duration or a moment plus or minus a duration."""
    if type(left) is Months and type(span) is Months:
        return Months(left.months + sign * span.months)
    if type(span) is Months and isinstance(left, date):
        return temporal.add_months(left, sign * span.months)
    if type(span) is timedelta:
        try:
            if type(left) is timedelta:
                return left + sign * span
            if isinstance(left, date | time):
                return temporal.shift(left, sign * span)
        except OverflowError as error:
            raise EvaluationError("the duration is too long") from error
    raise EvaluationError(f'"{"+" if sign > 0 else "-"}" between {kind(left)} and {kind(span)}')


def _multiply(left: Value, right: Value) -> Value:
    if type(left) in NUMERIC and type(right) in NUMERIC:
        return numbers.multiply(left, right)
    if type(left) in NUMERIC and isinstance(right, DURATIONS):
        left, right = right, left
    if isinstance(left, DURATIONS) and type(right) in NUMERIC:
        return temporal.scale(left, right)
    raise EvaluationError(f'"*" between {kind(left)} and {kind(right)}')


def _divide(left: Value, right: Value) -> Value:
    if type(left) in NUMERIC and type(right) in NUMERIC:
        return numbers.divide(left, right)
    if type(left) is Months and type(right) is Months:
        return numbers.whole(numbers.divide(left.months, right.months))
    if type(left) is timedelta and type(right) is timedelta:
        return numbers.whole(numbers.divide(temporal.seconds_of(left), temporal.seconds_of(right)))
    if isinstance(left, DURATIONS) and type(right) in NUMERIC:
        if isinstance(left, Months):
            return Months(int(numbers.truncate(numbers.divide(left.months, right))))
        return temporal.span_of(numbers.divide(temporal.seconds_of(left), right))
    raise EvaluationError(f'"/" between {kind(left)} and {kind(right)}')


def _power(left: Value, right: Value) -> Value:
    if type(left) in NUMERIC and type(right) in NUMERIC:
        return numbers.power(left, right)
    raise EvaluationError(f'"**" between {kind(left)} and {kind(right)}')


def _opposite(judge: Callable[[Value, Value], bool | None]) -> Callable[[Value, Value], bool | None]:
    def compare(left: Value, right: Value) -> bool | None:
        answer = judge(left, right)
        return None if answer is None else not answer

    return compare


class FeelRules:
    """DMN's meaning of FEEL."""

    dialect = "feel"
    builtins: Mapping[str, Builtin]
    operators: Mapping[Op, Callable[[Value, Value], Value]] = {
        Op.ADD: lenient(_add),
        Op.SUBTRACT: lenient(_subtract),
        Op.MULTIPLY: lenient(_multiply),
        Op.DIVIDE: lenient(_divide),
        Op.POWER: lenient(_power),
        Op.EQUAL: equal,
        Op.NOT_EQUAL: _opposite(equal),
        Op.LESS: less,
        Op.LESS_EQUAL: at_most,
        Op.GREATER: lambda left, right: less(right, left),
        Op.GREATER_EQUAL: lambda left, right: at_most(right, left),
    }

    def __init__(self, builtins: Mapping[str, Builtin]) -> None:
        """Speak with these built-in functions."""
        self.builtins = builtins

    def missing(self, name: str) -> Value:
        """Return null for an unknown variable."""
        return None

    def member(self, target: Value, name: str) -> Value:
        """Return an entry, the entries of a list's contexts, or a property of a date, duration or range."""
        if type(target) is dict:
            return intake(target.get(name))
        if type(target) is list:
            return [self.member(intake(item), name) for item in target]
        return property_of(target, name)

    def index(self, target: Value, index: Value) -> Value:
        """Return the element at a position that counts from 1, or from the end where negative."""
        items = as_list(target)
        position = numbers.whole(index)
        if type(position) is not int or position == 0 or not -len(items) <= position <= len(items):
            return None
        return intake(items[position - 1 if position > 0 else position])

    def negate(self, value: Value, plus: bool) -> Value:
        """Return the number or duration with the other sign."""
        if type(value) in NUMERIC:
            return numbers.negate(value)
        if type(value) is timedelta:
            return -value
        return Months(-value.months) if type(value) is Months else None

    def truth(self, value: Value) -> bool | None:
        """Return a truth value; anything else is unknown."""
        return value if value is True or value is False else None

    def empty(self, value: Value) -> bool:
        """Tell whether ``value`` is null or has no elements."""
        return value is None or (type(value) in (str, list, dict) and not value)

    def text(self, value: Value) -> str:
        """Return ``value`` as a piece of text."""
        return as_text(value)


def as_list(value: Value) -> list[Value]:
    """Return a list as it is, null as the empty list, anything else as a list of one."""
    if type(value) is list:
        return value
    return [] if value is None else [value]


def property_of(value: Value, name: str) -> Value:
    """Return a documented property of a date, time, duration or range; null for any other name."""
    table = _PROPERTIES.get(type(value))
    read = None if table is None else table.get(name)
    return None if read is None else read(value)


def _offset(value: Value) -> Value:
    return value.utcoffset()


def _zone_name(value: Value) -> Value:
    where: tzinfo | None = value.tzinfo
    return where.key if isinstance(where, ZoneInfo) else None


_DATE: dict[str, Callable[[Value], Value]] = {
    "year": lambda v: v.year,
    "month": lambda v: v.month,
    "day": lambda v: v.day,
    "weekday": lambda v: v.isoweekday(),
}
_TIME: dict[str, Callable[[Value], Value]] = {
    "hour": lambda v: v.hour,
    "minute": lambda v: v.minute,
    "second": lambda v: numbers.whole(temporal.fraction(v)) if v.microsecond else v.second,
    "time offset": _offset,
    "timezone": _zone_name,
}


def _part(divisor: int, modulus: int | None) -> Callable[[Value], Value]:
    """Return how to read one part of a span in whole ``divisor`` seconds; the sign goes with each part."""

    def read(span: timedelta) -> int:
        whole = abs(span) // timedelta(seconds=divisor)
        part = whole if modulus is None else whole % modulus
        return -part if span < timedelta() else part

    return read


_PROPERTIES: Mapping[type, Mapping[str, Callable[[Value], Value]]] = {
    date: _DATE,
    datetime: {**_DATE, **_TIME},
    time: _TIME,
    timedelta: {
        "days": _part(86_400, None),
        "hours": _part(3600, 24),
        "minutes": _part(60, 60),
        "seconds": _part(1, 60),
    },
    Months: {
        "years": lambda v: int(v.months / 12),
        "months": lambda v: v.months - 12 * int(v.months / 12),
    },
    Range: {
        "start": lambda v: v.low,
        "end": lambda v: v.high,
        "start included": lambda v: v.low_closed,
        "end included": lambda v: v.high_closed,
    },
}
