"""The built-in functions of the bare dialect."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.expressions import numbers
from engine.expressions.errors import EvaluationError
from engine.expressions.numbers import NUMERIC, Number
from engine.expressions.rules import Builtin, Env
from engine.expressions.values import Value, as_text, intake, kind


def _wrong(function: str, value: Value) -> EvaluationError:
    return EvaluationError(f"{function}() of a {kind(value)}")


def _len(env: Env, value: Value) -> int:
    if type(value) not in (str, list, dict):
        raise _wrong("len", value)
    return len(value)


def _number(name: str, value: Value) -> Number:
    value = intake(value)
    if type(value) not in NUMERIC:
        raise _wrong(name, value)
    return value  # type: ignore[no-any-return]


def _elements(name: str, env: Env, arguments: tuple[Value, ...]) -> list[Value]:
    values = arguments[0] if len(arguments) == 1 else list(arguments)
    if type(values) is not list:
        raise _wrong(name, values)
    env.budget.spend(len(values))
    return [intake(value) for value in values]


def _extreme(name: str, choose: Callable[..., Any]) -> Callable[..., Value]:
    def extreme(env: Env, *arguments: Value) -> Value:
        values = _elements(name, env, arguments)
        if not values:
            raise EvaluationError(f"{name}() of nothing")
        if not (all(type(v) in NUMERIC for v in values) or all(type(v) is str for v in values)):
            raise EvaluationError(f"{name}() needs numbers only or strings only")
        return choose(values)

    return extreme


def _sum(env: Env, values: Value) -> Number:
    total: Number = 0
    for value in _elements("sum", env, (values,)):
        total = numbers.add(total, _number("sum", value))
    return total


def _round(env: Env, value: Value, digits: Value = 0) -> Number:
    places = numbers.whole(_number("round", digits))
    if type(places) is not int or not -100 <= places <= 100:
        raise EvaluationError("round() to a whole number of digits between -100 and 100")
    return numbers.round_half_even(_number("round", value), places)


def _int(env: Env, value: Value) -> Number:
    if type(value) is str:
        value = _float(env, value)
        if value != value.__trunc__():
            raise EvaluationError("int() of text that is no whole number")
    return numbers.truncate(_number("int", value))


def _float(env: Env, value: Value) -> Number:
    if type(value) is not str:
        return _number("float", value)
    text = value.strip()
    sign = text[:1] if text[:1] in "+-" else ""
    digits = text[len(sign) :]
    if len(digits) > 100 or not numbers.LITERAL.fullmatch(digits):
        raise EvaluationError("the text is no number")
    number = numbers.parse(digits)
    return numbers.negate(number) if sign == "-" else number


def _str(env: Env, value: Value) -> str:
    if type(value) is not str and type(value) not in NUMERIC:
        raise EvaluationError(f"str() of a {kind(value)}", hint='"yes" if x else "no"')
    return as_text(value)


def _truths(name: str, choose: Callable[..., bool]) -> Callable[..., bool]:
    def judge(env: Env, values: Value) -> bool:
        elements = _elements(name, env, (values,))
        if not all(type(v) is bool for v in elements):
            raise EvaluationError(f"{name}() needs a list of truth values")
        return choose(elements)

    return judge


def _sorted(env: Env, values: Value) -> list[Value]:
    elements = _elements("sorted", env, (values,))
    if not (all(type(v) in NUMERIC for v in elements) or all(type(v) is str for v in elements)):
        raise EvaluationError("sorted() needs numbers only or strings only")
    return sorted(elements)


def _text(name: str, change: Callable[..., Value]) -> Callable[..., Value]:
    def call(env: Env, *arguments: Value) -> Value:
        for argument in arguments:
            if type(argument) is not str:
                raise _wrong(name, argument)
        env.budget.spend(sum(map(len, arguments)) // 64)
        return change(*arguments)

    return call


BARE: Mapping[str, Builtin] = {
    "len": Builtin(_len, 1, 1),
    "abs": Builtin(lambda env, value: numbers.absolute(_number("abs", value)), 1, 1),
    "min": Builtin(_extreme("min", min), 1, None),
    "max": Builtin(_extreme("max", max), 1, None),
    "sum": Builtin(_sum, 1, 1),
    "round": Builtin(_round, 1, 2),
    "int": Builtin(_int, 1, 1),
    "float": Builtin(_float, 1, 1),
    "str": Builtin(_str, 1, 1),
    "any": Builtin(_truths("any", any), 1, 1),
    "all": Builtin(_truths("all", all), 1, 1),
    "sorted": Builtin(_sorted, 1, 1),
    "lower": Builtin(_text("lower", str.lower), 1, 1),
    "upper": Builtin(_text("upper", str.upper), 1, 1),
    "strip": Builtin(_text("strip", str.strip), 1, 1),
    "startswith": Builtin(_text("startswith", str.startswith), 2, 2),
    "endswith": Builtin(_text("endswith", str.endswith), 2, 2),
}
"""What bare expressions may call."""
