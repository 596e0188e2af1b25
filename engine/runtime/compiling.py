"""Turns texts of a model into things that can be evaluated, and says where a text is wrong."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from engine.definitions.model import DataMapping, Expression, Model, Node, Script, TimerKind
from engine.expressions import (
    EvaluationError,
    ExpressionError,
    compile_expression,
    compile_script,
    compile_timer,
)
from engine.runtime.api import Json
from engine.runtime.errors import BranchFailure, ProgramRefusedError

if TYPE_CHECKING:
    from engine.runtime.specs import ScopeSpec

Functions = Mapping[str, Callable[..., Json]]


@dataclass(frozen=True, slots=True)
class Formula:
    """A compiled expression and its text."""

    text: str
    compiled: Any

    def value(self, data: Mapping[str, Json], functions: Functions) -> Json:
        """Return the value for ``data``; raise BranchFailure where there is none."""
        try:
            return self.compiled.evaluate(data, functions)
        except EvaluationError as error:
            raise BranchFailure(str(error)) from error

    def truth(self, data: Mapping[str, Json], functions: Functions) -> bool:
        """Return the value of a condition; raise BranchFailure where it is neither true nor false."""
        value = self.value(data, functions)
        if value is None:
            return False
        if not isinstance(value, bool):
            raise BranchFailure(f"the condition «{self.text}» is {value!r}, not true or false")
        return value


@dataclass(frozen=True, slots=True)
class Routine:
    """A compiled script and its text."""

    text: str
    compiled: Any

    def run(self, data: Mapping[str, Json], functions: Functions) -> dict[str, Json]:
        """Return the names that the script sets; raise BranchFailure where it fails."""
        try:
            result: dict[str, Json] = self.compiled.run(data, functions)
        except EvaluationError as error:
            raise BranchFailure(str(error)) from error
        return result


@dataclass(frozen=True, slots=True)
class Assignment:
    """A compiled data mapping; ``source`` None with ``every`` copies all."""

    target: str
    source: Formula | None
    every: bool


class Compiler:
    """Compiles the texts of one model's process."""

    def __init__(
        self, model: Model, processes: dict[str, "ScopeSpec"], functions: Collection[str] = ()
    ) -> None:
        """Compile for ``model``; ``processes`` fills with the processes that are called."""
        self.model = model
        self.processes = processes
        self.functions = functions
        self.wanted: list[tuple[str, str]] = []
        """Called process ids with the place that calls them."""

    def where(self, line: int, element: str | None = None) -> str:
        """Return the place as the checker writes it."""
        place = f"{self.model.file}:{line}"
        return place if element is None else f"{place}: {element}"

    def refuse(self, node: Node, message: str, hint: str | None = None) -> NoReturn:
        """Raise ProgramRefusedError for ``node``."""
        raise ProgramRefusedError(message, where=self.where(node.line, node.id), hint=hint)

    def formula(self, expression: Expression | None) -> Formula | None:
        """Compile ``expression``; None stays None."""
        if expression is None:
            return None
        try:
            compiled = compile_expression(expression.text, expression.language, functions=self.functions)
        except ExpressionError as error:
            raise ProgramRefusedError(str(error), where=self.where(expression.line)) from error
        return Formula(expression.text, compiled)

    def timer(self, expression: Expression, kind: TimerKind) -> Formula:
        """Compile the value of a timer."""
        try:
            timer = compile_timer(expression.text, kind.value, expression.language, functions=self.functions)
        except ExpressionError as error:
            raise ProgramRefusedError(str(error), where=self.where(expression.line)) from error
        # A computed timer may be null: it is then unarmed until the deadline behind it is known.
        return Formula(expression.text, timer if timer.expression is None else timer.expression)

    def script(self, script: Script) -> Routine:
        """Compile a script task's text."""
        try:
            compiled = compile_script(script.text, script.format, functions=self.functions)
        except ExpressionError as error:
            raise ProgramRefusedError(str(error), where=self.where(script.line)) from error
        return Routine(script.text, compiled)

    def script_value(self, script: Script) -> Formula:
        """Compile a script that is one expression, whose value a variable takes."""
        formula = self.formula(Expression(script.text, script.line, script.format))
        if formula is None:
            raise AssertionError("an expression was given")
        return formula

    def mappings(self, mappings: tuple[DataMapping, ...]) -> tuple[Assignment, ...]:
        """Compile data mappings."""
        return tuple(
            Assignment(mapping.target, self.formula(mapping.source), mapping.all) for mapping in mappings
        )

    def attribute(self, node: Node, name: str) -> Formula | None:
        """Compile a dw attribute that holds an expression; None where the node has none."""
        text = node.attributes.get(name)
        return None if text is None else self.formula(Expression(text, node.line))
