"""Closures for calls: of built-in functions, and of functions that the caller supplies."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.expressions import nodes as n
from engine.expressions.errors import EvaluationError
from engine.expressions.limits import SIZED, charge, size
from engine.expressions.rules import Builtin, Closure, Env
from engine.expressions.values import Value, intake

if TYPE_CHECKING:
    from engine.expressions.closures import Builder, Static


def call(builder: "Builder", node: n.Call, scope: "Static") -> Closure:
    """Build a call by name in the bare dialect and JUEL."""
    function, source = node.function, builder.source(node)
    if isinstance(function, n.Name) and function.name not in scope.bound:
        builtin = builder.rules.builtins.get(function.name)
        if builtin is not None:
            return _builtin(builder, node, function.name, scope)
        if function.name in builder.functions:
            return foreign_call(builder, node, function.name, scope)
    raise builder.fault(
        f'no function "{source[: max(source.find("("), 0)].strip() or source}"',
        node,
        hint="docs/reference/expressions.md lists the built-in functions",
    )


def _builtin(builder: "Builder", node: n.Call, name: str, scope: "Static") -> Closure:
    builtin = builder.rules.builtins[name]
    count = len(node.arguments)
    if count < builtin.least or (builtin.most is not None and count > builtin.most):
        raise builder.fault(f"{name}() with {count} arguments", node, _arity(builtin.least, builtin.most))
    arguments, source = builder.many(node.arguments, scope), builder.source(node)

    def run(env: Env) -> Value:
        try:
            return charged(env, name, builtin, [argument(env) for argument in arguments])
        except EvaluationError as error:
            raise error.inside(source) from None

    return run


def _arity(least: int, most: int | None) -> str:
    if most is None:
        return f"it takes {least} or more"
    return f"it takes {least}" if least == most else f"it takes {least} to {most}"


CALL_STEPS = 4
CHEAP = frozenset({"count", "get value", "len", "string length"})
"""Built-in functions that do not go through their arguments."""


def charged(env: Env, name: str, builtin: Builtin, arguments: list[Value]) -> Value:
    """Call a built-in and take off what its arguments and its result cost."""
    env.budget.spend(CALL_STEPS)
    if name not in CHEAP:
        charge(env.budget, *arguments)
    result = builtin.call(env, *arguments)
    if type(result) in SIZED:
        env.budget.spend(size(result))
    return result


def foreign_call(builder: "Builder", node: n.Call, name: str, scope: "Static") -> Closure:
    """Build the call of a function that the caller supplies at run time."""
    if node.names:
        raise builder.fault(f"{name}() takes arguments by position", node)
    builder.called.add(name)
    arguments, source = builder.many(node.arguments, scope), builder.source(node)

    def run(env: Env) -> Value:
        function: Callable[..., Any] | None = env.functions.get(name)
        if function is None:
            raise EvaluationError(f"the function {name}() is not available here", expression=source)
        try:
            return intake(function(*[argument(env) for argument in arguments]))
        except EvaluationError as error:
            raise error.inside(source) from None
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise EvaluationError(f"{name}() failed: {error}", expression=source) from error

    return run
