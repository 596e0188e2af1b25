"""A whole message on the wire: MIME around XML and attachments, transport encryption around both."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.algorithms import STRICT, AlgorithmPolicy
from adapters.ego_mail.osci.encryption import (
    add_cipher_reference,
    add_encrypted_key,
    encrypt_stream,
    encrypted_keys,
    encrypted_length,
    new_key,
    read_cipher_method,
    start_encrypted_data,
    unwrap_key,
)
from adapters.ego_mail.osci.envelope import (
    ENCRYPTED,
    XML_DECLARATION,
    Message,
    read_message,
    schema_kind,
)
from adapters.ego_mail.osci.errors import MalformedMessageError, WrongRecipientError
from adapters.ego_mail.osci.keys import Decrypter
from adapters.ego_mail.osci.mime import (
    ENCRYPTED_PART,
    MultipartReader,
    OutPart,
    Part,
    encrypted_size,
    multipart_size,
    write_encrypted,
    write_multipart,
)
from adapters.ego_mail.osci.roles import read_certificate
from adapters.ego_mail.osci.streams import Spool
from engine.identifiers import IdSource


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Bytes ready to travel: how many, and where they come from (again and again)."""

    size: int
    chunks: Callable[[], Iterator[bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read from the other side, in bytes."""

    message: int = 512 * 1024 * 1024
    xml: int = xml.MAX_XML_BYTES


def plain(text: bytes, parts: Sequence[OutPart], ids: IdSource) -> Outgoing:
    """Put XML and attachments into an unencrypted message."""
    boundary = f"MIME_boundary_{ids.token(16).hex()}"
    attachments = list(parts)
    return Outgoing(
        multipart_size(text, attachments, boundary),
        lambda: write_multipart(text, attachments, boundary),
    )


def encrypted(inner: Outgoing, reader: x509.Certificate, ids: IdSource) -> Outgoing:
    """Encrypt a message on the transport layer for the owner of ``reader``."""
    boundary = f"MIME_boundary_{ids.token(16).hex()}"
    key, iv = new_key(ids)
    outer = _outer_envelope(key, reader)
    # Key and IV belong to this one content: the bytes must be the same each time they are read.
    return Outgoing(
        encrypted_size(outer, encrypted_length(inner.size), boundary),
        lambda: write_encrypted(outer, encrypt_stream(inner.chunks(), key, iv), boundary),
    )


def _outer_envelope(key: bytes, reader: x509.Certificate) -> bytes:
    nsmap = {prefix: uri for prefix, uri in xml.NSMAP.items() if prefix != "osci"}
    envelope = xml.root(xml.SOAP, "Envelope", nsmap)
    location = f"{xml.SOAP} soap{ENCRYPTED}.xsd {xml.DS} oscisig.xsd {xml.XENC} oscienc.xsd"
    envelope.set(xml.q(xml.XSI, "schemaLocation"), location)
    body = xml.child(envelope, xml.SOAP, "Body")
    element = start_encrypted_data(body, "Multipart/Related", None)
    info = add_encrypted_key(element, key, reader)
    der = reader.public_bytes(serialization.Encoding.DER)
    data = xml.child(info, xml.DS, "X509Data")
    xml.child(data, xml.DS, "X509Certificate", xml.encode64(der))
    add_cipher_reference(element, f"cid:{ENCRYPTED_PART}")
    return XML_DECLARATION + xml.canonical(envelope)


@dataclass(slots=True)
class Incoming:
    """A message that came in, read but not verified; a context manager over its spools."""

    message: Message
    parts: list[Part]
    """Attachments as they travelled."""
    encrypted: bool
    plain: Spool
    """The message below transport encryption, as bytes: what an archive keeps."""
    _stack: ExitStack = field(repr=False)

    def close(self) -> None:
        """Give the spools back."""
        self._stack.close()

    def __enter__(self) -> "Incoming":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read(
    spool: Spool,
    decrypters: Sequence[Decrypter],
    *,
    policy: AlgorithmPolicy = STRICT,
    limits: Limits | None = None,
    folder: Path | None = None,
) -> Incoming:
    """Read a message from ``spool``, which the result takes over and closes.

    Raises MalformedMessageError, LimitExceededError, DecryptionError, WrongRecipientError,
    UnsupportedAlgorithmError, SoapFaultError.
    """
    bounds = limits or Limits()
    with ExitStack() as stack:
        stack.callback(spool.close)
        root, parts = _split(spool, stack, bounds, folder)
        was_encrypted = schema_kind(root) == ENCRYPTED
        if was_encrypted:
            spool = _decrypt(root, parts, decrypters, policy, bounds, folder)
            stack.callback(spool.close)
            root, parts = _split(spool, stack, bounds, folder)
            if schema_kind(root) == ENCRYPTED:
                raise MalformedMessageError("transport encryption inside transport encryption")
        message = read_message(root)
        return Incoming(message, parts, was_encrypted, spool, stack.pop_all())


def _split(
    spool: Spool, stack: ExitStack, limits: Limits, folder: Path | None
) -> tuple[xml.Element, list[Part]]:
    reader = MultipartReader(spool, folder=folder)
    stack.callback(reader.close)
    first, *rest = reader.parts()
    with first.blob.open() as source:
        return xml.parse(source.read(limits.xml + 1), limit=limits.xml), rest


def _decrypt(
    root: xml.Element,
    parts: list[Part],
    decrypters: Sequence[Decrypter],
    policy: AlgorithmPolicy,
    limits: Limits,
    folder: Path | None,
) -> Spool:
    element = xml.one(xml.one(root, xml.SOAP, "Body"), xml.XENC, "EncryptedData")
    reference = xml.one(xml.one(element, xml.XENC, "CipherData"), xml.XENC, "CipherReference")
    uri = xml.attribute(reference, "URI")
    if len(parts) != 1 or uri != f"cid:{parts[0].content_id}":
        raise MalformedMessageError("an encrypted message holds exactly the part it refers to")
    method = read_cipher_method(element, policy)
    for encrypted_key in encrypted_keys(element):
        info = xml.one(encrypted_key, xml.DS, "KeyInfo")
        value = xml.one(xml.one(info, xml.DS, "X509Data"), xml.DS, "X509Certificate")
        reader = read_certificate(value)
        for decrypter in decrypters:
            if decrypter.certificate == reader:
                key = unwrap_key(encrypted_key, decrypter, policy)
                return method.decrypt(parts[0].blob, key, folder=folder, limit=limits.message)
    raise WrongRecipientError("the message is encrypted for another certificate")
