"""Addresses and certificates of partners come from answers of the DVDV; nothing changes before --yes."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from adapters.ego_mail.commands import ego_mail
from adapters.ego_mail.dvdv import DvdvRefusedError, read
from adapters.ego_mail.osci.keys import load_certificates
from engine.errors import DienstwegError
from engine.service.directory.mailboxes import list_mailboxes
from tests.contracts.samples import HOMBURG
from tests.ego_mail.conftest import CHANNEL, World, pem
from tests.ego_mail.halls import Halls, open_halls
from tests.osci.conftest import SHARED

KEY = HOMBURG.authority_id


def described(certificate: x509.Certificate, **more: Any) -> dict[str, Any]:
    return {"content": base64.b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii"), **more}


def organization(*clients: dict[str, Any], key: str = f"ags:{KEY}") -> dict[str, Any]:
    return {
        "organization": {
            "nameDe": "Stadt Homburg",
            "organizationKeys": ["psb:1", key],
            "clientCertificates": list(clients),
        },
        "representatives": [],
    }


def service(address: str, cipher: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return {
        "organizationNameDe": "Stadt Homburg",
        "serviceSpecificationDocument": '<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>',
        "serviceElements": [
            {"serviceElementType": "OSCI_INTERMEDIARY", "serviceElementUri": address},
            {"serviceElementType": "OSCI_ADDRESSEE", "cipherCertificate": cipher},
            {"serviceElementType": "TEXT", "serviceElementText": "x", "cipherCertificate": None},
        ],
        **more,
    }


@pytest.fixture
def halls(world: World, tmp_path: Path) -> Iterator[Halls]:
    with open_halls(world, tmp_path / "halls") as halls:
        yield halls


def run(halls: Halls, tmp_path: Path, items: Any, *arguments: str) -> Result:
    file = tmp_path / "dvdv.json"
    file.write_text(json.dumps(items))
    return CliRunner().invoke(ego_mail, ["import-dvdv", str(file), *arguments], obj=halls.sides["requesting"])


def boxes(halls: Halls) -> list[Any]:
    side = halls.sides["requesting"]
    return sorted(list_mailboxes(side.app, side.actor, authority=KEY), key=lambda each: each.valid_from)


def test_what_is_known_already_changes_nothing(halls: Halls, world: World, tmp_path: Path) -> None:
    keys = world.keys(HOMBURG)
    answer = [organization(described(keys.signature)), service(world.uri, described(keys.cipher)), None]
    result = run(halls, tmp_path, answer, "--yes")
    assert result.exit_code == 0, result.output
    assert result.output == f"{KEY} Stadt Homburg: all is known already\n"
    assert len(boxes(halls)) == 1


def test_new_certificates_take_the_place_of_the_old_from_their_first_day(
    halls: Halls, world: World, tmp_path: Path
) -> None:
    pki, keys = world.pki.authority, world.keys(HOMBURG)
    later = timedelta(days=10)
    cipher = pki.issue("new cipher", keys.cipher_key, encrypt=True, begins=later, ends=timedelta(days=700))
    signature = pki.issue("new sign", keys.signing_key, sign=True, begins=later, ends=timedelta(days=700))
    revoked = pki.issue("revoked", keys.cipher_key, encrypt=True, ends=timedelta(days=900))
    answer = [
        organization(described(signature), described(revoked, revocationDate="2026-01-01T00:00:00.000Z")),
        service(world.uri, described(cipher)),
    ]
    shown = run(halls, tmp_path, answer)
    assert "cipher certificate: CN=new cipher" in shown.output
    assert "signature certificate: CN=new sign" in shown.output
    assert "from 2026-03-12" in shown.output
    assert shown.output.endswith("Nothing was changed; repeat with --yes.\n")
    assert len(boxes(halls)) == 1
    senders = world.home(HOMBURG).parent / f"home-{halls.sides['requesting'].actor.authority_id}" / "senders"
    assert len(load_certificates(senders / f"{KEY}.pem")) == 1

    assert run(halls, tmp_path, answer, "--yes").exit_code == 0
    old, new = boxes(halls)
    assert (old.valid_until.isoformat(), new.valid_from.isoformat()) == ("2026-03-11", "2026-03-12")
    assert old.settings["certificate"] == pem(keys.cipher)
    assert new.settings["certificate"] == pem(cipher)
    assert (new.channel, new.max_bytes, new.formats) == (CHANNEL, old.max_bytes, old.formats)
    names = [each.subject.rfc4514_string() for each in load_certificates(senders / f"{KEY}.pem")]
    assert names == [keys.signature.subject.rfc4514_string(), "CN=new sign"]


def test_a_service_without_its_organization_needs_the_key(halls: Halls, world: World, tmp_path: Path) -> None:
    answer = service("https://other.example/osci", described(world.keys(HOMBURG).cipher))
    result = run(halls, tmp_path, answer)
    assert isinstance(result.exception, DvdvRefusedError)
    assert "--authority" in str(result.exception)
    result = run(halls, tmp_path, answer, "--authority", "Homburg", "--yes")
    assert f"address {world.uri} becomes https://other.example/osci" in result.output
    assert boxes(halls)[-1].address == "https://other.example/osci"


def test_a_partner_without_mailbox_gets_one(halls: Halls, world: World, tmp_path: Path) -> None:
    side = halls.sides["requesting"]
    answer = service(world.uri, described(world.keys(HOMBURG).cipher), validTo="2026-12-31T22:59:59.000Z")
    result = run(halls, tmp_path, answer, "--authority", "Neunkirchen", "--yes")
    assert "new mailbox on xdomea+ego_mail" in result.output, result.output
    (box,) = list_mailboxes(side.app, side.actor, authority="Neunkirchen")
    assert box.valid_until.isoformat() == "2026-12-31"
    assert box.max_bytes == 30_000_000


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[3]", "an object is expected"),
        ("{}", "neither an organization nor a service"),
        ("[null]", "describe no service"),
        ('{"organizationKeys": "ags:1"}', "a list is expected"),
        ('{"organizationKeys": ["ags:../../etc"], "nameDe": "x"}', "no key of eight digits"),
        ('{"organizationNameDe": "x", "serviceElements": 3}', "a list is expected"),
        (
            '{"organizationNameDe": "x", "serviceElements": [{"serviceElementType": "OSCI_INTERMEDIARY",'
            ' "serviceElementUri": "file:///etc/passwd"}]}',
            "no address of an intermediary",
        ),
        (
            '{"organizationNameDe": "x", "serviceElements": [{"serviceElementType": "OSCI_ADDRESSEE",'
            ' "cipherCertificate": {"content": "AAAA"}}]}',
            "a certificate cannot be read",
        ),
        ('{"organizationNameDe": "x\\u001b[2J", "serviceElements": []}', "control characters"),
        ('{"organizationNameDe": "x\\ud800", "serviceElements": []}', "control characters"),
        (
            '{"organizationNameDe": "x", "serviceElements": [{"serviceElementType": "OSCI_INTERMEDIARY",'
            ' "serviceElementUri": "https://[::1"}]}',
            "no address of an intermediary",
        ),
        (
            '{"organizationNameDe": "x", "serviceElements": [{"serviceElementType": "OSCI_INTERMEDIARY",'
            ' "serviceElementUri": "https://x y/"}]}',
            "no address of an intermediary",
        ),
        ('{"organizationNameDe": "x", "validFrom": "soon", "serviceElements": []}', "no instant"),
    ],
)
def test_what_is_no_answer_of_the_dvdv_is_refused(tmp_path: Path, content: str, why: str) -> None:
    file = tmp_path / "x.json"
    file.write_text(content)
    with pytest.raises(DienstwegError, match=why):
        read([file])


def test_a_service_without_good_certificate_is_refused(halls: Halls, world: World, tmp_path: Path) -> None:
    expired = world.pki.authority.issue(
        "old", world.keys(HOMBURG).cipher_key, encrypt=True, ends=timedelta(days=-1)
    )
    result = run(halls, tmp_path, service(world.uri, described(expired)), "--authority", KEY, "--yes")
    assert "no cipher certificate that is good" in str(result.exception)
    assert len(boxes(halls)) == 1


def test_the_published_samples_are_read_or_refused_with_a_reason() -> None:
    folder = SHARED / "dvdv"
    if not folder.is_dir():
        pytest.skip("needs ../shared/standards/dvdv")
    for name in ("ServiceDescription", "batchFindServiceDescription", "ServiceDescription-mit-Custom"):
        (access, *_) = read([folder / f"{name}.json"]).accesses
        assert access.organization == "test-organame"
        assert access.cipher == ()


def test_the_ends_of_the_calendar_are_no_traps(halls: Halls, world: World, tmp_path: Path) -> None:
    side, certificate = halls.sides["requesting"], described(world.keys(HOMBURG).cipher)
    first = service(world.uri, certificate, validFrom="0001-01-01T00:00:00+14:00")
    assert isinstance(run(halls, tmp_path, first, "--authority", "Neunkirchen").exception, DvdvRefusedError)
    unlimited = service(world.uri, certificate, validTo="9999-12-31T23:59:59.999Z")
    result = run(halls, tmp_path, unlimited, "--authority", "Neunkirchen", "--yes")
    assert result.exit_code == 0, result.output
    (box,) = list_mailboxes(side.app, side.actor, authority="Neunkirchen")
    assert box.valid_until is None
