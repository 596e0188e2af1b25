"""What every dispatcher must do: same handlers, same promises, on the job table and on Procrastinate."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, MetaData, String, Table, func, insert, select

from engine.clock import SystemClock
from engine.errors import RefusedError
from engine.identifiers import RandomIds
from engine.store.database import Database
from engine.store.schema import upgrade_schema
from engine.work import ports
from engine.work.embedded import EmbeddedQueue, EmbeddedWorker
from engine.work.ports import Handlers, RetryPolicy
from engine.work.procrastinate_queue import ProcrastinateQueue
from engine.work.procrastinate_worker import Pace, ProcrastinateWorker

PATIENCE = 20.0
AUTHORITY = "10041100"
effects = Table("effects", MetaData(), Column("name", String(40), nullable=False))


@dataclass
class Bench:
    """A queue and a worker whose handlers remember what they were given."""

    database: Database
    queue: Any
    seen: list[dict[str, Any]] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    outside: Callable[[ports.Job], None] = lambda _job: None

    def handlers(self) -> Handlers:
        return Handlers({"outside": self._outside}, self._exhausted, {"inside": self._inside})

    def worker(self) -> Any:
        source = random.Random(1)
        if isinstance(self.queue, EmbeddedQueue):
            return EmbeddedWorker(self.queue, self.handlers(), source)
        return ProcrastinateWorker(self.database, self.handlers(), source, Pace(heartbeat=0.5, stalled=1.5))

    def enqueue(self, kind: str = "outside", **options: Any) -> None:
        with self.database.write() as tx:
            self.queue.enqueue(tx, kind, {"b": 1, "a": [2.0]}, authority_id=AUTHORITY, **options)

    def work_until(self, reached: Callable[[], bool]) -> None:
        worker, end = self.worker(), time.monotonic() + PATIENCE
        while not reached():
            assert time.monotonic() < end, "the worker did not get there"
            worker.run_due()

    def effects(self) -> int:
        with self.database.read() as tx:
            return int(tx.scalar(select(func.count()).select_from(effects)) or 0)

    def _outside(self, job: ports.Job) -> None:
        self.seen.append(dict(job.arguments))
        self.outside(job)

    def _inside(self, tx: Any, job: ports.Job) -> None:
        tx.execute(insert(effects).values(name=job.kind))
        self.outside(job)

    def _exhausted(self, _tx: Any, _job: ports.Job, reason: str) -> None:
        self.given_up.append(reason)


@pytest.fixture(params=["job table", pytest.param("procrastinate", marks=pytest.mark.postgres)])
def bench(request, tmp_path, monkeypatch):
    monkeypatch.setattr(ports, "DEFAULT_RETRY", RetryPolicy(3, timedelta(0), timedelta(0)))
    if request.param == "job table":
        url = f"sqlite:///{tmp_path / 'jobs.db'}"
        upgrade_schema(url)
        database = Database(url)
        queue: Any = EmbeddedQueue(database, SystemClock(), RandomIds())
    else:
        database = Database(request.getfixturevalue("postgres").fresh())
        queue = ProcrastinateQueue(database, SystemClock())
    with database.write() as tx:
        effects.create(tx)
    yield Bench(database, queue)
    database.close()


def test_arguments_arrive_as_they_were_in_their_order(bench):
    bench.enqueue()
    bench.worker().run_due()
    assert [list(one.items()) for one in bench.seen] == [[("b", 1), ("a", [2.0])]]


def test_a_job_of_a_transaction_that_rolls_back_never_existed(bench):
    def interrupted():
        with bench.database.write() as tx:
            bench.queue.enqueue(tx, "outside", {}, authority_id=AUTHORITY)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert bench.worker().run_due() == 0


def test_a_waiting_key_is_enqueued_once_and_does_not_harm_its_transaction(bench):
    for _ in range(2):
        with bench.database.write() as tx:
            bench.queue.enqueue(tx, "outside", {}, authority_id=AUTHORITY, key="k")
            tx.execute(insert(effects).values(name="kept"))
    assert bench.worker().run_due() == 1
    assert bench.effects() == 2


def test_a_job_that_comes_up_while_its_twin_runs_is_not_swallowed(bench):
    def again(_job):
        if len(bench.seen) == 1:
            bench.enqueue(key="k")

    bench.outside = again
    bench.enqueue(key="k")
    bench.work_until(lambda: len(bench.seen) == 2)


def test_a_job_is_not_run_before_its_time_and_blocks_no_other(bench):
    bench.enqueue(due=datetime.now(UTC) + timedelta(hours=1))
    bench.enqueue()
    assert bench.worker().run_due() == 1
    assert bench.queue.next_due() > datetime.now(UTC) + timedelta(minutes=59)


@pytest.mark.parametrize("error", [RefusedError("no"), ValueError("no")])
def test_failing_work_is_tried_as_often_as_its_policy_says_then_given_up(bench, error):
    def fail(_job):
        raise error

    bench.outside = fail
    bench.enqueue(key="k")
    bench.work_until(lambda: bool(bench.given_up))
    assert len(bench.seen) == 3
    assert "no" in bench.given_up[0]
    assert bench.worker().run_due() == 0


def test_inside_work_that_fails_leaves_nothing_and_succeeds_once(bench):
    tries = []

    def fail_first(job):
        tries.append(job.attempts)
        if len(tries) == 1:
            raise RefusedError("not yet")

    bench.outside = fail_first
    bench.enqueue("inside")
    bench.work_until(lambda: len(tries) == 2)
    assert bench.effects() == 1


def test_stopping_lets_running_work_end(bench):
    if isinstance(bench.queue, EmbeddedQueue):
        pytest.skip("the job table's loop is service.work.run_forever; its worker runs one job at a time")
    begun, stop = threading.Event(), threading.Event()

    def slow(_job):
        begun.set()
        assert stop.wait(PATIENCE)

    bench.outside = slow
    bench.enqueue()
    worker = bench.worker()
    thread = threading.Thread(target=worker.run, args=(2, stop))
    thread.start()
    assert begun.wait(PATIENCE)
    stop.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert worker.done == 1
    assert bench.queue.pending() == 0


_VICTIM = """
import random, sys, time
from engine.store.database import Database
from engine.work.ports import Handlers
from engine.work.procrastinate_worker import Pace, ProcrastinateWorker

def hang(job):
    print("begun", flush=True)
    time.sleep(600)

handlers = Handlers({"outside": hang}, lambda *a: None)
pace = Pace(heartbeat=0.5, stalled=1.5)
ProcrastinateWorker(Database(sys.argv[1]), handlers, random.Random(1), pace).run_due()
"""


@pytest.mark.postgres
def test_the_jobs_of_a_killed_worker_are_taken_up_again(postgres):
    database = Database(postgres.fresh())
    with database.write() as tx:
        effects.create(tx)
    bench = Bench(database, ProcrastinateQueue(database, SystemClock()))
    bench.enqueue(key="k")
    url = database.url.render_as_string(hide_password=False)
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", _VICTIM, url], stdout=subprocess.PIPE, cwd=root, env={**os.environ}
    ) as victim:
        assert victim.stdout is not None
        assert victim.stdout.readline() == b"begun\n"
        victim.send_signal(signal.SIGKILL)
        victim.wait()
    bench.work_until(lambda: len(bench.seen) == 1)
    database.close()


_DYING = """
import os, random, signal, sys
from sqlalchemy import insert
from engine.store.database import Database
from engine.work.ports import Handlers
from engine.work.procrastinate_worker import Pace, ProcrastinateWorker
from tests.work.test_contract import effects

class Dying(ProcrastinateWorker):
    def call(self, *arguments):
        super().call(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

def inside(tx, job):
    tx.execute(insert(effects).values(name=job.kind))

pace = Pace(heartbeat=0.5, stalled=1.5)
handlers = Handlers({}, lambda *a: None, {"inside": inside})
Dying(Database(sys.argv[1]), handlers, random.Random(1), pace).run_due()
"""


@pytest.mark.postgres
def test_inside_work_of_a_worker_that_dies_before_it_says_so_is_not_done_twice(postgres):
    database = Database(postgres.fresh())
    with database.write() as tx:
        effects.create(tx)
    bench = Bench(database, ProcrastinateQueue(database, SystemClock()))
    bench.enqueue("inside")
    url = database.url.render_as_string(hide_password=False)
    died = subprocess.run([sys.executable, "-c", _DYING, url], cwd=Path(__file__).parents[2], check=False)
    assert died.returncode == -signal.SIGKILL
    assert (bench.effects(), bench.queue.pending()) == (1, 1)
    bench.work_until(lambda: bench.queue.pending() == 0)
    assert bench.effects() == 1
    database.close()
