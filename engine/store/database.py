"""One database, reached through transactions only. Nothing here commits by itself."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError

from engine.errors import DienstwegError
from engine.store.errors import CaseChangedError, DatabaseUnavailableError

BUSY_TIMEOUT_MS = 60_000
_READ_ONLY = "dienstweg_read_only"
_CROSSED = ("40001", "40P01")
"""PostgreSQL's codes for transactions that stood in each other's way: one of them has to be repeated."""


class Database:
    """SQLite (WAL, synchronous FULL) or PostgreSQL, chosen by URL."""

    def __init__(self, url: str | URL) -> None:
        """Prepare the engine for ``url``; nothing is connected yet."""
        self.url = _normalised(make_url(url))
        self.engine: Engine = _create(self.url)
        # One picture of everything: SQLite's readers have it anyway.
        self._reading: dict[str, Any] = (
            {_READ_ONLY: True}
            if self.is_sqlite
            else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )

    @property
    def is_sqlite(self) -> bool:
        """Tell whether this is the embedded database."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open a writing transaction; it commits when the block ends well and rolls back otherwise.

        Only ``engine.service`` and the dispatchers call this (DESIGN, rule 2).
        """
        with self._connected() as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a reading transaction: one consistent picture, no lock that keeps a writer waiting."""
        with self._connected() as connection:
            reading = connection.execution_options(**self._reading)
            with reading.begin():
                yield reading

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Open a connection without a transaction around it: for locks that outlive transactions."""
        with self._connected() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except DBAPIError as error:
            explained = _explained(error.orig, lost=error.connection_invalidated)
            if explained is None:
                raise
            raise explained from error
        except self._driver.Error as error:  # prepared statements run on the driver's cursor
            explained = _explained(error, lost=False)
            if explained is None:
                raise
            raise explained from error

    @property
    def _driver(self) -> Any:
        return self.engine.dialect.dbapi


def upsert(where: Connection | str, table: Table) -> Any:
    """Return an INSERT that knows ON CONFLICT, in the dialect of a connection or of that name."""
    name = where if isinstance(where, str) else where.dialect.name
    # A dialect is loaded when it is used: PostgreSQL's brings its asynchronous drivers along.
    if name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def _explained(error: BaseException | None, *, lost: bool) -> DienstwegError | None:
    """Turn the driver's complaint into one line with a way out; None where it tells of a fault of ours."""
    if getattr(error, "sqlstate", None) in _CROSSED:
        return CaseChangedError(
            "somebody else worked on the same thing at the same instant", hint="repeat what you did"
        )
    # Both drivers name the class after the Python database API; its subclasses tell more than we need.
    damaged = type(error).__name__ == "DatabaseError"  # not a subclass: the file itself is no database
    if not lost and not damaged and "OperationalError" not in {base.__name__ for base in type(error).__mro__}:
        return None
    lines = str(error).strip().splitlines()
    return DatabaseUnavailableError(
        f"the database does not answer: {lines[0] if lines else 'no reason given'}",
        hint="check disk space, the file's permissions or the server; what was begun has been rolled back",
    )


def _normalised(url: URL) -> URL:
    """Use psycopg 3 for PostgreSQL whatever driver the URL leaves open."""
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _refuse_dead(connection: Any, _record: Any, _proxy: Any) -> None:
    """Have the pool replace a connection that the server has closed.

    An idle connection has nothing to read; where there is something, it is the server's goodbye. Looking
    costs no exchange with the server, a ping at every checkout would.
    """
    if connection.closed or select.select([connection.fileno()], [], [], 0)[0]:
        raise DisconnectionError


def _create(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        remote = create_engine(url, pool_size=10, max_overflow=20)
        event.listen(remote, "checkout", _refuse_dead)
        return remote
    engine = create_engine(url, pool_size=8, max_overflow=24, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself: BEGIN IMMEDIATE below is the only beginning.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        # A checkpoint costs two more syncs; a log of 16 MB makes them four times rarer.
        cursor.execute("PRAGMA wal_autocheckpoint = 4000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer that begins as a reader and upgrades later can meet SQLITE_BUSY that no waiting cures.
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        driver: Any = connection.connection.driver_connection
        driver.execute("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
