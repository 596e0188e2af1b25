"""The job port on PostgreSQL: Procrastinate's job table, written in the caller's own transaction."""

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from procrastinate import SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job as Deferred
from procrastinate.manager import JobManager
from sqlalchemy import Connection, text

from engine.clock import Clock
from engine.store.database import Database

QUEUE = "dienstweg"
PREFIX = "dienstweg."

_NEXT = text(
    "SELECT min(scheduled_at) FROM procrastinate_jobs WHERE status = 'todo' AND scheduled_at IS NOT NULL"
)
_DOING = text("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'")
_WAITING = text("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")


class ProcrastinateQueue:
    """Defers jobs on the session's connection: they exist when, and only when, it commits."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep jobs in ``database``. Due instants are told by ``clock`` and kept by the server's."""
        self.database = database
        self._clock = clock
        self._manager = JobManager(SyncPsycopgConnector())
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
        """Add a job that commits with ``connection``; one that already waits under ``key`` is kept.

        No job carries a lock: one that is due next week would keep back all others that share it.
        """
        job = Deferred(
            id=None,
            queue=QUEUE,
            lock=None,
            queueing_lock=None if key is None else f"{kind}:{key}",
            task_name=PREFIX + kind,
            # As text: JSONB would reorder the keys of a payload.
            task_kwargs={
                "authority": authority_id,
                "arguments": json.dumps(dict(arguments), ensure_ascii=False),
            },
            scheduled_at=self._scheduled(due),
        )
        driver = connection.connection.driver_connection
        if key is None:
            self._manager.defer_job(job, connection=driver)
            return
        try:
            with connection.begin_nested():
                self._manager.defer_job(job, connection=driver)
        except AlreadyEnqueued:
            return

    def next_due(self) -> datetime | None:
        """Return when the next job that waits for an instant is due (UTC, by the server's clock)."""
        with self.database.read() as connection:
            found: datetime | None = connection.scalar(_NEXT)
            return found

    def pending(self) -> int:
        """Return how many jobs wait or are being worked on."""
        with self.database.read() as connection:
            return int(connection.scalar(_WAITING) or 0)

    def held(self) -> int:
        """Return how many jobs are in some worker's hands, or were when it died a while ago."""
        with self.database.read() as connection:
            return int(connection.scalar(_DOING) or 0)

    def _scheduled(self, due: datetime | None) -> datetime | None:
        """Translate an instant of our clock, which may be turned, into one of the server's."""
        now = self._clock.now()
        if due is None or due <= now:
            return None
        return datetime.now(UTC) + (due - now)
