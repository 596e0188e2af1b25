"""What a dialect must say about meaning; the closures are the same for all."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.expressions.limits import Budget
from engine.expressions.nodes import Op
from engine.expressions.values import Value


@dataclass(frozen=True, slots=True)
class Builtin:
    """A built-in function: ``call`` gets the environment and the arguments in order."""

    call: Callable[..., Value]
    least: int
    most: int | None
    """None: any number of arguments."""
    parameters: tuple[tuple[str, ...], ...] = ()
    """The parameter lists that a call by name may use; names that end in "?" may be missing."""


class Rules(Protocol):
    """The meaning of the operators in one dialect."""

    dialect: str
    builtins: Mapping[str, Builtin]
    operators: Mapping[Op, Callable[[Value, Value], Value]]

    def missing(self, name: str) -> Value:
        """Return what an unknown variable stands for, or raise EvaluationError."""

    def member(self, target: Value, name: str) -> Value:
        """Return ``target.name``."""

    def index(self, target: Value, index: Value) -> Value:
        """Return ``target[index]``."""

    def negate(self, value: Value, plus: bool) -> Value:
        """Return ``-value`` or ``+value``."""

    def truth(self, value: Value) -> bool | None:
        """Return the truth of an operand of ``and``, ``or``, ``not`` and of conditions; None for unknown."""

    def empty(self, value: Value) -> bool:
        """Tell whether ``value`` is empty (JUEL)."""

    def text(self, value: Value) -> str:
        """Return ``value`` as a piece of a text template."""


class Env:
    """What one evaluation knows: the data, the caller's functions, what is left to spend, local names."""

    __slots__ = ("budget", "data", "functions", "names", "parent")

    def __init__(
        self,
        data: Mapping[str, Value],
        functions: Mapping[str, Callable[..., Any]],
        budget: Budget,
        names: Mapping[str, Value] | None = None,
        parent: "Env | None" = None,
    ) -> None:
        """Begin with the case's data; ``names`` are local and hide those of ``parent`` and of ``data``."""
        self.data = data
        self.functions = functions
        self.budget = budget
        self.names = names
        self.parent = parent

    def inner(self, names: Mapping[str, Value]) -> "Env":
        """Return an environment with more local names."""
        return Env(self.data, self.functions, self.budget, names, self)


Closure = Callable[[Env], Value]
Closures = Sequence[Closure]
