"""One database, reached through transactions only. Nothing here commits by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import DBAPIError, OperationalError

from engine.store.errors import DatabaseUnavailableError

BUSY_TIMEOUT_MS = 60_000
_READ_ONLY = "dienstweg_read_only"


class Database:
    """SQLite (WAL, synchronous FULL) or PostgreSQL, chosen by URL."""

    def __init__(self, url: str | URL) -> None:
        """Prepare the engine for ``url``; nothing is connected yet."""
        self.url = _normalised(make_url(url))
        self.engine: Engine = _create(self.url)

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
            reading = connection.execution_options(**{_READ_ONLY: True})
            with reading.begin():
                yield reading

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except OperationalError as error:
            raise _explained(error) from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise _explained(error) from error
            raise


def upsert(connection: Connection, table: Table) -> Any:
    """Return an INSERT of the connection's dialect that knows ON CONFLICT."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _explained(error: DBAPIError) -> DatabaseUnavailableError:
    """Turn the driver's complaint into one line with a way out."""
    lines = str(error.orig).strip().splitlines()
    return DatabaseUnavailableError(
        f"the database does not answer: {lines[0] if lines else 'no reason given'}",
        hint="check disk space, the file's permissions or the server; what was begun has been rolled back",
    )


def _normalised(url: URL) -> URL:
    """Use psycopg 3 for PostgreSQL whatever driver the URL leaves open."""
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    return url


def _create(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20)
    engine = create_engine(url, pool_size=8, max_overflow=24, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself: BEGIN IMMEDIATE below is the only beginning.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer that begins as a reader and upgrades later can meet SQLITE_BUSY that no waiting cures.
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
