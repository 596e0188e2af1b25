"""An index that answers what is asked of relations"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "ix_ledger_months_relation",
        "ledger_months",
        [
            "authority_id",
            "procedure_key",
            "element_id",
            "recipient_id",
            "state",
            "month",
            "level",
            "exchanges",
            "cell",
        ],
        unique=False,
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_ledger_months_relation", table_name="ledger_months")
