"""Containers: ZIP archives, read with limits and streamed in both directions."""

import hashlib
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from adapters.xdomea.errors import (
    BrokenContainerError,
    EncryptedContainerError,
    HostileContainerError,
    NotAContainerError,
)
from adapters.xdomea.formats import by_name

CHUNK = 1 << 20
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What a container from outside may be at most."""

    entries: int = 20_000
    total_bytes: int = 8 << 30
    """Sum of all entries, unpacked."""
    message_bytes: int = 64 * _MIB
    """Size of the XML message, unpacked."""
    ratio: int = 200
    """Unpacked to packed size, looked at above ``ratio_from_bytes``."""
    ratio_from_bytes: int = 16 * _MIB
    depth: int = 0
    """Folders that a name may have; the standard lays all files side by side."""
    name_bytes: int = 255


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A file taken out of a container."""

    name: str
    path: Path
    size: int
    sha256: str


class Container:
    """An opened container whose directory kept to the limits."""

    def __init__(
        self, archive: zipfile.ZipFile, name: str, limits: Limits, entries: list[zipfile.ZipInfo]
    ) -> None:
        """Use ``open_container`` instead."""
        self._archive = archive
        self._name = name
        self._limits = limits
        self._entries = {info.filename: info for info in entries}
        self._left = limits.total_bytes

    @property
    def names(self) -> list[str]:
        """Names of the files, in the archive's order."""
        return list(self._entries)

    def size(self, name: str) -> int:
        """Return what the directory says about the unpacked size of ``name``."""
        return self._entries[name].file_size

    def unpack(self, name: str, target: Path) -> Unpacked:
        """Write the file ``name`` to ``target``, chunk by chunk, and return its size and digest.

        Raises BrokenContainerError where data or checksum are damaged, HostileContainerError where more comes
        out than the limits allow, FileExistsError where ``target`` is there; then nothing is left behind.
        """
        digest = hashlib.sha256()
        size = 0
        with ExitStack() as undo, self._opened(name) as source, target.open("xb") as out:
            undo.callback(target.unlink)
            while chunk := source.read(CHUNK):
                size += len(chunk)
                self._left -= len(chunk)
                if self._left < 0:
                    raise HostileContainerError(
                        f"unpacks to more than {self._limits.total_bytes} bytes", where=self._name
                    )
                digest.update(chunk)
                out.write(chunk)
            undo.pop_all()
        return Unpacked(name, target, size, digest.hexdigest())

    @contextmanager
    def _opened(self, name: str) -> Iterator[BinaryIO]:
        try:
            with self._archive.open(self._entries[name]) as source:
                yield source  # type: ignore[misc]
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise BrokenContainerError(f"{name}: {error}", where=self._name) from error


@contextmanager
def open_container(
    path: Path, limits: Limits, name: str | None = None, only: str | None = None
) -> Iterator[Container]:
    """Open the container at ``path``, called ``name``; raise an UnreadableError that says what is wrong.

    With ``only`` there is but the one entry of that name, and the others are not looked at: so a message can
    be answered although the container that it came in is refused.
    """
    shown = name or path.name
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        with path.open("rb") as file:
            begins_like_zip = file.read(2) == b"PK"
        if begins_like_zip:
            raise BrokenContainerError(
                f"the archive is damaged or incomplete: {error}",
                where=shown,
                hint="ask the sender to repeat it",
            ) from error
        raise NotAContainerError("not a ZIP archive", where=shown) from error
    with archive:
        infos = archive.infolist()
        if only is None:
            entries = _checked(infos, shown, limits)
        else:
            entries = _checked([info for info in infos if info.filename == only], shown, limits)
        yield Container(archive, shown, limits, entries)


def _checked(infos: Iterable[zipfile.ZipInfo], name: str, limits: Limits) -> list[zipfile.ZipInfo]:
    entries = list(infos)
    if len(entries) > limits.entries:
        raise HostileContainerError(f"{len(entries)} entries, allowed are {limits.entries}", where=name)
    seen: set[str] = set()
    files = []
    for info in entries:
        _check_name(info, name, limits)
        folded = unicodedata.normalize("NFC", info.filename).casefold()
        if folded in seen:
            raise HostileContainerError(f"{info.filename!r} is there twice", where=name)
        seen.add(folded)
        _check_kind(info, name)
        if not info.is_dir():
            files.append(info)
    _check_sizes(files, name, limits)
    return files


def _check_name(info: zipfile.ZipInfo, container: str, limits: Limits) -> None:
    entry = info.orig_filename
    plain = entry.replace("\\", "/")
    parts = plain.rstrip("/").split("/")
    reason = None
    if plain.startswith("/") or (len(entry) > 1 and entry[1] == ":"):
        reason = "is absolute"
    elif ".." in parts or "." in parts:
        reason = "leads out of its folder"
    elif any(unicodedata.category(character) in ("Cc", "Cs") for character in entry):
        reason = "has control characters"
    elif len(entry.encode("utf-8", "surrogatepass")) > limits.name_bytes or "" in parts:
        reason = "is too long or empty"
    elif len(parts) - 1 > limits.depth or info.is_dir():
        reason = f"lies in a folder; allowed depth is {limits.depth}"
        if info.is_dir() and len(parts) <= limits.depth:
            reason = None
    if reason is not None:
        raise HostileContainerError(f"the name {entry!r} {reason}", where=container)


def _check_kind(info: zipfile.ZipInfo, container: str) -> None:
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise HostileContainerError(f"{info.filename!r} is a link or device, not a file", where=container)
    if info.flag_bits & 0x41:
        raise EncryptedContainerError(
            f"{info.filename!r} is encrypted",
            where=container,
            hint="the sender has to leave encryption to the transport",
        )


def _check_sizes(files: list[zipfile.ZipInfo], container: str, limits: Limits) -> None:
    total = sum(info.file_size for info in files)
    if total > limits.total_bytes:
        raise HostileContainerError(
            f"unpacks to {total} bytes, allowed are {limits.total_bytes}", where=container
        )
    for info in files:
        if info.file_size > limits.ratio_from_bytes and info.file_size > limits.ratio * max(
            1, info.compress_size
        ):
            raise HostileContainerError(
                f"{info.filename!r} unpacks to more than {limits.ratio} times its size", where=container
            )


class ContainerWriter:
    """Writes a container; the same content at the same instant gives the same bytes."""

    def __init__(self, path: Path, at: datetime) -> None:
        """Create the archive at ``path``, which must not exist; entries are dated ``at``."""
        self._archive = zipfile.ZipFile(path, "x", compression=zipfile.ZIP_DEFLATED, allowZip64=True)
        self._at = (max(at.year, 1980), at.month, at.day, at.hour, at.minute, at.second)

    def __enter__(self) -> "ContainerWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def add(self, name: str, source: BinaryIO, size: int) -> tuple[int, str]:
        """Copy ``source``, of about ``size`` bytes, chunk by chunk; return its true size and digest."""
        info = zipfile.ZipInfo(name, self._at)
        found = by_name(name)
        info.compress_type = zipfile.ZIP_STORED if found and found.packed else zipfile.ZIP_DEFLATED
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        info.file_size = size
        digest = hashlib.sha256()
        written = 0
        with self._archive.open(info, "w", force_zip64=size >= 1 << 31) as target:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                written += len(chunk)
                target.write(chunk)
        return written, digest.hexdigest()
