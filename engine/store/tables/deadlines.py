"""Deadlines of cases: what each hangs on, where it stands, and every change of it."""

from sqlalchemy import Column, Date, Index, Integer, String, Table

from engine.store.tables.base import identifier, metadata, owner
from engine.store.types import Instant, JsonText

deadlines = Table(
    "deadlines",
    metadata,
    identifier(primary_key=True),
    owner(),
    Column("unit_id", String(64)),
    identifier("case_id", index=True),
    # What it drives: an open item of the case. A timer fires at its end, a task only shows it.
    identifier("item_id", index=True),
    Column("drives", String(20), nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("instance", String(80), nullable=False),
    Column("task_id", String(64)),
    # What it is computed from.
    Column("rule", String(80), nullable=False),
    Column("basis", String(40), nullable=False),
    Column("period", String(80)),
    Column("send_element", String(200)),
    Column("exchange_id", String(64), index=True),
    Column("arrival_id", String(64)),
    # Where it stands.
    Column("state", String(20), nullable=False),
    Column("end_on", Date),
    Column("due_at", Instant),
    Column("revision", Integer, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("watch_until", Instant, nullable=False),
    Column("missing", JsonText),
    Column("revisions", JsonText, nullable=False),
    Column("remind_before", JsonText, nullable=False),
    Column("settled_at", Instant),
    Index(None, "authority_id", "state", "due_at"),
)
