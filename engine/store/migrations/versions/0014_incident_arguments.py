"""An incident keeps the arguments of the job that failed, so that every kind can be tried again"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("incidents", sa.Column("arguments", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("incidents") as batch:
        batch.drop_column("arguments")
