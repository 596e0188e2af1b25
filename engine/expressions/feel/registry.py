"""How FEEL's built-in functions are declared: by the signatures that the DMN specification prints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from engine.expressions.errors import EvaluationError
from engine.expressions.feel.rules import lenient
from engine.expressions.numbers import NUMERIC
from engine.expressions.rules import Builtin, Env
from engine.expressions.values import Function, Months, Range, Value, intake, kind

KINDS: dict[str, frozenset[type]] = {
    "number": NUMERIC,
    "string": frozenset({str}),
    "boolean": frozenset({bool}),
    "list": frozenset({list}),
    "context": frozenset({dict}),
    "function": frozenset({Function}),
    "range": frozenset({Range}),
    "date": frozenset({date}),
    "time": frozenset({time}),
    "date and time": frozenset({datetime}),
    "day": frozenset({date, datetime}),
    "moment": frozenset({date, datetime, time}),
    "days duration": frozenset({timedelta}),
    "duration": frozenset({timedelta, Months}),
}
"""Kinds of parameters; ``any`` takes everything, null too."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a signature."""

    name: str
    kind: str
    optional: bool
    repeated: bool
    nullable: bool

    @property
    def shown(self) -> str:
        """The name with "?" where it may be missing, "*" or "+" where it may be repeated."""
        if self.repeated:
            return self.name + ("*" if self.optional else "+")
        return self.name + ("?" if self.optional else "")


def parse_signature(text: str) -> tuple[Parameter, ...]:
    """Read ``"string: string, start position: number, length: number?"``.

    Behind the kind "?" means that the argument may be missing, "*" any number of them, "+" at least one, and
    "~" before these that it may be null.
    """
    parameters = []
    for part in text.split(",") if text else []:
        name, _, wanted = (piece.strip() for piece in part.partition(":"))
        kind_of = wanted.rstrip("?*+~")
        if kind_of != "any" and kind_of not in KINDS:
            raise ValueError(f"no kind of parameter {kind_of!r}")
        optional, repeated = wanted.endswith(("?", "*")), wanted.endswith(("*", "+"))
        parameters.append(Parameter(name, kind_of, optional, repeated, "~" in wanted))
    return tuple(parameters)


def adapt(value: Value, wanted: str) -> tuple[bool, Value]:
    """Return whether ``value`` fits a parameter, and as what: a list of one stands for its element."""
    value = intake(value)
    if wanted == "any":
        return True, value
    kinds = KINDS[wanted]
    if type(value) in kinds:
        return True, value
    if wanted == "list":
        return value is not None, [value]
    if type(value) is list and len(value) == 1:
        only = intake(value[0])
        return type(only) in kinds, only
    return False, value


def _fit(signature: Sequence[Parameter], arguments: Sequence[Value]) -> list[Value] | None:
    if len(arguments) > len(signature) and not (signature and signature[-1].repeated):
        return None
    fitted: list[Value] = []
    for position, argument in enumerate(arguments):
        parameter = signature[min(position, len(signature) - 1)]
        if argument is None and parameter.nullable:
            fitted.append(None)
            continue
        fits, value = adapt(argument, parameter.kind)
        if not fits:
            return None
        fitted.append(value)
    if any(not parameter.optional for parameter in signature[len(arguments) :]):
        return None
    return fitted


class Registry:
    """Collects the built-in functions."""

    def __init__(self) -> None:
        """Start without any."""
        self.functions: dict[str, Builtin] = {}

    def add(self, name: str, *signatures: str) -> Callable[[Callable[..., Value]], Callable[..., Value]]:
        """Register a function under ``name``; it gets the environment and arguments that fit a signature."""
        parsed = [parse_signature(signature) for signature in signatures]

        def register(function: Callable[..., Value]) -> Callable[..., Value]:
            def call(env: Env, *arguments: Value) -> Value:
                for signature in parsed:
                    fitted = _fit(signature, arguments)
                    if fitted is not None:
                        return function(env, *fitted)
                raise EvaluationError(f"{name}() of {', '.join(map(kind, arguments))}")

            self.functions[name] = Builtin(
                lenient(call),
                min(sum(not p.optional for p in signature) for signature in parsed),
                None
                if any(signature and signature[-1].repeated for signature in parsed)
                else max(len(signature) for signature in parsed),
                tuple(tuple(p.shown for p in signature) for signature in parsed),
            )
            return function

        return register
