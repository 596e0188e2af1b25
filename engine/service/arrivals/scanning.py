"""Malware scanners over everything that a carrier brings, whatever the carrier.

Scanned is before anything is stored or parsed here. While a scanner that the settings name does not answer,
nothing is taken in: it waits at its carrier, and the mailbox's incident says why.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from engine.errors import DienstwegError
from engine.exchange.abilities import Finding
from engine.exchange.ports import Part
from engine.exchange.registry import UnknownChannelError
from engine.exchange.scanning import Scanner, ScannerFaultError

if TYPE_CHECKING:
    from engine.service.installation import Installation

NONE = "no malware scanner is configured: what comes in is not looked at"


def malware_in(app: "Installation", parts: Sequence[Part]) -> str | None:
    """Return what the scanners found, as a sentence for a clerk; None where all parts are clean.

    Raises ScannerFaultError, also where the settings name a scanner that is not installed.
    """
    for name in app.settings.scanners:
        scanner = _scanner(app, name)
        for part in parts:
            found = scanner.scan(part.path)
            if found is not None:
                return f"{name} found malware in {part.name}: {found}"
    return None


def _scanner(app: "Installation", name: str) -> Scanner:
    try:
        return app.adapters.scanner(name)
    except UnknownChannelError as error:
        raise ScannerFaultError(str(error), where="scanners in dienstweg.toml") from error


def findings(app: "Installation") -> Iterator[Finding]:
    """Say which scanners stand before the own mailboxes, and whether they answer."""
    if not app.settings.scanners:
        yield Finding("scanner", NONE)
    for name in app.settings.scanners:
        try:
            yield Finding("scanner", f"malware scanner {name}: {_scanner(app, name).describe()}")
        except DienstwegError as error:
            yield Finding("scanner", f"malware scanner {name}: {error}", fault=True)
