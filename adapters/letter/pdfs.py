"""PDFium, one caller at a time: the library itself bears no second thread, in whatever document."""

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pypdfium2
from PIL import Image

A4 = (595.276, 841.89)
"""Points."""
ANSWER_SHEET = "dienstweg-answer-sheet"
"""Keyword of a PDF whose last page is an answer sheet, which goes back alone."""

# One lock a process, because the library keeps its state a process.
_PDFIUM = threading.RLock()


class PdfUnreadableError(ValueError):
    """The file is no PDF, is locked or broken."""


@contextmanager
def open_pdf(source: Path | bytes) -> Iterator[pypdfium2.PdfDocument]:
    """Open a PDF and keep everybody else out of PDFium meanwhile; raise PdfUnreadableError."""
    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(source)
        except (pypdfium2.PdfiumError, FileNotFoundError) as error:
            raise PdfUnreadableError("the PDF is locked or broken") from error
        try:
            yield document
        except pypdfium2.PdfiumError as error:
            raise PdfUnreadableError("the PDF is broken inside") from error
        finally:
            document.close()


def page_sizes(source: Path | bytes) -> list[tuple[float, float]]:
    """Return width and height of every page in points; raise PdfUnreadableError."""
    with open_pdf(source) as document:
        return [document.get_page_size(index) for index in range(len(document))]


def page_count(source: Path | bytes) -> int:
    """Return the number of pages; raise PdfUnreadableError."""
    with open_pdf(source) as document:
        return len(document)


def ends_with_answer_sheet(source: Path | bytes) -> bool:
    """Tell whether the last page is an answer sheet of ours; raise PdfUnreadableError."""
    with open_pdf(source) as document:
        return _ends_with_answer_sheet(document)


def _ends_with_answer_sheet(document: pypdfium2.PdfDocument) -> bool:
    return ANSWER_SHEET in document.get_metadata_value("Keywords")


def render_page(
    source: Path | bytes, index: int, dpi: float, *, max_pixels: int | None = None
) -> Image.Image:
    """Render one page, counted from 0; larger sheets coarser so that ``max_pixels`` is kept.

    Raises PdfUnreadableError where the file or the page is broken.
    """
    with open_pdf(source) as document:
        page = document[index]
        width, height = page.get_size()
        scale = dpi / 72
        if max_pixels is not None:
            scale = min(scale, (max_pixels / max(width * height, 1.0)) ** 0.5)
        picture: Image.Image = page.render(scale=scale).to_pil()
        page.close()
        return picture


def choose_pages(source: Path, target: Path, indexes: Sequence[int]) -> None:
    """Write some pages of a PDF, counted from 0, to another file."""
    with open_pdf(source) as document:
        chosen = pypdfium2.PdfDocument.new()
        try:
            chosen.import_pages(document, list(indexes))
            chosen.save(target)
        finally:
            chosen.close()


def rewritten(source: Path, *, even: bool) -> tuple[bytes, int]:
    """Return a PDF's pages as PDFium writes them, without structure or outline, and their number.

    With ``even``, for printing on both sides, a blank A4 page follows an odd number of pages, and one comes
    before an answer sheet that would stand on the back of the letter. Raises PdfUnreadableError.
    """
    with open_pdf(source) as document:
        result = pypdfium2.PdfDocument.new()
        try:
            result.import_pages(document)
            if even and _ends_with_answer_sheet(document) and len(result) % 2 == 0:
                result.new_page(*A4, index=len(result) - 1).close()
            if even and len(result) % 2:
                result.new_page(*A4).close()
            target = io.BytesIO()
            result.save(target)
            return target.getvalue(), len(result)
        finally:
            result.close()
