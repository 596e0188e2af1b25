"""Carrier: an exchange folder."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.folder.carrier import FolderCarrier
    from engine.exchange.ports import AdapterContext


def create(context: "AdapterContext") -> "FolderCarrier":
    """Make the carrier for one installation."""
    from adapters.folder.carrier import FolderCarrier

    return FolderCarrier(context)
