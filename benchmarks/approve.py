"""The approve flow, durable: six nodes, one case a round, every step in a transaction of its own."""

import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
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
SECONDS = {"quick": 1.5, "full": 10.0}
TURNS = 5
WARM = 5
MEMORY = "SpiffWorkflow in memory"
DOCUMENT = "SpiffWorkflow, whole document saved each step, SQLite FULL"
RAW = "raw commits of 4.5 kB, SQLite FULL"
SQLITE = "Dienstweg, SQLite FULL, one process"
_OPEN = Prepared(select(tasks.c.id).where(tasks.c.case_id == bindparam("case"), tasks.c.status == "open"))


def run(scale: str) -> list[Row]:
    with ExitStack() as stack:
        return _rows(_measured(_contestants(stack), SECONDS[scale]))


def _contestants(stack: ExitStack) -> dict[str, Callable[[float], float]]:
    """Return what is measured, by name: each gives its rate over so many seconds."""
    memory, document = in_memory(stack)
    app, actor = stack.enter_context(installation(package("approve", APPROVE)))
    raw, mine = raw_commits(stack), approving(app, actor)
    found: dict[str, Callable[[float], float]] = {
        MEMORY: lambda seconds: rounds(seconds, memory),
        DOCUMENT: lambda seconds: rounds(seconds, document),
        RAW: lambda seconds: rounds(seconds, raw),
        SQLITE: lambda seconds: rounds(seconds, mine),
    }
    fresh = stack.enter_context(postgres())
    for workers in (1, 2, 4):
        crew = stack.enter_context(many(fresh(), workers))
        found[f"Dienstweg, PostgreSQL, {workers} process{'es' * (workers > 1)}"] = crew
    return found


def _measured(contestants: Mapping[str, Callable[[float], float]], seconds: float) -> dict[str, list[float]]:
    """Measure in turns: a machine that is slow for a while is slow for all of them."""
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(TURNS):
        for name, measure in contestants.items():
            rates[name].append(measure(seconds / TURNS))
    return rates


def _rows(rates: Mapping[str, list[float]]) -> list[Row]:
    """Return the middle of the turns, and ratios as the middle of the turns' own ratios."""
    rows = [
        Row(name, median(found), "commits/s" if name == RAW else "cases/s") for name, found in rates.items()
    ]
    for name, found in rates.items():
        for other in (MEMORY, DOCUMENT) if name.startswith("Dienstweg") else ():
            middle = median(mine / theirs for mine, theirs in zip(found, rates[other], strict=True))
            rows.append(Row(f"{name}, to {other}", middle, "×"))
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


def in_memory(stack: ExitStack) -> tuple[Callable[[], None], Callable[[], None]]:
    """Return a case of plain SpiffWorkflow: in memory, and saving the whole document each step."""
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

    connection = stack.enter_context(database())
    connection.execute("CREATE TABLE doc (id INTEGER PRIMARY KEY, text TEXT)")

    def save(workflow: BpmnWorkflow) -> BpmnWorkflow:
        text = serializer.serialize_json(workflow)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT OR REPLACE INTO doc VALUES (1, ?)", (text,))
        connection.execute("COMMIT")
        kept = connection.execute("SELECT text FROM doc WHERE id = 1").fetchone()[0]
        return serializer.deserialize_json(kept)

    return (lambda: one(lambda workflow: workflow)), (lambda: one(save))


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    with tempfile.TemporaryDirectory(prefix="dw-bench-", dir=Path.cwd()) as folder:
        connection = sqlite3.connect(Path(folder) / "x.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        yield connection
        connection.close()


def raw_commits(stack: ExitStack) -> Callable[[], None]:
    source = random.Random(1)
    connection = stack.enter_context(database())
    connection.execute("CREATE TABLE doc (id INTEGER PRIMARY KEY, text TEXT)")
    connection.execute("INSERT INTO doc VALUES (1, '')")

    def one() -> None:
        # SQLite skips writing what has not changed, so the text must be new each time.
        text = f"{source.random():.18f}" * 225
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE doc SET text = ? WHERE id = 1", (text,))
        connection.execute("COMMIT")

    return one


# --- PostgreSQL ------------------------------------------------------------------------------------------


@contextmanager
def postgres() -> Iterator[Callable[[], str]]:
    from tests.postgres import Postgres

    server = Postgres()
    try:
        yield server.fresh
    finally:
        server.close()


@contextmanager
def many(url: str, workers: int) -> Iterator[Callable[[float], float]]:
    """Give the cases a second of several processes on one database, the service task's job included.

    The processes start before anything is measured, and begin each turn together.
    """
    with installation(package("approve", APPROVE), database_url=url) as (app, _actor):
        command = [sys.executable, "-m", "benchmarks.approve", str(app.settings.home)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
        crew = [subprocess.Popen(command, env=environment, **pipes) for _ in range(workers)]

        def measure(seconds: float) -> float:
            for one in crew:
                one.stdin.write(f"{seconds}\n")
            return float(sum(float(one.stdout.readline()) for one in crew))

        try:
            measure(0.2)
            yield measure
        finally:
            for one in crew:
                one.communicate()


def worker_process(home: Path) -> None:
    """Approve cases in an installation that others work on too: for each line of seconds, print a rate."""
    from benchmarks._bench import CLERK, NOON
    from engine.clock import TurnedClock
    from engine.service.installation import open_installation

    app: Any = open_installation(home, clock=TurnedClock(NOON))
    one = approving_together(app, app.actor(CLERK))
    for line in sys.stdin:
        print(rounds(float(line), one), flush=True)
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
    worker_process(Path(sys.argv[1]))
