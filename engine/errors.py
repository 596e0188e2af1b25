"""The base of every error a user can meet.

An error says what went wrong, where, and how to mend it. Rooms define their own classes below these
families; the command line turns a family into its documented exit status (``docs/reference/cli.md``).
"""

from typing import ClassVar


class DienstwegError(Exception):
    """Something went wrong in Dienstweg."""

    exit_status: ClassVar[int] = 1
    """Exit status of a command that ends with this error."""

    def __init__(
        self, message: str | None = None, *, where: str | None = None, hint: str | None = None
    ) -> None:
        """Keep ``message`` (default: the class's docstring), the place it happened and how to mend it."""
        doc = (type(self).__doc__ or "").strip().splitlines()
        self.message = message or (doc[0] if doc else type(self).__name__)
        self.where = where
        self.hint = hint
        super().__init__(self.message)

    def __str__(self) -> str:
        text = self.message if self.where is None else f"{self.where}: {self.message}"
        return text if self.hint is None else f"{text} ({self.hint})"


class RefusedError(DienstwegError):
    """The input was understood and refused."""

    exit_status = 1


class NotFoundError(DienstwegError):
    """No such thing, or it belongs to another authority."""

    exit_status = 3


class ConflictError(DienstwegError):
    """Somebody else was faster."""

    exit_status = 4


class NotAllowedError(DienstwegError):
    """The person's roles do not allow this."""

    exit_status = 5


class EnvironmentFaultError(DienstwegError):
    """Disk, database, network or configuration does not let this happen now."""

    exit_status = 6
