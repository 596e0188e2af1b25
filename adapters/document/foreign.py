"""Letters of partners without Dienstweg: where they belong, as far as a code or a reference in them says.

What they mean, a clerk registers. Both the text of a file and the DataMatrix codes on its first pages are
looked at: an answer quotes our code, or is our own letter printed, signed and scanned.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from adapters.document.errors import LetterUnreadableError
from adapters.letter.decoding import read_pages
from adapters.letter.pdfs import PdfUnreadableError, open_pdf
from adapters.letter.reading import reading_of
from engine.exchange.codes import CodeUnreadableError, parse_code
from engine.exchange.errors import UnreadableError
from engine.exchange.ports import Part, Party, Reading, Reference

PDF, TEXT = "application/pdf", "text/plain"
MAX_PAGES = 10
"""Pages of a file that are looked at: a letter names its references at its beginning."""
MAX_TEXT = 200_000
MAX_FOUND = 20

_UUID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE)
_CODE = re.compile(r"\b[A-Z0-9]{2,8}(?:-[A-Z0-9]{4}){3}-[A-Z0-9]{5}-[A-Z0-9]{5}\b", re.IGNORECASE)
_OURS = re.compile(
    r"\bIhr(?:e)?[ \t]+(?:Akten|Geschäfts)?zeichen[ \t]*:?[ \t]*(\S[^\r\n]{0,80})", re.IGNORECASE
)
_THEIRS = re.compile(
    r"\b(?:Unser|Mein)(?:e)?[ \t]+(?:Akten|Geschäfts)?zeichen[ \t]*:?[ \t]*(\S[^\r\n]{0,80})", re.IGNORECASE
)


def is_letter(part: Part) -> bool:
    """Tell whether people can read this part as a letter."""
    return _is_pdf(part) or _is_text(part)


def read(parts: Sequence[Part], installation: str, secret: bytes) -> Reading:
    """Find what the letters among ``parts`` say about where they belong.

    Raises LetterUnreadableError where a PDF is locked or broken, or where nothing is a letter.
    """
    letters = [part for part in parts if _is_pdf(part) or _is_text(part)]
    if not letters:
        raise LetterUnreadableError(
            "no PDF and no text", where=", ".join(part.name for part in parts) or "nothing"
        )
    texts = [_text(part) for part in letters]
    contents = [content for part in letters if _is_pdf(part) for content in _matrices(part)]
    written = [f"DW1:{code}" for text in texts for code in islice(_codes(text), MAX_FOUND)]
    reading = reading_of([*contents, *written], installation, secret)
    references = [*reading.references, *(found for text in texts for found in _named(text))]
    theirs = next((match[1].strip() for text in texts for match in _THEIRS.finditer(text)), None)
    return replace(reading, references=tuple(dict.fromkeys(references)), sender_reference=theirs)


def complaint(parts: Sequence[Part], reason: str, own: Party) -> str:
    """Write what a sender is told of a message that cannot be processed."""
    lines = [
        "Ihre Nachricht konnte nicht verarbeitet werden",
        "",
        f"Die Nachricht an {own.name} ist eingegangen, kann hier aber nicht gelesen werden:",
        f"  {reason}",
        "",
        "Dateien der Nachricht:",
        *(f"  {part.name}" for part in parts),
        "",
        "Bitte senden Sie die Nachricht noch einmal: das Schreiben und die Anlagen als PDF ohne Kennwort.",
    ]
    return "\n".join(lines) + "\n"


def _is_pdf(part: Part) -> bool:
    return part.media_type == PDF or part.name.lower().endswith(".pdf")


def _is_text(part: Part) -> bool:
    return part.media_type == TEXT or part.name.lower().endswith(".txt")


def _text(part: Part) -> str:
    if not _is_pdf(part):
        with part.path.open("rb") as source:
            return source.read(MAX_TEXT).decode("utf-8", errors="replace")
    try:
        return _pdf_text(part.path)
    except PdfUnreadableError as error:
        raise LetterUnreadableError(str(error), where=part.name, hint="send it without a password") from error


def _pdf_text(path: Path) -> str:
    found = []
    with open_pdf(path) as document:
        for index in range(min(len(document), MAX_PAGES)):
            page = document[index]
            text_page = page.get_textpage()
            found.append(text_page.get_text_bounded()[:MAX_TEXT])
            text_page.close()
            page.close()
    return "\n".join(found)


def _matrices(part: Part) -> list[str]:
    try:
        return [content for page in islice(read_pages(part.path), MAX_PAGES) for content in page.contents]
    except UnreadableError as error:
        raise LetterUnreadableError(error.message, where=part.name, hint=error.hint) from error


def _codes(text: str) -> Iterator[str]:
    for match in _CODE.finditer(text):
        try:
            yield parse_code(match[0]).compact
        except CodeUnreadableError:
            continue


def _named(text: str) -> Iterator[Reference]:
    """Yield the exchanges and our file references that a text names."""
    ids = dict.fromkeys(match[0].lower() for match in _UUID.finditer(text))
    yield from (Reference("exchange", value) for value in islice(ids, MAX_FOUND))
    ours = dict.fromkeys(match[1].strip() for match in _OURS.finditer(text))
    yield from (Reference("file-reference", value) for value in islice(ours, MAX_FOUND))
