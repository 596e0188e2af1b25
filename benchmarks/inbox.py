"""The first page of the inbox, by how many tasks are open; for a clerk of all units and of one."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from statistics import median

from sqlalchemy import text

from benchmarks._bench import AUTHORITY, NOON, installation
from benchmarks.approve import postgres
from benchmarks.result import Row
from engine.actor import Actor
from engine.service.inbox import list_tasks
from engine.service.installation import Installation
from engine.store.prepared import insert_into
from engine.store.tables import cases, tasks

DESCRIPTION = "first page of the inbox (50 tasks) by open tasks"
SIZES = {"quick": (1_000, 20_000), "full": (10_000, 100_000, 1_000_000)}
UNITS = ("u0", "u1", "u2", "u3")
BATCH = 5_000
PAGES = 40


def run(scale: str) -> list[Row]:
    rows = _measure("SQLite", lambda: "", scale)
    with postgres() as fresh:
        return [*rows, *_measure("PostgreSQL", fresh, scale)]


def _measure(name: str, url: Callable[[], str], scale: str) -> list[Row]:
    """Measure a database of each size in turns: a machine that is slow for a while is slow for all."""
    found: dict[tuple[int, bool], list[float]] = {}
    with ExitStack() as stack:
        filled = {}
        for size in SIZES[scale]:
            filled[size] = stack.enter_context(installation(database_url=url()))
            fill(filled[size][0], size)
        for _ in range(PAGES):
            for size, (app, actor) in filled.items():
                bound = replace(actor, units=frozenset(UNITS[:1]))
                found.setdefault((size, False), []).append(_page(app, actor))
                found.setdefault((size, True), []).append(_page(app, bound))
    rows = []
    for (size, bound_to_unit), pages in found.items():
        whose = " for a clerk of one unit" if bound_to_unit else ""
        rows.append(Row(f"{name}: first page of {size:,} open tasks{whose}", median(pages), "ms"))
    least, most = SIZES[scale][0], SIZES[scale][-1]
    for bound_to_unit, whose in ((False, ""), (True, " for a clerk of one unit")):
        pairs = zip(found[most, bound_to_unit], found[least, bound_to_unit], strict=True)
        ratio = median(many / few for many, few in pairs)
        rows.append(Row(f"{name}: ratio {most:,} to {least:,}{whose}", ratio, "×"))
    return rows


def _page(app: Installation, actor: Actor) -> float:
    begun = time.perf_counter()
    if len(list_tasks(app, actor)) != 50:
        raise RuntimeError("the page is not full")
    return (time.perf_counter() - begun) * 1000


def fill(app: Installation, size: int) -> None:
    """Write cases with one open task each; every third task has a due date."""
    case, task = insert_into(cases, *_case(0)), insert_into(tasks, *_task(0))
    for begun in range(0, size, BATCH):
        numbers = range(begun, min(begun + BATCH, size))
        with app.write() as tx:
            case.run_many(tx, map(_case, numbers))
            task.run_many(tx, map(_task, numbers))
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
