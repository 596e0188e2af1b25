"""The evaluator's values: JSON's with decimals for floats, and FEEL's dates, durations, ranges, functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from engine.expressions import numbers
from engine.expressions.errors import EvaluationError
from engine.expressions.limits import NESTING, SIZED, Budget, size

Value = Any
"""A value while it is being evaluated."""
Json = Any
"""JSON data: dict, list, str, int, float, bool or None."""
Functions = Mapping[str, Callable[..., Any]]
"""What the caller supplies for expressions to call, by name."""


@dataclass(frozen=True, slots=True, order=True)
class Months:
    """A years and months duration, in months."""

    months: int


@dataclass(frozen=True, slots=True)
class Range:
    """A FEEL range."""

    low: Value
    high: Value
    low_closed: bool
    high_closed: bool
    comparison: bool = False
    """Written as a comparison, ``(< 5)``: an end of None is unbounded then, else unknown."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function value: FEEL's function literals, and business knowledge models."""

    parameters: tuple[str, ...]
    body: Callable[[Mapping[str, Value], Any], Value]
    """Called with the arguments by name and the calling environment."""


KINDS: Mapping[type, str] = {
    bool: "boolean",
    int: "number",
    Decimal: "number",
    float: "number",
    str: "string",
    list: "list",
    dict: "context",
    type(None): "null",
    date: "date",
    datetime: "date and time",
    time: "time",
    timedelta: "days and time duration",
    Months: "years and months duration",
    Range: "range",
    Function: "function",
}
_ALIKE = frozenset({bool, int, str, Decimal, type(None)})
_READY = frozenset(KINDS) - {int, float}


def kind(value: Value) -> str:
    """Return the FEEL name of the value's type."""
    return KINDS.get(type(value), type(value).__name__)


def intake(value: Value) -> Value:
    """Return data from outside as a value: floats become decimals, other mappings dicts. One level deep."""
    cls = type(value)
    if cls in _READY:
        return value
    if cls is int:
        return numbers.fit(value)
    if cls is float:
        return numbers.from_float(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, list | tuple):
        return list(value)
    if isinstance(value, str):
        return str(value)
    raise EvaluationError(f"a {cls.__name__} is no JSON value")


def to_json(value: Value, budget: Budget | None = None) -> Json:
    """Return a fresh JSON value: no part is shared with the data; dates and durations are ISO 8601 strings.

    Raises EvaluationError for functions and ranges, which JSON cannot hold, and LimitError for huge results.
    """
    return _to_json(value, NESTING * 2, budget or Budget())


def _to_json(value: Value, depth: int, budget: Budget) -> Json:
    value = intake(value)
    cls = type(value)
    if cls in SIZED:
        budget.spend(size(value))
    if cls is str or cls is bool or value is None:
        return value
    if cls in numbers.NUMERIC:
        return numbers.to_json(value)
    if depth == 0:
        raise EvaluationError("the result is nested too deeply")
    if cls is dict:
        return {_key(key): _to_json(item, depth - 1, budget) for key, item in value.items()}
    if cls is list:
        return [_to_json(item, depth - 1, budget) for item in value]
    if cls is Range or cls is Function:
        raise EvaluationError(f"the result is a {kind(value)}, which data cannot hold")
    from engine.expressions.temporal import show

    return show(value)


def _key(key: Value) -> str:
    if type(key) is not str:
        raise EvaluationError(f"{key!r} is no key of a JSON object")
    return key


def equal(left: Value, right: Value) -> bool:
    """Tell whether two values of any kind are the same by value; lists and contexts element by element."""
    cls = type(left)
    if cls is type(right) and cls in _ALIKE:
        return bool(left == right)
    left, right = intake(left), intake(right)
    cls = type(left)
    if cls in numbers.NUMERIC:
        return type(right) in numbers.NUMERIC and bool(left == right)
    if cls is not type(right):
        return False
    if cls is list:
        return len(left) == len(right) and all(equal(a, b) for a, b in zip(left, right, strict=True))
    if cls is dict:
        return left.keys() == right.keys() and all(equal(item, right[key]) for key, item in left.items())
    return bool(left == right)


def as_text(value: Value) -> str:
    """Return a string, number, truth value, date or duration as text, null as the empty text."""
    if value is None:
        return ""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) in numbers.NUMERIC:
        return numbers.show(value)
    if type(value) in (list, dict):
        raise EvaluationError(f"a {kind(value)} is no text", hint="name the element that is meant")
    return str(to_json(value))
