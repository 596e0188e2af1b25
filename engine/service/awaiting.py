"""Confirmations that are owed: a recipient that stays silent after the agreed term is a clerk's business.

The term stands in the recipient's mailbox settings, as an ISO 8601 period from the hand-over:
``{"receipt_within": "P3D", "import_within": "P2W"}``. A confirmation is only awaited where the payload says
that the recipient owes it; without a term nobody waits.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, or_, select, update

from engine.deadlines.iso import Period, add_period
from engine.exchange.abilities import ExpectsConfirmations
from engine.exchange.ports import split_channel
from engine.service.mailbox_json import mailbox_from_json
from engine.service.terms import TERMS, term
from engine.store.tables import cases, dispatches, exchanges, facts, incidents
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

SYSTEM = "system"
MISSING = {"received": "no-receipt", "imported": "no-import"}
"""Kind of confirmation → kind of the incident when it does not come."""
_SAYS_AS_MUCH = {
    "received": ("received", "imported", "rejected", "answered"),
    "imported": ("imported", "rejected"),
}
"""Kind of confirmation → facts after which nobody waits for it any more."""


def expect(app: "Installation", tx: Connection, exchange: RowMapping, dispatch: RowMapping) -> None:
    """Enqueue a look at what a dispatch, just handed over, will have been confirmed by when its term ends."""
    for kind, period in _owed(app, tx, exchange, dispatch):
        app.queue.enqueue(
            tx,
            "awaited",
            {"dispatch": dispatch["id"], "kind": kind, "case": exchange["case_id"]},
            authority_id=dispatch["authority_id"],
            key=f"awaited:{kind}:{dispatch['id']}",
            due=add_period(app.clock.now(), period),
        )


def _owed(
    app: "Installation", tx: Connection, exchange: RowMapping, dispatch: RowMapping
) -> Iterator[tuple[str, Period]]:
    recipient = mailbox_from_json(dispatch["prepared"]["recipient"])
    terms = {kind: name for kind, name in TERMS.items() if name in recipient.settings}
    if not terms:
        return
    payload_name, _ = split_channel(dispatch["channel"])
    payload = app.adapters.payload(payload_name)
    if not isinstance(payload, ExpectsConfirmations):
        return
    version_id = tx.execute(select(cases.c.version_id).where(cases.c.id == exchange["case_id"])).scalar_one()
    message_type = app.programs.message_type(tx, version_id, exchange["message_type"])
    for kind in sorted(payload.expects(message_type, recipient) & set(terms)):
        yield kind, term(recipient.settings, terms[kind])


def handle_awaited(app: "Installation", tx: Connection, job: Job) -> None:
    """Open an incident, once, where the confirmation has not come."""
    from engine.service.outcomes import open_incident

    dispatch_id, kind = job.arguments["dispatch"], job.arguments["kind"]
    dispatch = tx.execute(select(dispatches).where(dispatches.c.id == dispatch_id)).mappings().one()
    query = select(exchanges).where(exchanges.c.id == dispatch["exchange_id"])
    exchange = tx.execute(query).mappings().one()
    told = select(incidents.c.id).where(
        incidents.c.subject_id == dispatch_id, incidents.c.kind == MISSING[kind]
    )
    if _confirmed(tx, dispatch, kind) or exchange["status"] == "withdrawn" or tx.execute(told).first():
        return
    what = "receipt" if kind == "received" else "import"
    since = dispatch["handed_over_at"].date().isoformat()
    text = f"{exchange['subject']}: no confirmation of {what} from {exchange['recipient_id']} since {since}"
    open_incident(app, tx, exchange, MISSING[kind], dispatch_id, text)


def _confirmed(tx: Connection, dispatch: RowMapping, kind: str) -> bool:
    said = select(facts.c.id).where(
        or_(facts.c.dispatch_id == dispatch["id"], facts.c.exchange_id == dispatch["exchange_id"]),
        facts.c.kind.in_(_SAYS_AS_MUCH[kind]),
        facts.c.withdrawn_at.is_(None),
    )
    return tx.execute(said.limit(1)).first() is not None


def settle(app: "Installation", tx: Connection, exchange_id: str, fact: str) -> None:
    """Close the incidents about confirmations of an exchange that ``fact`` makes needless."""
    needless = [MISSING[kind] for kind, facts_ in _SAYS_AS_MUCH.items() if fact in facts_]
    if not needless:
        return
    mine = select(dispatches.c.id).where(dispatches.c.exchange_id == exchange_id)
    tx.execute(
        update(incidents)
        .where(incidents.c.subject_id.in_(mine), incidents.c.kind.in_(needless), incidents.c.status == "open")
        .values(status="closed", closed_at=app.clock.now(), closed_by=SYSTEM, resolution=f"{fact} came late")
    )
