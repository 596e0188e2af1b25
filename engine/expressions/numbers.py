"""Numbers, the same in every dialect: exact integers and decimals of 34 digits (IEEE 754 decimal128).

Binary floating point never takes part: ``0.1 + 0.2 == 0.3`` holds. A JSON number with a point or exponent
enters as the decimal its shortest notation shows; a decimal leaves as an integer where it is one, else as
the nearest double, which keeps 15 digits exactly.
"""

import decimal
import math
import re
from collections.abc import Callable
from decimal import Decimal

from engine.expressions.errors import EvaluationError
from engine.expressions.limits import EXPONENT

Number = int | Decimal

CONTEXT = decimal.Context(
    prec=34,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow],
)
LARGEST_INT = 10**34
LITERAL = re.compile(r"(?:\d+(?:\.(?!\.)\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
NUMERIC = frozenset({int, Decimal})
_TRAPPED = (decimal.InvalidOperation, decimal.DivisionByZero, decimal.Overflow)


def is_number(value: object) -> bool:
    """Tell whether ``value`` is a number of the evaluator (a truth value is none)."""
    return type(value) in NUMERIC


def fit(value: int) -> Number:
    """Return an integer as it is up to 34 digits, rounded to 34 digits beyond."""
    if -LARGEST_INT < value < LARGEST_INT:
        return value
    return _guard(lambda: CONTEXT.create_decimal(value))


def from_float(value: float) -> Decimal:
    """Return the decimal that ``value``'s shortest notation shows; raise EvaluationError for inf and nan."""
    if not math.isfinite(value):
        raise EvaluationError(f"{value} is no JSON number")
    return Decimal(repr(value))


def to_json(value: Number) -> int | float:
    """Return the JSON number for ``value``; integers up to 34 digits stay exact."""
    if isinstance(value, int):
        return value
    integer = whole(value)
    return integer if isinstance(integer, int) else float(integer)


def parse(text: str) -> Number:
    """Return the number a literal of digits, point and exponent stands for; raise ValueError otherwise."""
    if text.isascii() and text.isdigit():
        return fit(int(text)) if len(text) <= 34 else _literal(text)
    return _literal(text)


def show(value: Number) -> str:
    """Return ``value`` as digits without exponent (with one beyond 40 digits)."""
    if isinstance(value, int):
        return str(value)
    if not -40 < value.adjusted() < 40:
        return str(value)
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def add(left: Number, right: Number) -> Number:
    """Return the sum."""
    if type(left) is int and type(right) is int:
        return fit(left + right)
    try:
        return CONTEXT.add(left, right)
    except _TRAPPED as error:
        raise _beyond() from error


def subtract(left: Number, right: Number) -> Number:
    """Return the difference."""
    if type(left) is int and type(right) is int:
        return fit(left - right)
    try:
        return CONTEXT.subtract(left, right)
    except _TRAPPED as error:
        raise _beyond() from error


def multiply(left: Number, right: Number) -> Number:
    """Return the product."""
    if type(left) is int and type(right) is int:
        return fit(left * right)
    try:
        return CONTEXT.multiply(left, right)
    except _TRAPPED as error:
        raise _beyond() from error


def divide(left: Number, right: Number) -> Number:
    """Return the quotient, to 34 digits; raise EvaluationError for a division by zero."""
    if right == 0:
        raise EvaluationError("division by zero")
    try:
        return CONTEXT.divide(left, right)
    except _TRAPPED as error:
        raise _beyond() from error


def floor_divide(left: Number, right: Number) -> Number:
    """Return the quotient rounded towards minus infinity."""
    if type(left) is int and type(right) is int and right != 0:
        return left // right
    quotient = Decimal(divide(left, right))
    return _guard(lambda: CONTEXT.create_decimal(quotient.to_integral_value(decimal.ROUND_FLOOR)))


def modulo(left: Number, right: Number) -> Number:
    """Return the remainder with the sign of ``right`` (Python's ``%``, FEEL's ``modulo``)."""
    if right == 0:
        raise EvaluationError("division by zero")
    if type(left) is int and type(right) is int:
        return left % right
    rest: Decimal = _guard(lambda: CONTEXT.remainder(left, right))
    return rest if rest == 0 or (rest < 0) == (right < 0) else add(rest, right)


def remainder(left: Number, right: Number) -> Number:
    """Return the remainder with the sign of ``left`` (Java's and JUEL's ``%``)."""
    if right == 0:
        raise EvaluationError("division by zero")
    if isinstance(left, int) and isinstance(right, int):
        size = abs(left) % abs(right)
        return -size if left < 0 else size
    return _guard(lambda: CONTEXT.remainder(left, right))


def power(left: Number, right: Number) -> Number:
    """Return ``left`` to the power of ``right``; exponents are bounded."""
    if absolute(right) > EXPONENT:
        raise EvaluationError(f"the exponent {show(right)} is beyond ±{EXPONENT}")
    result = _guard(lambda: CONTEXT.power(left, right))
    return whole(result) if type(left) is int and type(right) is int else result


def negate(value: Number) -> Number:
    """Return ``value`` with the other sign."""
    return -value if type(value) is int else _guard(lambda: CONTEXT.minus(value))


def whole(value: Number) -> Number:
    """Return the integer that ``value`` is, or ``value`` where it is none."""
    if isinstance(value, int) or value != value.to_integral_value() or value.adjusted() > 34:
        return value
    return fit(int(value))


def calculate(function: Callable[[], Decimal]) -> Decimal:
    """Run a decimal calculation; raise EvaluationError where it leaves the range or is undefined."""
    return _guard(function)


def _guard(function: Callable[[], Decimal]) -> Decimal:
    try:
        return function()
    except _TRAPPED as error:
        raise _beyond() from error


def _beyond() -> EvaluationError:
    return EvaluationError("the result is no number of 34 digits")


def _literal(text: str) -> Number:
    try:
        return CONTEXT.create_decimal(text)
    except _TRAPPED as error:
        raise ValueError(text) from error


def rounded(value: Number, places: int, mode: str) -> Number:
    """Return ``value`` rounded to ``places`` decimals (negative: tens, hundreds) in a mode of ``decimal``."""
    number = Decimal(value)
    if number.adjusted() + places > 34:
        return value
    return whole(
        calculate(lambda: number.quantize(Decimal((0, (1,), -places)), rounding=mode, context=CONTEXT))
    )


def round_half_even(value: Number, places: int = 0) -> Number:
    """Return ``value`` rounded as Python and FEEL's ``decimal`` round: halves to the even neighbour."""
    return rounded(value, places, decimal.ROUND_HALF_EVEN)


def truncate(value: Number) -> Number:
    """Return ``value`` without its decimals."""
    return value if type(value) is int else rounded(value, 0, decimal.ROUND_DOWN)


def absolute(value: Number) -> Number:
    """Return ``value`` without its sign."""
    return abs(value) if type(value) is int else calculate(lambda: CONTEXT.abs(value))
