"""XML Encryption as OSCI uses it, on the transport layer and on the content layer.

Written are AES-256-GCM with a 12-byte IV (announced by ``osci128:IvLength``) and RSA-OAEP with MGF1-SHA256
and SHA-256 (oscienc.xsd, order_zusatz.xsd; corrigenda K4-K6). Older ones are read by policy only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, GCM

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.algorithms import (
    AES256_GCM,
    BASE64,
    GCM_IV_BYTES,
    GCM_TAG_BYTES,
    MGF1_SHA256,
    RSA_1_5,
    RSA_OAEP,
    SHA256,
    AlgorithmPolicy,
    CipherScheme,
)
from adapters.ego_mail.osci.errors import (
    CertificateUsageError,
    DecryptionError,
    MalformedMessageError,
    UnsupportedAlgorithmError,
)
from adapters.ego_mail.osci.keys import Decrypter, subject
from adapters.ego_mail.osci.streams import CHUNK, Blob, Spool, closed_on_error
from engine.identifiers import IdSource

KEY_BYTES = 32
_OLD_IV_BYTES = 16
"""Messages without ``IvLength`` come from before corrigendum K6 and carry 16 bytes."""


# --- symmetric -----------------------------------------------------------------------------------


def encrypt_stream(source: Iterable[bytes], key: bytes, iv: bytes) -> Iterator[bytes]:
    """Yield IV, AES-GCM cipher text and tag."""
    encryptor = Cipher(AES(key), GCM(iv)).encryptor()
    yield iv
    for piece in source:
        yield encryptor.update(piece)
    yield encryptor.finalize() + encryptor.tag


def encrypted_length(plain: int) -> int:
    """Return how long ``plain`` bytes become with IV and tag."""
    return GCM_IV_BYTES + plain + GCM_TAG_BYTES


def encrypt_bytes(data: bytes, key: bytes, iv: bytes) -> bytes:
    """Return IV, cipher text and tag of small data."""
    return b"".join(encrypt_stream([data], key, iv))


@dataclass(frozen=True, slots=True)
class CipherMethod:
    """Which cipher and IV length an EncryptionMethod names."""

    uri: str
    scheme: CipherScheme
    iv_bytes: int

    def decrypt(self, blob: Blob, key: bytes, *, folder: Path | None, limit: int | None = None) -> Spool:
        """Decrypt into a new spool, handed out only once the tag was right; raise DecryptionError."""
        if len(key) != self.scheme.key_bytes:
            raise DecryptionError("the content key has the wrong length")
        spool = Spool(folder=folder, limit=limit)
        with closed_on_error(spool.close):
            (_gcm if self.scheme.mode == "gcm" else _cbc)(blob, key, self, spool)
        return spool


def _gcm(blob: Blob, key: bytes, method: CipherMethod, spool: Spool) -> None:
    body = blob.size - method.iv_bytes - GCM_TAG_BYTES
    if body < 0:
        raise DecryptionError("the cipher text is too short")
    with blob.open() as source:
        decryptor = Cipher(AES(key), GCM(source.read(method.iv_bytes))).decryptor()
        while body > 0:
            piece = source.read(min(CHUNK, body))
            if not piece:
                raise DecryptionError("the cipher text ends early")
            body -= len(piece)
            spool.write(decryptor.update(piece))
        try:
            spool.write(decryptor.finalize_with_tag(source.read(GCM_TAG_BYTES)))
        except (InvalidTag, ValueError) as error:
            raise DecryptionError("the cipher text was changed, or the key is another one") from error


def _cbc(blob: Blob, key: bytes, method: CipherMethod, spool: Spool) -> None:
    block = method.scheme.block_bytes
    body = blob.size - block
    if body < block or body % block:
        raise DecryptionError("the cipher text has a wrong length")
    with blob.open() as source:
        iv = source.read(block)
        algorithm = TripleDES(key) if block == 8 else AES(key)
        decryptor = Cipher(algorithm, CBC(iv)).decryptor()
        held = b""
        while piece := source.read(CHUNK):
            held += decryptor.update(piece)
            spool.write(held[:-block])
            held = held[-block:]
        held += decryptor.finalize()
    # XML Encryption padding: the last byte counts, the others are arbitrary (section 5.2).
    if not held or not 1 <= held[-1] <= block or held[-1] > len(held):
        raise DecryptionError("the padding is wrong")
    spool.write(held[: -held[-1]])


def read_cipher_method(encrypted: xml.Element, policy: AlgorithmPolicy) -> CipherMethod:
    """Read the EncryptionMethod of an EncryptedData."""
    method = xml.one(encrypted, xml.XENC, "EncryptionMethod")
    uri = xml.attribute(method, "Algorithm")
    scheme = policy.cipher(uri)
    announced = xml.maybe(method, xml.OSCI_128, "IvLength")
    if scheme.mode == "cbc":
        return CipherMethod(uri, scheme, scheme.block_bytes)
    if announced is None:
        return CipherMethod(uri, scheme, _OLD_IV_BYTES)
    value = xml.attribute(announced, "Value")
    if value not in {"12", "16"}:
        raise UnsupportedAlgorithmError(f"an IV of {value!r} bytes is not used")
    return CipherMethod(uri, scheme, int(value))


# --- key transport -------------------------------------------------------------------------------


def wrap_key(key: bytes, certificate: x509.Certificate) -> bytes:
    """Encrypt a content key for the owner of ``certificate`` with RSA-OAEP."""
    public = certificate.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise CertificateUsageError(f"{subject(certificate)} has no RSA key, OSCI cannot encrypt for it")
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return public.encrypt(key, oaep)


def unwrap_key(encrypted_key: xml.Element, decrypter: Decrypter, policy: AlgorithmPolicy) -> bytes:
    """Decrypt the content key of an EncryptedKey; raise DecryptionError."""
    method = xml.one(encrypted_key, xml.XENC, "EncryptionMethod")
    uri = xml.attribute(method, "Algorithm")
    wrapped = cipher_value(encrypted_key)
    if uri == RSA_1_5:
        policy.allow_rsa_1_5()
        return decrypter.unwrap_pkcs1(wrapped)
    if uri != RSA_OAEP:
        raise UnsupportedAlgorithmError(f"unknown key transport {uri!r}")
    mask = xml.maybe(method, xml.XENC11, "MGF")
    digest = xml.maybe(method, xml.DS, "DigestMethod")
    sha1 = f"{xml.DS}sha1"
    return decrypter.unwrap_oaep(
        wrapped,
        policy.mask_generator(f"{xml.XENC11}mgf1sha1" if mask is None else xml.attribute(mask, "Algorithm")),
        policy.oaep_digest(sha1 if digest is None else xml.attribute(digest, "Algorithm")),
    )


def cipher_value(element: xml.Element) -> bytes:
    """Return the bytes of CipherData/CipherValue."""
    return xml.decode64(
        xml.text_of(xml.one(xml.one(element, xml.XENC, "CipherData"), xml.XENC, "CipherValue"))
    )


def encrypted_keys(encrypted: xml.Element) -> list[xml.Element]:
    """Return the EncryptedKey elements of an EncryptedData."""
    info = xml.one(encrypted, xml.DS, "KeyInfo")
    keys = info.findall(xml.q(xml.XENC, "EncryptedKey"))
    if not keys:
        raise MalformedMessageError("the encrypted data names no reader")
    return keys


# --- elements ------------------------------------------------------------------------------------


def start_encrypted_data(parent: xml.Element | None, media_type: str, identifier: str | None) -> xml.Element:
    """Write EncryptedData with its EncryptionMethod and an empty KeyInfo."""
    attributes = {} if identifier is None else {"Id": identifier}
    attributes["MimeType"] = media_type
    if parent is None:
        element = xml.block(xml.XENC, "EncryptedData", attributes)
    else:
        element = xml.child(parent, xml.XENC, "EncryptedData", None, **attributes)
    method = xml.child(element, xml.XENC, "EncryptionMethod", None, Algorithm=AES256_GCM)
    xml.child(method, xml.OSCI_128, "IvLength", None, Value=str(GCM_IV_BYTES))
    xml.child(element, xml.DS, "KeyInfo")
    return element


def add_encrypted_key(encrypted: xml.Element, key: bytes, certificate: x509.Certificate) -> xml.Element:
    """Add one reader; returns the EncryptedKey's KeyInfo for the caller to say which certificate it was."""
    holder = xml.child(xml.one(encrypted, xml.DS, "KeyInfo"), xml.XENC, "EncryptedKey")
    method = xml.child(holder, xml.XENC, "EncryptionMethod", None, Algorithm=RSA_OAEP)
    xml.child(method, xml.XENC11, "MGF", None, Algorithm=MGF1_SHA256)
    xml.child(method, xml.DS, "DigestMethod", None, Algorithm=SHA256)
    info = xml.child(holder, xml.DS, "KeyInfo")
    data = xml.child(holder, xml.XENC, "CipherData")
    xml.child(data, xml.XENC, "CipherValue", xml.encode64(wrap_key(key, certificate)))
    return info


def add_cipher_reference(encrypted: xml.Element, uri: str) -> None:
    """Say that the cipher text is a part of the message."""
    data = xml.child(encrypted, xml.XENC, "CipherData")
    reference = xml.child(data, xml.XENC, "CipherReference", None, URI=uri)
    # OSCI messages name this transform whatever the part's transfer encoding is.
    transforms = xml.child(reference, xml.XENC, "Transforms")
    xml.child(transforms, xml.DS, "Transform", None, Algorithm=BASE64)


def new_key(ids: IdSource) -> tuple[bytes, bytes]:
    """Return a fresh content key and a fresh IV."""
    return ids.token(KEY_BYTES), ids.token(GCM_IV_BYTES)
