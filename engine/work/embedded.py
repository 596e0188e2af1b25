"""The dispatcher of the embedded database: a job table and threads in one process."""

import logging
import random
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from engine.clock import Clock
from engine.errors import DienstwegError
from engine.identifiers import IdSource
from engine.store.database import Database
from engine.store.tables import jobs
from engine.work.ports import Handler, Job, policy_for

LEASE = timedelta(minutes=5)
"""How long a claimed job is left alone before another worker may take it up (its process died)."""

_log = logging.getLogger("dienstweg.work")

Exhausted = Callable[[Job, str], None]
"""Called when a job has used up its attempts; opens an incident."""


class EmbeddedQueue:
    """The job table."""

    def __init__(self, database: Database, clock: Clock, ids: IdSource) -> None:
        """Keep jobs in ``database``; ``clock`` decides what is due."""
        self._database = database
        self._clock = clock
        self._ids = ids
        self.added = threading.Event()

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
        if key is not None and self._waits(connection, kind, key):
            return
        connection.execute(
            insert(jobs).values(
                id=str(self._ids.new()),
                authority_id=authority_id,
                kind=kind,
                key=key,
                arguments=dict(arguments),
                due_at=due or self._clock.now(),
                attempts=0,
            )
        )
        self.added.set()

    def claim(self) -> Job | None:
        """Take the most overdue job for the length of a lease, or return None where none is due."""
        now = self._clock.now()
        free = or_(jobs.c.lease_until.is_(None), jobs.c.lease_until < now)
        due = select(jobs).where(jobs.c.due_at <= now, free).order_by(jobs.c.due_at, jobs.c.id).limit(1)
        with self._database.read() as connection:
            if connection.execute(due).first() is None:
                return None
        with self._database.write() as connection:
            row = connection.execute(due).mappings().first()
            if row is None:
                return None
            # The key is given up now: what happens from here on may need another run.
            connection.execute(
                update(jobs)
                .where(jobs.c.id == row["id"])
                .values(lease_until=now + LEASE, attempts=row["attempts"] + 1, key=None)
            )
        return Job(row["id"], row["authority_id"], row["kind"], row["arguments"], row["attempts"])

    def finish(self, job: Job) -> None:
        """Forget a job that is done."""
        with self._database.write() as connection:
            connection.execute(delete(jobs).where(jobs.c.id == job.id))

    def postpone(self, job: Job, delay: timedelta, reason: str) -> None:
        """Give a failed job another date."""
        with self._database.write() as connection:
            connection.execute(
                update(jobs)
                .where(jobs.c.id == job.id)
                .values(due_at=self._clock.now() + delay, lease_until=None, last_error=reason)
            )

    def next_due(self) -> datetime | None:
        """Return when the next job is due (UTC); leased jobs count from the end of their lease."""
        with self._database.read() as connection:
            first: datetime | None = connection.scalar(
                select(jobs.c.due_at).where(jobs.c.lease_until.is_(None)).order_by(jobs.c.due_at).limit(1)
            )
            return first

    @staticmethod
    def _waits(connection: Connection, kind: str, key: str) -> bool:
        found = select(jobs.c.id).where(jobs.c.kind == kind, jobs.c.key == key)
        return connection.execute(found).first() is not None


class EmbeddedWorker:
    """Runs the queue's jobs with the installation's handlers."""

    def __init__(
        self,
        queue: EmbeddedQueue,
        handlers: Mapping[str, Handler],
        exhausted: Exhausted,
        jitter: random.Random,
    ) -> None:
        """Use ``handlers`` by kind of job; ``exhausted`` hears of jobs that failed for good."""
        self._queue = queue
        self._handlers = handlers
        self._exhausted = exhausted
        self._jitter = jitter

    def run_one(self) -> bool:
        """Run one due job; return whether there was one."""
        job = self._queue.claim()
        if job is None:
            return False
        try:
            self._handlers[job.kind](job)
        except DienstwegError as error:
            self._failed(job, str(error))
        except Exception as error:  # noqa: BLE001 - a worker survives any handler; the incident names the fault
            _log.exception("job %s failed", job.kind)
            self._failed(job, f"{type(error).__name__}: {error}")
        else:
            self._queue.finish(job)
        return True

    def _failed(self, job: Job, reason: str) -> None:
        policy = policy_for(job.kind)
        attempts = job.attempts + 1
        if attempts < policy.attempts:
            self._queue.postpone(job, policy.delay(attempts, self._jitter), reason)
            return
        self._exhausted(job, reason)
        self._queue.finish(job)
