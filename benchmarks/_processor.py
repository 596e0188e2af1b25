"""Processor time of this process and, on PostgreSQL, of its server: on a shared machine the fairer figure."""

import os
import time
from pathlib import Path

from sqlalchemy import text

from engine.service.installation import Installation

_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(app: Installation) -> float:
    """Return the seconds that this process and the database server have worked so far."""
    if app.database.is_sqlite:
        return time.process_time()
    with app.database.session() as connection:
        backend = connection.scalar(text("SELECT pg_backend_pid()"))
        server = int(_stat(int(backend or 0))[1])
    ticks = sum(int(field) for field in _stat(server)[11:15])
    for child in Path(f"/proc/{server}/task/{server}/children").read_text(encoding="ascii").split():
        try:
            ticks += sum(int(field) for field in _stat(int(child))[11:13])
        except (FileNotFoundError, ProcessLookupError):
            continue  # It ended meanwhile: its time is now among its parent's.
    return time.process_time() + ticks / _TICKS


def _stat(pid: int) -> list[str]:
    """Fields of a process from its state on (proc(5)): 1 is the parent, 11 to 14 are its and its children's time."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
