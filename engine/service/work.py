"""The work loop: due timers, jobs and mailboxes, until there is nothing left or until told to stop."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, insert, select

from engine.errors import EnvironmentFaultError
from engine.service import mailbox_health, messages, services, timing
from engine.service.arrivals import confirming, receiving
from engine.service.deadlines import watching as deadline_jobs
from engine.service.exchanges import awaiting, tracking
from engine.service.exchanges.sending import handle_send
from engine.service.message_buffer import expire_buffer
from engine.service.migration import ledger, shadow, watching
from engine.service.schedules import rounds
from engine.store.errors import CaseChangedError
from engine.store.tables import incidents
from engine.work.embedded import EmbeddedQueue, EmbeddedWorker
from engine.work.ports import Handlers, Job
from engine.work.scheduler import Wakeup

if TYPE_CHECKING:
    from engine.service.installation import Installation
    from engine.work.procrastinate_worker import ProcrastinateWorker

_log = logging.getLogger("dienstweg.work")
POLL = timedelta(seconds=2)
"""How often mailboxes are looked into; folders on shares tell nobody that something came."""

_PASSING = (EnvironmentFaultError, CaseChangedError)
"""What a work loop outlives: it waits a while and begins its round anew."""
SUBJECT = 64
"""Length of an incident's subject. What a message came from can be longer."""

_OUTSIDE: Mapping[str, Callable[["Installation", Job], None]] = {
    "send": handle_send,
    "arrival": receiving.handle_arrival,
    "confirm": confirming.handle_confirm,
    "timer": timing.handle_timer,
    rounds.JOB: rounds.handle_schedule,
    "track": tracking.handle_track,
    "work": services.handle_work,
    shadow.JOB: shadow.handle_shadow,
    shadow.HAND_OVER: shadow.handle_test,
}
_INSIDE: Mapping[str, Callable[["Installation", Connection, Job], None]] = {
    "awaited": awaiting.handle_awaited,
    "deadline-reminder": deadline_jobs.handle_reminder,
    "deadline-watch": deadline_jobs.handle_watch,
    "message": messages.handle_message,
    watching.JOB: watching.handle_watch,
    shadow.END: shadow.handle_end,
    "signal": messages.handle_signal,
    "signal-case": messages.handle_signal_case,
    "match-buffer": messages.handle_match_buffer,
    "step": services.handle_step,
}
"""Work that happens in one transaction: it commits together with its job's end."""


@dataclass(frozen=True, slots=True)
class Done:
    """What one round of work did."""

    timers: int = 0
    jobs: int = 0
    arrivals: int = 0

    @property
    def nothing(self) -> bool:
        """True where there was nothing to do."""
        return not (self.timers or self.jobs or self.arrivals)

    def plus(self, other: "Done") -> "Done":
        """Add up two rounds."""
        return Done(self.timers + other.timers, self.jobs + other.jobs, self.arrivals + other.arrivals)


def handlers(app: "Installation") -> Handlers:
    """Return the handlers of every kind of job, bound to the installation."""
    return Handlers(
        outside={kind: partial(handler, app) for kind, handler in _OUTSIDE.items()},
        inside={kind: partial(handler, app) for kind, handler in _INSIDE.items()},
        exhausted=partial(give_up, app),
    )


class Worker(Protocol):
    """Whoever runs an installation's due jobs."""

    def run_due(self) -> int:
        """Run jobs until none is due; return how many there were."""
        ...


def make_worker(app: "Installation") -> Worker:
    """Return a worker for the installation's jobs."""
    if isinstance(app.queue, EmbeddedQueue):
        return EmbeddedWorker(app.queue, handlers(app), app.jitter)
    return _procrastinate(app)


def _procrastinate(app: "Installation") -> "ProcrastinateWorker":
    from engine.work.procrastinate_worker import Pace, ProcrastinateWorker

    pace = Pace(stalled=app.settings.stalled_after, heartbeat=app.settings.stalled_after / 4)
    return ProcrastinateWorker(app.database, handlers(app), app.jitter, pace)


def give_up(app: "Installation", tx: Connection, job: Job, reason: str) -> None:
    """Open an incident, once, for a job that failed for good; only the branch it belongs to is held.

    A test that fails is the test's result.
    """
    if job.kind in (shadow.JOB, shadow.HAND_OVER):
        shadow.gave_up(app, tx, job, reason)
        return
    kind, arguments = f"job:{job.kind}", dict(job.arguments)
    subject = str(arguments.get("item") or next(iter(arguments.values()), ""))[:SUBJECT]
    known = select(incidents.c.arguments).where(
        incidents.c.subject_id == subject, incidents.c.kind == kind, incidents.c.status == "open"
    )
    if any(one in (None, arguments) for one in tx.scalars(known)):
        return
    case = arguments.get("case")
    tx.execute(
        insert(incidents).values(
            id=str(app.ids.new()),
            authority_id=job.authority_id,
            case_id=case if isinstance(case, str) else None,
            kind=kind,
            subject_id=subject,
            message=reason,
            status="open",
            opened_at=app.clock.now(),
            arguments=arguments,
        )
    )


def run_round(
    app: "Installation", worker: Worker, *, collect: bool = True, stop: threading.Event | None = None
) -> Done:
    """Fire what is due, run the jobs that are due, look into the mailboxes once."""
    timers = schedule(app, stop)
    jobs = worker.run_due()
    if not isinstance(app.queue, EmbeddedQueue):
        # What a turned clock, or a copied database, left in the job table is not forgotten on PostgreSQL.
        jobs += EmbeddedWorker(app.table, handlers(app), app.jitter).run_due()
    arrivals = receiving.collect_all(app) if collect else 0
    if collect:
        mailbox_health.check_overdue(app)
    return Done(timers, jobs, arrivals)


def schedule(app: "Installation", stop: threading.Event | None = None) -> int:
    """Let happen what time brings; return how many timers and schedules were due.

    Once ``stop`` is set no further timer is fired.
    """
    expire_buffer(app)
    ledger.fold_when_due(app)
    if isinstance(app.queue, EmbeddedQueue):
        return rounds.begin_due(app) + timing.fire_due(app, stop)
    return rounds.enqueue_due(app) + timing.enqueue_due(app)


def run_until_idle(app: "Installation") -> Done:
    """Work until nothing is due any more; what is due later stays."""
    worker = make_worker(app)
    total = Done()
    while True:
        done = run_round(app, worker)
        if done.nothing:
            return total
        total = total.plus(done)


def held_jobs(app: "Installation") -> int:
    """Return how many jobs a worker has in its hands, or had when it died and nobody has noticed yet.

    They are taken up again ``stalled_after`` seconds after the worker's last sign of life.
    """
    return app.table.held() + (0 if app.queue is app.table else app.queue.held())


def run_forever(app: "Installation", stop: threading.Event, threads: int = 1) -> None:
    """Work until ``stop`` is set; running work is finished first. A database that is gone is waited for.

    APScheduler holds one wake-up at the next due instant; new jobs of this process wake the loop at once.
    """
    wakeup = Wakeup(app.queue.added)
    crew = [threading.Thread(target=target, name=f"dienstweg-{n}") for n, target in _crew(app, stop, threads)]
    for thread in crew:
        thread.start()
    # Jobs that a turned clock left in the job table are not forgotten on PostgreSQL either.
    worker = EmbeddedWorker(app.table, handlers(app), app.jitter, stop)
    try:
        while not stop.is_set():
            app.queue.added.clear()
            begun = app.clock.now()
            try:
                if run_round(app, worker, stop=stop).nothing:
                    wakeup.at(timing.next_due(app, begun))
                    app.queue.added.wait(POLL.total_seconds())
            except _PASSING as error:
                _log.warning("cannot work now, trying again: %s", error)
                stop.wait(POLL.total_seconds())
    finally:
        stop.set()
        wakeup.close()
        for thread in crew:
            thread.join()


def _crew(app: "Installation", stop: threading.Event, threads: int) -> list[tuple[int, Callable[[], None]]]:
    """Return what runs beside the loop: helpers on the job table, or Procrastinate's worker."""
    if isinstance(app.queue, EmbeddedQueue):
        return [(n, partial(_help, app, stop)) for n in range(threads - 1)]
    return [(0, partial(_procrastinate(app).run, threads, stop))]


def _help(app: "Installation", stop: threading.Event) -> None:
    worker = EmbeddedWorker(app.table, handlers(app), app.jitter)
    while not stop.is_set():
        try:
            if not worker.run_one():
                stop.wait(0.2)
        except _PASSING as error:
            _log.warning("cannot work now, trying again: %s", error)
            stop.wait(POLL.total_seconds())
