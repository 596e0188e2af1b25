"""One order under way through the intermediary."""

from dataclasses import dataclass
from datetime import datetime

from adapters.ego_mail.intermediary import dialogs, mailboxes
from adapters.ego_mail.osci import wire
from adapters.ego_mail.osci.cards import Inspection, ProcessCard, Timestamp
from adapters.ego_mail.osci.envelope import Message
from adapters.ego_mail.osci.feedback import DONE_CLOSED, DONE_OPEN
from adapters.ego_mail.osci.roles import Certificates, Entry

_RESERVED_IDS = {
    "body",
    "controlblock",
    "suppliersignature",
    "clientsignature",
    "desiredlanguages",
    "responsetofetchdelivery",
    "acceptdelivery",
    "processdelivery",
    "intermediarycertificates",
    "nonintermediarycertificates",
    "featuredescription",
}


@dataclass(slots=True)
class Case:
    """One order under way."""

    incoming: wire.Incoming
    message: Message
    owner: mailboxes.Owner | None
    dialog: dialogs.OpenDialog | None
    kept: list[tuple[str, str, str]]
    now: datetime
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
