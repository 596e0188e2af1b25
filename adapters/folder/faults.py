"""What file systems say, in words, and whether it may pass."""

import errno
from dataclasses import dataclass

from engine.errors import EnvironmentFaultError, RefusedError
from engine.exchange.ports import Blocker, Rejected


class NothingToSendError(RefusedError):
    """The dispatch has nothing that fits into a folder."""


class FolderFaultError(EnvironmentFaultError):
    """Some of what lies in an exchange folder cannot be taken."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault."""

    code: str
    text: str
    retry: bool


_FULL = Fault("disk-full", "the exchange folder is full", retry=True)
_READ_ONLY = Fault("read-only", "the exchange folder is read-only", retry=False)
_FORBIDDEN = Fault("unwritable", "no right to write in the exchange folder", retry=False)
# A share that is not mounted comes back by itself.
_MISSING = Fault("no-folder", "the exchange folder is not there", retry=True)
_TOO_LARGE = Fault("too-large", "the file is larger than the file system takes", retry=False)
_NAME = Fault("bad-name", "the file system does not take the name", retry=False)
_OTHER = Fault("unreachable", "the exchange folder is out of order", retry=True)
_FAULTS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EROFS: _READ_ONLY,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.ENOENT: _MISSING,
    errno.ENOTDIR: _MISSING,
    errno.EFBIG: _TOO_LARGE,
    errno.ENAMETOOLONG: _NAME,
    errno.EINVAL: _NAME,
}


def fault_of(error: OSError) -> Fault:
    """Return what ``error`` means for an exchange folder."""
    return _FAULTS.get(error.errno or 0, _OTHER)


def is_definite(error: OSError) -> bool:
    """Tell whether a rename that failed with ``error`` did certainly not happen."""
    return error.errno in _FAULTS


def rejected(error: OSError, where: str) -> Rejected:
    """Say that nothing went, and why."""
    fault = fault_of(error)
    reason = f"{fault.text}: {where} ({error.strerror})"
    return Rejected(reason, (Blocker(fault.code, "recipient", reason),), retry=fault.retry)
