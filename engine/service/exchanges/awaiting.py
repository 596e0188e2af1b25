"""Confirmations that are owed: a recipient that stays silent after the agreed term is a clerk's business.

The term stands in the recipient's mailbox settings, as an ISO 8601 period from the hand-over:
``{"receipt_within": "P3D", "import_within": "P2W"}``. A confirmation is only awaited where the payload says
that the recipient owes it; without a term nobody waits.

Where the carrier itself proves reception (``TracksDelivery``) it is always awaited, within the carrier's own
term if the mailbox names none; then a clerk gets a task and decides whether a copy goes by post.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, or_, select, update

from engine.actor import Actor
from engine.deadlines.iso import Period, add_period
from engine.errors import RefusedError
from engine.exchange.abilities import ExpectsConfirmations, TracksDelivery
from engine.exchange.ports import split_channel
from engine.service.directory.terms import TERMS, term
from engine.service.exchanges import tracking
from engine.service.exchanges.mailbox_json import mailbox_from_json
from engine.service.stories import Entry, note
from engine.store.tables import cases, dispatches, exchanges, facts, incidents, tasks
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

SYSTEM = "system"
DECIDE_COPY = "decide-copy"
"""Kind of task that asks whether a copy goes by post."""
TASK_NAME = "Empfang nicht nachgewiesen: Kopie per Post senden?"
MISSING = {"received": "no-receipt", "imported": "no-import"}
"""Kind of confirmation → kind of the incident when it does not come."""
_SAYS_AS_MUCH = {
    "received": ("received", "imported", "rejected", "answered"),
    "imported": ("imported", "rejected"),
}
"""Kind of confirmation → facts after which nobody waits for it any more."""


class CopyRefusedError(RefusedError):
    """It cannot be decided like this whether a copy goes by post."""


def expect(app: "Installation", tx: Connection, exchange: RowMapping, dispatch: RowMapping) -> None:
    """Enqueue a look at what a dispatch, just handed over, will have been confirmed by when its term ends."""
    owed = dict(_owed(app, tx, exchange, dispatch))
    carrier = app.adapters.carrier(split_channel(dispatch["channel"])[1])
    if isinstance(carrier, TracksDelivery):
        recipient = mailbox_from_json(dispatch["prepared"]["recipient"])
        settings = {TERMS["received"]: carrier.receipt_within, **recipient.settings}
        owed["received"] = term(settings, TERMS["received"])
        now = app.clock.now()
        tracking.begin(app, tx, dispatch, now, add_period(now, owed["received"]))
    for kind, period in sorted(owed.items()):
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
    from engine.service.exchanges.outcomes import open_incident

    dispatch_id, kind = job.arguments["dispatch"], job.arguments["kind"]
    dispatch = tx.execute(select(dispatches).where(dispatches.c.id == dispatch_id)).mappings().one()
    query = select(exchanges).where(exchanges.c.id == dispatch["exchange_id"])
    exchange = tx.execute(query).mappings().one()
    told = select(incidents.c.id).where(
        incidents.c.subject_id == dispatch_id, incidents.c.kind == MISSING[kind]
    )
    if _confirmed(tx, dispatch, kind) or exchange["status"] == "withdrawn" or tx.execute(told).first():
        return
    if kind == "received" and _tracked(app, dispatch):
        _ask(app, tx, exchange, dispatch_id)
        return
    what = "receipt" if kind == "received" else "import"
    since = dispatch["handed_over_at"].date().isoformat()
    text = f"{exchange['subject']}: no confirmation of {what} from {exchange['recipient_id']} since {since}"
    open_incident(app, tx, exchange, MISSING[kind], dispatch_id, text)


def _tracked(app: "Installation", dispatch: RowMapping) -> bool:
    return isinstance(app.adapters.carrier(split_channel(dispatch["channel"])[1]), TracksDelivery)


def _ask(app: "Installation", tx: Connection, exchange: RowMapping, dispatch_id: str) -> None:
    """Open the task of deciding on a copy by post, once."""
    from engine.service.exchanges.outcomes import add_task

    asked = select(tasks.c.id).where(tasks.c.subject_id == dispatch_id, tasks.c.kind == DECIDE_COPY)
    if tx.execute(asked).first() is None:
        add_task(app, tx, exchange, DECIDE_COPY, TASK_NAME, dispatch_id)


def decide(
    app: "Installation", tx: Connection, task: Mapping[str, Any], actor: Actor, data: Mapping[str, Any]
) -> None:
    """Send a copy by post or not, as ``copy`` in ``data`` says; ``reason`` may say why.

    The copy is marked as one; ``engine.migration.ledger`` says when it counts. Raises CopyRefusedError.
    """
    unknown = sorted(set(data) - {"copy", "reason"})
    if unknown:
        raise CopyRefusedError(f"{unknown[0]!r} is not asked here", hint="give copy, and reason if you like")
    wanted, reason = data.get("copy"), data.get("reason", "")
    if not isinstance(wanted, bool) or not isinstance(reason, str):
        raise CopyRefusedError("say whether a copy goes by post", hint="--data '{\"copy\": true}', or false")
    query = select(exchanges).join(dispatches, dispatches.c.exchange_id == exchanges.c.id)
    exchange = tx.execute(query.where(dispatches.c.id == task["subject_id"])).mappings().one()
    command = {"copy": wanted, "reason": reason, "exchange": exchange["id"]}
    note(tx, app.ids, exchange["case_id"], Entry(app.clock.now(), actor.person_id, "copy", command))
    if wanted:
        app.queue.enqueue(
            tx,
            "send",
            {"exchange": exchange["id"], "copy": True},
            authority_id=exchange["authority_id"],
            key=f"copy:{exchange['id']}",
        )


def _confirmed(tx: Connection, dispatch: RowMapping, kind: str) -> bool:
    said = select(facts.c.id).where(
        or_(facts.c.dispatch_id == dispatch["id"], facts.c.exchange_id == dispatch["exchange_id"]),
        facts.c.kind.in_(_SAYS_AS_MUCH[kind]),
        facts.c.withdrawn_at.is_(None),
    )
    return tx.execute(said.limit(1)).first() is not None


def settle(app: "Installation", tx: Connection, exchange_id: str, fact: str) -> None:
    """Close the incidents and tasks about confirmations of an exchange that ``fact`` makes needless."""
    needless = [MISSING[kind] for kind, facts_ in _SAYS_AS_MUCH.items() if fact in facts_]
    if not needless:
        return
    mine = select(dispatches.c.id).where(dispatches.c.exchange_id == exchange_id)
    tx.execute(
        update(incidents)
        .where(incidents.c.subject_id.in_(mine), incidents.c.kind.in_(needless), incidents.c.status == "open")
        .values(status="closed", closed_at=app.clock.now(), closed_by=SYSTEM, resolution=f"{fact} came late")
    )
    if MISSING["received"] in needless:
        tx.execute(
            update(tasks)
            .where(tasks.c.subject_id.in_(mine), tasks.c.kind == DECIDE_COPY, tasks.c.status == "open")
            .values(status="withdrawn", closed_at=app.clock.now(), closed_by=SYSTEM)
        )
