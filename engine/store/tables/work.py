"""Background work of the embedded dispatcher."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from engine.store.tables.base import WITHOUT_ROWID, identifier, metadata, owner
from engine.store.types import Instant, JsonText

jobs = Table(
    "jobs",
    metadata,
    identifier(primary_key=True),
    owner(),
    Column("kind", String(40), nullable=False),
    Column("key", String(300)),
    Column("arguments", JsonText, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("lease_until", Instant),
    Column("last_error", Text),
    UniqueConstraint("kind", "key"),
    Index(None, "due_at"),
    info=WITHOUT_ROWID,
)
