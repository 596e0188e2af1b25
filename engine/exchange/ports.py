"""The ports that payloads and carriers implement. A channel is a pair of both, e.g. ``xdomea+folder``.

Adapters depend on this module and on nothing behind it. One contract test suite
(``tests/contracts``) runs against every implementation, ours and others'.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from engine.clock import Clock
from engine.exchange.parcels import (
    Assurance,
    Blocker,
    Confirmation,
    Document,
    Envelope,
    EvidenceLevel,
    FormClass,
    HandedOver,
    Mailbox,
    MessageType,
    Outcome,
    Part,
    Party,
    Prepared,
    Reading,
    Reference,
    Rejected,
    Requirements,
    Unknown,
)
from engine.identifiers import IdSource

__all__ = [
    "AdapterContext",
    "Assurance",
    "Blocker",
    "Carrier",
    "CarrierDescription",
    "CarrierFactory",
    "Confirmation",
    "Document",
    "Envelope",
    "EvidenceLevel",
    "FormClass",
    "HandedOver",
    "Health",
    "Incoming",
    "Mailbox",
    "MessageType",
    "Outcome",
    "Part",
    "Party",
    "Payload",
    "PayloadFactory",
    "Prepared",
    "Reading",
    "Reference",
    "Rejected",
    "Requirements",
    "Unknown",
    "channel_name",
    "split_channel",
    "total_size",
]


class Incoming(Protocol):
    """Something that came in on a carrier, before anybody understood it."""

    @property
    def carrier_reference(self) -> str:
        """The carrier's id; a second arrival with the same one is a duplicate."""
        ...

    @property
    def mailbox(self) -> Mailbox:
        """The own mailbox it came to."""
        ...

    @property
    def received(self) -> datetime:
        """When it came within reach of the recipient, as far as the carrier knows."""
        ...

    @property
    def sender_id(self) -> str | None:
        """Authority the carrier authenticated, where it can."""
        ...

    @property
    def assurance(self) -> Assurance:
        """How surely ``sender_id`` is known."""
        ...

    @property
    def parts(self) -> Sequence[Part]:
        """The files, already on local disk."""
        ...

    @property
    def evidence(self) -> Mapping[str, bytes]:
        """Receipts that came with it."""
        ...

    def acknowledge(self) -> None:
        """Tell the carrier it may forget the message; called after our commit, safe to repeat."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """Whether a carrier works now."""

    ok: bool
    message: str
    checked: datetime


@dataclass(frozen=True, slots=True)
class CarrierDescription:
    """What a carrier is, for people and for the channel decision."""

    name: str
    title: str
    """German, for screens."""
    electronic: bool
    authenticates: Assurance
    encrypts: bool
    roles: tuple[str, ...]
    """Part roles it can carry."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """The dated facts it proves by itself, in the order of a message's way (``created``, ``forwarded``,
    ``received`` …), each with what proves it; what a person records is not among them."""


class Carrier(Protocol):
    """Takes frozen parts to a mailbox and brings arrivals from one."""

    def describe(self) -> CarrierDescription:
        """Say what this carrier is."""
        ...

    def check(self, sender: Mailbox | None, recipient: Mailbox, requirements: Requirements) -> list[Blocker]:
        """Return what stands in the way of carrying this to ``recipient``; an empty list means ready.

        The answer depends on form, sizes, media types and day, not on the message type: what a message says
        is the payload's matter. What lets a large exchange pass lets a smaller one pass too. So the same
        question may be asked once for many exchanges.
        """
        ...

    def prepare(
        self, envelope: Envelope, parts: Sequence[Part], sender: Mailbox | None, recipient: Mailbox
    ) -> Prepared:
        """Fix ids and bytes. No outside effect: the caller commits the result before ``transmit``."""
        ...

    def transmit(self, prepared: Prepared) -> Outcome:
        """Hand the message over. Called at most once a dispatch unless ``resolve`` says it did not go."""
        ...

    def resolve(self, prepared: Prepared) -> Outcome:
        """After a crash: find out whether ``transmit`` took effect. ``Rejected(retry=True)``: it did not."""
        ...

    def collect(self, mailbox: Mailbox) -> Iterator[Incoming]:
        """Yield what waits in ``mailbox``, oldest first, without removing it."""
        ...

    def health(self) -> Health:
        """Say whether the carrier works now."""
        ...


class Payload(Protocol):
    """Turns an exchange into files and files into an exchange."""

    @property
    def name(self) -> str:
        """First half of the channel name."""
        ...

    @property
    def level(self) -> EvidenceLevel:
        """How machine-readable what it builds is."""
        ...

    def check(self, recipient: Mailbox, requirements: Requirements) -> list[Blocker]:
        """Return what stands in the way of building this message type for ``recipient``, whoever sends.

        What lets a large exchange pass lets a smaller one pass too.
        """
        ...

    def build(self, envelope: Envelope, recipient: Mailbox, folder: Path) -> tuple[Part, ...]:
        """Write the parts into ``folder`` and return them; the same envelope gives the same meaning."""
        ...

    def read(self, parts: Sequence[Part], folder: Path) -> Reading:
        """Understand an arrival's parts; unpacked documents go to ``folder``.

        Raises an ``UnreadableError`` that says why where the parts are not what they claim to be.
        """
        ...

    def recognises(self, parts: Sequence[Part]) -> bool:
        """Tell cheaply whether ``read`` is worth trying."""
        ...

    def confirm(self, reading: Reading, parts: Sequence[Part], own: Party, folder: Path) -> tuple[Part, ...]:
        """Build the standard's own confirmation of receipt, or return () where it knows none."""
        ...

    def complain(self, parts: Sequence[Part], reason: str, own: Party, folder: Path) -> tuple[Part, ...]:
        """Build the standard's own error answer to unreadable parts, or return () where it knows none."""
        ...


@dataclass(frozen=True, slots=True)
class AdapterContext:
    """What an installation lends its adapters."""

    installation: str
    """Short code of the installation, printed on letters."""
    home: Path
    """The installation's data folder."""
    settings: Mapping[str, Any]
    """The adapter's own table from ``dienstweg.toml``."""
    clock: Clock
    ids: IdSource
    secret: bytes
    """Installation secret for keyed hashes of printed codes; never printed or logged."""
    others: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The tables of all adapters, for one that builds on another."""


class CarrierFactory(Protocol):
    """Entry point of group ``dienstweg.carriers``."""

    def __call__(self, context: AdapterContext) -> Carrier:
        """Make the carrier for one installation."""
        ...


class PayloadFactory(Protocol):
    """Entry point of group ``dienstweg.payloads``."""

    def __call__(self, context: AdapterContext) -> Payload:
        """Make the payload for one installation."""
        ...


def channel_name(payload: str, carrier: str) -> str:
    """Join payload and carrier to a channel's name, e.g. ``letter+post``."""
    return f"{payload}+{carrier}"


def split_channel(channel: str) -> tuple[str, str]:
    """Split ``letter+post`` into its payload and carrier; raise ValueError where there is no plus sign."""
    payload, plus, carrier = channel.partition("+")
    if not (payload and plus and carrier):
        raise ValueError(f"not a channel: {channel!r}")
    return payload, carrier


def total_size(documents: Iterable[Document]) -> int:
    """Sum the sizes in bytes."""
    return sum(document.size for document in documents)
