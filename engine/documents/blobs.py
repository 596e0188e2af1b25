"""Blobs named by their SHA-256: written to a temporary name, synced, renamed, then committed by the caller.

A crash between rename and commit leaves an orphan that nothing refers to; ``orphans`` finds it.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol

from engine.documents.errors import DocumentMissingError, DocumentStoreFullError

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Blob:
    """Content that is safely on disk."""

    sha256: str
    size: int


class BlobStore(Protocol):
    """Where content lives: a folder, or an S3-compatible store."""

    def put(self, source: BinaryIO) -> Blob:
        """Store the stream's content; the same content twice is stored once."""
        ...

    def put_bytes(self, content: bytes) -> Blob:
        """Store ``content``."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """Open stored content; raise DocumentMissingError where there is none."""
        ...

    def original(self, sha256: str) -> BinaryIO:
        """Open what the store itself holds, past every local copy; raise as ``open`` does."""
        ...

    def local_path(self, sha256: str) -> Path:
        """Return a path on local disk that holds the content, for parts that need files."""
        ...

    def delete(self, sha256: str) -> None:
        """Remove content; absent content is no error."""
        ...

    def digests(self) -> Iterator[str]:
        """Yield the digests of all stored content."""
        ...

    def stored_at(self, sha256: str) -> datetime:
        """Return when the content was stored last, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document of the store under the name one exchange or case gives it."""

    name: str
    media_type: str
    sha256: str
    size: int
    store: BlobStore

    def open(self) -> BinaryIO:
        """Open the content for reading."""
        return self.store.open(self.sha256)


class FolderBlobStore:
    """Blobs below one folder, which may be a share that several hosts mount."""

    def __init__(self, root: Path) -> None:
        """Use ``root``; it is created at the first ``put``."""
        self.root = root

    def put(self, source: BinaryIO) -> Blob:
        """Store the stream's content: temporary file, fsync, atomic rename, fsync of the folder."""
        digest, size = hashlib.sha256(), 0
        temporary: Path | None = None
        try:
            incoming = self.root / "incoming"
            incoming.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as target:
                temporary = Path(target.name)
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
                target.flush()
                os.fsync(target.fileno())
            self._settle(temporary, self._path(digest.hexdigest()))
        except OSError as error:
            raise DocumentStoreFullError(
                f"cannot write to the document store: {error.strerror}",
                where=str(self.root),
                hint="free disk space or mend the folder's permissions; nothing was changed",
            ) from error
        finally:
            if temporary is not None:
                with suppress(OSError):  # what was cut short takes no space on a disk that is full
                    temporary.unlink(missing_ok=True)
        return Blob(digest.hexdigest(), size)

    def put_bytes(self, content: bytes) -> Blob:
        """Store ``content``."""
        return self.put(BytesIO(content))

    def open(self, sha256: str) -> BinaryIO:
        """Open stored content for reading."""
        return self.local_path(sha256).open("rb")

    def original(self, sha256: str) -> BinaryIO:
        """Open stored content for reading: there is no other copy."""
        return self.open(sha256)

    def local_path(self, sha256: str) -> Path:
        """Return the blob's own path."""
        path = self._path(sha256)
        if not path.is_file():
            raise DocumentMissingError(
                f"no content {sha256[:12]}… in the document store", where=str(self.root)
            )
        return path

    def delete(self, sha256: str) -> None:
        """Remove the blob if it is there."""
        self._path(sha256).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        """Yield the digests of all blobs."""
        for path in self.root.glob("??/*"):
            if path.parent.name == path.name[:2]:
                yield path.name

    def stored_at(self, sha256: str) -> datetime:
        """Return when the blob was stored last, in UTC."""
        return datetime.fromtimestamp(self.local_path(sha256).stat().st_mtime, UTC)

    def _path(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256

    def _settle(self, temporary: Path, path: Path) -> None:
        with suppress(FileNotFoundError):
            # Wanted again: whoever collects orphans must not take it now. Nothing is made here: if it was
            # taken this very instant, what has just come takes its place.
            os.utime(path)
            return
        new = not path.parent.exists()
        path.parent.mkdir(exist_ok=True)
        os.chmod(temporary, 0o640)
        shutil.move(temporary, path)
        _sync_folder(path.parent)
        if new:
            _sync_folder(self.root)


def _sync_folder(path: Path) -> None:
    """Make the names in a folder outlive a loss of power."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
