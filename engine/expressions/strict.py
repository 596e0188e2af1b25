"""The meaning of the bare dialect and what it shares with JUEL: what does not fit together is an error."""

import operator
from collections.abc import Callable, Mapping

from engine.expressions import numbers
from engine.expressions.errors import EvaluationError
from engine.expressions.functions import BARE
from engine.expressions.limits import check_count, check_text
from engine.expressions.nodes import Op
from engine.expressions.numbers import NUMERIC
from engine.expressions.rules import Builtin
from engine.expressions.values import Value, as_text, equal, intake, kind
from engine.expressions.values import to_json as plain


def mismatch(op: str, left: Value, right: Value, hint: str | None = None) -> EvaluationError:
    """Return the error for an operator between kinds that it does not join."""
    return EvaluationError(f'"{op}" between {kind(left)} and {kind(right)}', hint=hint)


def _both_numbers(left: Value, right: Value) -> bool:
    return type(left) in NUMERIC and type(right) in NUMERIC


def arithmetic(op: str, function: Callable[..., Value]) -> Callable[[Value, Value], Value]:
    """Return ``function`` for numbers only."""

    def calculate(left: Value, right: Value) -> Value:
        if type(left) in NUMERIC and type(right) in NUMERIC:
            return function(left, right)
        raise mismatch(op, left, right)

    return calculate


def _add(left: Value, right: Value) -> Value:
    if _both_numbers(left, right):
        return numbers.add(left, right)
    if type(left) is str and type(right) is str:
        return check_text(left + right)
    if type(left) is list and type(right) is list:
        check_count(len(left) + len(right))
        return left + right
    hint = "turn the number into text with str(…)" if str in (type(left), type(right)) else None
    raise mismatch("+", left, right, hint)


def same(left: Value, right: Value) -> bool:
    """Tell whether two values are equal; a truth value against a number is an error, not a guess."""
    if (type(left) is bool) != (type(right) is bool) and (type(left) in NUMERIC or type(right) in NUMERIC):
        raise mismatch("==", left, right, "compare with True or False")
    return equal(left, right)


def ordering(op: str, number: Callable[[Value, Value], bool]) -> Callable[[Value, Value], bool]:
    """Return the comparison ``op`` for two numbers or two strings."""

    def compare(left: Value, right: Value) -> bool:
        one, other = type(left), type(right)
        if (one in NUMERIC and other in NUMERIC) or (one is str and other is str):
            return number(left, right)
        raise mismatch(op, left, right)

    return compare


def _contains(item: Value, container: Value) -> bool:
    if type(container) is str:
        if type(item) is not str:
            raise mismatch("in", item, container)
        return item in container
    if type(container) is dict:
        return type(item) is str and item in container
    if type(container) is list:
        return any(equal(item, element) for element in container)
    raise mismatch("in", item, container, "the right side must be a list, a dict or a string")


ORDERINGS: Mapping[Op, Callable[[Value, Value], bool]] = {
    Op.LESS: ordering("<", operator.lt),
    Op.LESS_EQUAL: ordering("<=", operator.le),
    Op.GREATER: ordering(">", operator.gt),
    Op.GREATER_EQUAL: ordering(">=", operator.ge),
}


class BareRules:
    """Python's meaning where it is JSON's too; truth values are no numbers, and only they are true."""

    dialect: str = "bare"
    builtins: Mapping[str, Builtin] = BARE
    operators: Mapping[Op, Callable[[Value, Value], Value]] = {
        Op.ADD: _add,
        Op.SUBTRACT: arithmetic("-", numbers.subtract),
        Op.MULTIPLY: arithmetic("*", numbers.multiply),
        Op.DIVIDE: arithmetic("/", numbers.divide),
        Op.FLOOR_DIVIDE: arithmetic("//", numbers.floor_divide),
        Op.MODULO: arithmetic("%", numbers.modulo),
        Op.POWER: arithmetic("**", numbers.power),
        Op.EQUAL: same,
        Op.NOT_EQUAL: lambda left, right: not same(left, right),
        **ORDERINGS,
        Op.CONTAINS: _contains,
    }

    def missing(self, name: str) -> Value:
        """Raise EvaluationError: there is no such variable."""
        raise EvaluationError(f'no variable "{name}"', hint="set it before, in a form, mapping or script")

    def member(self, target: Value, name: str) -> Value:
        """Return the value of the key ``name``; raise EvaluationError where there is none."""
        if type(target) is not dict:
            raise EvaluationError(f'no key "{name}" in a {kind(target)}')
        if name not in target:
            raise EvaluationError(f'no key "{name}"', hint=f'ask before with "{name}" in …')
        return intake(target[name])

    def index(self, target: Value, index: Value) -> Value:
        """Return an element by position (negative ones count from the end) or the value of a key."""
        if type(target) is dict and type(index) is str:
            return self.member(target, index)
        if type(target) in (list, str):
            position = numbers.whole(index) if type(index) in NUMERIC else None
            if type(position) is not int:
                raise EvaluationError(f"a position must be a whole number, not {plain(index)!r}"[:200])
            if not -len(target) <= position < len(target):
                raise EvaluationError(f"position {position} of {len(target)}")
            return intake(target[position])
        raise EvaluationError(f"a {kind(target)} has no [{kind(index)}]")

    def negate(self, value: Value, plus: bool) -> Value:
        """Return ``-value`` or ``+value`` of a number."""
        if type(value) not in NUMERIC:
            raise EvaluationError(f'"{"+" if plus else "-"}" before a {kind(value)}')
        return value if plus else numbers.negate(value)

    def truth(self, value: Value) -> bool | None:
        """Return a truth value; null is false, anything else an error."""
        if value is True or value is False:
            return bool(value)
        if value is None:
            return False
        raise EvaluationError(
            f"a condition must be true or false, not a {kind(value)}",
            hint='compare it, for example x > 0, x == "yes", len(x) > 0',
        )

    def empty(self, value: Value) -> bool:
        """Tell whether ``value`` is null or has no elements."""
        return value is None or (type(value) in (str, list, dict) and not value)

    def text(self, value: Value) -> str:
        """Return ``value`` as people read it; null is empty."""
        return as_text(value)
