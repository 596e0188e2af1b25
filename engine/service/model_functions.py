"""The functions that expressions of a model may call, bound to an authority and an instant."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from engine.deadlines.bases import check_basis
from engine.deadlines.functions import Asked, model_functions
from engine.deadlines.iso import Period
from engine.deadlines.rules import Basis
from engine.exchange import routes
from engine.expressions import EvaluationError
from engine.service.deadlines.settings import DeadlineSettings


@dataclass(slots=True)
class Watch:
    """Notes which deadline a timer's value comes from, while the runtime works it out.

    A deadline that hangs on facts is never computed inside the runtime: an advance stays a function of its
    arguments, and the exchange it hangs on may be made by this very advance. It begins unarmed; the service
    arms it in the same transaction where its facts are known (``engine.service.deadlines.course``).
    """

    asked: list[Asked] = field(default_factory=list)
    working: bool = False

    def begin(self) -> None:
        """A timer's value is worked out from now on."""
        self.asked.clear()
        self.working = True

    def end(self) -> Asked | None:
        """Return the one deadline the value comes from; None where there is none, or several."""
        self.working = False
        return self.asked[0] if len(self.asked) == 1 else None

    def note(self, asked: Asked) -> None:
        """Keep what was asked."""
        if self.working:
            self.asked.append(asked)

    def from_facts(self, rule: str, period: Period | None, basis: str, element: str | None) -> None:
        """Refuse a deadline on facts wherever it could not be armed later."""
        if not self.working:
            raise EvaluationError(
                f"deadline({rule!r}, …, {basis!r}) hangs on facts that come later",
                hint="use it as the whole value of a timer's timeDate or of dw:due",
            )
        check_basis(rule, basis)
        if any(other.basis is not Basis.FIXED for other in self.asked):
            raise EvaluationError("a timer hangs on one deadline only", hint="take two timers")


class ModelFunctions(Mapping[str, Callable[..., Any]]):
    """The functions by name, made when the first of them is called: most steps call none."""

    def __init__(self, authority_id: str, now: datetime, settings: DeadlineSettings, watch: Watch) -> None:
        """Keep what they are bound to; calendars are those of ``authority_id`` (§ 193 BGB)."""
        self._authority_id, self._now, self._settings, self._watch = authority_id, now, settings, watch

    @cached_property
    def _made(self) -> Mapping[str, Callable[..., Any]]:
        watch, settings = self._watch, self._settings

        def from_facts(rule: str, period: Period | None, basis: str, element: str | None) -> None:
            watch.from_facts(rule, period, basis, element)

        timely = model_functions(
            settings.calendars.for_authority(self._authority_id),
            self._now,
            settings.open_questions,
            from_facts=from_facts,
            note=watch.note,
        )
        return {**timely, **routes.FUNCTIONS}

    def __getitem__(self, name: str) -> Callable[..., Any]:
        """Return the function ``name``."""
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._made)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._made)
