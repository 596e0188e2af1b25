"""Codes on pages: PDF and pictures, skewed, upside down, noisy, at 150 dpi."""

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import zxingcpp
from PIL import Image, ImageChops, ImageFilter, ImageOps, ImageStat, UnidentifiedImageError

from adapters.letter.codes import CODE_PREFIX
from adapters.letter.pdfs import PdfUnreadableError, page_count, render_page
from engine.exchange.errors import UnreadableError

PICTURE_ENDINGS = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
ENDINGS = (".pdf", *PICTURE_ENDINGS)
MAX_PIXELS = 60_000_000
"""A4 at 600 dpi has 35 million."""
MAX_SHEETS = 2_000

_DATAMATRIX = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.DataMatrix)
_DPI = 200
_CODE_INK = 0.004
"""A corner with less ink holds no code: one of 13 mm has four times as much."""
_CORNER = 0.3
"""Part of the sheet's width and height where a corner's code stands, also where the sheet is skewed."""
_SAMPLE = 300
"""Pixels of the square by which noise is judged."""
_NOISE = 8.0
"""Mean difference of grey values: clean sheets have 1 to 2, a grainy scan 15."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a file and the contents of the DataMatrix codes on it, from top to bottom."""

    number: int
    """Counted from 1."""
    contents: tuple[str, ...]
    blank: bool
    """No ink that a reader would see: the back of a sheet."""
    width: int
    height: int


def read_pages(path: Path) -> Iterator[Page]:
    """Read a PDF, PNG, TIFF or JPEG page by page.

    Raises UnreadableError where the file is none of these, is locked, broken, or too large.
    """
    for number, image in enumerate(_images(path), start=1):
        if number > MAX_SHEETS:
            raise UnreadableError(f"has more than {MAX_SHEETS} pages", where=path.name, hint="split the file")
        grey = _within_bounds(image, path).convert("L")
        blank = is_blank(grey)
        yield Page(number, () if blank else decode(grey), blank, grey.width, grey.height)


def decode(grey: Image.Image) -> tuple[str, ...]:
    """Return the contents of all DataMatrix codes on a grey picture, from the sheet's top to its bottom.

    The whole sheet is read as it is, a noisy one smoothed as well: a second code, e.g. of the letter that is
    answered, is easily lost in noise. Where no sheet's code is found, the corners, one of which bears it, are
    smoothed, enlarged and straightened; the treatment that helps is then given to the whole sheet.
    """
    found = _read(grey)
    if _is_noisy(grey):
        found = {**_read(_smooth(grey)), **found}
    if not any(text.startswith(CODE_PREFIX) for text in found):
        for treat, texts in _treated_corners(grey):
            found = {**texts, **found, **_read(treat(grey))}
            break
    return tuple(sorted(found, key=found.__getitem__))


def _read(image: Image.Image, *, left: int = 0, top: int = 0, factor: float = 1.0) -> dict[str, float]:
    """Return every code's content and how far down the sheet it stands, in the sheet's pixels."""
    return {
        code.text: _height(code, left, top, factor)
        for code in zxingcpp.read_barcodes(image, formats=_DATAMATRIX, try_invert=False)
        if code.text
    }


def _height(code: zxingcpp.Barcode, left: int, top: int, factor: float) -> float:
    """Project a code's place on its own upright, so that turned sheets are right too."""
    corner, below = code.position.top_left, code.position.bottom_left
    down = (below.x - corner.x, below.y - corner.y)
    place = (corner.x / factor + left, corner.y / factor + top)
    return float(place[0] * down[0] + place[1] * down[1]) / (math.hypot(*down) or 1.0)


def _treated_corners(grey: Image.Image) -> Iterator[tuple["_Treatment", dict[str, float]]]:
    """Yield the treatments that bring out a code in a corner, and what they bring out."""
    width, height = int(grey.width * _CORNER), int(grey.height * _CORNER)
    for left, top in (
        (grey.width - width, grey.height - height),
        (0, 0),
        (0, grey.height - height),
        (grey.width - width, 0),
    ):
        corner = grey.crop((left, top, left + width, top + height))
        if _share_of_ink(_without_specks(corner)) < _CODE_INK:
            continue
        for treat in _TREATMENTS:
            treated = treat(corner)
            found = _read(treated, left=left, top=top, factor=treated.width / corner.width)
            if found:
                yield treat, found


def _share_of_ink(grey: Image.Image) -> float:
    return sum(grey.histogram()[:140]) / (grey.width * grey.height)


def _is_noisy(grey: Image.Image) -> bool:
    """Tell whether a part of the sheet changes much when its specks are taken away; text alone does not."""
    left, top = grey.width // 4, grey.height // 4
    part = grey.crop((left, top, left + _SAMPLE, top + _SAMPLE))
    return float(ImageStat.Stat(ImageChops.difference(part, _without_specks(part))).mean[0]) > _NOISE


def _without_specks(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.MedianFilter(3))


def _enlarged(image: Image.Image) -> Image.Image:
    doubled = image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC)
    return doubled.filter(ImageFilter.GaussianBlur(1.5))


def _smooth(image: Image.Image) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(1))


def _turned_left(image: Image.Image) -> Image.Image:
    return _smooth(image).rotate(6, Image.Resampling.BILINEAR, fillcolor=255)


def _turned_right(image: Image.Image) -> Image.Image:
    return _smooth(image).rotate(-6, Image.Resampling.BILINEAR, fillcolor=255)


_Treatment = Callable[[Image.Image], Image.Image]
_TREATMENTS: tuple[_Treatment, ...] = (_without_specks, _smooth, _enlarged, _turned_left, _turned_right)


def is_blank(grey: Image.Image) -> bool:
    """Tell whether a page bears no ink, not even a line of text; noise counts as ink."""
    small = ImageOps.crop(grey.reduce(max(1, grey.width // 600)), border=12)
    return sum(small.histogram()[:170]) < 0.0001 * small.width * small.height


def _images(path: Path) -> Iterator[Image.Image]:
    with path.open("rb") as file:
        head = file.read(8)
    if head.startswith(b"%PDF"):
        yield from _pdf_images(path)
    elif head.startswith((b"\x89PNG", b"II*\0", b"MM\0*", b"\xff\xd8\xff")):
        yield from _picture_frames(path)
    else:
        raise UnreadableError(
            "is neither PDF nor PNG, TIFF or JPEG", where=path.name, hint="let the scanner write one of these"
        )


def _pdf_images(path: Path) -> Iterator[Image.Image]:
    try:
        for index in range(page_count(path)):
            yield render_page(path, index, _DPI, max_pixels=MAX_PIXELS)
    except PdfUnreadableError as error:
        raise UnreadableError(f"{error}", where=path.name, hint="scan it again") from error


def _picture_frames(path: Path) -> Iterator[Image.Image]:
    try:
        with _quiet():
            picture = Image.open(path, formats=("PNG", "TIFF", "JPEG"))
        with picture:
            for index in range(getattr(picture, "n_frames", 1)):
                with _quiet():
                    picture.seek(index)
                    frame = _within_bounds(picture, path).convert("L")
                yield frame
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableError("is a broken picture", where=path.name, hint="scan it again") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Pillow's remarks on odd metadata from the terminal; what cannot be read raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def _within_bounds(image: Image.Image, path: Path) -> Image.Image:
    if image.width * image.height > MAX_PIXELS:
        raise UnreadableError(
            f"has a page of {image.width} × {image.height} pixels",
            where=path.name,
            hint="scan at 300 dpi or less",
        )
    return image
