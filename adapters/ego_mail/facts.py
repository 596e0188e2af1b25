"""What process cards prove: three facts that are not each other, and the card itself as evidence."""

from collections.abc import Mapping
from datetime import datetime

from adapters.ego_mail.osci.cards import ProcessCard, Timestamp
from adapters.ego_mail.osci.dialog import Cards
from engine.exchange.abilities import Tracked
from engine.exchange.ports import HandedOver

CARD = "process-card.xml"
ANSWER = "process-card-answer.xml"
"""The intermediary's whole answer around a card, signature included."""
RECEIPT = "receipt.xml"


def facts_of(card: ProcessCard) -> dict[str, datetime]:
    """Return the instants a card states: ``created``, ``forwarded`` (no delivery), ``received``.

    A timestamp that is only given as a cryptographic token is left out. Reception is not: it comes last, so
    the card was last changed by it, and a deadline must not wait for a form of proof.
    """
    stamps: dict[str, Timestamp | None] = {
        "created": card.creation,
        "forwarded": card.forwarding,
        "received": card.reception,
    }
    facts = {
        name: stamp.plain for name, stamp in stamps.items() if stamp is not None and stamp.plain is not None
    }
    if card.reception is not None:
        facts.setdefault("received", card.recent_modification)
    return facts


def tracked(cards: Cards, message_id: str) -> Tracked | None:
    """Return what the newest card of a message proves; None where there is none among ``cards``."""
    card = next((each for each in cards.cards if each.message_id == message_id), None)
    if card is None:
        return None
    return Tracked({CARD: card.raw, ANSWER: cards.raw}, facts_of(card), card.reception is not None)


def handed_over(card: ProcessCard | None, now: datetime, evidence: Mapping[str, bytes]) -> HandedOver:
    """Say that the intermediary has the message, with what it proves."""
    if card is None:
        return HandedOver(now, dict(evidence))
    facts = facts_of(card)
    return HandedOver(facts.get("created", card.recent_modification), {**evidence, CARD: card.raw}, facts)
