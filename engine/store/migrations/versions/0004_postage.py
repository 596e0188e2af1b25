"""What a posted letter cost: postage, pages, product and print run of a dispatch"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("dispatches", sa.Column("postage_cents", sa.Integer(), nullable=True))
    op.add_column("dispatches", sa.Column("pages", sa.Integer(), nullable=True))
    op.add_column("dispatches", sa.Column("product", sa.String(length=40), nullable=True))
    op.add_column("dispatches", sa.Column("print_run", sa.String(length=40), nullable=True))


def downgrade() -> None:
    """Take back."""
    for name in ("print_run", "product", "pages", "postage_cents"):
        op.drop_column("dispatches", name)
