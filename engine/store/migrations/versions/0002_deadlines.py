"""Deadlines of cases; facts know their evidence and can be withdrawn"""

import sqlalchemy as sa
from alembic import op

from engine.store.types import Instant, JsonText

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "deadlines",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=True),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("item_id", sa.String(length=64), nullable=False),
        sa.Column("drives", sa.String(length=20), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("instance", sa.String(length=80), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=True),
        sa.Column("rule", sa.String(length=80), nullable=False),
        sa.Column("basis", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=80), nullable=True),
        sa.Column("send_element", sa.String(length=200), nullable=True),
        sa.Column("exchange_id", sa.String(length=64), nullable=True),
        sa.Column("arrival_id", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("end_on", sa.Date(), nullable=True),
        sa.Column("due_at", Instant(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("opened_at", Instant(timezone=True), nullable=False),
        sa.Column("watch_until", Instant(timezone=True), nullable=False),
        sa.Column("missing", JsonText(), nullable=True),
        sa.Column("revisions", JsonText(), nullable=False),
        sa.Column("remind_before", JsonText(), nullable=False),
        sa.Column("settled_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deadlines")),
    )
    op.create_index(op.f("ix_deadlines_case_id"), "deadlines", ["case_id"], unique=False)
    op.create_index(op.f("ix_deadlines_item_id"), "deadlines", ["item_id"], unique=False)
    op.create_index(op.f("ix_deadlines_exchange_id"), "deadlines", ["exchange_id"], unique=False)
    op.create_index(
        op.f("ix_deadlines_authority_id_state_due_at"),
        "deadlines",
        ["authority_id", "state", "due_at"],
        unique=False,
    )
    op.add_column("facts", sa.Column("evidence_id", sa.String(length=64), nullable=True))
    op.add_column("facts", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("facts", sa.Column("withdrawn_at", Instant(timezone=True), nullable=True))
    op.add_column("facts", sa.Column("withdrawn_by", sa.String(length=64), nullable=True))


def downgrade() -> None:
    """Take back."""
    for name in ("withdrawn_by", "withdrawn_at", "reason", "evidence_id"):
        op.drop_column("facts", name)
    op.drop_table("deadlines")
