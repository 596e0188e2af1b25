"""What the migration keeps beside rules and exchanges. One section a matter."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from engine.store.tables.base import WITHOUT_ROWID, identifier, metadata, owner
from engine.store.types import Instant, JsonText

# --- register: why a step still is on paper, and figures from before there was a history ---

# Rows are never changed: the newest of a step counts, the others are its history.
step_reasons = Table(
    "step_reasons",
    metadata,
    identifier(primary_key=True),
    owner(),
    Column("procedure_key", String(80), nullable=False),
    Column("element_id", String(200), nullable=False),
    # None: back to what the procedure or the form class says.
    Column("why", String(20)),
    Column("relief", Text),
    Column("since", Date),
    Column("source", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("set_by", String(64), nullable=False),
    Index(None, "authority_id", "procedure_key", "element_id"),
)

# authority_id is the importing authority; the figures name their senders.
volume_imports = Table(
    "volume_imports",
    metadata,
    identifier(primary_key=True),
    owner(),
    # The importer's name for where the figures come from: the same source replaces its earlier figures.
    Column("source", String(120), nullable=False),
    Column("file_name", String(400), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("mapping", JsonText, nullable=False),
    Column("counted", BigInteger, nullable=False),
    Column("left_out", Integer, nullable=False),
    Column("imported_at", Instant, nullable=False),
    Column("imported_by", String(64), nullable=False),
    Column("replaced_at", Instant),
    Index(None, "authority_id", "source"),
)

# authority_id is the sender.
imported_volumes = Table(
    "imported_volumes",
    metadata,
    identifier("import_id", primary_key=True),
    identifier("authority_id", primary_key=True),
    Column("procedure_key", String(80), primary_key=True),
    Column("element_id", String(200), primary_key=True),
    identifier("recipient_id", primary_key=True),
    Column("month", String(7), primary_key=True),
    # Evidence level A to D; "?" where the source does not say how it travelled.
    Column("level", String(1), primary_key=True),
    Column("count", BigInteger, nullable=False),
    Index(None, "authority_id", "procedure_key", "element_id"),
)

# --- ledger: no personal data, so that statistics survive the deletion of cases ---

ledger = Table(
    "ledger",
    metadata,
    identifier("exchange_id", primary_key=True),
    owner(),
    Column("procedure_key", String(80), nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("recipient_id", String(64), nullable=False),
    Column("month", String(7), nullable=False),
    # Which months' rows this row is added up in.
    Column("cell", BigInteger, nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("intended_channel", String(80)),
    Column("channel", String(80)),
    Column("level", String(1)),
    Column("fallback", String(40)),
    Column("receipt", String(40)),
    Column("created_at", Instant, nullable=False),
    Column("handed_over_at", Instant),
    Column("posted_at", Instant),
    Column("received_at", Instant),
    Column("answered_at", Instant),
    Column("rejected", Boolean, nullable=False),
    Column("copies", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("postage_cents", Integer),
    # What the letter would have cost; None: not electronic, or no price is known.
    Column("spared_cents", Integer),
)

ledger_arrivals = Table(
    "ledger_arrivals",
    metadata,
    identifier("arrival_id", primary_key=True),
    owner(),
    Column("procedure_key", String(80), nullable=False),
    Column("partner_id", String(64), nullable=False),
    Column("month", String(7), nullable=False),
    Column("cell", BigInteger, nullable=False, index=True),
    Column("channel", String(80), nullable=False),
    Column("scanned", Boolean, nullable=False),
    Column("printed", Boolean, nullable=False),
)

# What became of a deadline. Without an exchange the step is empty, without an arrival the recipient, too.
ledger_deadlines = Table(
    "ledger_deadlines",
    metadata,
    identifier("deadline_id", primary_key=True),
    owner(),
    Column("procedure_key", String(80), nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("recipient_id", String(64), nullable=False),
    Column("month", String(7), nullable=False),
    Column("cell", BigInteger, nullable=False, index=True),
    Column("outcome", String(16), nullable=False),
    # It runs from the notification of an act; that day is the one which the law presumes.
    Column("notified", Boolean, nullable=False),
    Column("presumed", Boolean, nullable=False),
)

# A cell whose rows changed since it was last added up. Appended only: nobody waits for anybody.
ledger_marks = Table(
    "ledger_marks",
    metadata,
    identifier(primary_key=True),
    owner(),
    Column("cell", BigInteger, nullable=False),
    Column("month", String(7), nullable=False),
    Index(None, "month", "authority_id"),
)

# authority_id is the sender; source is empty for own figures, else the report they came with.
ledger_months = Table(
    "ledger_months",
    metadata,
    Column("cell", BigInteger, primary_key=True, autoincrement=False),
    Column("intended_channel", String(80), primary_key=True),
    Column("channel", String(80), primary_key=True),
    Column("level", String(1), primary_key=True),
    Column("state", String(16), primary_key=True),
    Column("fallback", String(40), primary_key=True),
    owner(),
    Column("procedure_key", String(80), nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("recipient_id", String(64), nullable=False),
    Column("month", String(7), nullable=False),
    Column("source", String(64), nullable=False),
    Column("exchanges", Integer, nullable=False),
    Column("receipts", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("copies", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("postage_cents", BigInteger, nullable=False),
    Column("posted", Integer, nullable=False),
    Column("spared_cents", BigInteger, nullable=False),
    Column("spared", Integer, nullable=False),
    Column("arrivals", Integer, nullable=False),
    Column("scanned", Integer, nullable=False),
    Column("printed", Integer, nullable=False),
    Column("deadlines", Integer, nullable=False, server_default="0"),
    Column("notified", Integer, nullable=False, server_default="0"),
    Column("presumed", Integer, nullable=False, server_default="0"),
    # Whole minutes, separated by blanks.
    Column("transports", Text),
    Column("leads", Text),
    Index(None, "authority_id", "month"),
    Index("ix_ledger_months_place", "month", "procedure_key", "element_id", "recipient_id"),
    # Holds all that is asked of relations, in their order: no row is read, nothing is sorted.
    Index(
        "ix_ledger_months_relation",
        *("authority_id", "procedure_key", "element_id", "recipient_id", "state", "month", "level"),
        *("exchanges", "cell"),
    ),
)

# Months added up without recipient (kept: steps), without procedure and step (kept: recipients), and without
# sender (kept: everybody); what is left out is empty. Of own figures and of reports alike.
ledger_totals = Table(
    "ledger_totals",
    metadata,
    Column("kept", String(16), primary_key=True),
    identifier("authority_id", primary_key=True),
    Column("month", String(7), primary_key=True),
    Column("procedure_key", String(80), primary_key=True),
    Column("element_id", String(200), primary_key=True),
    identifier("recipient_id", primary_key=True),
    Column("intended_channel", String(80), primary_key=True),
    Column("channel", String(80), primary_key=True),
    Column("level", String(1), primary_key=True),
    Column("state", String(16), primary_key=True),
    Column("fallback", String(40), primary_key=True),
    *(
        Column(name, BigInteger, nullable=False)
        for name in (
            *("exchanges", "receipts", "answered", "rejected", "copies", "failed"),
            *("postage_cents", "posted", "spared_cents", "spared", "arrivals", "scanned", "printed"),
        )
    ),
    *(
        Column(name, BigInteger, nullable=False, server_default="0")
        for name in ("deadlines", "notified", "presumed")
    ),
    Column("transports", Text),
    Column("leads", Text),
    info=WITHOUT_ROWID,
)

# Another installation whose reports are taken: authority_id is the own authority that trusted it.
ledger_partners = Table(
    "ledger_partners",
    metadata,
    identifier(primary_key=True),
    owner(),
    Column("name", String(200), nullable=False),
    Column("public_key", String(64), nullable=False, unique=True),
    # Keys of the authorities it may report of.
    Column("senders", JsonText, nullable=False),
    Column("trusted_at", Instant, nullable=False),
    Column("trusted_by", String(64), nullable=False),
)

# One row a month that a partner has reported.
ledger_reports = Table(
    "ledger_reports",
    metadata,
    identifier("partner_id", primary_key=True),
    Column("month", String(7), primary_key=True),
    owner(),
    Column("made_at", Instant, nullable=False),
    Column("imported_at", Instant, nullable=False),
    Column("digest", String(64), nullable=False),
)

# --- switching ---------------------------------------------------------------------------------------------

# One row a sender and act: who put what in force, and what it did. Rules name it (change_id, ended_by).
rule_changes = Table(
    "rule_changes",
    metadata,
    identifier(primary_key=True),
    owner(),
    # Rows of one act over several senders share it.
    identifier("act_id", index=True),
    Column("at", Instant, nullable=False),
    Column("by", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("undoes", String(64)),
    Column("scope", JsonText, nullable=False),
    Column("channel", String(80), nullable=False),
    Column("stage", String(20), nullable=False),
    Column("share", Integer, nullable=False),
    Column("effective", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("effects", JsonText, nullable=False),
    Column("figures", JsonText),
    Index(None, "authority_id", "at"),
)

# --- shadow sends ------------------------------------------------------------------------------------------

shadow_sends = Table(
    "shadow_sends",
    metadata,
    identifier(primary_key=True),
    owner(),
    # The real exchange whose send it accompanies.
    identifier("exchange_id"),
    identifier("rule_id", index=True),
    Column("procedure_key", String(80), nullable=False),
    Column("element_id", String(200), nullable=False),
    Column("recipient_id", String(64), nullable=False),
    Column("message_type", String(80), nullable=False),
    Column("channel", String(80), nullable=False),
    Column("state", String(20), nullable=False),
    Column("content", String(20), nullable=False),
    # Its own identity on the wire; never the real exchange's.
    identifier("test_exchange", unique=True),
    Column("dispatch_id", String(64), unique=True),
    # Digests of what was sent and of what the receiver reports; no content.
    Column("sent", JsonText),
    Column("reported", JsonText),
    Column("differences", JsonText),
    Column("created_at", Instant, nullable=False),
    Column("handed_over_at", Instant),
    Column("compared_at", Instant),
    Column("purged_at", Instant),
    Column("reason", Text),
    UniqueConstraint("exchange_id", "channel"),
    Index(None, "authority_id", "created_at"),
)

# Both authorities have to agree before real content travels in tests.
shadow_consents = Table(
    "shadow_consents",
    metadata,
    identifier(primary_key=True),
    owner(),
    identifier("sender_id"),
    identifier("recipient_id"),
    # Who agrees: the sender or the recipient.
    identifier("given_by"),
    Column("person", String(200), nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("reason", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by", String(64), nullable=False),
    Column("withdrawn_at", Instant),
    Column("withdrawn_by", String(64)),
    Index(None, "sender_id", "recipient_id"),
)
