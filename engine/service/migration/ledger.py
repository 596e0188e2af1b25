"""Keeping the ledger right in the same transaction as what changed it, and adding it up by month.

Who changes an exchange holds its case, so an exchange's row is never written by two at once. A change
appends a mark of its cell and waits for nobody; ``fold`` adds marked cells up anew from their rows
(docs/decisions/0150).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, bindparam, delete, exists, func, insert, select

from engine.exchange.decision import POST
from engine.migration.ledger import (
    DIMENSIONS,
    DURATIONS,
    SPLITS,
    SUMS,
    UNCOUNTED_ARRIVALS,
    Key,
    arrival_entry,
    cell_of,
    entry,
    kind_of,
    packed,
    tally,
    tally_arrivals,
    tally_deadlines,
)
from engine.service.migration import totals
from engine.service.migration.ledger_deadlines import computed_deadlines, touch_deadline
from engine.service.migration.marks import mark, written
from engine.store.locks import only_one
from engine.store.prepared import Prepared
from engine.store.tables import (
    arrival_parts,
    arrivals,
    audit,
    cases,
    dispatches,
    exchanges,
    facts,
    ledger,
    ledger_arrivals,
    ledger_deadlines,
    ledger_marks,
    ledger_months,
)

if TYPE_CHECKING:
    from engine.service.installation import Installation

_TALLIES = ((ledger, tally), (ledger_arrivals, tally_arrivals), (ledger_deadlines, tally_deadlines))
FOLD_AT = 256
"""So many marks may wait before the work loop folds; status reads marked cells from their rows."""
BATCH = 1_000
PRINTED = "arrival.printed"
_EXCHANGE = [
    exchanges.c[name]
    for name in (
        *("id", "authority_id", "procedure_key", "element_id", "recipient_id"),
        *("status", "created_at", "answered_at"),
    )
]
_DISPATCH = [
    dispatches.c[name]
    for name in (
        *("id", "exchange_id", "state", "channel", "intended_channel", "level", "copy", "test"),
        *("handed_over_at", "postage_cents", "decision"),
    )
]
_FACT = [facts.c[name] for name in ("exchange_id", "dispatch_id", "kind", "at")]
_ARRIVAL = [
    arrivals.c[name]
    for name in (
        *("id", "authority_id", "channel", "received_at", "sender_id", "claimed_sender_id"),
        *("status", "test", "case_id"),
    )
]
_READ_EXCHANGE = Prepared(select(*_EXCHANGE).where(exchanges.c.id == bindparam("exchange")))
_READ_DISPATCHES = Prepared(
    select(*_DISPATCH)
    .where(dispatches.c.exchange_id == bindparam("exchange"))
    .order_by(dispatches.c.number, dispatches.c.id)
)
_READ_FACTS = Prepared(
    select(*_FACT).where(facts.c.exchange_id == bindparam("exchange"), facts.c.withdrawn_at.is_(None))
)
# Of one month and few senders, for their totals are counted anew: nobody waits long for a transaction.
_NEXT = (
    select(ledger_marks)
    .where(ledger_marks.c.month == select(func.min(ledger_marks.c.month)).scalar_subquery())
    .order_by(ledger_marks.c.authority_id)
    .limit(2 * BATCH)
)


_WRITE = written(ledger, "exchange_id", ["spared_cents"])
_WRITE_ARRIVAL = written(ledger_arrivals, "arrival_id")


def touch(app: "Installation", tx: Connection, exchange_id: str) -> None:
    """Bring the ledger's row of an exchange up to date; the caller holds the exchange's case."""
    row = entry(
        _READ_EXCHANGE.first(tx, exchange=exchange_id),
        _READ_DISPATCHES.all(tx, exchange=exchange_id),
        _READ_FACTS.all(tx, exchange=exchange_id),
    )
    _WRITE[tx.dialect.name].run(tx, **row)
    mark(app, tx, row)


def touch_arrival(app: "Installation", tx: Connection, arrival_id: str) -> None:
    """Bring the ledger's row of an arrival up to date; the arrival is held until the transaction ends."""
    query = select(*_ARRIVAL).where(arrivals.c.id == arrival_id).with_for_update()
    arrival = tx.execute(query).one()
    earlier = tx.execute(select(ledger_arrivals).where(ledger_arrivals.c.arrival_id == arrival_id)).first()
    if not _counts(arrival):
        if earlier is not None:
            tx.execute(delete(ledger_arrivals).where(ledger_arrivals.c.arrival_id == arrival_id))
            mark(app, tx, dict(earlier._mapping))
        return
    row = _arrival_row(tx, arrival, printed=earlier is not None and earlier.printed)
    _write_arrival(app, tx, row, earlier)


def note_printed(app: "Installation", tx: Connection, arrival_id: str) -> None:
    """Note in the ledger that an electronic arrival was printed."""
    query = select(*_ARRIVAL).where(arrivals.c.id == arrival_id).with_for_update()
    arrival = tx.execute(query).one()
    if _counts(arrival):
        _write_arrival(app, tx, _arrival_row(tx, arrival, printed=True), None)


def _counts(arrival: Any) -> bool:
    return not arrival.test and arrival.status not in UNCOUNTED_ARRIVALS


def _write_arrival(app: "Installation", tx: Connection, row: Mapping[str, Any], earlier: Any) -> None:
    _WRITE_ARRIVAL[tx.dialect.name].run(tx, **row)
    mark(app, tx, row)
    if earlier is not None and earlier.cell != row["cell"]:
        mark(app, tx, dict(earlier._mapping))


def _arrival_row(tx: Connection, arrival: Any, *, printed: bool) -> dict[str, Any]:
    procedure = None
    if arrival.case_id is not None:
        procedure = tx.scalar(select(cases.c.procedure_key).where(cases.c.id == arrival.case_id))
    scan = select(arrival_parts.c.position).where(
        arrival_parts.c.arrival_id == arrival.id, arrival_parts.c.role == "scan"
    )
    scanned = arrival.channel == POST and tx.execute(scan.limit(1)).first() is not None
    return arrival_entry(arrival, procedure, scanned=scanned, printed=printed)


# --- Adding up ------------------------------------------------------------------------------------------


def fold_when_due(app: "Installation") -> int:
    """Fold where enough marks wait; return how many were folded."""
    with app.read() as tx:
        waiting = len(tx.execute(select(ledger_marks.c.id).limit(FOLD_AT)).all())
    return fold(app) if waiting >= FOLD_AT else 0


def fold(app: "Installation") -> int:
    """Add up anew every cell that is marked; return how many marks there were.

    A cell is counted from its rows, so folding twice, or again after a crash, changes nothing. A change that
    commits meanwhile leaves a mark of its own. One process folds at a time; another one does nothing.
    """
    folded = 0
    with only_one(app.database, "ledger-fold") as mine:
        while mine:
            with app.write() as tx:
                marks = tx.execute(_NEXT).all()
                if not marks:
                    return folded
                places = _refold(tx, sorted({mark.cell for mark in marks}))
                totals.add_up(tx, {(mark.authority_id, mark.month) for mark in marks}, places)
                tx.execute(delete(ledger_marks).where(ledger_marks.c.id.in_([mark.id for mark in marks])))
            folded += len(marks)
    return folded


def _refold(tx: Connection, cells: Sequence[int]) -> set[totals.Place]:
    """Count cells anew; return the places that they are of, or were."""
    found = _tally(tx, cells)
    mine = ledger_months.c.cell.in_(cells)
    before = tx.execute(select(*(ledger_months.c[name] for name in totals.PLACE)).where(mine).distinct())
    places = {tuple(row) for row in before}
    tx.execute(delete(ledger_months).where(mine))
    write_months(tx, found)
    at = [DIMENSIONS.index(name) for name in totals.PLACE]
    return places | {tuple(key[place] for place in at) for key in found}


def tally_marked(tx: Connection) -> dict[Key, dict[str, Any]]:
    """Count the marked cells from their rows: the months of these are not up to date."""
    return _tally(tx, select(ledger_marks.c.cell))


def _tally(tx: Connection, cells: Any) -> dict[Key, dict[str, Any]]:
    """Count cells, some thousands or a query for them, from their rows."""
    found: dict[Key, dict[str, Any]] = {}
    for table, add_up in _TALLIES:
        found |= add_up(tx.execute(select(table).where(table.c.cell.in_(cells))))
    return found


def write_months(tx: Connection, found: Mapping[Key, Mapping[str, Any]], source: str = "") -> None:
    """Write months' rows; ``source`` is the report they came with, empty for own figures."""
    rows = [month_row(key, measures, source) for key, measures in found.items()]
    if rows:
        tx.execute(insert(ledger_months), rows)


def month_row(key: Key, measures: Mapping[str, Any], source: str = "") -> dict[str, Any]:
    """Return a month's row as the table keeps it."""
    named = dict(zip((*DIMENSIONS, *SPLITS), key, strict=True))
    who = [named[name] for name in DIMENSIONS]
    cell = cell_of(f"{source}{kind_of(named['state'])}", *who)
    durations = {name: packed(measures[name]) for name in DURATIONS}
    return {"cell": cell, "source": source, **named, **{name: measures[name] for name in SUMS}, **durations}


# --- History and checking -------------------------------------------------------------------------------


def fill(app: "Installation") -> int:
    """Write the ledger's rows that history has and the ledger lacks or has otherwise; return how many.

    For installations that are older than the ledger, and after a fault that ``check`` found.
    """
    count = 0
    with app.write() as tx:
        known = set(tx.scalars(select(ledger.c.exchange_id)))
        for row in computed(tx):
            if row["exchange_id"] not in known or _differs(tx, row):
                _WRITE[tx.dialect.name].run(tx, **row)
                mark(app, tx, row)
                count += 1
        for row in computed_arrivals(tx):
            if _booked(tx, ledger_arrivals, row, "arrival_id") != row:
                query = select(ledger_arrivals).where(ledger_arrivals.c.arrival_id == row["arrival_id"])
                _write_arrival(app, tx, row, tx.execute(query).first())
                count += 1
        for row in computed_deadlines(tx):
            if _booked(tx, ledger_deadlines, row, "deadline_id") != row:
                touch_deadline(app, tx, row["deadline_id"])
                count += 1
        for key, cell in _wrong_months(tx):
            row = dict(zip(DIMENSIONS, key, strict=False))
            mark(app, tx, {**row, "cell": cell})
        totals.add_up(tx, totals.wrong(tx))
    fold(app)
    return count


def _differs(tx: Connection, row: Mapping[str, Any]) -> bool:
    there = tx.execute(select(ledger).where(ledger.c.exchange_id == row["exchange_id"])).mappings().one()
    return any(there[name] != value for name, value in row.items())


def computed(tx: Connection) -> Iterator[dict[str, Any]]:
    """Yield every exchange's ledger row, computed from exchanges, dispatches and facts alone."""
    after = ""
    while True:
        query = select(*_EXCHANGE).where(exchanges.c.id > after).order_by(exchanges.c.id).limit(BATCH)
        page = tx.execute(query).all()
        if not page:
            return
        after = page[-1].id
        ids = [row.id for row in page]
        sends = _grouped(
            tx.execute(
                select(*_DISPATCH)
                .where(dispatches.c.exchange_id.in_(ids))
                .order_by(dispatches.c.number, dispatches.c.id)
            )
        )
        told = _grouped(
            tx.execute(select(*_FACT).where(facts.c.exchange_id.in_(ids), facts.c.withdrawn_at.is_(None)))
        )
        for row in page:
            yield entry(row, sends.get(row.id, ()), told.get(row.id, ()))


def _grouped(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.exchange_id, []).append(row)
    return found


def computed_arrivals(tx: Connection) -> Iterator[dict[str, Any]]:
    """Yield every counted arrival's ledger row, computed from arrivals, parts, cases and noted prints."""
    noted = select(audit.c.details).where(audit.c.action == PRINTED)
    printed = {row.details["arrival"] for row in tx.execute(noted)}
    scan = exists().where(arrival_parts.c.arrival_id == arrivals.c.id, arrival_parts.c.role == "scan")
    query = (
        select(*_ARRIVAL, cases.c.procedure_key, scan.label("scanned"))
        .join(cases, cases.c.id == arrivals.c.case_id, isouter=True)
        .order_by(arrivals.c.id)
    )
    for row in tx.execute(query).all():
        if _counts(row):
            yield arrival_entry(row, row.procedure_key, scanned=bool(row.scanned), printed=row.id in printed)


def check(tx: Connection) -> Iterator[str]:
    """Yield what is wrong with the ledger: rows against history, months against rows."""
    count = 0
    for row in computed(tx):
        there = (
            tx.execute(select(ledger).where(ledger.c.exchange_id == row["exchange_id"])).mappings().first()
        )
        count += 1
        if there is None:
            yield f"ledger: exchange {row['exchange_id']} is missing"
            continue
        wrong = [name for name, value in row.items() if there[name] != value]
        if wrong:
            yield f"ledger: exchange {row['exchange_id']} is not as it was sent: {', '.join(wrong)}"
    for row in computed_arrivals(tx):
        booked = _booked(tx, ledger_arrivals, row, "arrival_id")
        if booked != row:
            yield f"ledger: arrival {row['arrival_id']} is {'not as it came' if booked else 'missing'}"
    for row in computed_deadlines(tx):
        booked = _booked(tx, ledger_deadlines, row, "deadline_id")
        if booked != row:
            yield f"ledger: deadline {row['deadline_id']} is {'not as it ended' if booked else 'missing'}"
    yield from _check_months(tx)


def _booked(tx: Connection, table: Table, row: Mapping[str, Any], key: str) -> dict[str, Any] | None:
    there = tx.execute(select(table).where(table.c[key] == row[key])).mappings().first()
    return None if there is None else dict(there)


def _check_months(tx: Connection) -> Iterator[str]:
    for key, _ in _wrong_months(tx):
        yield f"ledger: month {' '.join(filter(None, key))} does not add up"
    for sender, month in totals.wrong(tx):
        yield f"ledger: the totals of {sender} in {month} do not add up"


def _wrong_months(tx: Connection) -> Iterator[tuple[Key, int]]:
    """Yield key and cell of every own month's row that is not what its rows add up to."""
    marked = set(tx.scalars(select(ledger_marks.c.cell).distinct()))
    months = {
        tuple(row[name] for name in (*DIMENSIONS, *SPLITS)): dict(row)
        for row in tx.execute(select(ledger_months).where(ledger_months.c.source == "")).mappings()
        if row["cell"] not in marked
    }
    counted: dict[Key, dict[str, Any]] = {}
    for table, add_up in _TALLIES:
        counted |= add_up(row for row in tx.execute(select(table)) if row.cell not in marked)
    for key in sorted({*months, *counted}):
        expected = month_row(key, counted[key]) if key in counted else None
        if expected is None or months.get(key) != expected:
            cell = expected["cell"] if expected is not None else months[key]["cell"]
            yield key, cell


def own_months(tx: Connection) -> Iterator[dict[str, Any]]:
    """Yield every own month's row as it stands now, also of cells that are not added up yet."""
    names = (*DIMENSIONS, *SPLITS, *SUMS, *DURATIONS)
    query = select(*(ledger_months.c[name] for name in names)).where(
        ledger_months.c.source == "", ledger_months.c.cell.not_in(select(ledger_marks.c.cell))
    )
    for row in tx.execute(query).mappings():
        yield dict(row)
    for key, measures in tally_marked(tx).items():
        yield month_row(key, measures)


def entries(tx: Connection) -> int:
    """Return how many exchanges the ledger holds."""
    return tx.scalar(select(func.count()).select_from(ledger)) or 0
