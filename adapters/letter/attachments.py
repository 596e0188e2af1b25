"""Attachments on paper: PDF pages and pictures, one sheet each."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from adapters.letter.body import one_line
from adapters.letter.errors import AttachmentUnprintableError
from adapters.letter.pdfs import PdfUnreadableError, page_sizes
from engine.exchange.ports import Document

PDF = "application/pdf"
PICTURES = {"image/png": ".png", "image/jpeg": ".jpg"}
PRINTABLE = (PDF, *PICTURES)

_A4_LONG = 842.5
"""Points; a longer sheet is printed smaller."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of an attachment."""

    file: str
    page: int | None
    """Counted from 1; None for a picture."""
    turned: bool
    caption: str


@dataclass(frozen=True, slots=True)
class Enclosure:
    """An attachment as listed under the letter."""

    name: str
    note: str
    sheets: tuple[Sheet, ...]


def enclose(documents: Sequence[Document], folder: Path) -> list[Enclosure]:
    """Copy the documents into ``folder`` and return how each is printed.

    Raises AttachmentUnprintableError for a document that is no PDF, PNG or JPEG, is locked or broken.
    """
    return [_enclose(number, document, folder) for number, document in enumerate(documents, start=1)]


def embeds_pdf(enclosures: Sequence[Enclosure]) -> bool:
    """Tell whether pages of PDF files are among the sheets; such a letter is no PDF/A."""
    return any(sheet.page is not None for it in enclosures for sheet in it.sheets)


def _enclose(number: int, document: Document, folder: Path) -> Enclosure:
    name = one_line(document.name)
    ending = ".pdf" if document.media_type == PDF else PICTURES.get(document.media_type)
    if ending is None:
        raise AttachmentUnprintableError(
            f"{document.media_type} cannot be printed", where=name, hint="attach it as PDF, PNG or JPEG"
        )
    path = folder / f"attachment-{number}{ending}"
    with document.open() as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
    sizes = _pdf_sizes(path, name) if ending == ".pdf" else [_picture_size(path, name)]
    sheets = tuple(
        Sheet(
            file=f"/{path.name}",
            page=page if ending == ".pdf" else None,
            turned=width > height,
            caption=f"Anlage {number}: {name}, Seite {page} von {len(sizes)}",
        )
        for page, (width, height) in enumerate(sizes, start=1)
    )
    shrunk = ending == ".pdf" and any(max(size) > _A4_LONG for size in sizes)
    pages = "1 Seite" if len(sizes) == 1 else f"{len(sizes)} Seiten"
    return Enclosure(name, f"{pages}, verkleinert auf A4" if shrunk else pages, sheets)


def _pdf_sizes(path: Path, name: str) -> list[tuple[float, float]]:
    try:
        sizes = page_sizes(path)
    except PdfUnreadableError as error:
        raise AttachmentUnprintableError(
            "the PDF is locked or broken", where=name, hint="attach it without a password"
        ) from error
    if not sizes:
        raise AttachmentUnprintableError("the PDF has no pages", where=name)
    return sizes


def _picture_size(path: Path, name: str) -> tuple[float, float]:
    try:
        with Image.open(path) as image:
            image.verify()
            return float(image.width), float(image.height)
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise AttachmentUnprintableError("the picture is broken or too large", where=name) from error
