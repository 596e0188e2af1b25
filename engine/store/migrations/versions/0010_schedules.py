"""Schedules: timer starts of procedures that an authority has switched on"""

import sqlalchemy as sa
from alembic import op

from engine.store.types import Instant

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "schedules",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=True),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("process_id", sa.String(length=200), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("expression", sa.Text(), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("reference_at", Instant(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("due_at", Instant(timezone=True), nullable=True),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("switched_at", Instant(timezone=True), nullable=False),
        sa.Column("switched_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
    )
    op.create_index(op.f("ix_schedules_due_at"), "schedules", ["due_at"], unique=False)
    op.create_index(op.f("ix_schedules_procedure_key"), "schedules", ["procedure_key"], unique=False)
    op.create_index(
        "ux_schedules_start",
        "schedules",
        [
            "authority_id",
            "procedure_key",
            "process_id",
            "element_id",
            "position",
            sa.text("coalesce(unit_id, '')"),
        ],
        unique=True,
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("schedules")
