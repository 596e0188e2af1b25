"""Test keys, made at test time: a small authority and key pairs under it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from adapters.ego_mail.osci.keys import LocalDecrypter, LocalSigner

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def usage(*, sign: bool = False, encrypt: bool = False, ca: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign,
        content_commitment=sign,
        key_encipherment=encrypt,
        data_encipherment=encrypt,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


class Authority:
    def __init__(self, title: str = "Test CA") -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.certificate = (
            self._builder(title, self.key.public_key(), timedelta(days=-365), timedelta(days=20_000))
            .issuer_name(name(title))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(usage(ca=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        self.title = title

    @staticmethod
    def _builder(title: str, public, begins: timedelta, ends: timedelta) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name(title))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + begins)
            .not_valid_after(NOW + ends)
        )

    def issue(
        self,
        title: str,
        key,
        *,
        sign: bool = False,
        encrypt: bool = False,
        begins: timedelta = timedelta(days=-30),
        ends: timedelta = timedelta(days=365),
        names: tuple[str, ...] = (),
    ) -> x509.Certificate:
        builder = (
            self._builder(title, key.public_key(), begins, ends)
            .issuer_name(name(self.title))
            .add_extension(usage(sign=sign, encrypt=encrypt), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if names:
            import ipaddress

            alternatives = [x509.IPAddress(ipaddress.ip_address(each)) for each in names]
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def party(self, title: str, **times: timedelta) -> "Party":
        signing, cipher = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        return Party(
            LocalSigner(self.issue(f"{title} Signature", signing, sign=True, **times), signing),
            LocalDecrypter(self.issue(f"{title} Cipher", cipher, encrypt=True, **times), cipher),
            signing,
            cipher,
        )

    def ec_signer(self, title: str) -> LocalSigner:
        key = ec.generate_private_key(ec.SECP256R1())
        return LocalSigner(self.issue(title, key, sign=True), key)


@dataclass(frozen=True)
class Party:
    signer: LocalSigner
    decrypter: LocalDecrypter
    signing_key: rsa.RSAPrivateKey
    cipher_key: rsa.RSAPrivateKey

    @property
    def cipher(self) -> x509.Certificate:
        return self.decrypter.certificate

    @property
    def signature(self) -> x509.Certificate:
        return self.signer.certificate
