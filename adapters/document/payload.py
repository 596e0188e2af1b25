"""The payload ``document``: an envelope becomes a letter as PDF, its attachments, and a data file."""

import re
import shutil
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from adapters.document import datafile, foreign
from adapters.document.datafile import ATTACHMENT, LETTER, Listed
from adapters.document.errors import DocumentChangedError, DocumentMappingError
from adapters.document.mapping import mapping_of
from adapters.document.typesetting import Typesetter
from adapters.letter.attachments import PDF, Enclosure
from engine.exchange.file_names import safe_names
from engine.exchange.ports import (
    AdapterContext,
    Blocker,
    Document,
    Envelope,
    EvidenceLevel,
    Mailbox,
    MessageType,
    Part,
    Party,
    Reading,
    Requirements,
)

_CHUNK = 1 << 20


class DocumentPayload:
    """Letters as electronic documents."""

    name = "document"
    level = EvidenceLevel.B
    separable = True
    """The data file lists every file by its digest: nothing that is missing passes for whole."""

    def __init__(self, context: AdapterContext) -> None:
        """Keep what the installation lends."""
        self._context = context
        self._typesetter = Typesetter(context)

    def check(self, recipient: Mailbox, requirements: Requirements) -> list[Blocker]:
        """Return why this message type cannot become a document, e.g. where the mailbox takes no PDF."""
        blockers = []
        if recipient.formats and PDF not in recipient.formats:
            blockers.append(Blocker("format", "recipient", f"the mailbox takes no {PDF}, as the letter is"))
        blockers += [
            Blocker("mapping", "sender", fault) for fault in self.check_mapping(requirements.message_type)
        ]
        return blockers

    def check_mapping(self, message_type: MessageType) -> list[str]:
        """Return what is wrong with the mapping of ``message_type``."""
        try:
            mapping_of(message_type)
        except DocumentMappingError as error:
            return [str(error)]
        return []

    def build(self, envelope: Envelope, recipient: Mailbox, folder: Path) -> tuple[Part, ...]:
        """Write letter, attachments and data file into ``folder``; the same envelope gives the same bytes.

        Raises DocumentChangedError where a document is not what its digest says, and what setting a letter
        raises.
        """
        title = f"{envelope.message_type.title} {envelope.own_reference}".strip()
        numbered = [f"Anlage {number} {it.name}" for number, it in enumerate(envelope.documents, 1)]
        names = safe_names(re.sub(r"[/\\]", "-", name) for name in (f"{title}.pdf", *numbered))
        attached = [
            _copy(document, folder / name)
            for name, document in zip(names[1:], envelope.documents, strict=True)
        ]
        letter = self._letter(envelope, names, folder)
        written = Listed(
            LETTER, letter.name, letter.name, PDF, datafile.digest(letter.path), letter.path.stat().st_size
        )
        listed = [
            Listed(ATTACHMENT, part.name, it.name, it.media_type, it.sha256, it.size)
            for part, it in zip(attached, envelope.documents, strict=True)
        ]
        data = datafile.write(envelope, [written, *listed], folder / datafile.NAME)
        return (letter, *attached, data)

    def recognises(self, parts: Sequence[Part]) -> bool:
        """Tell whether there is a data file, or a letter or text that people can read."""
        return datafile.find(parts) is not None or any(foreign.is_letter(part) for part in parts)

    def read(self, parts: Sequence[Part], folder: Path) -> Reading:
        """Understand a message by its data file; without one look for codes and references in its letter.

        Raises DataFileError or LetterUnreadableError.
        """
        part = datafile.find(parts)
        if part is None:
            return foreign.read(parts, self._context.installation, self._context.secret)
        return datafile.read(part, [other for other in parts if other is not part])

    def confirm(self, reading: Reading, parts: Sequence[Part], own: Party, folder: Path) -> tuple[Part, ...]:
        """Return (): what a carrier can prove is its own receipt."""
        return ()

    def complain(self, parts: Sequence[Part], reason: str, own: Party, folder: Path) -> tuple[Part, ...]:
        """Write to the sender, in words, that a message cannot be processed and why (§ 3a(4) VwVfG)."""
        path = folder / "Rueckmeldung.txt"
        path.write_text(foreign.complaint(parts, reason, own), encoding="utf-8")
        return (Part(path.name, foreign.TEXT, path, "document"),)

    def _letter(self, envelope: Envelope, names: Sequence[str], folder: Path) -> Part:
        enclosures = [
            Enclosure(it.name, f"{_size(it.size)}, Datei {name}", ())
            for name, it in zip(names[1:], envelope.documents, strict=True)
        ]
        workshop = folder / "workshop"
        workshop.mkdir(parents=True)
        try:
            pdf = self._typesetter.set(envelope, enclosures, workshop)
        finally:
            shutil.rmtree(workshop)
        path = folder / names[0]
        path.write_bytes(pdf)
        return Part(path.name, PDF, path, LETTER)


def _copy(document: Document, path: Path) -> Part:
    """Write a document to disk while its digest is looked at."""
    seen = sha256()
    with document.open() as source, path.open("wb") as target:
        while piece := source.read(_CHUNK):
            seen.update(piece)
            target.write(piece)
    if seen.hexdigest() != document.sha256:
        raise DocumentChangedError(f"the document {document.name!r} changed on disk", where=path.name)
    return Part(path.name, document.media_type, path, ATTACHMENT)


def _size(size: int) -> str:
    """Write a size for people, in units of 1000 bytes."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}".replace(".", ",")
    return f"{size} Byte"
