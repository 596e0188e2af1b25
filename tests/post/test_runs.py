"""Print runs: sorted, resumed wherever they died, never a letter twice, never one lost."""

import csv
import io
from collections import Counter
from pathlib import Path

import pytest

from adapters.letter.pdfs import ends_with_answer_sheet, page_count
from adapters.post.errors import (
    NothingToPostError,
    PrintFolderError,
    PrintRunDamagedError,
    PrintRunUnknownError,
)
from adapters.post.joining import Joiner
from adapters.post.tariffs import sheets_of, weight
from tests.letter.rig import Desk, scans, texts
from tests.post.rig import AUTHORITY, DAY, NOW, PostRoom


class Crash(Exception):
    """The process dies here."""


@pytest.fixture
def room(tmp_path: Path) -> PostRoom:
    return PostRoom(tmp_path)


def printed(room: PostRoom) -> Counter[str]:
    return Counter(it.letter.dispatch for plan in room.runs.plans() for it in plan.letters)


def test_a_run_prints_all_sorted_with_separators(room: PostRoom) -> None:
    room.lay(town="66740 Saarlouis")
    room.lay(town="66111 Saarbrücken")
    room.lay(pages=8, town="66111 Saarbrücken")
    room.lay(registered="rueckschein")
    (run,) = room.print()
    plan = room.runs.plan(run)
    assert run == "2026-03-02-01"
    assert [it.title for it in plan.letters] == [
        "Einschreiben Rückschein, Standardbrief",
        "Standardbrief",
        "Standardbrief",
        "Kompaktbrief",
    ]
    assert [it.letter.recipient[-1] for it in plan.letters][1:3] == ["66111 Saarbrücken", "66740 Saarlouis"]
    assert plan.cents == 580 + 95 + 95 + 110
    pages = texts(room.runs.path(run) / "druck.pdf")
    # Printed on both sides, every letter and separator begins on a sheet of its own.
    assert len(pages) == 2 * 3 + 2 * 3 + 8
    assert [n for n, page in enumerate(pages) if "Trennblatt" in page] == [0, 4, 10]
    assert "Nummern 2 bis 3" in pages[4]


def test_one_sided_runs_have_no_blank_backs(tmp_path: Path) -> None:
    room = PostRoom(tmp_path, duplex=False)
    room.lay(pages=3)
    (run,) = room.print()
    assert page_count(room.runs.path(run) / "druck.pdf") == 4


@pytest.mark.parametrize("duplex", [True, False])
def test_an_answer_sheet_is_never_on_the_back_of_the_letter(tmp_path: Path, duplex: bool) -> None:
    room, desk = PostRoom(tmp_path, duplex=duplex), Desk(tmp_path / "desk")
    for words in (1, 1500):  # one page, and two
        letter = desk.write(answer_due=DAY, data={"name": "Muster " * words})
        pages = page_count(letter)
        assert ends_with_answer_sheet(letter)
        assert not ends_with_answer_sheet(desk.write())
        room.lay(content=letter.read_bytes(), pages=pages, answer_sheet=True)
    (run,) = room.print()
    plan = room.runs.plan(run)
    printed = texts(room.runs.path(run) / "druck.pdf")
    answers = [number for number, text in enumerate(printed) if "Dieses Blatt führt Ihre Antwort" in text]
    assert len(answers) == 2
    if duplex:
        assert all(number % 2 == 0 for number in answers)
    assert [it.grams for it in plan.letters] == [
        weight(sheets_of(it.letter.pages, duplex=duplex, answer_sheet=True), flat=False)
        for it in plan.letters
    ]


def test_real_letters_come_through_unchanged(tmp_path: Path) -> None:
    room, desk = PostRoom(tmp_path), Desk(tmp_path / "desk")
    letters = [desk.write(data={"name": f"(Klammer {n} 0 R) \\ Ähre"}) for n in range(3)]
    for letter in letters:
        room.lay(content=letter.read_bytes(), town="66424 Homburg")
    (run,) = room.print()
    joined = room.runs.path(run) / "druck.pdf"
    assert texts(joined)[2::2] == [texts(letter)[0] for letter in letters]
    assert scans(joined, 60)[2].tobytes() == scans(letters[0], 60)[0].tobytes()


def test_the_posting_list_is_there_for_people_and_programs(room: PostRoom) -> None:
    room.lay(town="=cmd|'calc'!A0")
    room.lay(pages=2, registered="einwurf")
    (run,) = room.print()
    folder = room.runs.path(run)
    rows = list(csv.DictReader(io.StringIO((folder / "postliste.csv").read_text("utf-8-sig")), delimiter=";"))
    assert [row["cents"] for row in rows] == ["330", "95"]
    assert rows[0]["registered"] == "einwurf"
    assert not any(value.startswith("=") for row in rows for value in row.values())
    (page,) = texts(folder / "postliste.pdf")
    assert "Zusammen 2 Stück, 4,25 €" in page
    assert "Aufgegeben am" in page


def test_without_a_tariff_letters_are_printed_and_the_gap_is_named(room: PostRoom) -> None:
    room.lay()
    (plan,) = room.runs.run(NOW, DAY.replace(year=2030), "anna")
    assert plan.letters[0].cents is None
    assert "2030" in plan.letters[0].remark


def test_nothing_waits(room: PostRoom) -> None:
    with pytest.raises(NothingToPostError):
        room.print()
    room.lay()
    room.print()
    with pytest.raises(NothingToPostError):
        room.print()


def test_letters_that_are_not_wanted_stay(room: PostRoom) -> None:
    wanted, other = room.lay(), room.lay()
    (plan,) = room.runs.run(NOW, DAY, "anna", wanted=lambda letter: letter.dispatch == wanted)
    assert [it.letter.dispatch for it in plan.letters] == [wanted]
    assert [letter.dispatch for letter in room.folder.waiting(AUTHORITY)] == [other]


@pytest.mark.parametrize("after", range(20))
def test_a_run_that_dies_anywhere_is_resumed_without_doubles(
    room: PostRoom, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Die after the n-th change to the disk, lay another letter, run again."""
    expected = {room.lay() for _ in range(3)}
    left = after

    def counted(real):  # type: ignore[no-untyped-def]
        def act(*arguments, **options):  # type: ignore[no-untyped-def]
            nonlocal left
            if left == 0:
                raise Crash
            left -= 1
            return real(*arguments, **options)

        return act

    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    monkeypatch.setattr(Path, "mkdir", counted(Path.mkdir))
    monkeypatch.setattr(Joiner, "add", counted(Joiner.add))
    died = False
    try:
        room.print()
    except Crash:
        died = True
    monkeypatch.undo()
    assert died or after > 12
    expected.add(room.lay())
    room.print()
    assert printed(room) == Counter(expected)
    for plan in room.runs.plans():
        folder = room.runs.path(plan.run)
        pages = 2 * (len(plan.groups) + len(plan.letters))
        assert page_count(folder / "druck.pdf") == pages
        assert not list(folder.glob(".*"))
    assert list(room.folder.waiting(AUTHORITY)) == []


def test_two_runs_at_once_are_refused(room: PostRoom) -> None:
    room.lay()
    with room.runs._locked(), pytest.raises(PrintFolderError, match="another print run"):
        room.print()
    room.print()


def test_a_letter_that_changed_or_vanished_stops_the_run(room: PostRoom) -> None:
    room.lay()
    (letter,) = (room.root / "print" / AUTHORITY).glob("*.pdf")
    content = letter.read_bytes()
    letter.write_bytes(content + b"%")
    with pytest.raises(PrintRunDamagedError, match="not the one"):
        room.print()
    (taken,) = (room.root / "print" / AUTHORITY).glob("runs/*/letters/*.pdf")
    taken.unlink()
    with pytest.raises(PrintRunDamagedError, match="gone"):
        room.print()
    taken.write_bytes(content)
    room.print()


def test_a_strangers_file_is_named(room: PostRoom) -> None:
    room.lay()
    (room.root / "print" / AUTHORITY / "strange.pdf").write_bytes(b"x")
    with pytest.raises(PrintRunDamagedError, match="nothing is noted"):
        room.print()


def test_a_single_letter_is_found_for_reprinting(room: PostRoom) -> None:
    dispatch = room.lay()
    room.lay()
    (run,) = room.print()
    for key in (dispatch[:8], "sb-0001"):
        path = room.runs.reprint(key, NOW, "anna")
        assert path.name.endswith("SB-0001.pdf")
    assert (room.runs.path(run) / "reprints.jsonl").read_text().count('"by": "anna"') == 2
    for key in ("SB-0009", "000", "2026-03"):
        with pytest.raises(PrintRunUnknownError):
            room.runs.reprint(key, NOW, "anna")
    with pytest.raises(PrintRunUnknownError):
        room.runs.plan("../x")


def test_joining_says_which_file_is_broken(tmp_path: Path) -> None:
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 no")
    with pytest.raises(PrintRunDamagedError) as caught:
        Joiner(io.BytesIO()).add(broken)
    assert caught.value.where == "broken.pdf"
