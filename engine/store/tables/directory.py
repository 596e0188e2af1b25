"""Who there is: authorities, units, people and the mailboxes they opened."""

from sqlalchemy import Boolean, Column, Date, Index, Integer, String, Table, Text

from engine.store.tables.base import identifier, metadata
from engine.store.types import Instant, JsonText

installation = Table(
    "installation",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

authorities = Table(
    "authorities",
    metadata,
    identifier(primary_key=True),
    Column("name", String(200), nullable=False),
    Column("official_name", String(200), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("district_id", String(64)),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    Column("address", JsonText, nullable=False),
    Column("contact", JsonText, nullable=False),
    Column("own", Boolean, nullable=False),
)

units = Table(
    "units",
    metadata,
    identifier(primary_key=True),
    identifier("authority_id", index=True),
    Column("name", String(200), nullable=False),
)

people = Table(
    "people",
    metadata,
    identifier(primary_key=True),
    identifier("authority_id", index=True),
    Column("name", String(200), nullable=False),
    Column("roles", JsonText, nullable=False),
    Column("units", JsonText, nullable=False),
    Column("active", Boolean, nullable=False),
)

mailboxes = Table(
    "mailboxes",
    metadata,
    identifier(primary_key=True),
    identifier("authority_id"),
    Column("channel", String(80), nullable=False),
    Column("address", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),
    Column("formats", JsonText, nullable=False),
    Column("max_bytes", Integer),
    Column("form_classes", JsonText, nullable=False),
    Column("accepts_test", Boolean, nullable=False),
    Column("settings", JsonText, nullable=False),
    Index(None, "authority_id", "channel"),
)

# What the last look at a mailbox found; the migration's readiness reads it.
mailbox_health = Table(
    "mailbox_health",
    metadata,
    identifier("mailbox_id", primary_key=True),
    identifier("authority_id", index=True),
    Column("checked_at", Instant, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("findings", JsonText, nullable=False),
)
