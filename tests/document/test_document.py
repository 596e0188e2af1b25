"""Letters as documents: what a partner sees of them, with Dienstweg and without, and what comes back."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from adapters.document import create
from adapters.document.datafile import NAME
from adapters.document.errors import DataFileError, LetterUnreadableError
from adapters.document.payload import DocumentPayload
from engine.exchange.codes import Kind, make_code
from engine.exchange.ports import Envelope, FormClass, Part, Reading
from tests.contracts.samples import (
    HOMBURG,
    REQUEST,
    Envelopes,
    MemoryDocument,
    context,
    mailbox,
    requirements,
)
from tests.letter.rig import save_pdf, scans, texts

BOX = mailbox(HOMBURG, "document+ego_mail", "https://osci.example")
SECRET = context(Path()).secret
ANNEX = MemoryDocument("Bescheid 7/2025.pdf", b"%PDF-1.4 not a real one")


class Desk:
    """Writes and reads, with every folder a fresh one."""

    def __init__(self, folder: Path, **lent: Any) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.payload: DocumentPayload = create(replace(context(folder), **lent))  # type: ignore[assignment]
        self.envelopes = Envelopes()

    def fresh(self) -> Path:
        folder = self.folder / str(len(list(self.folder.iterdir())))
        folder.mkdir()
        return folder

    def write(self, **wishes: Any) -> tuple[Envelope, tuple[Part, ...]]:
        envelope = self.envelopes.new(**wishes)
        return envelope, self.payload.build(envelope, BOX, self.fresh())

    def file(self, name: str, content: bytes, media_type: str = "text/plain") -> Part:
        path = self.fresh() / name
        path.write_bytes(content)
        return Part(name, media_type, path, "container")

    def read(self, *parts: Part) -> Reading:
        assert self.payload.recognises(parts)
        return self.payload.read(parts, self.fresh())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def references(reading: Reading) -> set[tuple[str, str]]:
    return {(each.kind, each.value) for each in reading.references}


def test_a_partner_sees_a_letter_and_attachments_under_names_that_say_what_they_are(desk: Desk) -> None:
    envelope, parts = desk.write(
        documents=[ANNEX], partner_reference="HOM-7/26", answer_due=date(2026, 4, 1), copy=True
    )
    assert [part.name for part in parts] == [
        "Vollstreckungsersuchen_20.3-4711-26.pdf",
        "Anlage_1_Bescheid_7-2025.pdf",
        "Nachrichtendaten.json",
    ]
    (page,) = texts(parts[0].path)
    code = make_code("SB1", envelope.exchange_id, SECRET).on(1, 1).text
    for said in (
        "Kreisstadt Homburg",
        "HOM-7/26",
        "20.3-4711/26",
        "1. April 2026",
        "ZWEITSCHRIFT",
        "Bescheid 7/2025.pdf (23 Byte, Datei Anlage_1_Bescheid_7-2025.pdf)",
        code,
    ):
        assert said in page
    assert b"/GTS_PDFA" in parts[0].path.read_bytes()


def test_only_written_form_says_that_it_is_signed(desk: Desk) -> None:
    plain = desk.write()[1][0]
    written = desk.write(form=FormClass.WRITTEN)[1][0]
    assert "§ 3a VwVfG" not in texts(plain.path)[0]
    assert "§ 3a VwVfG" in texts(written.path)[0]
    assert "Unterschrift, Dienstsiegel" not in texts(written.path)[0]


def test_the_letterhead_is_that_of_letters(tmp_path: Path) -> None:
    desk = Desk(tmp_path, others={"letter": {"footer": [["Kassenzeichen immer angeben"]]}})
    assert "Kassenzeichen immer angeben" in texts(desk.write()[1][0].path)[0]


def test_files_under_other_names_are_found_by_their_digests(desk: Desk) -> None:
    _, parts = desk.write(documents=[ANNEX])
    renamed = [replace(part, name=f"part-{number}") for number, part in enumerate(parts[:-1])]
    reading = desk.read(*renamed, parts[-1])
    assert [each.name for each in reading.documents] == ["Bescheid 7-2025.pdf"]
    assert [each.name for each in reading.letters] == ["Vollstreckungsersuchen_20.3-4711-26.pdf"]
    assert reading.remarks == []


@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_or_changed_file_makes_the_message_unreadable(desk: Desk, lost: int) -> None:
    _, parts = desk.write(documents=[ANNEX])
    with pytest.raises(DataFileError, match="missing or changed"):
        desk.read(*(part for number, part in enumerate(parts) if number != lost))
    parts[lost].path.write_bytes(parts[lost].path.read_bytes() + b" ")
    with pytest.raises(DataFileError, match="missing or changed"):
        desk.read(*parts)


def test_what_is_not_listed_is_said(desk: Desk) -> None:
    _, parts = desk.write()
    reading = desk.read(*parts, desk.file("Werbung.txt", b"kauft"))
    assert reading.documents == []
    assert any("Werbung.txt" in remark for remark in reading.remarks)


@pytest.mark.parametrize(
    "change",
    [
        {"message_type": None},
        {"message_type": {"key": 7}},
        {"exchange": ""},
        {"data": []},
        {"files": {}},
        {"files": [{"kind": "letter"}]},
        {"sender": {}},
        {"exchange": "x" * 121},
        {"sender_reference": "x" * 121},
        {"sender_reference": "20.3\0"},
        {"sender_reference": "20.3\ud800"},
        {"message_type": {"key": "x" * 81, "version": "1"}},
        {"message_type": {"key": "ersuchen", "version": "1" * 41}},
        {"sender": {"id": "1" * 65}},
    ],
)
def test_a_data_file_that_lacks_something_is_refused_by_name(desk: Desk, change: dict[str, Any]) -> None:
    _, parts = desk.write()
    said = json.loads(parts[-1].path.read_text())
    parts[-1].path.write_text(json.dumps(said | change))
    with pytest.raises(DataFileError) as caught:
        desk.read(*parts)
    assert NAME in str(caught.value)


def test_fields_may_be_as_long_as_an_arrival_keeps_them(desk: Desk) -> None:
    _, parts = desk.write()
    said = json.loads(parts[-1].path.read_text())
    longest = {"exchange": "x" * 120, "sender_reference": "y" * 120}
    parts[-1].path.write_text(json.dumps(said | longest))
    reading = desk.read(*parts)
    assert (reading.sender_exchange, reading.sender_reference) == ("x" * 120, "y" * 120)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"data": NaN}', b"\xff\xfe", b"[]", b"1" * 9_000_000])
def test_hostile_data_files_are_refused(desk: Desk, content: bytes) -> None:
    _, parts = desk.write()
    parts[-1].path.write_bytes(content)
    with pytest.raises(DataFileError):
        desk.read(*parts)


def test_an_answer_as_plain_text_finds_its_exchange(desk: Desk) -> None:
    envelope, _ = desk.write()
    code = make_code("SB1", envelope.exchange_id, SECRET).on(1, 1)
    text = f"Guten Tag,\nIhr Zeichen: 20.3-4711/26\nUnser Zeichen: HOM 7\nCode {code.text.lower()}\n"
    reading = desk.read(desk.file("Antwort.txt", text.encode()))
    assert reading.message_type is None
    assert reading.sender_reference == "HOM 7"
    assert references(reading) == {("code", code.whole().text), ("file-reference", "20.3-4711/26")}
    by_id = desk.read(desk.file("Antwort.txt", f"Vorgangsnummer: {envelope.exchange_id}".encode()))
    assert references(by_id) == {("exchange", envelope.exchange_id)}


def test_our_letter_printed_signed_and_scanned_finds_its_exchange(desk: Desk, tmp_path: Path) -> None:
    envelope, parts = desk.write(form=FormClass.WRITTEN)
    scanned = tmp_path / "scan.pdf"
    save_pdf(scans(parts[0].path), scanned)
    reading = desk.read(Part("scan.pdf", "application/pdf", scanned, "container"))
    code = make_code("SB1", envelope.exchange_id, SECRET).whole()
    assert references(reading) == {("code", code.text)}


def test_a_code_with_a_wrong_seal_is_no_reference(desk: Desk) -> None:
    forged = make_code("SB1", desk.envelopes.new().exchange_id, b"another installation's").on(1, 1)
    reading = desk.read(desk.file("Antwort.txt", forged.text.encode()))
    assert reading.references == ()
    assert any(forged.text in remark for remark in reading.remarks)


def test_a_dienstweg_letter_without_its_data_file_keeps_its_senders_code(desk: Desk, tmp_path: Path) -> None:
    envelope, parts = Desk(tmp_path / "hom", installation="HOM").write(installation="HOM")
    reading = desk.read(parts[0])
    code = make_code("HOM", envelope.exchange_id, SECRET, Kind.LETTER).whole()
    assert reading.sender_exchange == code.text


def test_a_locked_or_broken_pdf_is_reported(desk: Desk) -> None:
    broken = desk.file("Antwort.pdf", b"%PDF-1.7 broken", "application/pdf")
    with pytest.raises(LetterUnreadableError) as caught:
        desk.read(broken)
    (answer,) = desk.payload.complain((broken,), str(caught.value), HOMBURG, desk.fresh())
    told = answer.path.read_text()
    assert "Antwort.pdf" in told
    assert "Kennwort" in told


def test_a_mailbox_without_pdf_and_a_faulty_mapping_are_in_the_way(desk: Desk) -> None:
    asked = requirements(desk.envelopes.new())
    assert desk.payload.check(replace(BOX, formats=()), asked) == []
    (blocker,) = desk.payload.check(replace(BOX, formats=("application/zip",)), asked)
    assert (blocker.code, blocker.side) == ("format", "recipient")
    faulty = replace(REQUEST, mappings={"document": {"rute": "laufweg"}})
    (blocker,) = desk.payload.check(BOX, replace(asked, message_type=faulty))
    assert (blocker.code, blocker.side) == ("mapping", "sender")
    assert "rute" in blocker.message
