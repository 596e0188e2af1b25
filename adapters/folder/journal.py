"""What the carrier itself remembers, in the installation's data folder.

For a dispatch: that it was about to be shown, and that it was shown. For what waits in a mailbox: when it was
first seen and how it looked then, since exchange folders on shares tell nothing reliable about time.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any


class Journal:
    """Small files under one folder; each is replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        """Keep the files under ``folder``, which is made when needed."""
        self._folder = folder

    def intend(self, dispatch_id: str) -> None:
        """Note that the dispatch is complete under its temporary name and about to be shown."""
        self._write(self._dispatch(dispatch_id), {"state": "intended"})

    def intended(self, dispatch_id: str) -> bool:
        """Tell whether ``intend`` was called."""
        return self._dispatch(dispatch_id).exists()

    def done(self, dispatch_id: str, at: datetime) -> None:
        """Note that the dispatch was shown at ``at``."""
        self._write(self._dispatch(dispatch_id), {"state": "done", "at": at.isoformat()})

    def done_at(self, dispatch_id: str) -> datetime | None:
        """Return when the dispatch was shown, None where that is not known."""
        noted = self._read(self._dispatch(dispatch_id))
        return datetime.fromisoformat(noted["at"]) if noted.get("state") == "done" else None

    def observe(self, place: Path, looks: Mapping[str, str], now: datetime) -> dict[str, "Observation"]:
        """Note how everything in ``place`` looks now; return since when each has looked like that.

        ``looks`` holds all that is there: what is not in it any more is forgotten.
        """
        file = self._observations(place)
        noted = self._read(file)
        seen = {name: _observation(noted.get(name), look, now) for name, look in looks.items()}
        kept = {name: {"since": each.since, "look": each.look} for name, each in seen.items()}
        if kept != noted:
            self._write(file, kept)
        return seen

    def forget(self, path: Path) -> None:
        """Forget what was observed of ``path``."""
        file = self._observations(path.parent)
        noted = self._read(file)
        if noted.pop(path.name, None) is not None:
            self._write(file, noted)

    def arrivals(self, reference: str) -> Path:
        """Return the folder for local copies of one arrival."""
        return self._folder / "arrivals" / _hashed(reference)

    def _dispatch(self, dispatch_id: str) -> Path:
        return self._folder / "dispatches" / f"{_hashed(dispatch_id)}.json"

    def _observations(self, place: Path) -> Path:
        return self._folder / "observed" / f"{_hashed(str(place))}.json"

    @staticmethod
    def _read(file: Path) -> dict[str, Any]:
        try:
            noted = json.loads(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return {}
        return noted if isinstance(noted, dict) else {}

    @staticmethod
    def _write(file: Path, content: Mapping[str, Any]) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_suffix(".new")
        with temporary.open("w", encoding="utf-8") as out:
            json.dump(content, out)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(file)


@dataclass(frozen=True, slots=True)
class Observation:
    """What is known of something that waits."""

    since: str
    look: str
    stable: bool
    """Whether it looked the same the last time."""

    @property
    def first_seen(self) -> datetime:
        """When it was first seen as it is now; a file that still grows has not arrived."""
        return datetime.fromisoformat(self.since)


def _observation(noted: Mapping[str, str] | None, look: str, now: datetime) -> Observation:
    stable = noted is not None and noted["look"] == look
    return Observation(noted["since"] if noted is not None and stable else now.isoformat(), look, stable)


def _hashed(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
