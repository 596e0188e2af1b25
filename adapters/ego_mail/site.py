"""A site for trial and demo: an intermediary behind TLS, and keys and settings for each authority.

Everything is made on the spot below one folder and is worth nothing outside of it. For scenarios, which need
no socket, see ``trial``.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.ego_mail.intermediary.service import IntermediaryService
from adapters.ego_mail.intermediary.serving import Binding, make_keys, running, write_keys
from adapters.ego_mail.osci.client import Identity
from adapters.ego_mail.trial import CIPHER, SIGNATURE
from engine.clock import Clock
from engine.exchange.ports import Mailbox, channel_name
from engine.identifiers import IdSource

HOST = "127.0.0.1"
LIMIT = 30_000_000
BITS = 2048
"""Of the keys: short ones are made quickly, and these prove nothing."""
VALIDITY = timedelta(days=365)
FOLDER = "ego-mail"
"""Where an installation keeps what its settings name."""


class TrialSite:
    """The keys and folders of one site; ``open`` lets its intermediary listen."""

    def __init__(self, folder: Path, authorities: Sequence[str], clock: Clock, ids: IdSource) -> None:
        """Make what is missing below ``folder``."""
        self.home = folder / "intermediary"
        self._keys = folder / "keys"
        self._authorities = tuple(authorities)
        self._clock = clock
        self._ids = ids
        write_keys(self.home / "keys", clock, "Dienstweg trial intermediary", bits=BITS)
        self._own = make_keys(self.home / "keys", clock)
        for authority in authorities:
            write_keys(self._keys / authority, clock, f"Dienstweg trial {authority}", bits=BITS)
        self.tls = self.home / "tls"
        if not self.tls.exists():
            _make_tls(self.tls, clock)

    @contextmanager
    def open(self) -> Iterator[str]:
        """Let the intermediary listen on a free port of this host while the block runs; gives its address."""
        identity = Identity(self._own.signature.signer(), self._own.cipher.decrypter())
        service = IntermediaryService(self.home, identity, clock=self._clock, ids=self._ids)
        try:
            with running(service, Binding(HOST, 0, self.tls / "server.pem", self.tls / "server.key")) as uri:
                yield uri
        finally:
            service.close()

    def equip(self, home: Path, authority: str, uri: str) -> str:
        """Lay keys and certificates into an installation's folder; return its table for dienstweg.toml."""
        folder = home / FOLDER
        files = {f"keys/{path.name}": path for path in (self._keys / authority).iterdir()}
        files["intermediary-cipher.pem"] = self.home / "keys" / CIPHER
        files["intermediary-signature.pem"] = self.home / "keys" / SIGNATURE
        files["tls-ca.pem"] = self.tls / "ca.pem"
        for each in self._authorities:
            files[f"senders/{each}.pem"] = self._keys / each / SIGNATURE
            files[f"pinned/{each}-signature.pem"] = self._keys / each / SIGNATURE
            files[f"pinned/{each}-cipher.pem"] = self._keys / each / CIPHER
        files["pinned/intermediary.pem"] = self.home / "keys" / SIGNATURE
        for name, path in files.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.touch(mode=0o600)
            target.write_bytes(path.read_bytes())
        return _TABLE.format(uri=uri, authority=authority, folder=FOLDER)

    def mailbox(self, authority: str, payload: str, uri: str, since: date) -> Mailbox:
        """Describe an authority's mailbox at the intermediary."""
        return Mailbox(
            authority_id=authority,
            channel=channel_name(payload, "ego_mail"),
            address=uri,
            valid_from=since,
            formats=("application/pdf", "application/xml", "text/plain"),
            max_bytes=LIMIT,
            accepts_test=True,
            settings={
                "certificate": (self._keys / authority / CIPHER).read_text(encoding="ascii"),
                "versions": ["3.1.0"],
            },
        )


_TABLE = """
[adapters.ego_mail]
intermediary = "{uri}"
intermediary_cipher = "{folder}/intermediary-cipher.pem"
intermediary_signature = "{folder}/intermediary-signature.pem"
pinned = "{folder}/pinned"
senders = "{folder}/senders"
tls_ca = "{folder}/tls-ca.pem"

[adapters.ego_mail.keys.{authority}]
signature = "{folder}/keys/signature.key.pem"
signature_certificate = "{folder}/keys/signature.cer.pem"
cipher = "{folder}/keys/cipher.key.pem"
cipher_certificate = "{folder}/keys/cipher.cer.pem"
"""


def _make_tls(folder: Path, clock: Clock) -> None:
    """Make an issuer and a server certificate for this host."""
    folder.mkdir(parents=True, mode=0o700)
    issuer, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Dienstweg trial TLS issuer", issuer, issuer, clock, ca=True)
    certificate = _certificate(HOST, server, issuer, clock, ca=False)
    (folder / "ca.pem").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key = folder / "server.key"
    key.touch(mode=0o600)
    key.write_bytes(
        server.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: ec.EllipticCurvePrivateKey, clock: Clock, *, ca: bool
) -> x509.Certificate:
    def title(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = clock.now()
    builder = (
        x509.CertificateBuilder()
        .subject_name(title(name))
        .issuer_name(title(name if ca else "Dienstweg trial TLS issuer"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(_usage(ca=ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key()), critical=False
        )
    )
    if not ca:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer, hashes.SHA256())


def _usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )
