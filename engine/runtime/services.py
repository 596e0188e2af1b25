"""What an advance may use of the world outside: the instant, functions, decisions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from engine.runtime.api import Json

STEP_LIMIT = 100_000
"""Steps that one command may set off; a branch that needs more is held as an endless loop."""


class DecisionEvaluator(Protocol):
    """Evaluates a DMN decision."""

    def __call__(self, decision: str, data: Mapping[str, Json]) -> Json:
        """Return the decision's value for ``data``; raise a RefusedError where it has none."""
        ...


class TimerWatch(Protocol):
    """Learns what a timer's value comes from: the functions that are called while it is worked out."""

    def begin(self) -> None:
        """A timer's value is worked out from now on."""
        ...

    def end(self) -> Json:
        """It is worked out, or could not be; return what is to be known of its source."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What the caller of ``advance`` hands in."""

    now: datetime
    functions: Mapping[str, Callable[..., Json]] = field(default_factory=dict)
    decisions: DecisionEvaluator | None = None
    zone: str = "Europe/Berlin"
    step_limit: int = STEP_LIMIT
    watch: TimerWatch | None = None
