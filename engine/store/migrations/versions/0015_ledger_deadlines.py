"""What became of deadlines, in the ledger and its sums"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_SUMS = ("deadlines", "notified", "presumed")


def upgrade() -> None:
    """Apply; the rows are booked by ``db upgrade`` afterwards."""
    op.create_table(
        "ledger_deadlines",
        sa.Column("deadline_id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("cell", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("notified", sa.Boolean(), nullable=False),
        sa.Column("presumed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("deadline_id", name=op.f("pk_ledger_deadlines")),
    )
    op.create_index(op.f("ix_ledger_deadlines_cell"), "ledger_deadlines", ["cell"], unique=False)
    for table, kind in (("ledger_months", sa.Integer()), ("ledger_totals", sa.BigInteger())):
        for name in _SUMS:
            op.add_column(table, sa.Column(name, kind, nullable=False, server_default="0"))


def downgrade() -> None:
    """Take back; what the sums say of deadlines goes with them."""
    for table in ("ledger_months", "ledger_totals"):
        op.execute(f"DELETE FROM {table} WHERE state LIKE 'deadline-%'")  # noqa: S608 — names of our own
        for name in _SUMS:
            op.drop_column(table, name)
    op.drop_table("ledger_deadlines")
