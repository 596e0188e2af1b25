"""Carrier: eGo-MAIL, the Saarland's Virtuelle Poststelle (OSCI-Transport 1.2)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.ego_mail.carrier import EgoMailCarrier
    from engine.exchange.ports import AdapterContext


def create(context: "AdapterContext") -> "EgoMailCarrier":
    """Make the carrier for one installation."""
    from adapters.ego_mail.carrier import EgoMailCarrier

    return EgoMailCarrier(context)
