"""One evaluation of a decision, and what boxed expressions are compiled to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.expressions.limits import Budget
from engine.expressions.values import Functions, Value

Names = Mapping[str, Value]
"""The variables that a boxed expression sees."""


@dataclass(slots=True)
class Run:
    """What one evaluation has: data, the caller's functions, steps left, results by decision id."""

    data: Names
    functions: Functions
    budget: Budget = field(default_factory=Budget)
    results: dict[str, Value] = field(default_factory=dict)


Logic = Callable[[Names, Run], Value]
"""A compiled boxed expression."""
