"""All tables, by what they are about. One ``MetaData`` that Alembic and the unit of work share."""

from engine.store.tables.base import metadata
from engine.store.tables.cases import (
    case_documents,
    case_states,
    cases,
    chain,
    counters,
    documents,
    history,
    incidents,
    message_buffer,
    subscriptions,
    tasks,
    timers,
)
from engine.store.tables.content import message_types, package_files, procedure_versions, processes
from engine.store.tables.deadlines import deadlines
from engine.store.tables.directory import (
    authorities,
    installation,
    mailbox_health,
    mailboxes,
    people,
    units,
)
from engine.store.tables.exchange import (
    arrival_parts,
    arrivals,
    audit,
    channel_rules,
    dispatch_parts,
    dispatches,
    evidence,
    exchange_documents,
    exchanges,
    facts,
)
from engine.store.tables.migration import imported_volumes, step_reasons, volume_imports
from engine.store.tables.work import jobs

__all__ = [
    "arrival_parts",
    "arrivals",
    "audit",
    "authorities",
    "case_documents",
    "case_states",
    "cases",
    "chain",
    "channel_rules",
    "counters",
    "deadlines",
    "dispatch_parts",
    "dispatches",
    "documents",
    "evidence",
    "exchange_documents",
    "exchanges",
    "facts",
    "history",
    "imported_volumes",
    "incidents",
    "installation",
    "jobs",
    "mailbox_health",
    "mailboxes",
    "message_buffer",
    "message_types",
    "metadata",
    "package_files",
    "people",
    "procedure_versions",
    "processes",
    "step_reasons",
    "subscriptions",
    "tasks",
    "timers",
    "units",
    "volume_imports",
]
