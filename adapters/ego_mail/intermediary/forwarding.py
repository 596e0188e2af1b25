"""Bringing a delivery to a passive recipient at once.

ForwardDelivery becomes AcceptDelivery, MediateDelivery becomes ProcessDelivery.
"""

from dataclasses import dataclass, field
from datetime import datetime

from adapters.ego_mail.intermediary.dialogs import new_challenge
from adapters.ego_mail.osci import wire
from adapters.ego_mail.osci.algorithms import STRICT
from adapters.ego_mail.osci.answering import parts_of
from adapters.ego_mail.osci.cards import ProcessCard
from adapters.ego_mail.osci.checks import check_control
from adapters.ego_mail.osci.client import Identity
from adapters.ego_mail.osci.envelope import ControlBlock, Draft, verify_message, write_message
from adapters.ego_mail.osci.errors import OsciError, OutcomeUnknownError, SignatureError
from adapters.ego_mail.osci.http import Transport
from adapters.ego_mail.osci.orders import Kind, Order
from adapters.ego_mail.osci.roles import (
    ADDRESSEE_CIPHER,
    INTERMEDIARY_CIPHER,
    INTERMEDIARY_SIGNATURE,
    CertificateBook,
    Certificates,
)
from engine.clock import Clock
from engine.errors import EnvironmentFaultError
from engine.identifiers import IdSource

NOT_REACHED = "9809"
REACHED_BUT_FAILED = "9810"
NOT_ACCEPTED = "9805"
BAD_SIGNATURE = "9807"
UNSIGNED = "3802"


@dataclass(frozen=True, slots=True)
class Forwarded:
    """How it went."""

    errors: list[str] = field(default_factory=list)
    """Feedback for the sender where it failed."""
    warnings: list[str] = field(default_factory=list)
    received: datetime | None = None
    answer: wire.Incoming | None = None
    """The recipient's answer; whoever gets this closes it."""


class Forwarder:
    """Calls passive recipients, but only those an operator allowed."""

    def __init__(
        self,
        identity: Identity,
        transport: Transport | None,
        allowed: tuple[str, ...],
        *,
        clock: Clock,
        ids: IdSource,
        limit: int,
    ) -> None:
        """``allowed`` holds URI prefixes: other addresses are never called. ``limit`` bounds answers."""
        self._identity = identity
        self._transport = transport
        self._allowed = allowed
        self._clock = clock
        self._ids = ids
        self._limit = limit

    def bring(
        self, incoming: wire.Incoming, card: ProcessCard, kind: Kind, reply_id: str | None
    ) -> Forwarded:
        """Send an AcceptDelivery or ProcessDelivery and judge its answer, which the result keeps open."""
        receiver = incoming.message.order.receiver or ""
        if self._transport is None or not receiver.startswith(self._allowed or ("\0",)):
            return Forwarded([NOT_REACHED])
        control = ControlBlock(new_challenge(self._ids))
        draft = self._draft(incoming, card, control, kind, reply_id)
        outgoing = wire.plain(write_message(draft, self._identity.signer), draft.parts, self._ids)
        addressee = incoming.message.certificates.get(ADDRESSEE_CIPHER)
        if incoming.encrypted and addressee is not None:
            outgoing = wire.encrypted(outgoing, addressee, self._ids)
        decrypter = self._identity.decrypter
        try:
            spool = self._transport.exchange(receiver, outgoing, limit=self._limit)
            answer = wire.read(spool, [] if decrypter is None else [decrypter])
        except OutcomeUnknownError:
            return Forwarded([REACHED_BUT_FAILED])
        except EnvironmentFaultError:
            return Forwarded([NOT_REACHED])
        except OsciError:
            return Forwarded([REACHED_BUT_FAILED])
        return self._judge(answer, control, kind.answer)

    def _draft(
        self,
        incoming: wire.Incoming,
        card: ProcessCard,
        control: ControlBlock,
        kind: Kind,
        reply_id: str | None,
    ) -> Draft:
        message = incoming.message
        book = CertificateBook()
        if self._identity.decrypter is not None:
            book.add(INTERMEDIARY_CIPHER, self._identity.decrypter.certificate)
        if self._identity.signer is not None:
            book.add(INTERMEDIARY_SIGNATURE, self._identity.signer.certificate)
        return Draft(
            kind=kind,
            control=control,
            order=Order(card=card, reply_message_id=reply_id),
            certificates=Certificates.of([*book.finished().entries, *message.certificates.entries]),
            package=message.package,
            parts=parts_of(incoming),
            headers=message.headers,
            languages=message.languages,
        )

    def _judge(self, answer: wire.Incoming, control: ControlBlock, kind: Kind) -> Forwarded:
        try:
            check_control(answer.message.control, control)
            if answer.message.signature is not None:
                verify_message(answer.message, answer.parts, STRICT)
        except SignatureError:
            answer.close()
            return Forwarded([BAD_SIGNATURE])
        except OsciError:
            answer.close()
            return Forwarded([REACHED_BUT_FAILED])
        refused = any(entry.is_error for entry in answer.message.order.feedback)
        if refused or answer.message.kind is not kind:
            answer.close()
            return Forwarded([NOT_ACCEPTED if refused else REACHED_BUT_FAILED])
        warnings = [UNSIGNED] if answer.message.signature is None else []
        return Forwarded([], warnings, self._clock.now(), answer)
