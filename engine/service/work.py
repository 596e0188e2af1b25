"""The work loop: due timers, jobs and mailboxes, until there is nothing left or until told to stop."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import insert

from engine.service import confirming, messages, receiving, sending, services, timing
from engine.store.tables import incidents
from engine.work.embedded import EmbeddedWorker
from engine.work.ports import Handler, Job
from engine.work.scheduler import Wakeup

if TYPE_CHECKING:
    from engine.service.installation import Installation

POLL = timedelta(seconds=2)
"""How often mailboxes are looked into; folders on shares tell nobody that something came."""

_HANDLERS: Mapping[str, Callable[["Installation", Job], None]] = {
    "send": sending.handle_send,
    "arrival": receiving.handle_arrival,
    "confirm": confirming.handle_confirm,
    "message": messages.handle_message,
    "signal": messages.handle_signal,
    "signal-case": messages.handle_signal_case,
    "match-buffer": messages.handle_match_buffer,
    "work": services.handle_work,
}


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


def handlers(app: "Installation") -> dict[str, Handler]:
    """Return the handlers of every kind of job, bound to the installation."""
    return {kind: partial(handler, app) for kind, handler in _HANDLERS.items()}


def make_worker(app: "Installation") -> EmbeddedWorker:
    """Return a worker for the installation's jobs."""
    return EmbeddedWorker(app.queue, handlers(app), partial(give_up, app), app.jitter)


def give_up(app: "Installation", job: Job, reason: str) -> None:
    """Open an incident for a job that failed for good."""
    case = job.arguments.get("case")
    with app.write() as tx:
        tx.execute(
            insert(incidents).values(
                id=str(app.ids.new()),
                authority_id=job.authority_id,
                case_id=case if isinstance(case, str) else None,
                kind=f"job:{job.kind}",
                subject_id=str(next(iter(job.arguments.values()), "")),
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
