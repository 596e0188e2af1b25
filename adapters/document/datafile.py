"""The data file: what a letter says, for the partner's Dienstweg (``docs/reference/document.md``).

It lists every file of the message with its digest, so that a message whose attachments were lost or changed
on the way is not taken for whole.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import file_digest
from pathlib import Path
from typing import Any, BinaryIO

from adapters.document.errors import DataFileError
from adapters.document.mapping import mapping_of
from engine.exchange.ports import Envelope, Part, Reading, Reference
from engine.exchange.routes import identified
from engine.exchange.signers import SUFFIX

FORMAT = "urn:dienstweg:document:1"
NAME = "Nachrichtendaten.json"
MEDIA_TYPE = "application/json"
ROLE = "container"
LETTER, ATTACHMENT = "letter", "attachment"
"""Kinds of files."""
MAX_BYTES = 8_000_000
"""Data is at most 1,000,000 bytes; the rest is room for escapes and for the list of files."""
MAX_FILES = 1000
_HEAD = 4096
_LONGEST = {
    "key": 80,
    "version": 40,
    "id": 64,
    "exchange": 120,
    "sender_reference": 120,
    "kind": 40,
    "file": 400,
    "name": 400,
    "media_type": 120,
    "sha256": 64,
}
"""How many characters of a field an arrival or its documents keep; what is longer is no message of ours."""
_UNWRITABLE = re.compile("[\\0\ud800-\udfff]")
"""What no database takes as text."""
_HINT = "Dieselben Angaben wie im Schreiben, zum Einlesen in ein Fachverfahren. Zum Lesen nicht nötig."


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of the message, as the data file lists it."""

    kind: str
    file: str
    name: str
    media_type: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A file of an arrival under the name that its sender knows it by."""

    name: str
    media_type: str
    sha256: str
    size: int
    path: Path

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return self.path.open("rb")


def write(envelope: Envelope, files: Sequence[Listed], path: Path) -> Part:
    """Write the data file; the same envelope gives the same bytes."""
    kind = envelope.message_type
    content = {
        "format": FORMAT,
        "hinweis": _HINT,
        "message_type": {"key": kind.key, "version": kind.version, "title": kind.title},
        "exchange": envelope.exchange_id,
        "installation": envelope.installation,
        "sender": {"id": envelope.sender.authority_id, "name": envelope.sender.name},
        "recipient": {"id": envelope.recipient.authority_id, "name": envelope.recipient.name},
        "sender_reference": envelope.own_reference,
        "recipient_reference": envelope.partner_reference,
        "subject": envelope.subject,
        "created": envelope.created.isoformat(),
        "form": envelope.form.value,
        "answer_due": _day(envelope.answer_due),
        "answers": envelope.answer_to,
        "reminds": envelope.reminds,
        "test": envelope.test,
        "copy": envelope.copy,
        "data": _routed(envelope),
        "files": [{name: getattr(each, name) for name in Listed.__dataclass_fields__} for each in files],
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    return Part(path.name, MEDIA_TYPE, path, ROLE)


def find(parts: Sequence[Part]) -> Part | None:
    """Return the part that is a data file, by its name or its first bytes."""
    named = [part for part in parts if part.name.casefold() == NAME.casefold()]
    if named:
        return named[0]
    return next((part for part in parts if part.name.lower().endswith(".json") and _marked(part.path)), None)


def read(part: Part, others: Sequence[Part]) -> Reading:
    """Understand a data file together with the files beside it.

    Raises DataFileError where it is damaged or a file that it lists is missing or changed.
    """
    said = _Fields(_load(part), part.name)
    kind = said.object("message_type")
    found, extra = _matched(_listed(said), others)
    return Reading(
        message_type=kind.text("key"),
        version=kind.text("version"),
        data=said.object("data").values,
        documents=[document for entry, document in found if entry.kind != LETTER],
        letters=[document for entry, document in found if entry.kind == LETTER],
        references=list(dict.fromkeys(_references(said))),
        sender_id=said.object("sender").text("id"),
        sender_exchange=said.text("exchange"),
        sender_reference=said.optional("sender_reference"),
        remarks=[f"{name} liegt bei, ist aber im Schreiben nicht genannt (not listed)" for name in extra],
        test=said.values.get("test") is True,
    )


def digest(path: Path) -> str:
    """Return the SHA-256 of a file as hex digits."""
    with path.open("rb") as source:
        return file_digest(source, "sha256").hexdigest()


def _routed(envelope: Envelope) -> Mapping[str, Any]:
    """Give a route that begins here its id: whoever closes it brings it back to the exchange that waits."""
    name = mapping_of(envelope.message_type).route
    route = envelope.data.get(name) if name else None
    if not name or not isinstance(route, Mapping):
        return envelope.data
    return {**envelope.data, name: identified(route, envelope.exchange_id)}


def _references(said: "_Fields") -> Iterable[Reference]:
    answers, reminds = said.optional("answers"), said.optional("reminds")
    if answers:
        yield Reference("exchange", answers)
    for value in said.object("data").values.values():
        if isinstance(value, Mapping) and isinstance(value.get("steps"), list) and value.get("id"):
            yield Reference("route", str(value["id"]))
    if reminds:
        yield Reference("reminds", reminds)
    reference = said.optional("recipient_reference")
    if reference:
        yield Reference("file-reference", reference)


def _listed(said: "_Fields") -> list[Listed]:
    files = said.values.get("files")
    if not isinstance(files, list) or len(files) > MAX_FILES:
        raise said.fault(f"'files' is no list of at most {MAX_FILES}")
    found = []
    for each in files:
        entry = _Fields(each, said.where)
        size = entry.values.get("size")
        if not isinstance(size, int):
            raise said.fault("a file has no size")
        found.append(
            Listed(
                entry.text("kind"),
                entry.text("file"),
                entry.text("name"),
                entry.text("media_type"),
                entry.text("sha256"),
                size,
            )
        )
    return found


def _matched(
    listed: Sequence[Listed], others: Sequence[Part]
) -> tuple[list[tuple[Listed, FoundDocument]], list[str]]:
    """Find every listed file by its digest, since carriers may give files other names."""
    at_hand = [(digest(part.path), part) for part in others]
    by_digest = dict(at_hand)
    found = []
    for entry in listed:
        part = by_digest.get(entry.sha256)
        if part is None:
            raise DataFileError(
                "fehlt oder wurde verändert (missing or changed)",
                where=entry.name,
                hint="ask the sender to send the message again",
            )
        name = _plain(entry.name) or part.name
        document = FoundDocument(name, entry.media_type, entry.sha256, entry.size, part.path)
        found.append((entry, document))
    wanted = {entry.sha256 for entry in listed}
    return found, [
        part.name
        for sha256, part in at_hand
        if sha256 not in wanted and not part.name.lower().endswith(SUFFIX)
    ]


def _plain(name: str) -> str:
    """Return a name from outside as one line that names no folder."""
    plain = " ".join(re.sub(r"[/\\]", "-", name).split())
    return plain if plain.strip(". ") else ""


def _load(part: Part) -> Any:
    if part.path.stat().st_size > MAX_BYTES:
        raise DataFileError(f"is larger than {MAX_BYTES} bytes", where=part.name)
    try:
        return json.loads(part.path.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DataFileError(f"is no JSON: {error}", where=part.name) from error


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _marked(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as source:
        return FORMAT.encode() in source.read(_HEAD)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


@dataclass(frozen=True, slots=True)
class _Fields:
    """An object of the data file, asked field by field."""

    values: Any
    where: str

    def __post_init__(self) -> None:
        if not isinstance(self.values, dict):
            raise self.fault("an object is missing")

    def fault(self, message: str) -> DataFileError:
        return DataFileError(message, where=self.where, hint="see docs/reference/document.md")

    def object(self, name: str) -> "_Fields":
        if not isinstance(self.values.get(name), dict):
            raise self.fault(f"{name!r} is no object")
        return _Fields(self.values[name], self.where)

    def text(self, name: str) -> str:
        found = self.optional(name)
        if not found:
            raise self.fault(f"{name!r} is missing")
        return found

    def optional(self, name: str) -> str | None:
        value = self.values.get(name)
        if not (value is None or isinstance(value, str)):
            raise self.fault(f"{name!r} is no text")
        if value and _UNWRITABLE.search(value):
            raise self.fault(f"{name!r} has characters that are no text")
        longest = _LONGEST.get(name)
        if value and longest is not None and len(value) > longest:
            raise self.fault(f"{name!r} is longer than {longest} characters")
        return value or None
