"""Scans: reading a file page by page, splitting it into documents, recording each after TR-RESISCAN."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PIL import Image, ImageSequence

from adapters.letter.decoding import Page, read_pages
from adapters.letter.pdfs import choose_pages
from adapters.letter.sheets import Stack, remarks_on, split
from adapters.post.files import sha256_of

MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}
_LOW_PIXELS = 1_100
"""Pixels across A4 at 133 dpi; below, small print suffers."""


@dataclass(frozen=True, slots=True)
class ScanSource:
    """Who scanned what, when, with what."""

    file: str
    sha256: str
    scanned_at: datetime
    device: str | None
    operator: str | None


@dataclass(frozen=True, slots=True)
class ScannedDocument:
    """One document found in a scanned file."""

    number: int
    """Counted from 1 within the file."""
    path: Path
    media_type: str
    stack: Stack
    remarks: tuple[str, ...]

    @property
    def pages(self) -> list[int]:
        """The file's pages that the document takes, in scanned order."""
        return [it.page.number for it in self.stack.pages]


def read_scan(path: Path) -> list[Page]:
    """Read a scanned PDF, PNG, TIFF or JPEG; return its pages with the codes on them.

    Raises UnreadableError where the file is none of these, is locked, broken or too large.
    """
    return list(read_pages(path))


def split_scan(path: Path, folder: Path) -> list[ScannedDocument]:
    """Read a scanned file and write every document in it to ``folder``; a single one stays as it is.

    Raises UnreadableError like ``read_scan``.
    """
    pages = read_scan(path)
    stacks = split(pages)
    if len(stacks) <= 1:
        media_type = MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")
        return [_document(1, path, media_type, stack) for stack in stacks]
    folder.mkdir(parents=True, exist_ok=True)
    documents = []
    for number, stack in enumerate(stacks, start=1):
        target = folder / f"{path.stem}-{number}.pdf"
        _write_pages(path, [it.page.number for it in stack.pages], target)
        documents.append(_document(number, target, MEDIA_TYPES[".pdf"], stack))
    return documents


def record(source: ScanSource, document: ScannedDocument, read_at: datetime) -> bytes:
    """Return the scan's record as JSON: who, when, device, hash, page order and the check of quality."""
    sheets = [
        {
            "page": it.page.number,
            "code": it.code.text if it.code else None,
            "blank": it.page.blank,
            "pixels": [it.page.width, it.page.height],
        }
        for it in document.stack.pages
    ]
    content = {
        "file": source.file,
        "sha256": source.sha256,
        "document": document.number,
        "scanned_at": source.scanned_at.isoformat(),
        "read_at": read_at.isoformat(),
        "device": source.device,
        "operator": source.operator,
        "pages": sheets,
        "quality": {"checked": "codes, order, completeness, blank sheets, size", "remarks": document.remarks},
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def source_of(path: Path, scanned_at: datetime, device: str | None, operator: str | None) -> ScanSource:
    """Describe a scanned file."""
    return ScanSource(path.name, sha256_of(path), scanned_at, device, operator)


def _document(number: int, path: Path, media_type: str, stack: Stack) -> ScannedDocument:
    return ScannedDocument(number, path, media_type, stack, tuple(_quality(stack)))


def _quality(stack: Stack) -> list[str]:
    remarks = remarks_on(stack.pages)
    narrow = [it.page.number for it in stack.pages if min(it.page.width, it.page.height) < _LOW_PIXELS]
    if narrow:
        remarks.append(f"geringe Auflösung (low resolution): Blatt {', '.join(map(str, narrow))}")
    if all(it.page.blank for it in stack.pages):
        remarks.append("nur leere Seiten (blank)")
    return remarks


def _write_pages(path: Path, numbers: Sequence[int], target: Path) -> None:
    """Write some pages of a scanned file as PDF; pictures are kept dot for dot."""
    if path.suffix.lower() == ".pdf":
        choose_pages(path, target, [number - 1 for number in numbers])
        return
    with Image.open(path) as picture:
        frames = [frame.copy() for frame in ImageSequence.Iterator(picture)]
    dpi = float(picture.info.get("dpi", (200, 200))[0]) or 200.0
    first, *others = [frames[number - 1].convert("RGB") for number in numbers]
    first.save(target, "PDF", save_all=True, append_images=others, resolution=dpi)
