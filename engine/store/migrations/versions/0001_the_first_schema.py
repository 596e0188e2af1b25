"""The first schema"""

import sqlalchemy as sa
from alembic import op

from engine.store.types import Instant, JsonText

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "arrival_parts",
        sa.Column("arrival_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("arrival_id", "position", name=op.f("pk_arrival_parts")),
    )
    op.create_table(
        "arrivals",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=True),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("carrier_reference", sa.String(length=300), nullable=False),
        sa.Column("received_at", Instant(timezone=True), nullable=False),
        sa.Column("sender_id", sa.String(length=64), nullable=True),
        sa.Column("claimed_sender_id", sa.String(length=64), nullable=True),
        sa.Column("assurance", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("message_type", sa.String(length=80), nullable=True),
        sa.Column("message_version", sa.String(length=40), nullable=True),
        sa.Column("data", JsonText(), nullable=True),
        sa.Column("references", JsonText(), nullable=False),
        sa.Column("sender_exchange", sa.String(length=120), nullable=True),
        sa.Column("sender_key", sa.String(length=120), nullable=True),
        sa.Column("sender_reference", sa.String(length=120), nullable=True),
        sa.Column("case_id", sa.String(length=64), nullable=True),
        sa.Column("exchange_id", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("remarks", JsonText(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("registered_by", sa.String(length=64), nullable=False),
        sa.Column("registered_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_arrivals")),
        sa.UniqueConstraint(
            "authority_id",
            "channel",
            "carrier_reference",
            name=op.f("uq_arrivals_authority_id_channel_carrier_reference"),
        ),
    )
    op.create_index(
        op.f("ix_arrivals_authority_id_sender_key"), "arrivals", ["authority_id", "sender_key"], unique=False
    )
    op.create_index(
        op.f("ix_arrivals_authority_id_status_received_at"),
        "arrivals",
        ["authority_id", "status", "received_at"],
        unique=False,
    )
    op.create_index(op.f("ix_arrivals_case_id"), "arrivals", ["case_id"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("details", JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_authority_id_at"), "audit", ["authority_id", "at"], unique=False)
    op.create_table(
        "authorities",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("official_name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("district_id", sa.String(length=64), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("address", JsonText(), nullable=False),
        sa.Column("contact", JsonText(), nullable=False),
        sa.Column("own", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorities")),
    )
    op.create_table(
        "case_documents",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("added_at", Instant(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_documents")),
    )
    op.create_index(op.f("ix_case_documents_case_id"), "case_documents", ["case_id"], unique=False)
    op.create_table(
        "case_states",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("chain_head", sa.String(length=64), nullable=False),
        sa.Column("result", JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_states")),
    )
    op.create_table(
        "cases",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=True),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("version_id", sa.String(length=64), nullable=False),
        sa.Column("process_id", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("own_reference", sa.String(length=80), nullable=False),
        sa.Column("partner_reference", sa.String(length=80), nullable=True),
        sa.Column("partner_id", sa.String(length=64), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("started_at", Instant(timezone=True), nullable=False),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("ended_at", Instant(timezone=True), nullable=True),
        sa.Column("end_events", JsonText(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint(
            "authority_id", "own_reference", name=op.f("uq_cases_authority_id_own_reference")
        ),
    )
    op.create_index(
        op.f("ix_cases_authority_id_partner_reference"),
        "cases",
        ["authority_id", "partner_reference"],
        unique=False,
    )
    op.create_index(
        op.f("ix_cases_authority_id_status_started_at"),
        "cases",
        ["authority_id", "status", "started_at"],
        unique=False,
    )
    op.create_table(
        "chain",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "sequence", name=op.f("pk_chain")),
    )
    op.create_table(
        "channel_rules",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("procedure_key", sa.String(length=80), nullable=True),
        sa.Column("element_id", sa.String(length=200), nullable=True),
        sa.Column("recipient_id", sa.String(length=64), nullable=True),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.Column("valid_from", Instant(timezone=True), nullable=False),
        sa.Column("valid_until", Instant(timezone=True), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_rules")),
    )
    op.create_index(
        op.f("ix_channel_rules_authority_id_procedure_key"),
        "channel_rules",
        ["authority_id", "procedure_key"],
        unique=False,
    )
    op.create_table(
        "counters",
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("authority_id", "name", name=op.f("uq_counters_authority_id_name")),
    )
    op.create_table(
        "dispatch_parts",
        sa.Column("dispatch_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("role", sa.String(length=40), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dispatch_id", "position", name=op.f("pk_dispatch_parts")),
    )
    op.create_table(
        "dispatches",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("exchange_id", sa.String(length=64), nullable=True),
        sa.Column("arrival_id", sa.String(length=64), nullable=True),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("intended_channel", sa.String(length=80), nullable=False),
        sa.Column("decision", JsonText(), nullable=False),
        sa.Column("carrier_reference", sa.String(length=300), nullable=True),
        sa.Column("prepared", JsonText(), nullable=True),
        sa.Column("level", sa.String(length=1), nullable=False),
        sa.Column("copy", sa.Boolean(), nullable=False),
        sa.Column("test", sa.Boolean(), nullable=False),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("handed_over_at", Instant(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispatches")),
        sa.UniqueConstraint("arrival_id", "purpose", name=op.f("uq_dispatches_arrival_id_purpose")),
        sa.UniqueConstraint("exchange_id", "number", name=op.f("uq_dispatches_exchange_id_number")),
    )
    op.create_index(
        op.f("ix_dispatches_authority_id_state"), "dispatches", ["authority_id", "state"], unique=False
    )
    op.create_index(
        op.f("ix_dispatches_carrier_reference"), "dispatches", ["carrier_reference"], unique=False
    )
    op.create_table(
        "documents",
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("stored_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("authority_id", "sha256", name=op.f("pk_documents")),
    )
    op.create_table(
        "evidence",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=True),
        sa.Column("exchange_id", sa.String(length=64), nullable=True),
        sa.Column("dispatch_id", sa.String(length=64), nullable=True),
        sa.Column("arrival_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evidence")),
    )
    op.create_index(op.f("ix_evidence_arrival_id"), "evidence", ["arrival_id"], unique=False)
    op.create_index(op.f("ix_evidence_case_id"), "evidence", ["case_id"], unique=False)
    op.create_index(op.f("ix_evidence_exchange_id"), "evidence", ["exchange_id"], unique=False)
    op.create_table(
        "exchange_documents",
        sa.Column("exchange_id", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("media_type", sa.String(length=120), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("exchange_id", "position", name=op.f("pk_exchange_documents")),
    )
    op.create_table(
        "exchanges",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("code_key", sa.String(length=40), nullable=False),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("message_type", sa.String(length=80), nullable=False),
        sa.Column("message_version", sa.String(length=40), nullable=False),
        sa.Column("recipient_id", sa.String(length=64), nullable=False),
        sa.Column("form", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=400), nullable=False),
        sa.Column("data", JsonText(), nullable=False),
        sa.Column("fallback", sa.String(length=20), nullable=False),
        sa.Column("answer_to", sa.String(length=120), nullable=True),
        sa.Column("own_answer_to", sa.String(length=64), nullable=True),
        sa.Column("reminds", sa.String(length=64), nullable=True),
        sa.Column("answer_due", sa.Date(), nullable=True),
        sa.Column("created_at", Instant(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("answered_at", Instant(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchanges")),
        sa.UniqueConstraint("case_id", "key", name=op.f("uq_exchanges_case_id_key")),
    )
    op.create_index(
        op.f("ix_exchanges_authority_id_status_created_at"),
        "exchanges",
        ["authority_id", "status", "created_at"],
        unique=False,
    )
    op.create_index(op.f("ix_exchanges_code_key"), "exchanges", ["code_key"], unique=False)
    op.create_table(
        "facts",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("exchange_id", sa.String(length=64), nullable=False),
        sa.Column("dispatch_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", Instant(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facts")),
        sa.UniqueConstraint("dispatch_id", "kind", "at", name=op.f("uq_facts_dispatch_id_kind_at")),
    )
    op.create_index(op.f("ix_facts_exchange_id"), "facts", ["exchange_id"], unique=False)
    op.create_table(
        "history",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("command", JsonText(), nullable=False),
        sa.Column("steps", JsonText(), nullable=False),
        sa.Column("salt", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("case_id", "sequence", name=op.f("pk_history")),
    )
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=True),
        sa.Column("element_id", sa.String(length=200), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("opened_at", Instant(timezone=True), nullable=False),
        sa.Column("closed_at", Instant(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
    )
    op.create_index(
        op.f("ix_incidents_authority_id_status_opened_at"),
        "incidents",
        ["authority_id", "status", "opened_at"],
        unique=False,
    )
    op.create_index(op.f("ix_incidents_case_id"), "incidents", ["case_id"], unique=False)
    op.create_index(op.f("ix_incidents_subject_id"), "incidents", ["subject_id"], unique=False)
    op.create_table(
        "installation",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_installation")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=True),
        sa.Column("arguments", JsonText(), nullable=False),
        sa.Column("due_at", Instant(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("lease_until", Instant(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_jobs_kind_key")),
    )
    op.create_index(op.f("ix_jobs_due_at"), "jobs", ["due_at"], unique=False)
    op.create_table(
        "mailboxes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=80), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("formats", JsonText(), nullable=False),
        sa.Column("max_bytes", sa.Integer(), nullable=True),
        sa.Column("form_classes", JsonText(), nullable=False),
        sa.Column("accepts_test", sa.Boolean(), nullable=False),
        sa.Column("settings", JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailboxes")),
    )
    op.create_index(
        op.f("ix_mailboxes_authority_id_channel"), "mailboxes", ["authority_id", "channel"], unique=False
    )
    op.create_table(
        "message_buffer",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("correlation", JsonText(), nullable=False),
        sa.Column("payload", JsonText(), nullable=False),
        sa.Column("origin", sa.String(length=300), nullable=False),
        sa.Column("arrived_at", Instant(timezone=True), nullable=False),
        sa.Column("expires_at", Instant(timezone=True), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_buffer")),
        sa.UniqueConstraint("authority_id", "origin", name=op.f("uq_message_buffer_authority_id_origin")),
    )
    op.create_index(
        op.f("ix_message_buffer_authority_id_name_status"),
        "message_buffer",
        ["authority_id", "name", "status"],
        unique=False,
    )
    op.create_table(
        "message_types",
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("content", JsonText(), nullable=False),
        sa.Column("deployed_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", "version", name=op.f("pk_message_types")),
    )
    op.create_table(
        "package_files",
        sa.Column("version_id", sa.String(length=64), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "path", name=op.f("pk_package_files")),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("roles", JsonText(), nullable=False),
        sa.Column("units", JsonText(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
    )
    op.create_index(op.f("ix_people_authority_id"), "people", ["authority_id"], unique=False)
    op.create_table(
        "procedure_versions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("deployed_at", Instant(timezone=True), nullable=False),
        sa.Column("deployed_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_procedure_versions")),
        sa.UniqueConstraint(
            "procedure_key", "content_hash", name=op.f("uq_procedure_versions_procedure_key_content_hash")
        ),
        sa.UniqueConstraint(
            "procedure_key", "number", name=op.f("uq_procedure_versions_procedure_key_number")
        ),
    )
    op.create_table(
        "processes",
        sa.Column("version_id", sa.String(length=64), nullable=False),
        sa.Column("process_id", sa.String(length=200), nullable=False),
        sa.Column("procedure_key", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("file", sa.String(length=400), nullable=False),
        sa.Column("manual_start", sa.Boolean(), nullable=False),
        sa.Column("start_messages", JsonText(), nullable=False),
        sa.Column("exchange_steps", JsonText(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", "process_id", name=op.f("pk_processes")),
    )
    op.create_table(
        "subscriptions",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("instance", sa.String(length=80), nullable=False),
        sa.Column("event", sa.String(length=200), nullable=True),
        sa.Column("answers", sa.String(length=300), nullable=True),
        sa.Column("correlation", JsonText(), nullable=False),
        sa.Column("opened_at", Instant(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
    )
    op.create_index(
        op.f("ix_subscriptions_authority_id_kind_event"),
        "subscriptions",
        ["authority_id", "kind", "event"],
        unique=False,
    )
    op.create_index(op.f("ix_subscriptions_case_id"), "subscriptions", ["case_id"], unique=False)
    op.create_index(
        op.f("ix_subscriptions_case_id_answers"), "subscriptions", ["case_id", "answers"], unique=False
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("unit_id", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("instance", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=400), nullable=False),
        sa.Column("form", sa.String(length=200), nullable=True),
        sa.Column("subject_id", sa.String(length=64), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("opened_at", Instant(timezone=True), nullable=False),
        sa.Column("due_at", Instant(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.String(length=64), nullable=True),
        sa.Column("claimed_at", Instant(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=64), nullable=True),
        sa.Column("closed_at", Instant(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(op.f("ix_tasks_case_id"), "tasks", ["case_id"], unique=False)
    op.create_index("ix_tasks_claimed", "tasks", ["authority_id", "claimed_by", "status"], unique=False)
    op.create_index(
        "ix_tasks_inbox",
        "tasks",
        ["authority_id", "status", sa.text("(due_at IS NULL)"), "due_at", "opened_at", "id"],
        unique=False,
    )
    op.create_table(
        "timers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("element_id", sa.String(length=200), nullable=False),
        sa.Column("instance", sa.String(length=80), nullable=False),
        sa.Column("expression", sa.Text(), nullable=True),
        sa.Column("due_at", Instant(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_timers")),
    )
    op.create_index(op.f("ix_timers_case_id"), "timers", ["case_id"], unique=False)
    op.create_index(op.f("ix_timers_due_at"), "timers", ["due_at"], unique=False)
    op.create_table(
        "units",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
    )
    op.create_index(op.f("ix_units_authority_id"), "units", ["authority_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_units_authority_id"), table_name="units")
    op.drop_table("units")
    op.drop_index(op.f("ix_timers_due_at"), table_name="timers")
    op.drop_index(op.f("ix_timers_case_id"), table_name="timers")
    op.drop_table("timers")
    op.drop_index("ix_tasks_inbox", table_name="tasks")
    op.drop_index("ix_tasks_claimed", table_name="tasks")
    op.drop_index(op.f("ix_tasks_case_id"), table_name="tasks")
    op.drop_table("tasks")
    op.drop_index(op.f("ix_subscriptions_case_id_answers"), table_name="subscriptions")
    op.drop_index(op.f("ix_subscriptions_case_id"), table_name="subscriptions")
    op.drop_index(op.f("ix_subscriptions_authority_id_kind_event"), table_name="subscriptions")
    op.drop_table("subscriptions")
    op.drop_table("processes")
    op.drop_table("procedure_versions")
    op.drop_index(op.f("ix_people_authority_id"), table_name="people")
    op.drop_table("people")
    op.drop_table("package_files")
    op.drop_table("message_types")
    op.drop_index(op.f("ix_message_buffer_authority_id_name_status"), table_name="message_buffer")
    op.drop_table("message_buffer")
    op.drop_index(op.f("ix_mailboxes_authority_id_channel"), table_name="mailboxes")
    op.drop_table("mailboxes")
    op.drop_index(op.f("ix_jobs_due_at"), table_name="jobs")
    op.drop_table("jobs")
    op.drop_table("installation")
    op.drop_index(op.f("ix_incidents_subject_id"), table_name="incidents")
    op.drop_index(op.f("ix_incidents_case_id"), table_name="incidents")
    op.drop_index(op.f("ix_incidents_authority_id_status_opened_at"), table_name="incidents")
    op.drop_table("incidents")
    op.drop_table("history")
    op.drop_index(op.f("ix_facts_exchange_id"), table_name="facts")
    op.drop_table("facts")
    op.drop_index(op.f("ix_exchanges_code_key"), table_name="exchanges")
    op.drop_index(op.f("ix_exchanges_authority_id_status_created_at"), table_name="exchanges")
    op.drop_table("exchanges")
    op.drop_table("exchange_documents")
    op.drop_index(op.f("ix_evidence_exchange_id"), table_name="evidence")
    op.drop_index(op.f("ix_evidence_case_id"), table_name="evidence")
    op.drop_index(op.f("ix_evidence_arrival_id"), table_name="evidence")
    op.drop_table("evidence")
    op.drop_table("documents")
    op.drop_index(op.f("ix_dispatches_carrier_reference"), table_name="dispatches")
    op.drop_index(op.f("ix_dispatches_authority_id_state"), table_name="dispatches")
    op.drop_table("dispatches")
    op.drop_table("dispatch_parts")
    op.drop_table("counters")
    op.drop_index(op.f("ix_channel_rules_authority_id_procedure_key"), table_name="channel_rules")
    op.drop_table("channel_rules")
    op.drop_table("chain")
    op.drop_index(op.f("ix_cases_authority_id_status_started_at"), table_name="cases")
    op.drop_index(op.f("ix_cases_authority_id_partner_reference"), table_name="cases")
    op.drop_table("cases")
    op.drop_table("case_states")
    op.drop_index(op.f("ix_case_documents_case_id"), table_name="case_documents")
    op.drop_table("case_documents")
    op.drop_table("authorities")
    op.drop_index(op.f("ix_audit_authority_id_at"), table_name="audit")
    op.drop_table("audit")
    op.drop_index(op.f("ix_arrivals_case_id"), table_name="arrivals")
    op.drop_index(op.f("ix_arrivals_authority_id_status_received_at"), table_name="arrivals")
    op.drop_index(op.f("ix_arrivals_authority_id_sender_key"), table_name="arrivals")
    op.drop_table("arrivals")
    op.drop_table("arrival_parts")
