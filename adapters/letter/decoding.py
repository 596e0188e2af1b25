"""Codes on pages: PDF and pictures, skewed, upside down, noisy, at 150 dpi."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pypdfium2
import zxingcpp
from PIL import Image, ImageFilter, ImageOps, ImageSequence, UnidentifiedImageError

from engine.exchange.errors import UnreadableError

PICTURE_ENDINGS = (".png", ".tif", ".tiff", ".jpg", ".jpeg")
ENDINGS = (".pdf", *PICTURE_ENDINGS)
MAX_PIXELS = 60_000_000
"""A4 at 600 dpi has 35 million."""
MAX_SHEETS = 2_000

_DATAMATRIX = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.DataMatrix)
_DPI = 200
_A4_INCHES = 8.27


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
        yield Page(number, decode(grey), is_blank(grey), grey.width, grey.height)


def decode(grey: Image.Image) -> tuple[str, ...]:
    """Return the contents of all DataMatrix codes on a grey picture.

    The picture is read as it is first; where nothing is found, smoothed, sharper and straightened versions
    follow.
    """
    for version in _versions(grey):
        found = zxingcpp.read_barcodes(version, formats=_DATAMATRIX)
        if found:
            placed = sorted(found, key=lambda code: (code.position.top_left.y, code.position.top_left.x))
            return tuple(dict.fromkeys(code.text for code in placed if code.text))
    return ()


def is_blank(grey: Image.Image) -> bool:
    """Tell whether a page bears practically no ink: under 0.1 % of its pixels away from the edges."""
    small = ImageOps.crop(grey.resize((210, 297)), border=6)
    histogram = small.filter(ImageFilter.MedianFilter(3)).histogram()
    return sum(histogram[:160]) < 0.001 * small.width * small.height


def _versions(grey: Image.Image) -> Iterator[Image.Image]:
    yield grey
    yield grey.filter(ImageFilter.MedianFilter(3))
    doubled = grey.resize((grey.width * 2, grey.height * 2), Image.Resampling.BICUBIC)
    if doubled.width * doubled.height <= MAX_PIXELS:
        yield doubled.filter(ImageFilter.GaussianBlur(1.5))
        for angle in (-4, 4, -8, 8):
            yield doubled.rotate(angle, Image.Resampling.BICUBIC, fillcolor=255)


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
        document = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise UnreadableError("is locked or broken", where=path.name, hint="scan it again") from error
    try:
        for index in range(len(document)):
            yield _render(document, index, path)
    finally:
        document.close()


def _render(document: pypdfium2.PdfDocument, index: int, path: Path) -> Image.Image:
    try:
        page = document[index]
        width, height = page.get_size()
        # Plans of any size are looked at as closely as A4, so that memory stays bounded.
        scale = min(_DPI / 72, (MAX_PIXELS / max(width * height, 1)) ** 0.5)
        picture: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
        page.close()
    except pypdfium2.PdfiumError as error:
        raise UnreadableError(f"page {index + 1} is broken", where=path.name, hint="scan it again") from error
    return picture


def _picture_frames(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path, formats=("PNG", "TIFF", "JPEG")) as picture:
            for frame in ImageSequence.Iterator(picture):
                _within_bounds(frame, path)
                yield frame
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnreadableError("is a broken picture", where=path.name, hint="scan it again") from error


def _within_bounds(image: Image.Image, path: Path) -> Image.Image:
    if image.width * image.height > MAX_PIXELS:
        raise UnreadableError(
            f"has a page of {image.width} × {image.height} pixels",
            where=path.name,
            hint="scan at 300 dpi or less",
        )
    return image


def codes_of(pages: Sequence[Page]) -> list[str]:
    """Return all contents in page order, each once."""
    return list(dict.fromkeys(content for page in pages for content in page.contents))
