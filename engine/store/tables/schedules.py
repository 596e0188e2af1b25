"""Schedules: timer starts of procedures that an authority has switched on."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, text

from engine.store.tables.base import identifier, metadata, owner
from engine.store.types import Instant

schedules = Table(
    "schedules",
    metadata,
    identifier(primary_key=True),
    owner(),
    Column("unit_id", String(64)),
    # The timer start it stands for: of the procedure's newest version, whichever that is.
    Column("procedure_key", String(80), nullable=False),
    Column("process_id", String(200), nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("position", Integer, nullable=False),
    # What the model says, and what it came to at the reference instant.
    Column("kind", String(20), nullable=False),
    Column("expression", Text, nullable=False),
    Column("value", String(200), nullable=False),
    Column("reference_at", Instant, nullable=False),
    # Where it stands: the number of the next due instant, and the instant; none unless it is on.
    Column("state", String(20), nullable=False),
    Column("number", Integer, nullable=False),
    Column("due_at", Instant),
    Column("begun", Integer, nullable=False),
    Column("switched_at", Instant, nullable=False),
    Column("switched_by", String(64), nullable=False),
    Index(None, "due_at"),
    Index(None, "procedure_key"),
    Index(
        "ux_schedules_start",
        *("authority_id", "procedure_key", "process_id", "element_id", "position"),
        text("coalesce(unit_id, '')"),
        unique=True,
    ),
)
