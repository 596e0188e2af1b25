"""Codes on pages: PDF and pictures, skewed, upside down, noisy, at 150 dpi."""

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import zxingcpp
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

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
_FINE_WIDTH = 1_500
"""Pixels across a sheet from which enlarging brings nothing."""


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

    The picture is read as it is first; smoothed, enlarged and straightened versions follow until one more
    version after a find brings nothing new.
    """
    found: dict[str, float] = {}
    for number, version in enumerate(_versions(grey)):
        before = len(found)
        for code in zxingcpp.read_barcodes(version, formats=_DATAMATRIX):
            if code.text:
                found.setdefault(code.text, _height(code) * grey.width / version.width)
        clean = number == 0 and any(text.startswith(CODE_PREFIX) for text in found)
        if clean or (before and len(found) == before):
            break
    return tuple(sorted(found, key=found.__getitem__))


def is_blank(grey: Image.Image) -> bool:
    """Tell whether a page bears no ink, not even a line of text; noise counts as ink."""
    small = ImageOps.crop(grey.reduce(max(1, grey.width // 600)), border=12)
    return sum(small.histogram()[:170]) < 0.0001 * small.width * small.height


def _height(code: zxingcpp.Barcode) -> float:
    """Return how far down its sheet a code stands, also where the sheet lies upside down or on its side."""
    corner, below = code.position.top_left, code.position.bottom_left
    down = (below.x - corner.x, below.y - corner.y)
    return float(corner.x * down[0] + corner.y * down[1]) / (math.hypot(*down) or 1.0)


def _versions(grey: Image.Image) -> Iterator[Image.Image]:
    yield grey
    yield grey.filter(ImageFilter.MedianFilter(3))
    smooth = grey.filter(ImageFilter.GaussianBlur(1))
    if grey.width < _FINE_WIDTH:
        doubled = grey.resize((grey.width * 2, grey.height * 2), Image.Resampling.BICUBIC)
        smooth = doubled.filter(ImageFilter.GaussianBlur(1.5))
    yield smooth
    for angle in (-6, 6):
        yield smooth.rotate(angle, Image.Resampling.BICUBIC, fillcolor=255)


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
