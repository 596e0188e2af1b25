"""What a channel proves by itself: facts that its carrier yields or its payload's receipts bring."""

from typing import TYPE_CHECKING

from engine.exchange.abilities import ExpectsConfirmations
from engine.exchange.ports import split_channel

if TYPE_CHECKING:
    from engine.service.installation import Installation

ARRIVAL = ("received", "imported", "acknowledged", "retrieved")
"""Facts that say a message has arrived."""
RECEIPTS = (*ARRIVAL, "answered")
"""Facts after which nobody waits for a receipt any more."""


def facts_of_channel(app: "Installation", channel: str) -> dict[str, str]:
    """Return the facts that come by themselves on ``channel``, each with what proves it."""
    payload_name, carrier_name = split_channel(channel)
    found = dict(app.adapters.carrier(carrier_name).describe().facts)
    if isinstance(app.adapters.payload(payload_name), ExpectsConfirmations):
        for kind, what in (("received", "receipt"), ("imported", "import confirmation")):
            told = f"the recipient's {payload_name} {what}"
            found[kind] = f"{found[kind]}, or {told}" if kind in found else told
    return found


def proves_arrival(app: "Installation", channel: str) -> bool:
    """Tell whether arrival on ``channel`` is proved without anybody's note."""
    return any(kind in ARRIVAL for kind in facts_of_channel(app, channel))
