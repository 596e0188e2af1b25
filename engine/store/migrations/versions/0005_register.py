"""Why steps still are on paper; figures from before there was a history"""

import sqlalchemy as sa
from alembic import op

from engine.store.types import Instant, JsonText

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "step_reasons",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=True),
        sa.Column("relief", sa.Text(), nullable=True),
        sa.Column("since", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("set_at", Instant(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step_reasons")),
    )
    op.create_index(
        op.f("ix_step_reasons_authority_id_procedure_key_element_id"),
        "step_reasons",
        ["authority_id", "procedure_key", "element_id"],
    )
    op.create_table(
        "volume_imports",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("file_name", sa.String(length=400), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("mapping", JsonText(), nullable=False),
        sa.Column("counted", sa.BigInteger(), nullable=False),
        sa.Column("left_out", sa.Integer(), nullable=False),
        sa.Column("imported_at", Instant(timezone=True), nullable=False),
        sa.Column("imported_by", sa.String(length=64), nullable=False),
        sa.Column("replaced_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_volume_imports")),
    )
    op.create_index(
        op.f("ix_volume_imports_authority_id_source"), "volume_imports", ["authority_id", "source"]
    )
    op.create_table(
        "imported_volumes",
        sa.Column("import_id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("level", sa.String(length=1), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "import_id",
            "authority_id",
            "procedure_key",
            "element_id",
            "recipient_id",
            "month",
            "level",
            name=op.f("pk_imported_volumes"),
        ),
    )
    op.create_index(
        op.f("ix_imported_volumes_authority_id_procedure_key_element_id"),
        "imported_volumes",
        ["authority_id", "procedure_key", "element_id"],
    )


def downgrade() -> None:
    """Take back."""
    for name in ("imported_volumes", "volume_imports", "step_reasons"):
        op.drop_table(name)
