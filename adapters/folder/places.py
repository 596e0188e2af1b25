"""What a mailbox of this carrier looks like on disk.

``Mailbox.address`` is the recipient's folder. In it lie messages that wait, ``processed/`` with those taken
and ``receipts/`` with what the recipient says about them. Settings of a mailbox:

``sender``     the one authority whose account may write here (the share's permissions see to it)
``senders``    ``"subfolders"``: each sender writes only into the sub-folder named after its authority
``marker``     a file that must be there, so that a share which is not mounted is not taken for empty
``ready``      suffix of the empty file that says a message is complete, e.g. ``.ok``; written and expected
``lock``       suffix of the file that says a message is being written, default ``.lock``
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import EnvironmentFaultError
from engine.exchange.ports import Assurance, Mailbox

PROCESSED = "processed"
RECEIPTS = "receipts"
TEMPORARY_PREFIX = ".dienstweg-"
MANIFEST = "dienstweg.json"
"""In a folder that is one message of several parts: their names and digests, written last."""
_OWN_FOLDERS = {PROCESSED, RECEIPTS}
_TEMPORARY_SUFFIXES = (".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".swp")
_TEMPORARY_PREFIXES = (".", "~", "_tmp")


class FolderSettingsError(EnvironmentFaultError):
    """The settings of a folder mailbox contradict each other."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder in which messages wait."""

    folder: Path
    sender_id: str | None
    assurance: Assurance


@dataclass(frozen=True, slots=True)
class FolderMailbox:
    """A mailbox with its settings read."""

    root: Path
    sender: str | None
    subfolders: bool
    marker: str | None
    ready: str | None
    lock: str

    def place_for(self, sender_id: str) -> Path:
        """Return the folder that ``sender_id`` writes into; raise FolderSettingsError for an unfit id."""
        if not self.subfolders:
            return self.root
        if not sender_id or Path(sender_id).name != sender_id or not self.waits(sender_id):
            raise FolderSettingsError(f"{sender_id!r} cannot name a sub-folder", where=str(self.root))
        return self.root / sender_id

    def places(self) -> Iterator[Place]:
        """Yield the folders to look into, with what each tells about the sender."""
        if not self.subfolders:
            assurance = Assurance.TRANSPORT if self.sender else Assurance.NONE
            yield Place(self.root, self.sender, assurance)
            return
        for folder in sorted(self.root.iterdir()):
            if folder.is_dir() and folder.name not in _OWN_FOLDERS and not is_temporary(folder.name):
                yield Place(folder, folder.name, Assurance.TRANSPORT)

    def is_mounted(self) -> bool:
        """Tell whether the folder is there, with its marker where one is agreed."""
        return self.root.is_dir() and (self.marker is None or (self.root / self.marker).exists())

    def waits(self, name: str) -> bool:
        """Tell whether ``name`` may be a message: no temporary file, no folder or file of ours."""
        helpers = tuple(suffix for suffix in (self.ready, self.lock) if suffix)
        return not (
            is_temporary(name) or name in _OWN_FOLDERS or name == self.marker or name.endswith(helpers)
        )

    def is_locked(self, path: Path) -> bool:
        """Tell whether somebody still writes ``path``, or has not yet said that it is complete."""
        if path.with_name(path.name + self.lock).exists():
            return True
        return self.ready is not None and not path.with_name(path.name + self.ready).exists()


def mailbox_of(mailbox: Mailbox) -> FolderMailbox:
    """Read the settings of ``mailbox``; raise FolderSettingsError where they contradict each other."""
    settings: Mapping[str, Any] = mailbox.settings
    where = f"mailbox {mailbox.address}"
    senders = settings.get("senders")
    if senders not in (None, "subfolders"):
        raise FolderSettingsError(f"senders = {senders!r}", where=where, hint="only 'subfolders' is known")
    if senders and settings.get("sender"):
        raise FolderSettingsError("both 'sender' and 'senders' are set", where=where, hint="leave one out")
    return FolderMailbox(
        root=Path(mailbox.address),
        sender=settings.get("sender"),
        subfolders=senders is not None,
        marker=settings.get("marker"),
        ready=settings.get("ready"),
        lock=settings.get("lock", ".lock"),
    )


def is_temporary(name: str) -> bool:
    """Tell whether ``name`` is what programs call files that they are still writing."""
    return name.startswith(_TEMPORARY_PREFIXES) or name.lower().endswith(_TEMPORARY_SUFFIXES)


def temporary(place: Path, dispatch_id: str) -> Path:
    """Return the name under which a dispatch is written before it is shown."""
    return place / f"{TEMPORARY_PREFIX}{dispatch_id}.part"


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
