"""Whether a step costs the same after thousands of others, and what a case's row weighs then."""

import time
from collections.abc import Callable

from sqlalchemy import bindparam, func, select

from benchmarks._bench import installation, package
from benchmarks.inbox import fill
from benchmarks.result import Row
from engine.actor import Actor
from engine.service.cases import start_case
from engine.service.installation import Installation
from engine.service.tasks import complete_task
from engine.store.prepared import Prepared
from engine.store.tables import case_states, tasks

DESCRIPTION = "cost of a step by the steps behind it; size of the state row"
BEHIND = {"quick": (10, 100, 1_000), "full": (10, 100, 1_000, 5_000)}
ROUNDS = {"quick": 1_000, "full": 10_000}
WIDTH = {"quick": 100, "full": 1_000}
PROBES = {"quick": 15, "full": 60}
OTHERS = {"quick": 2_000, "full": 100_000}

LOOP = """
<startEvent id="start"><outgoing>f1</outgoing></startEvent>
<exclusiveGateway id="merge"><incoming>f1</incoming><incoming>f5</incoming><outgoing>f2</outgoing></exclusiveGateway>
<scriptTask id="count" scriptFormat="python"><incoming>f2</incoming><outgoing>f3</outgoing><script>n = n + 1</script></scriptTask>
<exclusiveGateway id="again" default="f4"><incoming>f3</incoming><outgoing>f4</outgoing><outgoing>f5</outgoing></exclusiveGateway>
<userTask id="ask" name="Ask"><incoming>f4</incoming><outgoing>f6</outgoing></userTask>
<exclusiveGateway id="more" default="f8"><incoming>f6</incoming><outgoing>f7</outgoing><outgoing>f8</outgoing></exclusiveGateway>
<endEvent id="end"><incoming>f7</incoming></endEvent>
<sequenceFlow id="f1" sourceRef="start" targetRef="merge"/>
<sequenceFlow id="f2" sourceRef="merge" targetRef="count"/>
<sequenceFlow id="f3" sourceRef="count" targetRef="again"/>
<sequenceFlow id="f4" sourceRef="again" targetRef="ask"/>
<sequenceFlow id="f5" sourceRef="again" targetRef="merge"><conditionExpression>n &lt; stop</conditionExpression></sequenceFlow>
<sequenceFlow id="f6" sourceRef="ask" targetRef="more"/>
<sequenceFlow id="f7" sourceRef="more" targetRef="end"><conditionExpression>done</conditionExpression></sequenceFlow>
<sequenceFlow id="f8" sourceRef="more" targetRef="ask2"/>
<userTask id="ask2" name="Ask again"><incoming>f8</incoming><outgoing>f9</outgoing></userTask>
<sequenceFlow id="f9" sourceRef="ask2" targetRef="back"/>
<exclusiveGateway id="back"><incoming>f9</incoming><outgoing>f10</outgoing></exclusiveGateway>
<sequenceFlow id="f10" sourceRef="back" targetRef="ask"/>
"""
"""A loop without a pause, then clerks who hand a task back and forth."""

MANY = """
<startEvent id="start"><outgoing>f1</outgoing></startEvent>
<userTask id="each" name="Each"><incoming>f1</incoming><outgoing>f2</outgoing>
<multiInstanceLoopCharacteristics><loopCardinality>width</loopCardinality></multiInstanceLoopCharacteristics></userTask>
<endEvent id="end"><incoming>f2</incoming></endEvent>
<sequenceFlow id="f1" sourceRef="start" targetRef="each"/>
<sequenceFlow id="f2" sourceRef="each" targetRef="end"/>
"""

_OPEN = Prepared(
    select(tasks.c.id).where(tasks.c.case_id == bindparam("case"), tasks.c.status == "open").limit(1)
)
_SIZE = Prepared(
    select(func.length(case_states.c.document).label("size")).where(
        case_states.c.case_id == bindparam("case")
    )
)


def run(scale: str) -> list[Row]:
    loop = LOOP.replace(
        "<incoming>f4</incoming><outgoing>f6", "<incoming>f4</incoming><incoming>f10</incoming><outgoing>f6"
    )
    with installation(package("loop", loop), package("many", MANY)) as (app, actor):
        rows = [*_sequence(app, actor, scale), *_gateway_loop(app, actor, scale), *_many(app, actor, scale)]
        return [*rows, *_among_others(app, actor, scale)]


def _among_others(app: Installation, actor: Actor, scale: str) -> list[Row]:
    case = start_case(app, actor, "loop", {"n": 0, "stop": 1}).id
    few = _timed(PROBES[scale], lambda: _complete(app, actor, case))
    fill(app, OTHERS[scale])
    many = _timed(PROBES[scale], lambda: _complete(app, actor, case))
    return [
        Row(f"completing a task among {OTHERS[scale]:,} other cases", many, "ms CPU"),
        Row("ratio to the same before they were there", many / few, "×"),
    ]


def _complete(app: Installation, actor: Actor, case: str) -> None:
    with app.read() as tx:
        task = _OPEN.first(tx, case=case).id
    complete_task(app, actor, task, {"done": False})


def _size(app: Installation, case: str) -> float:
    with app.read() as tx:
        return float(_SIZE.first(tx, case=case).size)


def _timed(count: int, one: Callable[[], None]) -> float:
    """Return the middle of ``count`` measurements, in milliseconds of this process's own time."""
    found = []
    for _ in range(count):
        begun = time.process_time()
        one()
        found.append((time.process_time() - begun) * 1000)
    return sorted(found)[count // 2]


def _sequence(app: Installation, actor: Actor, scale: str) -> list[Row]:
    case = start_case(app, actor, "loop", {"n": 0, "stop": 1}).id
    rows, behind, first = [], 3, 0.0
    for wanted in BEHIND[scale]:
        while behind < wanted:
            _complete(app, actor, case)
            behind += 2
        cost = _timed(PROBES[scale], lambda: _complete(app, actor, case))
        behind += 2 * PROBES[scale]
        first = first or cost
        rows.append(Row(f"completing a task with {wanted:,} steps behind it", cost, "ms CPU"))
        if wanted != BEHIND[scale][0]:
            rows.append(Row(f"ratio {wanted:,} to {BEHIND[scale][0]} steps", cost / first, "×"))
        rows.append(Row(f"state row after {wanted:,} steps", _size(app, case), "bytes"))
    return rows


def _gateway_loop(app: Installation, actor: Actor, scale: str) -> list[Row]:
    rows = []
    for rounds in (ROUNDS[scale] // 100, ROUNDS[scale]):
        data = {"n": 0, "stop": rounds}
        begun = time.process_time()
        case = start_case(app, actor, "loop", data)
        cost = (time.process_time() - begun) * 1_000_000 / (rounds * 4)
        rows.append(Row(f"gateway loop of {rounds:,} rounds", cost, "µs CPU a step"))
        rows.append(Row(f"state row behind {rounds:,} rounds", _size(app, case.id), "bytes"))
    return rows


def _many(app: Installation, actor: Actor, scale: str) -> list[Row]:
    width = WIDTH[scale]
    case = start_case(app, actor, "many", {"width": width}).id
    rows = [Row(f"state row with {width:,} open instances", _size(app, case), "bytes")]
    first = _timed(5, lambda: _complete(app, actor, case))
    for _ in range(width - 15):
        _complete(app, actor, case)
    last = _timed(5, lambda: _complete(app, actor, case))
    rows.append(Row(f"completing one of {width:,} open instances", first, "ms CPU"))
    rows.append(Row(f"completing one of the last 10 of {width:,}", last, "ms CPU"))
    rows.append(Row("state row with 5 open instances", _size(app, case), "bytes"))
    return rows
