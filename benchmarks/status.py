"""Migration status over a million dispatches: whole, by procedure, by recipient and month, in one district."""

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, insert, select, text

from benchmarks._bench import AUTHORITY, NOON, installation
from benchmarks.approve import postgres
from benchmarks.result import Row
from engine.actor import Actor, Role
from engine.migration.ledger import SENT, cell_of, month_of
from engine.migration.scope import Scope
from engine.migration.status import Question
from engine.service.installation import Installation
from engine.service.migration import ledger as booking
from engine.service.migration.status import status
from engine.store.tables import (
    authorities,
    channel_rules,
    dispatches,
    exchanges,
    ledger,
    ledger_marks,
    ledger_months,
)

DESCRIPTION = "migration status by dispatches; 52 municipalities send to each other, 6 districts and the Land"
SIZES = {"quick": (20_000,), "full": (100_000, 1_000_000)}
PROCEDURES, STEPS, MONTHS = 12, 3, 24
BATCH = 5_000
TIMES = 5
QUESTIONS = {
    "by procedure and step (the default)": Question(),
    "by procedure": Question(by=("procedure",)),
    "by recipient and month": Question(by=("recipient", "month")),
    "one district, by sender": Question(Scope(district="10045"), by=("sender",)),
    "the last three months, by procedure": Question(by=("procedure",), since="2026-01"),
}
POST, FOLDER = "letter+post", "xdomea+folder"


def run(scale: str) -> list[Row]:
    rows = _measure("SQLite", "", scale)
    with postgres() as fresh:
        return [*rows, *_measure("PostgreSQL", fresh(), scale)]


def _measure(name: str, url: str, scale: str) -> list[Row]:
    rows: list[Row] = []
    with installation(database_url=url) as (app, _):
        everything = Actor("ego", AUTHORITY, frozenset({Role.INSTALLATION}))
        with app.write() as tx:
            tx.execute(authorities.update().where(authorities.c.kind == "municipality").values(own=True))
            tx.execute(insert(channel_rules), list(_rules(tx)))
        there = 0
        for size in SIZES[scale]:
            _fill(app, there, size)
            there = size
            begun = time.perf_counter()
            folded = booking.fold(app)
            rows.append(Row(f"{name}: {folded:,} cells added up", time.perf_counter() - begun, "s"))
            with app.database.session() as connection:
                connection.execute(text("ANALYZE"))
            with app.read() as tx:
                months = tx.scalar(select(func.count()).select_from(ledger_months)) or 0
            rows.append(Row(f"{name}: months' rows of {size:,} dispatches", months, "rows"))
            for title, question in QUESTIONS.items():
                rows.append(Row(f"{name}: {size:,}, {title}", _ask(app, everything, question), "ms"))
            _mark_some(app)
            marked = _ask(app, everything, QUESTIONS["by procedure"])
            rows.append(Row(f"{name}: {size:,}, by procedure with 255 cells not added up yet", marked, "ms"))
            booking.fold(app)
    return rows


def _ask(app: Installation, actor: Actor, question: Question) -> float:
    found = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        status(app, actor, question)
        found.append((time.perf_counter() - begun) * 1000)
    return min(found)


def _rules(tx: Connection) -> Iterator[dict[str, object]]:
    """Yield twenty rules a town: some for a procedure, some for a recipient, some for both."""
    keys = sorted(tx.scalars(select(authorities.c.id).where(authorities.c.kind == "municipality")))
    for place, sender in enumerate(keys):
        for n in range(20):
            yield {
                "id": f"{sender}-{n}",
                "authority_id": sender,
                "procedure_key": f"procedure-{n % PROCEDURES:02d}" if n % 3 else None,
                "element_id": None,
                "recipient_id": keys[(place + n) % len(keys)] if n % 2 else None,
                "channel": FOLDER,
                "stage": "live",
                "share": 100,
                "valid_from": NOON,
                "created_at": NOON,
                "created_by": "ego",
                "reason": "benchmark",
            }


def _mark_some(app: Installation) -> None:
    with app.write() as tx:
        cells = tx.scalars(select(ledger.c.cell).distinct().limit(booking.FOLD_AT - 1)).all()
        marks = [{"id": str(app.ids.new()), "authority_id": AUTHORITY, "cell": cell} for cell in cells]
        tx.execute(insert(ledger_marks), marks)


def _fill(app: Installation, there: int, size: int) -> None:
    """Write exchanges, dispatches and their ledger rows, unevenly spread as in life, and mark every cell."""
    draw = random.Random(there)
    with app.read() as tx:
        towns = sorted(tx.scalars(select(authorities.c.id).where(authorities.c.kind == "municipality")).all())
        others = sorted(tx.scalars(select(authorities.c.id)).all())
    cells: set[tuple[str, int]] = set()
    for begun in range(there, size, BATCH):
        made = [_one(draw, n, towns, others) for n in range(begun, min(begun + BATCH, size))]
        cells.update((row["authority_id"], row["cell"]) for row in made)
        with app.write() as tx:
            tx.execute(insert(exchanges), [_exchange(row) for row in made])
            tx.execute(insert(dispatches), [_dispatch(row) for row in made])
            tx.execute(insert(ledger), made)
    marks = [{"id": f"{there}-{n}", "authority_id": a, "cell": c} for n, (a, c) in enumerate(cells)]
    for begun in range(0, len(marks), BATCH):
        with app.write() as tx:
            tx.execute(insert(ledger_marks), marks[begun : begun + BATCH])


def _one(draw: random.Random, n: int, towns: list[str], others: list[str]) -> dict[str, object]:
    sender = towns[min(int(draw.expovariate(0.08)), 51)]
    # A town writes to a dozen neighbours mostly, and now and then to anybody.
    near = others[(towns.index(sender) + draw.randrange(1, 13)) % len(others)]
    recipient = near if draw.random() < 0.95 else draw.choice(others)
    procedure, step = f"procedure-{draw.randrange(PROCEDURES):02d}", f"Send_{draw.randrange(STEPS)}"
    created = datetime(2024, 4, 1, tzinfo=UTC) + timedelta(minutes=draw.randrange(MONTHS * 30 * 1440))
    electronic = draw.random() < 0.4
    meant = electronic or draw.random() < 0.05
    handed = created + timedelta(minutes=draw.randrange(1, 3_000))
    received = handed + timedelta(minutes=draw.randrange(1, 9_000))
    month = month_of(created)
    return {
        "exchange_id": f"exchange-{n}",
        "authority_id": sender,
        "procedure_key": procedure,
        "element_id": step,
        "recipient_id": recipient,
        "month": month,
        "cell": cell_of("", sender, procedure, step, recipient, month),
        "state": SENT,
        "intended_channel": FOLDER if meant else POST,
        "channel": FOLDER if electronic else POST,
        "level": "C" if electronic else "A",
        "fallback": "no-mailbox" if meant and not electronic else None,
        "receipt": "received" if electronic else None,
        "created_at": created,
        "handed_over_at": handed,
        "posted_at": None if electronic else handed,
        "received_at": received if electronic or draw.random() < 0.2 else None,
        "answered_at": received + timedelta(minutes=draw.randrange(60_000)) if draw.random() < 0.6 else None,
        "rejected": False,
        "copies": 0,
        "failed": 0,
        "postage_cents": None if electronic else 95,
        "spared_cents": 95 if electronic else None,
    }


def _exchange(row: dict[str, object]) -> dict[str, object]:
    return {
        "id": row["exchange_id"],
        "case_id": "case",
        "key": row["exchange_id"],
        "code_key": row["exchange_id"],
        "message_type": "m",
        "message_version": "1",
        "form": "none",
        "subject": "s",
        "data": {},
        "fallback": "post",
        "status": "open",
        **{
            name: row[name]
            for name in (
                "authority_id",
                "procedure_key",
                "element_id",
                "recipient_id",
                "created_at",
                "answered_at",
            )
        },
    }


def _dispatch(row: dict[str, object]) -> dict[str, object]:
    return {
        "id": row["exchange_id"],
        "exchange_id": row["exchange_id"],
        "purpose": "message",
        "number": 1,
        "state": "handed_over",
        "decision": {},
        "copy": False,
        "test": False,
        "attempts": 1,
        **{
            name: row[name]
            for name in (
                *("authority_id", "channel", "intended_channel", "level", "created_at"),
                *("handed_over_at", "postage_cents"),
            )
        },
    }
