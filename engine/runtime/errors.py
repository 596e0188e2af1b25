"""What the runtime refuses, and why."""

from engine.errors import ConflictError, EnvironmentFaultError, NotFoundError, RefusedError


class ProgramRefusedError(RefusedError):
    """The process contains something that the runtime does not run."""


class CaseOverError(ConflictError):
    """The case has ended; nothing can be done in it any more."""


class ItemGoneError(ConflictError):
    """The item is no longer open: somebody or something else was faster."""


class StaleTimerError(ConflictError):
    """The timer was revised or is not due yet; it does not fire."""


class WrongCommandError(RefusedError):
    """The command does not fit the item it names."""


class ElementUnknownError(NotFoundError):
    """There is no such element where the command looks for it."""


class StartRefusedError(RefusedError):
    """The process cannot be started this way."""


class DataRefusedError(RefusedError):
    """The data are not JSON, or too deep."""


class StateUnreadableError(EnvironmentFaultError):
    """The case document cannot be read by this version of Dienstweg."""


class BranchFailure(Exception):
    """One branch cannot go on; turned into a failed item that holds only this branch."""
