"""Payload: a letter on paper, as PDF."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.exchange.ports import AdapterContext, Payload


def create(context: "AdapterContext") -> "Payload":
    """Make the payload for one installation."""
    from adapters.letter.payload import LetterPayload

    return LetterPayload(context)
