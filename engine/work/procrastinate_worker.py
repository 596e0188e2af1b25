"""Workers on PostgreSQL, on any number of hosts: Procrastinate fetches, we handle, retry and give up."""

import asyncio
import json
import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import DeleteJobCondition, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from sqlalchemy import BigInteger, bindparam, column, table, text, update

from engine.errors import DienstwegError
from engine.store.database import Database
from engine.store.prepared import Prepared
from engine.work.ports import Handlers, Job, policy_for
from engine.work.procrastinate_queue import PREFIX, QUEUE

_log = logging.getLogger("dienstweg.work")
_GIVE_UP_KEY = text("UPDATE procrastinate_jobs SET queueing_lock = NULL WHERE id = :job")
_JOBS = table("procrastinate_jobs", column("id", BigInteger), column("args"))
_MARK_DONE = Prepared(
    update(_JOBS)
    .where(_JOBS.c.id == bindparam("job"), text("args->>'done' IS NULL"))
    .values(args=text("args || jsonb_build_object('done', true)"))
    .returning(_JOBS.c.id)
)
"""Commits with the work that happens in one transaction: whoever runs the job again finds it done."""
_RECONNECT = 2.0
_POOL_TIMEOUT = 5.0
_STOP_POLL = 0.2


@dataclass(frozen=True, slots=True)
class Pace:
    """How often workers look and report, in seconds."""

    poll: float = 0.5
    """NOTIFY wakes workers at once; polling finds what became due and what a lost NOTIFY announced."""
    heartbeat: float = 5.0
    stalled: float = 30.0
    """A worker silent for so long is dead: its jobs are taken up again. Must exceed the heartbeat."""


class _DoneBeforeError(Exception):
    """Another worker has done this job meanwhile."""


class _Patience(BaseRetryStrategy):
    """Our retry policies, told to Procrastinate."""

    def __init__(self, kind: str, jitter: random.Random) -> None:
        self._kind = kind
        self._jitter = jitter

    def get_retry_decision(self, *, exception: BaseException, job: Any) -> RetryDecision | None:
        delay = policy_for(self._kind).delay(job.attempts + 1, self._jitter)
        return RetryDecision(retry_at=datetime.now(UTC) + delay)


class ProcrastinateWorker:
    """Runs the installation's jobs, several at once, until told to stop."""

    def __init__(
        self, database: Database, handlers: Handlers, jitter: random.Random, pace: Pace = Pace()
    ) -> None:
        """Use ``handlers`` by kind of job; ``jitter`` spreads retries."""
        self._database = database
        self._handlers = handlers
        self._jitter = jitter
        self._pace = pace
        self.done = 0
        """Jobs finished well since the worker began."""

    def run_due(self, concurrency: int = 1) -> int:
        """Run jobs until none is due, those of dead workers included; return how many there were."""
        before = self.done
        asyncio.run(self._session(concurrency, None))
        return self.done - before

    def run(self, concurrency: int, stop: threading.Event) -> None:
        """Work until ``stop`` is set; jobs that run then are finished. A lost database is waited for."""
        while not stop.is_set():
            try:
                asyncio.run(self._session(concurrency, stop))
            except (ConnectorException, OSError) as error:
                _log.warning("the database does not answer, trying again: %s", error)
                stop.wait(_RECONNECT)

    def call(self, kind: str, context: JobContext, authority: str, arguments: str) -> None:
        """Do one job; the last failure becomes an incident instead of another retry."""
        job = Job(str(context.job.id), authority, kind, json.loads(arguments), context.job.attempts)
        if context.job.queueing_lock is not None:
            # The key is given up now: what happens from here on may need another run.
            with self._database.write() as tx:
                tx.execute(_GIVE_UP_KEY, {"job": context.job.id})
        try:
            inside = self._handlers.inside.get(kind)
            if inside is None:
                self._handlers.outside[kind](job)
            else:
                with suppress(_DoneBeforeError), self._database.write() as tx:
                    mine = _MARK_DONE.send(tx, job=context.job.id)
                    inside(tx, job)
                    if mine.first() is None:
                        raise _DoneBeforeError
        except DienstwegError as error:
            if self._goes_on(job, str(error)):
                raise
        except Exception as error:
            # A worker survives any handler; the incident names the fault.
            _log.exception("job %s failed", kind)
            if self._goes_on(job, f"{type(error).__name__}: {error}"):
                raise
        self.done += 1

    def _goes_on(self, job: Job, reason: str) -> bool:
        """Tell whether the job is tried again; if not, an incident is opened."""
        if job.attempts + 1 < policy_for(job.kind).attempts:
            return True
        with self._database.write() as tx:
            self._handlers.exhausted(tx, job, reason)
        return False

    async def _session(self, concurrency: int, stop: threading.Event | None) -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(concurrency + 2, "dienstweg-work"))
        url = self._database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        # A short timeout: while the server is away, asking anew is better than waiting.
        pool: dict[str, Any] = {"min_size": 1, "max_size": concurrency + 3, "timeout": _POOL_TIMEOUT}
        app = App(connector=PsycopgConnector(conninfo=url, **pool))
        for kind in (*self._handlers.outside, *self._handlers.inside):
            retry = _Patience(kind, self._jitter)
            app.task(name=PREFIX + kind, pass_context=True, retry=retry)(self._task(kind))
        async with app.open_async():
            await self._rescue(app)
            working = asyncio.create_task(
                app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=concurrency,
                    wait=stop is not None,
                    listen_notify=stop is not None,
                    fetch_job_polling_interval=self._pace.poll,
                    update_heartbeat_interval=self._pace.heartbeat,
                    stalled_worker_timeout=self._pace.stalled,
                    delete_jobs=DeleteJobCondition.ALWAYS,
                    install_signal_handlers=False,
                )
            )
            if stop is not None:
                await self._watch(app, working, stop)
            if not working.cancelled():
                await working

    def _task(self, kind: str) -> Callable[..., None]:
        def run(context: JobContext, authority: str, arguments: str, done: bool = False) -> None:
            if not done:
                self.call(kind, context, authority, arguments)

        return run

    async def _watch(self, app: App, working: "asyncio.Task[None]", stop: threading.Event) -> None:
        """Take up dead workers' jobs now and then; on ``stop`` let the worker finish what it runs."""
        waited = 0.0
        while not stop.is_set() and not working.done():
            await asyncio.sleep(_STOP_POLL)
            waited += _STOP_POLL
            if waited >= self._pace.stalled / 2:
                waited = 0.0
                await self._rescue(app)
        if not working.done():
            working.cancel()
            await asyncio.wait({working})

    async def _rescue(self, app: App) -> None:
        """Queue the jobs of workers again whose heartbeat has stopped."""
        silent = self._pace.stalled
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silent):
            _log.warning("job %s was left by a dead worker", job.id)
            try:
                await app.job_manager.retry_job(job)
            except (AlreadyEnqueued, UniqueViolation):
                # Its twin waits already and will do the same.
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
