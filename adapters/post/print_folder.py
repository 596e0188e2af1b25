"""The print folder: one subfolder an authority, a letter is there whole or not at all.

Before a letter gets its name a note of it is written below ``.noted``: what a print run needs to know of it.
A letter that is neither there nor noted never went; one that is noted and gone was taken, by a print run or
by a person. Print runs live below ``runs`` beside the letters.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Any

from adapters.post.errors import PrintRunDamagedError
from adapters.post.files import copy_synced, settle, sha256_of, write_atomically

NOTES = ".noted"
RUNS = "runs"
LETTERS = "letters"


_UNFIT = re.compile(r"[^0-9A-Za-z.-]+")


def folder_name(text: str) -> str:
    """Return ``text`` as it may stand in a file's name."""
    return _UNFIT.sub("-", text).lstrip(".")


class Found(Enum):
    """What a look into the print folder gives."""

    ABSENT = "absent"
    THERE = "there"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter that waits for a printer, with what was noted of it."""

    name: str
    """File name, unique within its authority."""
    dispatch: str
    sha256: str
    pages: int
    registered: str
    recipient: tuple[str, ...]
    """Address lines as in the window."""
    reference: str
    """Own file reference."""
    original: bool = False
    """Signed by hand: the sheet exists already and is not printed again."""
    answer_sheet: bool = False
    """Its last page goes back alone, so it stands on a sheet of its own."""


@dataclass(frozen=True, slots=True)
class PrintFolder:
    """Where letters wait for a printer."""

    root: Path

    def authority(self, authority_id: str) -> Path:
        """Return the folder of one authority."""
        return self.root / folder_name(authority_id)

    def path(self, reference: str) -> Path:
        """Return where the letter of a carrier reference lies while it waits."""
        return self.root / reference

    def lay(self, reference: str, source: Path, details: Mapping[str, Any]) -> None:
        """Lay a letter down; a second time changes nothing. Raises OSError where the disk does not let us."""
        if self.find(reference) is not Found.ABSENT:
            return
        target, note, temporary = self.path(reference), self._note(reference), self._temporary(reference)
        note.parent.mkdir(parents=True, exist_ok=True)
        copy_synced(source, temporary)
        letter = Letter(
            name=target.name,
            dispatch=str(details["dispatch"]),
            sha256=sha256_of(temporary),
            pages=int(details["pages"]),
            registered=str(details["registered"]),
            recipient=tuple(details["recipient"]),
            reference=str(details["reference"]),
            original=bool(details.get("original", False)),
            answer_sheet=bool(details.get("answer_sheet", False)),
        )
        write_atomically(note, json.dumps(asdict(letter), ensure_ascii=False).encode())
        settle(temporary, target)

    def find(self, reference: str) -> Found:
        """Look whether a letter was laid down, also one that a print run has taken since.

        While the temporary file is still there the letter did not get its name, whatever was noted.
        """
        if self._lying(reference) is not None:
            return Found.THERE
        if self._note(reference).exists() and not self._temporary(reference).exists():
            return Found.TAKEN
        return Found.ABSENT

    def laid_at(self, reference: str) -> datetime:
        """Return the instant the letter was laid down, as the file system recorded it."""
        lying = self._lying(reference) or self.path(reference)
        return datetime.fromtimestamp(lying.stat().st_mtime, UTC)

    def waiting(self, authority_id: str) -> Iterator[Letter]:
        """Yield the letters of an authority that no print run has taken, by name.

        Raises PrintRunDamagedError for a letter without a note: somebody else's file in our folder.
        """
        folder = self.authority(authority_id)
        for path in sorted(folder.glob("*.pdf")) if folder.is_dir() else ():
            if not path.name.startswith("."):
                yield self.noted(authority_id, path.name)

    def noted(self, authority_id: str, name: str) -> Letter:
        """Return what was noted of a letter; raise PrintRunDamagedError where nothing usable was."""
        note = self._note(f"{folder_name(authority_id)}/{name}")
        try:
            values = json.loads(note.read_text(encoding="utf-8"))
            return Letter(**{**values, "recipient": tuple(values["recipient"])})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PrintRunDamagedError(
                "nothing is noted of this letter",
                where=name,
                hint="only the post lays letters here; move it away",
            ) from error

    def _lying(self, reference: str) -> Path | None:
        waiting = self.path(reference)
        if waiting.exists():
            return waiting
        return next(waiting.parent.glob(f"{RUNS}/*/{LETTERS}/{waiting.name}"), None)

    def _note(self, reference: str) -> Path:
        target = self.path(reference)
        return target.parent / NOTES / f"{target.name}.json"

    def _temporary(self, reference: str) -> Path:
        target = self.path(reference)
        return target.with_name(f".{target.name}.part")
