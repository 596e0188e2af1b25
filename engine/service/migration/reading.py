"""Reading the ledger for a question: from totals where they know enough, else from months.

Cells that are marked are counted from their rows, and the other cells of their sender and month from the
months, so that every exchange is counted once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from engine.exchange.decision import Relation
from engine.migration.ledger import DIMENSIONS, DURATIONS, PAPER, SENT, SPLITS, SUMS, packed
from engine.migration.status import COLUMNS, Question
from engine.service.migration import totals
from engine.service.migration.ledger import tally_cells, waiting
from engine.store.tables import ledger_months, ledger_totals

_CHUNK = 500
_RELATION = ("authority_id", "procedure_key", "element_id", "recipient_id")

Found = dict[tuple[str, str, str, str], list[int]]
"""Sender, procedure, step, recipient → exchanges sent, of these on paper."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One question to the ledger, in one snapshot."""

    tx: Connection
    asked: Question
    visible: Sequence[str]
    """Senders that may be seen."""
    inside: Sequence[str]
    """Authorities of the district that is asked for; empty where none is."""
    marked: Sequence[int]
    changed: Sequence[Mapping[str, Any]]
    """Rows of marked cells that fit the question."""

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield rows of the question's groups, added up over what nobody asks for."""
        columns = [*(name for name in DIMENSIONS if name in self._columns()), *SPLITS]
        kept = totals.kind_for(self._columns() | self._scoped())
        if kept is None:
            yield from self._grouped(ledger_months, columns, self._unmarked())
        else:
            stale = totals.stale(self.tx)
            yield from self._grouped(
                ledger_totals,
                columns,
                [ledger_totals.c.kept == kept, *self._other_than(ledger_totals, stale)],
            )
            if stale:
                which = [totals.of_pairs(ledger_months, stale), *self._unmarked()]
                yield from self._grouped(ledger_months, columns, which)
        yield from self.changed

    def relations(self) -> Found:
        """Return what every relation sent, from an index that holds all of it."""
        columns = [ledger_months.c[name] for name in _RELATION]
        paper = case((ledger_months.c.level == PAPER, ledger_months.c.exchanges), else_=0)
        query = (
            select(*columns, func.sum(ledger_months.c.exchanges), func.sum(paper))
            .where(ledger_months.c.state == SENT, *self._unmarked())
            .group_by(*columns)
        )
        rows = self.tx.execute(self._within(query, ledger_months))
        found: Found = {(row[0], row[1], row[2], row[3]): [row[4], row[5]] for row in rows}
        for row in self.changed:
            if row["state"] == SENT:
                key = (row["authority_id"], row["procedure_key"], row["element_id"], row["recipient_id"])
                mine = found.setdefault(key, [0, 0])
                mine[0] += row["exchanges"]
                mine[1] += row["exchanges"] * (row["level"] == PAPER)
        return found

    def _columns(self) -> set[str]:
        return {"month", *(COLUMNS[name] for name in self.asked.by)}

    def _scoped(self) -> set[str]:
        scope = self.asked.scope
        named = {
            "procedure_key": scope.procedure,
            "element_id": scope.step,
            "recipient_id": scope.recipient or scope.district,
        }
        return {column for column, value in named.items() if value is not None}

    def _unmarked(self) -> list[Any]:
        return [ledger_months.c.cell.not_in(self.marked)] if self.marked else []

    def _other_than(self, table: Any, pairs: Sequence[totals.Pair]) -> list[Any]:
        return [~totals.of_pairs(table, pairs)] if pairs else []

    def _grouped(
        self, table: Any, columns: Sequence[str], which: Sequence[Any]
    ) -> Iterator[Mapping[str, Any]]:
        grouped = [table.c[name] for name in columns]
        sums = [func.sum(table.c[name]).label(name) for name in SUMS]
        joined = [totals.joined(self.tx, table.c[name]).label(name) for name in DURATIONS]
        query = select(*grouped, *sums, *joined).where(*which).group_by(*grouped)
        names = (*columns, *SUMS, *DURATIONS)
        for row in self.tx.execute(self._within(query, table)):
            yield dict(zip(names, row, strict=True))

    def _within(self, query: Select[Any], table: Any) -> Select[Any]:
        columns, asked = table.c, self.asked
        query = query.where(columns.authority_id.in_(self.visible))
        for column, value in (
            (columns.procedure_key, asked.scope.procedure),
            (columns.element_id, asked.scope.step),
            (columns.recipient_id, asked.scope.recipient),
        ):
            if value is not None:
                query = query.where(column == value)
        if asked.scope.district is not None:
            query = query.where(columns.recipient_id.in_(self.inside))
        if asked.since is not None:
            query = query.where(columns.month >= asked.since)
        if asked.until is not None:
            query = query.where(columns.month <= asked.until)
        return query


def reading(
    tx: Connection,
    asked: Question,
    visible: Sequence[str],
    district_of: Callable[[str], str | None],
    everybody: Sequence[str],
) -> Reading:
    """Prepare a reading: what is marked is counted once for all that is asked of it."""
    district = asked.scope.district
    inside = [key for key in everybody if district is not None and district_of(key) == district]
    marked = waiting(tx)
    changed = list(_changed(tx, asked, visible, marked, district_of))
    return Reading(tx, asked, visible, inside, marked, changed)


def _changed(
    tx: Connection,
    asked: Question,
    visible: Sequence[str],
    marked: Sequence[int],
    district_of: Callable[[str], str | None],
) -> Iterator[dict[str, Any]]:
    """Yield what cells come to that changed since they were added up, counted from their rows."""
    senders = set(visible)
    for begun in range(0, len(marked), _CHUNK):
        for key, measures in tally_cells(tx, marked[begun : begun + _CHUNK]).items():
            row = dict(zip((*DIMENSIONS, *SPLITS), key, strict=True))
            if row["authority_id"] in senders and _fits(row, asked, district_of):
                yield {**row, **measures, **{name: packed(measures[name]) for name in DURATIONS}}


def _fits(row: Mapping[str, Any], asked: Question, district_of: Callable[[str], str | None]) -> bool:
    relation = Relation(row["procedure_key"], row["element_id"], row["authority_id"], row["recipient_id"])
    return (
        asked.scope.matches(relation, district_of)
        and (asked.since is None or row["month"] >= asked.since)
        and (asked.until is None or row["month"] <= asked.until)
    )
