"""What goes wrong with decisions: when a file is read, and when a decision is evaluated."""

from engine.definitions.xml import UnreadableFileError
from engine.errors import NotFoundError
from engine.expressions import EvaluationError


class DecisionFileError(UnreadableFileError):
    """The file holds decisions that cannot be evaluated right."""


class NoSuchDecisionError(NotFoundError):
    """The file has no such decision."""


class DecisionError(EvaluationError):
    """A decision has no value for this data."""


class MissingInputError(DecisionError):
    """The data lacks an input of the decision."""


class TypeMismatchError(DecisionError):
    """A value is not of the type that the decision declares."""


class HitPolicyError(DecisionError):
    """The rules that hold contradict the table's hit policy."""
