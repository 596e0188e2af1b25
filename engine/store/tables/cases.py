"""Cases and all that one advance writes; every row names its owning authority."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)

from engine.store.tables.base import identifier, metadata, only_where, owner
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
    Index(
        None,
        *("authority_id", "partner_reference"),
        info=only_where("partner_reference IS NOT NULL"),
    ),
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

# A row is an entry of the case's chain and holds what the entry commits to. Emptying that, the salt included,
# leaves the chain intact. One table for both, as a step's commit costs what it has pages to write.
history = Table(
    "history",
    metadata,
    identifier("case_id", primary_key=True),
    Column("sequence", Integer, primary_key=True),
    owner(),
    Column("at", Instant),
    Column("actor", String(64)),
    Column("kind", String(40), nullable=False),
    Column("command", JsonText),
    Column("steps", JsonText),
    Column("salt", String(64)),
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
    Index(
        "ix_tasks_inbox",
        *("authority_id", text("(due_at IS NULL)"), "due_at", "opened_at", "id"),
        info=only_where("status = 'open'"),
    ),
    Index(
        "ix_tasks_claimed",
        *("authority_id", "claimed_by", "status"),
        info=only_where("claimed_by IS NOT NULL"),
    ),
)

TASK_IS_OPEN = tasks.c.status == literal_column("'open'", String)
"""For listings. The word stands in the statement: a database takes a partial index only where it sees its
condition, and of a parameter it sees nothing."""

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
    # Of a job that failed for good: what is needed to enqueue it again.
    Column("arguments", JsonText),
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
