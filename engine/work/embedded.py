"""The dispatcher of the embedded database: a job table and threads in one process."""

import logging
import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, or_, select, update

from engine.clock import Clock
from engine.errors import DienstwegError, EnvironmentFaultError
from engine.identifiers import IdSource
from engine.store.database import Database, upsert
from engine.store.prepared import Prepared
from engine.store.tables import jobs
from engine.work.ports import Handlers, Job, policy_for

LEASE = timedelta(seconds=30)
"""How long a job in work is left alone without a sign of life of its worker; then another takes it up."""
_RENEWALS = 4
"""How often a worker shows within a lease that it lives."""

_log = logging.getLogger("dienstweg.work")

_COLUMNS = ("id", "authority_id", "kind", "key", "arguments", "due_at", "attempts")
_ENQUEUE = Prepared(
    lambda dialect: (
        upsert(dialect, jobs)
        .values({name: bindparam(name, type_=jobs.c[name].type) for name in _COLUMNS})
        .on_conflict_do_nothing(index_elements=["kind", "key"])
    )
)
_FREE = (
    jobs.c.due_at <= bindparam("now"),
    or_(jobs.c.lease_until.is_(None), jobs.c.lease_until < bindparam("now")),
)
_DUE = select(jobs).where(*_FREE).order_by(jobs.c.due_at, jobs.c.id).limit(1)
_PEEK = Prepared(_DUE)
_TAKE = Prepared(_DUE.with_for_update(skip_locked=True))
_LEASE = Prepared(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(lease_until=bindparam("until"), attempts=bindparam("tries"), key=None)
)
_RENEW = Prepared(
    update(jobs)
    .where(jobs.c.id == bindparam("job"), jobs.c.lease_until.is_not(None))
    .values(lease_until=bindparam("until"))
)
_HELD = Prepared(
    select(func.count().label("number")).select_from(jobs).where(jobs.c.lease_until >= bindparam("now"))
)
_POSTPONE = Prepared(
    update(jobs)
    .where(jobs.c.id == bindparam("job"))
    .values(
        due_at=bindparam("due"), attempts=bindparam("tries"), last_error=bindparam("why"), lease_until=None
    )
)
_FINISH = Prepared(delete(jobs).where(jobs.c.id == bindparam("job")))
_NEXT_DUE = Prepared(
    select(jobs.c.due_at).where(jobs.c.lease_until.is_(None)).order_by(jobs.c.due_at).limit(1)
)


class EmbeddedQueue:
    """The job table."""

    def __init__(
        self, database: Database, clock: Clock, ids: IdSource, lease_time: timedelta = LEASE
    ) -> None:
        """Keep jobs in ``database``; ``clock`` decides what is due, and when a lease has ended."""
        self.database = database
        self._clock = clock
        self._ids = ids
        self._lease_time = lease_time
        self.added = threading.Event()
        self._expecting = True

    def enqueue(
        self,
        connection: Connection,
        kind: str,
        arguments: Mapping[str, Any],
        *,
        authority_id: str,
        key: str | None = None,
        due: datetime | None = None,
    ) -> None:
        """Add a job that commits with ``connection``; one that already waits under ``key`` is kept."""
        _ENQUEUE.run(
            connection,
            id=str(self._ids.new()),
            authority_id=authority_id,
            kind=kind,
            key=key,
            arguments=arguments,
            due_at=due or self._clock.now(),
            attempts=0,
        )
        self._expecting = True
        self.added.set()

    def promising(self) -> bool:
        """Tell whether taking a job is worth a writing transaction.

        Idle workers only look: on SQLite whoever begins to write keeps all others waiting. A job of this
        process needs no look.
        """
        if self._expecting or not self.database.is_sqlite:
            return True
        return self.waiting() is not None

    def waiting(self) -> Job | None:
        """Return the most overdue job without taking it, or None where none is due."""
        with self.database.read() as connection:
            return _job(_PEEK.first(connection, now=self._clock.now()))

    def take(self, connection: Connection) -> Job | None:
        """Return the most overdue job, which nobody else gets while ``connection``'s transaction lasts."""
        job = _job(_TAKE.first(connection, now=self._clock.now()))
        self._expecting = job is not None
        return job

    def claim(self) -> Job | None:
        """Take the most overdue job for the length of a lease, or return None where none is due."""
        if not self.promising():
            return None
        with self.database.write() as connection:
            job = self.take(connection)
            if job is not None:
                self.lease(connection, job)
        return job

    def lease(self, connection: Connection, job: Job) -> None:
        """Keep a job taken for the length of a lease, while its work reaches out of the database."""
        # The key is given up now: what happens from here on may need another run.
        until = self._clock.now() + self._lease_time
        _LEASE.run(connection, job=job.id, until=until, tries=job.attempts + 1)

    @contextmanager
    def renewing(self, job: Job) -> Iterator[None]:
        """Renew a job's lease as long as the block runs, however long its work takes.

        So the lease itself can be short, and what a killed worker had begun is soon taken up.
        """
        done = threading.Event()
        keeper = threading.Thread(target=self._renew, args=(job, done), name="dienstweg-lease", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            done.set()
            keeper.join()

    def _renew(self, job: Job, done: threading.Event) -> None:
        while not done.wait(self._lease_time.total_seconds() / _RENEWALS):
            try:
                with self.database.write() as connection:
                    _RENEW.run(connection, job=job.id, until=self._clock.now() + self._lease_time)
            except EnvironmentFaultError as error:
                _log.warning("cannot renew the lease of job %s now, trying again: %s", job.kind, error)

    def held(self) -> int:
        """Return how many jobs are in some worker's hands, or were when it died less than a lease ago."""
        with self.database.read() as connection:
            found = _HELD.first(connection, now=self._clock.now())
        return 0 if found is None else int(found.number)

    def finish(self, connection: Connection, job: Job) -> None:
        """Forget a job that is done, or that failed for good."""
        _FINISH.run(connection, job=job.id)

    def postpone(self, job: Job, delay: timedelta, reason: str) -> None:
        """Give a failed job another date."""
        due = self._clock.now() + delay
        with self.database.write() as connection:
            _POSTPONE.run(connection, job=job.id, due=due, tries=job.attempts + 1, why=reason)

    def next_due(self) -> datetime | None:
        """Return when the next job is due (UTC); one that is being worked on does not count."""
        with self.database.read() as connection:
            first = _NEXT_DUE.first(connection)
        return None if first is None else first.due_at


def _job(row: Any) -> Job | None:
    return None if row is None else Job(row.id, row.authority_id, row.kind, row.arguments, row.attempts)


class EmbeddedWorker:
    """Runs the queue's jobs with the installation's handlers."""

    def __init__(
        self,
        queue: EmbeddedQueue,
        handlers: Handlers,
        jitter: random.Random,
        stop: threading.Event | None = None,
    ) -> None:
        """Use ``handlers`` by kind of job; ``jitter`` spreads retries. With ``stop`` set no job is begun."""
        self._queue = queue
        self._handlers = handlers
        self._jitter = jitter
        self._stop = stop or threading.Event()

    def run_due(self) -> int:
        """Run jobs until none is due; return how many there were."""
        count = 0
        while not self._stop.is_set() and self.run_one():
            count += 1
        return count

    def run_one(self) -> bool:
        """Run one due job; return whether there was one."""
        if not self._queue.promising():
            return False
        job: Job | None = None
        try:
            with self._queue.database.write() as connection:
                job = self._queue.take(connection)
                if job is None:
                    return False
                inside = self._handlers.inside.get(job.kind)
                if inside is None:
                    self._queue.lease(connection, job)
                else:
                    # The work and the job's end commit together: no lease, no second run.
                    inside(connection, job)
                    self._queue.finish(connection, job)
            if inside is None:
                with self._queue.renewing(job):
                    self._handlers.outside[job.kind](job)
                with self._queue.database.write() as connection:
                    self._queue.finish(connection, job)
        except DienstwegError as error:
            if job is None:
                raise
            self._failed(job, str(error))
        except Exception as error:
            if job is None:
                raise
            # A worker survives any handler; the incident names the fault.
            _log.exception("job %s failed", job.kind)
            self._failed(job, f"{type(error).__name__}: {error}")
        return True

    def _failed(self, job: Job, reason: str) -> None:
        policy = policy_for(job.kind)
        attempts = job.attempts + 1
        if attempts < policy.attempts:
            self._queue.postpone(job, policy.delay(attempts, self._jitter), reason)
            return
        with self._queue.database.write() as connection:
            self._handlers.exhausted(connection, job, reason)
            self._queue.finish(connection, job)
