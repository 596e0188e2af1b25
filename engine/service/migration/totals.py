"""Totals of the ledger's months: the same figures without recipient, and without procedure and step.

Most questions name no recipient, or no step; their answers are added up from far fewer rows. The totals of a
sender's month are counted anew whenever one of its months' rows is, in the same transaction. While one of
its cells is marked they are not read (docs/decisions/0150).
"""

from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, String, delete, func, insert, literal, select, tuple_

from engine.migration.ledger import DIMENSIONS, DURATIONS, SPLITS, SUMS, packed
from engine.store.tables import ledger_marks, ledger_months, ledger_totals

STEPS, RECIPIENTS = "steps", "recipients"
WITHOUT = {STEPS: ("recipient_id",), RECIPIENTS: ("procedure_key", "element_id")}
"""What each kind of total leaves out."""
CHUNK = 100
Pair = tuple[str, str]
"""Sender and month."""


def kind_for(columns: Collection[str]) -> str | None:
    """Return the totals that know all of ``columns``; None: only the months do."""
    return next((kept for kept, without in WITHOUT.items() if not set(without) & set(columns)), None)


def stale(tx: Connection) -> list[Pair]:
    """Return sender and month of every mark: their totals may not be up to date."""
    columns = (ledger_marks.c.authority_id, ledger_marks.c.month)
    return [(row[0], row[1]) for row in tx.execute(select(*columns).distinct().order_by(*columns))]


def of_pairs(table: Any, pairs: Collection[Pair]) -> ColumnElement[bool]:
    """Return the condition that a row is of one of these senders and months."""
    return tuple_(table.c.authority_id, table.c.month).in_(list(pairs))


def add_up(tx: Connection, pairs: Collection[Pair]) -> None:
    """Count the totals of these senders and months anew from the months' rows."""
    ordered = sorted(set(pairs))
    for begun in range(0, len(ordered), CHUNK):
        some = ordered[begun : begun + CHUNK]
        kinds = ledger_totals.c.kept.in_(list(WITHOUT))
        tx.execute(delete(ledger_totals).where(kinds, of_pairs(ledger_totals, some)))
        for kept in WITHOUT:
            query = _added(tx, kept).where(of_pairs(ledger_months, some))
            names = ("kept", *DIMENSIONS, *SPLITS, *SUMS, *DURATIONS)
            tx.execute(insert(ledger_totals).from_select(names, query))


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
    """Return sender and month of every total that is not what its months add up to; marked ones aside."""
    skipped = set(stale(tx))
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
    return sorted(found - skipped)


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
