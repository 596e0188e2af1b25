"""One PDF out of many, written as a stream: memory does not grow with the number of letters.

PDFium rewrites each letter first, so that only its own plain form is read here: numbered objects, one
cross-reference table, escaped strings, no object streams. Measured against PDFium's and qpdf's own merging
in ``docs/decisions/0082-print-runs.md``.
"""

import re
from array import array
from pathlib import Path
from typing import BinaryIO

from adapters.letter.pdfs import PdfUnreadableError, rewritten
from adapters.post.errors import PrintRunDamagedError

_HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_TOKEN = re.compile(rb"\((?:\\.|[^\\)])*\)|<[0-9A-Fa-f\s]*>|\b(\d+) 0 R\b", re.DOTALL)
_OBJECT = re.compile(rb"(\d+) 0 obj\s*")
_STREAM = re.compile(rb"\bstream\r?\n")
_ROOT = re.compile(rb"/Root\s+(\d+) 0 R")
_PAGES = re.compile(rb"/Pages\s+(\d+) 0 R")
_ENTRY = re.compile(rb"(\d{10}) (\d{5}) ([nf])")


class Joiner:
    """Writes one PDF page tree by page tree. Use as: ``add`` any number of times, then ``finish``."""

    def __init__(self, target: BinaryIO) -> None:
        """Begin the file."""
        self._target = target
        self._target.write(_HEADER)
        self._position = len(_HEADER)
        # Objects 1 (catalog) and 2 (page tree) are written last; 0 is never used.
        self._offsets = array("Q", [0, 0, 0])
        self._kids = array("Q")
        self.pages = 0
        """Pages written so far."""

    def add(self, path: Path, *, even: bool = False) -> None:
        """Append all pages of a PDF; with ``even`` a blank page follows an odd number of them.

        Raises PrintRunDamagedError where the file is no readable PDF.
        """
        try:
            content, pages = rewritten(path, even=even)
        except PdfUnreadableError as error:
            raise PrintRunDamagedError("is no readable PDF", where=path.name, hint="reprint it") from error
        self._append(content, path.name)
        self.pages += pages

    def finish(self) -> None:
        """Write page tree, catalog and cross-reference table."""
        kids = b" ".join(b"%d 0 R" % kid for kid in self._kids)
        self._write_object(2, b"<</Type/Pages/Count %d/Kids[%s]>>" % (self.pages, kids))
        self._write_object(1, b"<</Type/Catalog/Pages 2 0 R>>")
        start, count = self._position, len(self._offsets)
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % count)
        for offset in self._offsets[1:]:
            self._write(b"%010d 00000 n \n" % offset if offset else b"0000000000 00000 f \n")
        self._write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, start))

    def _append(self, content: bytes, name: str) -> None:
        objects = _objects(content, name)
        shift = len(self._offsets) - 1
        catalog = objects[_last(_ROOT, content, name)]
        tree = _last(_PAGES, catalog, name)
        self._offsets.extend([0] * max(objects))
        for number, body in objects.items():
            # The letter's page tree becomes a branch of the run's, which is object 2.
            placed = body.replace(b"<<", b"<</Parent 0 0 R", 1) if number == tree else body
            self._write_object(number + shift, _shifted(placed, shift))
        self._kids.append(tree + shift)

    def _write_object(self, number: int, body: bytes) -> None:
        self._offsets[number] = self._position
        self._write(b"%d 0 obj\n%s\nendobj\n" % (number, body))

    def _write(self, content: bytes) -> None:
        self._target.write(content)
        self._position += len(content)


def _objects(content: bytes, name: str) -> dict[int, bytes]:
    """Return object number → what stands between ``obj`` and ``endobj``, by the cross-reference table."""
    start = int(content[content.rindex(b"startxref") + 9 :].split(maxsplit=1)[0])
    offsets = _offsets(content[start : content.rindex(b"trailer")])
    ends = [*sorted(offsets.values())[1:], start]
    bodies: dict[int, bytes] = {}
    for (number, offset), end in zip(sorted(offsets.items(), key=lambda item: item[1]), ends, strict=True):
        head = _OBJECT.match(content, offset)
        if head is None or int(head[1]) != number:
            raise PrintRunDamagedError(f"object {number} is not where it should be", where=name)
        bodies[number] = content[head.end() : content.rindex(b"endobj", head.end(), end)].rstrip(b"\r\n")
    if not bodies:
        raise PrintRunDamagedError("has no objects", where=name)
    return bodies


def _offsets(table: bytes) -> dict[int, int]:
    """Read a classic cross-reference table: object number → offset."""
    offsets: dict[int, int] = {}
    number = 0
    for line in table.splitlines()[1:]:
        entry = _ENTRY.match(line)
        if entry is None:
            number = int(line.split()[0])
            continue
        if entry[3] == b"n":
            offsets[number] = int(entry[1])
        number += 1
    return offsets


def _shifted(body: bytes, shift: int) -> bytes:
    """Renumber the references of an object, outside strings and stream data."""
    stream = _STREAM.search(body)
    head, tail = (body[: stream.start()], body[stream.start() :]) if stream else (body, b"")

    def renumber(match: re.Match[bytes]) -> bytes:
        if match[1] is None:
            return match[0]
        number = int(match[1])
        return b"2 0 R" if number == 0 else b"%d 0 R" % (number + shift)

    return _TOKEN.sub(renumber, head) + tail


def _last(pattern: re.Pattern[bytes], content: bytes, name: str) -> int:
    """Return the number that the last match of ``pattern`` refers to."""
    numbers = [int(match[1]) for match in pattern.finditer(content)]
    if not numbers:
        raise PrintRunDamagedError("has no page tree", where=name)
    return numbers[-1]
