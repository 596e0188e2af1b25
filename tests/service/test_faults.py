"""Disk full, database gone, connection cut, clock set back: said clearly, nothing half done, work goes on."""

import os
import resource
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from benchmarks._bench import APPROVE, NOON, installation, package
from benchmarks.timers import WAIT
from engine.clock import SystemClock, TurnedClock
from engine.documents import DocumentStoreFullError
from engine.service import timing
from engine.service.cases import list_cases, show_case, start_case
from engine.service.tasks import complete_task, list_tasks
from engine.service.verifying import verify_installation
from engine.service.work import run_forever, run_until_idle
from engine.store.errors import DatabaseUnavailableError
from engine.store.tables import history

pytestmark = pytest.mark.forks


def in_child(action):
    """Run ``action`` in a forked process; return its exit status."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            action()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_full_disk_refuses_the_step_and_leaves_the_case_as_it_was():
    with installation(package("approve", APPROVE)) as (app, actor):
        start_case(app, actor, "approve", {"amount": 1})
        task = list_tasks(app, actor)[0].id
        wal = app.settings.home / "dienstweg.db-wal"

        def full():
            # No file may grow beyond what the log has already: writing to it fails as on a full disk.
            import signal

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            size = wal.stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            with pytest.raises(DatabaseUnavailableError, match="rolled back"):
                complete_task(app, actor, task, {"text": "x" * 50_000})
            with pytest.raises(DocumentStoreFullError, match="free disk space"):
                app.documents.put_bytes(b"x" * (size + 1))

        assert in_child(full) == 0
        assert verify_installation(app).faults == ()
        assert complete_task(app, actor, task, {"text": "x" * 50_000}).status == "completed"
        assert list(app.documents.digests()) == []


@pytest.mark.postgres
def test_a_connection_that_is_cut_leaves_nothing_and_the_next_one_works(postgres):
    with installation(package("approve", APPROVE), database_url=postgres.fresh()) as (app, actor):
        start_case(app, actor, "approve", {"amount": 1})
        task = list_tasks(app, actor)[0].id

        def cut(point):
            if point == "stored":
                with app.database.session() as other:
                    mine = text("SELECT pg_backend_pid()")
                    kill = text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> :mine"
                    )
                    other.execute(kill, {"mine": other.scalar(mine)})

        app.probe = cut
        with pytest.raises(DatabaseUnavailableError):
            complete_task(app, actor, task)
        app.probe = lambda _point: None
        assert complete_task(app, actor, task).status == "completed"
        assert verify_installation(app).faults == ()


@pytest.mark.postgres
def test_many_open_files_do_not_hide_whether_a_connection_lives(postgres):
    with installation(package("approve", APPROVE), database_url=postgres.fresh()) as (app, actor):

        def crowded():
            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (2048, most))
            app.database._idle.clear()  # the parent's connections are not ours
            files = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
            assert list_cases(app, actor) == list_cases(app, actor) == []
            for file in files:
                os.close(file)

        assert in_child(crowded) == 0


@pytest.mark.postgres
def test_where_the_answer_to_a_commit_is_lost_nobody_claims_to_know(postgres):
    """The server goes while it commits: whether the step was stored only a look can tell."""
    with installation(package("approve", APPROVE), database_url=postgres.fresh()) as (app, actor):
        with app.write() as tx:
            for statement in _GOES_AT_COMMIT:
                tx.execute(text(statement))
        with pytest.raises(DatabaseUnavailableError, match="look whether it was stored"):
            start_case(app, actor, "approve", {"amount": 1})
        with app.write() as tx:
            tx.execute(text("DROP TRIGGER gone ON cases"))
        assert list_cases(app, actor) == []
        start_case(app, actor, "approve", {"amount": 1})
        assert verify_installation(app).faults == ()


_GOES_AT_COMMIT = (
    "CREATE FUNCTION go() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
    "CREATE CONSTRAINT TRIGGER gone AFTER INSERT ON cases DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION go()",
)


@pytest.mark.postgres
def test_a_database_that_is_gone_for_a_while_is_waited_for(monkeypatch):
    from tests.postgres import Postgres, PostgresMissingError

    try:
        server = Postgres()
    except PostgresMissingError as error:
        pytest.skip(str(error))
    monkeypatch.setattr("engine.service.work.POLL", timedelta(milliseconds=100))
    try:
        _wait_for(server)
    finally:
        server.close()


def _wait_for(server):
    url = server.fresh()
    with installation(package("approve", APPROVE), database_url=url, clock=SystemClock()) as (app, actor):
        start_case(app, actor, "approve", {"amount": 250})
        stop = threading.Event()
        loop = threading.Thread(target=run_forever, args=(app, stop, 1))
        loop.start()
        try:
            server.stop()
            with pytest.raises(DatabaseUnavailableError, match="does not answer"):
                list_tasks(app, actor)
            assert loop.is_alive()
            server.restart()  # waits for the recovery, however long a busy machine takes for it
            complete_task(app, actor, list_tasks(app, actor)[0].id)
            for _ in range(1800):
                if list_tasks(app, actor):
                    break
                stop.wait(0.1)
            assert [task.name for task in list_tasks(app, actor)] == ["Sign"]
        finally:
            stop.set()
            loop.join()


def test_a_clock_that_steps_back_fires_nothing_early_and_nothing_twice():
    clock = TurnedClock(NOON)
    with installation(package("wait", WAIT), clock=clock) as (app, actor):
        first = start_case(app, actor, "wait")
        clock.turn(timedelta(hours=-2))
        second = start_case(app, actor, "wait")
        assert timing.fire_due(app) == 0
        clock.turn(timedelta(hours=1))
        assert run_until_idle(app).timers == 1
        assert show_case(app, actor, second.id).case.status == "ended"
        clock.turn(timedelta(minutes=-30))
        assert run_until_idle(app).timers == 0
        clock.turn(timedelta(hours=5))
        assert run_until_idle(app).timers == 1
        assert {case.status for case in list_cases(app, actor)} == {"ended"}
        with app.read() as tx:
            sequences = tx.execute(
                select(history.c.sequence).where(history.c.case_id == first.id).order_by(history.c.sequence)
            )
            assert [row.sequence for row in sequences] == [1, 2]
        assert verify_installation(app).faults == ()
