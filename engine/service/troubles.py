"""Incidents: what stands still until somebody looks, and how to go on."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, or_, select, update

from engine.actor import Actor, Role
from engine.errors import ConflictError, NotFoundError, RefusedError
from engine.runtime import api
from engine.service import mailbox_health
from engine.service.access import require
from engine.service.advance import move
from engine.service.migration import ledger
from engine.service.schedules import rounds
from engine.service.stories import Entry, note, read_head
from engine.store.scope import visible_to
from engine.store.tables import dispatches, exchanges, incidents

if TYPE_CHECKING:
    from engine.service.installation import Installation


class IncidentUnknownError(NotFoundError):
    """There is no such incident."""


class IncidentClosedError(ConflictError):
    """The incident has been closed already."""


class IncidentRefusedError(RefusedError):
    """The incident cannot be dealt with like this."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that stands still."""

    id: str
    case_id: str | None
    kind: str
    subject_id: str | None
    element_id: str | None
    message: str
    status: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    resolution: str | None


_JOBS = {
    "job:send": ("send", "exchange"),
    "job:arrival": ("arrival", "arrival"),
    "job:confirm": ("confirm", "dispatch"),
    "job:work": ("work", "item"),
    "job:step": ("step", "item"),
    "job:rule-watch": ("rule-watch", "rule"),
    "job:match-buffer": ("match-buffer", "item"),
}
"""Older incidents of jobs that failed for good → kind of job, and its argument that the subject is."""
_LINE = [incidents.c[name] for name in Incident.__dataclass_fields__]


def list_incidents(app: "Installation", actor: Actor, *, everything: bool = False) -> list[Incident]:
    """Return open incidents, oldest first; or all."""
    query = select(*_LINE).where(visible_to(actor, incidents))
    if not everything:
        query = query.where(incidents.c.status == "open")
    with app.read() as tx:
        return [Incident(*row) for row in tx.execute(query.order_by(incidents.c.opened_at, incidents.c.id))]


def show_incident(app: "Installation", actor: Actor, key: str) -> Incident:
    """Return one incident; raise IncidentUnknownError."""
    with app.read() as tx:
        return _incident(_find(tx, actor, key))


def retry(app: "Installation", actor: Actor, key: str, reason: str) -> Incident:
    """Try again what the incident stopped: a failed element, a held or failed exchange, a job.

    A dispatch whose outcome is unknown is not sent again like this: see ``resolve``.
    """
    require(actor, Role.ADMIN, Role.CLERK)
    with app.write() as tx:
        row = _open(tx, actor, key)
        if row["kind"] == "element":
            move(app, tx, row["case_id"], api.Retry(row["subject_id"]), actor.person_id)
        elif row["kind"] == "held":
            exchange_id = row["subject_id"]
            held = exchanges.c.id == exchange_id, exchanges.c.status == "held"
            if tx.execute(update(exchanges).where(*held).values(status="open")).rowcount:
                ledger.touch(app, tx, exchange_id)
                _send(app, tx, row, exchange_id)
        elif row["kind"] == "copy-held":
            _send(app, tx, row, row["subject_id"], copy=True)
        elif row["kind"] in ("timer", "mailbox", rounds.HELD):
            pass  # The next round fires what is still due, or looks into the mailbox again.
        elif row["kind"] == mailbox_health.KIND:
            mailbox_health.forget(tx, row["subject_id"])  # The next round looks again.
        elif (job := _job(row)) is not None:
            kind, arguments = job
            # One argument is the subject and tells jobs apart; with several, two may share the subject.
            alone = len(arguments) == 1
            key = f"{kind}:{row['subject_id']}" if alone else f"incident:{row['id']}"
            app.queue.enqueue(tx, kind, arguments, authority_id=row["authority_id"], key=key)
        else:
            raise IncidentRefusedError(
                f"an incident of kind {row['kind']!r} cannot be tried again",
                hint="close it with 'dienstweg incident resolve' and a reason",
            )
        return _close(app, tx, actor, row, f"tried again: {reason}")


def resolve(
    app: "Installation", actor: Actor, key: str, reason: str, *, went: bool | None = None
) -> Incident:
    """Close an incident with a reason; for an unknown outcome say whether the message went.

    ``went=True`` records the hand-over as a clerk's knowledge, ``went=False`` lets it be sent again.
    A schedule whose case could not be begun leaves it out and goes on with its next due instant.
    """
    require(actor, Role.ADMIN, Role.CLERK)
    with app.write() as tx:
        row = _open(tx, actor, key)
        if row["kind"] == "element":
            raise IncidentRefusedError(
                "the case stands still there until the element is tried again or corrected",
                hint="'dienstweg incident retry', or 'dienstweg case repair' with skip, set-data or move",
            )
        if row["kind"] == rounds.HELD:
            rounds.skip(app, tx, row["subject_id"])
        elif row["kind"] == "outcome-unknown":
            if went is None:
                raise IncidentRefusedError(
                    "say whether the message went", hint="repeat with --went or --did-not-go"
                )
            state = "handed_over" if went else "failed"
            tx.execute(
                update(dispatches)
                .where(dispatches.c.id == row["subject_id"], dispatches.c.state == "outcome_unknown")
                .values(state=state, reason=reason, handed_over_at=app.clock.now() if went else None)
            )
            exchange_id = tx.execute(
                select(dispatches.c.exchange_id).where(dispatches.c.id == row["subject_id"])
            ).scalar_one()
            ledger.touch(app, tx, exchange_id)
            if not went:
                _send(app, tx, row, exchange_id)
        return _close(app, tx, actor, row, reason)


def _send(
    app: "Installation", tx: Connection, incident: RowMapping, exchange_id: str, *, copy: bool = False
) -> None:
    arguments = {"exchange": exchange_id} | ({"copy": True} if copy else {})
    key = f"{'copy' if copy else 'send'}:{exchange_id}"
    app.queue.enqueue(tx, "send", arguments, authority_id=incident["authority_id"], key=key)


def _find(tx: Connection, actor: Actor, key: str) -> RowMapping:
    rows = (
        tx.execute(
            select(incidents)
            .where(
                visible_to(actor, incidents),
                or_(incidents.c.id == key, incidents.c.id.startswith(key)),
            )
            .limit(2)
        )
        .mappings()
        .all()
    )
    if len(rows) != 1 or len(key) < 6:
        raise IncidentUnknownError(f"no incident {key!r}", hint="'dienstweg incident list' shows them")
    return rows[0]


def _job(row: RowMapping) -> tuple[str, dict[str, Any]] | None:
    """Return kind and arguments of the job that failed for good, or None where it was none."""
    prefix, _, kind = row["kind"].partition(":")
    if prefix == "job" and row["arguments"] is not None:
        return kind, row["arguments"]
    if row["kind"] not in _JOBS:
        return None
    kind, name = _JOBS[row["kind"]]
    return kind, {name: row["subject_id"]} | ({"case": row["case_id"]} if row["case_id"] else {})


def _open(tx: Connection, actor: Actor, key: str) -> RowMapping:
    """Return an open incident that nobody else deals with any more; its case is locked first."""
    row = _find(tx, actor, key)
    if row["case_id"]:
        read_head(tx, row["case_id"])
    held = select(incidents).where(incidents.c.id == row["id"]).with_for_update()
    row = tx.execute(held).mappings().one()
    if row["status"] != "open":
        raise IncidentClosedError(f"incident {row['id'][:8]} was closed by {row['closed_by']}")
    return row


def _close(app: "Installation", tx: Connection, actor: Actor, row: RowMapping, reason: str) -> Incident:
    if not reason.strip():
        raise IncidentRefusedError("a reason is needed")
    now = app.clock.now()
    tx.execute(
        update(incidents)
        .where(incidents.c.id == row["id"])
        .values(status="closed", closed_at=now, closed_by=actor.person_id, resolution=reason)
    )
    if row["case_id"]:
        command = {"incident": row["id"], "kind": row["kind"], "reason": reason}
        note(tx, app.ids, row["case_id"], Entry(now, actor.person_id, "correction", command))
    return _incident(tx.execute(select(incidents).where(incidents.c.id == row["id"])).mappings().one())


def _incident(row: RowMapping) -> Incident:
    return Incident(*(row[name] for name in Incident.__dataclass_fields__))
