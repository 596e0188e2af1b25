"""Keys, trust and algorithms: what is loaded, what is read, what is written."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, GCM
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from hypothesis import given
from hypothesis import strategies as st

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.algorithms import (
    DEPRECATED_CIPHERS,
    SIGNATURES,
    STRICT,
    AlgorithmPolicy,
    verify_signature,
)
from adapters.ego_mail.osci.content import Container, Data, Sealed
from adapters.ego_mail.osci.encryption import CipherMethod, encrypt_bytes
from adapters.ego_mail.osci.envelope import verify_message
from adapters.ego_mail.osci.errors import (
    CertificateUsageError,
    DecryptionError,
    DeprecatedAlgorithmError,
    KeyFileError,
    SignatureInvalidError,
    UnsupportedAlgorithmError,
)
from adapters.ego_mail.osci.keys import load_certificates, load_pem, load_pkcs12
from adapters.ego_mail.osci.streams import BytesBlob
from adapters.ego_mail.osci.trust import expiry_warnings
from tests.osci.messages import change_xml, opened, read, reseal, stored
from tests.osci.pki import NOW, Authority, Party

OLD = AlgorithmPolicy(read_deprecated=True)


def pkcs12_of(party: Party, authority: Authority, password: bytes) -> bytes:
    return pkcs12.serialize_key_and_certificates(
        b"own",
        party.signing_key,
        party.signature,
        [authority.certificate],
        BestAvailableEncryption(password),
    )


# --- files ---------------------------------------------------------------------------------------


def test_pkcs12_with_chain(authority: Authority, alice: Party, tmp_path: Path) -> None:
    path = tmp_path / "own.p12"
    path.write_bytes(pkcs12_of(alice, authority, b"geheim"))
    pair = load_pkcs12(path, "geheim")
    assert pair.certificate == alice.signature
    assert pair.chain == (authority.certificate,)
    value = pair.signer().sign(b"data")
    verify_signature(alice.signature.public_key(), pair.signer().algorithm, value, b"data")


def test_a_wrong_password_is_told_without_the_password(
    authority: Authority, alice: Party, tmp_path: Path
) -> None:
    path = tmp_path / "own.p12"
    path.write_bytes(pkcs12_of(alice, authority, b"geheim"))
    with pytest.raises(KeyFileError, match=r"own\.p12") as caught:
        load_pkcs12(path, "verraten")
    assert "verraten" not in str(caught.value)
    with pytest.raises(KeyFileError, match="No such file"):
        load_pkcs12(tmp_path / "none.p12", "x")
    with pytest.raises(KeyFileError, match="not a PKCS#12"):
        load_pkcs12(b"rubbish", "x")


def test_pem_key_and_certificates(authority: Authority, alice: Party, bob: Party) -> None:
    pem = alice.cipher_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"geheim")
    )
    chain = alice.cipher.public_bytes(Encoding.PEM) + authority.certificate.public_bytes(Encoding.PEM)
    pair = load_pem(pem, chain, "geheim")
    assert pair.decrypter().certificate == alice.cipher
    with pytest.raises(KeyFileError, match="no certificate belongs"):
        load_pem(pem, bob.cipher.public_bytes(Encoding.PEM), "geheim")
    with pytest.raises(KeyFileError, match="another password"):
        load_pem(pem, chain, None)
    assert load_certificates(alice.cipher.public_bytes(Encoding.DER)) == [alice.cipher]
    with pytest.raises(KeyFileError, match="not a certificate"):
        load_certificates(b"rubbish")


def test_weak_keys_are_not_used(authority: Authority) -> None:
    weak = rsa.generate_private_key(65537, 1024)
    certificate = authority.issue("Weak", weak, sign=True)
    pem = weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(KeyFileError, match="2048"):
        load_pem(pem, certificate.public_bytes(Encoding.PEM))


def test_nothing_shows_a_key(authority: Authority, alice: Party) -> None:
    pair = load_pkcs12(pkcs12_of(alice, authority, b"x"), "x")
    numbers = alice.signing_key.private_numbers()
    for shown in (repr(pair), repr(pair.signer()), repr(alice.decrypter), str(pair)):
        assert "PrivateKey" not in shown
        assert str(numbers.d) not in shown


def test_expiry_is_told_weeks_ahead(authority: Authority, alice: Party) -> None:
    soon = authority.party("Soon", ends=timedelta(days=20))
    gone = authority.party("Gone", begins=timedelta(days=-9), ends=timedelta(days=-2))
    labelled = [("own", alice.signature), ("partner", soon.cipher), ("old", gone.cipher)]
    warnings = expiry_warnings(labelled, NOW)
    assert [(each.label, each.days_left) for each in warnings] == [("old", -2), ("partner", 20)]
    assert str(warnings[0]) == "old (CN=Gone Cipher) has ended, on 2026-02-28"
    assert str(warnings[1]) == "partner (CN=Soon Cipher) ends in 20 days, on 2026-03-22"
    assert expiry_warnings(labelled, NOW, timedelta(days=1)) == warnings[:1]


# --- signature algorithms ------------------------------------------------------------------------


class OtherSigner:
    """A signer port that is not ours: a card or a remote service would look like this."""

    def __init__(self, certificate: x509.Certificate, key: rsa.RSAPrivateKey, algorithm: str) -> None:
        self.certificate = certificate
        self.algorithm = algorithm
        self._key = key

    def sign(self, data: bytes) -> bytes:
        if self.algorithm.endswith("rsa-sha1"):
            return self._key.sign(data, padding.PKCS1v15(), hashes.SHA1())
        scheme = SIGNATURES[self.algorithm]
        if scheme.kind == "pkcs1":
            return self._key.sign(data, padding.PKCS1v15(), scheme.hash())
        salt = scheme.hash().digest_size
        return self._key.sign(data, padding.PSS(padding.MGF1(scheme.hash()), salt), scheme.hash())


@pytest.mark.parametrize("uri", [uri for uri, scheme in SIGNATURES.items() if scheme.kind != "ecdsa"])
def test_every_rsa_signature_of_the_schema_is_read(uri: str, alice: Party, bob: Party) -> None:
    signer = OtherSigner(alice.signature, alice.signing_key, uri)
    container = Container([Data(b"x")], [signer])
    with read(stored(alice, bob, [container], signer=signer)) as incoming:
        assert verify_message(incoming.message, incoming.parts, STRICT).algorithm == uri
        with opened(incoming) as package:
            assert package.containers[0].signatures[0].algorithm == uri


def test_ecdsa_is_read_as_two_halves_and_as_asn1(authority: Authority, alice: Party) -> None:
    signer = authority.ec_signer("EC")
    value = signer.sign(b"data")
    public = signer.certificate.public_key()
    verify_signature(public, signer.algorithm, value, b"data")
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    half = len(value) // 2
    numbers = (int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))
    verify_signature(public, signer.algorithm, encode_dss_signature(*numbers), b"data")
    for broken in (value[:-1], value[:-1] + bytes([value[-1] ^ 1]), b"", b"\x30\x00"):
        with pytest.raises(SignatureInvalidError):
            verify_signature(public, signer.algorithm, broken, b"data")
    with pytest.raises(CertificateUsageError, match="does not fit"):
        verify_signature(alice.signature.public_key(), signer.algorithm, value, b"data")


def test_sha1_signatures_only_by_explicit_setting(alice: Party, bob: Party) -> None:
    signer = OtherSigner(alice.signature, alice.signing_key, "http://www.w3.org/2000/09/xmldsig#rsa-sha1")
    data = stored(alice, bob, [Container([Data(b"x")])], signer=signer)
    with read(data) as incoming:
        with pytest.raises(DeprecatedAlgorithmError, match="read_deprecated"):
            verify_message(incoming.message, incoming.parts, STRICT)
        verify_message(incoming.message, incoming.parts, OLD)


def test_an_installation_can_refuse_more() -> None:
    policy = AlgorithmPolicy(refused=frozenset({f"{xml.XENC}sha512"}))
    with pytest.raises(UnsupportedAlgorithmError, match="configuration"):
        policy.digest(f"{xml.XENC}sha512")
    with pytest.raises(UnsupportedAlgorithmError, match="unknown"):
        STRICT.digest("urn:nothing")


# --- encryption ----------------------------------------------------------------------------------


PLAIN = (
    f'<osci:ContentContainer xmlns:osci="{xml.OSCI}" Id="c"><osci:Content><osci:Base64Content Id="d">'
    "b2xk</osci:Base64Content></osci:Content></osci:ContentContainer>"
).encode()


@pytest.fixture
def sealed_message(alice: Party, bob: Party) -> bytes:
    return stored(alice, bob, [Sealed(Container([Data(b"x")]), [bob.cipher])])


@pytest.mark.parametrize(("uri", "size"), [("aes128-gcm", 16), ("aes192-gcm", 24), ("aes256-gcm", 32)])
@pytest.mark.parametrize("iv", ["12", "16", None])
def test_all_gcm_sizes_and_the_old_iv_length_are_read(
    sealed_message: bytes, bob: Party, uri: str, size: int, iv: str | None
) -> None:
    key, nonce = b"k" * size, b"n" * (12 if iv == "12" else 16)
    encryptor = Cipher(AES(key), GCM(nonce)).encryptor()
    cipher = nonce + encryptor.update(PLAIN) + encryptor.finalize() + encryptor.tag
    data = reseal(sealed_message, bob, key, cipher, f"{xml.XENC11}{uri}", iv)
    with read(data) as incoming, opened(incoming, bob.decrypter) as package:
        assert package.data()[0].data == b"old"


def test_cbc_only_by_explicit_setting(sealed_message: bytes, bob: Party) -> None:
    pad = 16 - len(PLAIN) % 16
    encryptor = Cipher(AES(b"k" * 32), CBC(b"i" * 16)).encryptor()
    cipher = b"i" * 16 + encryptor.update(PLAIN + b"\0" * (pad - 1) + bytes([pad])) + encryptor.finalize()
    data = reseal(sealed_message, bob, b"k" * 32, cipher, f"{xml.XENC}aes256-cbc", "16")
    with read(data) as incoming:
        with pytest.raises(DeprecatedAlgorithmError, match="aes256-cbc"):
            opened(incoming, bob.decrypter)
        with opened(incoming, bob.decrypter, policy=OLD) as package:
            assert package.data()[0].data == b"old"


def test_rsa_1_5_only_by_explicit_setting(sealed_message: bytes, bob: Party) -> None:
    def change(root: xml.Element) -> None:
        holder = root.find(f".//{xml.q(xml.XENC, 'EncryptedKey')}")
        assert holder is not None
        node = xml.one(holder, xml.XENC, "EncryptionMethod")
        node.set("Algorithm", f"{xml.XENC}rsa-1_5")
        for inner in list(node):
            node.remove(inner)
        wrapped = bob.cipher.public_key().encrypt(b"k" * 32, padding.PKCS1v15())  # type: ignore[union-attr]
        xml.one(xml.one(holder, xml.XENC, "CipherData"), xml.XENC, "CipherValue").text = xml.encode64(wrapped)

    cipher = encrypt_bytes(PLAIN, b"k" * 32, b"n" * 12)
    data = reseal(sealed_message, bob, b"k" * 32, cipher, f"{xml.XENC11}aes256-gcm", "12")
    with read(change_xml(data, change)) as incoming:
        with pytest.raises(DeprecatedAlgorithmError, match="rsa-1_5"):
            opened(incoming, bob.decrypter)
        with opened(incoming, bob.decrypter, policy=OLD) as package:
            assert package.data()[0].data == b"old"


def test_what_is_written_is_never_deprecated(sealed_message: bytes) -> None:
    for uri in (b"sha1", b"rsa-1_5", b"-cbc", b"ripemd"):
        assert uri not in sealed_message
    for uri in (b"xmlenc11#aes256-gcm", b"xmlenc11#rsa-oaep", b"mgf1sha256", b'Value="12"', b"rsa-sha256"):
        assert uri in sealed_message


@given(st.binary(max_size=300), st.sampled_from([12, 16]), st.binary(min_size=32, max_size=32))
def test_encryption_has_an_inverse_and_notices_every_change(data: bytes, iv: int, key: bytes) -> None:
    uri = f"{xml.XENC11}aes256-gcm"
    method = CipherMethod(uri, STRICT.cipher(uri), iv)
    cipher = encrypt_bytes(data, key, b"\1" * iv)
    with method.decrypt(BytesBlob(cipher), key, folder=None) as spool:
        assert spool.read_at(0, 1000) == data
    for position in {0, iv, len(cipher) - 1}:
        changed = bytearray(cipher)
        changed[position] ^= 1
        with pytest.raises(DecryptionError):
            method.decrypt(BytesBlob(bytes(changed)), key, folder=None)
    with pytest.raises(DecryptionError):
        method.decrypt(BytesBlob(cipher[:-1]), key, folder=None)


@pytest.mark.parametrize("uri", DEPRECATED_CIPHERS)
def test_broken_cbc_is_an_error_of_ours(uri: str) -> None:
    scheme = OLD.cipher(uri)
    method = CipherMethod(uri, scheme, scheme.block_bytes)
    for cipher in (b"", b"x" * scheme.block_bytes, b"x" * (3 * scheme.block_bytes + 1)):
        with pytest.raises(DecryptionError):
            method.decrypt(BytesBlob(cipher), bytes(range(scheme.key_bytes)), folder=None)
