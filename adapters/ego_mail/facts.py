"""What process cards prove: three facts that are not each other, and the card itself as evidence."""

from collections.abc import Mapping
from datetime import datetime

from adapters.ego_mail.osci.cards import ProcessCard, Timestamp
from engine.exchange.ports import HandedOver

CARD = "process-card.xml"
RECEIPT = "receipt.xml"


def facts_of(card: ProcessCard) -> dict[str, datetime]:
    """Return the instants a card states in plain: ``created``, ``forwarded`` (no delivery), ``received``."""
    stamps: dict[str, Timestamp | None] = {
        "created": card.creation,
        "forwarded": card.forwarding,
        "received": card.reception,
    }
    return {
        name: stamp.plain for name, stamp in stamps.items() if stamp is not None and stamp.plain is not None
    }


def handed_over(card: ProcessCard | None, now: datetime, evidence: Mapping[str, bytes]) -> HandedOver:
    """Say that the intermediary has the message, with what it proves."""
    if card is None:
        return HandedOver(now, dict(evidence))
    facts = facts_of(card)
    return HandedOver(facts.get("created", card.recent_modification), {**evidence, CARD: card.raw}, facts)
