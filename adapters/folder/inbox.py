"""Takes messages out of an exchange folder."""

import json
import os
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from adapters.folder.faults import FolderFaultError
from adapters.folder.journal import Journal, Observation
from adapters.folder.places import MANIFEST, PROCESSED, RECEIPTS, FolderMailbox, Place, digest, mailbox_of
from engine.clock import Clock
from engine.exchange.ports import Assurance, Mailbox, Part

_ZIP = ".zip"
_MEDIA_TYPES = {_ZIP: "application/zip", ".pdf": "application/pdf", ".xml": "application/xml"}
_UNKNOWN = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class FolderIncoming:
    """A message that waits in an exchange folder, copied to local disk."""

    carrier_reference: str
    mailbox: Mailbox
    received: datetime
    sender_id: str | None
    assurance: Assurance
    parts: Sequence[Part]
    evidence: Mapping[str, bytes]
    path: Path
    """Where it lies on the share."""
    settings: FolderMailbox
    journal: Journal
    clock: Clock

    def acknowledge(self) -> None:
        """Write the receipt and move the message to ``processed``; safe to repeat.

        Raises FolderFaultError where the folder does not let that happen; the message then comes again.
        """
        try:
            self._put_away(self.path.parent)
        except OSError as error:
            raise FolderFaultError(
                f"cannot be moved to {PROCESSED}: {error.strerror}", where=str(self.path)
            ) from error
        self.journal.forget(self.path)
        shutil.rmtree(self.journal.arrivals(self.carrier_reference), ignore_errors=True)

    def _put_away(self, place: Path) -> None:
        if self.path.exists():
            self._receipt(place)
            processed = place / PROCESSED
            processed.mkdir(exist_ok=True)
            self.path.rename(_free(processed / self.path.name))
        for suffix in (self.settings.ready, self.settings.lock):
            if suffix:
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def _receipt(self, place: Path) -> None:
        receipts = place / RECEIPTS
        receipts.mkdir(exist_ok=True)
        content = {
            "name": self.path.name,
            "recipient": self.mailbox.authority_id,
            "received": self.received.isoformat(),
            "taken": self.clock.now().isoformat(),
            "sha256": {part.name: digest(part.path) for part in self.parts},
        }
        temporary = receipts / f".{self.path.name}.part"
        temporary.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        temporary.replace(receipts / f"{self.path.name}.json")


class Inbox:
    """Looks into exchange folders."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        """Remember observations in ``journal``."""
        self._journal = journal
        self._clock = clock

    def collect(self, mailbox: Mailbox) -> Iterator[FolderIncoming]:
        """Yield what waits, oldest first; what cannot be taken is reported after the rest.

        Raises FolderFaultError where the folder is not there, or holds something that cannot be read.
        """
        settings = mailbox_of(mailbox)
        if not settings.is_mounted():
            raise FolderFaultError("the exchange folder is not there", where=mailbox.address)
        faults: list[str] = []
        waiting = self._waiting(settings, faults)
        for place, path, seen in sorted(waiting, key=lambda item: (item[2].since, item[1].name)):
            try:
                yield self._take(mailbox, settings, place, path, seen)
            except OSError as error:
                faults.append(f"{path.name}: {error.strerror}")
        if faults:
            raise FolderFaultError(f"not taken: {'; '.join(faults)}", where=mailbox.address)

    def _waiting(
        self, settings: FolderMailbox, faults: list[str]
    ) -> Iterator[tuple[Place, Path, Observation]]:
        now = self._clock.now()
        try:
            places = list(settings.places())
        except OSError as error:
            raise FolderFaultError(f"cannot be read: {error.strerror}", where=str(settings.root)) from error
        for place in places:
            try:
                paths = sorted(path for path in place.folder.iterdir() if settings.waits(path.name))
            except OSError as error:
                faults.append(f"{place.folder.name}: {error.strerror}")
                continue
            looks = {path.name: look for path in paths if (look := self._look(path, faults)) is not None}
            seen = self._journal.observe(place.folder, looks, now)
            for path in paths:
                known = seen.get(path.name)
                if known is None or settings.is_locked(path):
                    continue
                if known.stable or self._is_complete(path, faults):
                    yield place, path, known

    @staticmethod
    def _look(path: Path, faults: list[str]) -> str | None:
        """Describe size and time of a message, to see whether it changes; None for what is no message."""
        if path.is_symlink():
            faults.append(f"{path.name}: is a link")
            return None
        try:
            if path.is_dir() and not (path / MANIFEST).exists():
                return None
            states = [each.stat() for each in ([path] if path.is_file() else _files(path))]
        except FileNotFoundError:
            # Renamed or taken away between listing and looking.
            return None
        except OSError as error:
            faults.append(f"{path.name}: {error.strerror}")
            return None
        return ";".join(f"{state.st_size}:{state.st_mtime_ns}" for state in states)

    @staticmethod
    def _is_complete(path: Path, faults: list[str]) -> bool:
        """Tell whether a message proves by itself that it was written to its end."""
        if path.is_dir():
            return True
        try:
            # The directory of an archive stands at its end.
            return path.suffix.lower() == _ZIP and zipfile.is_zipfile(path)
        except OSError as error:
            faults.append(f"{path.name}: {error.strerror}")
            return False

    def _take(
        self, mailbox: Mailbox, settings: FolderMailbox, place: Place, path: Path, seen: Observation
    ) -> FolderIncoming:
        sources = _files(path)
        digests = {source.name: digest(source) for source in sources}
        joined = "-".join(digests[name][:16] for name in sorted(digests))[:70]
        relative = path.relative_to(settings.root)
        reference = f"{relative}#{joined}"
        folder = self._journal.arrivals(reference)
        folder.mkdir(parents=True, exist_ok=True)
        parts = []
        for source in sources:
            target = folder / source.name
            if not target.exists() or digest(target) != digests[source.name]:
                shutil.copyfile(source, target)
            if digest(target) != digests[source.name]:
                raise OSError(None, "changed while it was copied")
            media_type = _MEDIA_TYPES.get(source.suffix.lower(), _UNKNOWN)
            role = "container" if source.suffix.lower() == _ZIP else "document"
            parts.append(Part(source.name, media_type, target, role))
        state = path.stat()
        evidence = {
            "name": str(relative),
            "size": sum(part.path.stat().st_size for part in parts),
            "modified": state.st_mtime,
            "changed": state.st_ctime,
            "owner": state.st_uid,
            "sha256": digests,
            "first_seen": seen.since,
        }
        return FolderIncoming(
            carrier_reference=reference,
            mailbox=mailbox,
            received=seen.first_seen,
            sender_id=place.sender_id,
            assurance=place.assurance,
            parts=tuple(parts),
            evidence={"folder.json": json.dumps(evidence, sort_keys=True).encode()},
            path=path,
            settings=settings,
            journal=self._journal,
            clock=self._clock,
        )


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    inner = (each for each in path.iterdir() if each.name != MANIFEST)
    return sorted(each for each in inner if each.is_file() and not each.is_symlink())


def _free(target: Path) -> Path:
    """Return ``target``, or a name beside it where an earlier message has it."""
    number = 1
    candidate = target
    while candidate.exists():
        number += 1
        candidate = target.with_name(f"{target.stem}.{number}{target.suffix}")
    return candidate


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable, where the file system can do that for folders."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
