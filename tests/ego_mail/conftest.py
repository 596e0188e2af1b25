"""Two authorities with keys made on the spot, and a running trial intermediary behind TLS."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from adapters.ego_mail import create
from adapters.ego_mail.carrier import EgoMailCarrier
from adapters.ego_mail.intermediary.cases import IntermediarySettings
from adapters.ego_mail.intermediary.service import IntermediaryService
from adapters.ego_mail.intermediary.serving import Binding, running
from adapters.ego_mail.osci.client import Identity
from adapters.ego_mail.osci.trust import TrustStore
from engine.clock import TurnedClock
from engine.exchange.ports import FormClass, Mailbox, Party
from engine.identifiers import RandomIds
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, context
from tests.osci.pki import NOW, Authority
from tests.osci.pki import Party as Keys

CHANNEL = "xdomea+ego_mail"
PASSWORD = "only for tests"


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")


def write_pkcs12(path: Path, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
    locked = serialization.BestAvailableEncryption(PASSWORD.encode())
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"test", key, certificate, None, locked))


@dataclass(frozen=True)
class Pki:
    authority: Authority
    operator: Keys
    parties: Mapping[str, Keys]
    server_key: rsa.RSAPrivateKey


@pytest.fixture(scope="session")
def pki() -> Pki:
    authority = Authority()
    return Pki(
        authority,
        authority.party("Intermediary"),
        {each.authority_id: authority.party(each.name) for each in (SAARBRUECKEN, HOMBURG)},
        rsa.generate_private_key(65537, 2048),
    )


@dataclass
class World:
    """Everything a test plays with."""

    folder: Path
    pki: Pki
    clock: TurnedClock
    service: IntermediaryService
    uri: str
    changes: dict[str, Any] = field(default_factory=dict)

    def keys(self, party: Party) -> Keys:
        return self.pki.parties[party.authority_id]

    def home(self, party: Party) -> Path:
        """Make an installation's folder with keys and settings files, once."""
        home = self.folder / f"home-{party.authority_id}"
        if home.exists():
            return home
        for name in ("trust", "senders"):
            (home / name).mkdir(parents=True)
        (home / "trust" / "ca.pem").write_text(pem(self.pki.authority.certificate))
        for authority_id, keys in self.pki.parties.items():
            (home / "senders" / f"{authority_id}.pem").write_text(pem(keys.signature))
        keys = self.keys(party)
        write_pkcs12(home / "signature.p12", keys.signing_key, keys.signature)
        write_pkcs12(home / "cipher.p12", keys.cipher_key, keys.cipher)
        (home / "osci-cipher.pem").write_text(pem(self.pki.operator.cipher))
        (home / "osci-signature.pem").write_text(pem(self.pki.operator.signature))
        return home

    def settings(self, party: Party, **changes: Any) -> dict[str, Any]:
        table = {
            "intermediary": self.uri,
            "intermediary_cipher": "osci-cipher.pem",
            "intermediary_signature": "osci-signature.pem",
            "trust": "trust",
            "tls_ca": "trust/ca.pem",
            "senders": "senders",
            "timeout": 20,
            "keys": {
                party.authority_id: {
                    "signature": "signature.p12",
                    "cipher": "cipher.p12",
                    "password_env": "TEST_KEY_PASSWORD",
                }
            },
        }
        return {**table, **changes}

    def carrier(self, party: Party, **changes: Any) -> EgoMailCarrier:
        home = self.home(party)
        return create(context(home, self.settings(party, **changes), self.clock, RandomIds()))

    def mailbox(self, party: Party, **changes: Any) -> Mailbox:
        settings = {"certificate": pem(self.keys(party).cipher), **changes.pop("settings", {})}
        values: dict[str, Any] = {
            "authority_id": party.authority_id,
            "channel": CHANNEL,
            "address": self.uri,
            "valid_from": date(2026, 1, 1),
            "formats": ("application/pdf", "application/zip", "text/plain"),
            "max_bytes": 30_000_000,
            "form_classes": tuple(FormClass),
            "settings": settings,
        }
        return Mailbox(**{**values, **changes})


@pytest.fixture
def world(tmp_path: Path, pki: Pki, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("TEST_KEY_PASSWORD", PASSWORD)
    clock = TurnedClock(NOW + timedelta(hours=3))
    certificate = pki.authority.issue(
        "127.0.0.1", pki.server_key, sign=True, encrypt=True, names=("127.0.0.1",)
    )
    (tmp_path / "tls.pem").write_text(pem(certificate))
    (tmp_path / "tls.key").write_bytes(
        pki.server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    service = IntermediaryService(
        tmp_path / "intermediary",
        Identity(pki.operator.signer, pki.operator.decrypter),
        clock=clock,
        ids=RandomIds(),
        settings=IntermediarySettings(trust=TrustStore([pki.authority.certificate])),
    )
    binding = Binding(tls_certificate=tmp_path / "tls.pem", tls_key=tmp_path / "tls.key")
    with running(service, binding) as uri:
        yield World(tmp_path, pki, clock, service, uri)
    service.close()
