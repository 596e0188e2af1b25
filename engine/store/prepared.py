"""Statements of the hot path: built and compiled once, run on the driver's own cursor.

SQLAlchemy builds, keys and looks up a statement at every call; that costs ten to forty times what SQLite
needs to run it (docs/decisions/0010). Here SQLAlchemy still writes the SQL and says how values are converted,
but only once. Everything runs in the caller's transaction.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, insert
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.base import Executable

Convert = Callable[[Any], Any]


class _Compiled(NamedTuple):
    """One statement in the words of one database."""

    sql: str
    order: tuple[str, ...] | None
    """Names of the parameters in order, where the driver counts them."""
    defaults: Mapping[str, Any]
    binders: Mapping[str, Convert]
    row: Any
    """Makes a named tuple of a row's values."""
    readers: tuple[tuple[int, Convert], ...]


class Prepared:
    """A statement with ``bindparam`` for everything that changes; no IN over lists of unknown length."""

    def __init__(self, statement: Executable | Callable[[str], Executable]) -> None:
        """Keep ``statement``; it is compiled at the first use with each kind of database.

        Where the databases need different words, it is a function of the dialect's name.
        """
        self._statement: Any = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, tx: Connection, **values: Any) -> int:
        """Execute and return how many rows were touched."""
        compiled = self._for(tx)
        cursor = _cursor(tx)
        try:
            cursor.execute(compiled.sql, _parameters(compiled, values))
            return int(cursor.rowcount)
        finally:
            cursor.close()

    def run_many(self, tx: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Execute once for each of ``rows``, in one exchange with the server."""
        compiled = self._for(tx)
        cursor = _cursor(tx)
        try:
            cursor.executemany(compiled.sql, [_parameters(compiled, row) for row in rows])
        finally:
            cursor.close()

    def all(self, tx: Connection, **values: Any) -> list[Any]:
        """Execute and return the rows as named tuples."""
        compiled = self._for(tx)
        cursor = _cursor(tx)
        try:
            cursor.execute(compiled.sql, _parameters(compiled, values))
            return [_row(compiled, found) for found in cursor.fetchall()]
        finally:
            cursor.close()

    def first(self, tx: Connection, **values: Any) -> Any | None:
        """Execute and return the first row as a named tuple, or None."""
        compiled = self._for(tx)
        cursor = _cursor(tx)
        try:
            cursor.execute(compiled.sql, _parameters(compiled, values))
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


@contextmanager
def together(tx: Connection) -> Iterator[None]:
    """Send the block's prepared statements without waiting for each one's answer, where the driver can.

    Inside, only ``first`` and ``all`` wait; what ``run`` returns says nothing. Faults come up at the latest
    when the block ends.
    """
    driver: Any = tx.connection.driver_connection
    if tx.dialect.name == "sqlite":
        yield
        return
    with driver.pipeline():
        yield


def insert_into(table: Table, *columns: str) -> Prepared:
    """Return a prepared INSERT of ``columns`` (default: all); the parameters have the columns' names."""
    names = columns or tuple(table.c.keys())
    return Prepared(insert(table).values({name: bindparam(name, type_=table.c[name].type) for name in names}))


def _compile(statement: Any, dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect)
    binders, defaults = {}, {}
    for name, bind in compiled.binds.items():
        binder = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if binder is not None:
            binders[name] = binder
        if not bind.required:
            value = bind.effective_value
            defaults[name] = binder(value) if binder is not None else value
    columns = list(getattr(statement, "exported_columns", ()))
    readers = []
    for position, column in enumerate(columns):
        reader = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if reader is not None:
            readers.append((position, reader))
    # Only names of our own columns come here; rename keeps two columns of one name apart by position.
    make: Any = namedtuple
    row = make("Row", [column.key for column in columns], rename=True)
    order = tuple(compiled.positiontup) if compiled.positional else None
    return _Compiled(str(compiled), order, defaults, binders, row, tuple(readers))


def _parameters(compiled: _Compiled, values: Mapping[str, Any]) -> Any:
    bound = {**compiled.defaults, **values}
    for name, binder in compiled.binders.items():
        if name in values:
            bound[name] = binder(values[name])
    if compiled.order is None:
        return bound
    return tuple([bound[name] for name in compiled.order])


def _row(compiled: _Compiled, values: Any) -> Any:
    if compiled.readers:
        values = list(values)
        for position, reader in compiled.readers:
            values[position] = reader(values[position])
    return compiled.row(*values)


def _cursor(tx: Connection) -> Any:
    driver: Any = tx.connection.driver_connection
    return driver.cursor()
