"""Writing stored files out into a folder, for people and other programs; nothing is overwritten."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.actor import Actor, Role
from engine.errors import RefusedError
from engine.exchange.file_names import safe_names
from engine.service import receiving, scanning
from engine.service.access import require
from engine.service.assigning import ArrivalInfectedError
from engine.service.registering import find_arrival

if TYPE_CHECKING:
    from engine.service.installation import Installation


class NotWrittenError(RefusedError):
    """Files cannot be written out."""


def write_out(named: Sequence[tuple[str, Path]], folder: Path) -> list[Path]:
    """Copy files, given by the name they get and their place, into ``folder``; return where they lie.

    Raises NotWrittenError; where one of them is there already, none is written.
    """
    targets = [folder / name for name, _ in named]
    there = [path for path in targets if path.exists()]
    if there:
        raise NotWrittenError(f"{there[0]} is there already", hint="choose an empty folder with --out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for (_, source), target in zip(named, targets, strict=True):
            shutil.copyfile(source, target)
    except OSError as error:
        raise NotWrittenError(f"cannot write to {folder}: {error.strerror}") from error
    return targets


def export_arrival(app: "Installation", actor: Actor, key: str, folder: Path) -> list[Path]:
    """Write an arrival's files into ``folder``, with what proves how they came; return where they lie.

    Raises ArrivalUnknownError, NotWrittenError, ScannerFaultError, and ArrivalInfectedError for what the
    scanner has found, or finds now.
    """
    require(actor, Role.CLERK)
    with app.read() as tx:
        row = find_arrival(tx, actor, key)
        parts = receiving.parts_of(app, tx, row["id"], proofs=True)
    malware = row["reason"] if row["status"] == receiving.INFECTED else scanning.malware_in(app, parts)
    if malware:
        raise ArrivalInfectedError(str(malware), where=row["id"][:8], hint="ask for a clean one")
    names = safe_names(part.name for part in parts)
    return write_out(list(zip(names, (part.path for part in parts), strict=True)), folder)
