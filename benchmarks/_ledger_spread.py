"""A ledger of many dispatches, made inside the database from cells and a sample of what becomes of exchanges."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    case,
    cast,
    false,
    insert,
    literal,
    select,
    true,
)

from benchmarks._bench import NOON
from engine.migration.ledger import DEADLINE, DEEMED, MET, SENT, cell_of, month_of
from engine.service.installation import Installation
from engine.store.tables import authorities, dispatches, exchanges, ledger, ledger_deadlines, ledger_marks

POST, FOLDER = "letter+post", "xdomea+folder"
BATCH = 5_000
SAMPLES = 400
"""Histories a month, from which an exchange's is taken."""
WITH_DEADLINES = 5
"""One procedure in so many has a deadline for each exchange."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How many dispatches over how many steps and months, and how unevenly."""

    procedures: int
    steps: int
    """Of each procedure."""
    months: int
    """The last is March 2026."""
    skew: float
    """The n-th procedure has 1/n**skew of the first one's exchanges."""
    neighbours: float
    """Part of the exchanges that goes to the twelve nearest authorities."""
    dispatches: int = 0


SKEWED = Spread(procedures=20, steps=3, months=36, skew=1.2, neighbours=0.97)
"""As in life: a few procedures make most of the mail."""
EVEN = Spread(procedures=12, steps=3, months=24, skew=0, neighbours=0.95)
"""As thin as can be: every procedure and step alike, hardly three dispatches a cell."""

_own = MetaData()
_cells = Table(
    "bench_cells",
    _own,
    *(Column(name, String(80)) for name in ("authority_id", "procedure_key", "element_id", "recipient_id")),
    Column("month", String(7)),
    Column("cell", BigInteger),
    Column("deadline_cell", BigInteger),
    Column("volume", Integer),
    Column("first", Integer),
)
_numbers = Table("bench_numbers", _own, Column("n", Integer))
_WHO = ("authority_id", "procedure_key", "element_id", "recipient_id", "month")
_KNOWN = ("exchange_id", *_WHO, "cell")
_OUTCOME = [column for column in ledger.c if column.name not in _KNOWN]
_samples = Table(
    "bench_samples",
    _own,
    Column("month", String(7), primary_key=True),
    Column("place", Integer, primary_key=True),
    *(Column(column.name, column.type) for column in _OUTCOME),
)


def fill(app: Installation, spread: Spread) -> None:
    """Write exchanges, dispatches, their ledger rows and those of deadlines, and mark every cell."""
    draw = random.Random(spread.dispatches)
    cells = _draw_cells(app, draw, spread)
    months = sorted({str(cell["month"]) for cell in cells})
    with app.write() as tx:
        _own.create_all(tx)
        for begun in range(0, len(cells), BATCH):
            tx.execute(insert(_cells), cells[begun : begun + BATCH])
        volumes = [int(str(cell["volume"])) for cell in cells]
        tx.execute(insert(_numbers), [{"n": n} for n in range(max(volumes))])
        tx.execute(insert(_samples), [_sample(draw, month, n) for month in months for n in range(SAMPLES)])
        _multiply(tx)
        _own.drop_all(tx)


def _draw_cells(app: Installation, draw: random.Random, spread: Spread) -> list[dict[str, object]]:
    with app.read() as tx:
        towns = sorted(tx.scalars(select(authorities.c.id).where(authorities.c.kind == "municipality")))
        others = sorted(tx.scalars(select(authorities.c.id)))
    n = spread.dispatches
    procedures = [f"procedure-{one:02d}" for one in range(spread.procedures)]
    weights = [1 / (place + 1) ** spread.skew for place in range(spread.procedures)]
    months = [f"{2026 - (one + 9) // 12}-{(2 - one) % 12 + 1:02d}" for one in range(spread.months)]
    drawn: Counter[tuple[str, ...]] = Counter(
        zip(
            draw.choices(towns, [0.93**place for place in range(len(towns))], k=n),
            draw.choices(procedures, weights, k=n),
            draw.choices([f"Send_{one}" for one in range(spread.steps)], k=n),
            draw.choices(range(1, len(others)), _nearness(spread, len(others)), k=n),
            draw.choices(months, k=n),
            strict=True,
        )  # type: ignore[arg-type]
    )
    place_of = {key: place for place, key in enumerate(others)}
    found: list[dict[str, object]] = []
    first = 0
    for (sender, procedure, step, distance, month), volume in drawn.items():
        recipient = others[(place_of[sender] + int(distance)) % len(others)]
        who = (sender, procedure, step, recipient, month)
        names = ("authority_id", "procedure_key", "element_id", "recipient_id", "month")
        due = int(procedure[-2:]) % WITH_DEADLINES == WITH_DEADLINES - 1
        found.append(
            {
                **dict(zip(names, who, strict=True)),
                "cell": cell_of("", *who),
                "deadline_cell": cell_of(DEADLINE, *who) if due else None,
                "volume": volume,
                "first": first,
            }
        )
        first += volume
    return found


def _nearness(spread: Spread, others: int) -> list[float]:
    near, far = spread.neighbours / 12, (1 - spread.neighbours) / (others - 13)
    return [near if distance < 12 else far for distance in range(others - 1)]


def _sample(draw: random.Random, month: str, place: int) -> dict[str, object]:
    created = datetime.fromisoformat(f"{month}-02").replace(tzinfo=UTC)
    created += timedelta(minutes=draw.randrange(26 * 1440))
    assert month_of(created) == month
    electronic = draw.random() < 0.4
    meant = electronic or draw.random() < 0.05
    handed = created + timedelta(minutes=draw.randrange(1, 3_000))
    received = handed + timedelta(minutes=draw.randrange(1, 9_000))
    return {
        "place": place,
        "month": month,
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


def _multiply(tx: Connection) -> None:
    """Turn every cell into as many exchanges as it has, each with one of its month's histories."""
    number = _cells.c.first + _numbers.c.n
    place = number % SAMPLES * 7919 % SAMPLES  # the remainder first: PostgreSQL's integers end at 2 ** 31
    key = literal("exchange-", String) + cast(number, String)
    query = (
        select(key, *(_cells.c[name] for name in _KNOWN[1:]), *(_samples.c[c.name] for c in _OUTCOME))
        .join_from(_cells, _numbers, _numbers.c.n < _cells.c.volume)
        .join(_samples, (_samples.c.month == _cells.c.month) & (_samples.c.place == place))
    )
    tx.execute(insert(ledger).from_select([*_KNOWN, *(c.name for c in _OUTCOME)], query))
    same = {
        "id": ledger.c.exchange_id,
        "authority_id": ledger.c.authority_id,
        "created_at": ledger.c.created_at,
    }
    text_key = ledger.c.exchange_id
    _copy(
        tx,
        exchanges,
        same,
        procedure_key=ledger.c.procedure_key,
        element_id=ledger.c.element_id,
        recipient_id=ledger.c.recipient_id,
        answered_at=ledger.c.answered_at,
        key=text_key,
        code_key=text_key,
        case_id="case",
        message_type="m",
        message_version="1",
        form="none",
        subject="s",
        data={},
        fallback="post",
        status="open",
    )
    _copy(
        tx,
        dispatches,
        same,
        exchange_id=text_key,
        channel=ledger.c.channel,
        intended_channel=ledger.c.intended_channel,
        level=ledger.c.level,
        handed_over_at=ledger.c.handed_over_at,
        postage_cents=ledger.c.postage_cents,
        purpose="message",
        number=1,
        state="handed_over",
        decision={},
        copy=False,
        test=False,
        attempts=1,
    )
    due = _cells.c.deadline_cell.is_not(None)
    met = case((ledger.c.answered_at.is_(None), DEEMED), else_=MET)
    query = (
        select(text_key, *(ledger.c[name] for name in _WHO), _cells.c.deadline_cell, met, false(), false())
        .join(_cells, _cells.c.cell == ledger.c.cell)
        .where(due)
    )
    columns = ["deadline_id", *_WHO, "cell", "outcome", "notified", "presumed"]
    tx.execute(insert(ledger_deadlines).from_select(columns, query))
    for name, cell, which in (("mark-", _cells.c.cell, true()), ("due-", _cells.c.deadline_cell, due)):
        mark = literal(name, String) + cast(_cells.c.first, String)
        query = select(mark, _cells.c.authority_id, cell, _cells.c.month).where(which)
        tx.execute(insert(ledger_marks).from_select(["id", "authority_id", "cell", "month"], query))


def _copy(tx: Connection, table: Table, same: dict[str, Column[object]], **values: object) -> None:
    """Write a row of ``table`` for every row of the ledger."""
    given = {
        name: value
        if isinstance(value, Column)
        else cast(bindparam(None, value, type_=table.c[name].type), table.c[name].type)
        for name, value in {**same, **values}.items()
    }
    tx.execute(insert(table).from_select(list(given), select(*given.values())))


def rules(tx: Connection) -> Iterator[dict[str, object]]:
    """Yield twenty rules a town: some for a procedure, some for a recipient, some for both."""
    keys = sorted(tx.scalars(select(authorities.c.id).where(authorities.c.kind == "municipality")))
    for place, sender in enumerate(keys):
        for n in range(20):
            yield {
                "id": f"{sender}-{n}",
                "authority_id": sender,
                "procedure_key": f"procedure-{n % 12:02d}" if n % 3 else None,
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
