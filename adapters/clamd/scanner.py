"""Speaks clamd's protocol (clamd(8), section COMMANDS): zINSTREAM for files, zVERSION to see that it lives.

Files are sent through the socket, so clamd may run on another host and needs no access to our folders.
"""

import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from engine.errors import RefusedError
from engine.exchange.scanning import ScannerFaultError

PORT = 3310
CHUNK = 64 * 1024
LONGEST = 4096
"""Bytes of an answer; names of signatures are short."""
_FOUND = re.compile(r"^stream: (?P<name>.+) FOUND$")


class ClamdSettingsError(RefusedError):
    """The table [adapters.clamd] cannot be used."""


Address = str | tuple[str, int]
"""A Unix socket's path, or host and port."""


def read_address(settings: Mapping[str, Any]) -> Address:
    """Return where clamd listens: ``socket``, or ``host`` with ``port``; raise ClamdSettingsError."""
    if ("socket" in settings) == ("host" in settings):
        raise ClamdSettingsError(
            "name either socket or host", where="[adapters.clamd]", hint='socket = "/run/clamav/clamd.ctl"'
        )
    if "socket" in settings:
        return str(settings["socket"])
    return str(settings["host"]), int(settings.get("port", PORT))


class Clamd:
    """One clamd; every question has a connection of its own."""

    def __init__(self, address: Address, timeout: float) -> None:
        """Ask the daemon at ``address``; ``timeout`` in seconds counts for each read or write."""
        self._address = address
        self._timeout = timeout

    def scan(self, path: Path) -> str | None:
        """Return the name of the malware in a file, or None; raise ScannerFaultError."""
        with self._connected() as connection:
            # clamd answers at once, and closes, when it has seen enough, e.g. at its size limit.
            with suppress(BrokenPipeError, ConnectionResetError), path.open("rb") as source:
                connection.sendall(b"zINSTREAM\0")
                while chunk := source.read(CHUNK):
                    connection.sendall(len(chunk).to_bytes(4, "big") + chunk)
                connection.sendall(bytes(4))
            answer = self._answer(connection)
        if answer == "stream: OK":
            return None
        found = _FOUND.match(answer)
        if found is None:
            raise ScannerFaultError(
                f"clamd answers {answer!r}", where=self._where, hint="is its StreamMaxLength large enough?"
            )
        return found["name"]

    def describe(self) -> str:
        """Return clamd's version with that of its signatures; raise ScannerFaultError."""
        with self._connected() as connection:
            connection.sendall(b"zVERSION\0")
            return f"{self._answer(connection)} at {self._where}"

    @property
    def _where(self) -> str:
        return self._address if isinstance(self._address, str) else "{}:{}".format(*self._address)

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        try:
            if isinstance(self._address, str):
                connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                connection.settimeout(self._timeout)
            else:
                connection = socket.create_connection(self._address, self._timeout)
            with connection:
                if isinstance(self._address, str):
                    connection.connect(self._address)
                yield connection
        except OSError as error:
            raise ScannerFaultError(f"clamd does not answer: {error}", where=self._where) from error

    def _answer(self, connection: socket.socket) -> str:
        """Read up to the zero byte that ends an answer."""
        read = b""
        while not read.endswith(b"\0") and len(read) < LONGEST:
            piece = connection.recv(LONGEST)
            if not piece:
                break
            read += piece
        if not read.endswith(b"\0"):
            raise ScannerFaultError("clamd broke off its answer", where=self._where)
        return read[:-1].decode("utf-8", "replace").strip()
