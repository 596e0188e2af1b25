"""From tree to closures: each node becomes a function of the environment. Parsed once, run often."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.expressions import calls
from engine.expressions import nodes as n
from engine.expressions.errors import EvaluationError, ExpressionError
from engine.expressions.limits import DEPTH, SIZED, charge, check_text, size
from engine.expressions.rules import Closure, Env, Rules
from engine.expressions.values import Value, intake

POWER_STEPS = 100
"""A power of decimals takes as long as so many plain operators."""


@dataclass(frozen=True, slots=True)
class Static:
    """What is known of local names while building: ``bound`` for certain, anything where ``open``."""

    bound: frozenset[str] = frozenset()
    open: bool = False
    """Inside a FEEL filter, where the element's keys are names too."""

    def bind(self, *names: str) -> "Static":
        """Return this scope with more local names."""
        return replace(self, bound=self.bound | frozenset(names))

    def opened(self) -> "Static":
        """Return the scope inside a filter."""
        return Static(self.bound | {"item"}, open=True)


class Builder:
    """Builds the closures of one expression and gathers the names it uses."""

    def __init__(
        self,
        text: str,
        rules: Rules,
        functions: Collection[str],
        builders: "Builders | None" = None,
        variables: Collection[str] = (),
    ) -> None:
        """Build for ``rules``.

        Args:
            text: The expression's text, for errors.
            rules: The dialect's meaning.
            functions: Names of functions that the caller will supply at run time.
            builders: How to build each node; by default those that every dialect has.
            variables: Variables known to exist; they hide built-in functions of the same name.
        """
        self.builders = BUILDERS if builders is None else builders
        self.variables = frozenset(variables)
        self.text = text
        self.rules = rules
        self.functions = frozenset(functions)
        self.names: set[str] = set()
        self.perhaps: set[str] = set()
        self.called: set[str] = set()
        self.nodes = 0
        self.depth = 0
        self.height = 0

    def build(self, node: n.Node, scope: Static) -> Closure:
        """Return the closure for ``node``; raise ExpressionError for what cannot be right."""
        self.nodes += 1
        self.depth += 1
        self.height = max(self.height, self.depth)
        if self.depth > DEPTH:
            raise self.fault(f"operators nested more than {DEPTH} deep", node, "split the expression")
        build = self.builders.get(type(node))
        if build is None:
            raise self.fault(f"{type(node).__name__} is not known in {self.rules.dialect}", node)
        closure = build(self, node, scope)
        self.depth -= 1
        return closure

    def many(self, parts: tuple[n.Node, ...], scope: Static) -> tuple[Closure, ...]:
        """Build several nodes."""
        return tuple(self.build(part, scope) for part in parts)

    def weighed(self, node: n.Node, scope: Static) -> tuple[Closure, int]:
        """Build ``node`` and count its nodes: what one round of a loop over it costs."""
        before = self.nodes
        closure = self.build(node, scope)
        return closure, self.nodes - before

    def source(self, node: n.Node) -> str:
        """Return the text of ``node``."""
        return self.text[node.start : node.end]

    def fault(self, message: str, node: n.Node, hint: str | None = None) -> ExpressionError:
        """Return an error that points at ``node``."""
        return ExpressionError(message, text=self.text, offset=node.start, hint=hint)


def _literal(builder: Builder, node: n.Literal, scope: Static) -> Closure:
    value = node.value
    return lambda env: value


def _name(builder: Builder, node: n.Name, scope: Static) -> Closure:
    name, missing = node.name, builder.rules.missing
    local = name in scope.bound
    if local or scope.open:
        if not local:
            builder.perhaps.add(name)
        return _local(name, missing, builder.source(node))
    builder.names.add(name)
    source = builder.source(node)

    def read(env: Env) -> Value:
        value = env.data.get(name, env)
        if value is env:
            try:
                return missing(name)
            except EvaluationError as error:
                raise error.inside(source) from None
        cls = type(value)
        return value if cls is str or cls is bool or cls is dict else intake(value)

    return read


def _local(name: str, missing: Callable[[str], Value], source: str) -> Closure:
    def read(env: Env) -> Value:
        here: Env | None = env
        while here is not None:
            if here.names is not None and name in here.names:
                return intake(here.names[name])
            here = here.parent
        if name in env.data:
            return intake(env.data[name])
        try:
            return missing(name)
        except EvaluationError as error:
            raise error.inside(source) from None

    return read


def _member(builder: Builder, node: n.Member, scope: Static) -> Closure:
    target, name, source = builder.build(node.target, scope), node.name, builder.source(node)
    member = builder.rules.member

    def read(env: Env) -> Value:
        value = target(env)
        try:
            if type(value) is list:
                charge(env.budget, value)
            return member(value, name)
        except EvaluationError as error:
            raise error.inside(source) from None

    return read


def guarded(function: Callable[..., Value], parts: tuple[Closure, ...], source: str) -> Closure:
    """Return a closure that calls ``function`` with the parts' values and names ``source`` in errors."""
    if len(parts) == 1:
        (only,) = parts

        def call_one(env: Env) -> Value:
            try:
                return function(only(env))
            except EvaluationError as error:
                raise error.inside(source) from None

        return call_one
    first, second = parts

    def call_two(env: Env) -> Value:
        try:
            return function(first(env), second(env))
        except EvaluationError as error:
            raise error.inside(source) from None

    return call_two


def _index(builder: Builder, node: n.Index, scope: Static) -> Closure:
    parts = builder.many((node.target, node.index), scope)
    return guarded(builder.rules.index, parts, builder.source(node))


def _negate(builder: Builder, node: n.Negate, scope: Static) -> Closure:
    negate, plus = builder.rules.negate, node.plus
    return guarded(
        lambda value: negate(value, plus), (builder.build(node.operand, scope),), builder.source(node)
    )


def _empty(builder: Builder, node: n.Empty, scope: Static) -> Closure:
    return guarded(builder.rules.empty, (builder.build(node.operand, scope),), builder.source(node))


def _binary(builder: Builder, node: n.Binary, scope: Static) -> Closure:
    parts = builder.many((node.left, node.right), scope)
    operator = builder.rules.operators.get(node.op)
    if operator is None:
        raise builder.fault(f'"{node.op}" is no operator in {builder.rules.dialect}', node)
    if isinstance(node.right, n.Literal) and node.op in n.COMPARISONS:
        return _with_constant(operator, parts[0], node.right.value, builder.source(node))
    extra = POWER_STEPS if node.op is n.Op.POWER else 0
    return _sized(operator, parts, builder.source(node), extra)


def _sized(
    operator: Callable[[Value, Value], Value], parts: tuple[Closure, ...], source: str, extra: int
) -> Closure:
    """Return the closure for an operator that may have to go through long texts, lists and dicts."""
    first, second = parts

    def call(env: Env) -> Value:
        left, right = first(env), second(env)
        try:
            if type(left) in SIZED or type(right) in SIZED:
                charge(env.budget, left, right)
            if extra:
                env.budget.spend(extra)
            return operator(left, right)
        except EvaluationError as error:
            raise error.inside(source) from None

    return call


def _with_constant(
    operator: Callable[[Value, Value], Value], left: Closure, constant: Value, source: str
) -> Closure:
    """Return the closure for a comparison with a constant: its cost does not grow with the left side."""

    def call(env: Env) -> Value:
        try:
            return operator(left(env), constant)
        except EvaluationError as error:
            raise error.inside(source) from None

    return call


def _chain(builder: Builder, node: n.Chain, scope: Static) -> Closure:
    first = builder.build(node.first, scope)
    links = tuple((builder.rules.operators[op], builder.build(right, scope)) for op, right in node.links)
    source = builder.source(node)

    def compare(env: Env) -> Value:
        try:
            left = first(env)
            for operator, closure in links:
                right = closure(env)
                if type(left) in SIZED or type(right) in SIZED:
                    charge(env.budget, left, right)
                if not operator(left, right):
                    return False
                left = right
        except EvaluationError as error:
            raise error.inside(source) from None
        return True

    return compare


def _not(builder: Builder, node: n.Not, scope: Static) -> Closure:
    truth = builder.rules.truth

    def invert(value: Value) -> bool | None:
        judged = truth(value)
        return None if judged is None else not judged

    return guarded(invert, (builder.build(node.operand, scope),), builder.source(node))


def _logic(builder: Builder, node: n.Logic, scope: Static) -> Closure:
    """Build ``and``/``or``: the deciding value ends it; unknown operands (null) make the rest unknown."""
    operands = tuple((builder.build(part, scope), builder.source(part)) for part in node.operands)
    truth, deciding = builder.rules.truth, not node.conjunction

    def judge(env: Env) -> Value:
        unknown = False
        for operand, source in operands:
            value = operand(env)
            if value is not True and value is not False:
                try:
                    value = truth(value)
                except EvaluationError as error:
                    raise error.inside(source) from None
            if value is deciding:
                return deciding
            if value is None:
                unknown = True
        return None if unknown else not deciding

    return judge


def _if(builder: Builder, node: n.If, scope: Static) -> Closure:
    condition, then, otherwise = builder.many((node.condition, node.then, node.otherwise), scope)
    truth, source = builder.rules.truth, builder.source(node.condition)

    def choose(env: Env) -> Value:
        value = condition(env)
        try:
            judged = truth(value)
        except EvaluationError as error:
            raise error.inside(source) from None
        return then(env) if judged else otherwise(env)

    return choose


def _list(builder: Builder, node: n.ListOf, scope: Static) -> Closure:
    items = builder.many(node.items, scope)
    return lambda env: [item(env) for item in items]


def _context(builder: Builder, node: n.ContextOf, scope: Static) -> Closure:
    entries = []
    for key, part in node.entries:
        entries.append((key, builder.build(part, scope)))
        if node.scoped:
            scope = scope.bind(key)
    if not node.scoped:
        return lambda env: {key: closure(env) for key, closure in entries}

    def collect(env: Env) -> Value:
        names: dict[str, Value] = {}
        inner = env.inner(names)
        for key, closure in entries:
            names[key] = closure(inner)
        return dict(names)

    return collect


def _join(builder: Builder, node: n.Join, scope: Static) -> Closure:
    parts = tuple((builder.build(part, scope), builder.source(part)) for part in node.parts)
    text = builder.rules.text

    def join(env: Env) -> str:
        pieces = []
        for closure, source in parts:
            value = closure(env)
            try:
                pieces.append(text(value))
            except EvaluationError as error:
                raise error.inside(source) from None
        whole = check_text("".join(pieces))
        env.budget.spend(size(whole))
        return whole

    return join


Builders = Mapping[type, Callable[[Builder, Any, Static], Closure]]
BUILDERS: Builders = {
    n.Literal: _literal,
    n.Name: _name,
    n.Member: _member,
    n.Index: _index,
    n.Negate: _negate,
    n.Not: _not,
    n.Empty: _empty,
    n.Binary: _binary,
    n.Chain: _chain,
    n.Logic: _logic,
    n.If: _if,
    n.ListOf: _list,
    n.ContextOf: _context,
    n.Join: _join,
    n.Call: calls.call,
}
"""How to build the nodes that every dialect has."""
