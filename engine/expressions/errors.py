"""What goes wrong with expressions: at compile time (the model is refused) and at run time (an incident)."""

from dataclasses import dataclass

from engine.errors import RefusedError

EXCERPT = 80


@dataclass(frozen=True, slots=True)
class Position:
    """A place in an expression's text: ``offset`` counts from 0, ``line`` and ``column`` from 1."""

    offset: int
    line: int
    column: int

    @classmethod
    def of(cls, text: str, offset: int) -> "Position":
        """Return the position of ``offset`` in ``text``."""
        before = text[:offset]
        return cls(offset, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}"


class ExpressionError(RefusedError):
    """The text is no expression of its dialect."""

    def __init__(
        self,
        message: str,
        *,
        text: str = "",
        offset: int = 0,
        hint: str | None = None,
        where: str | None = None,
    ) -> None:
        """Refuse ``text`` because of what stands at ``offset``."""
        self.text = text
        self.position = Position.of(text, offset)
        place = f"{self.position} of {excerpt(text)}" if text else None
        super().__init__(message, where=where or place, hint=hint)


class EvaluationError(RefusedError):
    """The expression has no value for this data."""

    def __init__(self, message: str, *, expression: str | None = None, hint: str | None = None) -> None:
        """Keep what went wrong and in which sub-expression (filled in by the evaluator)."""
        self.expression = expression
        super().__init__(message, where=None if expression is None else excerpt(expression), hint=hint)

    def inside(self, expression: str) -> "EvaluationError":
        """Name the sub-expression unless an inner one is already named; return the error itself."""
        if self.expression is None:
            self.expression = expression
            self.where = excerpt(expression)
        return self


class FirmError(EvaluationError):
    """An error that FEEL does not turn into null: the expression asks for what we do not do."""


class LimitError(FirmError):
    """The expression needs more steps, room or depth than an expression gets."""


class UnsupportedError(FirmError):
    """The expression uses a part of its language that is outside the subset, found only at run time."""


def excerpt(text: str) -> str:
    """Return ``text`` on one line in guillemets, cut to about 80 characters."""
    flat = " ".join(text.split())
    return f"«{flat if len(flat) <= EXCERPT else flat[: EXCERPT - 1] + '…'}»"
