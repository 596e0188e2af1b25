"""What can be wrong with a procedure package, told all at once and with the place of each fault."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.errors import EnvironmentFaultError, NotFoundError, RefusedError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault of a package: where it stands, what is wrong, how to mend it."""

    file: str
    """Path inside the package, with forward slashes."""
    line: int | None
    """Line in the file, counted from 1; None where the file has no such line."""
    field: str
    """Path of the field inside the file, e.g. ``roles.requesting.process``; empty for the whole file."""
    message: str
    hint: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        field = f" {self.field}:" if self.field else ""
        return f"{place}:{field} {self.message} ({self.hint})"


class PackageRefusedError(RefusedError):
    """The procedure package has faults and was not read."""

    def __init__(self, problems: Iterable[Problem], *, where: str | None = None) -> None:
        """Keep every problem, in the order of files and lines."""
        self.problems = tuple(sorted(problems, key=lambda p: (p.file, p.line or 0, p.field, p.message)))
        count = len(self.problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(
            f"{count} {'fault' if count == 1 else 'faults'} in the package\n{lines}", where=where
        )


class PackageMissingError(NotFoundError):
    """There is no procedure package in this folder."""


class PackageUnreadableError(EnvironmentFaultError):
    """A file of the package cannot be read from disk."""
