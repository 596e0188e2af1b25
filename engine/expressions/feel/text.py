"""What FEEL's string() makes of values."""

import json

from engine.expressions import numbers, temporal
from engine.expressions.errors import EvaluationError
from engine.expressions.limits import NESTING, Budget, check_text
from engine.expressions.values import Function, Range, Value, intake, kind


def feel_text(value: Value, budget: Budget) -> str:
    """Return ``value`` as FEEL writes it; a string as it is."""
    value = intake(value)
    return value if type(value) is str else check_text(_inner(value, budget, NESTING))


def _inner(value: Value, budget: Budget, depth: int) -> str:
    value = intake(value)
    budget.spend(1)
    if depth == 0:
        raise EvaluationError("the value is nested too deeply")
    if value is None:
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) in numbers.NUMERIC:
        return numbers.show(value)
    if type(value) is str:
        budget.spend(len(value) // 64)
        return json.dumps(value, ensure_ascii=False)
    if type(value) is list:
        return f"[{', '.join(_inner(item, budget, depth - 1) for item in value)}]"
    if type(value) is dict:
        entries = (f"{_key(key)}: {_inner(item, budget, depth - 1)}" for key, item in value.items())
        return "{" + ", ".join(entries) + "}"
    if type(value) is Range:
        return _range(value, budget, depth)
    if type(value) is Function:
        raise EvaluationError(f"a {kind(value)} has no text")
    return temporal.text(value)


def _key(key: str) -> str:
    return key if key.replace(" ", "").replace("_", "").isalnum() else json.dumps(key, ensure_ascii=False)


def _range(value: Range, budget: Budget, depth: int) -> str:
    if value.comparison and value.low is None:
        return f"({'<=' if value.high_closed else '<'} {_inner(value.high, budget, depth - 1)})"
    if value.comparison and value.high is None:
        return f"({'>=' if value.low_closed else '>'} {_inner(value.low, budget, depth - 1)})"
    low, high = _inner(value.low, budget, depth - 1), _inner(value.high, budget, depth - 1)
    return f"{'[' if value.low_closed else '('}{low}..{high}{']' if value.high_closed else ')'}"
