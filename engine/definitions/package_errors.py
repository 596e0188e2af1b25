"""What can be wrong with a procedure package, told all at once and with the place of each fault."""

from collections.abc import Iterable

from engine.errors import EnvironmentFaultError, NotFoundError, RefusedError
from engine.yaml_text import Problem


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
