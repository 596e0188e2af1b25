"""What passes between the engine and its adapters, as plain data.

``ports`` holds what adapters implement; it hands these names on, so that an adapter imports one module.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, Protocol


class FormClass(StrEnum):
    """What the law or the matter asks of the form of a message."""

    NONE = "none"
    CONFIDENTIAL = "confidential"
    WRITTEN = "written"


class Assurance(StrEnum):
    """How surely a carrier knows who sent an arrival."""

    NONE = "none"
    TRANSPORT = "transport"
    SIGNATURE = "signature"


class EvidenceLevel(StrEnum):
    """How machine-readable an exchange is: paper, electronic document, structured data, needs-based query."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Document(Protocol):
    """A content-addressed file with what one exchange says about it."""

    @property
    def name(self) -> str:
        """File name shown to people."""
        ...

    @property
    def media_type(self) -> str:
        """IANA media type."""
        ...

    @property
    def sha256(self) -> str:
        """Hex digest of the content."""
        ...

    @property
    def size(self) -> int:
        """Size in bytes."""
        ...

    def open(self) -> BinaryIO:
        """Open the content for reading."""
        ...


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An authority's opened access on one channel, with its terms."""

    authority_id: str
    channel: str
    address: str
    """What the carrier needs to reach it: a folder, a URI, a postal address on several lines."""
    valid_from: date
    valid_until: date | None = None
    formats: tuple[str, ...] = ("application/pdf",)
    max_bytes: int | None = None
    form_classes: tuple[FormClass, ...] = (FormClass.NONE, FormClass.CONFIDENTIAL)
    accepts_test: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Terms of one channel, e.g. ``{"versions": ["3.1.0"]}`` or certificates."""


@dataclass(frozen=True, slots=True)
class Party:
    """An authority as one end of an exchange."""

    authority_id: str
    name: str
    unit: str | None = None
    address: tuple[str, ...] = ()
    """Postal address lines without the name."""
    contact: Mapping[str, str] = field(default_factory=dict)
    """``phone``, ``email``, ``person`` where known."""


@dataclass(frozen=True, slots=True)
class MessageType:
    """The contract between partners: what a message says and how each payload carries it."""

    key: str
    version: str
    title: str
    schema: Mapping[str, Any]
    """JSON schema of the data."""
    answers: tuple[str, ...] = ()
    """Keys of the message types this one answers."""
    form: FormClass = FormClass.NONE
    template: str | None = None
    """Jinja2 text of the letter's body."""
    registration_form: Mapping[str, Any] | None = None
    """form-js form a clerk fills to register the message from paper."""
    mappings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Payload name → how that payload carries data and documents."""
    documents: tuple[Mapping[str, Any], ...] = ()
    """Per document ``key``, ``title``, ``required``, ``multiple``, ``media_types``."""
    subject: str | None = None
    """Jinja2 text of the subject line."""
    reminds: tuple[str, ...] = ()
    """Keys of the message types whose missing answer this one reminds of."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """One exchange as a payload sees it. The engine fills it, adapters only read."""

    exchange_id: str
    dispatch_id: str
    installation: str
    message_type: MessageType
    sender: Party
    recipient: Party
    own_reference: str
    partner_reference: str | None
    subject: str
    data: Mapping[str, Any]
    documents: Sequence[Document]
    form: FormClass
    created: datetime
    answer_to: str | None = None
    """The partner's exchange id (or printed code) that this message answers."""
    own_answer_to: str | None = None
    """Our own id of the arrival's exchange that this answers."""
    reminds: str | None = None
    answer_due: date | None = None
    test: bool = False
    copy: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A file of a dispatch, frozen: what was committed is what is sent."""

    name: str
    media_type: str
    path: Path
    role: str
    """``letter``, ``container``, ``attachment`` …; carriers choose by role."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What an arrival says about which exchange it belongs to."""

    kind: str
    """``exchange`` (our exchange id), ``dispatch``, ``code`` (printed code), ``file-reference``,
    ``part`` (name of a part of ours), ``reminds`` (the sender's exchange that this one reminds of),
    ``route`` (the exchange that began the route through several authorities)."""
    value: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """An arrival that is a technical confirmation of one of our dispatches, not a business message."""

    kind: str
    """``received``, ``imported`` or ``rejected``."""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a payload understood of an arrival."""

    message_type: str | None
    version: str | None
    data: Mapping[str, Any]
    documents: Sequence[Document]
    references: Sequence[Reference]
    sender_id: str | None
    """Who the content claims to come from; the carrier's authentication decides what that is worth."""
    sender_exchange: str | None
    """The sender's exchange id, for duplicates and for the answer."""
    sender_reference: str | None
    """The sender's file reference."""
    confirmation: Confirmation | None = None
    confirmation_wanted: bool = False
    remarks: Sequence[str] = ()
    """What was kept but not understood; shown to a clerk."""
    test: bool = False
    """Whether the sender marked the message as a test."""
    letters: Sequence[Document] = ()
    """What people read of the message itself, where it has a form of its own for them. It is kept with the
    case, but is none of the documents that were sent."""


@dataclass(frozen=True, slots=True)
class Blocker:
    """Why a channel cannot carry an exchange."""

    code: str
    """Stable, e.g. ``no-mailbox``, ``too-large``, ``form-class``, ``unwritable``."""
    side: str
    """``sender``, ``recipient`` or ``channel``."""
    message: str


@dataclass(frozen=True, slots=True)
class Requirements:
    """What one exchange asks of a channel."""

    message_type: MessageType
    form: FormClass
    total_bytes: int
    media_types: tuple[str, ...]
    on: date
    test: bool = False
    sizes: tuple[int, ...] = ()
    """Bytes of each file, where they are known."""
    separable: bool = False
    """Whether the payload's files may travel in several messages."""
    sender_id: str | None = None
    """Who sends, where it is known: who has no mailbox of its own needs a place to lay it all the same."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A dispatch with its carrier's own ids and frozen parts, committed before anything leaves."""

    dispatch_id: str
    carrier_reference: str
    """The carrier's id for this attempt, e.g. a file name or an OSCI MessageId."""
    parts: tuple[Part, ...]
    sender: Mailbox | None
    recipient: Mailbox
    details: Mapping[str, Any] = field(default_factory=dict)
    """JSON the carrier wants to see again in ``transmit`` and ``resolve``."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The carrier has the message; what it says as evidence is stored as it came."""

    at: datetime
    evidence: Mapping[str, bytes] = field(default_factory=dict)
    facts: Mapping[str, datetime] = field(default_factory=dict)
    """Dated facts the carrier proves, e.g. ``created``, ``forwarded``, ``received``."""
    task: str | None = None
    """A human act that completes the hand-over, e.g. ``confirm-posting``; then ``at`` is preliminary."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may or may not have gone; ``resolve`` or a clerk finds out."""

    reason: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """It did definitely not go; another channel may be tried."""

    reason: str
    blockers: tuple[Blocker, ...] = ()
    retry: bool = False
    """True where the same channel may work a little later (disk full, network)."""


Outcome = HandedOver | Unknown | Rejected
