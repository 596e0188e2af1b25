"""The register: every relation that the deployed models can have, computed and never stored."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from engine.exchange.decision import Relation
from engine.migration.reasons import Reason, Reasons, Why, for_relation


class Known(StrEnum):
    """How it is known that somebody can be the recipient."""

    CONSTANT = "constant"
    """The model names it."""
    SEEN = "seen"
    """Something was sent to it."""
    IMPORTED = "imported"
    """Imported figures name it."""
    DIRECTORY = "directory"
    """The directory has it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a deployed model that sends to another authority."""

    procedure: str
    element: str
    name: str
    role: str
    """Title of the part that takes it."""
    message: str
    form: str
    fallback: str
    recipient: str = ""
    """The model's expression."""
    constant: str | None = None
    """The recipient's key, where the expression is a literal."""
    retired: bool = False
    """True where only the history knows it: no newest version has it any more."""


@dataclass(frozen=True, slots=True)
class Volume:
    """How many exchanges a relation had. Own figures are counted, imported ones believed."""

    own: int = 0
    imported: int = 0
    paper: int = 0
    """How many of both are known to have been on paper."""

    @property
    def total(self) -> int:
        """Own and imported exchanges."""
        return self.own + self.imported

    def __add__(self, other: "Volume") -> "Volume":
        return Volume(self.own + other.own, self.imported + other.imported, self.paper + other.paper)


NOTHING = Volume()
Key = tuple[str, str, str, str]
"""Procedure, element, sender, recipient."""


@dataclass(frozen=True, slots=True)
class Line:
    """One relation."""

    relation: Relation
    known: Known
    volume: Volume
    why: Why


@dataclass(frozen=True, slots=True)
class StepSummary:
    """All relations of a step within a scope."""

    step: Step
    reason: Reason
    """The first sender's; ``why`` splits by relation."""
    relations: int
    used: int
    """How many relations have figures."""
    volume: Volume
    why: Mapping[Why, int]
    """Relations by why they still are on paper, as far as they do not go electronically already."""


@dataclass(frozen=True)
class Register:
    """Steps × senders × recipients within a scope."""

    steps: Sequence[Step]
    """A step with a constant recipient is here only where that one is within the scope."""
    senders: Sequence[str]
    recipients: Sequence[str]
    """The directory's authorities within the scope, in order."""
    volumes: Mapping[Key, Volume]
    """Relations with figures within the scope; they may name authorities that the directory has lost."""
    reasons: Reasons
    imported: frozenset[Key] = field(default_factory=frozenset)
    """Relations that only imported figures know."""
    everybody: bool = True
    """False: only relations with figures, or with a constant recipient."""

    def lines(self, offset: int = 0, limit: int | None = None) -> Iterator[Line]:
        """Yield relations by step, sender and recipient; ``offset`` many are passed over."""
        left = limit
        for step in self.steps:
            for sender in self.senders:
                found = self._recipients(step, sender)
                if offset >= len(found):
                    offset -= len(found)
                    continue
                for recipient in found[offset:]:
                    if left == 0:
                        return
                    yield self._line(step, sender, recipient)
                    left = None if left is None else left - 1
                offset = 0

    def count(self) -> int:
        """Return how many relations there are."""
        return sum(len(self._recipients(step, sender)) for step in self.steps for sender in self.senders)

    def summary(self) -> list[StepSummary]:
        """Return one line a step."""
        return [self._summary(step) for step in self.steps]

    def total(self) -> Volume:
        """Return the figures of all relations together."""
        return sum(self.volumes.values(), NOTHING)

    def _recipients(self, step: Step, sender: str) -> list[str]:
        if step.constant is not None:
            return [step.constant] if step.constant != sender else []
        seen = [key for key in self._seen.get((step.procedure, step.element, sender), []) if key != sender]
        if step.retired or not self.everybody:
            return seen
        lost = [key for key in seen if key not in self._known_to_directory]
        return [*(key for key in self.recipients if key != sender), *lost]

    @cached_property
    def _known_to_directory(self) -> frozenset[str]:
        return frozenset(self.recipients)

    @cached_property
    def _seen(self) -> Mapping[tuple[str, str, str], list[str]]:
        found: dict[tuple[str, str, str], list[str]] = {}
        for procedure, element, sender, recipient in sorted(self.volumes):
            found.setdefault((procedure, element, sender), []).append(recipient)
        return found

    def _summary(self, step: Step) -> StepSummary:
        relations, used, volume = 0, 0, NOTHING
        why: dict[Why, int] = {}
        for sender in self.senders:
            reason = self.reasons.of_step(sender, step.procedure, step.element)
            for recipient in self._recipients(step, sender):
                relations += 1
                group = for_relation(reason, has_channel=recipient in self.reasons.reachable)
                why[group] = why.get(group, 0) + 1
                figures = self.volumes.get((step.procedure, step.element, sender, recipient))
                if figures is not None:
                    used += 1
                    volume += figures
        first = self.reasons.of_step(self.senders[0], step.procedure, step.element)
        return StepSummary(step, first, relations, used, volume, why)

    def _line(self, step: Step, sender: str, recipient: str) -> Line:
        key = (step.procedure, step.element, sender, recipient)
        volume = self.volumes.get(key, NOTHING)
        relation = Relation(*key)
        return Line(relation, self._known(step, key), volume, self.reasons.of(*key))

    def _known(self, step: Step, key: Key) -> Known:
        if step.constant is not None:
            return Known.CONSTANT
        if key in self.volumes:
            return Known.IMPORTED if key in self.imported else Known.SEEN
        return Known.DIRECTORY
