"""Every message type that can be sent, in every version that is written, holds against its schema."""

import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.xdomea import codec, create
from adapters.xdomea.errors import (
    DocumentChangedError,
    HostileContainerError,
    MappingError,
    NotExpressibleError,
    SettingsError,
)
from adapters.xdomea.payload import XdomeaPayload
from adapters.xdomea.versions import KINDS, WRITABLE, exists, negotiate
from engine.exchange import routes
from engine.exchange.ports import Part, Reading
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, Envelopes, MemoryDocument, context, requirements
from tests.xdomea.conftest import box, message_type

NOTICE = MemoryDocument("Bescheid.pdf", b"%PDF-1.4")
REPORT = MemoryDocument("Bericht Übergabe.txt", b"Bericht", "text/plain")
OBJECT_ID = "5b2f8a10-0000-4000-8000-00000000000a"
ROUTE = {
    "steps": [
        {"key": "10041100", "name": "Saarbrücken", "unit": "Kasse", "order": "zur Mitzeichnung"},
        {"name": "Homburg", "order": "zur Kenntnis", "due": "2026-04-01", "note": "eilt"},
        {"name": "Neunkirchen"},
    ]
}
FILES = [
    {
        "subject": "Jugendhilfe M.",
        "reference": "51-1/2019",
        "begin": "2019-01-01",
        "end": "2026-01-31",
        "retention_years": 10,
        "decision": "B",
        "records": [{"subject": "Hilfeplan", "documents": ["Bescheid.pdf"]}],
    },
    {"kind": "record", "id": OBJECT_ID, "subject": "Einzelvorgang", "reference": "51-2/2019"},
]
SENT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "0101": ({}, {"a": 1}),
    "0101 as file": (
        {
            "object": "file",
            "note": "Zu {{ own_reference }}",
            "file": {"subject": "{{ data.a }}", "filing_reference": "51.1", "confidentiality": "003"},
            "record": {"type": "Ersuchen", "note": "{{ sender.name }}", "lead_unit": "Amt 51"},
            "document": {"subject": "{{ position }}. {{ document.name }}", "type": "Anlage"},
        },
        {"a": "Akte"},
    ),
    "0101 as documents": ({"object": "documents", "receipt": False}, {}),
    "0201": ({"message": "0201", "route": "laufweg"}, {"laufweg": ROUTE}),
    "0203": (
        {"message": "0203", "route": "laufweg", "changes": "neu"},
        {"laufweg": ROUTE, "neu": [{"number": "3", "skipped": True}, {"number": "4"}]},
    ),
    "0401": ({"message": "0401", "object": "file"}, {}),
    "0401 listed": ({"message": "0401", "objects": "akten"}, {"akten": FILES}),
    "0501": ({"message": "0501", "objects": "akten"}, {"akten": [{**FILES[0], "records": []}, FILES[1]]}),
    "0502": (
        {"message": "0502", "appraisals": "bewertung"},
        {"bewertung": [{"id": OBJECT_ID, "decision": "A"}, {"id": OBJECT_ID, "decision": "V"}]},
    ),
    "0503": ({"message": "0503", "objects": "akten"}, {"akten": FILES}),
}


def container_message(parts: tuple[Part, ...], folder: Path) -> codec.Message:
    (part,) = parts
    with zipfile.ZipFile(part.path) as archive:
        return codec.read_file(Path(archive.extract(f"{part.name[:-4]}.xml", folder)))


class Desk:
    """Sends between two authorities without any carrier."""

    def __init__(self, payload: XdomeaPayload, folder: Callable[[], Path]) -> None:
        self.payload = payload
        self.folder = folder
        self.envelopes = Envelopes()

    def send(self, name: str, version: str, **more: Any) -> tuple[tuple[Part, ...], Reading]:
        mapping, data = SENT[name]
        envelope = self.envelopes.new(message_type(mapping), data=data, documents=(NOTICE, REPORT), **more)
        assert self.payload.check(box(version), requirements(envelope)) == []
        parts = self.payload.build(envelope, box(version), self.folder())
        return parts, self.payload.read(parts, self.folder())


@pytest.fixture
def desk(payload: XdomeaPayload, folder: Callable[[], Path]) -> Desk:
    return Desk(payload, folder)


@pytest.mark.parametrize("version", WRITABLE)
@pytest.mark.parametrize("name", SENT)
def test_is_built_and_read_again(name: str, version: str, desk: Desk) -> None:
    parts, reading = desk.send(name, version, partner_reference="HOM 1/26")
    message = container_message(parts, desk.folder())
    assert (message.version, message.code) == (version, name[:4])
    assert reading.remarks == []
    expected = SENT[name][1]
    if "route" in SENT[name][0]:
        route = reading.data["laufweg"]
        assert [step["name"] for step in route["steps"]] == ["Saarbrücken", "Homburg", "Neunkirchen"]
        assert [step["status"] for step in route["steps"]] == ["002", "001", "001"]
    else:
        assert reading.data == expected
    if name[:4] in ("0203", "0502"):
        assert reading.documents == []
    else:
        assert sorted(document.name for document in reading.documents) == [REPORT.name, NOTICE.name]


@pytest.mark.parametrize("version", WRITABLE)
@pytest.mark.parametrize("name", SENT)
def test_receipt_is_the_standards_own(name: str, version: str, desk: Desk) -> None:
    parts, reading = desk.send(name, version)
    kind = KINDS[name[:4]]
    expected = kind.receipt is not None and exists(kind.receipt, version) and name != "0101 as documents"
    assert reading.confirmation_wanted == expected
    answer = desk.payload.confirm(reading, parts, HOMBURG, desk.folder())
    assert bool(answer) == expected
    if answer:
        confirmation = desk.payload.read(answer, desk.folder())
        assert confirmation.confirmation is not None
        assert confirmation.confirmation.kind == "received"
        values = [reference.value for reference in confirmation.references]
        assert reading.sender_exchange in values
        assert parts[0].name in values
        assert confirmation.sender_id == HOMBURG.authority_id
        assert container_message(answer, desk.folder()).code == kind.receipt


@pytest.mark.parametrize("version", WRITABLE)
@pytest.mark.parametrize("name", ["0401", "0401 listed", "0503"])
class TestImport:
    def test_is_confirmed(self, name: str, version: str, desk: Desk) -> None:
        parts, _ = desk.send(name, version)
        answer = desk.payload.confirm_import(parts, HOMBURG, desk.folder())
        confirmation = desk.payload.read(answer, desk.folder())
        assert confirmation.confirmation is not None
        assert confirmation.confirmation.kind == "imported"
        assert confirmation.confirmation.reason is None

    def test_can_fail_in_part(self, name: str, version: str, desk: Desk) -> None:
        parts, _ = desk.send(name, version)
        failed = container_message(parts, desk.folder()).objects[-1].id or ""
        answer = desk.payload.confirm_import(parts, HOMBURG, desk.folder(), {failed: "Akte ist schon da"})
        confirmation = desk.payload.read(answer, desk.folder())
        assert confirmation.confirmation is not None
        assert confirmation.confirmation.kind == "rejected"
        assert "Akte ist schon da" in (confirmation.confirmation.reason or "")

    def test_a_broken_one_is_refused_with_the_reason(self, name: str, version: str, desk: Desk) -> None:
        (part,), _ = desk.send(name, version)
        broken = desk.folder() / part.name
        with zipfile.ZipFile(part.path) as whole, zipfile.ZipFile(broken, "w") as short:
            short.writestr(f"{part.name[:-4]}.xml", whole.read(f"{part.name[:-4]}.xml"))
        parts = (Part(part.name, part.media_type, broken, part.role),)
        target = desk.folder()
        with pytest.raises(Exception, match="not in the container") as caught:
            desk.payload.read(parts, target)
        assert list(target.iterdir()) == []
        answer = desk.payload.complain(parts, str(caught.value), HOMBURG, desk.folder())
        confirmation = desk.payload.read(answer, desk.folder())
        assert confirmation.confirmation is not None
        assert confirmation.confirmation.kind == "rejected"
        assert "not in the container" in (confirmation.confirmation.reason or "")


def test_a_refused_container_with_a_hostile_entry_is_answered_all_the_same(desk: Desk) -> None:
    (part,), _ = desk.send("0401", "3.1.0")
    with zipfile.ZipFile(part.path, "a") as archive:
        archive.writestr("../evil", b"x")
    answer = desk.payload.complain((part,), "leads out of its folder", HOMBURG, desk.folder())
    assert container_message(answer, desk.folder()).code == "0402"


def test_where_the_standard_has_no_error_answer_there_is_none(desk: Desk) -> None:
    parts, _ = desk.send("0101", "3.1.0")
    assert desk.payload.complain(parts, "why", HOMBURG, desk.folder()) == ()
    assert desk.payload.confirm_import(parts, HOMBURG, desk.folder()) == ()


def test_a_document_that_changed_on_disk_does_not_go(desk: Desk) -> None:
    class Changed(MemoryDocument):
        @property
        def sha256(self) -> str:
            return "00" * 32

    envelope = desk.envelopes.new(message_type({}), documents=(Changed("a.pdf", b"a"),))
    with pytest.raises(DocumentChangedError, match=r"a\.pdf"):
        desk.payload.build(envelope, box("3.1.0"), desk.folder())


@pytest.mark.parametrize("limits", [{"entrys": 1}, {"entries": "viele"}, {"entries": -1}])
def test_wrong_limits_are_named(limits: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"limits\.entr"):
        create(context(tmp_path, {"limits": limits}))


def test_own_limits_hold(desk: Desk, tmp_path: Path) -> None:
    parts, _ = desk.send("0101", "3.1.0")
    with pytest.raises(HostileContainerError, match="3 entries, allowed are 2"):
        create(context(tmp_path, {"limits": {"entries": 2}})).read(parts, desk.folder())


def test_the_same_matter_and_document_keep_their_ids(desk: Desk) -> None:
    first, second = (container_message(desk.send("0101", "3.1.0")[0], desk.folder()) for _ in range(2))
    assert first.process_id != second.process_id
    assert first.objects[0].id == second.objects[0].id
    assert [each.id for each in first.documents()] == [each.id for each in second.documents()]


def test_the_same_content_twice_is_two_documents(desk: Desk) -> None:
    copy = MemoryDocument("Kopie.pdf", NOTICE.content)
    envelope = desk.envelopes.new(message_type({}), documents=(NOTICE, copy))
    parts = desk.payload.build(envelope, box("3.1.0"), desk.folder())
    reading = desk.payload.read(parts, desk.folder())
    assert [document.name for document in reading.documents] == ["Bescheid.pdf", "Kopie.pdf"]


def test_offer_appraisal_and_transfer_of_a_partner_without_dienstweg_are_one_process(desk: Desk) -> None:
    asked = "6e653b1c-07c2-5b49-9fdc-5741dcacb1a0_Aussonderung.Anbieteverzeichnis.0501"
    parts, _ = desk.send("0502", "3.1.0", answer_to=asked)
    assert parts[0].name.startswith("6e653b1c-07c2-5b49-9fdc-5741dcacb1a0_")


def test_a_mapping_can_name_the_process(desk: Desk) -> None:
    envelope = desk.envelopes.new(message_type({"process": "{{ data.p }}"}), data={"p": OBJECT_ID})
    assert desk.payload.build(envelope, box("3.1.0"), desk.folder())[0].name.startswith(OBJECT_ID)
    bad = desk.envelopes.new(message_type({"process": "{{ data.p }}"}), data={"p": "x"})
    with pytest.raises(MappingError, match="no UUID"):
        desk.payload.build(bad, box("3.1.0"), desk.folder())


def test_tests_are_marked(desk: Desk) -> None:
    parts, reading = desk.send("0101", "3.1.0", test=True)
    message = container_message(parts, desk.folder())
    assert reading.test
    assert (message.note or "").startswith("TESTNACHRICHT")
    assert message.objects[0].metadata is not None
    assert (message.objects[0].metadata.subject or "").startswith("[TEST]")


def test_an_answer_by_file_reference_alone_is_found(desk: Desk) -> None:
    """A partner without Dienstweg knows no exchange ids; our file reference is what it repeats."""
    parts, _ = desk.send("0101", "3.1.0", partner_reference="SB 7/26")
    message = container_message(parts, desk.folder())
    message.extensions = []
    for document in message.documents():
        document.extensions = []
    name = parts[0].name
    folder = desk.folder()
    with zipfile.ZipFile(parts[0].path) as source, zipfile.ZipFile(folder / name, "w") as target:
        for entry in source.namelist():
            content = codec.write_bytes(message) if entry.endswith(".xml") else source.read(entry)
            target.writestr(entry, content)
    reading = desk.payload.read((Part(name, "application/zip", folder / name, "container"),), desk.folder())
    assert reading.message_type is None
    assert reading.sender_exchange == name[:-4]
    assert ("file-reference", "SB 7/26") in [(each.kind, each.value) for each in reading.references]
    assert reading.sender_id == SAARBRUECKEN.authority_id
    assert [document.name for document in reading.documents] == ["Bescheid.pdf", "Bericht Übergabe.txt"][:2]


class TestRoute:
    def test_goes_round_and_returns(self, desk: Desk) -> None:
        """Three authorities, one route; each gets it, does its part and passes it on."""
        route: Any = ROUTE
        ids = []
        for by, left in (
            ("Groß", ["003", "002", "001"]),
            ("Klein", ["003", "003", "002"]),
            ("Weiß", ["003"] * 3),
        ):
            envelope = desk.envelopes.new(
                message_type(SENT["0201"][0]), data={"laufweg": route}, documents=(NOTICE,), own_reference=by
            )
            parts = desk.payload.build(envelope, box("3.1.0"), desk.folder())
            reading = desk.payload.read(parts, desk.folder())
            received = reading.data["laufweg"]
            ids.append(received["id"])
            assert routes.following(received) is not None
            route = routes.advance(received, {"by": by, "on": "2026-03-05", "remark": "gezeichnet"})
            assert [step["status"] for step in route["steps"]] == left
        assert routes.following(route) is None
        assert len(set(ids)) == 1
        assert [step["done"]["by"] for step in route["steps"]] == ["Groß", "Klein", "Weiß"]
        with pytest.raises(routes.RouteRefusedError, match="no current step"):
            routes.advance(route, {})

    def test_skipped_steps_are_passed_over(self) -> None:
        route = {
            "id": "r",
            "steps": [
                {"number": "1", "status": "002", "name": "a"},
                {"number": "2", "status": "001", "name": "b"},
                {"number": "3", "status": "001", "name": "c"},
            ],
        }
        shorter = routes.skip(route, "2")
        passed = routes.advance(shorter, {"on": "2026-03-05"})
        assert [step["status"] for step in passed["steps"]] == ["003", "004", "002"]
        with pytest.raises(routes.RouteRefusedError, match="no future step"):
            routes.skip(passed, "2")

    @pytest.mark.parametrize("route", [None, [], {}, {"steps": []}, {"steps": [{"unit": "ohne Namen"}]}])
    def test_bad_routes_are_refused(self, route: Any, desk: Desk) -> None:
        envelope = desk.envelopes.new(
            message_type(SENT["0201"][0]), data={"laufweg": route}, documents=(NOTICE,)
        )
        with pytest.raises(MappingError):
            desk.payload.build(envelope, box("3.1.0"), desk.folder())


class TestVersions:
    @pytest.mark.parametrize(
        ("offered", "chosen"),
        [
            (None, "3.1.0"),
            (["2.4.0"], "2.4.0"),
            (["2.4.0", "3.0.0"], "3.0.0"),
            (["3.0.0", "3.1.0", "4.0.0"], "3.1.0"),
            (["2.3.0", "4.0.0"], None),
            ([], None),
        ],
    )
    def test_the_highest_common_one_is_used(self, offered: list[str] | None, chosen: str | None) -> None:
        assert negotiate(offered) == chosen

    def test_one_may_stand_there_as_text(self, desk: Desk) -> None:
        text = replace(box("x"), settings={"versions": "2.4.0"})
        parts = desk.payload.build(desk.envelopes.new(message_type({})), text, desk.folder())
        assert container_message(parts, desk.folder()).version == "2.4.0"

    def test_no_common_one_blocks(self, desk: Desk) -> None:
        envelope = desk.envelopes.new(message_type({}))
        (blocker,) = desk.payload.check(box("4.0.0"), requirements(envelope))
        assert (blocker.code, blocker.side) == ("no-common-version", "recipient")
        with pytest.raises(NotExpressibleError):
            desk.payload.build(envelope, box("4.0.0"), desk.folder())


@pytest.mark.parametrize(
    ("mapping", "why"),
    [
        ({"mesage": "0101"}, "unknown key 'mesage'"),
        ({"message": "0102"}, "cannot be sent"),
        ({"message": "0301"}, "cannot be sent"),
        ({"object": "box"}, "object 'box'"),
        ({"record": {"betreff": "x"}}, "record: unknown"),
        ({"document": {"begin": "x"}}, "document: unknown"),
        ({"message": "0201"}, "needs 'route'"),
        ({"message": "0502"}, "needs 'appraisals'"),
        ({"record": "text"}, "record"),
        ({"message": 101}, "in quotes"),
        ({"note": 7}, "note is no text"),
        ({"receipt": "ja"}, "neither true nor false"),
        ({"read": {"a": 1}}, "read is no mapping of texts"),
        ({"record": {"subject": "{% if %}"}}, "record.subject"),
        ({"record": {"subject": "{{ document.name }}"}}, "'document', which is not given"),
        ({"note": "{{ data.a * 9 }}"}, "note: uses mul"),
    ],
)
def test_bad_mappings_are_named(mapping: dict[str, Any], why: str, desk: Desk) -> None:
    envelope = desk.envelopes.new(message_type(mapping))
    (blocker,) = desk.payload.check(box("3.1.0"), requirements(envelope))
    assert blocker.code == "bad-mapping"
    assert why in blocker.message
    with pytest.raises(MappingError, match="ersuchen"):
        desk.payload.build(envelope, box("3.1.0"), desk.folder())


@pytest.mark.parametrize(
    ("mapping", "why"),
    [
        ({"record": {"subject": "{{ data.nichts.da }}"}}, "record.subject"),
        ({"note": "{{ data.__class__.__mro__ }}"}, "note"),
        ({"record": {"confidentiality": "999"}}, "cannot say this"),
        ({"record": {"begin": "gestern"}}, "cannot say this"),
    ],
)
def test_templates_that_fail_say_where(mapping: dict[str, Any], why: str, desk: Desk) -> None:
    envelope = desk.envelopes.new(message_type(mapping))
    if why.startswith("cannot") and desk.payload._schemas is None:
        pytest.skip("the official xdomea schemas are not at hand")
    with pytest.raises((MappingError, NotExpressibleError), match=why):
        desk.payload.build(envelope, box("3.1.0"), desk.folder())


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("0502", {"bewertung": [{"id": OBJECT_ID}]}),
        ("0502", {"bewertung": []}),
        ("0502", {"bewertung": "A"}),
        ("0502", {}),
        ("0203", {"laufweg": ROUTE, "neu": [{}]}),
        ("0203", {"laufweg": ROUTE, "neu": []}),
        ("0201", {"laufweg": {"steps": [{"name": "a", "done": {"by": "x"}}]}}),
        ("0401 listed", {"akten": []}),
        ("0401 listed", {"akten": [{"documents": ["fehlt.pdf"]}]}),
        ("0401 listed", {"akten": [{"documents": "Bescheid.pdf"}]}),
        ("0401 listed", {"akten": [{"id": "7"}]}),
        ("0401 listed", {"akten": [{"records": {}}]}),
    ],
)
def test_data_that_do_not_fit_are_refused(name: str, data: dict[str, Any], desk: Desk) -> None:
    envelope = desk.envelopes.new(message_type(SENT[name][0]), data=data, documents=(NOTICE,))
    with pytest.raises(MappingError):
        desk.payload.build(envelope, box("3.1.0"), desk.folder())


def test_a_message_of_others_is_read_as_a_type_that_a_clerk_chose(desk: Desk) -> None:
    parts, _ = desk.send("0401 listed", "2.4.0")
    message = container_message(parts, desk.folder())
    message.extensions = []
    folder = desk.folder()
    name = parts[0].name
    with zipfile.ZipFile(parts[0].path) as source, zipfile.ZipFile(folder / name, "w") as target:
        for entry in source.namelist():
            content = codec.write_bytes(message) if entry.endswith(".xml") else source.read(entry)
            target.writestr(entry, content)
    foreign = (Part(name, "application/zip", folder / name, "container"),)
    wanted = message_type(
        {
            "message": "0401",
            "objects": "akten",
            "read": {"zeichen": "objects.0.reference", "weg": "objects.9.x"},
        },
        key="abgabe",
    )
    reading = desk.payload.read_as(wanted, foreign, desk.folder())
    assert (reading.message_type, reading.version) == ("abgabe", "1")
    assert reading.data["zeichen"] == "51-1/2019"
    assert "weg" not in reading.data
    first, second = reading.data["akten"]
    assert first["records"][0]["documents"] == ["Bescheid.pdf"]
    assert first["records"][1]["documents"] == ["Bericht Übergabe.txt"]
    assert second["id"] == OBJECT_ID
    again = desk.envelopes.new(wanted, data=dict(reading.data), documents=(NOTICE, REPORT))
    rebuilt = desk.payload.build(again, box("3.1.0"), desk.folder())
    assert [document.name for document in desk.payload.read(rebuilt, desk.folder()).documents] == [
        "Bescheid.pdf",
        "Bericht Übergabe.txt",
    ]
