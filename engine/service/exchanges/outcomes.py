"""What became of a dispatch: recording a carrier's answer, facts, evidence, and what follows."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from engine.exchange.decision import Decision
from engine.exchange.ports import HandedOver, Outcome, Rejected, Unknown
from engine.service.deadlines import course as deadline_course
from engine.service.exchanges import awaiting
from engine.service.migration import ledger
from engine.service.stories import Entry, note, read_head
from engine.store.database import upsert
from engine.store.tables import cases, dispatches, evidence, exchanges, facts, incidents, tasks

if TYPE_CHECKING:
    from engine.service.installation import Installation

SYSTEM = "system"
RETRY_DELAY = timedelta(seconds=30)
ATTEMPTS = 3
"""How often a channel is tried before the exchange falls back."""
CONFIRM_POSTING = "confirm-posting"
TASK_NAMES = {CONFIRM_POSTING: "Brief zur Post geben und Aufgabe zur Post bestätigen"}


_CASE_OF = select(exchanges.c.case_id).join(dispatches, dispatches.c.exchange_id == exchanges.c.id)


def did_not_go(outcome: Outcome) -> bool:
    """Tell whether a resolved dispatch may be transmitted (again) on the same channel."""
    return isinstance(outcome, Rejected) and outcome.retry


def record(app: "Installation", tx: Connection, dispatch_id: str, outcome: Outcome) -> None:
    """Record what a carrier said of a dispatch, and set going what follows from it."""
    from engine.service.migration import shadow

    case_id = tx.scalar(_CASE_OF.where(dispatches.c.id == dispatch_id))
    if case_id is not None:
        read_head(tx, case_id)  # cases are locked before their exchanges, everywhere
    dispatch = (
        tx.execute(select(dispatches).where(dispatches.c.id == dispatch_id).with_for_update())
        .mappings()
        .one()
    )
    if dispatch["state"] == "handed_over":
        return
    if dispatch["exchange_id"] is None:
        _technical(app, tx, dispatch, outcome)
        if dispatch["test"]:
            shadow.went(app, tx, dispatch_id)
        return
    exchange = _exchange(tx, dispatch["exchange_id"])
    if isinstance(outcome, HandedOver):
        _handed_over(app, tx, exchange, dispatch, outcome)
    elif isinstance(outcome, Unknown):
        _set(tx, dispatch_id, state="outcome_unknown", reason=outcome.reason)
        text = f"it is not known whether dispatch {dispatch['number']} on {dispatch['channel']} went"
        open_incident(app, tx, exchange, "outcome-unknown", dispatch_id, f"{text}: {outcome.reason}")
    else:
        _rejected(app, tx, exchange, dispatch, outcome)
    ledger.touch(app, tx, exchange["id"])


def _technical(app: "Installation", tx: Connection, dispatch: RowMapping, outcome: Outcome) -> None:
    """Record what became of a confirmation or complaint; it has no case and falls back to nothing."""
    if isinstance(outcome, HandedOver):
        _set(tx, dispatch["id"], state="handed_over", handed_over_at=outcome.at)
    elif isinstance(outcome, Unknown):
        _set(tx, dispatch["id"], state="outcome_unknown", reason=outcome.reason)
    elif outcome.retry and dispatch["attempts"] < ATTEMPTS:
        _set(tx, dispatch["id"], state="prepared", reason=outcome.reason)
        kind = "test" if dispatch["test"] else "confirm"
        app.queue.enqueue(
            tx,
            kind,
            {"dispatch": dispatch["id"]},
            authority_id=dispatch["authority_id"],
            key=f"{kind}:{dispatch['id']}",
            due=app.clock.now() + (dispatch["attempts"] + 1) * RETRY_DELAY,
        )
    else:
        _set(tx, dispatch["id"], state="failed", reason=outcome.reason)


def answered(app: "Installation", tx: Connection, exchange: RowMapping, arrival: RowMapping, by: str) -> None:
    """Note that an exchange has its answer, whichever way it came."""
    tx.execute(
        update(exchanges)
        .where(exchanges.c.id == exchange["id"])
        .values(status="answered", answered_at=arrival["received_at"], answered_by=arrival["id"])
    )
    add_fact(app, tx, exchange, None, "answered", arrival["received_at"], arrival["channel"], by)


def _handed_over(
    app: "Installation",
    tx: Connection,
    exchange: RowMapping,
    dispatch: RowMapping,
    outcome: HandedOver,
) -> None:
    now = app.clock.now()
    _set(tx, dispatch["id"], state="handed_over", handed_over_at=outcome.at)
    close_incidents(tx, exchange["id"], now, "handed over")
    kept = [
        add_evidence(app, tx, exchange, dispatch["id"], "receipt", name, content)
        for name, content in outcome.evidence.items()
    ]
    proof = next(iter(kept), None)
    for kind, at in outcome.facts.items():
        add_fact(app, tx, exchange, dispatch["id"], kind, at, dispatch["channel"], SYSTEM, evidence_id=proof)
    awaiting.expect(app, tx, exchange, dispatch)
    entry = {"dispatch": dispatch["id"], "channel": dispatch["channel"], "exchange": exchange["id"]}
    note(tx, app.ids, exchange["case_id"], Entry(now, SYSTEM, "dispatch", entry))
    if outcome.task:
        name = TASK_NAMES.get(outcome.task, outcome.task)
        add_task(app, tx, exchange, outcome.task, name, dispatch["id"])


def add_task(
    app: "Installation", tx: Connection, exchange: RowMapping, kind: str, name: str, dispatch_id: str
) -> None:
    """Open a task about a dispatch for the unit that its case belongs to."""
    tx.execute(
        insert(tasks).values(
            id=str(app.ids.new()),
            authority_id=exchange["authority_id"],
            case_id=exchange["case_id"],
            unit_id=tx.scalar(select(cases.c.unit_id).where(cases.c.id == exchange["case_id"])),
            kind=kind,
            element_id=exchange["element_id"],
            instance="",
            name=name,
            subject_id=dispatch_id,
            status="open",
            opened_at=app.clock.now(),
        )
    )


def _rejected(
    app: "Installation",
    tx: Connection,
    exchange: RowMapping,
    dispatch: RowMapping,
    outcome: Rejected,
) -> None:
    """Try again later on the same channel, or mark the dispatch failed and let the rules fall back."""
    if outcome.retry and dispatch["attempts"] < ATTEMPTS:
        _set(tx, dispatch["id"], state="prepared", reason=outcome.reason)
        due = app.clock.now() + (dispatch["attempts"] + 1) * RETRY_DELAY
    else:
        _set(tx, dispatch["id"], state="failed", reason=outcome.reason)
        due = app.clock.now()
    arguments = {"exchange": exchange["id"]}
    app.queue.enqueue(
        tx, "send", arguments, authority_id=exchange["authority_id"], key=f"send:{exchange['id']}", due=due
    )


def hold(
    app: "Installation", tx: Connection, exchange: RowMapping, decision: Decision, *, copy: bool = False
) -> None:
    """Keep an exchange back: no channel is ready. A clerk sees it as an incident.

    Where only a ``copy`` cannot go, the exchange stays as it is.
    """
    if not copy:
        tx.execute(update(exchanges).where(exchanges.c.id == exchange["id"]).values(status="held"))
    reasons = "; ".join(
        f"{seen.channel}: {', '.join(seen.reasons)}"
        for seen in decision.considered
        if seen.verdict != "not in force"
    )
    message = f"{exchange['subject']}{' (copy)' if copy else ''} cannot be sent: {reasons}"
    kind = "copy-held" if copy else "held"
    open_incident(app, tx, exchange, kind, exchange["id"], message, details=asdict(decision))
    ledger.touch(app, tx, exchange["id"])


def open_incident(
    app: "Installation",
    tx: Connection,
    exchange: RowMapping,
    kind: str,
    subject_id: str,
    message: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Open an incident about an exchange and note it in the case's story."""
    now = app.clock.now()
    tx.execute(
        insert(incidents).values(
            id=str(app.ids.new()),
            authority_id=exchange["authority_id"],
            case_id=exchange["case_id"],
            kind=kind,
            subject_id=subject_id,
            element_id=exchange["element_id"],
            message=message,
            status="open",
            opened_at=now,
        )
    )
    command = {"incident": kind, "subject": subject_id, "details": dict(details or {})}
    note(tx, app.ids, exchange["case_id"], Entry(now, SYSTEM, "incident", command))


def close_incidents(tx: Connection, subject_id: str, now: datetime, resolution: str) -> None:
    """Close the open incidents about ``subject_id``."""
    tx.execute(
        update(incidents)
        .where(incidents.c.subject_id == subject_id, incidents.c.status == "open")
        .values(status="closed", closed_at=now, closed_by=SYSTEM, resolution=resolution)
    )


def add_evidence(
    app: "Installation",
    tx: Connection,
    exchange: RowMapping,
    dispatch_id: str | None,
    kind: str,
    name: str,
    content: bytes,
    by: str = SYSTEM,
) -> str:
    """Store evidence as it came, commit to it in the case's chain, and return its id."""
    blob = app.documents.put_bytes(content)
    now = app.clock.now()
    evidence_id = str(app.ids.new())
    tx.execute(
        insert(evidence).values(
            id=evidence_id,
            authority_id=exchange["authority_id"],
            case_id=exchange["case_id"],
            exchange_id=exchange["id"],
            dispatch_id=dispatch_id,
            kind=kind,
            name=name,
            sha256=blob.sha256,
            size=blob.size,
            at=now,
        )
    )
    command = {"evidence": kind, "name": name, "sha256": blob.sha256}
    note(tx, app.ids, exchange["case_id"], Entry(now, by, "evidence", command))
    return evidence_id


def add_fact(
    app: "Installation",
    tx: Connection,
    exchange: RowMapping,
    dispatch_id: str | None,
    kind: str,
    at: datetime,
    source: str,
    by: str,
    *,
    evidence_id: str | None = None,
    reason: str | None = None,
) -> None:
    """Record a dated fact about a dispatch, and revise the deadlines that hang on it; the same fact twice is
    one. ``evidence_id`` names where it can be seen: without it the fact is only asserted.
    """
    now = app.clock.now()
    added = tx.execute(
        upsert(tx, facts)
        .values(
            id=str(app.ids.new()),
            authority_id=exchange["authority_id"],
            exchange_id=exchange["id"],
            dispatch_id=dispatch_id,
            kind=kind,
            at=at,
            source=source,
            recorded_at=now,
            recorded_by=by,
            evidence_id=evidence_id,
            reason=reason,
        )
        .on_conflict_do_nothing()
    )
    if added.rowcount:
        command = {"fact": kind, "at": at.isoformat(), "source": source, "exchange": exchange["id"]}
        if reason is not None:
            command["reason"] = reason
        note(tx, app.ids, exchange["case_id"], Entry(now, by, "fact", command))
        awaiting.settle(app, tx, exchange["id"], kind)
        deadline_course.facts_changed(app, tx, exchange["id"], deadline_course.told(kind, at, reason), by)
        ledger.touch(app, tx, exchange["id"])


def _exchange(tx: Connection, exchange_id: str) -> RowMapping:
    return tx.execute(select(exchanges).where(exchanges.c.id == exchange_id)).mappings().one()


def _set(tx: Connection, dispatch_id: str, **values: Any) -> None:
    tx.execute(update(dispatches).where(dispatches.c.id == dispatch_id).values(**values))
