"""Totals of the ledger's months without recipient or without step, and the month of every mark"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_KEY = (
    *("kept", "authority_id", "month", "procedure_key", "element_id", "recipient_id"),
    *("intended_channel", "channel", "level", "state", "fallback"),
)
_SUMS = (
    *("exchanges", "receipts", "answered", "rejected", "copies", "failed"),
    *("postage_cents", "posted", "spared_cents", "spared", "arrivals", "scanned", "printed"),
)
_DURATIONS = ("transports", "leads")
_WITHOUT = {"steps": ("recipient_id",), "recipients": ("procedure_key", "element_id")}


def upgrade() -> None:
    """Apply."""
    lengths = dict(zip(_KEY, (16, 64, 7, 80, 200, 64, 80, 80, 1, 16, 40), strict=True))
    op.create_table(
        "ledger_totals",
        *(sa.Column(name, sa.String(length=length), nullable=False) for name, length in lengths.items()),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS),
        sa.Column("transports", sa.Text(), nullable=True),
        sa.Column("leads", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint(*_KEY, name=op.f("pk_ledger_totals")),
        sqlite_with_rowid=False,
    )
    for kept, without in _WITHOUT.items():
        _fill(kept, without)
    op.add_column("ledger_marks", sa.Column("month", sa.String(length=7), nullable=False, server_default=""))
    # A mark of a cell that no row is left of is deleted by the next fold without doing anything.
    op.execute(
        "UPDATE ledger_marks SET month = coalesce("
        "(SELECT max(month) FROM ledger WHERE ledger.cell = ledger_marks.cell), "
        "(SELECT max(month) FROM ledger_arrivals WHERE ledger_arrivals.cell = ledger_marks.cell), "
        "(SELECT max(month) FROM ledger_months WHERE ledger_months.cell = ledger_marks.cell), '')"
    )
    with op.batch_alter_table("ledger_marks") as batch:
        batch.alter_column("month", server_default=None)
    op.create_index(
        op.f("ix_ledger_marks_authority_id_month"), "ledger_marks", ["authority_id", "month"], unique=False
    )


def _fill(kept: str, without: tuple[str, ...]) -> None:
    """Add up what there is; afterwards every fold does."""
    joined = "group_concat" if op.get_bind().dialect.name == "sqlite" else "string_agg"
    months = sa.table("ledger_months", *(sa.column(name) for name in (*_KEY[1:], *_SUMS, *_DURATIONS)))
    total = sa.table("ledger_totals", *(sa.column(name) for name in (*_KEY, *_SUMS, *_DURATIONS)))
    grouped = [months.c[name] for name in _KEY[1:] if name not in without]
    query = sa.select(
        sa.literal(kept, sa.String),
        *(sa.literal("", sa.String) if name in without else months.c[name] for name in _KEY[1:]),
        *(sa.func.sum(months.c[name]) for name in _SUMS),
        *(getattr(sa.func, joined)(months.c[name], " ") for name in _DURATIONS),
    ).group_by(*grouped)
    op.execute(total.insert().from_select([*_KEY, *_SUMS, *_DURATIONS], query))


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_ledger_marks_authority_id_month"), table_name="ledger_marks")
    with op.batch_alter_table("ledger_marks") as batch:
        batch.drop_column("month")
    op.drop_table("ledger_totals")
