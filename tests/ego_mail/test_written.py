"""The written form over eGo-MAIL: a person signs the frozen files, and nothing goes out unsigned."""

import copy
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asn1crypto.pem import armor
from click.testing import Result
from typer.testing import CliRunner

from adapters.ego_mail.errors import UnsignedError
from adapters.signatures.errors import SignatureBrokenError
from cli.main import app as cli
from cli.task import app as task_commands
from engine.exchange.ports import FormClass, HandedOver, Part
from engine.exchange.signers import SignatureRefusedError
from engine.exchange.written import ways
from engine.service import tasks
from engine.service.cases import start_case
from engine.service.directory.mailboxes import end_mailbox
from engine.service.exchanges import signing
from engine.service.exchanges.listing import list_exchanges, show_exchange
from engine.service.exchanges.signing_files import export_files
from engine.service.inbox import TaskLine
from engine.service.troubles import list_incidents
from engine.service.writing_out import NotWrittenError
from engine.store.tables import arrival_parts, arrivals, evidence, history
from tests.contracts.carrier_contract import plain_parts
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, Envelopes
from tests.ego_mail.conftest import World, write_pkcs12
from tests.ego_mail.halls import Halls, open_halls, written_package
from tests.enforcement import REQUEST
from tests.signatures.people import PASSWORD, Issuer, Person

CHANNEL = "document+ego_mail"


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer()


@dataclass
class Office:
    """The requesting side, with a request in written form that was just sent off."""

    halls: Halls
    folder: Path
    issuer: Issuer

    @property
    def side(self) -> Any:
        return self.halls.sides["requesting"]

    def ask(self) -> None:
        start_case(self.side.app, self.side.actor, "vollstreckungshilfe")
        self.halls.complete("requesting", "Ersuchen erfassen", copy.deepcopy(REQUEST))

    def dispatch(self) -> dict[str, Any]:
        (sent,) = list_exchanges(self.side.app, self.side.actor)
        return show_exchange(self.side.app, self.side.actor, sent.id)["dispatches"][-1]

    def task(self) -> TaskLine:
        return next(it for it in tasks.list_tasks(self.side.app, self.side.actor) if it.kind == "sign")

    def sign(self, person: Person, number: str = "") -> list[Path]:
        files = export_files(self.side.app, self.side.actor, self.task().id, self.folder / f"out{number}")
        return [person.sign(file, self.side.app.clock.now()) for file in files]

    def bring(self, files: list[Path], data: dict[str, Any] | None = None) -> None:
        tasks.complete_task(self.side.app, self.side.actor, self.task().id, data, files)
        self.halls.work()

    def arrived(self) -> list[dict[str, Any]]:
        return self.halls.rows("enforcing", arrivals)


@contextmanager
def opened(
    world: World, folder: Path, issuer: Issuer, *, channel: str = CHANNEL, keys: str = "", **mailbox: Any
) -> Iterator[Office]:
    (folder / "qualified.pem").write_text(issuer.pem)
    more = f'[adapters.signatures]\nqualified = "{folder}/qualified.pem"\n{keys}'
    package = written_package(folder)
    with open_halls(world, folder / "halls", channel=channel, package=package, toml=more, **mailbox) as halls:
        yield Office(halls, folder, issuer)


@pytest.fixture
def office(world: World, tmp_path: Path, issuer: Issuer) -> Iterator[Office]:
    with opened(world, tmp_path, issuer) as office:
        office.ask()
        yield office


def test_the_frozen_files_are_signed_elsewhere_and_travel_with_their_signatures(office: Office) -> None:
    assert office.dispatch()["state"] == "awaiting_signature"
    assert office.arrived() == []
    clerk = office.issuer.issue("Jutta Groß")
    signatures = office.sign(clerk)
    frozen = {file.with_suffix("").name: file.with_suffix("").read_bytes() for file in signatures}
    office.bring(signatures)
    assert office.dispatch()["state"] == "handed_over"
    kept = {row["name"] for row in office.halls.rows("requesting", evidence) if row["kind"] == "signature"}
    assert kept == {*(file.name for file in signatures), "Signaturen.txt"}
    story = [row for row in office.halls.rows("requesting", history) if row["kind"] == "signature"]
    assert [row["command"]["signed_by"] for row in story] == ["Jutta Groß"]

    (arrival,) = office.arrived()
    assert (arrival["status"], arrival["assurance"]) == ("started", "signature")
    assert arrival["remarks"] == []
    parts = office.halls.rows("enforcing", arrival_parts)
    store = office.halls.sides["enforcing"].app.documents
    files = {row["name"]: row["sha256"] for row in parts if row["role"] != "evidence"}
    assert set(files) == {*frozen, *(f"{name}.p7s" for name in frozen)}
    for name, content in frozen.items():
        assert store.local_path(files[name]).read_bytes() == content
    (report,) = [row for row in parts if row["name"] == "Signaturen.txt"]
    told = store.local_path(report["sha256"]).read_text()
    assert "Jutta Groß" in told
    assert "qualified-signature" in told


def test_what_is_not_signed_as_asked_does_not_go(office: Office) -> None:
    clerk = office.issuer.issue("Jutta Groß")
    good = office.sign(clerk)
    other = office.folder / "other.pdf"
    other.write_bytes(b"another file")
    simple = office.sign(office.issuer.issue("Trial", None), "-simple")
    for files, data, wanted in (
        ([], None, signing.SigningRefusedError),
        ([], {"signer": "pkcs12"}, signing.SigningRefusedError),
        ([], {"signed_by": "Jutta Groß"}, signing.SigningRefusedError),
        (good[:1], None, SignatureRefusedError),
        (simple, None, SignatureRefusedError),
        ([*good[:-1], simple[-1]], None, SignatureRefusedError),
        ([*good, clerk.sign(other)], None, SignatureBrokenError),
        ([*good[:-1], other], None, SignatureBrokenError),
    ):
        with pytest.raises(wanted):
            office.bring(files, data)
        assert office.dispatch()["state"] == "awaiting_signature"
    office.halls.work()
    assert office.arrived() == []
    assert [row["kind"] for row in office.halls.rows("requesting", evidence)] == []
    office.bring(good)
    assert [row["status"] for row in office.arrived()] == ["started"]


def test_the_task_says_how_to_get_what_is_signed(office: Office) -> None:
    state = SimpleNamespace(app=office.side.app, actor=office.side.actor)
    shown = CliRunner().invoke(task_commands, ["show", office.task().id], obj=state)
    (command,) = re.findall(r"'dienstweg task (files \S+ --out) ORDNER'", shown.output)
    written = CliRunner().invoke(task_commands, [*command.split(), str(office.folder / "out")], obj=state)
    assert written.exit_code == 0, written.output
    assert {Path(line).name for line in written.output.splitlines()} == {*os.listdir(office.folder / "out")}


def test_files_for_signing_are_not_written_over_others(office: Office) -> None:
    office.sign(office.issuer.issue("Jutta Groß"))
    with pytest.raises(NotWrittenError, match="is there already"):
        export_files(office.side.app, office.side.actor, office.task().id, office.folder / "out")


def test_a_key_in_a_file_signs_in_the_task_when_it_is_told_to(
    world: World, tmp_path: Path, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_SIGN_PASSWORD", PASSWORD)
    issuer.issue("Jutta Groß").save(tmp_path / "sign.p12")
    keys = f'[adapters.signatures.keys.{SAARBRUECKEN.authority_id}]\nfile = "{tmp_path}/sign.p12"\n'
    with opened(world, tmp_path, issuer, keys=keys + 'password_env = "TEST_SIGN_PASSWORD"\n') as office:
        office.ask()
        with pytest.raises(signing.SigningRefusedError, match="not signed yet"):
            office.bring([])
        office.bring([], {"signer": "pkcs12"})
        assert [row["status"] for row in office.arrived()] == ["started"]


def test_xdomea_containers_are_signed_the_same_way(world: World, tmp_path: Path, issuer: Issuer) -> None:
    with opened(world, tmp_path, issuer, channel="xdomea+ego_mail") as office:
        office.ask()
        office.bring(office.sign(issuer.issue("Jutta Groß")))
        assert [row["status"] for row in office.arrived()] == ["started"]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"substitutes": ["mailbox-declaration"]}, "mailbox-declaration"),
        ({"substitutes": []}, "no substitute"),
        ({"substitutes": ["handshake"]}, "handshake"),
    ],
)
def test_a_mailbox_that_takes_nothing_we_can_make_is_not_ready(
    world: World, tmp_path: Path, issuer: Issuer, settings: dict[str, Any], reason: str
) -> None:
    with opened(world, tmp_path, issuer, settings=settings) as office:
        office.ask()
        dispatch = office.dispatch()
        assert (dispatch["channel"], dispatch["state"]) == ("letter+post", "awaiting_signature")
        assert reason in json.dumps(dispatch["decision"], ensure_ascii=False)
        assert office.arrived() == []


def test_without_issuers_the_channel_is_not_ready_and_says_so(
    world: World, tmp_path: Path, issuer: Issuer
) -> None:
    with open_halls(world, tmp_path / "halls", package=written_package(tmp_path)) as halls:
        office = Office(halls, tmp_path, issuer)
        office.ask()
        dispatch = office.dispatch()
        assert dispatch["channel"] == "letter+post"
        told = json.dumps(dispatch["decision"], ensure_ascii=False)
        assert "no-signer" in told
        assert "no qualified issuers are known" in told


def test_terms_that_changed_while_the_files_were_signed_are_looked_at_again(
    world: World, office: Office
) -> None:
    app, actor = office.side.app, office.side.actor
    signatures = office.sign(office.issuer.issue("Jutta Groß"))
    end_mailbox(app, actor, HOMBURG.authority_id, CHANNEL, app.clock.now().date())
    world.clock.turn(timedelta(days=2))
    office.bring(signatures)
    assert office.arrived() == []
    (sent,) = list_exchanges(app, actor)
    states = [(each["channel"], each["state"]) for each in show_exchange(app, actor, sent.id)["dispatches"]]
    assert states == [(CHANNEL, "failed"), ("letter+post", "awaiting_signature")]
    assert list_incidents(app, actor) == []


def test_a_seal_goes_without_a_task_where_the_mailbox_takes_it(world: World, tmp_path: Path) -> None:
    keys = world.keys(SAARBRUECKEN)
    write_pkcs12(tmp_path / "seal.p12", keys.signing_key, keys.signature)
    table = world.settings(SAARBRUECKEN)["keys"][SAARBRUECKEN.authority_id]
    sealed = {SAARBRUECKEN.authority_id: {**table, "seal": str(tmp_path / "seal.p12")}}
    carrier, own = world.carrier(SAARBRUECKEN, keys=sealed), world.mailbox(SAARBRUECKEN)
    accepts = world.mailbox(HOMBURG, settings={"substitutes": ["qualified-seal"]})
    today = world.clock.now().date()
    assert ways(carrier, own, accepts, today, ()).by_itself
    assert not ways(carrier, own, world.mailbox(HOMBURG), today, ()).by_itself
    assert not ways(world.carrier(SAARBRUECKEN), own, accepts, today, ()).by_itself
    assert [b.code for b in ways(carrier, own, accepts, date(2023, 12, 31), ()).blockers] == ["no-substitute"]

    envelope = Envelopes().new(form=FormClass.WRITTEN)
    prepared = carrier.prepare(envelope, plain_parts(envelope, tmp_path), own, accepts)
    assert isinstance(carrier.transmit(prepared), HandedOver)
    with pytest.raises(UnsignedError):
        carrier.prepare(envelope, plain_parts(envelope, tmp_path), own, world.mailbox(HOMBURG))
    world.clock.turn(timedelta(days=400))
    assert carrier.substitutes(own) == ()


@pytest.mark.parametrize("signed", [(), ("brief.pdf.p7s",)])
def test_the_carrier_itself_refuses_to_prepare_what_is_unsigned(
    world: World, tmp_path: Path, signed: tuple[str, ...]
) -> None:
    parts = []
    for name, role in (
        ("brief.pdf", "letter"),
        ("anlage.pdf", "attachment"),
        *((it, "signature") for it in signed),
    ):
        (tmp_path / name).write_bytes(b"x")
        parts.append(Part(name, "application/pdf", tmp_path / name, role))
    envelope = Envelopes().new(form=FormClass.WRITTEN)
    with pytest.raises(UnsignedError):
        world.carrier(SAARBRUECKEN).prepare(
            envelope, parts, world.mailbox(SAARBRUECKEN), world.mailbox(HOMBURG)
        )


def test_by_hand_on_the_command_line(office: Office) -> None:
    home, number = office.side.app.settings.home, office.task().id

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, ["--home", str(home), "task", *words])

    out = office.folder / "cli"
    written = json.loads(run("files", number, "--out", str(out), "--json").stdout)
    assert len(written) == 2
    refused = run("complete", number)
    assert isinstance(refused.exception, signing.SigningRefusedError)
    assert "--file" in str(refused.exception)
    clerk = office.issuer.issue("Jutta Groß")
    options = [word for path in written for word in ("--file", str(clerk.sign(Path(path))))]
    assert run("complete", number, *options).exit_code == 0
    assert office.dispatch()["state"] == "prepared"


def test_what_arrived_and_its_signatures_are_looked_at_on_the_command_line(office: Office) -> None:
    office.bring(signatures := office.sign(office.issuer.issue("Jutta Groß")))
    (arrival,) = office.arrived()
    home, came = office.halls.sides["enforcing"].app.settings.home, office.folder / "came"

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, ["--home", str(home), "arrival", *words])

    shown = run("show", arrival["id"]).stdout
    assert "Prüfung der Signaturen" in shown
    assert shown.count("Jutta Groß") == 2
    export = ("files", arrival["id"], "--out", str(came))
    names = {Path(path).name for path in json.loads(run(*export, "--json").stdout)}
    assert names >= {"Signaturen.txt", "Nachricht.osci", "Anschreiben.txt"}
    for file in signatures:
        for path in (file, file.with_suffix("")):
            assert (came / path.name).read_bytes() == path.read_bytes()
    assert isinstance(run(*export).exception, NotWrittenError)


def test_signatures_written_as_pem_travel_as_der(office: Office) -> None:
    signatures = office.sign(office.issuer.issue("Jutta Groß"))
    binary = sorted(file.read_bytes() for file in signatures)
    for file in signatures:
        file.write_bytes(armor("CMS", file.read_bytes()))
    office.bring(signatures)
    (arrival,) = office.arrived()
    assert arrival["status"] == "started"
    documents = office.halls.sides["enforcing"].app.documents
    parts = [row for row in office.halls.rows("enforcing", arrival_parts) if row["name"].endswith(".p7s")]
    assert sorted(documents.local_path(row["sha256"]).read_bytes() for row in parts) == binary
