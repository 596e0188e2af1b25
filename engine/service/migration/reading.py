"""Reading the ledger for a question: from totals where they know enough, else from months.

Where cells are marked, their months are taken off and their rows counted instead, so that every exchange is
counted once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from engine.exchange.decision import Relation
from engine.migration.ledger import DIMENSIONS, DURATIONS, PAPER, SENT, SPLITS, SUMS, packed
from engine.migration.status import COLUMNS, Question
from engine.service.migration import totals
from engine.service.migration.ledger import tally_marked
from engine.store.tables import ledger_marks, ledger_months, ledger_totals

RELATION = ("authority_id", "procedure_key", "element_id", "recipient_id")

Sent = dict[tuple[str, str, str, str], tuple[int, int]]
"""Sender, procedure, step, recipient → exchanges sent, of these on paper."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One question to the ledger, in one snapshot."""

    tx: Connection
    asked: Question
    visible: Sequence[str]
    """Senders that may be seen."""
    everybody: bool
    """Whether these are all there are, and all are meant."""
    inside: Sequence[str]
    """Authorities of the district that is asked for; empty where none is."""
    changed: Sequence[Mapping[str, Any]]
    """What marked cells come to now, where it fits the question."""
    taken: Sequence[Mapping[str, Any]]
    """What totals and months say of them."""

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Yield rows of the question's groups, added up over what nobody asks for; ``taken`` go off again."""
        table, which = self._source()
        month = [] if "month" in self._wanted() or self._months_apart() else ["month"]
        columns = [*self._wanted(), *month, *SPLITS]
        sums = [func.sum(table.c[name]) for name in SUMS]
        joined = [totals.joined(self.tx, table.c[name]) for name in DURATIONS]
        yield from self._grouped(table, columns, [*sums, *joined], (*SUMS, *DURATIONS), *which)
        yield from self.changed

    def trend(self) -> Iterator[Mapping[str, Any]]:
        """Yield what the groups sent by month, where the rows do not say it; ``taken`` goes off again."""
        table, which = self._source()
        columns = [*self._wanted(), "month"]
        if self._months_apart():
            sums = [func.sum(table.c.exchanges), func.sum(_paper(table))]
            yield from self._grouped(table, columns, sums, ("sent", "paper"), *which, table.c.state == SENT)

    def _wanted(self) -> list[str]:
        """Return the columns that the question splits by."""
        wanted = {COLUMNS[name] for name in self.asked.by}
        return [name for name in DIMENSIONS if name in wanted]

    def _months_apart(self) -> bool:
        """Tell whether to read the trend by itself: where groups are few, rows by month cost less."""
        groups = set(self._wanted()) - {"element_id"}  # a step brings its procedure along
        return len(groups) > 1 and "month" not in groups

    def _source(self) -> tuple[Any, list[Any]]:
        """Return the smallest table that can answer, and which of its rows."""
        kept = totals.kind_for({*self._wanted(), *self._scoped()}, everybody=self.everybody)
        return (ledger_months, []) if kept is None else (ledger_totals, [ledger_totals.c.kept == kept])

    def relations(self) -> Sent:
        """Return what every relation sent, from an index that holds all of it."""
        columns = [ledger_months.c[name] for name in RELATION]
        query = (
            select(*columns, func.sum(ledger_months.c.exchanges), func.sum(_paper(ledger_months)))
            .where(ledger_months.c.state == SENT)
            .group_by(*columns)
        )
        rows = self.tx.execute(self._within(query, ledger_months)).all()
        found: Sent = {(one, two, three, four): (n, paper) for one, two, three, four, n, paper in rows}
        for some, sign in ((self.changed, 1), (self.taken, -1)):
            for row in some:
                if row["state"] == SENT:
                    key = (row["authority_id"], row["procedure_key"], row["element_id"], row["recipient_id"])
                    sent, paper = found.get(key, (0, 0))
                    n = sign * row["exchanges"]
                    found[key] = (sent + n, paper + n * (row["level"] == PAPER))
        return {key: counts for key, counts in found.items() if counts[0]} if self.taken else found

    def _scoped(self) -> set[str]:
        scope = self.asked.scope
        named = {
            "authority_id": scope.sender,
            "procedure_key": scope.procedure,
            "element_id": scope.step,
            "recipient_id": scope.recipient or scope.district,
        }
        return {column for column, value in named.items() if value is not None}

    def _grouped(
        self, table: Any, columns: Sequence[str], values: Sequence[Any], names: Sequence[str], *which: Any
    ) -> Iterator[Mapping[str, Any]]:
        grouped = [table.c[name] for name in columns]
        query = select(*grouped, *values).where(*which).group_by(*grouped)
        names = (*columns, *names)
        for row in self.tx.execute(self._within(query, table)).all():
            yield dict(zip(names, row, strict=True))

    def _within(self, query: Select[Any], table: Any) -> Select[Any]:
        columns, asked = table.c, self.asked
        if not self.everybody:
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


def _paper(table: Any) -> Any:
    return case((table.c.level == PAPER, table.c.exchanges), else_=0)


def reading(
    tx: Connection,
    asked: Question,
    visible: Sequence[str],
    district_of: Callable[[str], str | None],
    known: Sequence[str],
) -> Reading:
    """Prepare a reading: what is marked is counted once for all that is asked of it."""
    district = asked.scope.district
    inside = [key for key in known if district is not None and district_of(key) == district]
    senders = set(visible)

    def fits(row: Mapping[str, Any]) -> bool:
        relation = Relation(row["procedure_key"], row["element_id"], row["authority_id"], row["recipient_id"])
        return (
            row["authority_id"] in senders
            and asked.scope.matches(relation, district_of)
            and (asked.since is None or row["month"] >= asked.since)
            and (asked.until is None or row["month"] <= asked.until)
        )

    changed = [row for row in _changed(tx) if fits(row)]
    taken = [row for row in _taken(tx) if fits(row)]
    all_meant = asked.scope.sender is None and totals.counted_senders(tx) <= senders
    return Reading(tx, asked, visible, all_meant, inside, changed, taken)


def _changed(tx: Connection) -> Iterator[dict[str, Any]]:
    """Yield what marked cells come to, counted from their rows."""
    for key, measures in tally_marked(tx).items():
        row = dict(zip((*DIMENSIONS, *SPLITS), key, strict=True))
        yield {**row, **measures, **{name: packed(measures[name]) for name in DURATIONS}}


def _taken(tx: Connection) -> Iterator[dict[str, Any]]:
    """Yield what the months say of marked cells."""
    columns = [ledger_months.c[name] for name in (*DIMENSIONS, *SPLITS, *SUMS, *DURATIONS)]
    marked = ledger_months.c.cell.in_(select(ledger_marks.c.cell))
    for row in tx.execute(select(*columns).where(marked)).mappings():
        yield dict(row)
