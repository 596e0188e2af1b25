"""What those need who answer orders (passive recipient, intermediary): codes for errors, and writing."""

from collections.abc import Callable
from dataclasses import dataclass

from cryptography import x509

from adapters.ego_mail.osci import wire
from adapters.ego_mail.osci.envelope import Draft, write_fault, write_message
from adapters.ego_mail.osci.errors import (
    CertificateError,
    CertificateExpiredError,
    CertificateSwappedError,
    DecryptionError,
    DialogError,
    LimitExceededError,
    NotAllSignedError,
    OsciError,
    SignatureError,
    SignatureMissingError,
    WrongRecipientError,
)
from adapters.ego_mail.osci.keys import Signer
from adapters.ego_mail.osci.mime import OutPart
from engine.identifiers import IdSource


def fault_code(error: OsciError) -> str:
    """Return the code of the SOAP fault for a message that could not be processed at all."""
    if isinstance(error, WrongRecipientError):
        return "9200"
    if isinstance(error, DecryptionError):
        return "9202"
    if isinstance(error, DialogError):
        return "9400"
    if isinstance(error, LimitExceededError):
        return "9904"
    return "9100"


def order_code(error: SignatureError | CertificateError) -> str:
    """Return the feedback code for an order whose signature does not stand."""
    if isinstance(error, SignatureMissingError):
        return "9600"
    if isinstance(error, NotAllSignedError):
        return "9602"
    if isinstance(error, CertificateSwappedError | SignatureError):
        return "9601"
    return "3700" if isinstance(error, CertificateExpiredError) else "9700"


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes of an answer, and what must be closed once they were sent."""

    outgoing: wire.Outgoing
    close: Callable[[], None]


def fault(code: str, ids: IdSource, language: str = "de") -> wire.Outgoing:
    """Build a SOAP fault; faults travel unencrypted and unsigned."""
    server = code in {"9000", "9503"}
    return wire.plain(write_fault(code, server=server, language=language), [], ids)


def answer(
    draft: Draft, signer: Signer | None, reader: x509.Certificate | None, ids: IdSource
) -> wire.Outgoing:
    """Write a draft, signed where there is a signer, encrypted where there is a reader."""
    outgoing = wire.plain(write_message(draft, signer), draft.parts, ids)
    return outgoing if reader is None else wire.encrypted(outgoing, reader, ids)


def parts_of(incoming: wire.Incoming) -> list[OutPart]:
    """Return the attachments of a message for passing them on unchanged."""
    return [OutPart(part.content_id, part.media_type, part.blob) for part in incoming.parts]
