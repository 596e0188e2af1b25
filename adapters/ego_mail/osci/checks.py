"""Whether an answer belongs to our order and comes from the one we asked."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from adapters.ego_mail.osci.algorithms import AlgorithmPolicy
from adapters.ego_mail.osci.envelope import ControlBlock, verify_message
from adapters.ego_mail.osci.errors import (
    CertificateSwappedError,
    ConversationMismatchError,
    DialogError,
    ReplayedChallengeError,
    SequenceMismatchError,
    SignatureMissingError,
    UnencryptedAnswerError,
)
from adapters.ego_mail.osci.keys import subject
from adapters.ego_mail.osci.mime import MultipartReader
from adapters.ego_mail.osci.orders import Kind
from adapters.ego_mail.osci.trust import TrustStore, Use, check_usage, check_validity
from adapters.ego_mail.osci.wire import Incoming


@dataclass(frozen=True, slots=True)
class Expectation:
    """What an answer must be like."""

    encrypted: bool
    signed: bool
    certificate: x509.Certificate | None
    trust: TrustStore
    policy: AlgorithmPolicy
    at: datetime


def check_answer(incoming: Incoming, kind: Kind, sent: ControlBlock, expected: Expectation) -> None:
    """Raise DialogError, SignatureError or CertificateError (subclasses) where the answer does not stand."""
    message = incoming.message
    if expected.encrypted and not incoming.encrypted:
        raise UnencryptedAnswerError
    if message.kind is not kind:
        raise DialogError(f"expected {kind.value}, got {message.kind.value}")
    check_signer(incoming, expected)
    check_control(message.control, sent)


def check_signer(incoming: Incoming, expected: Expectation) -> None:
    """Verify the transport signature and whose it is."""
    if incoming.message.signature is None:
        if expected.signed:
            raise SignatureMissingError(f"{incoming.message.kind.value} is not signed")
        return
    verified = verify_message(incoming.message, incoming.parts, expected.policy)
    if expected.certificate is None:
        expected.trust.check(verified.certificate, Use.SIGNATURE, expected.at)
        return
    if verified.certificate != expected.certificate:
        raise CertificateSwappedError(
            f"signed by {subject(verified.certificate)}, expected {subject(expected.certificate)}",
            hint="has the intermediary a new certificate? Check with its operator before you accept it",
        )
    check_validity(verified.certificate, expected.at)
    check_usage(verified.certificate, Use.SIGNATURE)


def check_control(answer: ControlBlock, sent: ControlBlock) -> None:
    """Compare the dialog's thread (OSCI 1.2, Dialogkontrolle)."""
    if answer.response != sent.challenge:
        raise ReplayedChallengeError("the answer does not respond to our challenge")
    if sent.conversation_id is not None and answer.conversation_id != sent.conversation_id:
        raise ConversationMismatchError(
            f"conversation {answer.conversation_id!r}, expected {sent.conversation_id!r}"
        )
    if answer.sequence is not None and answer.sequence != sent.sequence:
        raise SequenceMismatchError(f"step {answer.sequence}, expected {sent.sequence}")


def raw_xml(incoming: Incoming) -> bytes:
    """Return the XML part below transport encryption, byte by byte as it came."""
    reader = MultipartReader(incoming.plain)
    try:
        with reader.parts()[0].blob.open() as source:
            return source.read()
    finally:
        reader.close()
