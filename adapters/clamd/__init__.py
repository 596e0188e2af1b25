"""Malware scanner: a ClamAV daemon (clamd), over TCP or a Unix socket."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.clamd.scanner import Clamd
    from engine.exchange.ports import AdapterContext


def create(context: "AdapterContext") -> "Clamd":
    """Make the scanner for one installation."""
    from adapters.clamd.scanner import Clamd, read_address

    settings = context.settings
    return Clamd(read_address(settings), float(settings.get("timeout", 60.0)))
