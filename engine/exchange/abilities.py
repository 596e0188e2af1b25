"""What a payload or carrier may be able to do beside its port; whoever asks looks with ``isinstance`` first.

A standard that knows no confirmation of import, say, simply lacks the method, and the engine needs no word
about any standard's technique.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from engine.exchange.ports import Document, Mailbox, MessageType, Part, Party, Prepared, Reading


@runtime_checkable
class ConfirmsImport(Protocol):
    """A payload whose standard reports back whether a message was taken over into the recipient's files."""

    def confirm_import(
        self, parts: Sequence[Part], own: Party, folder: Path, failures: Mapping[str, str] | None = None
    ) -> tuple[Part, ...]:
        """Build the confirmation that the message was imported, or return () where none is asked for.

        ``failures`` gives the reason for each object that was not imported, by its id.
        """
        ...


@runtime_checkable
class Separable(Protocol):
    """A payload whose parts may travel in several messages, and are put together again when all are there."""

    @property
    def separable(self) -> bool:
        """Whether they may."""
        ...


@runtime_checkable
class ReadsForeign(Protocol):
    """A payload that understands messages of partners who know nothing of our message types."""

    def read_as(self, message_type: MessageType, parts: Sequence[Part], folder: Path) -> Reading:
        """Read an arrival as ``message_type``, which a clerk has chosen.

        A message that says its own type keeps it. Raises UnreadableError.
        """
        ...


@runtime_checkable
class ExpectsConfirmations(Protocol):
    """A payload whose recipients are to send confirmations."""

    def expects(self, message_type: MessageType, recipient: Mailbox) -> frozenset[str]:
        """Return the kinds (``received``, ``imported``) that ``recipient`` is to confirm."""
        ...


@runtime_checkable
class ChecksMappings(Protocol):
    """A payload that can tell before anything is sent whether a message type's mapping holds."""

    def check_mapping(self, message_type: MessageType) -> Sequence[str]:
        """Return what is wrong with the mapping, and how to mend it; nothing where all is well."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was seen when a mailbox was looked at."""

    code: str
    """Stable, e.g. ``connection``, ``certificate``, ``settings``."""
    message: str
    fault: bool = False
    """Whether the mailbox cannot be used because of it."""
    until: datetime | None = None
    """Until when what was seen is good, e.g. the end of a certificate."""


@runtime_checkable
class ChecksMailboxes(Protocol):
    """A carrier that can look whether a mailbox works before anything depends on it."""

    def check_mailbox(self, mailbox: Mailbox, own: Mailbox | None) -> Sequence[Finding]:
        """Look at ``mailbox``: the own one itself where ``own`` is the same, else a partner's from there.

        Faults are returned, not raised. Nothing is fetched, acknowledged or left behind.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tracked:
    """What a carrier knows by now of a message it was given."""

    evidence: Mapping[str, bytes]
    """As it came; the first one says whether anything has changed since the last look."""
    facts: Mapping[str, datetime]
    """Dated facts that it proves: ``created``, ``forwarded`` (which is no delivery), ``received``."""
    final: bool
    """Whether nothing more is to be expected."""


@runtime_checkable
class TracksDelivery(Protocol):
    """A carrier that can tell, after the hand-over, how far a message has come."""

    @property
    def receipt_within(self) -> str:
        """ISO 8601 period from the hand-over within which reception is to be proved, where a mailbox names
        none."""
        ...

    def track(self, prepared: Prepared) -> Tracked | None:
        """Look at a message that was handed over; None where nothing can be seen of it any more.

        Raises what keeps us from the carrier now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Costs:
    """What one sending costs."""

    pages: int
    cents: int | None = None
    """None where no tariff is known."""
    product: str | None = None


@runtime_checkable
class ReckonsCosts(Protocol):
    """A carrier that can reckon what a sending costs, for people who do not say so themselves."""

    def costs(self, carrier_reference: str, on: date) -> Costs | None:
        """Return what was handed over under ``carrier_reference`` costs on a local day; None: unknown."""
        ...


@runtime_checkable
class ReportsBack(Protocol):
    """An ``Incoming`` whose carrier can tell its sender that it cannot be processed (§ 3a(4) VwVfG)."""

    @property
    def unsuitable(self) -> str | None:
        """Why the carrier finds that it cannot be processed here, e.g. for its format; None: nothing."""
        ...

    def tell_sender(self, reason: str) -> None:
        """Have the sender told ``reason`` and the mailbox's technical conditions before the
        acknowledgement."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """An arrival that was acknowledged before anybody found that it cannot be read."""

    dispatch_id: str
    """Of the notice."""
    mailbox: Mailbox
    """The own one it came to, whose technical conditions are told."""
    sender_id: str | None
    """Whom the carrier authenticated."""
    carrier_reference: str
    proofs: Sequence[Part]
    """The evidence that its ``Incoming`` brought."""
    reason: str


@runtime_checkable
class TellsSenders(Protocol):
    """A carrier that can tell a sender afterwards that a message cannot be processed (§ 3a(4) VwVfG)."""

    def prepare_notice(self, refusal: Refusal, folder: Path) -> Prepared | None:
        """Fix the notice's bytes like ``prepare``, with its text below ``folder``.

        Return None where nobody can be told, and for notices and tests.
        Raises what keeps us from the carrier.
        """
        ...


@runtime_checkable
class PricesLetters(Protocol):
    """A carrier that can say what a letter would have cost that was not needed."""

    def price(self, message_type: MessageType, documents: Sequence[Document], on: date) -> int | None:
        """Return the postage in cents, at the least; None where no price is known for that day or weight."""
        ...


@runtime_checkable
class OnDisk(Protocol):
    """Evidence of an ``Incoming`` of which some is too large to be held in memory."""

    @property
    def files(self) -> Mapping[str, Path]:
        """What lies on local disk, by its name in the mapping."""
        ...
