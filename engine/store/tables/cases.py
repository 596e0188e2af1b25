"""Cases and all that one advance writes; every row names its owning authority."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from engine.store.tables.base import identifier, metadata, owner
from engine.store.types import Instant, JsonText

cases = Table(
    "cases",
    metadata,
    identifier(primary_key=True),
    owner(),
    Column("unit_id", String(64)),
    Column("procedure_key", String(80), nullable=False),
    identifier("version_id"),
    Column("process_id", String(200), nullable=False),
    Column("title", String(400), nullable=False),
    Column("own_reference", String(80), nullable=False),
    Column("partner_reference", String(80)),
    Column("partner_id", String(64)),
    Column("status", String(20), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("started_by", String(64), nullable=False),
    Column("ended_at", Instant),
    Column("end_events", JsonText),
    UniqueConstraint("authority_id", "own_reference"),
    Index(None, "authority_id", "status", "started_at"),
    Index(None, "authority_id", "partner_reference"),
)

case_states = Table(
    "case_states",
    metadata,
    identifier("case_id", primary_key=True),
    owner(),
    Column("sequence", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("chain_head", String(64), nullable=False),
    Column("result", JsonText),
)

# One row a chain entry, with the same sequence. It holds what the entry commits to, and the salt; both can be
# deleted and leave the chain intact.
history = Table(
    "history",
    metadata,
    identifier("case_id", primary_key=True),
    Column("sequence", Integer, primary_key=True),
    owner(),
    Column("at", Instant, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("command", JsonText, nullable=False),
    Column("steps", JsonText, nullable=False),
    Column("salt", String(64), nullable=False),
)

chain = Table(
    "chain",
    metadata,
    identifier("case_id", primary_key=True),
    Column("sequence", Integer, primary_key=True),
    owner(),
    Column("kind", String(40), nullable=False),
    Column("commitment", String(64), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)


tasks = Table(
    "tasks",
    metadata,
    identifier(primary_key=True),
    owner(),
    identifier("case_id", index=True),
    Column("unit_id", String(64)),
    Column("kind", String(20), nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("instance", String(80), nullable=False),
    Column("name", String(400), nullable=False),
    Column("form", String(200)),
    Column("subject_id", String(64)),
    Column("status", String(20), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("claimed_by", String(64)),
    Column("claimed_at", Instant),
    Column("closed_by", String(64)),
    Column("closed_at", Instant),
    # In the inbox's order, those without a due date last: its first page costs a page, however many wait.
    Index("ix_tasks_inbox", "authority_id", "status", text("(due_at IS NULL)"), "due_at", "opened_at", "id"),
    Index("ix_tasks_claimed", "authority_id", "claimed_by", "status"),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    identifier(primary_key=True),
    owner(),
    identifier("case_id", index=True),
    Column("kind", String(20), nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("instance", String(80), nullable=False),
    Column("event", String(200)),
    Column("answers", String(300)),
    Column("correlation", JsonText, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Index(None, "authority_id", "kind", "event"),
    Index(None, "case_id", "answers"),
)

timers = Table(
    "timers",
    metadata,
    identifier(primary_key=True),
    owner(),
    identifier("case_id", index=True),
    Column("element_id", String(200), nullable=False),
    Column("instance", String(80), nullable=False),
    Column("expression", Text),
    Column("due_at", Instant),
    Column("revision", Integer, nullable=False),
    Index(None, "due_at"),
)

message_buffer = Table(
    "message_buffer",
    metadata,
    identifier(primary_key=True),
    owner(),
    Column("name", String(200), nullable=False),
    Column("correlation", JsonText, nullable=False),
    Column("payload", JsonText, nullable=False),
    Column("origin", String(300), nullable=False),
    Column("arrived_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("status", String(20), nullable=False),
    UniqueConstraint("authority_id", "origin"),
    Index(None, "authority_id", "name", "status"),
)

incidents = Table(
    "incidents",
    metadata,
    identifier(primary_key=True),
    owner(),
    Column("case_id", String(64), index=True),
    Column("kind", String(40), nullable=False),
    Column("subject_id", String(64)),
    Column("element_id", String(200)),
    Column("message", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("closed_by", String(64)),
    Column("resolution", Text),
    Index(None, "authority_id", "status", "opened_at"),
    Index(None, "subject_id"),
)

counters = Table(
    "counters",
    metadata,
    owner(),
    Column("name", String(80), nullable=False),
    Column("value", BigInteger, nullable=False),
    UniqueConstraint("authority_id", "name"),
)

documents = Table(
    "documents",
    metadata,
    identifier("authority_id", primary_key=True),
    Column("sha256", String(64), primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("stored_at", Instant, nullable=False),
)

case_documents = Table(
    "case_documents",
    metadata,
    identifier(primary_key=True),
    owner(),
    identifier("case_id", index=True),
    Column("sha256", String(64), nullable=False),
    Column("name", String(400), nullable=False),
    Column("media_type", String(120), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("role", String(40), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("added_by", String(64), nullable=False),
)
