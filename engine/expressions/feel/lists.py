"""FEEL's built-in functions for lists."""

import functools
from collections.abc import Callable
from typing import Any

from engine.expressions import numbers
from engine.expressions.errors import EvaluationError
from engine.expressions.feel.arithmetic import deviation, total
from engine.expressions.feel.closures import call_function
from engine.expressions.feel.registry import Registry
from engine.expressions.feel.rules import equal, less
from engine.expressions.limits import ITEMS, SIZED, charge, check_count
from engine.expressions.numbers import Number
from engine.expressions.rules import Env
from engine.expressions.values import Function, Value, intake

REGISTRY = Registry()
builtin = REGISTRY.add
Variadic = Callable[..., Value]


def _same(env: Env, left: Value, right: Value) -> bool:
    if type(left) in SIZED:
        charge(env.budget, left)
    return equal(intake(left), intake(right)) is True


def _elements(env: Env, arguments: tuple[Value, ...]) -> list[Value]:
    """Return the elements of the only argument where it is a list, else the arguments."""
    values = arguments[0] if len(arguments) == 1 and type(arguments[0]) is list else list(arguments)
    env.budget.spend(len(values))
    return [intake(value) for value in values]


def _numbers(values: list[Value]) -> list[Number]:
    if any(type(value) not in numbers.NUMERIC for value in values):
        raise EvaluationError("numbers are needed")
    return values


@builtin("list contains", "list: list, element: any")
def _list_contains(env: Env, items: list[Value], element: Value) -> Value:
    env.budget.spend(len(items))
    return any(_same(env, item, element) for item in items)


@builtin("count", "list: list")
def _count(env: Env, items: list[Value]) -> Value:
    return len(items)


def _extreme(name: str, wins: Callable[[Value, Value], bool | None]) -> None:
    @builtin(name, "list: any+")
    def choose(env: Env, *arguments: Value) -> Value:
        values = _elements(env, arguments)
        if not values:
            return None
        best = values[0]
        for value in values:
            better = wins(value, best)
            if better is None:
                return None
            if better:
                best = value
        return best


_extreme("min", less)
_extreme("max", lambda a, b: less(b, a))


@builtin("sum", "list: any+")
def _sum(env: Env, *arguments: Value) -> Value:
    return total(_elements(env, arguments))


@builtin("mean", "list: any+")
def _mean(env: Env, *arguments: Value) -> Value:
    values = _numbers(_elements(env, arguments))
    return numbers.whole(numbers.divide(total(values), len(values))) if values else None


@builtin("product", "list: any+")
def _product(env: Env, *arguments: Value) -> Value:
    values = _numbers(_elements(env, arguments))
    return functools.reduce(numbers.multiply, values) if values else None


@builtin("median", "list: any+")
def _median(env: Env, *arguments: Value) -> Value:
    values = sorted(_numbers(_elements(env, arguments)))
    if not values:
        return None
    middle = len(values) // 2
    if len(values) % 2:
        return values[middle]
    return numbers.whole(numbers.divide(numbers.add(values[middle - 1], values[middle]), 2))


@builtin("stddev", "list: any+")
def _stddev(env: Env, *arguments: Value) -> Value:
    values = _numbers(_elements(env, arguments))
    return deviation(values) if len(values) > 1 else None


@builtin("mode", "list: any+")
def _mode(env: Env, *arguments: Value) -> Value:
    counts: dict[Number, int] = {}
    for value in _numbers(_elements(env, arguments)):
        counts[value] = counts.get(value, 0) + 1
    most = max(counts.values(), default=0)
    return sorted(value for value, count in counts.items() if count == most)


def _truths(name: str, deciding: bool) -> None:
    @builtin(name, "list: any+")
    def judge(env: Env, *arguments: Value) -> Value:
        values = _elements(env, arguments)
        if any(value is deciding for value in values):
            return deciding
        return None if any(type(value) is not bool for value in values) else not deciding


_truths("all", False)
_truths("any", True)


@builtin("sublist", "list: list, start position: number, length: number?")
def _sublist(env: Env, items: list[Value], start: Number, length: Number | None = None) -> Value:
    first = int(numbers.truncate(start))
    size = None if length is None else int(numbers.truncate(length))
    if first == 0 or abs(first) > len(items) or (size is not None and size < 0):
        raise EvaluationError("the position is outside the list")
    begin = first - 1 if first > 0 else len(items) + first
    if size is not None and begin + size > len(items):
        raise EvaluationError("the length reaches beyond the list")
    return items[begin:] if size is None else items[begin : begin + size]


@builtin("append", "list: list, item: any*")
def _append(env: Env, items: list[Value], *more: Value) -> Value:
    return _checked(env, [*items, *more])


@builtin("concatenate", "list: list+")
def _concatenate(env: Env, *lists: list[Value]) -> Value:
    check_count(sum(map(len, lists)))
    return _checked(env, [item for items in lists for item in items])


@builtin("insert before", "list: list, position: number, newItem: any")
def _insert_before(env: Env, items: list[Value], position: Number, item: Value) -> Value:
    at = _position(items, position)
    return _checked(env, [*items[:at], item, *items[at:]])


@builtin("remove", "list: list, position: number")
def _remove(env: Env, items: list[Value], position: Number) -> Value:
    at = _position(items, position)
    return _checked(env, [*items[:at], *items[at + 1 :]])


@builtin(
    "list replace", "list: list, position: number, newItem: any", "list: list, match: function, newItem: any"
)
def _list_replace(env: Env, items: list[Value], where: Value, item: Value) -> Value:
    if type(where) is not Function:
        at = _position(items, where)
        return _checked(env, [*items[:at], item, *items[at + 1 :]])
    replaced = []
    for old in items:
        answer = call_function(where, [intake(old), item], env)
        if type(answer) is not bool:
            raise EvaluationError("the match function must give true or false")
        replaced.append(item if answer else old)
    return replaced


def _position(items: list[Value], position: Number) -> int:
    at = int(numbers.truncate(position))
    if at == 0 or abs(at) > len(items):
        raise EvaluationError("the position is outside the list")
    return at - 1 if at > 0 else len(items) + at


def _checked(env: Env, items: list[Value]) -> list[Value]:
    env.budget.spend(check_count(len(items)))
    return items


@builtin("reverse", "list: list")
def _reverse(env: Env, items: list[Value]) -> Value:
    return _checked(env, items[::-1])


@builtin("index of", "list: list, match: any")
def _index_of(env: Env, items: list[Value], match: Value) -> Value:
    env.budget.spend(len(items))
    return [place for place, item in enumerate(items, 1) if _same(env, item, match)]


def _distinct(env: Env, items: list[Value]) -> list[Value]:
    found: list[Value] = []
    for item in items:
        env.budget.spend(len(found) + 1)
        if not any(_same(env, item, known) for known in found):
            found.append(item)
    return found


@builtin("distinct values", "list: list")
def _distinct_values(env: Env, items: list[Value]) -> Value:
    return _distinct(env, items)


@builtin("union", "list: list+")
def _union(env: Env, *lists: list[Value]) -> Value:
    check_count(sum(map(len, lists)))
    return _distinct(env, [item for items in lists for item in items])


@builtin("flatten", "list: list")
def _flatten(env: Env, items: list[Value]) -> Value:
    found: list[Value] = []
    pending: list[Any] = [iter(items)]
    while pending:
        for item in pending[-1]:
            env.budget.spend(1)
            if type(item) is list:
                pending.append(iter(item))
                break
            found.append(item)
            check_count(len(found))
        else:
            pending.pop()
    return found


@builtin("sort", "list: list, precedes: function?")
def _sort(env: Env, items: list[Value], precedes: Value = None) -> Value:
    values = [intake(item) for item in items]

    def compare(left: Value, right: Value) -> int:
        env.budget.spend(1)
        if precedes is None:
            answer, back = less(left, right), less(right, left)
        else:
            answer = call_function(precedes, [left, right], env)
            back = None if answer is None else answer is False and call_function(precedes, [right, left], env)
        if type(answer) is not bool:
            raise EvaluationError("the elements cannot be ordered")
        return -1 if answer else 1 if back is True else 0

    check_count(min(len(values), ITEMS))
    return sorted(values, key=functools.cmp_to_key(compare))
