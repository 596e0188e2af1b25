"""Payload: xdomea messages in their containers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.xdomea.payload import XdomeaPayload
    from engine.exchange.ports import AdapterContext


def create(context: "AdapterContext") -> "XdomeaPayload":
    """Make the payload for one installation; raise SchemaFolderError where its schemas cannot be found."""
    from adapters.xdomea.payload import XdomeaPayload

    return XdomeaPayload(context)
