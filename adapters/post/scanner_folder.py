"""The scanner's folder: what lies in it becomes arrivals, document by document."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from adapters.letter.decoding import ENDINGS
from adapters.post.scans import MEDIA_TYPES, ScannedDocument, record, source_of, split_scan
from adapters.post.settings import PostSettings
from engine.exchange.errors import UnreadableError
from engine.exchange.ports import AdapterContext, Assurance, Mailbox, Part

DONE = "done"
_WORK = "scans"
_ROLE = "scan"


@dataclass(slots=True)
class _File:
    """A scanned file that is put away once all its documents are acknowledged."""

    path: Path
    work: Path
    waiting: set[int]

    def acknowledge(self, number: int) -> None:
        self.waiting.discard(number)
        if self.waiting or not self.path.exists():
            return
        done = self.path.parent / DONE
        done.mkdir(exist_ok=True)
        self.path.replace(_free_name(done, self.path.name))
        sidecar(self.path).unlink(missing_ok=True)
        shutil.rmtree(self.work, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class ScanArrival:
    """One scanned document, before anybody understood it."""

    carrier_reference: str
    mailbox: Mailbox
    received: datetime
    parts: Sequence[Part]
    evidence: Mapping[str, bytes]
    file: _File
    number: int
    sender_id: str | None = None
    assurance: Assurance = Assurance.NONE

    def acknowledge(self) -> None:
        """Put the file into ``done`` once all its documents are taken in; safe to repeat."""
        self.file.acknowledge(self.number)


class ScannerFolder:
    """Watches one folder an authority."""

    def __init__(self, settings: PostSettings, context: AdapterContext) -> None:
        """Watch below ``settings.scan_folder``."""
        self._settings = settings
        self._context = context
        self._seen: dict[Path, tuple[int, int]] = {}

    def collect(self, mailbox: Mailbox) -> Iterator[ScanArrival]:
        """Yield the documents of all files that are whole, the oldest file first.

        A file that cannot be read may still be written to: it is left alone until a second look finds it
        unchanged, and is then brought as it is, for a clerk to see.
        """
        folder = self._folder(mailbox)
        if not folder.is_dir():
            return
        files = [path for path in folder.iterdir() if _is_scan(path)]
        for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path.name)):
            yield from self._arrivals(path, mailbox)

    def _folder(self, mailbox: Mailbox) -> Path:
        own = mailbox.settings.get("scan_folder")
        if own is not None:
            return self._context.home / str(own)
        return self._settings.scan_folder / mailbox.authority_id

    def _arrivals(self, path: Path, mailbox: Mailbox) -> Iterator[ScanArrival]:
        stat = path.stat()
        scanned_at = datetime.fromtimestamp(stat.st_mtime, UTC)
        noted = _read_sidecar(path)
        device = noted.get("device") or self._settings.scan_device
        source = source_of(path, scanned_at, device, noted.get("operator") or self._settings.scan_operator)
        work = self._context.home / _WORK / mailbox.authority_id / source.sha256
        try:
            documents = split_scan(path, work)
        except UnreadableError:
            if not self._unchanged(path, (stat.st_size, stat.st_mtime_ns)):
                return
            documents = []
        self._seen.pop(path, None)
        file = _File(path, work, {document.number for document in documents} or {0})
        if not documents:
            part = Part(path.name, _media_type(path), path, _ROLE)
            reference = f"scan:{source.sha256[:32]}:0"
            yield ScanArrival(reference, mailbox, scanned_at, (part,), {}, file, 0)
        for document in documents:
            yield ScanArrival(
                carrier_reference=f"scan:{source.sha256[:32]}:{document.number}",
                mailbox=mailbox,
                received=scanned_at,
                parts=(_part(document),),
                evidence={"scan.json": record(source, document, self._context.clock.now())},
                file=file,
                number=document.number,
            )

    def _unchanged(self, path: Path, state: tuple[int, int]) -> bool:
        before = self._seen.get(path)
        self._seen[path] = state
        return before == state


def sidecar(path: Path) -> Path:
    """Return where it is noted who scanned a file on what."""
    return path.with_name(f".{path.name}.json")


def _read_sidecar(path: Path) -> dict[str, str]:
    try:
        values = json.loads(sidecar(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # A scanner that notes nothing; the settings tell what is known.
    return {key: value for key, value in values.items() if isinstance(value, str)}


def _is_scan(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix.lower() in ENDINGS


def _part(document: ScannedDocument) -> Part:
    return Part(document.path.name, document.media_type, document.path, _ROLE)


def _media_type(path: Path) -> str:
    return MEDIA_TYPES.get(path.suffix.lower(), "application/octet-stream")


def _free_name(folder: Path, name: str) -> Path:
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem} ({number}){Path(name).suffix}"
    return path
