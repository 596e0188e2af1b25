"""Deployed content: immutable once written, shared by all authorities of the installation."""

from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table, UniqueConstraint

from engine.store.tables.base import identifier, metadata
from engine.store.types import Instant, JsonText

procedure_versions = Table(
    "procedure_versions",
    metadata,
    identifier(primary_key=True),
    Column("procedure_key", String(80), nullable=False),
    Column("number", Integer, nullable=False),
    Column("title", String(200), nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("deployed_at", Instant, nullable=False),
    Column("deployed_by", String(64), nullable=False),
    UniqueConstraint("procedure_key", "number"),
    UniqueConstraint("procedure_key", "content_hash"),
)

processes = Table(
    "processes",
    metadata,
    identifier("version_id", primary_key=True),
    Column("process_id", String(200), primary_key=True),
    Column("procedure_key", String(80), nullable=False),
    Column("name", String(200), nullable=False),
    Column("file", String(400), nullable=False),
    Column("manual_start", Boolean, nullable=False),
    Column("start_messages", JsonText, nullable=False),
    Column("exchange_steps", JsonText, nullable=False),
)

package_files = Table(
    "package_files",
    metadata,
    identifier("version_id", primary_key=True),
    Column("path", String(400), primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

message_types = Table(
    "message_types",
    metadata,
    Column("key", String(80), primary_key=True),
    Column("version", String(40), primary_key=True),
    Column("content", JsonText, nullable=False),
    Column("deployed_at", Instant, nullable=False),
)
