"""Timers: finding the next due one among very many, and firing those that are due at once, each once."""

import time
from datetime import timedelta

from sqlalchemy import func, insert, select, text

from benchmarks._bench import AUTHORITY, NOON, installation, package
from benchmarks.result import Row
from engine.clock import TurnedClock
from engine.service import timing
from engine.service.cases import start_case
from engine.store.tables import history, timers

DESCRIPTION = "timers: next due among many; many due at once"
PENDING = {"quick": 20_000, "full": 1_000_000}
AT_ONCE = {"quick": 100, "full": 10_000}
BATCH = 10_000
LOOKS = 200

WAIT = """
<startEvent id="start"><outgoing>f1</outgoing></startEvent>
<intermediateCatchEvent id="pause"><incoming>f1</incoming><outgoing>f2</outgoing>
<timerEventDefinition id="t"><timeDuration>PT1H</timeDuration></timerEventDefinition></intermediateCatchEvent>
<endEvent id="end"><incoming>f2</incoming></endEvent>
<sequenceFlow id="f1" sourceRef="start" targetRef="pause"/>
<sequenceFlow id="f2" sourceRef="pause" targetRef="end"/>
"""


def run(scale: str) -> list[Row]:
    clock = TurnedClock(NOON)
    with installation(package("wait", WAIT), clock=clock) as (app, actor):
        for _ in range(AT_ONCE[scale]):
            start_case(app, actor, "wait")
        # The others are due in years: they stand in the way of finding, not of firing.
        for begun in range(0, PENDING[scale], BATCH):
            rows = [_pending(n) for n in range(begun, min(begun + BATCH, PENDING[scale]))]
            with app.write() as tx:
                tx.execute(insert(timers), rows)
        with app.database.session() as connection:
            connection.execute(text("ANALYZE"))
        looks = []
        for _ in range(LOOKS):
            begun_at = time.perf_counter()
            timing.next_due(app)
            looks.append((time.perf_counter() - begun_at) * 1000)
        clock.turn(timedelta(hours=1))
        begun_at = time.perf_counter()
        fired = timing.fire_due(app)
        spent = time.perf_counter() - begun_at
        with app.read() as tx:
            entries = tx.scalar(select(func.count()).select_from(history).where(history.c.sequence == 2))
            more = tx.scalar(select(func.count()).select_from(history).where(history.c.sequence > 2))
    if (fired, entries, more) != (AT_ONCE[scale], AT_ONCE[scale], 0):
        raise RuntimeError(f"{fired} fired, {entries} cases moved once, {more} entries too many")
    looks.sort()
    return [
        Row(f"next due among {PENDING[scale] + AT_ONCE[scale]:,}, middle", looks[LOOKS // 2], "ms"),
        Row("next due, slowest of 200", looks[-1], "ms"),
        Row(f"{fired:,} due at once, each fired once", spent, "s"),
        Row("lateness of the middle one", spent / 2, "s"),
        Row("lateness of the last one", spent, "s"),
    ]


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
