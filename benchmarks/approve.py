"""The approve flow, durable: six nodes, one case a round, every step in a transaction of its own."""

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, select

from benchmarks._bench import APPROVE, installation, model, package
from benchmarks.result import Row
from engine.actor import Actor
from engine.service.cases import start_case
from engine.service.installation import Installation
from engine.service.tasks import complete_task
from engine.service.work import make_worker
from engine.store.prepared import Prepared
from engine.store.tables import tasks
from engine.work.embedded import EmbeddedWorker

DESCRIPTION = "approve flow (start, user task, service, gateway, user task, end): cases a second"
SECONDS = {"quick": 1.5, "full": 8.0}
WARM = 5
_OPEN = Prepared(select(tasks.c.id).where(tasks.c.case_id == bindparam("case"), tasks.c.status == "open"))


def run(scale: str) -> list[Row]:
    seconds = SECONDS[scale]
    rate, document = in_memory(seconds)
    rows = [Row("SpiffWorkflow in memory", rate, "cases/s")]
    rows += [Row("raw commits of 4.5 kB, SQLite FULL", raw_commits(seconds / 2), "commits/s")]
    rows += [Row("SpiffWorkflow, whole document saved each step, SQLite FULL", document, "cases/s")]
    with installation(package("approve", APPROVE)) as (app, actor):
        mine = rounds(seconds, approving(app, actor))
        rows.append(Row("Dienstweg, SQLite FULL, one process", mine, "cases/s"))
    rows.append(Row("ratio to SpiffWorkflow in memory: SQLite FULL", mine / rate, "×"))
    rows.append(Row("ratio to whole-document saving: SQLite FULL", mine / document, "×"))
    with postgres() as fresh:
        for workers in (1, 2, 4):
            found = many(fresh(), workers, seconds)
            rows.append(Row(f"Dienstweg, PostgreSQL, {workers} processes", found, "cases/s"))
            rows.append(Row(f"ratio to SpiffWorkflow in memory: PostgreSQL, {workers}", found / rate, "×"))
    return rows


def rounds(seconds: float, one: Callable[[], None]) -> float:
    """Return how often ``one`` runs in a second."""
    for _ in range(WARM):
        one()
    count, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        one()
        count += 1
    return count / spent


def approving(app: Installation, actor: Actor) -> Callable[[], None]:
    """Return what takes one case from start to end, the way clerks and the work loop do."""
    worker = make_worker(app)

    def task(case: str) -> str:
        with app.read() as tx:
            return str(_OPEN.first(tx, case=case).id)

    def one() -> None:
        case = start_case(app, actor, "approve", {"amount": 250}).id
        complete_task(app, actor, task(case), {"reason": "bench"})
        if isinstance(worker, EmbeddedWorker):
            worker.run_one()
        complete_task(app, actor, task(case), {"approved": True})

    return one


# --- the others -------------------------------------------------------------------------------------------


def in_memory(seconds: float) -> tuple[float, float]:
    """Return cases a second of plain SpiffWorkflow: in memory, and saving the whole document each step."""
    from lxml import etree
    from SpiffWorkflow.bpmn.parser import BpmnParser
    from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
    from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
    from SpiffWorkflow.task import TaskState

    parser = BpmnParser()
    # Its own parser knows no work in a plain service task; a manual task stands for it here.
    body = APPROVE.replace("serviceTask", "manualTask").replace(' implementation="pass"', "")
    parser.add_bpmn_xml(etree.fromstring(model("approve", body)))
    spec = parser.get_spec("approve")
    serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure())

    def one(pause: Callable[[BpmnWorkflow], BpmnWorkflow]) -> None:
        workflow = BpmnWorkflow(spec)
        workflow.data["amount"] = 250
        workflow.get_next_task(state=TaskState.READY).data["amount"] = 250
        workflow.do_engine_steps()
        for data in ({"reason": "bench"}, {}, {"approved": True}):
            workflow = pause(workflow)
            task = workflow.get_next_task(state=TaskState.READY, manual=True)
            task.data.update(data)
            task.run()
            workflow.do_engine_steps()
        pause(workflow)
        if not workflow.is_completed():
            raise RuntimeError("the case did not end")

    memory = rounds(seconds, lambda: one(lambda workflow: workflow))
    with database() as connection:
        connection.execute("CREATE TABLE doc (id INTEGER PRIMARY KEY, text TEXT)")

        def save(workflow: BpmnWorkflow) -> BpmnWorkflow:
            text = serializer.serialize_json(workflow)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT OR REPLACE INTO doc VALUES (1, ?)", (text,))
            connection.execute("COMMIT")
            return serializer.deserialize_json(
                connection.execute("SELECT text FROM doc WHERE id = 1").fetchone()[0]
            )

        return memory, rounds(seconds, lambda: one(save))


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    with tempfile.TemporaryDirectory(prefix="dw-bench-", dir=Path.cwd()) as folder:
        connection = sqlite3.connect(Path(folder) / "x.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        yield connection
        connection.close()


def raw_commits(seconds: float) -> float:
    source = random.Random(1)
    with database() as connection:
        connection.execute("CREATE TABLE doc (id INTEGER PRIMARY KEY, text TEXT)")
        connection.execute("INSERT INTO doc VALUES (1, '')")

        def one() -> None:
            # SQLite skips writing what has not changed, so the text must be new each time.
            text = f"{source.random():.18f}" * 225
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("UPDATE doc SET text = ? WHERE id = 1", (text,))
            connection.execute("COMMIT")

        return rounds(seconds, one)


# --- PostgreSQL ------------------------------------------------------------------------------------------


@contextmanager
def postgres() -> Iterator[Callable[[], str]]:
    from tests.postgres import Postgres

    server = Postgres()
    try:
        yield server.fresh
    finally:
        server.close()


def many(url: str, workers: int, seconds: float) -> float:
    """Return cases a second of several processes on one database, the service task's job included."""
    with installation(package("approve", APPROVE), database_url=url) as (app, _actor):
        command = [sys.executable, "-m", "benchmarks.approve", str(app.settings.home), str(seconds)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        crew = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(workers)]
        return float(sum(json.loads(one.communicate()[0]) for one in crew))


def worker_process(home: Path, seconds: float) -> None:
    """Approve cases in an installation that others work on too; prints cases a second."""
    from benchmarks._bench import CLERK, NOON
    from engine.clock import TurnedClock
    from engine.service.installation import open_installation

    app: Any = open_installation(home, clock=TurnedClock(NOON))
    one = approving_together(app, app.actor(CLERK))
    print(rounds(seconds, one))
    app.close()


def approving_together(app: Installation, actor: Actor) -> Callable[[], None]:
    """Like ``approving``; a job may be taken by any of the processes, so it is waited for."""
    worker = make_worker(app)

    def one() -> None:
        case = start_case(app, actor, "approve", {"amount": 250}).id
        with app.read() as tx:
            first = _OPEN.first(tx, case=case).id
        complete_task(app, actor, first, {"reason": "bench"})
        while True:
            if isinstance(worker, EmbeddedWorker):
                worker.run_one()
            with app.read() as tx:
                second = _OPEN.first(tx, case=case)
            if second is not None:
                break
        complete_task(app, actor, second.id, {"approved": True})

    return one


if __name__ == "__main__":
    worker_process(Path(sys.argv[1]), float(sys.argv[2]))
