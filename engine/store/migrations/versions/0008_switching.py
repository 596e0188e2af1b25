"""Switching: districts, changes and conditions of rules; the rule of a dispatch; shadow sends and consents"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from engine.store.types import Instant, JsonText

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_RULE_COLUMNS: dict[str, Any] = {
    "district_id": sa.String(length=64),
    "change_id": sa.String(length=64),
    "ended_by": sa.String(length=64),
    "restores": sa.String(length=64),
    "revert_if": JsonText(),
}


def upgrade() -> None:
    """Apply."""
    for name, kind in _RULE_COLUMNS.items():
        op.add_column("channel_rules", sa.Column(name, kind, nullable=True))
    for name in ("change_id", "ended_by"):
        op.create_index(op.f(f"ix_channel_rules_{name}"), "channel_rules", [name], unique=False)
    op.add_column("dispatches", sa.Column("rule_id", sa.String(length=64), nullable=True))
    op.create_index(op.f("ix_dispatches_rule_id"), "dispatches", ["rule_id"], unique=False)
    op.create_table(
        "rule_changes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("act_id", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("undoes", sa.String(length=64), nullable=True),
        sa.Column("scope", JsonText(), nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("effective", Instant(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("effects", JsonText(), nullable=False),
        sa.Column("figures", JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_changes")),
    )
    op.create_index(op.f("ix_rule_changes_act_id"), "rule_changes", ["act_id"], unique=False)
    op.create_index(
        op.f("ix_rule_changes_authority_id_at"), "rule_changes", ["authority_id", "at"], unique=False
    )
    op.create_table(
        "shadow_sends",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("exchange_id", sa.String(length=64), nullable=False),
        sa.Column("rule_id", sa.String(length=64), nullable=False),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("message_type", sa.String(length=80), nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("content", sa.String(length=20), nullable=False),
        sa.Column("test_exchange", sa.String(length=64), nullable=False),
        sa.Column("dispatch_id", sa.String(length=64), nullable=True),
        sa.Column("sent", JsonText(), nullable=True),
        sa.Column("reported", JsonText(), nullable=True),
        sa.Column("differences", JsonText(), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("handed_over_at", Instant(timezone=True), nullable=True),
        sa.Column("compared_at", Instant(timezone=True), nullable=True),
        sa.Column("purged_at", Instant(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_sends")),
        sa.UniqueConstraint("exchange_id", "channel", name=op.f("uq_shadow_sends_exchange_id_channel")),
        sa.UniqueConstraint("test_exchange", name=op.f("uq_shadow_sends_test_exchange")),
        sa.UniqueConstraint("dispatch_id", name=op.f("uq_shadow_sends_dispatch_id")),
    )
    op.create_index(op.f("ix_shadow_sends_rule_id"), "shadow_sends", ["rule_id"], unique=False)
    op.create_index(
        op.f("ix_shadow_sends_authority_id_created_at"),
        "shadow_sends",
        ["authority_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "shadow_consents",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("sender_id", sa.String(length=64), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("given_by", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("recorded_at", Instant(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
        sa.Column("withdrawn_at", Instant(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_consents")),
    )
    op.create_index(
        op.f("ix_shadow_consents_sender_id_recipient_id"),
        "shadow_consents",
        ["sender_id", "recipient_id"],
        unique=False,
    )


def downgrade() -> None:
    """Take back."""
    for table in ("shadow_consents", "shadow_sends", "rule_changes"):
        op.drop_table(table)
    op.drop_index(op.f("ix_dispatches_rule_id"), "dispatches")
    op.drop_column("dispatches", "rule_id")
    for name in ("change_id", "ended_by"):
        op.drop_index(op.f(f"ix_channel_rules_{name}"), "channel_rules")
    for name in reversed(_RULE_COLUMNS):
        op.drop_column("channel_rules", name)
