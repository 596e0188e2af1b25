"""Who takes part in a message, and the certificate header blocks that say so.

OSCI knows originator, addressee, further authors and readers, and the intermediary (order.xsd,
NonIntermediaryCertificatesTemplate and IntermediaryCertificatesTemplate).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.errors import (
    CertificateSwappedError,
    MalformedMessageError,
    SignatureWrappingError,
)
from adapters.ego_mail.osci.keys import fingerprint

ORIGINATOR_CIPHER = "CipherCertificateOriginator"
AUTHOR_CIPHER = "CipherCertificateOtherAuthor"
ADDRESSEE_CIPHER = "CipherCertificateAddressee"
READER_CIPHER = "CipherCertificateOtherReader"
ORIGINATOR_SIGNATURE = "SignatureCertificateOriginator"
AUTHOR_SIGNATURE = "SignatureCertificateOtherAuthor"
ADDRESSEE_SIGNATURE = "SignatureCertificateAddressee"
INTERMEDIARY_CIPHER = "CipherCertificateIntermediary"
INTERMEDIARY_SIGNATURE = "SignatureCertificateIntermediary"

_PARTIES = (
    ORIGINATOR_CIPHER,
    AUTHOR_CIPHER,
    ADDRESSEE_CIPHER,
    READER_CIPHER,
    ORIGINATOR_SIGNATURE,
    AUTHOR_SIGNATURE,
    ADDRESSEE_SIGNATURE,
)
_INTERMEDIARY = (INTERMEDIARY_CIPHER, INTERMEDIARY_SIGNATURE)
_SINGLE = {
    ORIGINATOR_CIPHER,
    ADDRESSEE_CIPHER,
    ORIGINATOR_SIGNATURE,
    ADDRESSEE_SIGNATURE,
    INTERMEDIARY_CIPHER,
    INTERMEDIARY_SIGNATURE,
}
_ID_STEMS = {
    ORIGINATOR_CIPHER: "originator_cipher",
    AUTHOR_CIPHER: "author{n}_cipher",
    ADDRESSEE_CIPHER: "addressee_cipher",
    READER_CIPHER: "reader{n}_cipher",
    ORIGINATOR_SIGNATURE: "originator_signature",
    AUTHOR_SIGNATURE: "author{n}_signature",
    ADDRESSEE_SIGNATURE: "addressee_signature",
    INTERMEDIARY_CIPHER: "intermediary_cipher",
    INTERMEDIARY_SIGNATURE: "intermediary_signature",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate of a message: its role's element name, its ``Id``, and the certificate."""

    role: str
    identifier: str
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class Certificates:
    """All certificates of one message, in order."""

    entries: tuple[Entry, ...] = ()
    by_id: Mapping[str, Entry] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> "Certificates":
        """Collect entries; raise SignatureWrappingError where an identifier occurs twice."""
        collected = tuple(entries)
        by_id: dict[str, Entry] = {}
        for entry in collected:
            if entry.identifier in by_id:
                raise SignatureWrappingError(f"two certificates share the identifier {entry.identifier!r}")
            by_id[entry.identifier] = entry
        return cls(collected, by_id)

    def get(self, role: str) -> x509.Certificate | None:
        """Return the certificate of a role that occurs once."""
        return next((entry.certificate for entry in self.entries if entry.role == role), None)

    def all(self, role: str) -> list[x509.Certificate]:
        """Return all certificates of a role."""
        return [entry.certificate for entry in self.entries if entry.role == role]

    def resolve(self, identifier: str, roles: Iterable[str]) -> Entry:
        """Return the entry an ``Id`` stands for, in one of ``roles``.

        Raises MalformedMessageError where there is none, CertificateSwappedError in another role.
        """
        entry = self.by_id.get(identifier)
        if entry is None:
            raise MalformedMessageError(f"the message carries no certificate {identifier!r}")
        allowed = tuple(roles)
        if entry.role not in allowed:
            raise CertificateSwappedError(f"{identifier!r} is {entry.role}, not {' or '.join(allowed)}")
        return entry

    def without(self, *roles: str) -> "Certificates":
        """Leave some roles out."""
        return Certificates.of(entry for entry in self.entries if entry.role not in roles)


class CertificateBook:
    """Collects a message's certificates while it is written, and gives each its ``Id``."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: list[Entry] = []

    def add(self, role: str, certificate: x509.Certificate) -> str:
        """Add a certificate once and return its ``Id``."""
        for entry in self._entries:
            if entry.role == role and entry.certificate == certificate:
                return entry.identifier
        if role in _SINGLE and any(entry.role == role for entry in self._entries):
            raise CertificateSwappedError(f"a message has one {role} only")
        number = sum(entry.role == role for entry in self._entries) + 1
        stem = _ID_STEMS[role].format(n=number)
        entry = Entry(role, f"{stem}_{fingerprint(certificate)[:32]}", certificate)
        self._entries.append(entry)
        return entry.identifier

    def signer(self, certificate: x509.Certificate) -> str:
        """Return the ``Id`` for a content signature: the originator's where it is the same certificate."""
        for entry in self._entries:
            if entry.role == ORIGINATOR_SIGNATURE and entry.certificate == certificate:
                return entry.identifier
        return self.add(AUTHOR_SIGNATURE, certificate)

    def reader(self, certificate: x509.Certificate) -> str:
        """Return the ``Id`` for content encryption: the addressee's where it is the same certificate."""
        for entry in self._entries:
            if entry.role == ADDRESSEE_CIPHER and entry.certificate == certificate:
                return entry.identifier
        return self.add(READER_CIPHER, certificate)

    def finished(self) -> Certificates:
        """Return what was collected."""
        return Certificates.of(self._entries)


def write_blocks(certificates: Certificates) -> list[xml.Element]:
    """Return the IntermediaryCertificates and NonIntermediaryCertificates blocks that are needed."""
    blocks = []
    for name, identifier, roles in (
        ("IntermediaryCertificates", "intermediarycertificates", _INTERMEDIARY),
        ("NonIntermediaryCertificates", "nonintermediarycertificates", _PARTIES),
    ):
        entries = sorted(
            (entry for entry in certificates.entries if entry.role in roles),
            key=lambda entry: roles.index(entry.role),
        )
        if not entries:
            continue
        element = xml.header_block(xml.OSCI, name, identifier, xml.ACTOR_NONE)
        for entry in entries:
            holder = xml.child(element, xml.OSCI, entry.role, None, Id=entry.identifier)
            data = xml.child(holder, xml.DS, "X509Data")
            der = entry.certificate.public_bytes(serialization.Encoding.DER)
            xml.child(data, xml.DS, "X509Certificate", xml.encode64(der))
        blocks.append(element)
    return blocks


def read_block(element: xml.Element) -> list[Entry]:
    """Read one certificate block; raise MalformedMessageError."""
    roles = _INTERMEDIARY if xml.local(element) == "IntermediaryCertificates" else _PARTIES
    entries: list[Entry] = []
    for node in xml.children(element):
        role = xml.local(node)
        if xml.namespace_of(node) != xml.OSCI or role not in roles:
            raise MalformedMessageError(f"{role} has no place among the certificates")
        if role in _SINGLE and any(entry.role == role for entry in entries):
            raise MalformedMessageError(f"two certificates for {role}")
        value = xml.one(xml.one(node, xml.DS, "X509Data"), xml.DS, "X509Certificate")
        entries.append(Entry(role, xml.attribute(node, "Id"), read_certificate(value)))
    return entries


def read_certificate(element: xml.Element) -> x509.Certificate:
    """Read an X509Certificate element; raise MalformedMessageError."""
    try:
        certificate = x509.load_der_x509_certificate(xml.decode64(xml.text_of(element)))
        certificate.public_key()
        certificate.subject.rfc4514_string()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise MalformedMessageError("a certificate of the message cannot be read") from error
    return certificate
