"""The work loop: due timers, jobs and mailboxes, until there is nothing left or until told to stop."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, select

from engine.service import confirming, messages, receiving, sending, services, timing
from engine.store.tables import incidents
from engine.work.embedded import EmbeddedWorker
from engine.work.ports import Handlers, Job
from engine.work.scheduler import Wakeup

if TYPE_CHECKING:
    from engine.service.installation import Installation

POLL = timedelta(seconds=2)
"""How often mailboxes are looked into; folders on shares tell nobody that something came."""

_OUTSIDE: Mapping[str, Callable[["Installation", Job], None]] = {
    "send": sending.handle_send,
    "arrival": receiving.handle_arrival,
    "confirm": confirming.handle_confirm,
    "work": services.handle_work,
}
_INSIDE: Mapping[str, Callable[["Installation", Connection, Job], None]] = {
    "message": messages.handle_message,
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


def make_worker(app: "Installation") -> EmbeddedWorker:
    """Return a worker for the installation's jobs."""
    return EmbeddedWorker(app.queue, handlers(app), app.jitter)


def give_up(app: "Installation", tx: Connection, job: Job, reason: str) -> None:
    """Open an incident, once, for a job that failed for good; only the branch it belongs to is held."""
    kind = f"job:{job.kind}"
    subject = str(job.arguments.get("item") or next(iter(job.arguments.values()), ""))
    known = select(incidents.c.id).where(
        incidents.c.subject_id == subject, incidents.c.kind == kind, incidents.c.status == "open"
    )
    if tx.execute(known).first() is not None:
        return
    case = job.arguments.get("case")
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
        )
    )


def run_round(app: "Installation", worker: EmbeddedWorker, *, collect: bool = True) -> Done:
    """Fire what is due, run the jobs that are due, look into the mailboxes once."""
    timers = timing.fire_due(app)
    messages.expire_buffer(app)
    jobs = 0
    while worker.run_one():
        jobs += 1
    arrivals = receiving.collect_all(app) if collect else 0
    return Done(timers, jobs, arrivals)


def run_until_idle(app: "Installation") -> Done:
    """Work until nothing is due any more; what is due later stays."""
    worker = make_worker(app)
    total = Done()
    while True:
        done = run_round(app, worker)
        if done.nothing:
            return total
        total = total.plus(done)


def run_forever(app: "Installation", stop: threading.Event, threads: int = 1) -> None:
    """Work until ``stop`` is set; running work is finished first.

    APScheduler holds one wake-up at the next due instant; new jobs of this process wake the loop at once.
    """
    wakeup = Wakeup(app.queue.added)
    crew = [
        threading.Thread(target=_help, args=(app, stop), name=f"dienstweg-work-{n}")
        for n in range(threads - 1)
    ]
    for thread in crew:
        thread.start()
    worker = make_worker(app)
    try:
        while not stop.is_set():
            app.queue.added.clear()
            if run_round(app, worker).nothing:
                wakeup.at(timing.next_due(app))
                app.queue.added.wait(POLL.total_seconds())
    finally:
        stop.set()
        wakeup.close()
        for thread in crew:
            thread.join()


def _help(app: "Installation", stop: threading.Event) -> None:
    worker = make_worker(app)
    while not stop.is_set():
        if not worker.run_one():
            stop.wait(0.2)
