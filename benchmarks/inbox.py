"""The first page of the inbox, by how many tasks are open; for a clerk of all units and of one."""

import time
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import insert, text

from benchmarks._bench import AUTHORITY, NOON, installation
from benchmarks.approve import postgres
from benchmarks.result import Row
from engine.actor import Actor
from engine.service.inbox import list_tasks
from engine.service.installation import Installation
from engine.store.tables import cases, tasks

DESCRIPTION = "first page of the inbox (50 tasks) by open tasks"
SIZES = {"quick": (1_000, 20_000), "full": (10_000, 100_000, 1_000_000)}
UNITS = ("u0", "u1", "u2", "u3")
BATCH = 5_000
PAGES = 30


def run(scale: str) -> list[Row]:
    rows = _measure("SQLite", "", scale)
    with postgres() as fresh:
        return [*rows, *_measure("PostgreSQL", fresh(), scale)]


def _measure(name: str, url: str, scale: str) -> list[Row]:
    rows: list[Row] = []
    with installation(database_url=url) as (app, actor):
        there, first = 0, 0.0
        for size in SIZES[scale]:
            _fill(app, there, size)
            there = size
            page = _page(app, actor)
            bound = _page(app, replace(actor, units=frozenset(UNITS[:1])))
            rows.append(Row(f"{name}: first page of {size:,} open tasks", page, "ms"))
            rows.append(Row(f"{name}: the same for a clerk of one unit", bound, "ms"))
            first = first or page
        rows.append(Row(f"{name}: ratio {SIZES[scale][-1]:,} to {SIZES[scale][0]:,}", page / first, "×"))
    return rows


def _page(app: Installation, actor: Actor) -> float:
    found = []
    for _ in range(PAGES):
        begun = time.perf_counter()
        if len(list_tasks(app, actor)) != 50:
            raise RuntimeError("the page is not full")
        found.append((time.perf_counter() - begun) * 1000)
    return sorted(found)[PAGES // 2]


def _fill(app: Installation, there: int, size: int) -> None:
    """Write cases with one open task each; every third task has a due date."""
    for begun in range(there, size, BATCH):
        numbers = range(begun, min(begun + BATCH, size))
        with app.write() as tx:
            tx.execute(insert(cases), [_case(n) for n in numbers])
            tx.execute(insert(tasks), [_task(n) for n in numbers])
    with app.database.session() as connection:
        connection.execute(text("ANALYZE"))


def _case(n: int) -> dict[str, object]:
    return {
        "id": f"case-{n}",
        "authority_id": AUTHORITY,
        "unit_id": UNITS[n % 4],
        "procedure_key": "approve",
        "version_id": "v",
        "process_id": "p",
        "title": f"Case {n}",
        "own_reference": f"BM-{n:08d}",
        "status": "open",
        "started_at": NOON,
        "started_by": "clerk",
    }


def _task(n: int) -> dict[str, object]:
    return {
        "id": f"task-{n}",
        "authority_id": AUTHORITY,
        "case_id": f"case-{n}",
        "unit_id": UNITS[n % 4],
        "kind": "form",
        "element_id": "ask",
        "instance": "",
        "name": "Ask",
        "status": "open",
        "opened_at": NOON + timedelta(seconds=n * 7919 % 86_400),
        "due_at": NOON + timedelta(seconds=n * 104_729 % 864_000) if n % 3 == 0 else None,
    }
