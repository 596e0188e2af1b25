"""How an installation counts: ``[deadlines]`` in ``dienstweg.toml``."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from engine.deadlines.calendars import RegionalCalendar, RegionalCalendars
from engine.deadlines.iso import parse_period
from engine.errors import RefusedError

if TYPE_CHECKING:
    from engine.deadlines.computing import Settings as Answers


def _asked(answers: dict[str, str]) -> dict[str, str]:
    """Let only answers to known questions pass; the rules are read only where there are answers."""
    if answers:
        from engine.deadlines.computing import Settings as Answers
        from engine.deadlines.rules_reading import load_rules

        try:
            Answers(answers).check(load_rules())
        except RefusedError as error:
            raise ValueError(str(error)) from error
    return answers


def _period(text: str) -> str:
    try:
        parse_period(text)
    except RefusedError as error:
        raise ValueError(str(error)) from error
    return text


def _regions(regions: dict[str, str]) -> dict[str, str]:
    try:
        for region in regions.values():
            RegionalCalendar(region)
    except RefusedError as error:
        raise ValueError(str(error)) from error
    return regions


Period = Annotated[str, AfterValidator(_period)]


class DeadlineSettings(BaseModel):
    """Answers to open questions, calendars, and how long an unarmed deadline is left alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answers: Annotated[dict[str, str], AfterValidator(_asked)] = Field(default_factory=dict)
    """Open question → answer; ``dienstweg deadline questions`` lists them."""
    regions: Annotated[dict[str, str], AfterValidator(_regions)] = Field(default_factory=dict)
    """Authority → Land (``SL``, ``RP``), where its key does not tell."""
    closing: dict[str, dict[date, str]] = Field(default_factory=dict)
    """Authority → own closing days and why; they move no legal deadline."""
    watch: Period = "P14D"
    """How long a deadline may be unarmed before a person is asked to look."""
    remind_before: tuple[Period, ...] = ()
    """When to remind people before an end, where the model does not say."""
    soon: int = Field(default=3, ge=0, le=100)
    """A deadline's light is yellow when at most this many working days are left."""

    @cached_property
    def calendars(self) -> RegionalCalendars:
        """Calendars by authority (§ 193 BGB)."""
        closing: Mapping[str, Any] = self.closing
        return RegionalCalendars(self.regions, closing)

    @cached_property
    def open_questions(self) -> "Answers":
        """How open questions are answered."""
        from engine.deadlines.computing import Settings as Answers

        return Answers(self.answers)
