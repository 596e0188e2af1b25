"""How many exchanges each relation had: own ones counted, imported ones where there is no history yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, case, func, literal, select

from engine.migration.ledger import ARRIVAL, DEADLINES, PAPER, SENT, WITHDRAWN
from engine.migration.register import NOTHING, Key, Volume
from engine.migration.scope import Scope
from engine.store.tables import imported_volumes, ledger, ledger_marks, ledger_months, shadow_sends


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of some senders within a scope."""

    volumes: Mapping[Key, Volume]
    imported: frozenset[Key]
    """Relations that only imported figures know."""
    monthly: Mapping[Key, Mapping[str, Volume]] = field(default_factory=dict)
    """Relation → month (``2026-11``) → figures."""

    @property
    def months(self) -> tuple[str, str] | None:
        """First and last month with figures."""
        found = {month for months in self.monthly.values() for month in months}
        return (min(found), max(found)) if found else None


def load_figures(tx: Connection, senders: Sequence[str], scope: Scope, since: date | None = None) -> Figures:
    """Return the figures of ``senders`` by relation and month, from the month of ``since`` on.

    Imported figures of a month count only where the sender had no exchange of its own in that step and
    month: from then on what was really sent is known, and nothing counts twice.
    """
    first = f"{since:%Y-%m}" if since else ""
    monthly: dict[Key, dict[str, Volume]] = {}
    covered: set[tuple[str, str, str, str]] = set()
    for key, month, volume in _own(tx, senders, scope, first):
        covered.add((key[0], key[1], key[2], month))
        _add(monthly, key, month, volume)
    own = frozenset(monthly)
    for key, month, volume in _imported(tx, senders, scope, first):
        if (key[0], key[1], key[2], month) not in covered:
            _add(monthly, key, month, volume)
    return Figures(
        {key: sum(months.values(), NOTHING) for key, months in monthly.items()},
        frozenset(monthly) - own,
        monthly,
    )


def _add(monthly: dict[Key, dict[str, Volume]], key: Key, month: str, volume: Volume) -> None:
    months = monthly.setdefault(key, {})
    months[month] = months.get(month, NOTHING) + volume


def _own(
    tx: Connection, senders: Sequence[str], scope: Scope, first: str
) -> Iterator[tuple[Key, str, Volume]]:
    """Yield what the ledger counts: months added up, and one by one what changed since."""
    added, single = ledger_months, ledger
    changed = select(ledger_marks.c.cell)
    queries = (
        (added, added.c.exchanges, (added.c.source == "", added.c.cell.not_in(changed))),
        (single, literal(1), (single.c.cell.in_(changed),)),
    )
    for table, count, which in queries:
        columns = [getattr(table.c, name) for name in _KEY]
        paper = func.sum(case((table.c.level == PAPER, count), else_=0))
        query = (
            select(*columns, table.c.month, func.sum(count), paper)
            .where(*which, table.c.state.not_in((ARRIVAL, WITHDRAWN, *DEADLINES)), table.c.month >= first)
            .group_by(*columns, table.c.month)
        )
        for row in tx.execute(_within(query, table, senders, scope)):
            yield tuple(row[:4]), row.month, Volume(own=int(row[5]), paper=int(row[6]))


def used_channels(tx: Connection, senders: Sequence[str]) -> set[tuple[str, str, str]]:
    """Return sender, recipient and channel of everything that really went, or was tried in shadow sends."""
    added, single, shadow = ledger_months, ledger, shadow_sends
    queries = (
        (added, (added.c.source == "", added.c.state == SENT)),
        (single, (single.c.cell.in_(select(ledger_marks.c.cell)), single.c.state == SENT)),
        (shadow, (shadow.c.handed_over_at.is_not(None),)),
    )
    found: set[tuple[str, str, str]] = set()
    for table, which in queries:
        columns = (table.c.authority_id, table.c.recipient_id, table.c.channel)
        query = select(*columns).where(table.c.authority_id.in_(senders), *which).distinct()
        found |= {tuple(row) for row in tx.execute(query)}
    return found


def _imported(
    tx: Connection, senders: Sequence[str], scope: Scope, first: str
) -> Iterator[tuple[Key, str, Volume]]:
    table = imported_volumes
    columns = [getattr(table.c, name) for name in _KEY]
    count = func.sum(table.c["count"])
    paper = func.sum(case((table.c.level == PAPER, table.c["count"]), else_=0))
    query = (
        select(*columns, table.c.month, count, paper)
        .where(table.c.month >= first)
        .group_by(*columns, table.c.month)
    )
    for row in tx.execute(_within(query, table, senders, scope)):
        yield tuple(row[:4]), row.month, Volume(imported=int(row[5]), paper=int(row[6]))


_KEY = ("procedure_key", "element_id", "authority_id", "recipient_id")


def _within(query: Select[Any], table: Any, senders: Sequence[str], scope: Scope) -> Select[Any]:
    query = query.where(table.c.authority_id.in_(senders))
    wanted = {
        "procedure_key": scope.procedure,
        "element_id": scope.step,
        "recipient_id": scope.recipient,
    }
    for column, value in wanted.items():
        if value is not None:
            query = query.where(table.c[column] == value)
    return query
