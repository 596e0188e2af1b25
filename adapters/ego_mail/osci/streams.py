"""Byte streams that stay out of memory: spools that move to disk, slices of them, digests on the way."""

import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from cryptography.hazmat.primitives import hashes

from adapters.ego_mail.osci.errors import LimitExceededError

CHUNK = 64 * 1024
IN_MEMORY = 256 * 1024


class Blob(Protocol):
    """Bytes that can be opened again and again."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def open(self) -> BinaryIO:
        """Open for reading from the start."""
        ...


class BytesBlob:
    """A blob in memory, for what is small anyway."""

    def __init__(self, data: bytes) -> None:
        """Wrap ``data``."""
        self._data = data

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self._data)

    def open(self) -> BinaryIO:
        """Open for reading from the start."""
        return io.BytesIO(self._data)


class FileBlob:
    """A blob in a file that somebody else keeps."""

    def __init__(self, path: Path) -> None:
        """Point at ``path``, which must exist when it is opened."""
        self.path = path

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """Open for reading from the start."""
        return self.path.open("rb")


class SliceBlob:
    """A part of a spool, without copying it. Not for two threads at once."""

    def __init__(self, spool: "Spool", start: int, size: int) -> None:
        """Take ``size`` bytes from ``start``; the spool must stay open as long as the slice is used."""
        self._spool = spool
        self._start = start
        self._size = size

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self._size

    def open(self) -> BinaryIO:
        """Open for reading from the start."""
        return io.BufferedReader(_SliceReader(self._spool, self._start, self._size), CHUNK)


class _SliceReader(io.RawIOBase):
    def __init__(self, spool: "Spool", start: int, size: int) -> None:
        self._spool = spool
        self._at = start
        self._end = start + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._end - self._at)
        if wanted <= 0:
            return 0
        data = self._spool.read_at(self._at, wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


@contextmanager
def closed_on_error(close: Callable[[], object]) -> Iterator[None]:
    """Call ``close`` where the block is left by an error, whichever it is; the error goes on its way."""
    with ExitStack() as stack:
        stack.callback(close)
        yield
        stack.pop_all()


class Spool:
    """A growing buffer: in memory while small, then in an unnamed temporary file.

    ``limit`` is the greatest number of bytes it takes; writing more raises LimitExceededError.
    """

    def __init__(self, *, limit: int | None = None, folder: Path | None = None) -> None:
        """Start empty; big content goes to an unlinked file in ``folder``."""
        place = None if folder is None else str(folder)
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY, dir=place)  # noqa: SIM115
        self._limit = limit
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._size

    def write(self, data: bytes | memoryview) -> None:
        """Append ``data``."""
        if self._limit is not None and self._size + len(data) > self._limit:
            raise LimitExceededError(
                f"more than {self._limit:,} bytes", hint="raise the limit, or send smaller messages"
            )
        self._file.seek(self._size)
        self._file.write(data)
        self._size += len(data)

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset``."""
        self._file.seek(offset)
        return self._file.read(min(size, max(0, self._size - offset)))

    def open(self) -> BinaryIO:
        """Open for reading from the start."""
        return self.slice(0, self._size).open()

    def slice(self, start: int, size: int) -> SliceBlob:
        """Return a blob over a part."""
        return SliceBlob(self, start, size)

    def close(self) -> None:
        """Give the memory or file back."""
        self._file.close()

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def chunks(source: BinaryIO, size: int = CHUNK) -> Iterator[bytes]:
    """Yield ``source`` in pieces and close it at the end."""
    with source:
        while piece := source.read(size):
            yield piece


def digest_of(blob: Blob, algorithm: hashes.HashAlgorithm) -> bytes:
    """Hash a blob piece by piece."""
    context = hashes.Hash(algorithm)
    for piece in chunks(blob.open()):
        context.update(piece)
    return context.finalize()
