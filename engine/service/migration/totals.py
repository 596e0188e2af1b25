"""Totals of the ledger's months: the same figures without recipient, without step, or without sender.

Few questions name all three; the answers to the others are added up from far fewer rows. The totals of a
month are counted anew whenever one of its rows is, in the same transaction: they are always the sum of the
months (docs/decisions/0150).
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, delete, func, insert, literal, select

from engine.migration.ledger import DIMENSIONS, DURATIONS, SPLITS, SUMS, packed
from engine.store.tables import ledger_months, ledger_totals

RECIPIENTS, STEPS, EVERYBODY = "recipients", "steps", "everybody"
WITHOUT = {
    RECIPIENTS: ("procedure_key", "element_id"),
    STEPS: ("recipient_id",),
    EVERYBODY: ("authority_id",),
}
"""What each kind of total leaves out; the smaller ones first."""
Pair = tuple[str, str]
"""Sender and month; the sender of what everybody sent is empty."""
PLACE = ("month", "procedure_key", "element_id", "recipient_id")
Place = tuple[str, ...]
"""What a total of everybody's sends is of."""


def kind_for(columns: Collection[str], *, everybody: bool) -> str | None:
    """Return the totals that know all of ``columns``; None: only the months do.

    ``everybody`` tells whether what all senders sent may be read.
    """
    return next(
        (
            kept
            for kept, without in WITHOUT.items()
            if not set(without) & set(columns) and (everybody or kept != EVERYBODY)
        ),
        None,
    )


def counted_senders(tx: Connection) -> set[str]:
    """Return every sender that is counted in any month."""
    sender = ledger_totals.c.authority_id
    return set(tx.scalars(select(sender).where(ledger_totals.c.kept == RECIPIENTS).distinct()))


def add_up(tx: Connection, pairs: Collection[Pair], places: Collection[Place] | None = None) -> None:
    """Count the totals of these senders and months anew from the months' rows.

    ``places`` are all of these months in which something changed; None: it may be anywhere.
    """
    for month in sorted({month for _, month in pairs}):
        senders = {"month": {month}, "authority_id": {sender for sender, other in pairs if other == month}}
        _replace(tx, RECIPIENTS, senders)
        _replace(tx, STEPS, senders)
        if places is None:
            _replace(tx, EVERYBODY, {"month": {month}})
        else:
            here = [place for place in places if place[0] == month]
            if here:
                _replace(tx, EVERYBODY, dict(zip(PLACE, map(set, zip(*here, strict=True)), strict=True)))


def _replace(tx: Connection, kept: str, among: Mapping[str, set[str]]) -> None:
    """Count anew what has one of these values in each column; SQLite finds no rows by pairs of values."""
    mine = [ledger_totals.c.kept == kept]
    if kept == EVERYBODY:
        mine.append(ledger_totals.c.authority_id == "")  # as all of them: it leads to the primary key
    tx.execute(delete(ledger_totals).where(*mine, *_in(ledger_totals, among)))
    names = ("kept", *DIMENSIONS, *SPLITS, *SUMS, *DURATIONS)
    query = _added(tx, kept).where(*_in(ledger_months, among))
    tx.execute(insert(ledger_totals).from_select(names, query))


def _in(table: Any, among: Mapping[str, set[str]]) -> list[ColumnElement[bool]]:
    return [table.c[name].in_(sorted(values)) for name, values in among.items()]


def joined(tx: Connection, column: Any) -> Any:
    """Return the durations of several rows as one text."""
    return func.group_concat(column, " ") if tx.dialect.name == "sqlite" else func.string_agg(column, " ")


def _added(tx: Connection, kept: str) -> Any:
    months = ledger_months.c
    grouped = [months[name] for name in (*DIMENSIONS, *SPLITS) if name not in WITHOUT[kept]]
    nothing = literal("", String)
    return select(
        literal(kept, String),
        *(nothing if name in WITHOUT[kept] else months[name] for name in (*DIMENSIONS, *SPLITS)),
        *(func.sum(months[name]) for name in SUMS),
        *(joined(tx, months[name]) for name in DURATIONS),
    ).group_by(*grouped)


def wrong(tx: Connection) -> list[Pair]:
    """Return sender and month of every total that is not what its months add up to."""
    found: set[Pair] = set()
    names = (*DIMENSIONS, *SPLITS, *SUMS, *DURATIONS)
    for kept in WITHOUT:
        there = tx.execute(
            select(*(ledger_totals.c[name] for name in names)).where(ledger_totals.c.kept == kept)
        )
        expected = tx.execute(_added(tx, kept))
        found |= {
            (row[0], row[4])
            for row in _normal(tuple(row) for row in there) ^ _normal(tuple(row)[1:] for row in expected)
        }
    return sorted(found)


def _normal(rows: Iterator[tuple[Any, ...]]) -> set[tuple[Any, ...]]:
    """Rows whose durations are in order, for the database joins them in any."""
    kept = len(DIMENSIONS) + len(SPLITS)
    return {(*row[:kept], *map(int, row[kept:-2]), *map(_ordered, row[-2:])) for row in rows}


def _ordered(minutes: str | None) -> str | None:
    return packed([int(one) for one in (minutes or "").split()])


def pairs_of_months(tx: Connection, *which: ColumnElement[bool]) -> set[Pair]:
    """Return senders and months of some months' rows."""
    columns = (ledger_months.c.authority_id, ledger_months.c.month)
    return {(row[0], row[1]) for row in tx.execute(select(*columns).where(*which).distinct())}
