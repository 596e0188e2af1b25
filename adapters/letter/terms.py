"""What a message type says about its letter: ``mappings: {letter: {…}}``."""

from dataclasses import dataclass
from enum import StrEnum

from adapters.letter.errors import LetterUnprintableError
from engine.exchange.ports import MessageType


class Registered(StrEnum):
    """A registered variant of the post, or none."""

    NONE = "none"
    DROPPED = "einwurf"
    HANDED = "uebergabe"
    SLIP = "rueckschein"


REMARKS = {
    Registered.DROPPED: "Einschreiben Einwurf",
    Registered.HANDED: "Einschreiben",
    Registered.SLIP: "Einschreiben Rückschein",
}
"""What is printed above the address."""


@dataclass(frozen=True, slots=True)
class LetterTerms:
    """How one message type wants its letter."""

    registered: Registered = Registered.NONE
    answer_sheet: bool | None = None
    """None: where an answer is asked for by a day."""


def read_terms(message_type: MessageType) -> LetterTerms:
    """Read the terms; raise LetterUnprintableError where they are not understood."""
    values = dict(message_type.mappings.get("letter", {}))
    registered, sheet = values.pop("registered", "none"), values.pop("answer_sheet", None)
    known = [variant.value for variant in Registered]
    if values or registered not in known or sheet not in (None, True, False):
        raise LetterUnprintableError(
            f"mappings.letter is not understood: {message_type.mappings['letter']!r}",
            where=f"message type {message_type.key} {message_type.version}",
            hint=f"registered: {' | '.join(known)}; answer_sheet: true | false",
        )
    return LetterTerms(Registered(registered), sheet)
