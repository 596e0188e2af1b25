"""The intermediary itself: one order in, one answer out, one transaction between them."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from cryptography import x509
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from adapters.ego_mail.intermediary import dialogs, mailboxes, tables
from adapters.ego_mail.intermediary.cases import (
    Case,
    FaultError,
    IntermediarySettings,
    Outcome,
    Verdict,
    ids_are_free,
    joined,
    nothing,
)
from adapters.ego_mail.intermediary.forwarding import Forwarder
from adapters.ego_mail.intermediary.inspection import inspect
from adapters.ego_mail.osci import wire
from adapters.ego_mail.osci.answering import Answer, answer, fault, fault_code, order_code, parts_of
from adapters.ego_mail.osci.cards import ProcessCard, Timestamp
from adapters.ego_mail.osci.client import Identity
from adapters.ego_mail.osci.envelope import ControlBlock, Draft, Message, verify_message
from adapters.ego_mail.osci.errors import (
    CertificateError,
    OsciError,
    SignatureError,
)
from adapters.ego_mail.osci.feedback import (
    DONE_CLOSED,
    DONE_OPEN,
    MORE_CARDS,
    MORE_DELIVERIES,
    NO_CARD,
    NO_DELIVERY,
    Feedback,
)
from adapters.ego_mail.osci.http import Transport
from adapters.ego_mail.osci.orders import Kind, Order
from adapters.ego_mail.osci.roles import (
    ADDRESSEE_CIPHER,
    ADDRESSEE_SIGNATURE,
    INTERMEDIARY_SIGNATURE,
    ORIGINATOR_CIPHER,
    ORIGINATOR_SIGNATURE,
    CertificateBook,
)
from adapters.ego_mail.osci.selection import ById
from adapters.ego_mail.osci.streams import Spool, closed_on_error
from adapters.ego_mail.osci.trust import Use, check_usage
from engine.clock import Clock
from engine.identifiers import IdSource

DEFAULT_CARDS = 100
BAD_SIGNATURE = "9601"
_DELIVERIES = {Kind.STORE_DELIVERY, Kind.FORWARD_DELIVERY, Kind.MEDIATE_DELIVERY}
_IN_DIALOGS = {Kind.FETCH_DELIVERY, Kind.FETCH_PROCESS_CARD, Kind.EXIT_DIALOG, Kind.MEDIATE_DELIVERY}


class IntermediaryService:
    """Takes orders, keeps deliveries, hands them out."""

    def __init__(
        self,
        home: Path,
        identity: Identity,
        *,
        clock: Clock,
        ids: IdSource,
        settings: IntermediarySettings | None = None,
        transport: Transport | None = None,
    ) -> None:
        """Keep everything below ``home``; ``transport`` is used for passive recipients only."""
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.settings = settings or IntermediarySettings()
        self._engine = tables.open_database(home / "intermediary.sqlite3")
        self._attachments = mailboxes.Attachments(home / "attachments", ids)
        self._identity = identity
        self._clock = clock
        self._ids = ids
        self._forwarder = Forwarder(
            identity,
            transport,
            self.settings.forward_to,
            clock=clock,
            ids=ids,
            limit=self.settings.max_message_bytes,
        )
        self._handlers: dict[Kind, Callable[[Connection, Case], Outcome]] = {
            Kind.GET_MESSAGE_ID: self._get_message_id,
            Kind.STORE_DELIVERY: self._store,
            Kind.FORWARD_DELIVERY: self._forward,
            Kind.MEDIATE_DELIVERY: self._mediate,
            Kind.INIT_DIALOG: lambda _connection, _case: Outcome([DONE_OPEN]),
            Kind.FETCH_DELIVERY: self._fetch,
            Kind.FETCH_PROCESS_CARD: self._fetch_cards,
            Kind.EXIT_DIALOG: self._exit,
        }

    def close(self) -> None:
        """Close the database."""
        self._engine.dispose()

    def open_mailbox(self, certificate: x509.Certificate) -> None:
        """Register the owner of a cipher certificate."""
        with self._engine.begin() as connection:
            mailboxes.open_mailbox(connection, certificate, self._clock.now())

    def refuse(self, code: str) -> Answer:
        """Answer with a SOAP fault, e.g. for what is too large to be read."""
        return Answer(fault(code, self._ids), nothing)

    def handle(self, spool: Spool) -> Answer:
        """Answer one order. What is wrong with it becomes a fault or feedback, never an exception."""
        decrypter = self._identity.decrypter
        limits = wire.Limits(message=self.settings.max_message_bytes)
        with ExitStack() as stack:
            try:
                incoming = stack.enter_context(
                    wire.read(
                        spool,
                        [] if decrypter is None else [decrypter],
                        policy=self.settings.policy,
                        limits=limits,
                    )
                )
                if not incoming.encrypted and not self.settings.allow_unencrypted:
                    return self.refuse("9100")
                if incoming.message.kind not in self._handlers:
                    return self.refuse("9300")
                return self._carry_out(incoming)
            except OsciError as error:
                return self.refuse(fault_code(error))
            except OperationalError:
                # The database is busy or the disk full: the client may try again.
                return self.refuse("9000")

    # --- one order ---

    def _carry_out(self, incoming: wire.Incoming) -> Answer:
        now = self._clock.now()
        message = incoming.message
        needs_dialog = message.kind in _IN_DIALOGS
        conversation = message.control.conversation_id
        if needs_dialog and conversation is None:
            return self.refuse("9802")
        verdict = self._verify(incoming)  # takes time and needs no database
        keeps = message.kind in _DELIVERIES
        kept = self._attachments.keep(incoming) if keeps else []
        closing = ExitStack()
        try:
            with (
                closed_on_error(closing.close),
                closed_on_error(partial(self._attachments.drop, kept)),
                self._engine.begin() as connection,
            ):
                dialog = None if conversation is None else dialogs.find(connection, conversation, now)
                case = Case(incoming, message, _owner(message, dialog), dialog, kept, now, closing, verdict)
                if case.owner is None and (incoming.encrypted or message.kind is Kind.INIT_DIALOG):
                    raise FaultError("9500")
                if dialog is not None:
                    dialogs.check_step(dialog, message.control)
                outcome = self._judge(connection, case)
                control = self._control(connection, case, outcome)
        except FaultError as error:
            return self.refuse(error.code)
        if not outcome.stored:
            self._attachments.drop(kept)
        return self._answer(case, outcome, control)

    def _verify(self, incoming: wire.Incoming) -> Verdict:
        """Check the transport signature, as far as that goes without knowing the dialog."""
        if incoming.message.signature is None and not self.settings.require_signature:
            return Verdict()
        try:
            verified = verify_message(incoming.message, incoming.parts, self.settings.policy)
            check_usage(verified.certificate, Use.SIGNATURE)
        except (SignatureError, CertificateError) as error:
            return Verdict(order_code(error))
        return Verdict(None, verified.certificate)

    def _judge(self, connection: Connection, case: Case) -> Outcome:
        """Carry the order out, unless signature or certificates stand against it."""
        if case.verdict.code is not None:
            return Outcome([case.verdict.code])
        expected = None if case.dialog is None else case.dialog.owner.signature
        if expected is not None and case.verdict.certificate not in {None, expected}:
            return Outcome([BAD_SIGNATURE])
        inspections, codes = inspect(case.message.certificates, self.settings.trust, case.now)
        if any(code.startswith("9") for code in codes):
            return Outcome([code for code in codes if code.startswith("9")])
        case.inspections = inspections
        outcome = self._handlers[case.message.kind](connection, case)
        if case.message.kind in {*_DELIVERIES, Kind.INIT_DIALOG}:
            outcome.codes += codes
        return outcome

    def _control(self, connection: Connection, case: Case, outcome: Outcome) -> ControlBlock:
        asked = case.message.control
        if case.message.kind is Kind.INIT_DIALOG and case.owner is not None:
            if any(code.startswith("9") for code in outcome.codes):
                return ControlBlock(dialogs.new_challenge(self._ids), asked.challenge, "0")
            opened = dialogs.begin(connection, case.owner, self._ids, case.now)
            return ControlBlock(opened.challenge, asked.challenge, opened.conversation)
        if case.dialog is None:
            # An implicit dialog ends with its answer; the schemas still want a number.
            return ControlBlock(
                None, asked.challenge, dialogs.new_conversation(self._ids), asked.sequence or 0
            )
        challenge = dialogs.advance(connection, case.dialog, self._ids, case.now)
        if outcome.closes:
            dialogs.end(connection, case.dialog)
            return ControlBlock(None, asked.challenge, case.dialog.conversation, asked.sequence)
        if outcome.content is not None and case.message.kind is Kind.FETCH_DELIVERY:
            dialogs.note_fetched(connection, case.dialog, outcome.content.card.message_id)
        return ControlBlock(challenge, asked.challenge, case.dialog.conversation, asked.sequence)

    # --- the kinds ---

    def _get_message_id(self, connection: Connection, case: Case) -> Outcome:
        value = mailboxes.issue_message_id(connection, self._ids, case.now)
        return Outcome([case.done], Order(message_id=value))

    def _refusal(self, connection: Connection, case: Case) -> str | None:
        message = case.message
        addressee = message.certificates.get(ADDRESSEE_CIPHER)
        if addressee is None or message.package is None or not ids_are_free(message):
            return "9300"
        if message.cryptographic_times:
            return "9811"
        if not self.settings.open_to_all and not mailboxes.has_mailbox(connection, addressee):
            return "9811"
        if message.order.message_id is None:
            return "9800"
        if not mailboxes.use_message_id(connection, message.order.message_id):
            return "9801"
        mailboxes.open_mailbox(connection, addressee, case.now)
        return None

    def _store(self, connection: Connection, case: Case) -> Outcome:
        refusal = self._refusal(connection, case)
        if refusal is not None:
            return Outcome([refusal])
        card = case.card()
        mailboxes.store(connection, case.incoming, card, case.kept)
        return Outcome([case.done], Order(card=card), stored=True)

    def _forward(self, connection: Connection, case: Case) -> Outcome:
        return self._bring(connection, case, Kind.ACCEPT_DELIVERY)

    def _mediate(self, connection: Connection, case: Case) -> Outcome:
        if case.dialog is None:
            return Outcome(["9802"])
        return self._bring(connection, case, Kind.PROCESS_DELIVERY)

    def _bring(self, connection: Connection, case: Case, kind: Kind) -> Outcome:
        refusal = self._refusal(connection, case)
        if refusal is not None:
            return Outcome([refusal])
        wants_reply = kind is Kind.PROCESS_DELIVERY
        reply_id = mailboxes.issue_message_id(connection, self._ids, case.now) if wants_reply else None
        card = replace(case.card(), forwarding=Timestamp(plain=case.now))
        result = self._forwarder.bring(case.incoming, card, kind, reply_id)
        if result.received is None or result.answer is None:
            return Outcome(result.errors, Order(card=card))
        case.closing.callback(result.answer.close)
        mailboxes.store(connection, case.incoming, card, case.kept)
        mailboxes.mark_forwarded(connection, card.message_id, case.now)
        mailboxes.mark_received(connection, card.message_id, result.received)
        card = replace(card, reception=Timestamp(plain=result.received))
        outcome = Outcome([case.done, *result.warnings], Order(card=card), stored=True)
        return self._with_reply(case, result.answer, outcome) if wants_reply else outcome

    def _with_reply(self, case: Case, reply: wire.Incoming, outcome: Outcome) -> Outcome:
        """Pass the recipient's content on to the sender, unchanged."""
        message = reply.message
        if message.package is None:
            return Outcome(["9806"], outcome.order, stored=True)
        stamp = Timestamp(plain=case.now)
        inspections, _codes = inspect(message.certificates, self.settings.trust, case.now)
        card = ProcessCard(
            message_id=message.order.message_id or case.card().message_id,
            recent_modification=case.now,
            creation=stamp,
            forwarding=stamp,
            subject=message.order.subject,
            inspections=inspections,
        )
        outcome.order = replace(outcome.order, reply_card=card)
        outcome.content = mailboxes.Stored(
            card,
            message.certificates.without(ADDRESSEE_SIGNATURE),
            message.package,
            message.headers,
            parts_of(reply),
        )
        return outcome

    def _fetch(self, connection: Connection, case: Case) -> Outcome:
        if case.dialog is None:
            return Outcome(["9802"])
        rule = case.message.order.rule
        if isinstance(rule, ById) and len(rule.message_ids) != 1:
            return Outcome(["9300"], Order(rule=rule))
        if case.dialog.fetched is not None:
            # This order confirms the one before, so it must not be handed out again.
            mailboxes.mark_received(connection, case.dialog.fetched, case.now)
        row = mailboxes.find_delivery(connection, case.dialog.owner, rule)
        if row is None:
            return Outcome([NO_DELIVERY], Order(rule=rule))
        found = str(row._mapping["message_id"])
        mailboxes.mark_forwarded(connection, found, case.now)
        row = mailboxes.find_delivery(connection, case.dialog.owner, ById(found))
        if row is None:
            return Outcome([NO_DELIVERY], Order(rule=rule))
        stored = mailboxes.load(connection, row, self._attachments)
        codes = [case.done]
        if mailboxes.others_wait(connection, case.dialog.owner, found):
            codes.append(MORE_DELIVERIES)
        # The answer's card knows creation and forwarding only (ResponseToFetchDelivery.xsd).
        return Outcome(codes, Order(rule=rule, card=replace(stored.card, reception=None)), stored)

    def _fetch_cards(self, connection: Connection, case: Case) -> Outcome:
        if case.dialog is None:
            return Outcome(["9802"])
        if case.dialog.fetched is not None:
            mailboxes.mark_received(connection, case.dialog.fetched, case.now)
        asked = case.message.order
        limit = min(asked.limit or DEFAULT_CARDS, DEFAULT_CARDS)
        cards = mailboxes.find_cards(connection, case.dialog.owner, replace(asked, limit=limit))
        order = Order(rule=asked.rule, limit=asked.limit, cards=tuple(cards[:limit]))
        if not cards:
            return Outcome([NO_CARD], order)
        return Outcome([case.done, *([MORE_CARDS] if len(cards) > limit else [])], order)

    @staticmethod
    def _exit(_connection: Connection, _case: Case) -> Outcome:
        return Outcome([DONE_CLOSED], closes=True)

    # --- the answer ---

    def _answer(self, case: Case, outcome: Outcome, control: ControlBlock) -> Answer:
        language = case.message.languages.split()[0] if case.message.languages.strip() else "de"
        feedback = tuple(Feedback.of(code, language) for code in outcome.codes)
        book = CertificateBook()
        if self._identity.signer is not None:
            book.add(INTERMEDIARY_SIGNATURE, self._identity.signer.certificate)
        certificates = book.finished()
        stored = outcome.content
        draft = Draft(
            kind=case.message.kind.answer,
            control=control,
            order=replace(outcome.order, feedback=feedback),
            certificates=certificates if stored is None else joined(certificates, stored.certificates),
            package=None if stored is None else stored.package,
            parts=() if stored is None else stored.parts,
            headers=() if stored is None else stored.headers,
        )
        reader = case.owner.cipher if case.incoming.encrypted and case.owner is not None else None
        return Answer(answer(draft, self._identity.signer, reader, self._ids), case.closing.pop_all().close)


def _owner(message: Message, dialog: dialogs.OpenDialog | None) -> mailboxes.Owner | None:
    """In a dialog the client is who opened it; else who the order says."""
    if dialog is not None:
        return dialog.owner
    cipher = message.certificates.get(ORIGINATOR_CIPHER)
    return None if cipher is None else mailboxes.Owner(cipher, message.certificates.get(ORIGINATOR_SIGNATURE))
