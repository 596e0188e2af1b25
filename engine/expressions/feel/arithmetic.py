"""FEEL's built-in functions for numbers."""

import decimal
from decimal import Decimal

from engine.expressions import numbers
from engine.expressions.errors import EvaluationError
from engine.expressions.feel.registry import Registry
from engine.expressions.numbers import CONTEXT, Number
from engine.expressions.rules import Env
from engine.expressions.values import Months, Value

REGISTRY = Registry()
builtin = REGISTRY.add
_SCALES = range(-6111, 6177)


def _scale(scale: Number | None) -> int:
    places = 0 if scale is None else int(numbers.truncate(scale))
    if places not in _SCALES:
        raise EvaluationError("a scale lies between -6111 and 6176")
    return places


def _rounding(name: str, mode: str, *signatures: str) -> None:
    @builtin(name, *signatures)
    def _round(env: Env, n: Number, scale: Number | None = None) -> Value:
        return numbers.rounded(n, _scale(scale), mode)


_rounding("decimal", decimal.ROUND_HALF_EVEN, "n: number, scale: number")
_rounding("floor", decimal.ROUND_FLOOR, "n: number, scale: number?")
_rounding("ceiling", decimal.ROUND_CEILING, "n: number, scale: number?")
_rounding("round up", decimal.ROUND_UP, "n: number, scale: number")
_rounding("round down", decimal.ROUND_DOWN, "n: number, scale: number")
_rounding("round half up", decimal.ROUND_HALF_UP, "n: number, scale: number")
_rounding("round half down", decimal.ROUND_HALF_DOWN, "n: number, scale: number")


@builtin("abs", "n: number", "n: duration")
def _abs(env: Env, n: Value) -> Value:
    if type(n) is Months:
        return Months(abs(n.months))
    return numbers.absolute(n) if type(n) in numbers.NUMERIC else abs(n)


@builtin("modulo", "dividend: number, divisor: number")
def _modulo(env: Env, dividend: Number, divisor: Number) -> Value:
    return numbers.modulo(dividend, divisor)


@builtin("sqrt", "number: number")
def _sqrt(env: Env, number: Number) -> Value:
    env.budget.spend(50)
    if number < 0:
        raise EvaluationError("the square root of a negative number")
    return numbers.whole(numbers.calculate(lambda: CONTEXT.sqrt(number)))


@builtin("log", "number: number")
def _log(env: Env, number: Number) -> Value:
    if number <= 0:
        raise EvaluationError("the logarithm of a number that is not positive")
    env.budget.spend(200)
    return numbers.calculate(lambda: CONTEXT.ln(number))


@builtin("exp", "number: number")
def _exp(env: Env, number: Number) -> Value:
    env.budget.spend(200)
    return numbers.calculate(lambda: CONTEXT.exp(number))


@builtin("odd", "number: number")
def _odd(env: Env, number: Number) -> Value:
    return numbers.modulo(numbers.truncate(number), 2) == 1


@builtin("even", "number: number")
def _even(env: Env, number: Number) -> Value:
    return numbers.modulo(numbers.truncate(number), 2) == 0


def total(values: list[Value]) -> Value:
    """Return the sum of numbers or of durations of one kind; null for nothing or a mixture."""
    if not values:
        return None
    result = values[0]
    numeric = type(result) in numbers.NUMERIC
    for value in values[1:]:
        if numeric and type(value) in numbers.NUMERIC:
            result = numbers.add(result, value)
        elif not numeric and type(value) is type(result):
            result = Months(result.months + value.months) if type(value) is Months else result + value
        else:
            raise EvaluationError("a sum of unlike values")
    return result


def deviation(values: list[Number]) -> Number:
    """Return the standard deviation of a sample."""
    count = len(values)
    mean = numbers.divide(total(values), count)
    squares: Number = 0
    for value in values:
        difference = numbers.subtract(value, mean)
        squares = numbers.add(squares, numbers.multiply(difference, difference))
    variance = Decimal(numbers.divide(squares, count - 1))
    return numbers.whole(numbers.calculate(lambda: CONTEXT.sqrt(variance)))
