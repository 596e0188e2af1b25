"""Closures for what only FEEL has: filters, loops, ranges, unary tests, types, function values."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

from engine.expressions import nodes as n
from engine.expressions import numbers
from engine.expressions.calls import charged, foreign_call
from engine.expressions.closures import BUILDERS, Builder, Builders, Static
from engine.expressions.errors import EvaluationError, FirmError, LimitError
from engine.expressions.feel import rules
from engine.expressions.feel.types import conforms, is_instance
from engine.expressions.limits import ITEMS, SIZED, Budget, charge, check_count
from engine.expressions.patterns import compile_pattern
from engine.expressions.rules import Closure, Env
from engine.expressions.values import Function, Range, Value, intake


def _filter(builder: Builder, node: n.Filter, scope: Static) -> Closure:
    target = builder.build(node.target, scope)
    position = _constant_position(node.condition)
    index = builder.rules.index
    if position is not None:
        return lambda env: index(target(env), position)
    condition, weight = builder.weighed(node.condition, scope.opened())

    def select(env: Env) -> Value:
        value = target(env)
        found = []
        for item in rules.as_list(value):
            env.budget.spend(weight)
            element = intake(item)
            inner = env.inner(element) if type(element) is dict else env
            answer = condition(inner.inner({"item": element}) if "item" not in inner_names(inner) else inner)
            if answer is True:
                found.append(element)
            elif type(answer) in numbers.NUMERIC:
                return index(value, answer)
        return found

    return select


def inner_names(env: Env) -> Mapping[str, Value]:
    """Return the names that an environment itself adds."""
    return env.names if env.names is not None else {}


def _constant_position(node: n.Node) -> numbers.Number | None:
    if isinstance(node, n.Literal) and type(node.value) in numbers.NUMERIC:
        return node.value  # type: ignore[no-any-return]
    if isinstance(node, n.Negate) and isinstance(node.operand, n.Literal):
        value = node.operand.value
        return numbers.negate(value) if type(value) in numbers.NUMERIC else None
    return None


def _range(builder: Builder, node: n.RangeOf, scope: Static) -> Closure:
    low = None if node.low is None else builder.build(node.low, scope)
    high = None if node.high is None else builder.build(node.high, scope)
    low_closed, high_closed, comparison = node.low_closed, node.high_closed, node.comparison

    def make(env: Env) -> Value:
        begin = None if low is None else low(env)
        end = None if high is None else high(env)
        return make_range(begin, end, low_closed, high_closed, comparison)

    return make


def make_range(
    low: Value, high: Value, low_closed: bool, high_closed: bool, comparison: bool = False
) -> Range | None:
    """Return the range, null where its ends are of different kinds or out of order."""
    if low is None and high is None:
        return None
    if low is not None and high is not None and rules.at_most(low, high) is not True:
        return None
    return Range(low, high, low_closed, high_closed, comparison)


def _between(builder: Builder, node: n.Between, scope: Static) -> Closure:
    value, low, high = builder.many((node.value, node.low, node.high), scope)

    def judge(env: Env) -> Value:
        here = value(env)
        charge(env.budget, here)
        above, below = rules.at_most(low(env), here), rules.at_most(here, high(env))
        return None if above is None or below is None else above and below

    return judge


def _within(builder: Builder, node: n.Within, scope: Static) -> Closure:
    value = builder.build(node.value, scope)
    tests = builder.many(node.tests, scope.bind("?"))
    return lambda env: any_of(tests, env.inner({"?": value(env)}))


def any_of(tests: tuple[Closure, ...], env: Env) -> bool | None:
    """Return true where a test holds, else null where one is unknown, else false."""
    unknown = False
    for test in tests:
        answer = test(env)
        if answer is True:
            return True
        unknown = unknown or answer is None
    return None if unknown else False


def _tests(builder: Builder, node: n.Tests, scope: Static) -> Closure:
    if not node.tests:
        return lambda env: True
    tests = builder.many(node.tests, scope.bind("?"))
    if node.negated:
        return lambda env: any_of(tests, env) is False
    return lambda env: any_of(tests, env) is True


def _test(builder: Builder, node: n.Test, scope: Static) -> Closure:
    operand = builder.build(node.operand, scope)
    read = builder.build(n.Name(node.start, node.start, "?"), scope)
    if node.op is not None:
        compare = builder.rules.operators[node.op]
        return _charged(compare, read, operand)
    if node.uses_input:
        return _charged(lambda value, answer: _judged(answer, value), read, operand)
    return _charged(rules.within, read, operand)


def _charged(judge: Callable[[Value, Value], Value], read: Closure, operand: Closure) -> Closure:
    """Return the closure for a test of the input against an operand; long ones are paid for."""

    def test(env: Env) -> Value:
        value, other = read(env), operand(env)
        if type(value) in SIZED or type(other) in SIZED:
            charge(env.budget, value, other)
        return judge(value, other)

    return test


def _judged(answer: Value, value: Value) -> bool | None:
    """Return the answer of a test that speaks of ``?``; one that gives a value is compared with it."""
    return answer if answer is None or type(answer) is bool else rules.within(value, answer)


def _instance(builder: Builder, node: n.InstanceOf, scope: Static) -> Closure:
    value, wanted = builder.build(node.value, scope), node.type

    def judge(env: Env) -> bool:
        here = value(env)
        charge(env.budget, here)
        return is_instance(here, wanted)

    return judge


Source = Callable[[Env], Iterator[Value]]


def _sources(
    builder: Builder, bindings: tuple[n.Binding, ...], scope: Static
) -> tuple[list[tuple[str, Source]], Static]:
    sources: list[tuple[str, Source]] = []
    for binding in bindings:
        first = builder.build(binding.source, scope)
        last = None if binding.last is None else builder.build(binding.last, scope)
        sources.append((binding.name, _source(first, last)))
        scope = scope.bind(binding.name)
    return sources, scope


def _source(first: Closure, last: Closure | None) -> Source:
    def elements(env: Env) -> Iterator[Value]:
        value = first(env)
        if last is not None:
            return _steps(value, last(env), env)
        if type(value) is Range:
            if value.low_closed and value.high_closed:
                return _steps(value.low, value.high, env)
            raise NotIterableError
        if value is None:
            raise NotIterableError
        return (intake(item) for item in rules.as_list(value))

    return elements


class NotIterableError(Exception):
    """A loop over what has no elements: its value is null."""


def _steps(start: Value, end: Value, env: Env) -> Iterator[Value]:
    """Yield the whole numbers or days from ``start`` to ``end``, downwards where ``end`` is the lower."""
    if type(start) is date and type(end) is date:
        count = abs((end - start).days) + 1
        step = timedelta(days=1 if start <= end else -1)
        check_count(count)
        return (start + step * i for i in range(count))
    whole = [numbers.whole(value) if type(value) in numbers.NUMERIC else None for value in (start, end)]
    low, high = whole
    if type(low) is not int or type(high) is not int:
        raise NotIterableError
    check_count(abs(high - low) + 1)
    return iter(range(low, high + 1) if low <= high else range(low, high - 1, -1))


def _rounds(sources: list[tuple[str, Source]], env: Env, weight: int) -> Iterator[Env]:
    """Yield an environment for every combination of elements, the last binding turning fastest."""
    (name, source), rest = sources[0], sources[1:]
    for value in source(env):
        env.budget.spend(weight)
        inner = env.inner({name: value})
        if rest:
            yield from _rounds(rest, inner, weight)
        else:
            yield inner


def _for(builder: Builder, node: n.For, scope: Static) -> Closure:
    sources, inner = _sources(builder, node.bindings, scope)
    body, weight = builder.weighed(node.body, inner.bind("partial"))

    def loop(env: Env) -> Value:
        results: list[Value] = []
        try:
            for turn in _rounds(sources, env.inner({"partial": results}), weight + 1):
                results.append(body(turn))
                if len(results) > ITEMS:
                    check_count(len(results))
        except NotIterableError:
            return None
        return list(results)

    return loop


def _quantified(builder: Builder, node: n.Quantified, scope: Static) -> Closure:
    sources, inner = _sources(builder, node.bindings, scope)
    body, weight = builder.weighed(node.body, inner)
    deciding = not node.every

    def judge(env: Env) -> Value:
        unknown = False
        try:
            for turn in _rounds(sources, env, weight + 1):
                answer = body(turn)
                if answer is deciding:
                    return deciding
                unknown = unknown or type(answer) is not bool
        except NotIterableError:
            return None
        return None if unknown else not deciding

    return judge


def _function(builder: Builder, node: n.FunctionOf, scope: Static) -> Closure:
    names = tuple(name for name, _ in node.parameters)
    before = builder.height
    builder.height = builder.depth
    body, weight = builder.weighed(node.body, scope.bind(*names))
    frames, builder.height = builder.height - builder.depth + 2, max(before, builder.height)
    types = {name: wanted for name, wanted in node.parameters if wanted is not None}

    def make(env: Env) -> Function:
        def run(arguments: Mapping[str, Value], caller: Env) -> Value:
            if any(not conforms(arguments[name], wanted) for name, wanted in types.items()):
                return None
            budget = caller.budget
            budget.spend(weight)
            budget.frames -= frames
            if budget.frames < 0:
                raise LimitError("functions call each other too deeply")
            try:
                return body(Env(env.data, env.functions, budget, arguments, env))
            finally:
                budget.frames += frames

        return Function(names, run)

    return make


def call_function(function: Value, values: list[Value], env: Env) -> Value:
    """Call a function value with arguments in order; null where it is none or takes another number."""
    if type(function) is not Function or len(function.parameters) != len(values):
        return None
    return function.body(dict(zip(function.parameters, values, strict=True)), env)


def _call(builder: Builder, node: n.Call, scope: Static) -> Closure:
    function = node.function
    if isinstance(function, n.Name) and function.name not in scope.bound:
        if function.name in builder.rules.builtins and function.name not in builder.variables:
            return _builtin(builder, node, function.name, scope)
        if function.name in builder.functions:
            return foreign_call(builder, node, function.name, scope)
        if function.name not in builder.variables and not scope.open:
            raise builder.fault(
                f'no function "{function.name}"', node, "docs/reference/expressions.md lists the functions"
            )
    called = builder.build(function, scope)
    arguments, names = builder.many(node.arguments, scope), node.names

    def run(env: Env) -> Value:
        target = called(env)
        values = [argument(env) for argument in arguments]
        if not names:
            return call_function(target, values, env)
        if type(target) is not Function or sorted(target.parameters) != sorted(names):
            return None
        return target.body(dict(zip(names, values, strict=True)), env)

    return run


def _builtin(builder: Builder, node: n.Call, name: str, scope: Static) -> Closure:
    builtin = builder.rules.builtins[name]
    parts = node.arguments
    if node.names:
        parts = _in_order(builder, node, builtin.parameters, name)
    count = len(parts)
    if count < builtin.least or (builtin.most is not None and count > builtin.most):
        raise builder.fault(f"{name}() with {count} arguments", node, _signatures(name, builtin.parameters))
    if name in PATTERN_FUNCTIONS and isinstance(parts[1], n.Literal):
        _check_pattern(builder, parts[1])
    arguments = builder.many(parts, scope)

    def run(env: Env) -> Value:
        return charged(env, name, builtin, [argument(env) for argument in arguments])

    return run


PATTERN_FUNCTIONS = frozenset({"matches", "replace", "split"})


def _check_pattern(builder: Builder, node: n.Literal) -> None:
    """Refuse a constant pattern that is outside the subset when the expression is compiled."""
    if type(node.value) is not str:
        return
    try:
        compile_pattern(node.value, "", Budget())
    except FirmError as error:
        raise builder.fault(error.message, node, error.hint) from None
    except EvaluationError:
        return  # no pattern at all: FEEL gives null


def _signatures(name: str, parameters: tuple[tuple[str, ...], ...]) -> str:
    return "it is " + " or ".join(f"{name}({', '.join(names)})" for names in parameters)


def _in_order(
    builder: Builder, node: n.Call, signatures: tuple[tuple[str, ...], ...], name: str
) -> tuple[n.Node, ...]:
    """Put arguments by name into the order of the signature that has all these names."""
    given = dict(zip(node.names, node.arguments, strict=True))
    for signature in signatures:
        names = [parameter.rstrip("?*+") for parameter in signature]
        needed = {parameter.rstrip("+") for parameter in signature if not parameter.endswith(("?", "*"))}
        if len(given) == len(node.names) and needed <= given.keys() <= set(names):
            present = [given.get(parameter, n.Literal(node.end, node.end, None)) for parameter in names]
            while present and names[len(present) - 1] not in given:
                present.pop()
            return tuple(present)
    raise builder.fault(f"{name}() has no such parameters", node, _signatures(name, signatures))


FEEL_BUILDERS: Builders = {
    **BUILDERS,
    n.Filter: _filter,
    n.RangeOf: _range,
    n.Between: _between,
    n.Within: _within,
    n.Tests: _tests,
    n.Test: _test,
    n.InstanceOf: _instance,
    n.For: _for,
    n.Quantified: _quantified,
    n.FunctionOf: _function,
    n.Call: _call,
}
"""How FEEL builds each node."""
