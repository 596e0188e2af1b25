"""Several real processes on one installation: who is first wins, and every effect happens once."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from benchmarks._bench import APPROVE, installation, package
from engine.service.cases import start_case
from engine.service.tasks import list_tasks
from engine.service.verifying import verify_installation
from engine.store.tables import cases, history, incidents, message_buffer, tasks

ROOT = Path(__file__).parents[2]
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]

MIXED = """
<startEvent id="start"><outgoing>f1</outgoing></startEvent>
<parallelGateway id="fork"><incoming>f1</incoming><outgoing>f2</outgoing><outgoing>f3</outgoing>
<outgoing>f4</outgoing><outgoing>f9</outgoing></parallelGateway>
<userTask id="ask" name="Ask"><incoming>f2</incoming><outgoing>f5</outgoing></userTask>
<intermediateCatchEvent id="pause"><incoming>f3</incoming><outgoing>f6</outgoing>
<timerEventDefinition id="t"><timeDuration>PT1S</timeDuration></timerEventDefinition></intermediateCatchEvent>
<intermediateThrowEvent id="ping"><incoming>f4</incoming><outgoing>f7</outgoing>
<messageEventDefinition id="m1" messageRef="ping_message"/></intermediateThrowEvent>
<intermediateCatchEvent id="pong"><incoming>f9</incoming><outgoing>f10</outgoing>
<messageEventDefinition id="m2" messageRef="ping_message"/></intermediateCatchEvent>
<parallelGateway id="join"><incoming>f5</incoming><incoming>f6</incoming><incoming>f7</incoming>
<incoming>f10</incoming><outgoing>f8</outgoing></parallelGateway>
<serviceTask id="book" name="Book" implementation="pass"><incoming>f8</incoming>
<outgoing>f11</outgoing></serviceTask>
<endEvent id="end"><incoming>f11</incoming></endEvent>
<sequenceFlow id="f1" sourceRef="start" targetRef="fork"/>
<sequenceFlow id="f2" sourceRef="fork" targetRef="ask"/>
<sequenceFlow id="f3" sourceRef="fork" targetRef="pause"/>
<sequenceFlow id="f4" sourceRef="fork" targetRef="ping"/>
<sequenceFlow id="f9" sourceRef="fork" targetRef="pong"/>
<sequenceFlow id="f5" sourceRef="ask" targetRef="join"/>
<sequenceFlow id="f6" sourceRef="pause" targetRef="join"/>
<sequenceFlow id="f7" sourceRef="ping" targetRef="join"/>
<sequenceFlow id="f10" sourceRef="pong" targetRef="join"/>
<sequenceFlow id="f8" sourceRef="join" targetRef="book"/>
<sequenceFlow id="f11" sourceRef="book" targetRef="end"/>
"""


def mixed():
    made = package("mixed", MIXED)
    text = made.files["mixed.bpmn"].replace(
        b"<process ", b'<message id="ping_message" name="ping"/><process ', 1
    )
    from engine.definitions.package import build_package

    return build_package({**made.files, "mixed.bpmn": text})


@contextmanager
def crew(home: Path, *calls: list[str]) -> Iterator[list[subprocess.Popen[str]]]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.crew", str(home), *call],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for call in calls
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def database_url(request: pytest.FixtureRequest, kind: str) -> str:
    return request.getfixturevalue("postgres").fresh() if kind == "postgresql" else ""


@pytest.mark.parametrize("kind", BOTH)
def test_of_two_clerks_one_wins_and_the_other_reads_who_and_when(request, kind):
    from engine.clock import SystemClock

    url = database_url(request, kind)
    with installation(package("approve", APPROVE), database_url=url, clock=SystemClock()) as (app, actor):
        start_case(app, actor, "approve", {"amount": 1})
        task = list_tasks(app, actor)[0].id
        with crew(app.settings.home, ["complete", task], ["complete", task]) as clerks:
            for clerk in clerks:
                assert clerk.stdout.readline() == "ready\n"
            for clerk in clerks:
                clerk.stdin.write("go\n")
                clerk.stdin.flush()
            told = sorted(clerk.stdout.readline().strip() for clerk in clerks)
        assert told[1] == "won"
        assert told[0].startswith("lost: Ask: Clerk finished this task at ")
        with app.read() as tx:
            commands = [row.command["command"] for row in tx.execute(select(history.c.command))]
        assert commands.count("CompleteTask") == 1


@pytest.mark.parametrize(
    ("kind", "processes", "number"),
    [
        ("sqlite", 2, 12),
        pytest.param("postgresql", 2, 16, marks=pytest.mark.postgres),
        pytest.param("sqlite", 3, 500, marks=pytest.mark.long),
        pytest.param("postgresql", 8, 500, marks=[pytest.mark.long, pytest.mark.postgres]),
    ],
)
def test_many_processes_tell_one_linear_story_a_case(request, kind, processes, number):
    from engine.clock import SystemClock

    url = database_url(request, kind)
    with installation(mixed(), database_url=url, clock=SystemClock()) as (app, actor):
        for _ in range(number):
            start_case(app, actor, "mixed")
        with crew(app.settings.home, *(["mill", str(seed)] for seed in range(processes))) as mills:
            assert [mill.wait(timeout=60 + 3 * number) for mill in mills] == [0] * processes
        report = verify_installation(app)
        assert (report.cases, report.faults) == (number, ())
        with app.read() as tx:
            assert {row.status for row in tx.execute(select(cases.c.status))} == {"ended"}
            assert tx.execute(select(incidents.c.message)).all() == []
            stories: dict[str, Counter[str]] = {}
            for row in tx.execute(select(history.c.case_id, history.c.command)):
                stories.setdefault(row.case_id, Counter())[row.command["command"]] += 1
            buffered = [row.status for row in tx.execute(select(message_buffer.c.status))]
            done = Counter(row.status for row in tx.execute(select(tasks.c.status)))
        once = Counter(Start=1, CompleteTask=1, FireTimer=1, DeliverMessage=1, CompleteWork=1)
        assert all(story == once for story in stories.values())
        assert buffered == ["delivered"] * number
        assert done == {"completed": number}
