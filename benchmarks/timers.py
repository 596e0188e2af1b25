"""Timers: finding the next due one among very many, firing those that are due at once, and waiting for none."""

import statistics
import threading
import time
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select, text

from benchmarks._bench import AUTHORITY, NOON, installation, package
from benchmarks.result import Row
from engine.actor import Actor
from engine.clock import SystemClock, TurnedClock
from engine.service import timing
from engine.service.cases import start_case
from engine.service.installation import Installation
from engine.service.work import run_forever
from engine.store.tables import history, timers

DESCRIPTION = "next due among many; many due at once; a work loop with nothing to do"
PENDING = {"quick": 20_000, "full": 1_000_000}
AT_ONCE = {"quick": 100, "full": 10_000}
IDLE = {"quick": 4, "full": 60}
"""Seconds that the work loop is watched."""
BATCH = 10_000
LOOKS = 1000

WAIT = """
<startEvent id="start"><outgoing>f1</outgoing></startEvent>
<intermediateCatchEvent id="pause"><incoming>f1</incoming><outgoing>f2</outgoing>
<timerEventDefinition id="t"><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>
<endEvent id="end"><incoming>f2</incoming></endEvent>
<sequenceFlow id="f1" sourceRef="start" targetRef="pause"/>
<sequenceFlow id="f2" sourceRef="pause" targetRef="end"/>
"""
SOON = WAIT.replace("PT1H", "PT1.3S")


def run(scale: str) -> list[Row]:
    clock = TurnedClock(NOON)
    with installation(package("wait", WAIT), package("soon", SOON), clock=clock) as (app, actor):
        begun = time.perf_counter()
        for _ in range(AT_ONCE[scale]):
            start_case(app, actor, "wait")
        started = time.perf_counter() - begun
        _fill(app, PENDING[scale])
        rows = [*_looking(app, PENDING[scale] + AT_ONCE[scale]), *_firing(app, clock, AT_ONCE[scale])]
        rows += [Row("starting those cases, for comparison", started, "s")]
        return [*rows, *_idling(app, actor, IDLE[scale])]


def _fill(app: Installation, count: int) -> None:
    """Put timers in the way that are due in years; they stand in the way of finding, not of firing."""
    for begun in range(0, count, BATCH):
        rows = [_pending(n) for n in range(begun, min(begun + BATCH, count))]
        with app.write() as tx:
            tx.execute(insert(timers), rows)
    with app.database.session() as connection:
        connection.execute(text("ANALYZE"))


def _looking(app: Installation, among: int) -> list[Row]:
    looks = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        timing.next_due(app)
        looks.append((time.perf_counter() - begun) * 1000)
    cpu = time.process_time()
    for _ in range(LOOKS):
        timing.next_due(app)
    cpu = (time.process_time() - cpu) / LOOKS * 1000
    return [
        Row(f"next due among {among:,}, median", statistics.median(looks), "ms"),
        Row("next due, processor time", cpu, "ms"),
        Row("next due, 99th percentile", statistics.quantiles(looks, n=100)[-1], "ms"),
    ]


def _firing(app: Installation, clock: TurnedClock, count: int) -> list[Row]:
    """Let the timers of ``count`` cases be due at one instant, and note when each has fired and committed."""
    instants: list[float] = []
    clock.turn(timedelta(hours=1))

    def note(point: str) -> None:
        if point == "timer-fired":
            instants.append(time.perf_counter())

    app.probe = note
    begun, cpu = time.perf_counter(), time.process_time()
    fired = timing.fire_due(app)
    cpu = time.process_time() - cpu
    app.probe = lambda _point: None
    with app.read() as tx:
        moved = tx.scalar(select(func.count()).select_from(history).where(history.c.sequence == 2))
        more = tx.scalar(select(func.count()).select_from(history).where(history.c.sequence > 2))
    if (fired, len(instants), moved, more) != (count, count, count, 0):
        raise RuntimeError(f"{fired} fired, {moved} cases moved once, {more} entries too many")
    late = [instant - begun for instant in instants]
    cuts = statistics.quantiles(late, n=100)
    return [
        Row(f"{fired:,} due at once, each fired once", late[-1], "s"),
        Row("same, processor time", cpu, "s"),
        Row("late: the first", late[0], "s"),
        *(Row(f"late: {share} % at most", cuts[share - 1], "s") for share in (25, 50, 75, 95, 99)),
    ]


def _idling(app: Installation, actor: Actor, seconds: int) -> list[Row]:
    """Run the work loop by the real clock while nothing is due, then let it wake for one timer."""
    app.clock = SystemClock()
    stop = threading.Event()
    loop = threading.Thread(target=run_forever, args=(app, stop))
    loop.start()
    threading.Event().wait(2)  # the first round loads what it needs
    cpu = time.process_time()
    threading.Event().wait(seconds)
    cpu = time.process_time() - cpu
    case = start_case(app, actor, "soon").id
    found = None
    for _ in range(300):
        if found := _moved(app, case):
            break
        threading.Event().wait(0.2)
    stop.set()
    app.queue.added.set()
    loop.join()
    if found is None:
        raise RuntimeError("the work loop did not fire the timer within a minute")
    begun, fired = found
    return [
        Row(f"idle work loop, {seconds} s, processor time", cpu, "s"),
        Row("a timer of 1.3 s, late by", (fired - begun).total_seconds() - 1.3, "s"),
    ]


def _moved(app: Installation, case: str) -> tuple[datetime, datetime] | None:
    """Return when a case began and when its timer fired, or None before."""
    with app.read() as tx:
        query = select(history.c.at).where(history.c.case_id == case).order_by(history.c.sequence)
        instants = tx.scalars(query).all()
    return (instants[0], instants[1]) if len(instants) > 1 else None


def _pending(n: int) -> dict[str, object]:
    return {
        "id": f"timer-{n}",
        "authority_id": AUTHORITY,
        "case_id": f"none-{n % 1000}",
        "revision": 0,
        "element_id": "wait",
        "instance": "",
        "expression": "P9Y",
        "due_at": NOON + timedelta(days=3650, seconds=n * 7919 % 31_536_000),
    }
