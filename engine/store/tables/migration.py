"""What the migration keeps beside rules and exchanges. One section a matter."""

from sqlalchemy import BigInteger, Column, Date, Index, Integer, String, Table, Text

from engine.store.tables.base import identifier, metadata, owner
from engine.store.types import Instant, JsonText

# --- register: why a step still is on paper, and figures from before there was a history ---

# Rows are never changed: the newest of a step counts, the others are its history.
step_reasons = Table(
    "step_reasons",
    metadata,
    identifier(primary_key=True),
    owner(),
    Column("procedure_key", String(80), nullable=False),
    Column("element_id", String(200), nullable=False),
    # None: back to what the procedure or the form class says.
    Column("why", String(20)),
    Column("relief", Text),
    Column("since", Date),
    Column("source", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("set_by", String(64), nullable=False),
    Index(None, "authority_id", "procedure_key", "element_id"),
)

# authority_id is the importing authority; the figures name their senders.
volume_imports = Table(
    "volume_imports",
    metadata,
    identifier(primary_key=True),
    owner(),
    # The importer's name for where the figures come from: the same source replaces its earlier figures.
    Column("source", String(120), nullable=False),
    Column("file_name", String(400), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("mapping", JsonText, nullable=False),
    Column("counted", BigInteger, nullable=False),
    Column("left_out", Integer, nullable=False),
    Column("imported_at", Instant, nullable=False),
    Column("imported_by", String(64), nullable=False),
    Column("replaced_at", Instant),
    Index(None, "authority_id", "source"),
)

# authority_id is the sender.
imported_volumes = Table(
    "imported_volumes",
    metadata,
    identifier("import_id", primary_key=True),
    identifier("authority_id", primary_key=True),
    Column("procedure_key", String(80), primary_key=True),
    Column("element_id", String(200), primary_key=True),
    identifier("recipient_id", primary_key=True),
    Column("month", String(7), primary_key=True),
    # Evidence level A to D; "?" where the source does not say how it travelled.
    Column("level", String(1), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Index(None, "authority_id", "procedure_key", "element_id"),
)
