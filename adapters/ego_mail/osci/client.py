"""Our side towards an intermediary: orders with checked answers.

Deliveries can be sent in two phases: ``prepare`` fixes the signed bytes in a file, ``transmit`` sends them.
"""

import base64
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography import x509

from adapters.ego_mail.osci import checks, wire, xml
from adapters.ego_mail.osci.algorithms import STRICT, AlgorithmPolicy
from adapters.ego_mail.osci.cards import ProcessCard
from adapters.ego_mail.osci.content import Item, PackageWriter, readers_of
from adapters.ego_mail.osci.envelope import ControlBlock, Draft, Message, write_message
from adapters.ego_mail.osci.errors import FeedbackError, MalformedMessageError, PreparedMissingError
from adapters.ego_mail.osci.feedback import Feedback
from adapters.ego_mail.osci.http import Transport
from adapters.ego_mail.osci.keys import Decrypter, Signer
from adapters.ego_mail.osci.mime import OutPart
from adapters.ego_mail.osci.orders import Kind, Order
from adapters.ego_mail.osci.roles import (
    ADDRESSEE_CIPHER,
    ORIGINATOR_CIPHER,
    ORIGINATOR_SIGNATURE,
    CertificateBook,
    Certificates,
)
from adapters.ego_mail.osci.streams import CHUNK, FileBlob, chunks, closed_on_error
from adapters.ego_mail.osci.trust import TrustStore, Use, check_usage, check_validity
from engine.clock import Clock
from engine.identifiers import IdSource

CHALLENGE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Intermediary:
    """The other side: where it is and which certificates it has."""

    uri: str
    cipher: x509.Certificate | None = None
    """Needed for transport encryption."""
    signature: x509.Certificate | None = None
    """Where known, only this one may sign answers; else the trust store decides."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are: what we sign and decrypt with."""

    signer: Signer | None = None
    decrypter: Decrypter | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How strict and how large."""

    sign: bool = True
    encrypt: bool = True
    require_signed_answers: bool = True
    check_readers: bool = True
    """Encrypt only for certificates the trust store accepts; off where a directory vouches for them."""
    policy: AlgorithmPolicy = STRICT
    limits: wire.Limits = field(default_factory=wire.Limits)
    languages: str = "de"
    announce: bool = True
    folder: Path | None = None
    """Where big messages are spooled; the system's temporary folder by default."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What is to be sent to one addressee."""

    items: Sequence[Item]
    addressee: x509.Certificate
    """Cipher certificate; names the mailbox at the intermediary."""
    subject: str | None = None
    """Visible to the intermediary, so nothing confidential."""
    headers: Sequence[xml.Element] = ()
    receiver: str | None = None
    """URI of a passive recipient, for forwarding and mediating."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A delivery fixed in a file: the same bytes go out however often it is tried."""

    path: Path
    kind: str
    message_id: str
    challenge: str

    def to_json(self) -> dict[str, Any]:
        """Return what must be kept beside the file."""
        return {**asdict(self), "path": str(self.path)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Prepared":
        """Take back what ``to_json`` gave."""
        return cls(Path(value["path"]), value["kind"], value["message_id"], value["challenge"])


@dataclass(frozen=True, slots=True)
class Receipt:
    """The intermediary has the message."""

    message_id: str
    feedback: tuple[Feedback, ...]
    card: ProcessCard | None
    raw: bytes
    """The answer's XML as it came, signature included: evidence."""

    @property
    def warnings(self) -> tuple[Feedback, ...]:
        """3xxx entries."""
        return tuple(entry for entry in self.feedback if entry.is_warning)


@dataclass(frozen=True, slots=True)
class Packed:
    """Certificates and content of a message under way."""

    certificates: Certificates
    package: xml.Element | None = None
    parts: Sequence[OutPart] = ()


class Client:
    """Sends orders to one intermediary. Not for several threads at once."""

    def __init__(
        self,
        intermediary: Intermediary,
        identity: Identity,
        transport: Transport,
        *,
        trust: TrustStore,
        clock: Clock,
        ids: IdSource,
        settings: Settings | None = None,
    ) -> None:
        """Raise MalformedMessageError where the settings ask for keys that are missing."""
        self.intermediary = intermediary
        self.identity = identity
        self.settings = settings or Settings()
        self.trust = trust
        self.clock = clock
        self.ids = ids
        self._transport = transport
        if self.settings.sign and identity.signer is None:
            raise MalformedMessageError("signing needs a signer", hint="give a key, or switch signing off")
        if self.settings.encrypt and (intermediary.cipher is None or identity.decrypter is None):
            raise MalformedMessageError(
                "transport encryption needs the intermediary's cipher certificate and an own cipher key"
            )

    # --- orders outside dialogs ---

    def message_id(self) -> str:
        """Ask for a MessageId (GetMessageId). Raises FeedbackError and what ``call`` raises."""
        draft = self.draft(Kind.GET_MESSAGE_ID, ControlBlock(self.challenge(), sequence=0), Order())
        with self.call(draft) as incoming:
            message_id = incoming.message.order.message_id
        if message_id is None:
            raise MalformedMessageError("the answer carries no MessageId")
        return message_id

    def prepare(
        self, delivery: Delivery, message_id: str, path: Path, *, kind: Kind = Kind.STORE_DELIVERY
    ) -> Prepared:
        """Write and sign a delivery into ``path``, below transport encryption. Sends nothing.

        Raises CertificateError where the addressee's or a reader's certificate is not acceptable now.
        """
        order = Order(message_id=message_id, subject=delivery.subject, receiver=delivery.receiver)
        control = ControlBlock(self.challenge(), sequence=0)
        with self.packed(delivery) as packed:
            text = self._write(replace(self.draft(kind, control, order, packed), headers=delivery.headers))
            with path.open("wb") as target:
                for piece in wire.plain(text, packed.parts, self.ids).chunks():
                    target.write(piece)
                target.flush()
                os.fsync(target.fileno())  # the caller commits next and relies on these bytes
        return Prepared(path, kind.value, message_id, control.challenge or "")

    def transmit(self, prepared: Prepared) -> Receipt:
        """Send a prepared delivery. Raises OutcomeUnknownError where only a process card can tell.

        Raises PreparedMissingError where the file is gone; for the rest see ``call``.
        """
        kind = Kind(prepared.kind)
        if not prepared.path.is_file():
            raise PreparedMissingError(where=str(prepared.path), hint="prepare the delivery anew")
        blob = FileBlob(prepared.path)
        outgoing = wire.Outgoing(blob.size, lambda: chunks(blob.open(), CHUNK))
        control = ControlBlock(prepared.challenge, sequence=0)
        with self._exchange(kind, control, outgoing) as incoming:
            check_feedback(incoming.message)
            order = incoming.message.order
            raw = checks.raw_xml(incoming)
        return Receipt(prepared.message_id, order.feedback, order.card, raw)

    def store(self, delivery: Delivery, folder: Path) -> Receipt:
        """Ask for a MessageId, prepare in ``folder`` and send, in one go; the file is removed."""
        message_id = self.message_id()
        path = folder / f"{self.ids.new()}.osci"
        try:
            return self.transmit(self.prepare(delivery, message_id, path))
        finally:
            path.unlink(missing_ok=True)

    # --- what dialogs build on ---

    def challenge(self) -> str:
        """Return a fresh challenge."""
        return base64.b64encode(self.ids.token(CHALLENGE_BYTES)).decode("ascii")

    @contextmanager
    def packed(self, delivery: Delivery) -> "Iterator[Packed]":
        """Write a delivery's content and collect its certificates; attachments live while the block runs.

        Raises CertificateError where the addressee's or a reader's certificate is not acceptable now.
        """
        self._check_readers(delivery)
        book = self._book(with_cipher=True)
        book.add(ADDRESSEE_CIPHER, delivery.addressee)
        package = PackageWriter(book, self.ids, self.settings.folder).write(delivery.items)
        try:
            certificates = book.finished()
            for entry in certificates.entries:
                check_validity(entry.certificate, self.clock.now())
            yield Packed(certificates, package.element, package.parts)
        finally:
            package.close()

    def _check_readers(self, delivery: Delivery) -> None:
        now = self.clock.now()
        for reader in {delivery.addressee, *readers_of(delivery.items)}:
            if self.settings.check_readers:
                self.trust.check(reader, Use.CIPHER, now)
            else:
                check_validity(reader, now)
                check_usage(reader, Use.CIPHER)

    def draft(self, kind: Kind, control: ControlBlock, order: Order, packed: "Packed | None" = None) -> Draft:
        """Start a message with our certificates and settings."""
        with_cipher = kind in {Kind.GET_MESSAGE_ID, Kind.INIT_DIALOG}
        content = packed or Packed(self._book(with_cipher=with_cipher).finished())
        return Draft(
            kind=kind,
            control=control,
            order=order,
            certificates=content.certificates,
            package=content.package,
            parts=content.parts,
            languages=self.settings.languages,
            announce=self.settings.announce,
        )

    def call(self, draft: Draft, allowed: Sequence[str] = ()) -> wire.Incoming:
        """Send a draft and return the checked answer.

        Raises FeedbackError for 9xxx codes outside ``allowed``, and what ``ask`` raises.
        """
        incoming = self.ask(draft)
        with closed_on_error(incoming.close):
            check_feedback(incoming.message, allowed)
        return incoming

    def ask(self, draft: Draft) -> wire.Incoming:
        """Send a draft and return the answer, whatever its feedback says.

        Raises DialogError, SignatureError, CertificateError where the answer does not stand; SoapFaultError;
        and what the transport raises.
        """
        outgoing = wire.plain(self._write(draft), draft.parts, self.ids)
        return self._exchange(draft.kind, draft.control, outgoing)

    def _write(self, draft: Draft) -> bytes:
        return write_message(draft, self.identity.signer if self.settings.sign else None)

    def _book(self, *, with_cipher: bool) -> CertificateBook:
        book = CertificateBook()
        if with_cipher and self.identity.decrypter is not None:
            book.add(ORIGINATOR_CIPHER, self.identity.decrypter.certificate)
        if self.identity.signer is not None:
            book.add(ORIGINATOR_SIGNATURE, self.identity.signer.certificate)
        return book

    def _exchange(self, kind: Kind, control: ControlBlock, outgoing: wire.Outgoing) -> wire.Incoming:
        cipher = self.intermediary.cipher
        if self.settings.encrypt and cipher is not None:
            check_validity(cipher, self.clock.now())
            outgoing = wire.encrypted(outgoing, cipher, self.ids)
        limit = self.settings.limits.message
        spool = self._transport.exchange(self.intermediary.uri, outgoing, limit=limit)
        decrypter = self.identity.decrypter
        incoming = wire.read(
            spool,
            [] if decrypter is None else [decrypter],
            policy=self.settings.policy,
            limits=self.settings.limits,
            folder=self.settings.folder,
        )
        with closed_on_error(incoming.close):
            checks.check_answer(
                incoming,
                kind.answer,
                control,
                checks.Expectation(
                    encrypted=self.settings.encrypt,
                    signed=self.settings.require_signed_answers,
                    certificate=self.intermediary.signature,
                    trust=self.trust,
                    policy=self.settings.policy,
                    at=self.clock.now(),
                ),
            )
        return incoming


def check_feedback(message: Message, allowed: Sequence[str] = ()) -> None:
    """Raise FeedbackError where an answer holds a 9xxx code that is not in ``allowed``."""
    feedback = message.order.feedback
    if any(entry.is_error and entry.code not in allowed for entry in feedback):
        raise FeedbackError(feedback, where=message.kind.value)
