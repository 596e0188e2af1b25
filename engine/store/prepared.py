"""Statements of the hot path: built and compiled once, run on the driver's own cursor.

SQLAlchemy builds, keys and looks up a statement at every call; that costs ten to forty times what SQLite
needs to run it (docs/decisions/0010). Here SQLAlchemy still writes the SQL and says how values are converted,
but only once. Everything runs in the caller's transaction, on PostgreSQL without waits that nobody needs
(``engine.store.pipeline``).
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.base import Executable

from engine.store import pipeline

Convert = Callable[[Any], Any]


class _Compiled(NamedTuple):
    """One statement in the words of one database."""

    sql: str
    slots: tuple[tuple[str, Convert | None], ...]
    """Name of each parameter and what turns its value into the driver's, in the statement's order."""
    defaults: Mapping[str, Any]
    """Values that the statement itself brings, as the driver takes them."""
    by_position: bool
    row: Any
    """Makes a named tuple of a row's values."""
    readers: tuple[tuple[int, Convert], ...]


class Sent:
    """A statement on its way. Its answer is read once, now or later; faults come up then."""

    def __init__(self, fetch: Callable[[], list[Any]]) -> None:
        """Keep what waits for the answer."""
        self._fetch = fetch

    def first(self) -> Any | None:
        """Wait for the answer and return its first row as a named tuple, or None."""
        return next(iter(self._fetch()), None)

    def all(self) -> list[Any]:
        """Wait for the answer and return its rows as named tuples."""
        return self._fetch()


class Prepared:
    """A statement with ``bindparam`` for everything that changes; no IN over lists of unknown length."""

    def __init__(self, statement: Executable | Callable[[str], Executable]) -> None:
        """Keep ``statement``; it is compiled at the first use with each kind of database.

        Where the databases need different words, it is a function of the dialect's name.
        """
        self._statement: Any = statement
        self._compiled: dict[str, _Compiled] = {}

    def send(self, tx: Connection, **values: Any) -> Sent:
        """Execute; the answer is read from what is returned, be it after others were sent or committed."""
        compiled = self._for(tx)
        cursor = pipeline.driver_of(tx).execute(compiled.sql, _parameters(compiled, values))
        if compiled.by_position:  # SQLite has the answer already; an open cursor would hold up its log
            rows = _fetch(compiled, cursor)
            return Sent(lambda: rows)
        return Sent(partial(_fetch, compiled, cursor))

    def run(self, tx: Connection, **values: Any) -> None:
        """Execute a statement whose answer nobody reads."""
        compiled = self._for(tx)
        pipeline.execute(tx, compiled.sql, _parameters(compiled, values))

    def run_many(self, tx: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute once for each of ``rows``."""
        compiled = self._for(tx)
        cursor = pipeline.driver_of(tx).cursor()
        try:
            cursor.executemany(compiled.sql, [_parameters(compiled, row) for row in rows])
        finally:
            cursor.close()

    def all(self, tx: Connection, **values: Any) -> list[Any]:
        """Execute and return the rows as named tuples."""
        compiled = self._for(tx)
        cursor = pipeline.driver_of(tx).execute(compiled.sql, _parameters(compiled, values))
        return _fetch(compiled, cursor)

    def first(self, tx: Connection, **values: Any) -> Any | None:
        """Execute and return the first row as a named tuple, or None."""
        compiled = self._for(tx)
        cursor = pipeline.driver_of(tx).execute(compiled.sql, _parameters(compiled, values))
        try:
            found = cursor.fetchone()
        finally:
            cursor.close()
        return None if found is None else _row(compiled, found)

    def _for(self, tx: Connection) -> _Compiled:
        name = tx.dialect.name
        compiled = self._compiled.get(name)
        if compiled is None:
            statement = self._statement(name) if callable(self._statement) else self._statement
            compiled = self._compiled[name] = _compile(statement, tx.dialect)
        return compiled


def insert_into(table: Table, *columns: str) -> Prepared:
    """Return a prepared INSERT of ``columns`` (default: all); the parameters have the columns' names."""
    names = columns or tuple(table.c.keys())
    return Prepared(insert(table).values({name: bindparam(name, type_=table.c[name].type) for name in names}))


def _compile(statement: Any, dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect)
    binders, defaults = {}, {}
    for name, bind in compiled.binds.items():
        binder = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if not bind.required:
            value = bind.effective_value
            defaults[name] = binder(value) if binder is not None else value
        else:
            binders[name] = binder
    columns = list(getattr(statement, "exported_columns", ()))
    readers = []
    for position, column in enumerate(columns):
        reader = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if reader is not None:
            readers.append((position, reader))
    # Only names of our own columns come here; rename keeps two columns of one name apart by position.
    make: Any = namedtuple
    row = make("Row", [column.key for column in columns], rename=True)._make
    order = compiled.positiontup if compiled.positional else compiled.binds
    slots = tuple((name, binders.get(name)) for name in order)
    return _Compiled(str(compiled), slots, defaults, compiled.positional, row, tuple(readers))


def _parameters(compiled: _Compiled, values: Mapping[str, Any]) -> Any:
    defaults = compiled.defaults
    bound = [
        defaults[name] if name in defaults else values[name] if binder is None else binder(values[name])
        for name, binder in compiled.slots
    ]
    if compiled.by_position:
        return bound
    return {name: value for (name, _), value in zip(compiled.slots, bound, strict=True)}


def _fetch(compiled: _Compiled, cursor: Any) -> list[Any]:
    try:
        return [_row(compiled, values) for values in cursor.fetchall()]
    finally:
        cursor.close()


def _row(compiled: _Compiled, values: Any) -> Any:
    if compiled.readers:
        values = list(values)
        for position, reader in compiled.readers:
            values[position] = reader(values[position])
    return compiled.row(values)
