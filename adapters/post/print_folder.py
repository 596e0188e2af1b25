"""The print folder: one subfolder an authority, a letter is there whole or not at all.

Before a letter gets its name a note of it is written below ``.noted``. A letter that is neither there nor
noted never went; one that is noted and gone was taken, by a printer or by a person.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from adapters.post.files import copy_synced, settle, sha256_of, write_atomically

NOTES = ".noted"


class Found(Enum):
    """What a look into the print folder gives."""

    ABSENT = "absent"
    THERE = "there"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class PrintFolder:
    """Where letters wait for a printer."""

    root: Path

    def path(self, reference: str) -> Path:
        """Return where the letter of a carrier reference lies."""
        return self.root / reference

    def lay(self, reference: str, source: Path) -> None:
        """Lay a letter down; a second time changes nothing. Raises OSError where the disk does not let us."""
        target = self.path(reference)
        if target.exists():
            return
        note, temporary = self._note(reference), self._temporary(reference)
        note.parent.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_synced(source, temporary)
        write_atomically(note, sha256_of(temporary).encode("ascii"))
        settle(temporary, target)

    def find(self, reference: str) -> Found:
        """Look whether a letter was laid down.

        While the temporary file is still there the letter did not get its name, whatever was noted.
        """
        if self.path(reference).exists():
            return Found.THERE
        if self._note(reference).exists() and not self._temporary(reference).exists():
            return Found.TAKEN
        return Found.ABSENT

    def laid_at(self, reference: str) -> datetime:
        """Return the instant the letter was laid down, as the file system recorded it."""
        return datetime.fromtimestamp(self.path(reference).stat().st_mtime, UTC)

    def _note(self, reference: str) -> Path:
        return self.root / NOTES / reference

    def _temporary(self, reference: str) -> Path:
        target = self.path(reference)
        return target.with_name(f".{target.name}.part")
