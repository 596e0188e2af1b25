"""The intermediary's own database: SQLite in one folder, apart from any installation's."""

from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
)

metadata = MetaData()

mailbox = Table(
    "mailbox",
    metadata,
    Column("fingerprint", String(64), primary_key=True),
    Column("name", String, nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("opened", String, nullable=False),
)

message_id = Table(
    "message_id",
    metadata,
    Column("id", String, primary_key=True),
    Column("issued", String, nullable=False),
    Column("used", Boolean, nullable=False, default=False),
)

delivery = Table(
    "delivery",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("message_id", String, nullable=False, unique=True),
    Column("addressee", String(64), nullable=False),
    Column("originator_cipher", String(64)),
    Column("originator_signature", String(64)),
    Column("creation", String, nullable=False),
    Column("forwarding", String),
    Column("reception", String),
    Column("modified", String, nullable=False),
    Column("report", LargeBinary, nullable=False),
    Column("certificates", LargeBinary, nullable=False),
    Column("package", LargeBinary, nullable=False),
    Column("headers", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Index("delivery_waiting", "addressee", "reception", "number"),
    Index("delivery_originator", "originator_cipher", "modified"),
    Index("delivery_signer", "originator_signature", "modified"),
)

attachment = Table(
    "attachment",
    metadata,
    Column("message_id", ForeignKey("delivery.message_id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("content_id", String, nullable=False),
    Column("media_type", String, nullable=False),
    Column("file", String, nullable=False),
)

dialog = Table(
    "dialog",
    metadata,
    Column("conversation", String, primary_key=True),
    Column("challenge", String, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("cipher", LargeBinary, nullable=False),
    Column("signature", LargeBinary),
    Column("fetched", String),
    Column("touched", String, nullable=False),
)


def open_database(path: Path) -> Engine:
    """Open or create the database; transactions begin IMMEDIATE, commits are synced to disk."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    metadata.create_all(engine)
    return engine
