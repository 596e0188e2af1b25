"""Firing timers: overdue ones in due order, each once; stale and cancelled ones never."""

import logging
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select, text, update

from engine.actor import Actor
from engine.errors import DienstwegError, NotFoundError
from engine.runtime import api
from engine.service.advance import lock_case, move_locked
from engine.service.numbers import known_as
from engine.service.schedules import rounds
from engine.store.errors import CaseChangedError, DatabaseUnavailableError
from engine.store.prepared import Prepared
from engine.store.scope import visible_to
from engine.store.tables import cases, incidents, timers
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

SYSTEM = "system"
BATCH = 200
TOGETHER = 20
"""Timers fired in one transaction."""
GIVE_WAY = 0.004
"""Seconds between two such transactions."""
ENQUEUED_AT_ONCE = 500
PAGE = 50

_log = logging.getLogger("dienstweg.work")
_TURN = threading.Event()

_ARMED = select(timers.c.id, timers.c.case_id, timers.c.due_at).where(timers.c.due_at.is_not(None))
_FIRST = Prepared(_ARMED.order_by(timers.c.due_at).limit(1))
_NEXT = Prepared(_ARMED.where(timers.c.due_at > bindparam("after")).order_by(timers.c.due_at).limit(1))
_IS_DUE = timers.c.due_at <= bindparam("now")
_TROUBLED = (
    select(incidents.c.id)
    .where(incidents.c.subject_id == timers.c.id, incidents.c.status == "open")
    .exists()
    .label("troubled")
)
_DUE = Prepared(
    select(timers.c.id, timers.c.case_id, _TROUBLED)
    .where(_IS_DUE)
    .order_by(timers.c.due_at, timers.c.id)
    .limit(bindparam("batch"))
)
_ANY_DUE = Prepared(select(timers.c.id).where(_IS_DUE).limit(1))
_TIMER = Prepared(select(timers).where(timers.c.id == bindparam("timer")))
_CURED = Prepared(
    update(incidents)
    .where(
        incidents.c.subject_id == bindparam("timer"),
        incidents.c.kind == "timer",
        incidents.c.status == "open",
    )
    .values(status="closed", closed_at=bindparam("now"), closed_by=SYSTEM, resolution="fired after all")
)
_UNQUEUED = (
    select(timers.c.id, timers.c.case_id, timers.c.authority_id)
    .where(
        _IS_DUE,
        text(
            "NOT EXISTS (SELECT 1 FROM procrastinate_jobs WHERE status = 'todo' "
            "AND queueing_lock = 'timer:' || timers.id)"
        ),
    )
    .order_by(timers.c.due_at, timers.c.id)
    .limit(bindparam("batch"))
    .with_for_update(skip_locked=True)
)


class TimerUnknownError(NotFoundError):
    """There is no such timer."""


@dataclass(frozen=True, slots=True)
class TimerLine:
    """A planned timer."""

    id: str
    case_id: str
    own_reference: str
    element_id: str
    instance: str
    expression: str | None
    due_at: datetime | None
    revision: int


_LINE = [(cases if name == "own_reference" else timers).c[name] for name in TimerLine.__dataclass_fields__]


def list_timers(
    app: "Installation", actor: Actor, *, due_before: datetime | None = None, limit: int = PAGE
) -> list[TimerLine]:
    """Return the planned timers of the actor's cases, the next due first; unarmed ones last."""
    query = (
        select(*_LINE)
        .join(cases, cases.c.id == timers.c.case_id)
        .where(visible_to(actor, timers), visible_to(actor, cases))
    )
    if due_before is not None:
        query = query.where(timers.c.due_at < due_before)
    query = query.order_by(timers.c.due_at.is_(None), timers.c.due_at, timers.c.id).limit(limit)
    with app.read() as tx:
        return [TimerLine(*row) for row in tx.execute(query)]


def show_timer(app: "Installation", actor: Actor, key: str) -> TimerLine:
    """Return one timer by id or unambiguous beginning of it; raise TimerUnknownError."""
    query = (
        select(*_LINE)
        .join(cases, cases.c.id == timers.c.case_id)
        .where(visible_to(actor, timers), visible_to(actor, cases), known_as(timers.c.id, key))
    )
    with app.read() as tx:
        found = [TimerLine(*row) for row in tx.execute(query.limit(2))]
    if len(found) != 1:
        raise TimerUnknownError(f"no timer {key!r}", hint="'dienstweg timer list' shows them")
    return found[0]


def fire_due(app: "Installation", stop: threading.Event | None = None) -> int:
    """Fire every timer that is due now, in the order of due instants; return how many fired.

    Once ``stop`` is set no further one is begun: what is due stays due.

    Several are fired in one transaction, so that the disk is synced once for all of them. Where one of them
    cannot be fired they are fired one by one: only its own case stands still, with an incident, and from
    then on it is tried alone.
    """
    fired = 0
    skipped: set[str] = set()
    while True:
        with app.read() as tx:
            found = _DUE.all(tx, now=app.clock.now(), batch=BATCH + len(skipped))
        due = [row for row in found if row.id not in skipped]
        if not due:
            return fired
        for some in _groups(due):
            if stop is not None and stop.is_set():
                return fired
            done = _fire_together(app, some) if len(some) > 1 else _fire_each(app, some)
            fired += len(done)
            skipped |= {row.id for row in some} - done
            # Whoever waits to write gets a turn: SQLite keeps no queue of writers.
            _TURN.wait(GIVE_WAY)


def enqueue_due(app: "Installation") -> int:
    """Enqueue the firing of every timer that is due, for workers on any host; return how many.

    Schedulers on several hosts may meet: a timer that is being looked at by another is left to it, one that
    waits in the queue is not enqueued again, and firing looks once more under the case's lock.
    """
    with app.read() as tx:
        if _ANY_DUE.first(tx, now=app.clock.now()) is None:
            return 0
    with app.write() as tx:
        due = tx.execute(_UNQUEUED, {"now": app.clock.now(), "batch": ENQUEUED_AT_ONCE}).all()
        for row in due:
            arguments = {"timer": row.id, "case": row.case_id}
            app.queue.enqueue(tx, "timer", arguments, authority_id=row.authority_id, key=row.id)
    return len(due)


def handle_timer(app: "Installation", job: Job) -> None:
    """Fire one timer that a scheduler found due."""
    _fire(app, job.arguments["timer"], job.arguments["case"])


def _groups(due: Sequence[Any]) -> Iterator[list[Any]]:
    """Part due timers into those fired together, in order; one that could not fire before stands alone."""
    group: list[Any] = []
    for row in due:
        if group and (row.troubled or len(group) == TOGETHER):
            yield group
            group = []
        group.append(row)
        if row.troubled:
            yield group
            group = []
    if group:
        yield group


def _fire_together(app: "Installation", some: Sequence[Any]) -> set[str]:
    """Fire timers in one transaction, or one by one if that fails; return the ids of those that fired."""
    try:
        with app.write() as tx:
            done = {row.id for row in some if _fire_within(app, tx, row.id, row.case_id)}
    except DatabaseUnavailableError:
        raise
    except Exception:  # noqa: BLE001 - fired one by one, the culprit is found and named
        return _fire_each(app, some)
    for _ in done:
        app.probe("timer-fired")
    return done


def _fire_each(app: "Installation", some: Sequence[Any]) -> set[str]:
    return {row.id for row in some if _fire(app, row.id, row.case_id)}


def _fire(app: "Installation", timer_id: str, case_id: str) -> bool:
    """Fire one timer if it is still due under the case's lock; return whether it fired."""
    try:
        with app.write() as tx:
            fired = _fire_within(app, tx, timer_id, case_id)
    except DatabaseUnavailableError:
        raise  # the database is waited for
    except CaseChangedError:
        return False  # somebody else was at the case; the next round tries again
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one case, the others' timers fire
        _refused(app, timer_id, case_id, error)
        return False
    if fired:
        app.probe("timer-fired")
    return fired


def _fire_within(app: "Installation", tx: Connection, timer_id: str, case_id: str) -> bool:
    locked = lock_case(tx, case_id)
    row = _TIMER.first(tx, timer=timer_id)
    if row is None or row.due_at is None or row.due_at > app.clock.now():
        return False
    move_locked(app, tx, locked, api.FireTimer(timer_id, row.revision), SYSTEM)
    _CURED.run(tx, timer=timer_id, now=app.clock.now())
    return True


def _refused(app: "Installation", timer_id: str, case_id: str, error: Exception) -> None:
    """Open an incident, once, for a timer whose case could not move; it is tried again with every round."""
    refused = isinstance(error, DienstwegError)
    with app.write() as tx:
        known = tx.execute(
            select(incidents.c.id).where(incidents.c.subject_id == timer_id, incidents.c.status == "open")
        ).first()
        if known is not None:
            return
        if not refused:
            _log.error("timer %s failed", timer_id, exc_info=error)
        case = lock_case(tx, case_id).case
        tx.execute(
            insert(incidents).values(
                id=str(app.ids.new()),
                authority_id=case.authority_id,
                case_id=case_id,
                kind="timer",
                subject_id=timer_id,
                message=str(error) if refused else f"{type(error).__name__}: {error}",
                status="open",
                opened_at=app.clock.now(),
            )
        )


def next_due(app: "Installation", after: datetime | None = None) -> datetime | None:
    """Return when the next timer, schedule or job is due (UTC), or None where nothing is planned.

    ``after`` leaves out what was due at that instant already: what could not happen then, e.g. the timer of a
    case that cannot move, must not keep the work loop awake.
    """
    with app.read() as tx:
        first = _FIRST.first(tx) if after is None else _NEXT.first(tx, after=after)
        schedule = rounds.next_due(tx, after)
    timer = None if first is None else first.due_at
    job = app.queue.next_due()
    if job is not None and after is not None and job <= after:
        job = None
    return min((instant for instant in (timer, schedule, job) if instant is not None), default=None)
