"""Beginning the cases of schedules that are due: in due order, each once, none held up by another."""

import logging
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select, text, update

from engine.deadlines.iso import ZONE, zone_of
from engine.deadlines.plans import Plan
from engine.errors import DienstwegError
from engine.runtime import api
from engine.service import starting
from engine.service.schedules.starts import choose
from engine.store.errors import DatabaseUnavailableError
from engine.store.prepared import Prepared
from engine.store.tables import incidents, schedules
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

JOB = "schedule"
HELD, MISSED, ENDED = "schedule", "schedule-missed", "schedule-ended"
"""Incidents: a case could not be begun and the schedule waits; due instants were left out; it has ended."""
ON, DONE, OFF, GONE = "on", "done", "off", "gone"
"""Due; all its instants passed; switched off; its timer start is no longer in the newest version."""
SCHEDULED_FOR = "scheduledFor"
"""The variable that tells a case for which instant it was begun."""
CATCH_UP = 12
"""Missed due instants of one schedule that are made up for, the latest: a year of months."""
SYSTEM = "system"
GIVE_WAY = 0.004
"""Seconds between two cases, for others who wait to write."""
ENQUEUED_AT_ONCE = 500

_log = logging.getLogger("dienstweg.work")
_TURN = threading.Event()

_HELD = (
    select(incidents.c.id)
    .where(incidents.c.subject_id == schedules.c.id, incidents.c.kind == HELD, incidents.c.status == "open")
    .exists()
)
_DUE = (
    select(schedules.c.id, schedules.c.authority_id, schedules.c.due_at)
    .where(schedules.c.due_at <= bindparam("now"), ~_HELD)
    .order_by(schedules.c.due_at, schedules.c.id)
)
_FIRST_DUE = Prepared(_DUE.limit(1))
_UNQUEUED = (
    _DUE.where(
        text(
            "NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' "
            "AND queueing_lock = 'schedule:' || schedules.id)"
        )
    )
    .limit(ENQUEUED_AT_ONCE)
    .with_for_update(skip_locked=True)
)
_PLANNED = (
    select(schedules.c.due_at)
    .where(schedules.c.due_at.is_not(None), ~_HELD)
    .order_by(schedules.c.due_at)
    .limit(1)
)
_NEXT = Prepared(_PLANNED)
_NEXT_AFTER = Prepared(_PLANNED.where(schedules.c.due_at > bindparam("after")))


def begin_due(app: "Installation") -> int:
    """Begin the case of every due instant, in the order of due instants; return how many there were."""
    begun = 0
    while True:
        with app.read() as tx:
            row = _FIRST_DUE.first(tx, now=app.clock.now())
        if row is None:
            return begun
        begun += _begin(app, row.id)
        _TURN.wait(GIVE_WAY)


def enqueue_due(app: "Installation") -> int:
    """Enqueue every schedule that is due, for workers on any host; return how many.

    A schedule that another scheduler looks at, or that waits in the queue, is left alone.
    """
    with app.read() as tx:
        if _FIRST_DUE.first(tx, now=app.clock.now()) is None:
            return 0
    with app.write() as tx:
        due = tx.execute(_UNQUEUED, {"now": app.clock.now()}).all()
        for row in due:
            app.queue.enqueue(tx, JOB, {"schedule": row.id}, authority_id=row.authority_id, key=row.id)
    return len(due)


def handle_schedule(app: "Installation", job: Job) -> None:
    """Begin the next case of a schedule that was found due."""
    _begin(app, job.arguments["schedule"])


def next_due(tx: Connection, after: datetime | None = None) -> datetime | None:
    """Return when the next case is due to begin (UTC), or None; only after ``after`` where that is given."""
    row = _NEXT.first(tx) if after is None else _NEXT_AFTER.first(tx, after=after)
    return None if row is None else row.due_at


def begin_within(app: "Installation", tx: Connection, schedule_id: str) -> tuple[str, api.Advance] | None:
    """Begin a schedule's case if it is still due, and set its next due instant; commits with ``tx``.

    Returns the new case's id and what followed; None where another was faster.
    """
    row = _lock(tx, schedule_id)
    now = app.clock.now()
    if row is None or row.due_at is None or row.due_at > now:
        return None
    plan = Plan(row.kind, row.value)
    missed = plan.until(row.reference_at, now) - row.number + 1
    number, due = row.number, row.due_at
    if missed > CATCH_UP:
        number, due = _leave_out(app, tx, row, missed - CATCH_UP)
    choice = choose(tx, row.procedure_key, row.process_id, row.element_id)
    instant = due.astimezone(zone_of(ZONE)).isoformat()
    command = api.Start({SCHEDULED_FOR: instant}, row.element_id)
    begun = starting.begin_with(app, tx, row.authority_id, choice, command, by=SYSTEM, unit_id=row.unit_id)
    _move_on(tx, row, number + 1, begun=row.begun + 1)
    return begun


def skip(app: "Installation", tx: Connection, schedule_id: str) -> None:
    """Leave out the case that could not be begun: the schedule goes on with its next due instant."""
    row = _lock(tx, schedule_id)
    if row is not None and row.due_at is not None and row.due_at <= app.clock.now():
        _move_on(tx, row, row.number + 1, begun=row.begun)


def settle(app: "Installation", tx: Connection, schedule_id: str, by: str, why: str) -> None:
    """Close the incident of a case that could not be begun."""
    tx.execute(
        update(incidents)
        .where(incidents.c.subject_id == schedule_id, incidents.c.kind == HELD, incidents.c.status == "open")
        .values(status="closed", closed_at=app.clock.now(), closed_by=by, resolution=why)
    )


def report(app: "Installation", tx: Connection, row: Any, kind: str, message: str) -> None:
    """Open an incident about a schedule at its authority."""
    tx.execute(
        insert(incidents).values(
            id=str(app.ids.new()),
            authority_id=row.authority_id,
            kind=kind,
            subject_id=row.id,
            element_id=row.element_id,
            message=message,
            status="open",
            opened_at=app.clock.now(),
        )
    )


def _lock(tx: Connection, schedule_id: str) -> Any:
    return tx.execute(select(schedules).where(schedules.c.id == schedule_id).with_for_update()).first()


def _begin(app: "Installation", schedule_id: str) -> bool:
    try:
        with app.write() as tx:
            begun = begin_within(app, tx, schedule_id)
    except DatabaseUnavailableError:
        raise  # the database is waited for
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one schedule, the others go on
        _hold(app, schedule_id, error)
        return False
    if begun is not None:
        app.probe("schedule-begun")
    return begun is not None


def _hold(app: "Installation", schedule_id: str, error: Exception) -> None:
    """Open an incident; until it is closed the schedule begins nothing."""
    refused = isinstance(error, DienstwegError)
    if not refused:
        _log.error("schedule %s failed", schedule_id, exc_info=error)
    told = str(error) if refused else f"{type(error).__name__}: {error}"
    with app.write() as tx:
        row = _lock(tx, schedule_id)
        if row is None or row.due_at is None or _is_held(tx, schedule_id):
            return
        due = row.due_at.astimezone(zone_of(ZONE)).isoformat()
        report(app, tx, row, HELD, f"no case of {row.procedure_key} could be begun for {due}: {told}")


def _is_held(tx: Connection, schedule_id: str) -> bool:
    return bool(tx.scalar(select(_HELD).where(schedules.c.id == schedule_id)))


def _leave_out(app: "Installation", tx: Connection, row: Any, count: int) -> tuple[int, datetime]:
    """Pass over the oldest missed instants and say so; return the next number and its instant."""
    plan = Plan(row.kind, row.value)
    number = row.number + count
    due, last = plan.nth(row.reference_at, number), plan.nth(row.reference_at, number - 1)
    if due is None or last is None:
        raise RuntimeError(f"schedule {row.id} has no occurrence {number}")
    first, until = (each.astimezone(zone_of(ZONE)).isoformat() for each in (row.due_at, last))
    message = (
        f"{count} cases of {row.procedure_key} were not begun, due from {first} to {until}: "
        f"nothing ran then, and at most {CATCH_UP} are made up for"
    )
    report(app, tx, row, MISSED, message)
    return number, due


def _move_on(tx: Connection, row: Any, number: int, *, begun: int) -> None:
    """Set a schedule to its due instant of this number, counted from its reference: no drift."""
    due = Plan(row.kind, row.value).nth(row.reference_at, number)
    state = ON if due is not None else DONE
    tx.execute(
        update(schedules)
        .where(schedules.c.id == row.id)
        .values(number=number, due_at=due, state=state, begun=begun)
    )
