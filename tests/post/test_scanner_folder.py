"""The scanner's folder: stacks become documents, nothing is taken twice, nothing unreadable is lost."""

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from adapters.letter.payload import LetterPayload
from adapters.post import create
from adapters.post.scan_intake import lay_scan, tell
from adapters.post.scanner_folder import ScanArrival
from adapters.post.scans import read_scan
from engine.exchange.codes import Kind, make_code
from engine.exchange.errors import UnreadableError
from engine.exchange.ports import Assurance, Reference
from tests.contracts.samples import SAARBRUECKEN, context, mailbox
from tests.letter.rig import Desk, noisy, save_pdf, scans, skewed

BOX = mailbox(SAARBRUECKEN, "letter+post", "Rathausplatz 1\n66111 Saarbrücken")
ONE = "3f2b8c1e-94d7-4a60-8f15-0c6de2a7b391"
TWO = "71d10f2c-0c1c-4f3e-9a53-5b2f6f0f6c02"


class Scanner:
    """A scanner that writes into a folder, and the carrier that watches it."""

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.folder = self.home / "scan" / SAARBRUECKEN.authority_id
        self.folder.mkdir(parents=True)
        self.desk = Desk(root / "desk")
        self.foreign = Desk(root / "foreign", "HOM")
        self.settings = {"scan_device": "Kopierer 2. OG", "scan_operator": "poststelle"}
        self.carrier = create(context(self.home, self.settings))

    def collect(self) -> list[ScanArrival]:
        return list(self.carrier.collect(BOX))

    def read(self, arrival: ScanArrival) -> list[Reference]:
        payload: LetterPayload = self.desk.payload
        assert payload.recognises(arrival.parts)
        return list(payload.read(arrival.parts, self.home).references)


@pytest.fixture
def scanner(tmp_path: Path) -> Scanner:
    return Scanner(tmp_path)


def stack(scanner: Scanner) -> list[Image.Image]:
    """An answer sheet with two sheets of answer behind it, then a letter of another installation."""
    request = scanner.desk.write(exchange_id=ONE, answer_due=BOX.valid_from)
    answer_sheet = scans(request)[-1]
    foreign = scans(scanner.foreign.write(exchange_id=TWO))
    written = Image.new("L", answer_sheet.size, 255)
    written.paste(answer_sheet.crop((0, 500, 1240, 800)), (0, 200))
    return [answer_sheet, written, written.rotate(180), *foreign]


def worn(pages: list[Image.Image]) -> list[Image.Image]:
    """What a scanner makes of them."""
    return [noisy(skewed(page, angle), 12) for page, angle in zip(pages, (2, -1, 0, 178), strict=True)]


def test_a_stack_is_split_at_the_codes_and_each_document_finds_its_exchange(scanner: Scanner) -> None:
    save_pdf(worn(stack(scanner)), scanner.folder / "stapel.pdf")
    answer, other = scanner.collect()
    assert scanner.read(answer) == [
        Reference("code", make_code("SB1", ONE, b"SB1" * 8, Kind.ANSWER).whole().text)
    ]
    assert scanner.read(other) == [Reference("code", make_code("HOM", TWO, b"HOM" * 8).whole().text)]
    assert len(read_scan(answer.parts[0].path)) == 3
    assert (answer.sender_id, answer.assurance, answer.mailbox) == (None, Assurance.NONE, BOX)
    assert answer.received.utcoffset() is not None


def test_every_document_has_its_record(scanner: Scanner) -> None:
    save_pdf(stack(scanner), scanner.folder / "stapel.pdf")
    answer, _ = scanner.collect()
    record = json.loads(answer.evidence["scan.json"])
    assert (record["device"], record["operator"], record["file"]) == (
        "Kopierer 2. OG",
        "poststelle",
        "stapel.pdf",
    )
    assert len(record["sha256"]) == 64
    assert [page["page"] for page in record["pages"]] == [1, 2, 3]
    assert record["pages"][0]["code"].startswith("SB1-")
    assert record["read_at"].startswith("2026-03-02T12:00")
    assert record["quality"]["remarks"] == []


def test_a_file_is_put_away_when_all_its_documents_are_in(scanner: Scanner) -> None:
    save_pdf(stack(scanner), scanner.folder / "stapel.pdf")
    first, second = scanner.collect()
    first.acknowledge()
    first.acknowledge()
    assert [arrival.carrier_reference for arrival in scanner.collect()] == [
        first.carrier_reference,
        second.carrier_reference,
    ]
    second.acknowledge()
    assert scanner.collect() == []
    assert [path.name for path in (scanner.folder / "done").iterdir()] == ["stapel.pdf"]
    assert not any((scanner.home / "scans" / SAARBRUECKEN.authority_id).iterdir())


def test_the_same_file_again_has_the_same_references(scanner: Scanner) -> None:
    save_pdf(stack(scanner), scanner.folder / "a.pdf")
    content = (scanner.folder / "a.pdf").read_bytes()
    references = [arrival.carrier_reference for arrival in scanner.collect()]
    for arrival in scanner.collect():
        arrival.acknowledge()
    (scanner.folder / "b.pdf").write_bytes(content)
    assert [arrival.carrier_reference for arrival in scanner.collect()] == references


def test_a_file_still_being_written_is_left_alone_and_a_broken_one_is_kept(scanner: Scanner) -> None:
    whole = save_pdf(stack(scanner)[:1], scanner.home / "whole.pdf").read_bytes()
    growing = scanner.folder / "scan.pdf"
    growing.write_bytes(whole[:2000])
    assert scanner.collect() == []
    growing.write_bytes(whole[:3000])
    assert scanner.collect() == []
    growing.write_bytes(whole)
    (arrival,) = scanner.collect()
    arrival.acknowledge()

    broken = scanner.folder / "broken.pdf"
    broken.write_bytes(whole[:2500])
    assert scanner.collect() == []
    (kept,) = scanner.collect()
    assert kept.parts[0].path.read_bytes() == whole[:2500]
    with pytest.raises(UnreadableError):
        scanner.read(kept)
    kept.acknowledge()
    assert (scanner.folder / "done" / "broken.pdf").read_bytes() == whole[:2500]


def test_the_oldest_file_comes_first_and_other_files_are_no_scans(scanner: Scanner) -> None:
    for name, age in (("new.png", 100), ("old.png", 50)):
        path = scanner.folder / name
        Image.new("L", (1240, 1754), 255).save(path)
        os.utime(path, (age, age))
    (scanner.folder / "readme.txt").write_text("x")
    (scanner.folder / ".hidden.pdf").write_bytes(b"x")
    found = scanner.collect()
    assert [arrival.parts[0].name for arrival in found] == ["old.png", "new.png"]
    assert "nur leere Seiten" in json.loads(found[0].evidence["scan.json"])["quality"]["remarks"][0]


def test_nothing_is_watched_where_there_is_no_folder(tmp_path: Path) -> None:
    assert list(create(context(tmp_path)).collect(BOX)) == []


def test_low_resolution_and_missing_sheets_are_on_record(scanner: Scanner) -> None:
    letter = scanner.foreign.write(data={"name": "Absatz " * 900})
    pages = scans(letter, 110)
    assert len(pages) == 2
    save_pdf(pages[1:], scanner.folder / "half.png".replace("png", "pdf"), 110)
    pages[1].save(scanner.folder / "half.png")
    remarks = [json.loads(it.evidence["scan.json"])["quality"]["remarks"] for it in scanner.collect()]
    assert all("Seite 1 von 2 fehlt" in found[0] for found in remarks)
    assert "geringe Auflösung" in remarks[1][1]


def test_a_person_is_told_what_is_in_a_scan(scanner: Scanner, tmp_path: Path) -> None:
    path = save_pdf(stack(scanner), tmp_path / "stapel.pdf")
    told = tell(path, tmp_path / "work", "SB1", b"SB1" * 8)
    assert "2 Schriftstücke" in told.text
    assert list(told.data["documents"][0]["codes"].values()) == ["own"]
    assert list(told.data["documents"][1]["codes"].values()) == ["foreign"]
    broken = tmp_path / "x.pdf"
    broken.write_bytes(b"x")
    assert "nicht lesbar" in tell(broken, tmp_path / "work", "SB1", b"").text


def test_a_scan_is_laid_once_with_who_scanned_it(scanner: Scanner, tmp_path: Path) -> None:
    path = save_pdf(stack(scanner)[:1], tmp_path / "scan.pdf")
    for _ in range(2):
        lay_scan(path, scanner.folder, operator="anna", device="Handscanner")
    (arrival,) = scanner.collect()
    record = json.loads(arrival.evidence["scan.json"])
    assert (record["operator"], record["device"]) == ("anna", "Handscanner")
    arrival.acknowledge()
    assert [path.name for path in scanner.folder.iterdir()] == ["done"]
