"""A youth case file goes from one office to another over an exchange folder; what partners answer to it."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lxml import etree

from adapters.folder.faults import FolderFaultError
from engine.clock import TurnedClock
from engine.definitions.package import ProcedurePackage, build_package, load_package
from engine.exchange.ports import Mailbox
from engine.service import cases, files, tasks
from engine.service.arrivals import assigning, registering
from engine.service.directory.mailboxes import add_mailbox
from engine.service.directory.terms import TermRefusedError
from engine.service.exchanges.listing import list_exchanges, show_exchange
from engine.service.procedures import MappingsRefusedError, deploy
from engine.service.trial import Side, open_sides
from engine.service.troubles import Incident, list_incidents
from engine.service.verifying import verify_installation
from engine.service.work import run_until_idle
from processes.bpmn import shipped
from tests.checking import sandbox

NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)
OLD, NEW = "10041", "10045"
XDOMEA = "xdomea+folder"
DOCUMENTS = 200
SAMPLES = Path(__file__).parents[2] / ".." / "shared" / "standards" / "xdomea" / "beispiele"

FORM = {
    "empfaenger": NEW,
    "fallabgabe": {
        "kind": {"name": "Muster", "vorname": "Mia", "geburtsdatum": "2015-06-01"},
        "leistung": {"art": "erziehung", "beginn": "2024-05-01", "hilfeplanung": True},
        "zustaendigkeit": {"seit": "2026-02-15", "grund": "Die Eltern sind nach Homburg gezogen."},
        "ansprechperson": {"name": "Jutta Groß"},
        "beteiligung": True,
    },
}


def only(found):
    assert len(found) == 1, found
    return found[0]


@dataclass
class Offices:
    """Both youth offices, each with an installation of its own."""

    sides: dict[str, Side]
    clock: TurnedClock
    folder: Path

    @property
    def old(self) -> Side:
        return self.sides["handing-over"]

    @property
    def new(self) -> Side:
        return self.sides["taking-over"]

    def work(self) -> None:
        while not all(run_until_idle(side.app).nothing for side in self.sides.values()):
            pass

    def turn(self, **by: float) -> None:
        self.clock.turn(timedelta(**by))
        self.work()

    def hand_over(self, documents: int = 0) -> cases.CaseLine:
        """Begin a case with ``documents`` documents and send its file on its way."""
        case = cases.start_case(self.old.app, self.old.actor, "jugendamt-fallabgabe")
        for number in range(documents):
            path = self.folder / f"{number:03} Hilfeplan.pdf"
            path.write_bytes(b"%PDF-1.7 " + f"Seite {number} ".encode() * 50)
            files.add_document(self.old.app, self.old.actor, case.id, path, role="akte")
        task = only(tasks.list_tasks(self.old.app, self.old.actor))
        tasks.complete_task(self.old.app, self.old.actor, task.id, FORM)
        return case

    def inbox(self, owner: str, sender: str) -> Path:
        return self.folder / "exchange" / owner / sender

    def exchange(self) -> dict:
        line = only(list_exchanges(self.old.app, self.old.actor))
        return show_exchange(self.old.app, self.old.actor, line.id)

    def facts(self) -> set[str]:
        return {fact["kind"] for fact in self.exchange()["facts"]}

    def reopen(self, side: Side, owner: str, **settings: object) -> None:
        """Let ``side`` know other terms of the mailbox of ``owner`` from now on."""
        address = str(self.folder / "exchange" / owner)
        box = Mailbox(owner, XDOMEA, address, self.clock.now().date(), settings={**settings})
        add_mailbox(side.app, side.actor, box)


@pytest.fixture(scope="session")
def handover() -> ProcedurePackage:
    return next(load_package(folder) for folder in shipped() if folder.name == "jugendamt-fallabgabe")


@pytest.fixture
def offices(
    tmp_path: Path, handover: ProcedurePackage, database: str, request: pytest.FixtureRequest
) -> Iterator[Offices]:
    clock = TurnedClock(NOON)
    roles = {"handing-over": OLD, "taking-over": NEW}
    databases = {}
    if database == "postgresql":
        postgres = request.getfixturevalue("postgres")
        databases = {role: postgres.fresh() for role in roles}
    sides = open_sides(tmp_path, handover, roles, XDOMEA, clock, databases, sandbox())
    yield Offices(sides, clock, tmp_path)
    for side in sides.values():
        side.app.close()


BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
on_both = pytest.mark.parametrize("database", BOTH, indirect=True)


@on_both
def test_a_file_with_200_documents_is_handed_over_and_confirmed(offices: Offices) -> None:
    offices.hand_over(DOCUMENTS)
    offices.work()
    assert {"received", "imported"} <= offices.facts()
    assert only(offices.exchange()["dispatches"])["channel"] == XDOMEA

    case = only(cases.list_cases(offices.new.app, offices.new.actor))
    arrived = files.list_documents(offices.new.app, offices.new.actor, case.id)
    sent = sorted(offices.folder.glob("*Hilfeplan.pdf"))
    assert sorted((each.name, each.sha256) for each in arrived) == [
        (path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in sent
    ]
    came_back = sorted(path.name[-8:] for path in (offices.inbox(OLD, NEW) / "processed").glob("*.zip"))
    assert came_back == ["0402.zip", "0403.zip"]
    for side in offices.sides.values():
        assert verify_installation(side.app).faults == ()
        assert list_incidents(side.app, side.actor) == []


def test_a_broken_container_is_refused_with_its_reason_and_nothing_is_imported(offices: Offices) -> None:
    offices.hand_over(20)
    run_until_idle(offices.old.app)
    (container,) = offices.inbox(NEW, OLD).glob("*0401.zip")
    whole = container.rename(offices.folder / "whole.zip")
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(container, "w") as target:
        for entry in source.namelist()[:-1]:
            target.writestr(entry, source.read(entry))
    offices.work()

    assert only(registering.list_arrivals(offices.new.app, offices.new.actor)).status == "unreadable"
    assert cases.list_cases(offices.new.app, offices.new.actor) == []
    assert offices.facts() & {"rejected", "imported"} == {"rejected"}
    incident = only(list_incidents(offices.old.app, offices.old.actor))
    assert incident.kind == "rejected"
    assert "Dateien fehlen, heißen falsch oder wurden verändert." in incident.message


def test_data_that_the_recipient_cannot_use_are_refused(offices: Offices, handover: ProcedurePackage) -> None:
    """The new office has agreed on a later version of the message type, which wants more."""
    name = "messages/fallabgabe/schema.json"
    schema = handover.files[name].replace(b'"beteiligung"\n  ]', b'"beteiligung",\n    "bemerkung"\n  ]')
    assert schema != handover.files[name]
    message = handover.files["messages/fallabgabe/message.yaml"].replace(b'"1.0"', b'"1.1"')
    stricter = {**handover.files, name: schema, "messages/fallabgabe/message.yaml": message}
    form = "messages/fallabgabe/registration.form"
    stricter[form] = _requiring(handover.files[form], "bemerkung")
    deploy(offices.new.app, offices.new.actor, build_package(stricter))
    offices.hand_over()
    offices.work()
    assert only(registering.list_arrivals(offices.new.app, offices.new.actor)).status == "invalid"
    assert "rejected" in offices.facts()
    assert "Bemerkung" in only(list_incidents(offices.old.app, offices.old.actor)).message


def _requiring(form: bytes, key: str) -> bytes:
    read = json.loads(form)
    for component in read["components"]:
        if component.get("key") == key:
            component["validate"] = {**component.get("validate", {}), "required": True}
    return json.dumps(read).encode()


class TestClerksDecide:
    """A folder that proves no sender: a clerk has to look before anything is imported."""

    @pytest.fixture
    def unproven(self, offices: Offices) -> registering.ArrivalLine:
        offices.hand_over()
        run_until_idle(offices.old.app)
        (container,) = offices.inbox(NEW, OLD).glob("*0401.zip")
        anyone = offices.folder / "anyone"
        anyone.mkdir()
        container.rename(anyone / container.name)
        box = Mailbox(NEW, XDOMEA, str(anyone), NOON.date() + timedelta(days=1))
        add_mailbox(offices.new.app, offices.new.actor, box)
        offices.turn(days=1)
        arrival = only(registering.list_arrivals(offices.new.app, offices.new.actor))
        assert arrival.status == "unconfirmed"
        assert "imported" not in offices.facts()
        return arrival

    @on_both
    def test_who_is_vouched_for_hears_of_the_import(
        self, offices: Offices, unproven: registering.ArrivalLine
    ) -> None:
        line = assigning.assign(offices.new.app, offices.new.actor, unproven.id, assigning.Decision())
        assert line.status == "started"
        offices.work()
        assert "imported" in offices.facts()

    def test_who_is_not_proven_hears_nothing_of_a_rejection(
        self, offices: Offices, unproven: registering.ArrivalLine
    ) -> None:
        assigning.reject(offices.new.app, offices.new.actor, unproven.id, "not ours")
        offices.work()
        assert "rejected" not in offices.facts()

    def test_a_proven_sender_hears_the_reason_but_not_the_clerk(self, offices: Offices) -> None:
        put(offices, foreign(offices))
        arrival = only(registering.list_arrivals(offices.new.app, offices.new.actor))
        before = set(offices.inbox(OLD, NEW).glob("*.zip"))
        assigning.reject(offices.new.app, offices.new.actor, arrival.id, "Akte ist unvollständig")
        run_until_idle(offices.new.app)
        (answer,) = set(offices.inbox(OLD, NEW).glob("*0402.zip")) - before
        with zipfile.ZipFile(answer) as archive:
            said = archive.read(archive.namelist()[0]).decode()
        assert "Akte ist unvollständig" in said
        assert "clerk:" not in said


def foreign(offices: Offices) -> tuple[str, bytes]:
    """Return a container as a partner without Dienstweg writes it: without our custom fields."""
    offices.hand_over(3)
    run_until_idle(offices.old.app)
    (container,) = offices.inbox(NEW, OLD).glob("*0401.zip")
    changed = io.BytesIO()
    with zipfile.ZipFile(container) as source, zipfile.ZipFile(changed, "w") as target:
        for entry in source.namelist():
            content = source.read(entry)
            if entry.endswith(".xml"):
                tree = etree.fromstring(content)
                for field in tree.findall(".//{*}AnwendungsspezifischeErweiterung"):
                    field.getparent().remove(field)
                content = etree.tostring(tree, xml_declaration=True, encoding="UTF-8")
            target.writestr(entry, content)
    container.unlink()
    return container.name, changed.getvalue()


def put(offices: Offices, container: tuple[str, bytes]) -> None:
    (offices.inbox(NEW, OLD) / container[0]).write_bytes(container[1])
    offices.turn(minutes=10)


def test_a_type_that_asks_for_more_than_the_message_says_begins_nothing(offices: Offices) -> None:
    put(offices, foreign(offices))
    app, actor = offices.new.app, offices.new.actor
    arrival = only(registering.list_arrivals(app, actor))
    line = assigning.assign(app, actor, arrival.id, assigning.Decision(as_type="fallabgabe"))
    assert line.status == "invalid"
    assert "Leistung" in (line.reason or "")
    assert cases.list_cases(app, actor) == []


@pytest.mark.parametrize("sample", ["ours", "third party"])
def test_a_foreign_container_begins_a_case_when_a_clerk_says_what_it_is(
    offices: Offices, sample: str
) -> None:
    put(offices, foreign(offices) if sample == "ours" else third_party())
    app, actor = offices.new.app, offices.new.actor
    arrival = only(registering.list_arrivals(app, actor))
    assert (arrival.status, arrival.message_type) == ("unmatched", None)
    decision = assigning.Decision(as_type="fallabgabe", data=FORM["fallabgabe"])
    assert assigning.assign(app, actor, arrival.id, decision).status == "started"
    case = only(cases.list_cases(app, actor))
    assert case.partner_reference
    names = [each.name for each in files.list_documents(app, actor, case.id)]
    assert names
    assert not any(name.endswith(".zip") for name in names), "the content is filed, not the container"
    run_until_idle(app)
    code = "0402" if sample == "ours" else "0506"
    (answer,) = offices.inbox(OLD, NEW).glob(f"*{code}.zip")
    with zipfile.ZipFile(answer) as archive:
        assert b"Erfolgreich>1<" in archive.read(archive.namelist()[0])


def third_party() -> tuple[str, bytes]:
    found = sorted((SAMPLES / "x-man-testdaten").glob("*0503.zip"))
    if not found:
        pytest.skip("the samples of others are not here")
    return found[0].name, found[0].read_bytes()


class TestOwedConfirmations:
    @on_both
    def test_silence_becomes_one_incident_and_a_late_confirmation_closes_it(self, offices: Offices) -> None:
        offices.reopen(offices.old, NEW, senders="subfolders", receipt_within="P3D", import_within="P1W")
        offices.hand_over()
        run_until_idle(offices.old.app)
        offices.clock.turn(timedelta(days=2, hours=23))
        run_until_idle(offices.old.app)
        assert list_incidents(offices.old.app, offices.old.actor) == []
        offices.clock.turn(timedelta(hours=2))
        run_until_idle(offices.old.app)
        incident = only(list_incidents(offices.old.app, offices.old.actor))
        assert incident.kind == "no-receipt"
        assert NEW in incident.message
        offices.clock.turn(timedelta(days=5))
        run_until_idle(offices.old.app)
        kinds = [each.kind for each in list_incidents(offices.old.app, offices.old.actor)]
        assert kinds == ["no-receipt", "no-import"]
        offices.work()
        assert list_incidents(offices.old.app, offices.old.actor) == []
        told = list_incidents(offices.old.app, offices.old.actor, everything=True)
        assert {each.closed_by for each in told} == {"system"}
        assert verify_installation(offices.old.app).faults == ()

    def test_nobody_waits_for_what_the_version_does_not_have(self, offices: Offices) -> None:
        """2.4 has no receipt for a file, only the confirmation of its import."""
        offices.reopen(offices.old, NEW, senders="subfolders", versions=["2.4.0"], receipt_within="P3D")
        offices.hand_over()
        run_until_idle(offices.old.app)
        offices.clock.turn(timedelta(days=10))
        run_until_idle(offices.old.app)
        assert list_incidents(offices.old.app, offices.old.actor) == []

    def test_confirmed_in_time_is_no_incident(self, offices: Offices) -> None:
        offices.reopen(offices.old, NEW, senders="subfolders", receipt_within="P3D")
        offices.hand_over()
        offices.work()
        offices.turn(days=4)
        assert list_incidents(offices.old.app, offices.old.actor, everything=True) == []

    @pytest.mark.parametrize("term", ["three days", "", 3, "-P3D"])
    def test_a_term_that_is_no_period_is_refused(self, offices: Offices, term: object) -> None:
        with pytest.raises(TermRefusedError, match="receipt_within"):
            offices.reopen(offices.old, NEW, receipt_within=term)


class TestBadMailbox:
    @staticmethod
    def _incidents(offices: Offices, *, everything: bool = False) -> list[Incident]:
        """Return what collecting told; the daily look at mailboxes tells of the folder as well."""
        found = list_incidents(offices.new.app, offices.new.actor, everything=everything)
        return [each for each in found if each.kind == "mailbox"]

    def test_it_hinders_no_other_and_is_one_incident(self, offices: Offices) -> None:
        lost = Mailbox(NEW, "letter+folder", str(offices.folder / "gone"), NOON.date())
        add_mailbox(offices.new.app, offices.new.actor, lost)
        offices.hand_over()
        offices.work()
        incident = only(self._incidents(offices))
        assert "gone" in incident.message
        assert {"received", "imported"} <= offices.facts()
        offices.turn(hours=1)
        assert only(self._incidents(offices, everything=True)) == incident
        (offices.folder / "gone").mkdir()
        offices.turn(hours=1)
        assert self._incidents(offices) == []
        assert len(cases.list_cases(offices.new.app, offices.new.actor)) == 1

    def test_a_message_that_cannot_be_put_away_leaves_the_rest(
        self, offices: Offices, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from adapters.folder.inbox import FolderIncoming

        acknowledge = FolderIncoming.acknowledge
        failed: list[str] = []

        def once(incoming: FolderIncoming) -> None:
            if not failed:
                failed.append(incoming.carrier_reference)
                raise FolderFaultError("cannot be moved", where=str(incoming.path))
            acknowledge(incoming)

        offices.hand_over()
        run_until_idle(offices.old.app)
        monkeypatch.setattr(FolderIncoming, "acknowledge", once)
        offices.work()
        told = only(list_incidents(offices.new.app, offices.new.actor, everything=True))
        assert (told.kind, told.status) == ("mailbox", "closed")
        assert len(cases.list_cases(offices.new.app, offices.new.actor)) == 1


def test_a_bad_mapping_does_not_deploy(offices: Offices, handover: ProcedurePackage) -> None:
    name = "messages/fallabgabe/message.yaml"
    for good, bad in ((b'message: "0401"', b'message: "0409"'), (b"own_reference", b"own_refrence")):
        broken = build_package({**handover.files, name: handover.files[name].replace(good, bad)})
        with pytest.raises(MappingsRefusedError, match="fallabgabe"):
            deploy(offices.new.app, offices.new.actor, broken)
