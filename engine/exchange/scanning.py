"""The port of malware scanners: what comes in is shown to them before anything of it is parsed."""

from pathlib import Path
from typing import Protocol

from engine.errors import EnvironmentFaultError
from engine.exchange.ports import AdapterContext


class ScannerFaultError(EnvironmentFaultError):
    """The malware scanner does not answer, or not in a way that can be relied on."""


class Scanner(Protocol):
    """Looks for malware in files."""

    def scan(self, path: Path) -> str | None:
        """Return the name of the malware in a file, or None where there is none.

        Raises ScannerFaultError where that cannot be told; it is then not known to be clean.
        """
        ...

    def describe(self) -> str:
        """Say for people which scanner this is and how old its signatures are; raise ScannerFaultError."""
        ...


class ScannerFactory(Protocol):
    """Entry point of group ``dienstweg.scanners``."""

    def __call__(self, context: AdapterContext) -> Scanner:
        """Make the scanner for one installation."""
        ...
