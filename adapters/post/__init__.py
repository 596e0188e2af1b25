"""Carrier: the post, through a print folder."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.exchange.ports import AdapterContext, Carrier


def create(context: "AdapterContext") -> "Carrier":
    """Make the carrier for one installation."""
    from adapters.post.carrier import PostCarrier

    return PostCarrier(context)
