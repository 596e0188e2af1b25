"""What a letter that came in says about where it belongs."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from adapters.letter.codes import understand
from adapters.letter.decoding import ENDINGS, Page, read_pages
from adapters.letter.sheets import number, remarks_on
from engine.exchange.codes import Code, Kind, Standing, read_code
from engine.exchange.errors import UnreadableError
from engine.exchange.ports import Part, Reading, Reference

SCAN_ROLES = frozenset({"letter", "scan"})

_MARK = re.compile(rb"dienstweg-letter")
_HEAD = 65536


def looks_like_letter(part: Part) -> bool:
    """Tell whether a part is a scan, or a PDF that calls itself a letter in its metadata."""
    if part.path.suffix.lower() not in ENDINGS and not part.media_type.startswith(
        ("image/", "application/pdf")
    ):
        return False
    if part.role in SCAN_ROLES:
        return True
    if part.media_type != "application/pdf" or not part.path.is_file():
        return False
    with part.path.open("rb") as file:
        size = file.seek(0, 2)
        for start in {0, max(0, size - _HEAD)}:
            file.seek(start)
            if _MARK.search(file.read(_HEAD)):
                return True
    return False


def read_letter(parts: Sequence[Part], installation: str, secret: bytes) -> Reading:
    """Read the codes of all parts; raise UnreadableError where a part is neither PDF nor picture."""
    pages = [number(page) for part in parts for page in _pages_of(part)]
    contents = [content for it in pages for content in it.page.contents]
    reading = reading_of(contents, installation, secret)
    return replace(reading, remarks=(*reading.remarks, *remarks_on(pages)))


def _pages_of(part: Part) -> Iterator[Page]:
    """Read a part; what is wrong is said of the name it came with, not of the one it is kept under."""
    try:
        yield from read_pages(part.path)
    except UnreadableError as error:
        raise UnreadableError(error.message, where=part.name, hint=error.hint) from error


def reading_of(contents: Iterable[str], installation: str, secret: bytes) -> Reading:
    """Make of the DataMatrix contents of one document what the engine can match.

    Own codes with a right seal and ids of own exchanges become references. A code of another installation is
    the sender's: it identifies the message (for duplicates) and is reprinted on the answer. A code that
    names this installation with a wrong seal is only remarked on.
    """
    references: list[Reference] = []
    found_own: list[Code] = []
    foreign: list[Code] = []
    remarks: list[str] = []
    for found in sorted(map(understand, dict.fromkeys(contents)), key=_names_another):
        if isinstance(found, Reference):
            references.append(found)
        elif found is not None:
            judged = read_code(found.text, installation, secret)
            if judged.standing is Standing.OWN and judged.code is not None:
                found_own.append(judged.code)
                references.append(Reference("code", judged.code.whole().text))
            elif judged.standing is Standing.FOREIGN and judged.code is not None:
                foreign.append(judged.code)
            else:
                remarks.append(f"{found.text}: {judged.explanation}")
    own = {code.kind for code in found_own if code.page}
    if Kind.LETTER in own and not foreign:
        remarks.append("trägt nur unser eigenes Schreiben: Rückläufer oder Anlage (own letter come back)")
    senders = list(dict.fromkeys(code.whole() for code in foreign))
    if len({code.whole() for code in foreign if code.page}) > 1:
        remarks.append("several letters of others: " + ", ".join(code.text for code in senders))
    references.extend(Reference("code", code.text) for code in senders)
    return Reading(
        message_type=None,
        version=None,
        data={},
        documents=(),
        references=tuple(dict.fromkeys(references)),
        sender_id=None,
        sender_exchange=senders[0].text if senders else None,
        sender_reference=None,
        remarks=tuple(remarks),
    )


def _names_another(found: Code | Reference | None) -> bool:
    """Tell whether a code stands beside the text, for an earlier letter, and not on a sheet for its own.

    Sheets' codes are read first: a reminder's own code identifies it, not that of the letter it reminds of.
    """
    return not isinstance(found, Code) or found.page == 0
