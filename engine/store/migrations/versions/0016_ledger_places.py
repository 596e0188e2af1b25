"""An index that finds the months' rows of a step and its recipient, whoever sent"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.drop_index(op.f("ix_ledger_months_month_source"), table_name="ledger_months")
    columns = ["month", "procedure_key", "element_id", "recipient_id"]
    op.create_index("ix_ledger_months_place", "ledger_months", columns, unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_ledger_months_place", table_name="ledger_months")
    op.create_index(op.f("ix_ledger_months_month_source"), "ledger_months", ["month", "source"], unique=False)
