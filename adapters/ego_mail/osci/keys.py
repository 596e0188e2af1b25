"""Private keys behind two ports, so that a card, a remote signature service or a seal can stand in.

Keys are loaded from PKCS#12 or PEM, are never written to logs, and show only their certificate's name.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import pkcs12

from adapters.ego_mail.osci.algorithms import ECDSA_SHA256, RSA_SHA256
from adapters.ego_mail.osci.errors import DecryptionError, KeyFileError

MIN_RSA_BITS = 2048


class Signer(Protocol):
    """Makes signatures with one certificate's key, wherever the key lives."""

    @property
    def certificate(self) -> x509.Certificate:
        """The signature certificate."""
        ...

    @property
    def algorithm(self) -> str:
        """URI of the signature algorithm ``sign`` uses."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Return the XML-Signature value over ``data``. May take long, may ask a human."""
        ...


class Decrypter(Protocol):
    """Unwraps content keys with one certificate's private key."""

    @property
    def certificate(self) -> x509.Certificate:
        """The cipher certificate."""
        ...

    def unwrap_oaep(self, wrapped: bytes, mask: hashes.HashAlgorithm, digest: hashes.HashAlgorithm) -> bytes:
        """Return the key inside an RSA-OAEP block; raise DecryptionError."""
        ...

    def unwrap_pkcs1(self, wrapped: bytes) -> bytes:
        """Return the key inside an RSA 1.5 block (old messages only); raise DecryptionError."""
        ...


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private key with its certificate and the rest of its chain, as loaded from a file."""

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()
    _key: PrivateKeyTypes = field(repr=False, kw_only=True)

    def signer(self) -> "LocalSigner":
        """Return a signer over this key; raise KeyFileError where the key is of an unfit kind."""
        return LocalSigner(self.certificate, self.signing_key())

    def signing_key(self) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
        """Return the key itself; raise KeyFileError where it is of an unfit kind."""
        if isinstance(self._key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            return self._key
        raise KeyFileError("only RSA and EC keys can sign")

    def decrypter(self) -> "LocalDecrypter":
        """Return a decrypter over this key; raise KeyFileError where it is no RSA key."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return LocalDecrypter(self.certificate, self._key)
        raise KeyFileError("only RSA keys can decrypt OSCI messages")


class LocalSigner:
    """Signs with a key in memory: rsa-sha256, or ecdsa-sha256 for an EC key."""

    def __init__(
        self, certificate: x509.Certificate, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
    ) -> None:
        """Use ``key``, which must belong to ``certificate``."""
        self._certificate = certificate
        self._key = key

    @property
    def certificate(self) -> x509.Certificate:
        """The signature certificate."""
        return self._certificate

    @property
    def algorithm(self) -> str:
        """URI of the signature algorithm."""
        return RSA_SHA256 if isinstance(self._key, rsa.RSAPrivateKey) else ECDSA_SHA256

    def sign(self, data: bytes) -> bytes:
        """Return the XML-Signature value over ``data``."""
        if isinstance(self._key, rsa.RSAPrivateKey):
            return self._key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        width = (self._key.key_size + 7) // 8
        return r.to_bytes(width, "big") + s.to_bytes(width, "big")

    def __repr__(self) -> str:
        return f"LocalSigner({subject(self._certificate)!r})"


class LocalDecrypter:
    """Decrypts with an RSA key in memory."""

    def __init__(self, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
        """Use ``key``, which must belong to ``certificate``."""
        self._certificate = certificate
        self._key = key

    @property
    def certificate(self) -> x509.Certificate:
        """The cipher certificate."""
        return self._certificate

    def unwrap_oaep(self, wrapped: bytes, mask: hashes.HashAlgorithm, digest: hashes.HashAlgorithm) -> bytes:
        """Return the key inside an RSA-OAEP block; raise DecryptionError."""
        try:
            return self._key.decrypt(wrapped, padding.OAEP(padding.MGF1(mask), digest, None))
        except ValueError as error:
            raise DecryptionError("the content key could not be unwrapped") from error

    def unwrap_pkcs1(self, wrapped: bytes) -> bytes:
        """Return the key inside an RSA 1.5 block; raise DecryptionError."""
        try:
            return self._key.decrypt(wrapped, padding.PKCS1v15())
        except ValueError as error:
            raise DecryptionError("the content key could not be unwrapped") from error

    def __repr__(self) -> str:
        return f"LocalDecrypter({subject(self._certificate)!r})"


def subject(certificate: x509.Certificate) -> str:
    """Return the certificate's subject for people."""
    return certificate.subject.rfc4514_string()


def fingerprint(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of the DER form in hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def load_pkcs12(source: Path | bytes, password: str | None) -> KeyPair:
    """Load key, certificate and chain; raise KeyFileError with the reason, never with the password."""
    data, where = _bytes_of(source)
    try:
        key, certificate, rest = pkcs12.load_key_and_certificates(
            data, None if password is None else password.encode()
        )
    except ValueError as error:
        raise KeyFileError(
            "not a PKCS#12 file, or another password", where=where, hint="check file and password"
        ) from error
    if key is None or certificate is None:
        raise KeyFileError("the PKCS#12 file holds no key with certificate", where=where)
    return _pair(key, [certificate, *rest], where)


def load_pem(key_source: Path | bytes, certificates: Path | bytes, password: str | None = None) -> KeyPair:
    """Load a PEM key and its certificates, own one first; raise KeyFileError with the reason."""
    data, where = _bytes_of(key_source)
    try:
        key = serialization.load_pem_private_key(data, None if password is None else password.encode())
    except (ValueError, TypeError) as error:
        raise KeyFileError(
            "not a PEM key, or another password", where=where, hint="check file and password"
        ) from error
    return _pair(key, load_certificates(certificates), where)


def load_certificates(source: Path | bytes) -> list[x509.Certificate]:
    """Load PEM or DER certificates; raise KeyFileError where there is none."""
    data, where = _bytes_of(source)
    try:
        if b"-----BEGIN" in data:
            return x509.load_pem_x509_certificates(data)
        return [x509.load_der_x509_certificate(data)]
    except ValueError as error:
        raise KeyFileError("not a certificate file", where=where) from error


def _bytes_of(source: Path | bytes) -> tuple[bytes, str | None]:
    if isinstance(source, bytes):
        return source, None
    try:
        return source.read_bytes(), str(source)
    except OSError as error:
        raise KeyFileError(
            error.strerror or "cannot be read", where=str(source), hint="check the path and its rights"
        ) from error


def _pair(key: PrivateKeyTypes, certificates: list[x509.Certificate], where: str | None) -> KeyPair:
    own = [certificate for certificate in certificates if certificate.public_key() == key.public_key()]
    if not own:
        raise KeyFileError("no certificate belongs to the key", where=where)
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < MIN_RSA_BITS:
        raise KeyFileError(f"RSA keys below {MIN_RSA_BITS} bits are not used", where=where)
    rest = tuple(certificate for certificate in certificates if certificate is not own[0])
    return KeyPair(own[0], rest, _key=key)
