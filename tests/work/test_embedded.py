"""The job table: claims, retries, leases; with a turned clock."""

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest

from engine.clock import TurnedClock
from engine.errors import RefusedError
from engine.identifiers import SeededIds
from engine.store.database import Database
from engine.store.schema import upgrade_schema
from engine.work.embedded import LEASE, EmbeddedQueue, EmbeddedWorker
from engine.work.ports import Handlers

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def clock():
    return TurnedClock(NOON)


@pytest.fixture
def database(tmp_path):
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    upgrade_schema(url)
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def queue(database, clock):
    return EmbeddedQueue(database, clock, SeededIds())


def enqueue(queue, database, number=1, **options):
    with database.write() as tx:
        queue.enqueue(tx, "count", {"n": number}, authority_id="10041100", **options)


def worker(queue, handler, given_up=None):
    handlers = Handlers({"count": handler}, lambda _tx, _job, reason: given_up.append(reason))
    return EmbeddedWorker(queue, handlers, random.Random(1))


def test_a_job_of_a_transaction_that_rolls_back_never_existed(queue, database):
    def interrupted():
        with database.write() as tx:
            queue.enqueue(tx, "count", {}, authority_id="1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert queue.claim() is None


def test_a_waiting_key_is_enqueued_once(queue, database):
    enqueue(queue, database, key="k")
    enqueue(queue, database, key="k")
    assert queue.claim() is not None
    assert queue.claim() is None


def test_work_that_comes_up_while_a_job_runs_is_not_swallowed(queue, database):
    enqueue(queue, database, key="k")
    assert queue.claim() is not None
    enqueue(queue, database, key="k")
    assert queue.claim() is not None


def test_a_job_is_not_due_before_its_time(queue, database, clock):
    enqueue(queue, database, due=NOON + timedelta(hours=1))
    assert queue.claim() is None
    clock.turn(timedelta(hours=1))
    assert queue.claim() is not None


def test_a_job_whose_worker_died_is_taken_up_again(queue, database, clock):
    enqueue(queue, database)
    assert queue.claim().attempts == 0
    assert queue.claim() is None
    clock.turn(LEASE + timedelta(seconds=1))
    assert queue.claim().attempts == 1


def test_a_worker_that_lives_keeps_its_job_however_long_it_takes(database, clock):
    queue = EmbeddedQueue(database, clock, SeededIds(), timedelta(seconds=0.04))
    enqueue(queue, database)
    held = []

    def work(_job):
        for _ in range(3):
            clock.turn(timedelta(hours=1))
            for _ in range(2000):
                if queue.held():
                    break
                threading.Event().wait(0.01)
            held.append((queue.held(), queue.claim()))

    assert worker(queue, work).run_one()
    assert held == [(1, None)] * 3
    assert (queue.held(), queue.claim()) == (0, None)


def test_jobs_in_a_workers_hands_are_told(queue, database, clock):
    enqueue(queue, database)
    assert queue.held() == 0
    queue.claim()
    assert queue.held() == 1
    clock.turn(LEASE + timedelta(seconds=1))
    assert queue.held() == 0


def test_a_worker_that_shall_stop_begins_no_further_job(queue, database):
    for number in range(3):
        enqueue(queue, database, number)
    stop, seen = threading.Event(), []

    def work(job):
        seen.append(job.arguments["n"])
        stop.set()

    handlers = Handlers({"count": work}, lambda *_: None)
    assert EmbeddedWorker(queue, handlers, random.Random(1), stop).run_due() == 1
    assert len(seen) == 1


def test_failing_work_is_tried_again_later_and_given_up_in_the_end(queue, database, clock):
    enqueue(queue, database)
    tries, given_up = [], []

    def fail(job):
        tries.append(job.attempts)
        raise RefusedError("no")

    crew = worker(queue, fail, given_up)
    for _ in range(20):
        while crew.run_one():
            pass
        clock.turn(timedelta(hours=1))
    assert tries == [0, 1, 2, 3, 4]
    assert given_up == ["no"]
    assert queue.claim() is None


def test_good_work_is_done_once(queue, database):
    for number in range(5):
        enqueue(queue, database, number)
    seen = []
    crew = worker(queue, lambda job: seen.append(job.arguments["n"]))
    while crew.run_one():
        pass
    assert sorted(seen) == [0, 1, 2, 3, 4]
