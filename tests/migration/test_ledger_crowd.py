"""Many at once on the same cells: nobody deadlocks, nothing is lost, while somebody adds up all the time."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from benchmarks._bench import AUTHORITY, NOON, installation
from engine.clock import SystemClock
from engine.migration.scope import Scope
from engine.migration.status import Question
from engine.service.migration import ledger
from engine.service.migration.figures import load_figures
from engine.service.migration.status import status
from engine.store.tables import dispatches, exchanges, ledger_marks

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
WORKERS, ROUNDS, EACH = 6, 8, 6
COUNT = range(70_000)
"""PostgreSQL takes 65,535 parameters, SQLite 32,766 unless it was built otherwise."""


def write(tx, worker, n):
    """One exchange of a worker to one of three recipients: all workers share the three cells."""
    key = f"{worker}-{n}"
    tx.execute(
        insert(exchanges).values(
            id=key,
            authority_id=AUTHORITY,
            case_id="case",
            key=key,
            code_key=key,
            procedure_key="p",
            element_id="s",
            message_type="m",
            message_version="1",
            recipient_id=f"r{n % 3}",
            form="none",
            subject="s",
            data={},
            fallback="post",
            created_at=NOON,
            status="open",
        )
    )
    tx.execute(
        insert(dispatches).values(
            id=key,
            authority_id=AUTHORITY,
            exchange_id=key,
            purpose="message",
            number=1,
            channel="letter+post",
            state="sending",
            intended_channel="letter+post",
            decision={},
            level="A",
            copy=False,
            test=False,
            created_at=NOON,
            attempts=1,
        )
    )


def work(app, worker, faults):
    try:
        for turn in range(ROUNDS):
            mine = [worker * 1000 + turn * EACH + n for n in range(EACH)]
            with app.write() as tx:
                for n in mine:
                    write(tx, worker, n)
                    ledger.touch(app, tx, f"{worker}-{n}")
            with app.write() as tx:
                # In the other order, as another transaction with several sends would take the same cells.
                for n in reversed(mine):
                    gone = {"state": "handed_over", "handed_over_at": NOON + timedelta(hours=1)}
                    tx.execute(update(dispatches).where(dispatches.c.id == f"{worker}-{n}").values(**gone))
                    ledger.touch(app, tx, f"{worker}-{n}")
    except Exception as error:  # noqa: BLE001 — told by the test, whatever it was
        faults.append(error)


def add_up(app, stop, faults):
    try:
        while not stop.is_set():
            ledger.fold(app)
    except Exception as error:  # noqa: BLE001
        faults.append(error)


@pytest.mark.parametrize("kind", BOTH)
def test_workers_on_the_same_cells_wait_for_nobody_and_lose_nothing(request, kind):
    url = request.getfixturevalue("postgres").fresh() if kind == "postgresql" else ""
    with installation(database_url=url, clock=SystemClock()) as (app, actor):
        faults: list[Exception] = []
        stop = threading.Event()
        crew = [threading.Thread(target=work, args=(app, n, faults)) for n in range(WORKERS)]
        adders = [threading.Thread(target=add_up, args=(app, stop, faults)) for _ in range(2)]
        for thread in (*crew, *adders):
            thread.start()
        for thread in crew:
            thread.join()
        stop.set()
        for thread in adders:
            thread.join()
        assert faults == []
        assert status(app, actor).total.by_level == {"A": WORKERS * ROUNDS * EACH}
        ledger.fold(app)
        with app.read() as tx:
            assert tx.execute(select(ledger_marks)).first() is None
            assert list(ledger.check(tx)) == []
            assert len(tx.execute(select(exchanges.c.id)).all()) == WORKERS * ROUNDS * EACH
        assert status(app, actor).total.by_level == {"A": WORKERS * ROUNDS * EACH}


@pytest.mark.parametrize("kind", BOTH)
def test_more_marks_than_a_statement_takes_parameters_are_only_slow(request, kind):
    url = request.getfixturevalue("postgres").fresh() if kind == "postgresql" else ""
    with installation(database_url=url, clock=SystemClock()) as (app, actor):
        with app.write() as tx:
            for n in range(6):
                write(tx, 0, n)
                ledger.touch(app, tx, f"0-{n}")
        ledger.fold(app)
        with app.write() as tx:
            tx.execute(update(dispatches).values(state="handed_over", handed_over_at=NOON))
            for n in range(6):
                ledger.touch(app, tx, f"0-{n}")
            others = (
                {"id": f"m{n}", "authority_id": AUTHORITY, "cell": n, "month": "2026-03"} for n in COUNT
            )
            tx.execute(insert(ledger_marks), list(others))
        for by in (("step",), ("month",), ("recipient",), ("procedure", "recipient")):
            found = status(app, actor, Question(by=by))
            assert (found.total.by_level, found.total.unsent) == ({"A": 6}, 0)
            assert sum(line.figures.sent for line in found.lines) == 6
        with app.read() as tx:
            assert sum(row["exchanges"] for row in ledger.own_months(tx)) == 6
            figures = load_figures(tx, [AUTHORITY], Scope())
            assert sum(volume.own for volume in figures.volumes.values()) == 6
