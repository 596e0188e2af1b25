"""Algorithm identifiers and what they mean; the only place that maps URIs to cryptography.

Sources: oscisig.xsd and oscienc.xsd of OSCI 1.2 (corrigenda up to K8), RFC 6931, XML Encryption 1.1.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from adapters.ego_mail.osci.errors import (
    CertificateUsageError,
    DeprecatedAlgorithmError,
    SignatureInvalidError,
    UnsupportedAlgorithmError,
)

_T = TypeVar("_T")

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
_XENC = "http://www.w3.org/2001/04/xmlenc#"
_XENC11 = "http://www.w3.org/2009/xmlenc11#"
_DS = "http://www.w3.org/2000/09/xmldsig#"

C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
BASE64 = f"{_DS}base64"

SHA256 = f"{_XENC}sha256"
RSA_SHA256 = f"{_MORE}rsa-sha256"
ECDSA_SHA256 = f"{_MORE}ecdsa-sha256"
AES256_GCM = f"{_XENC11}aes256-gcm"
RSA_OAEP = f"{_XENC11}rsa-oaep"
MGF1_SHA256 = f"{_XENC11}mgf1sha256"
RSA_1_5 = f"{_XENC}rsa-1_5"

GCM_IV_BYTES = 12
GCM_TAG_BYTES = 16

DIGESTS: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    SHA256: hashes.SHA256,
    f"{_XENC}sha512": hashes.SHA512,
    f"{_MORE_2007}sha3-256": hashes.SHA3_256,
    f"{_MORE_2007}sha3-384": hashes.SHA3_384,
    f"{_MORE_2007}sha3-512": hashes.SHA3_512,
}
DEPRECATED_DIGESTS: dict[str, Callable[[], hashes.HashAlgorithm]] = {f"{_DS}sha1": hashes.SHA1}

MASK_GENERATORS: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    MGF1_SHA256: hashes.SHA256,
    f"{_XENC11}mgf1sha384": hashes.SHA384,
    f"{_XENC11}mgf1sha512": hashes.SHA512,
}
OAEP_DIGESTS: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    SHA256: hashes.SHA256,
    f"{_XENC}sha512": hashes.SHA512,
}
DEPRECATED_MASK_GENERATORS: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    f"{_XENC11}mgf1sha1": hashes.SHA1,
}


@dataclass(frozen=True, slots=True)
class SignatureScheme:
    """How a signature URI is calculated: ``pkcs1``, ``pss`` or ``ecdsa`` over a hash."""

    kind: str
    hash: Callable[[], hashes.HashAlgorithm]


SIGNATURES: dict[str, SignatureScheme] = {
    RSA_SHA256: SignatureScheme("pkcs1", hashes.SHA256),
    f"{_MORE}rsa-sha512": SignatureScheme("pkcs1", hashes.SHA512),
    ECDSA_SHA256: SignatureScheme("ecdsa", hashes.SHA256),
    f"{_MORE}ecdsa-sha512": SignatureScheme("ecdsa", hashes.SHA512),
    f"{_MORE_2007}sha256-rsa-MGF1": SignatureScheme("pss", hashes.SHA256),
    f"{_MORE_2007}sha512-rsa-MGF1": SignatureScheme("pss", hashes.SHA512),
    f"{_MORE_2007}sha3-256-rsa-MGF1": SignatureScheme("pss", hashes.SHA3_256),
    f"{_MORE_2007}sha3-384-rsa-MGF1": SignatureScheme("pss", hashes.SHA3_384),
    f"{_MORE_2007}sha3-512-rsa-MGF1": SignatureScheme("pss", hashes.SHA3_512),
}
DEPRECATED_SIGNATURES: dict[str, SignatureScheme] = {
    f"{_DS}rsa-sha1": SignatureScheme("pkcs1", hashes.SHA1),
}


@dataclass(frozen=True, slots=True)
class CipherScheme:
    """A symmetric cipher: ``gcm`` or ``cbc``, with its key size in bytes and block size in bytes."""

    mode: str
    key_bytes: int
    block_bytes: int = 16


CIPHERS: dict[str, CipherScheme] = {
    f"{_XENC11}aes128-gcm": CipherScheme("gcm", 16),
    f"{_XENC11}aes192-gcm": CipherScheme("gcm", 24),
    AES256_GCM: CipherScheme("gcm", 32),
}
DEPRECATED_CIPHERS: dict[str, CipherScheme] = {
    f"{_XENC}aes128-cbc": CipherScheme("cbc", 16),
    f"{_XENC}aes192-cbc": CipherScheme("cbc", 24),
    f"{_XENC}aes256-cbc": CipherScheme("cbc", 32),
    f"{_XENC}tripledes-cbc": CipherScheme("cbc", 24, 8),
}


@dataclass(frozen=True, slots=True)
class AlgorithmPolicy:
    """Which algorithms are read. What is written is fixed and never deprecated."""

    read_deprecated: bool = False
    """Read sha1, rsa-1_5 and the CBC ciphers too, e.g. to open old messages from an archive."""
    refused: frozenset[str] = field(default_factory=frozenset)
    """URIs an installation wants to refuse although they are still allowed by OSCI."""

    def digest(self, uri: str) -> hashes.HashAlgorithm:
        """Return the hash for a digest URI; raise UnsupportedAlgorithmError where it is not read."""
        return self._choose(uri, DIGESTS, DEPRECATED_DIGESTS)()

    def mask_generator(self, uri: str) -> hashes.HashAlgorithm:
        """Return the hash for a mask generation URI; raise UnsupportedAlgorithmError."""
        return self._choose(uri, MASK_GENERATORS, DEPRECATED_MASK_GENERATORS)()

    def oaep_digest(self, uri: str) -> hashes.HashAlgorithm:
        """Return the hash of an OAEP padding; raise UnsupportedAlgorithmError."""
        return self._choose(uri, OAEP_DIGESTS, DEPRECATED_DIGESTS)()

    def signature(self, uri: str) -> SignatureScheme:
        """Return the scheme of a signature URI; raise UnsupportedAlgorithmError."""
        return self._choose(uri, SIGNATURES, DEPRECATED_SIGNATURES)

    def cipher(self, uri: str) -> CipherScheme:
        """Return the scheme of a symmetric cipher URI; raise UnsupportedAlgorithmError."""
        return self._choose(uri, CIPHERS, DEPRECATED_CIPHERS)

    def allow_rsa_1_5(self) -> None:
        """Raise DeprecatedAlgorithmError unless the old key transport may be read."""
        self._choose(RSA_1_5, {}, {RSA_1_5: None})

    def _choose(self, uri: str, current: dict[str, _T], deprecated: dict[str, _T]) -> _T:
        if uri in self.refused:
            raise UnsupportedAlgorithmError(f"{uri} is refused by configuration")
        if uri in current:
            return current[uri]
        if uri not in deprecated:
            raise UnsupportedAlgorithmError(f"unknown algorithm {uri!r}")
        if not self.read_deprecated:
            raise DeprecatedAlgorithmError(
                f"{uri} is deprecated", hint="set read_deprecated to read old messages"
            )
        return deprecated[uri]


STRICT = AlgorithmPolicy()
"""What is read unless an installation says otherwise."""


def verify_signature(
    key: PublicKeyTypes, uri: str, signature: bytes, data: bytes, policy: AlgorithmPolicy = STRICT
) -> None:
    """Check ``signature`` over ``data``; raise SignatureInvalidError or CertificateUsageError."""
    scheme = policy.signature(uri)
    try:
        if isinstance(key, rsa.RSAPublicKey) and scheme.kind in {"pkcs1", "pss"}:
            key.verify(signature, data, _rsa_padding(scheme), scheme.hash())
        elif isinstance(key, ec.EllipticCurvePublicKey) and scheme.kind == "ecdsa":
            key.verify(_dss_signature(signature), data, ec.ECDSA(scheme.hash()))
        else:
            raise CertificateUsageError(f"the certificate's key does not fit the algorithm {uri}")
    except InvalidSignature as error:
        raise SignatureInvalidError from error


def _rsa_padding(scheme: SignatureScheme) -> padding.AsymmetricPadding:
    if scheme.kind == "pkcs1":
        return padding.PKCS1v15()
    # RFC 6931 section 2.3.10: salt as long as the hash, mask with the same hash.
    return padding.PSS(padding.MGF1(scheme.hash()), scheme.hash().digest_size)


def _dss_signature(raw: bytes) -> bytes:
    # XML Signature writes r and s side by side; some signers hand out ASN.1 instead.
    if raw[:1] == b"\x30" and _is_der_pair(raw):
        return raw
    if len(raw) < 2 or len(raw) % 2:
        raise SignatureInvalidError("an ECDSA value must have two halves of equal length")
    half = len(raw) // 2
    return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))


def _is_der_pair(raw: bytes) -> bool:
    if len(raw) < 8 or raw[1] & 0x80:
        return len(raw) > 2 and raw[1] == 0x81 and raw[2] == len(raw) - 3
    return raw[1] == len(raw) - 2 and raw[2] == 0x02
