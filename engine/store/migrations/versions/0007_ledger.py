"""The ledger of exchanges, its months, and reports of other installations"""

import sqlalchemy as sa
from alembic import op

from engine.store.types import Instant, JsonText

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. What history knows is written into the ledger by ``db upgrade`` afterwards."""
    op.create_table(
        "ledger",
        sa.Column("exchange_id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("cell", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("intended_channel", sa.String(length=80), nullable=True),
        sa.Column("channel", sa.String(length=80), nullable=True),
        sa.Column("level", sa.String(length=1), nullable=True),
        sa.Column("fallback", sa.String(length=40), nullable=True),
        sa.Column("receipt", sa.String(length=40), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("handed_over_at", Instant(timezone=True), nullable=True),
        sa.Column("posted_at", Instant(timezone=True), nullable=True),
        sa.Column("received_at", Instant(timezone=True), nullable=True),
        sa.Column("answered_at", Instant(timezone=True), nullable=True),
        sa.Column("rejected", sa.Boolean(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("postage_cents", sa.Integer(), nullable=True),
        sa.Column("spared_cents", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("exchange_id", name=op.f("pk_ledger")),
    )
    op.create_index(op.f("ix_ledger_cell"), "ledger", ["cell"], unique=False)
    op.create_table(
        "ledger_arrivals",
        sa.Column("arrival_id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("partner_id", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("cell", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("scanned", sa.Boolean(), nullable=False),
        sa.Column("printed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("arrival_id", name=op.f("pk_ledger_arrivals")),
    )
    op.create_index(op.f("ix_ledger_arrivals_cell"), "ledger_arrivals", ["cell"], unique=False)
    op.create_table(
        "ledger_marks",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("cell", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_marks")),
    )
    op.create_table(
        "ledger_months",
        sa.Column("cell", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("intended_channel", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("level", sa.String(length=1), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("fallback", sa.String(length=40), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("exchanges", sa.Integer(), nullable=False),
        sa.Column("receipts", sa.Integer(), nullable=False),
        sa.Column("answered", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("postage_cents", sa.BigInteger(), nullable=False),
        sa.Column("posted", sa.Integer(), nullable=False),
        sa.Column("spared_cents", sa.BigInteger(), nullable=False),
        sa.Column("spared", sa.Integer(), nullable=False),
        sa.Column("arrivals", sa.Integer(), nullable=False),
        sa.Column("scanned", sa.Integer(), nullable=False),
        sa.Column("printed", sa.Integer(), nullable=False),
        sa.Column("transports", sa.Text(), nullable=True),
        sa.Column("leads", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint(
            "cell", "intended_channel", "channel", "level", "state", "fallback", name=op.f("pk_ledger_months")
        ),
    )
    op.create_index(
        op.f("ix_ledger_months_authority_id_month"), "ledger_months", ["authority_id", "month"], unique=False
    )
    op.create_index(op.f("ix_ledger_months_source_month"), "ledger_months", ["source", "month"], unique=False)
    op.create_table(
        "ledger_partners",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("public_key", sa.String(length=64), nullable=False),
        sa.Column("senders", JsonText(), nullable=False),
        sa.Column("trusted_at", Instant(timezone=True), nullable=False),
        sa.Column("trusted_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_partners")),
        sa.UniqueConstraint("public_key", name=op.f("uq_ledger_partners_public_key")),
    )
    op.create_table(
        "ledger_reports",
        sa.Column("partner_id", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("made_at", Instant(timezone=True), nullable=False),
        sa.Column("imported_at", Instant(timezone=True), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", "month", name=op.f("pk_ledger_reports")),
    )


def downgrade() -> None:
    """Take back."""
    for name in ("reports", "partners", "months", "marks", "arrivals"):
        op.drop_table(f"ledger_{name}")
    op.drop_table("ledger")
