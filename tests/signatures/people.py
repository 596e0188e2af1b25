"""People who sign, and the issuers of their certificates, made at test time."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from asn1crypto import core
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from adapters.signatures import cms
from adapters.signatures.worth import DEVICE, FOR_SEALS, FOR_SIGNATURES, QC_STATEMENTS, QUALIFIED, TYPES
from tests.osci.pki import NOW, Authority, usage

PASSWORD = "only for tests"


def _der(tag: int, *contents: bytes) -> bytes:
    body = b"".join(contents)
    assert len(body) < 128
    return bytes([tag, len(body)]) + body


def qc_statements(*kinds: str) -> bytes:
    """Write the extension that a qualified certificate bears."""
    said = [_der(0x30, core.ObjectIdentifier(each).dump()) for each in (QUALIFIED, DEVICE)]
    types = _der(0x30, *(core.ObjectIdentifier(each).dump() for each in kinds))
    return _der(0x30, *said, _der(0x30, core.ObjectIdentifier(TYPES).dump(), types))


@dataclass(frozen=True)
class Person:
    """Somebody with a key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    def sign(self, content: Path, at: datetime = NOW, folder: Path | None = None) -> Path:
        """Write the signature beside a file, or into ``folder``."""
        target = (folder or content.parent) / f"{content.name}.p7s"
        target.write_bytes(cms.make(content, self.certificate, (), self.key, at))
        return target

    def save(self, path: Path) -> None:
        """Write key and certificate as PKCS#12."""
        locked = serialization.BestAvailableEncryption(PASSWORD.encode())
        path.write_bytes(
            pkcs12.serialize_key_and_certificates(b"test", self.key, self.certificate, None, locked)
        )


@dataclass
class Issuer:
    """A trust service that issues qualified certificates, and others."""

    authority: Authority = field(default_factory=lambda: Authority("Qualified CA"))

    def issue(
        self,
        name: str,
        kinds: tuple[str, ...] | None = (FOR_SIGNATURES,),
        *,
        elliptic: bool = False,
        pseudonym: bool = False,
        lasts: timedelta = timedelta(days=365),
    ) -> Person:
        """Issue a certificate; ``kinds`` None: not qualified."""
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = (
            ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)
        )
        names = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
        if pseudonym:
            names.append(x509.NameAttribute(NameOID.PSEUDONYM, name))
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name(names))
            .issuer_name(self.authority.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - timedelta(days=30))
            .not_valid_after(NOW + lasts)
            .add_extension(usage(sign=True), critical=True)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.authority.key.public_key()),
                critical=False,
            )
        )
        if kinds is not None:
            extension = x509.UnrecognizedExtension(QC_STATEMENTS, qc_statements(*kinds))
            builder = builder.add_extension(extension, critical=False)
        return Person(builder.sign(self.authority.key, hashes.SHA256()), key)

    def seal(self, name: str) -> Person:
        """Issue a qualified certificate for seals."""
        return self.issue(name, (FOR_SEALS,))

    @property
    def pem(self) -> str:
        """The issuer's certificate."""
        return self.authority.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
