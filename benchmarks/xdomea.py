"""Containers: how long they take and how much memory, for one large file and for many small ones."""

import hashlib
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import BinaryIO

from adapters.xdomea import create
from adapters.xdomea.payload import XdomeaPayload
from benchmarks.result import Row
from engine.clock import TurnedClock
from engine.exchange.ports import AdapterContext, Envelope, FormClass, Mailbox, MessageType, Part, Party
from engine.identifiers import SeededIds

DESCRIPTION = "xdomea containers: time and peak memory"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHUNK = 1 << 20


@dataclass(frozen=True)
class FileDocument:
    name: str
    media_type: str
    path: Path
    sha256: str
    size: int

    def open(self) -> BinaryIO:
        return self.path.open("rb")


def run(scale: str) -> list[Row]:
    size, count = (1 << 30, 1000) if scale == "full" else (64 << 20, 200)
    with tempfile.TemporaryDirectory(prefix="bench-xdomea-") as folder:
        home = Path(folder)
        rows = [Row("interpreter and modules, peak memory", _apart(_nothing, home)[1], "MiB")]
        for label, name, random in (("stored", "large.pdf", True), ("deflated", "large.txt", False)):
            document = _large(home / name, size, random=random)
            rows += _both(f"{size >> 20} MiB in one file, {label}", home, [document])
            document.path.unlink()
        small = [_large(home / f"{number}.txt", 1000, random=False) for number in range(count)]
        rows += _both(f"{count} documents of 1 kB", home, small)
    return rows


def _both(label: str, home: Path, documents: Sequence[FileDocument]) -> list[Row]:
    (home / "built").mkdir(exist_ok=True)
    written, wrote = _apart(_build, home, documents)
    read, needed = _apart(_read, home)
    for path in (home / "built").iterdir():
        path.unlink()
    return [
        Row(f"{label}: write", written, "s"),
        Row(f"{label}: write, peak memory", wrote, "MiB"),
        Row(f"{label}: read and unpack", read, "s"),
        Row(f"{label}: read and unpack, peak memory", needed, "MiB"),
    ]


def _apart(work: Callable[..., float], *arguments: object) -> tuple[float, float]:
    """Run ``work`` in a process of its own; return its seconds and the process's peak memory in MiB."""
    with get_context("spawn").Pool(1) as pool:
        return pool.apply(_measured, (work, *arguments))


def _measured(work: Callable[..., float], *arguments: object) -> tuple[float, float]:
    seconds = work(*arguments)
    return seconds, _peak()


def _peak() -> float:
    """Peak resident memory of this process in MiB. Linux: ru_maxrss would begin with the parent's peak."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024


def _nothing(home: Path) -> float:
    _payload(home)
    return 0.0


def _build(home: Path, documents: Sequence[FileDocument]) -> float:
    payload, start = _payload(home), time.perf_counter()
    payload.build(_envelope(documents), _mailbox(), home / "built")
    return time.perf_counter() - start


def _read(home: Path) -> float:
    (container,) = (home / "built").iterdir()
    with tempfile.TemporaryDirectory(dir=home) as target:
        payload, start = _payload(home), time.perf_counter()
        payload.read((Part(container.name, "application/zip", container, "container"),), Path(target))
        return time.perf_counter() - start


def _payload(home: Path) -> XdomeaPayload:
    return create(AdapterContext("BENCH", home, {}, TurnedClock(NOON), SeededIds(1), b"bench"))


def _mailbox() -> Mailbox:
    return Mailbox("10045114", "xdomea+folder", "share", date(2026, 1, 1))


def _envelope(documents: Sequence[FileDocument]) -> Envelope:
    return Envelope(
        exchange_id="6e653b1c-07c2-4b49-9fdc-5741dcacb1a0",
        dispatch_id="1e653b1c-07c2-4b49-9fdc-5741dcacb1a1",
        installation="BENCH",
        message_type=MessageType(
            "akte", "1", "Akte", {}, mappings={"xdomea": {"message": "0401", "object": "file"}}
        ),
        sender=Party("10041100", "Saarbrücken"),
        recipient=Party("10045114", "Homburg"),
        own_reference="1/26",
        partner_reference=None,
        subject="Akte",
        data={},
        documents=documents,
        form=FormClass.NONE,
        created=NOON,
    )


def _large(path: Path, size: int, *, random: bool) -> FileDocument:
    digest = hashlib.sha256()
    left = size
    with path.open("wb") as out:
        while left:
            # Text of hexadecimal digits packs to about half, as prose does.
            chunk = os.urandom(min(CHUNK, left)) if random else os.urandom(min(CHUNK, left)).hex().encode()
            chunk = chunk[:left]
            out.write(chunk)
            digest.update(chunk)
            left -= len(chunk)
    return FileDocument(path.name, "application/pdf", path, digest.hexdigest(), size)
