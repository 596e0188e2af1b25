"""Totals of the ledger's months without sender, and indexes that find what is added up by month"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_KEY = (
    *("month", "procedure_key", "element_id", "recipient_id"),
    *("intended_channel", "channel", "level", "state", "fallback"),
)
_SUMS = (
    *("exchanges", "receipts", "answered", "rejected", "copies", "failed"),
    *("postage_cents", "posted", "spared_cents", "spared", "arrivals", "scanned", "printed"),
)
_DURATIONS = ("transports", "leads")


def upgrade() -> None:
    """Apply."""
    op.drop_index(op.f("ix_ledger_months_source_month"), table_name="ledger_months")
    op.create_index(op.f("ix_ledger_months_month_source"), "ledger_months", ["month", "source"], unique=False)
    op.drop_index(op.f("ix_ledger_marks_authority_id_month"), table_name="ledger_marks")
    op.create_index(
        op.f("ix_ledger_marks_month_authority_id"), "ledger_marks", ["month", "authority_id"], unique=False
    )
    joined = "group_concat" if op.get_bind().dialect.name == "sqlite" else "string_agg"
    names = ("kept", "authority_id", *_KEY, *_SUMS, *_DURATIONS)
    months = sa.table("ledger_months", *(sa.column(name) for name in names[2:]))
    total = sa.table("ledger_totals", *(sa.column(name) for name in names))
    grouped = [months.c[name] for name in _KEY]
    query = sa.select(
        *(sa.literal(value, sa.String) for value in ("everybody", "")),
        *grouped,
        *(sa.func.sum(months.c[name]) for name in _SUMS),
        *(getattr(sa.func, joined)(months.c[name], " ") for name in _DURATIONS),
    ).group_by(*grouped)
    op.execute(total.insert().from_select(names, query))


def downgrade() -> None:
    """Take back."""
    op.execute("DELETE FROM ledger_totals WHERE kept = 'everybody'")
    op.drop_index(op.f("ix_ledger_marks_month_authority_id"), table_name="ledger_marks")
    op.create_index(
        op.f("ix_ledger_marks_authority_id_month"), "ledger_marks", ["authority_id", "month"], unique=False
    )
    op.drop_index(op.f("ix_ledger_months_month_source"), table_name="ledger_months")
    op.create_index(op.f("ix_ledger_months_source_month"), "ledger_months", ["source", "month"], unique=False)
