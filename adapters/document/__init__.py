"""Payload: a letter as an electronic document, with its attachments and its data beside it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.exchange.ports import AdapterContext, Payload


def create(context: "AdapterContext") -> "Payload":
    """Make the payload for one installation."""
    from adapters.document.payload import DocumentPayload

    return DocumentPayload(context)
