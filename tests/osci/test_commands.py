"""`dienstweg intermediary` as its operator meets it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.ego_mail.commands import app
from adapters.ego_mail.intermediary.listing import NoIntermediaryError
from adapters.ego_mail.osci.client import Client, Delivery, Identity, Intermediary
from adapters.ego_mail.osci.content import Container, Data, Sealed
from adapters.ego_mail.osci.http import HttpTransport
from adapters.ego_mail.osci.keys import load_certificates
from adapters.ego_mail.osci.trust import TrustStore
from engine.clock import SystemClock
from engine.identifiers import RandomIds

ROOT = Path(__file__).parents[2]


def test_serve_makes_keys_says_what_it_is_and_takes_a_delivery(tmp_path: Path) -> None:
    from benchmarks.osci import partner

    home = tmp_path / "home"
    command = "from adapters.ego_mail.commands import app; app()"
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", command, "serve", "--home", str(home), "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline() for _ in range(3)]
        assert "not for production" in lines[0]
        address = re.search(r"http://127\.0\.0\.1:\d+/osci", lines[2])
        assert address is not None
        assert (home / "keys" / "cipher.key.pem").stat().st_mode & 0o077 == 0
        alice, bob = partner("Alice"), partner("Bob")
        cipher, signature = (
            load_certificates(home / f"keys/{each}.cer.pem")[0] for each in ("cipher", "signature")
        )
        client = Client(
            Intermediary(address.group(), cipher, signature),
            Identity(alice.signer, alice.decrypter),
            HttpTransport(timeout=60),
            trust=TrustStore(pinned=[bob.decrypter.certificate]),
            clock=SystemClock(),
            ids=RandomIds(),
        )
        sealed = Sealed(Container([Data(b"x")], [alice.signer]), [bob.decrypter.certificate])
        client.store(Delivery([sealed], bob.decrypter.certificate, "S"), tmp_path)
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
    listed = CliRunner().invoke(app, ["mailboxes", "--home", str(home), "--json"])
    (row,) = json.loads(listed.stdout)
    assert (row["name"], row["waiting"], row["total"]) == ("CN=Bob", 1, 1)
    assert "1 waiting" in CliRunner().invoke(app, ["mailboxes", "--home", str(home)]).stdout


def test_listing_without_an_intermediary_says_how_to_get_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["mailboxes", "--home", str(tmp_path)])
    assert isinstance(result.exception, NoIntermediaryError)
    assert "dienstweg intermediary serve" in str(result.exception)


def test_half_a_tls_configuration_is_refused(tmp_path: Path) -> None:
    from adapters.ego_mail.osci.errors import KeyFileError

    result = CliRunner().invoke(
        app, ["serve", "--home", str(tmp_path), "--tls-certificate", str(tmp_path / "x.pem")]
    )
    assert isinstance(result.exception, KeyFileError)


def test_help_says_it_is_not_for_production() -> None:
    assert "NOT for production" in CliRunner().invoke(app, ["--help"]).stdout


@pytest.mark.parametrize("name", ["starlette", "uvicorn", "sqlalchemy", "cryptography", "lxml"])
def test_help_loads_nothing_heavy(name: str) -> None:
    script = f"import sys, adapters.ego_mail.commands; sys.exit({name!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0
