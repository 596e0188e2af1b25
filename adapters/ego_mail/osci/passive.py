"""The passive recipient: an intermediary brings deliveries to us and waits for our answer.

AcceptDelivery wants to know whether we took it; ProcessDelivery wants an answer with content as well.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509

from adapters.ego_mail.osci import checks, wire, xml
from adapters.ego_mail.osci.answering import Answer, answer, fault, fault_code, order_code
from adapters.ego_mail.osci.cards import ProcessCard
from adapters.ego_mail.osci.client import Identity, Settings
from adapters.ego_mail.osci.content import Item, PackageWriter, WrittenPackage
from adapters.ego_mail.osci.envelope import ControlBlock, Draft
from adapters.ego_mail.osci.errors import CertificateError, OsciError, SignatureError
from adapters.ego_mail.osci.feedback import DONE_CLOSED, Feedback
from adapters.ego_mail.osci.keys import Decrypter
from adapters.ego_mail.osci.opened import OpenedPackage, PackageReader
from adapters.ego_mail.osci.orders import Kind, Order
from adapters.ego_mail.osci.roles import (
    ADDRESSEE_CIPHER,
    ADDRESSEE_SIGNATURE,
    INTERMEDIARY_CIPHER,
    ORIGINATOR_CIPHER,
    ORIGINATOR_SIGNATURE,
    CertificateBook,
    Certificates,
)
from adapters.ego_mail.osci.streams import Spool
from adapters.ego_mail.osci.trust import TrustStore
from engine.clock import Clock
from engine.identifiers import IdSource

INTERNAL_ERROR = "9808"


class Arrived:
    """A delivery the intermediary brought; valid while the handler runs."""

    def __init__(self, incoming: wire.Incoming, identity: Identity, settings: Settings) -> None:
        """Wrap a checked AcceptDelivery or ProcessDelivery."""
        self._incoming = incoming
        self._identity = identity
        self._settings = settings
        order = incoming.message.order
        self.wants_answer: bool = incoming.message.kind is Kind.PROCESS_DELIVERY
        self.card: ProcessCard | None = order.card
        self.message_id: str | None = order.message_id
        self.reply_message_id: str | None = order.reply_message_id
        """The MessageId the answer's content should carry, where the intermediary gave one."""

    @property
    def certificates(self) -> Certificates:
        """All certificates of the message."""
        return self._incoming.message.certificates

    @property
    def originator_cipher(self) -> x509.Certificate | None:
        """Whom an answer can be encrypted for."""
        return self.certificates.get(ORIGINATOR_CIPHER)

    @property
    def headers(self) -> Sequence[xml.Element]:
        """Further headers, e.g. MessageMetaData."""
        return self._incoming.message.headers

    def raw(self) -> Iterator[bytes]:
        """Yield the message below transport encryption, for the archive."""
        with self._incoming.plain.open() as source:
            while piece := source.read(64 * 1024):
                yield piece

    def open(self, decrypters: Sequence[Decrypter] = ()) -> OpenedPackage:
        """Decrypt and verify the content; raises as ``PackageReader.read`` does."""
        own = self._identity.decrypter
        return PackageReader(
            self.certificates,
            self._incoming.parts,
            [*decrypters, *([] if own is None else [own])],
            self._settings.policy,
            folder=self._settings.folder,
            max_bytes=self._settings.limits.message,
        ).read(self._incoming.message.package)


@dataclass(frozen=True, slots=True)
class Reply:
    """What the recipient answers: a feedback code, and content for ProcessDelivery."""

    code: str = DONE_CLOSED
    items: Sequence[Item] = ()
    message_id: str | None = None
    subject: str | None = None


Handler = Callable[[Arrived], Reply]


class PassiveRecipient:
    """Turns the intermediary's orders into answers; the web server around it is the caller's."""

    def __init__(
        self,
        identity: Identity,
        handler: Handler,
        *,
        trust: TrustStore,
        clock: Clock,
        ids: IdSource,
        intermediary_signature: x509.Certificate | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Deliveries go to ``handler``, which commits before it returns its reply."""
        self._identity = identity
        self._handler = handler
        self._trust = trust
        self._clock = clock
        self._ids = ids
        self._intermediary = intermediary_signature
        self._settings = settings or Settings()

    def handle(self, spool: Spool) -> Answer:
        """Answer one order; errors become faults or feedback, never exceptions of the OSCI family."""
        decrypter = self._identity.decrypter
        try:
            incoming = wire.read(
                spool,
                [] if decrypter is None else [decrypter],
                policy=self._settings.policy,
                limits=self._settings.limits,
                folder=self._settings.folder,
            )
        except OsciError as error:
            return Answer(fault(fault_code(error), self._ids), _nothing)
        with incoming:
            return self._answer(incoming)

    def _answer(self, incoming: wire.Incoming) -> Answer:
        message = incoming.message
        if message.kind not in {Kind.ACCEPT_DELIVERY, Kind.PROCESS_DELIVERY}:
            return Answer(fault("9300", self._ids), _nothing)
        if self._settings.encrypt and not incoming.encrypted:
            return Answer(fault("9202", self._ids), _nothing)
        try:
            checks.check_signer(
                incoming,
                checks.Expectation(
                    encrypted=self._settings.encrypt,
                    signed=self._settings.require_signed_answers,
                    certificate=self._intermediary,
                    trust=self._trust,
                    policy=self._settings.policy,
                    at=self._clock.now(),
                ),
            )
            reply = self._handler(Arrived(incoming, self._identity, self._settings))
        except (SignatureError, CertificateError) as error:
            reply = Reply(order_code(error))
        except OsciError:
            reply = Reply(INTERNAL_ERROR)
        return self._write(incoming, reply)

    def _write(self, incoming: wire.Incoming, reply: Reply) -> Answer:
        message = incoming.message
        book = self._book(message.kind)
        reader = message.certificates.get(INTERMEDIARY_CIPHER) if incoming.encrypted else None
        if incoming.encrypted and reader is None:
            return Answer(fault("9500", self._ids), _nothing)
        package = self._package(incoming, reply, book)
        draft = Draft(
            kind=message.kind.answer,
            control=ControlBlock(response=message.control.challenge),
            order=Order(
                feedback=(Feedback.of(reply.code, message.languages.split()[0]),),
                message_id=reply.message_id if package else None,
                subject=reply.subject if package else None,
            ),
            certificates=book.finished(),
            package=None if package is None else package.element,
            parts=() if package is None else package.parts,
        )
        signer = self._identity.signer if self._settings.sign else None
        outgoing = answer(draft, signer, reader, self._ids)
        return Answer(outgoing, _nothing if package is None else package.close)

    def _book(self, kind: Kind) -> CertificateBook:
        """Collect our certificates: who accepts stays addressee, who answers is the answer's originator."""
        book = CertificateBook()
        answers = kind is Kind.PROCESS_DELIVERY
        if answers and self._identity.decrypter is not None:
            book.add(ORIGINATOR_CIPHER, self._identity.decrypter.certificate)
        if self._settings.sign and self._identity.signer is not None:
            role = ORIGINATOR_SIGNATURE if answers else ADDRESSEE_SIGNATURE
            book.add(role, self._identity.signer.certificate)
        return book

    def _package(self, incoming: wire.Incoming, reply: Reply, book: CertificateBook) -> WrittenPackage | None:
        if not reply.items or incoming.message.kind is not Kind.PROCESS_DELIVERY:
            return None
        originator = incoming.message.certificates.get(ORIGINATOR_CIPHER)
        if originator is not None:
            # In an answer the parts are exchanged: the first sender is now the addressee.
            book.add(ADDRESSEE_CIPHER, originator)
        return PackageWriter(book, self._ids, self._settings.folder).write(reply.items)


def _nothing() -> None:
    return
