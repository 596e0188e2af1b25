"""Detached CMS signatures (RFC 5652) as signature software writes them beside a file, CAdES-BES included.

``read`` parses, ``verify`` proves that a signature is over exactly these bytes. What the certificate is worth
is judged in ``worth``.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from hashlib import file_digest
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from asn1crypto import cms, pem
from asn1crypto import tsp as _attributes  # noqa: F401  (makes the attributes of CAdES known)
from asn1crypto.x509 import Certificate
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.signatures.errors import SignatureBrokenError

MAX_BYTES = 1_000_000
DIGESTS: Mapping[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
"""What may be signed with; SHA-1 and older are refused."""
MIN_RSA_BITS = 2048

_HOSTILE = (
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError),
    *(x509.InvalidVersion, x509.DuplicateExtension, UnsupportedAlgorithm),
)
"""What the parsers raise over bytes that somebody made up."""
P = ParamSpec("P")
T = TypeVar("T")


def _refusing(function: Callable[P, T]) -> Callable[P, T]:
    """Turn what the parsers raise into a refusal."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except _HOSTILE as error:
            raise SignatureBrokenError(
                f"is no CMS signature: {error}", hint="a detached signature, .p7s, is needed"
            ) from error

    return guarded


@dataclass(frozen=True, slots=True)
class Signed:
    """One signer of a CMS signature, not verified yet."""

    certificate: x509.Certificate
    others: tuple[x509.Certificate, ...]
    digest: str
    """Name of the digest algorithm."""
    expected: bytes
    """Digest that the signed file must have."""
    at: datetime | None
    """When it was signed, as the signer claims."""
    _attributes: bytes
    _algorithm: Any
    _value: bytes


@_refusing
def read(data: bytes) -> tuple[Signed, ...]:
    """Parse a detached signature, DER or PEM; raise SignatureBrokenError."""
    if len(data) > MAX_BYTES:
        raise SignatureBrokenError(f"is larger than {MAX_BYTES} bytes")
    info = cms.ContentInfo.load(to_der(data), strict=True)
    if info["content_type"].native != "signed_data":
        raise SignatureBrokenError(f"is {info['content_type'].native}, no signature")
    signed = info["content"]
    if signed["encap_content_info"]["content"].native is not None:
        raise SignatureBrokenError(
            "holds the file itself (enveloping)", hint="choose a detached signature in the signature software"
        )
    certificates = tuple(
        x509.load_der_x509_certificate(each.chosen.dump())
        for each in signed["certificates"]
        if each.name == "certificate"
    )
    found = tuple(_signed(each, certificates) for each in signed["signer_infos"])
    if not found:
        raise SignatureBrokenError("names no signer")
    return found


@_refusing
def to_der(data: bytes) -> bytes:
    """Return a signature as others expect it in a ``.p7s``: DER, also where it was written as PEM."""
    return pem.unarmor(data)[2] if pem.detect(data) else data


def verify(signed: Signed, content: Path) -> None:
    """Accept a signature over exactly the bytes of ``content``; raise SignatureBrokenError."""
    if not covers(signed, content):
        raise SignatureBrokenError("is over other bytes: the file was changed, or another one was signed")
    _verify_value(signed)


def covers(signed: Signed, content: Path) -> bool:
    """Tell whether a signature claims to be over the bytes of ``content``; proves nothing yet."""
    with content.open("rb") as source:
        return hmac.compare_digest(file_digest(source, signed.digest).digest(), signed.expected)


def _signed(info: Any, certificates: tuple[x509.Certificate, ...]) -> Signed:
    digest = info["digest_algorithm"]["algorithm"].native
    if digest not in DIGESTS:
        raise SignatureBrokenError(f"uses {digest}", hint=f"{', '.join(DIGESTS)} are taken")
    certificate = _certificate_of(info["sid"], certificates)
    raw = info["signed_attrs"].dump()
    attributes = {each["type"].native: each["values"] for each in info["signed_attrs"]}
    if attributes["content_type"][0].native != "data":
        raise SignatureBrokenError("does not sign a file")
    _check_binding(attributes, certificate)
    return Signed(
        certificate,
        tuple(each for each in certificates if each is not certificate),
        digest,
        attributes["message_digest"][0].native,
        _time(attributes),
        # What is signed is the set itself, not the tag it has inside the structure (RFC 5652, 5.4).
        b"\x31" + raw[1:],
        info["signature_algorithm"],
        info["signature"].native,
    )


def _time(attributes: Mapping[str, Any]) -> datetime | None:
    """Return the claimed time. RFC 5652 (11.3) asks for UTC; a time without zone is no instant."""
    times = attributes.get("signing_time")
    if times is None:
        return None
    found = times[0].native
    if not isinstance(found, datetime) or found.tzinfo is None:
        raise SignatureBrokenError("claims a time that is no instant of the calendar in UTC")
    return found


def _certificate_of(sid: Any, certificates: tuple[x509.Certificate, ...]) -> x509.Certificate:
    for each in certificates:
        if sid.name == "issuer_and_serial_number":
            named = sid.chosen["issuer"].dump() == each.issuer.public_bytes()
            if named and sid.chosen["serial_number"].native == each.serial_number:
                return each
        elif _key_id(each) == sid.chosen.native:
            return each
    raise SignatureBrokenError("lacks the signer's certificate", hint="let the software enclose certificates")


def _key_id(certificate: x509.Certificate) -> bytes | None:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return None
    return found.value.digest


def _check_binding(attributes: Mapping[str, Any], certificate: x509.Certificate) -> None:
    """Hold the certificate against the one that CAdES binds into the signature, where it does."""
    bound = attributes.get("signing_certificate_v2")
    if bound is None:
        return
    first = bound[0]["certs"][0]
    algorithm = first["hash_algorithm"]["algorithm"].native
    if algorithm not in DIGESTS:
        raise SignatureBrokenError(f"binds its certificate by {algorithm}")
    if not hmac.compare_digest(certificate.fingerprint(DIGESTS[algorithm]()), first["cert_hash"].native):
        raise SignatureBrokenError("was made with another certificate than the enclosed one")


@_refusing
def _verify_value(signed: Signed) -> None:
    key = signed.certificate.public_key()
    kind = signed._algorithm.signature_algo
    own_hash = signed.digest if kind == "rsassa_pkcs1v15" else signed._algorithm.hash_algo
    if own_hash not in DIGESTS:
        raise SignatureBrokenError(f"uses {own_hash}", hint=f"{', '.join(DIGESTS)} are taken")
    chosen = DIGESTS[own_hash]()
    try:
        if isinstance(key, rsa.RSAPublicKey) and kind in ("rsassa_pkcs1v15", "rsassa_pss"):
            if key.key_size < MIN_RSA_BITS:
                raise SignatureBrokenError(f"uses an RSA key of {key.key_size} bits")
            key.verify(signed._value, signed._attributes, _padding(signed._algorithm, chosen), chosen)
        elif isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
            key.verify(signed._value, signed._attributes, ec.ECDSA(chosen))
        else:
            raise SignatureBrokenError(f"uses {kind}, which does not fit its certificate's key")
    except (InvalidSignature, UnsupportedAlgorithm) as error:
        raise SignatureBrokenError("does not verify: it was changed, or made with another key") from error


def _padding(algorithm: Any, chosen: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    if algorithm.signature_algo == "rsassa_pkcs1v15":
        return padding.PKCS1v15()
    parameters = algorithm["parameters"]
    mask = parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native
    return padding.PSS(padding.MGF1(DIGESTS[mask]()), parameters["salt_length"].native)


def make(
    content: Path,
    certificate: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    at: datetime,
) -> bytes:
    """Return a detached CAdES-BES signature over ``content`` in DER, with SHA-256."""
    with content.open("rb") as source:
        digest = file_digest(source, "sha256").digest()
    own = Certificate.load(certificate.public_bytes(Encoding.DER))
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["data"]},
            {"type": "signing_time", "values": [cms.Time({"utc_time": at.replace(microsecond=0)})]},
            {"type": "message_digest", "values": [digest]},
            {"type": "signing_certificate_v2", "values": [{"certs": [{"cert_hash": own.sha256}]}]},
        ]
    )
    rsa_key = isinstance(key, rsa.RSAPrivateKey)
    signed = b"\x31" + attributes.dump()[1:]
    value = (
        key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        if isinstance(key, rsa.RSAPrivateKey)
        else key.sign(signed, ec.ECDSA(hashes.SHA256()))
    )
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": {
                "issuer_and_serial_number": {
                    "issuer": own.issuer,
                    "serial_number": certificate.serial_number,
                }
            },
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_rsa" if rsa_key else "sha256_ecdsa"},
            "signature": value,
        }
    )
    data = cms.SignedData(
        {
            "version": "v1",
            "digest_algorithms": [{"algorithm": "sha256"}],
            "encap_content_info": {"content_type": "data"},
            "certificates": [own, *(Certificate.load(each.public_bytes(Encoding.DER)) for each in chain)],
            "signer_infos": [info],
        }
    )
    found: bytes = cms.ContentInfo({"content_type": "signed_data", "content": data}).dump()
    return found
