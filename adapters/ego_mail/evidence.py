"""Evidence that stays on disk until somebody reads it."""

from collections.abc import Iterator, Mapping
from pathlib import Path


class FileEvidence(Mapping[str, bytes]):
    """Small evidence in memory, large evidence in files."""

    def __init__(self, small: Mapping[str, bytes], files: Mapping[str, Path]) -> None:
        """Join what is in memory with files, by name."""
        self._small = dict(small)
        self.files = dict(files)

    def __getitem__(self, name: str) -> bytes:
        return self._small[name] if name in self._small else self.files[name].read_bytes()

    def __iter__(self) -> Iterator[str]:
        return iter([*self._small, *self.files])

    def __len__(self) -> int:
        return len(self._small) + len(self.files)


class JoinedEvidence(Mapping[str, bytes]):
    """The evidence of several messages, each name after its message's number."""

    def __init__(self, by_number: Mapping[int, Mapping[str, bytes]]) -> None:
        """Keep what each message has."""
        self.files = {
            f"{number}-{name}": path
            for number, evidence in by_number.items()
            if isinstance(evidence, FileEvidence)
            for name, path in evidence.files.items()
        }
        self._places = {
            f"{number}-{name}": (evidence, name)
            for number, evidence in by_number.items()
            for name in evidence
        }

    def __getitem__(self, name: str) -> bytes:
        evidence, own = self._places[name]
        return evidence[own]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
