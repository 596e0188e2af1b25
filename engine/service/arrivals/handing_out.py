"""Handing the files of an arrival to people and other programs."""

from pathlib import Path
from typing import TYPE_CHECKING

from engine.actor import Actor, Role
from engine.exchange.file_names import safe_names
from engine.service.access import require
from engine.service.arrivals import receiving, scanning
from engine.service.arrivals.assigning import ArrivalInfectedError
from engine.service.arrivals.parts import parts_of
from engine.service.arrivals.registering import find_arrival
from engine.service.writing_out import write_out

if TYPE_CHECKING:
    from engine.service.installation import Installation


def export_arrival(app: "Installation", actor: Actor, key: str, folder: Path) -> list[Path]:
    """Write an arrival's files into ``folder``, with what proves how they came; return where they lie.

    Raises ArrivalUnknownError, NotWrittenError, ScannerFaultError, and ArrivalInfectedError for what the
    scanner has found, or finds now.
    """
    require(actor, Role.CLERK)
    with app.read() as tx:
        row = find_arrival(tx, actor, key)
        parts = parts_of(app, tx, row["id"], proofs=True)
    malware = row["reason"] if row["status"] == receiving.INFECTED else scanning.malware_in(app, parts)
    if malware:
        raise ArrivalInfectedError(str(malware), where=row["id"][:8], hint="ask for a clean one")
    names = safe_names(part.name for part in parts)
    return write_out(list(zip(names, (part.path for part in parts), strict=True)), folder)
