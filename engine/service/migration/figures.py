"""How many exchanges each relation had: own ones counted, imported ones where there is no history yet."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, case, func, select

from engine.migration.register import NOTHING, Key, Volume
from engine.migration.scope import Scope
from engine.store.tables import dispatches, exchanges, imported_volumes

PAPER = "A"
"""The evidence level of paper."""


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
    month = (
        func.substr(exchanges.c.created_at, 1, 7)
        if tx.dialect.name == "sqlite"
        else func.to_char(func.timezone("UTC", exchanges.c.created_at), "YYYY-MM")
    )
    paper = func.sum(case((dispatches.c.level == PAPER, 1), else_=0))
    last = (
        select(dispatches.c.exchange_id, func.max(dispatches.c.number).label("number"))
        .where(
            dispatches.c.copy.is_(False), dispatches.c.test.is_(False), dispatches.c.state == "handed_over"
        )
        .group_by(dispatches.c.exchange_id)
        .subquery()
    )
    columns = [getattr(exchanges.c, name) for name in _KEY]
    query = (
        select(*columns, month.label("month"), func.count().label("exchanges"), paper.label("paper"))
        .join(last, last.c.exchange_id == exchanges.c.id, isouter=True)
        .join(
            dispatches,
            (dispatches.c.exchange_id == last.c.exchange_id) & (dispatches.c.number == last.c.number),
            isouter=True,
        )
        .group_by(*columns, month)
    )
    for row in tx.execute(_within(query, exchanges, senders, scope)):
        if row.month >= first:
            yield tuple(row[:4]), row.month, Volume(own=row.exchanges, paper=row.paper)


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
