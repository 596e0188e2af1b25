"""Small envelopes and documents of our own making, for the contract suites."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO

from engine.clock import TurnedClock
from engine.exchange.ports import (
    AdapterContext,
    Document,
    Envelope,
    FormClass,
    Mailbox,
    MessageType,
    Party,
    Requirements,
    total_size,
)
from engine.identifiers import IdSource, SeededIds

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

SAARBRUECKEN = Party(
    "10041100",
    "Landeshauptstadt Saarbrücken",
    "Stadtkasse",
    ("Rathausplatz 1", "66111 Saarbrücken"),
    {"email": "kasse@saarbruecken.example", "phone": "0681 000", "person": "Jutta Groß"},
)
HOMBURG = Party("10045114", "Kreisstadt Homburg", "Vollstreckung", ("Am Forum 5", "66424 Homburg"))

REQUEST = MessageType(
    key="ersuchen",
    version="1",
    title="Vollstreckungsersuchen",
    schema={"type": "object"},
    template="Wir ersuchen um Vollstreckung gegen {{ data.name }}.",
)
ANSWER = MessageType(
    key="ergebnis", version="1", title="Ergebnis", schema={"type": "object"}, answers=("ersuchen",)
)


@dataclass(frozen=True, slots=True)
class MemoryDocument:
    """A document whose content is at hand."""

    name: str
    content: bytes
    media_type: str = "application/pdf"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        return len(self.content)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.content)


def context(
    home: Path,
    settings: Mapping[str, Any] | None = None,
    clock: TurnedClock | None = None,
    ids: IdSource | None = None,
) -> AdapterContext:
    """Lend an adapter a standing clock and repeatable ids."""
    return AdapterContext(
        installation="SB1",
        home=home,
        settings=settings or {},
        clock=clock or TurnedClock(NOON),
        ids=ids or SeededIds(1),
        secret=b"a secret of the tests alone",
    )


def mailbox(party: Party, channel: str, address: str, **settings: Any) -> Mailbox:
    """Open a mailbox that takes any format."""
    return Mailbox(
        authority_id=party.authority_id,
        channel=channel,
        address=address,
        valid_from=date(2026, 1, 1),
        formats=("application/pdf", "application/zip", "text/plain"),
        settings=settings,
    )


@dataclass(slots=True)
class Envelopes:
    """Makes envelopes with fresh ids."""

    ids: IdSource = field(default_factory=lambda: SeededIds(7))

    def new(
        self,
        message_type: MessageType = REQUEST,
        data: Mapping[str, Any] | None = None,
        documents: Sequence[Document] = (),
        **more: Any,
    ) -> Envelope:
        """Make an envelope from Saarbrücken to Homburg; ``more`` overrides single fields."""
        values: dict[str, Any] = {
            "exchange_id": str(self.ids.new()),
            "dispatch_id": str(self.ids.new()),
            "installation": "SB1",
            "message_type": message_type,
            "sender": SAARBRUECKEN,
            "recipient": HOMBURG,
            "own_reference": "20.3-4711/26",
            "partner_reference": None,
            "subject": "Vollstreckung Müller",
            "data": {"name": "Jürgen Müller", "betrag": 125.5} if data is None else data,
            "documents": tuple(documents),
            "form": FormClass.NONE,
            "created": NOON,
        }
        return Envelope(**(values | more))


def requirements(envelope: Envelope) -> Requirements:
    """Say what ``envelope`` asks of a channel."""
    return Requirements(
        message_type=envelope.message_type,
        form=envelope.form,
        total_bytes=total_size(envelope.documents),
        media_types=tuple(document.media_type for document in envelope.documents),
        on=envelope.created.date(),
        test=envelope.test,
    )
