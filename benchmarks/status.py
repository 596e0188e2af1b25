"""Migration status over a million dispatches: whole, by each dimension, by two, and in one district."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import func, insert, select, text

from benchmarks._bench import AUTHORITY, installation
from benchmarks._ledger_spread import EVEN, SKEWED, Spread, fill, rules
from benchmarks._processor import processor_seconds
from benchmarks.approve import postgres
from benchmarks.result import Row
from engine.actor import Actor, Role
from engine.migration.kpis import as_data
from engine.migration.scope import Scope
from engine.migration.status import Question
from engine.service.installation import Installation
from engine.service.migration import ledger as booking
from engine.service.migration.status import status
from engine.store.tables import (
    authorities,
    channel_rules,
    ledger,
    ledger_deadlines,
    ledger_marks,
    ledger_months,
    ledger_totals,
)

DESCRIPTION = "migration status by dispatches; 52 municipalities send to each other, 6 districts and the Land"
SIZES = {"quick": 20_000, "full": 1_000_000}
SPREADS = {"skewed": SKEWED, "even": EVEN}
TIMES = 3
QUESTIONS = {
    "by procedure and step (the default)": Question(),
    "by sender": Question(by=("sender",)),
    "by month": Question(by=("month",)),
    "by recipient": Question(by=("recipient",)),
    "by district": Question(by=("district",)),
    "by recipient and month": Question(by=("recipient", "month")),
    "by procedure and recipient": Question(by=("procedure", "recipient")),
    "one district, by sender": Question(Scope(district="10045"), by=("sender",)),
    "the last three months, by procedure": Question(by=("procedure",), since="2026-01"),
}


def run(scale: str) -> list[Row]:
    rows: list[Row] = []
    with postgres() as fresh:
        for title, spread in SPREADS.items():
            for database, url in (("SQLite", ""), ("PostgreSQL", fresh())):
                rows += _measure(f"{database}, {title}", url, replace(spread, dispatches=SIZES[scale]))
    return rows


def _measure(name: str, url: str, spread: Spread) -> list[Row]:
    rows: list[Row] = []

    def timed(title: str, act: Callable[[], object], times: int = 1) -> None:
        clock, processor = _least(app, act, times)
        rows.append(Row(f"{name}: {title}, processor", processor, "s"))
        rows.append(Row(f"{name}: {title}, clock", clock, "s"))

    with installation(database_url=url) as (app, _):
        everything = Actor("ego", AUTHORITY, frozenset({Role.INSTALLATION}))
        with app.write() as tx:
            tx.execute(authorities.update().where(authorities.c.kind == "municipality").values(own=True))
            tx.execute(insert(channel_rules), list(rules(tx)))
        timed("filling", lambda: fill(app, spread))
        timed("adding all cells up", lambda: booking.fold(app))
        with app.database.session() as connection:
            connection.execute(text("ANALYZE"))
        with app.read() as tx:
            for table in (ledger, ledger_deadlines, ledger_months, ledger_totals):
                count = tx.scalar(select(func.count()).select_from(table)) or 0
                rows.append(Row(f"{name}: {table.name}", count, "rows"))
        for title, question in QUESTIONS.items():
            timed(title, lambda question=question: answer(app, everything, question), TIMES)  # type: ignore[misc]
        _mark_some(app)
        timed(
            f"the default with {booking.FOLD_AT - 1} cells not added up",
            lambda: answer(app, everything, Question()),
            TIMES,
        )
        timed(f"adding {booking.FOLD_AT - 1} cells up", lambda: booking.fold(app))
    return rows


def answer(app: Installation, actor: Actor, question: Question) -> list[dict[str, Any]]:
    """Return every figure of the total and of each line, medians and 90th percentiles included."""
    found = status(app, actor, question)
    return [as_data(found.total), *(as_data(line.figures) for line in found.lines)]


def _least(app: Installation, act: Callable[[], object], times: int) -> tuple[float, float]:
    """Return seconds on the clock and of processor, the database server's included: each the least seen."""
    found = []
    for _ in range(times):
        begun, worked = time.perf_counter(), processor_seconds(app)
        act()
        found.append((time.perf_counter() - begun, processor_seconds(app) - worked))
    return min(clock for clock, _ in found), min(processor for _, processor in found)


def _mark_some(app: Installation) -> None:
    """Mark cells of every sender and month alike, which is worse than life: marks are mostly of this month."""
    columns = (ledger.c.authority_id, ledger.c.month, ledger.c.cell)
    with app.write() as tx:
        cells = tx.execute(select(*columns).order_by(ledger.c.cell).limit(booking.FOLD_AT - 1)).all()
        tx.execute(insert(ledger_marks), [{"id": str(app.ids.new()), **row._mapping} for row in cells])
