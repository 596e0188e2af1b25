"""What the last look at each mailbox found"""

import sqlalchemy as sa
from alembic import op

from engine.store.types import Instant, JsonText

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "mailbox_health",
        sa.Column("mailbox_id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("checked_at", Instant(timezone=True), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("findings", JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox_id", name=op.f("pk_mailbox_health")),
    )
    op.create_index(op.f("ix_mailbox_health_authority_id"), "mailbox_health", ["authority_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table("mailbox_health")
