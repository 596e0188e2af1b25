"""XML Signature in OSCI's strict profile.

A signature here is not looked up by identifiers: the caller names the parts that must be covered, each at
its fixed place in the message, and the references must be exactly those. That leaves no room for wrapping.
Profile: oscisig.xsd (C14N 1.0, one certificate by RetrievalMethod, no enveloped transforms).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import constant_time, hashes

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.algorithms import (
    BASE64,
    C14N,
    SHA256,
    AlgorithmPolicy,
    verify_signature,
)
from adapters.ego_mail.osci.errors import (
    DigestMismatchError,
    MalformedMessageError,
    NotAllSignedError,
    SignatureWrappingError,
    UnsupportedAlgorithmError,
    WrongReferenceError,
)
from adapters.ego_mail.osci.keys import Signer
from adapters.ego_mail.osci.streams import Blob, digest_of


def sha256(data: bytes) -> bytes:
    """Hash small data with the digest that is always written."""
    context = hashes.Hash(hashes.SHA256())
    context.update(data)
    return context.finalize()


@dataclass(frozen=True, slots=True)
class Covered:
    """A part that a signature must cover: its reference URI, its transform and how to hash it."""

    uri: str
    transform: str | None
    digest: Callable[[hashes.HashAlgorithm], bytes]
    other_digest: Callable[[hashes.HashAlgorithm], bytes] | None = None
    """A second form that is accepted when reading."""

    @classmethod
    def sealed(cls, element: xml.Element) -> "Covered":
        """Cover an EncryptedData inside a signed container.

        The reference library hashes it without the namespace declarations it inherits, which C14N would
        repeat. What it writes can be read and what it reads is written; the standard form is read too.
        """
        return cls(
            f"#{xml.attribute(element, 'Id')}",
            C14N,
            lambda kind: _hash(_without_inherited(element), kind),
            lambda kind: _hash(xml.canonical(element), kind),
        )

    @classmethod
    def element(cls, element: xml.Element) -> "Covered":
        """Cover an element in its place, by its ``Id``."""
        return cls(f"#{xml.attribute(element, 'Id')}", C14N, lambda kind: _hash(xml.canonical(element), kind))

    @classmethod
    def decoded(cls, identifier: str, data: bytes) -> "Covered":
        """Cover the bytes inside a Base64Content."""
        return cls(f"#{identifier}", BASE64, lambda kind: _hash(data, kind))

    @classmethod
    def attachment(cls, content_id: str, blob: Blob) -> "Covered":
        """Cover an attachment's bytes."""
        return cls(f"cid:{content_id}", None, lambda kind: digest_of(blob, kind))


def _without_inherited(element: xml.Element) -> bytes:
    start, end, rest = xml.canonical(element).partition(b">")
    if any(element.nsmap.get(prefix) != uri for prefix, uri in xml.NSMAP.items()):
        return start + end + rest  # other bindings of the prefixes must not be dropped unseen
    for prefix, uri in xml.NSMAP.items():
        start = start.replace(f' xmlns:{prefix}="{uri}"'.encode(), b"", 1)
    return start + end + rest


def _hash(data: bytes, kind: hashes.HashAlgorithm) -> bytes:
    context = hashes.Hash(kind)
    context.update(data)
    return context.finalize()


# --- writing -------------------------------------------------------------------------------------


def sign(parent: xml.Element, parts: list[Covered], signer: Signer, certificate_id: str) -> xml.Element:
    """Append a ds:Signature over ``parts`` to ``parent``; the certificate stands in the message's header."""
    signature = xml.child(parent, xml.DS, "Signature")
    info = xml.child(signature, xml.DS, "SignedInfo")
    xml.child(info, xml.DS, "CanonicalizationMethod", None, Algorithm=C14N)
    xml.child(info, xml.DS, "SignatureMethod", None, Algorithm=signer.algorithm)
    for part in parts:
        reference = xml.child(info, xml.DS, "Reference", None, URI=part.uri)
        if part.transform is not None:
            transforms = xml.child(reference, xml.DS, "Transforms")
            xml.child(transforms, xml.DS, "Transform", None, Algorithm=part.transform)
        xml.child(reference, xml.DS, "DigestMethod", None, Algorithm=SHA256)
        xml.child(reference, xml.DS, "DigestValue", xml.encode64(part.digest(hashes.SHA256())))
    value = signer.sign(xml.canonical(info))
    xml.child(signature, xml.DS, "SignatureValue", xml.encode64(value))
    key = xml.child(signature, xml.DS, "KeyInfo")
    xml.child(key, xml.DS, "RetrievalMethod", None, URI=f"#{certificate_id}")
    return signature


# --- reading -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    """One ds:Reference as read."""

    uri: str
    transforms: tuple[str, ...]
    digest_method: str
    digest_value: bytes


@dataclass(frozen=True, slots=True)
class ReadSignature:
    """A ds:Signature as read, not yet believed."""

    algorithm: str
    references: Mapping[str, Reference]
    signed_info: bytes
    value: bytes
    certificate_id: str
    signing_time: datetime | None
    signed_properties: xml.Element | None


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """A signature that was calculated and found right, with the certificate it was made with."""

    certificate: x509.Certificate
    algorithm: str
    signing_time: datetime | None = None
    """What the signer claims, where the signature says so."""


def read_signature(element: xml.Element) -> ReadSignature:
    """Read a ds:Signature; raise MalformedMessageError, SignatureWrappingError, UnsupportedAlgorithmError."""
    info = xml.one(element, xml.DS, "SignedInfo")
    method = xml.attribute(xml.one(info, xml.DS, "CanonicalizationMethod"), "Algorithm")
    if method != C14N:
        raise UnsupportedAlgorithmError(f"unknown canonicalisation {method!r}")
    references: dict[str, Reference] = {}
    for node in info.findall(xml.q(xml.DS, "Reference")):
        reference = _read_reference(node)
        if reference.uri in references:
            raise SignatureWrappingError(f"two references to {reference.uri!r}")
        references[reference.uri] = reference
    properties, time = _signing_time(element)
    key = xml.one(xml.one(element, xml.DS, "KeyInfo"), xml.DS, "RetrievalMethod")
    return ReadSignature(
        algorithm=xml.attribute(xml.one(info, xml.DS, "SignatureMethod"), "Algorithm"),
        references=references,
        signed_info=xml.canonical(info),
        value=xml.decode64(xml.text_of(xml.one(element, xml.DS, "SignatureValue"))),
        certificate_id=_fragment(xml.attribute(key, "URI")),
        signing_time=time,
        signed_properties=properties,
    )


def _read_reference(node: xml.Element) -> Reference:
    holder = xml.maybe(node, xml.DS, "Transforms")
    transforms: list[str] = []
    for transform in () if holder is None else xml.children(holder):
        if len(transform):
            raise UnsupportedAlgorithmError("transforms with parameters are not supported")
        transforms.append(xml.attribute(transform, "Algorithm"))
    return Reference(
        xml.attribute(node, "URI"),
        tuple(transforms),
        xml.attribute(xml.one(node, xml.DS, "DigestMethod"), "Algorithm"),
        xml.decode64(xml.text_of(xml.one(node, xml.DS, "DigestValue"))),
    )


def _signing_time(element: xml.Element) -> tuple[xml.Element | None, datetime | None]:
    holder = xml.maybe(element, xml.DS, "Object")
    if holder is None:
        return None, None
    qualifying = xml.one(holder, xml.XADES, "QualifyingProperties")
    properties = xml.one(qualifying, xml.XADES, "SignedProperties")
    inner = xml.one(properties, xml.XADES, "SignedSignatureProperties")
    stated = xml.maybe(inner, xml.XADES, "SigningTime")
    if stated is None:
        return properties, None
    try:
        return properties, datetime.fromisoformat(xml.text_of(stated))
    except ValueError as error:
        raise MalformedMessageError("the signing time is no date") from error


def _fragment(uri: str) -> str:
    if not uri.startswith("#") or len(uri) < 2:
        raise MalformedMessageError("the signature names no certificate of this message")
    return uri[1:]


def verify(
    signature: ReadSignature,
    parts: list[Covered],
    certificate: x509.Certificate,
    policy: AlgorithmPolicy,
    *,
    where: str,
) -> VerifiedSignature:
    """Check that ``signature`` covers exactly ``parts`` and was made with ``certificate``.

    Raises NotAllSignedError, WrongReferenceError, DigestMismatchError, SignatureInvalidError.
    """
    # The value first: digests of what nobody signed are not worth calculating.
    verify_signature(
        certificate.public_key(), signature.algorithm, signature.value, signature.signed_info, policy
    )
    expected = list(parts)
    if signature.signed_properties is not None:
        expected.append(Covered.element(signature.signed_properties))
    required = {part.uri for part in expected}
    if len(required) != len(expected):
        raise SignatureWrappingError("two parts share an identifier", where=where)
    if missing := sorted(required - set(signature.references)):
        raise NotAllSignedError(f"not signed: {', '.join(missing)}", where=where)
    if foreign := sorted(set(signature.references) - required):
        raise WrongReferenceError(f"the signature refers to {', '.join(foreign)}", where=where)
    for part in expected:
        _check_reference(signature.references[part.uri], part, policy, where)
    return VerifiedSignature(certificate, signature.algorithm, signature.signing_time)


def _check_reference(reference: Reference, part: Covered, policy: AlgorithmPolicy, where: str) -> None:
    allowed = () if part.transform is None else (part.transform,)
    # Without transforms an element is hashed over its C14N form as well (XML Signature 4.4.3.2).
    if reference.transforms != allowed and not (part.transform == C14N and not reference.transforms):
        raise WrongReferenceError(
            f"{reference.uri} is signed through {', '.join(reference.transforms) or 'no transform'}",
            where=where,
        )
    forms = [part.digest] if part.other_digest is None else [part.digest, part.other_digest]
    method = policy.digest(reference.digest_method)
    if not any(constant_time.bytes_eq(form(method), reference.digest_value) for form in forms):
        raise DigestMismatchError(f"{reference.uri} was changed after signing", where=where)
