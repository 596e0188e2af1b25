"""Where things stand on the sheet, by DIN 5008 form B, measured in what was printed. Millimetres."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from tests.contracts.samples import HOMBURG, mailbox
from tests.letter.rig import Desk, scans

A4 = (210.0, 297.0)
DPI = 254
"""Ten dots a millimetre."""
MM = 72 / 25.4


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    box = mailbox(HOMBURG, "letter+post", "Am Forum 5\n66424 Homburg")
    return Desk(tmp_path_factory.mktemp("desk")).write(
        box, answer_due=date(2026, 4, 1), partner_reference="HOM-7/26"
    )


def boxes(pdf: Path, page: int, text: str) -> Iterator[tuple[float, float, float, float]]:
    """Yield left, top, right, bottom of every line box of ``text``, from the sheet's upper left corner."""
    document = pypdfium2.PdfDocument(pdf)
    try:
        content = document[page].get_textpage()
        searcher = content.search(text)
        while (found := searcher.get_next()) is not None:
            for index in range(content.count_rects(*found)):
                left, bottom, right, top = content.get_rect(index)
                yield left / MM, A4[1] - top / MM, right / MM, A4[1] - bottom / MM
    finally:
        document.close()


def dark_rows(sheet: Image.Image, left: float, right: float) -> list[float]:
    """Return the middles of the dark lines between two columns."""
    strip = sheet.crop((int(left * 10), 0, int(right * 10), sheet.height)).convert("L")
    rows = [y for y in range(strip.height) if min(strip.crop((0, y, strip.width, y + 1)).tobytes()) < 200]
    groups: list[list[int]] = []
    for row in rows:
        if groups and row - groups[-1][-1] == 1:
            groups[-1].append(row)
        else:
            groups.append([row])
    return [(group[0] + group[-1] + 1) / 20 for group in groups]


def test_fold_and_punch_marks_stand_on_the_first_sheet_only(printed: Path) -> None:
    first, answer = scans(printed, DPI)
    assert dark_rows(first, 3, 12) == pytest.approx([105, 148.5, 210], abs=0.15)
    assert dark_rows(answer, 3, 12) == []


@pytest.mark.parametrize(
    ("page", "first", "last"),
    [(0, "Kreisstadt Homburg", "66424 Homburg"), (1, "Landeshauptstadt Saarbrücken", "66111 Saarbrücken")],
)
def test_return_line_and_address_stand_in_the_window(printed: Path, page: int, first: str, last: str) -> None:
    """The field begins 20 mm from the left and 45 mm from the top, 85 mm wide and 45 mm high."""
    within = [box for box in boxes(printed, page, first) if 55 < box[1] < 92 and box[0] < 100]
    left, top, right, _ = within[0]
    assert left == pytest.approx(25, abs=0.4)
    assert 62.4 <= top <= 65  # the box reaches above the capitals
    assert right <= 105
    bottom = max(box[3] for box in boxes(printed, page, last) if 55 < box[1] < 92)
    assert bottom <= 90
    return_line = [box for box in boxes(printed, page, " · ") if box[1] < 55]
    assert return_line
    assert all(box[1] >= 45 and box[3] <= 62.7 and box[0] >= 20 and box[2] <= 105 for box in return_line)


def test_the_information_block_begins_at_125_and_ends_by_200(printed: Path) -> None:
    for label in ("Ihr Zeichen", "Unser Zeichen", "Datum"):
        left, top, _, bottom = next(box for box in boxes(printed, 0, label) if box[1] < 100)
        assert left == pytest.approx(125, abs=0.4)
        assert 49.7 <= top < bottom <= 98
    assert all(box[2] <= 200 for box in boxes(printed, 0, "HOM-7/26"))


def test_the_subject_begins_below_the_window_and_the_text_keeps_the_margins(printed: Path) -> None:
    left, top, right, _ = next(boxes(printed, 0, "Wir ersuchen um Vollstreckung"))
    assert top >= 98.46
    assert left == pytest.approx(25, abs=0.4)
    assert right <= 190


def test_the_printed_code_has_its_quiet_zone(printed: Path) -> None:
    """A DataMatrix needs one module of white on every side; 13 mm of at most 24 modules make 0.55 mm."""
    for sheet in scans(printed, DPI):
        corner = sheet.crop((1740, 2600, 2100, 2970)).convert("L").point(lambda value: 255 * (value < 128))
        left, top, right, bottom = corner.getbbox() or (0, 0, 0, 0)
        assert (right - left) / 10 == pytest.approx((bottom - top) / 10, abs=0.2)
        assert left / 10 >= 0.55
        assert (corner.width - right) / 10 >= 10
        assert (corner.height - bottom) / 10 >= 5
