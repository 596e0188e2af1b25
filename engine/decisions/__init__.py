"""DMN decisions for business rule tasks (``docs/reference/dmn.md``)."""

from engine.decisions.decisions import Decision, Decisions, InputData
from engine.decisions.errors import (
    DecisionError,
    DecisionFileError,
    HitPolicyError,
    MissingInputError,
    NoSuchDecisionError,
    TypeMismatchError,
)
from engine.decisions.reader import read_decisions

__all__ = [
    "Decision",
    "DecisionError",
    "DecisionFileError",
    "Decisions",
    "HitPolicyError",
    "InputData",
    "MissingInputError",
    "NoSuchDecisionError",
    "TypeMismatchError",
    "read_decisions",
]
