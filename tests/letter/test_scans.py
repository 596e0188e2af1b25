"""Letters that went through a printer, a hand and a scanner: codes are found, or their absence is said."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from adapters.letter.codes import CODE_PREFIX, EXCHANGE_PREFIX, print_partner_reference, understand
from adapters.letter.decoding import Page, decode, is_blank, read_pages
from adapters.letter.reading import looks_like_letter, reading_of
from adapters.letter.sheets import number, remarks_on, split
from engine.exchange.codes import Code, Kind, make_code
from engine.exchange.errors import UnreadableError
from engine.exchange.ports import Part, Reference
from tests.letter.rig import Desk, blurred, noisy, save_pdf, scans, skewed, texts

SECRET = b"SB1" * 8
ONE = "3f2b8c1e-94d7-4a60-8f15-0c6de2a7b391"
TWO = "71d10f2c-0c1c-4f3e-9a53-5b2f6f0f6c02"

TREATMENTS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "clean": lambda image: image,
    "upside down": lambda image: image.rotate(180),
    "sideways": lambda image: image.rotate(90, expand=True),
    "skewed": lambda image: skewed(image, 4),
    "skewed upside down": lambda image: skewed(image, 176),
    "noisy": lambda image: noisy(image, 60),
    "blurred": lambda image: blurred(image, 1),
    "black and white": lambda image: image.point(lambda value: 255 if value > 128 else 0),
    "faint": lambda image: image.point(lambda value: 170 + value // 4),
    "fax": lambda image: noisy(skewed(image, 182), 50).point(lambda value: 255 if value > 128 else 0),
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Image.Image:
    pdf = Desk(tmp_path_factory.mktemp("sb")).write(exchange_id=ONE)
    return scans(pdf, 150)[0]


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_the_code_is_found_at_150_dpi(printed: Image.Image, treatment: str) -> None:
    code = make_code("SB1", ONE, SECRET).on(1, 1)
    assert decode(TREATMENTS[treatment](printed)) == (CODE_PREFIX + code.compact,)


def test_coffee_on_a_third_of_the_code_is_survived(printed: Image.Image) -> None:
    stained = printed.copy()
    source = random.Random(3)
    width, height = stained.size
    for _ in range(9):
        x, y = (
            source.randrange(int(width * 0.85), int(width * 0.9)),
            source.randrange(int(height * 0.93), int(height * 0.95)),
        )
        stained.paste(255, (x, y, x + 5, y + 5))
    assert decode(stained)


def test_blank_backs_are_told_from_a_line_of_text(printed: Image.Image) -> None:
    assert is_blank(Image.new("L", printed.size, 255))
    line = Image.new("L", printed.size, 255)
    top = int(printed.height * 0.33)
    line.paste(printed.crop((0, top, printed.width, top + 30)), (0, 400))
    assert not is_blank(line)
    assert not is_blank(printed)


def test_answer_and_request_find_each_other_by_paper_alone(tmp_path: Path) -> None:
    saarbruecken, homburg = Desk(tmp_path / "sb"), Desk(tmp_path / "hom", "HOM")
    request = saarbruecken.write(exchange_id=ONE)
    taken_in = homburg.read(request)
    assert taken_in.sender_exchange == make_code("SB1", ONE, SECRET).whole().text
    assert taken_in.references == (Reference("code", str(taken_in.sender_exchange)),)

    answer = homburg.write(exchange_id=TWO, answer_to=taken_in.sender_exchange)
    assert str(taken_in.sender_exchange) in texts(answer)[0]
    scan = save_pdf([noisy(skewed(image, 3), 40) for image in scans(answer, 200)], tmp_path / "scan.pdf", 200)
    back = saarbruecken.read(scan)
    assert Reference("code", make_code("SB1", ONE, SECRET).whole().text) in back.references
    assert back.sender_exchange == make_code("HOM", TWO, b"HOM" * 8).whole().text
    assert back.remarks == ()


def test_a_partners_code_is_found_in_a_noisy_scan(tmp_path: Path) -> None:
    answer = Desk(tmp_path / "hom", "HOM").write(exchange_id=TWO, answer_to=code_of(ONE))
    sheet = scans(answer, 150)[0]
    for _ in range(4):
        scan = save_pdf([noisy(skewed(sheet, 2), 60)], tmp_path / "scan.pdf")
        assert Reference("code", code_of(ONE)) in Desk(tmp_path / "sb").read(scan).references


def code_of(exchange: str) -> str:
    return make_code("SB1", exchange, SECRET).whole().text


def test_a_request_that_came_electronically_is_named_on_the_paper_answer(tmp_path: Path) -> None:
    answer = Desk(tmp_path / "hom", "HOM").write(answer_to=ONE)
    assert Reference("exchange", ONE) in Desk(tmp_path / "sb").read(answer).references


def test_what_cannot_be_drawn_is_not_drawn() -> None:
    assert print_partner_reference("Az. 7/26") is None


def test_an_own_code_with_a_foreign_seal_is_only_remarked_on(tmp_path: Path) -> None:
    forged = make_code("SB1", ONE, b"guessed").on(1, 1)
    reading = reading_of([CODE_PREFIX + forged.compact], "SB1", SECRET)
    assert reading.references == ()
    assert reading.sender_exchange is None
    assert "seal is wrong" in reading.remarks[0]


def test_other_peoples_matrices_are_nothing() -> None:
    assert understand("A0010080EF05/ 40 0000") is None
    assert understand(CODE_PREFIX + "SB") is None
    assert understand(EXCHANGE_PREFIX + "x") is None
    assert reading_of(["https://example.org"], "SB1", SECRET).references == ()


def test_our_own_letter_come_back_is_said(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sb")
    (remark,) = desk.read(desk.write()).remarks
    assert "Rückläufer" in remark


def test_no_file_of_a_scanner_is_unreadable(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "sb")
    for name, content in (
        ("text.pdf", b"hello"),
        ("cut.pdf", b"%PDF-1.7\n1 0 obj"),
        ("cut.png", b"\x89PNG\r\n\x1a\n\0\0"),
        ("cut.tif", b"II*\0\x08\0\0\0"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UnreadableError) as caught:
            desk.read(path)
        assert caught.value.where == name
        kept = path.rename(tmp_path / "3f2b8c1e94d7")  # as a store names it
        with pytest.raises(UnreadableError) as caught:
            desk.payload.read([Part(name, "application/pdf", kept, "scan")], tmp_path)
        assert caught.value.where == name


@pytest.mark.parametrize("ending", [".png", ".tif", ".jpg"])
def test_pictures_are_read_too(tmp_path: Path, printed: Image.Image, ending: str) -> None:
    path = tmp_path / f"scan{ending}"
    printed.save(path)
    assert Desk(tmp_path / "sb").read(path).references


def test_a_tiff_of_several_pages(tmp_path: Path, printed: Image.Image) -> None:
    path = tmp_path / "stack.tiff"
    printed.save(path, save_all=True, append_images=[Image.new("L", printed.size, 255), printed])
    pages = list(read_pages(path))
    assert [(page.number, page.blank, len(page.contents)) for page in pages] == [
        (1, False, 1),
        (2, True, 0),
        (3, False, 1),
    ]


def test_a_letter_knows_itself_whatever_its_role(tmp_path: Path) -> None:
    pdf = Desk(tmp_path / "sb").write()
    assert looks_like_letter(Part(pdf.name, "application/pdf", pdf, "document"))
    other = save_pdf([Image.new("L", (100, 100), 255)], tmp_path / "other.pdf")
    assert not looks_like_letter(Part(other.name, "application/pdf", other, "document"))
    assert looks_like_letter(Part(other.name, "application/pdf", other, "scan"))


def sheet(page: int, *codes: Code, blank: bool = False) -> Page:
    return Page(page, tuple(CODE_PREFIX + code.compact for code in codes), blank, 1240, 1754)


FIRST, SECOND = make_code("SB1", ONE, SECRET), make_code("HOM", TWO, b"x")


def test_a_stack_is_split_where_another_letter_begins() -> None:
    answer = make_code("SB1", ONE, SECRET, Kind.ANSWER).on(1, 1)
    pages = [
        sheet(1),
        sheet(2, SECOND.on(1, 2)),
        sheet(3, SECOND.on(2, 2)),
        sheet(4, answer),
        sheet(5),
        sheet(6, blank=True),
        sheet(7, FIRST.on(1, 1)),
    ]
    stacks = split(pages)
    assert [[it.page.number for it in stack.pages] for stack in stacks] == [[1], [2, 3], [4, 5, 6], [7]]
    assert [stack.code for stack in stacks] == [None, SECOND.whole(), answer.whole(), FIRST.whole()]


def test_the_same_letter_scanned_twice_is_two_documents() -> None:
    pages = [
        sheet(1, FIRST.on(1, 2)),
        sheet(2, FIRST.on(2, 2)),
        sheet(3, FIRST.on(1, 2)),
        sheet(4, FIRST.on(2, 2)),
    ]
    assert [[it.page.number for it in stack.pages] for stack in split(pages)] == [[1, 2], [3, 4]]


def test_a_reprinted_partners_code_is_not_the_sheets_own() -> None:
    assert number(sheet(1, FIRST.whole(), SECOND.on(1, 1))).code == SECOND.on(1, 1)
    assert number(sheet(1, FIRST.whole())).code is None


def test_an_attached_letters_code_does_not_count() -> None:
    assert number(sheet(1, SECOND.on(3, 4), FIRST.on(2, 2))).code == FIRST.on(2, 2)


@pytest.mark.parametrize(
    ("sheets", "said"),
    [
        ([(1, 3), (3, 3)], "Seite 2 von 3 fehlt"),
        ([(1, 2), (2, 2), (2, 2)], "Seite 2 doppelt"),
        ([(2, 2), (1, 2)], "Reihenfolge 2, 1"),
    ],
)
def test_what_is_wrong_with_the_sheets_is_said(sheets: list[tuple[int, int]], said: str) -> None:
    pages = [number(sheet(place, FIRST.on(*it))) for place, it in enumerate(sheets, start=1)]
    assert said in remarks_on(pages)[0]


def test_a_whole_letter_gives_no_remark() -> None:
    assert remarks_on([number(sheet(1, FIRST.on(1, 2))), number(sheet(2, FIRST.on(2, 2)))]) == []
    assert "Blatt 2" in remarks_on([number(sheet(1, FIRST.on(1, 1))), number(sheet(2))])[0]
