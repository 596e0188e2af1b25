"""One order under way through the intermediary."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

from cryptography import x509

from adapters.ego_mail.intermediary import dialogs, mailboxes
from adapters.ego_mail.osci import wire
from adapters.ego_mail.osci.algorithms import STRICT, AlgorithmPolicy
from adapters.ego_mail.osci.cards import Inspection, ProcessCard, Timestamp
from adapters.ego_mail.osci.envelope import Message
from adapters.ego_mail.osci.feedback import DONE_CLOSED, DONE_OPEN
from adapters.ego_mail.osci.orders import Order
from adapters.ego_mail.osci.roles import Certificates, Entry
from adapters.ego_mail.osci.trust import TrustStore

_RESERVED_IDS = {
    "body",
    "controlblock",
    "suppliersignature",
    "clientsignature",
    "desiredlanguages",
    "responsetofetchdelivery",
    "responsetomediatedelivery",
    "acceptdelivery",
    "processdelivery",
    "intermediarycertificates",
    "nonintermediarycertificates",
    "featuredescription",
}


@dataclass(frozen=True, slots=True)
class IntermediarySettings:
    """How the trial intermediary behaves."""

    max_message_bytes: int = 64 * 1024 * 1024
    require_signature: bool = True
    allow_unencrypted: bool = False
    """Take orders without transport encryption; then nobody proves whose mailbox he opens."""
    open_to_all: bool = True
    """Open a mailbox for any addressee; else only registered ones get deliveries."""
    trust: TrustStore | None = None
    """Check issuers of all certificates; without it the report says ``indeterminate``."""
    policy: AlgorithmPolicy = STRICT
    forward_to: tuple[str, ...] = ()
    """URI prefixes of passive recipients it may call; none by default."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the transport signature is worth: a feedback code where nothing, else whose it is."""

    code: str | None = None
    certificate: x509.Certificate | None = None


@dataclass(slots=True)
class Outcome:
    """What an order leads to."""

    codes: list[str]
    order: Order = field(default_factory=Order)
    content: mailboxes.Stored | None = None
    closes: bool = False
    stored: bool = False
    """Whether a delivery is in the database now, so that its attachments must stay."""


@dataclass(slots=True)
class Case:
    """One order under way."""

    incoming: wire.Incoming
    message: Message
    owner: mailboxes.Owner | None
    dialog: dialogs.OpenDialog | None
    kept: list[tuple[str, str, str]]
    now: datetime
    closing: ExitStack
    """What the answer still reads from while it is sent."""
    verdict: Verdict
    inspections: tuple[Inspection, ...] = ()

    @property
    def done(self) -> str:
        """The code for success: does the dialog go on?"""
        return DONE_CLOSED if self.dialog is None else DONE_OPEN

    def card(self) -> ProcessCard:
        """Start a process card for a delivery."""
        return ProcessCard(
            message_id=self.message.order.message_id or "",
            recent_modification=self.now,
            creation=Timestamp(plain=self.now),
            subject=self.message.order.subject,
            inspections=self.inspections,
        )


class FaultError(Exception):
    """The order ends in a SOAP fault, and nothing of it is kept."""

    def __init__(self, code: str) -> None:
        """Keep the fault's code."""
        self.code = code
        super().__init__(code)


def ids_are_free(message: Message) -> bool:
    """Tell whether a delivery's own identifiers leave ours alone in the answer that will carry it."""
    nodes = [*([] if message.package is None else message.package.iter()), *message.headers]
    names = {node.get("Id") for node in nodes} | {e.identifier for e in message.certificates.entries}
    return not any(name in _RESERVED_IDS or str(name).startswith("intermediary_") for name in names)


def joined(own: Certificates, stored: Certificates) -> Certificates:
    """Put the certificates of a delivery beside our own."""
    entries: list[Entry] = [*own.entries, *stored.entries]
    return Certificates.of(entries)


def nothing() -> None:
    """Do nothing: an answer that holds nothing open."""
    return
