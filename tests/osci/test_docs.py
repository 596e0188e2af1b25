"""The examples of docs/reference/osci.md run as they stand there."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, pkcs12

from tests.osci.conftest import Office
from tests.osci.pki import NOW, Authority, Party

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "osci.md"


def test_the_examples_run(
    office: Office,
    authority: Authority,
    alice: Party,
    bob: Party,
    trust,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send, fetch = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    password = BestAvailableEncryption(b"geheim")
    for name, key, certificate in (
        ("signature.p12", alice.signing_key, alice.signature),
        ("cipher.p12", alice.cipher_key, alice.cipher),
    ):
        Path(name).write_bytes(pkcs12.serialize_key_and_certificates(b"k", key, certificate, None, password))
    Path("anchors.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    Path("plan.pdf").write_bytes(b"%PDF" * 100)
    scope = {
        "password": "geheim",
        "their_cipher": office.operator.cipher,
        "their_signature": office.operator.signature,
        "recipient_cipher": bob.cipher,
        "trust": trust,
        "since": NOW - timedelta(days=1),
    }
    committed = []
    scope["commit"] = lambda raw: committed.append(b"".join(raw))
    # Test keys live in a time of their own.
    send = send.replace("SystemClock()", "clock").replace("https://osci.example/entry", office.uri)
    scope["clock"] = office.clock
    exec(send, scope)
    assert scope["receipt"].card.creation.plain == NOW
    scope["client"] = office.client(bob)
    exec(fetch, scope)
    assert len(committed) == 1
    assert scope["file"].name == "plan.pdf"
    assert scope["cards"].cards == ()
