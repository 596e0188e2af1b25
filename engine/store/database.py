"""One database, reached through transactions only. Nothing here commits by itself."""

import select
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, NamedTuple, NoReturn

from sqlalchemy import Connection, Table, create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from engine.errors import DienstwegError
from engine.store import pipeline
from engine.store.errors import CaseChangedError, DatabaseUnavailableError, DatabaseUrlError

BUSY_TIMEOUT_MS = 60_000
_CROSSED = ("40001", "40P01")
"""PostgreSQL's codes for transactions that stood in each other's way: one of them has to be repeated."""

_GONE = ("08", "57")
"""Classes of PostgreSQL's codes that come with the end of a connection."""


class _Begin(NamedTuple):
    """How a database begins to write, and to read."""

    write: str
    read: str


_BEGIN = {
    # A writer that begins as a reader and upgrades later can meet SQLITE_BUSY that no waiting cures.
    "sqlite": _Begin("BEGIN IMMEDIATE", "BEGIN"),
    # One picture of everything: SQLite's readers have it anyway.
    "postgresql": _Begin("BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
}


class Database:
    """SQLite (WAL, synchronous FULL) or PostgreSQL, chosen by URL."""

    def __init__(self, url: str | URL) -> None:
        """Prepare the engine for ``url``; nothing is connected yet. Raises DatabaseUrlError."""
        self.url = _understood(url)
        self.engine: Engine = _create(self.url)
        self._begin = _BEGIN["sqlite" if self.is_sqlite else "postgresql"]
        self._idle: deque[Connection] = deque()

    @property
    def is_sqlite(self) -> bool:
        """Tell whether this is the embedded database."""
        return self.url.get_backend_name() == "sqlite"

    def write(self) -> AbstractContextManager[Connection]:
        """Open a writing transaction; it commits when the block ends well and rolls back otherwise.

        Only ``engine.service`` and the dispatchers call this (DESIGN, rule 2).
        """
        return self._work(self._begin.write)

    def read(self) -> AbstractContextManager[Connection]:
        """Open a reading transaction: one consistent picture, no lock that keeps a writer waiting."""
        return self._work(self._begin.read)

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """Open a connection without a transaction around it: for locks that outlive transactions."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except (DBAPIError, self._driver.Error) as error:
            _raise_explained(error)

    def close(self) -> None:
        """Close every connection that is kept open."""
        while self._idle:
            self._idle.pop().close()
        self.engine.dispose()

    @contextmanager
    def _work(self, begin: str) -> Iterator[Connection]:
        ending = False
        try:
            connection = self._take()
            kept = True
            try:
                with _transaction(connection, begin):
                    yield connection
                    ending = not self.is_sqlite and begin == self._begin.write
            except (DBAPIError, self._driver.Error):
                kept = False  # whatever the database complained of, a fresh connection knows nothing of it
                _drop(connection)
                raise
            finally:
                if kept:
                    self._idle.append(connection)
        except (DBAPIError, self._driver.Error) as error:
            _raise_explained(error, ending=ending)

    def _take(self) -> Connection:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if self.is_sqlite or _lives(connection):
                return connection
            _drop(connection)
        return self.engine.connect()

    @property
    def _driver(self) -> Any:
        return self.engine.dialect.dbapi


@contextmanager
def _transaction(connection: Connection, begin: str) -> Iterator[None]:
    """Begin, and commit in one exchange with whatever has not been sent yet; else roll back.

    Both databases run in the driver's autocommit mode, so that the only beginning is this one.
    """
    with connection.begin():
        pipeline.execute(connection, begin)
        try:
            yield
            pipeline.commit(connection)
        except BaseException:
            # Also where only the commit brings a statement's fault to light: the rollback needs a calm line.
            pipeline.abandon(connection)
            raise


def _drop(connection: Connection) -> None:
    with suppress(DBAPIError):
        connection.invalidate()
    connection.close()


def _lives(connection: Connection) -> bool:
    """Tell whether the server has kept a connection.

    An idle connection has nothing to read; where there is something, it is the server's goodbye. Looking
    costs no exchange with the server, a ping would.
    """
    driver: Any = connection.connection.dbapi_connection
    if driver.closed:
        return False
    looker = select.poll()  # select() takes no descriptor above 1,023
    looker.register(driver.fileno(), select.POLLIN)
    return not looker.poll(0)


def upsert(where: Connection | str, table: Table) -> Any:
    """Return an INSERT that knows ON CONFLICT, in the dialect of a connection or of that name."""
    name = where if isinstance(where, str) else where.dialect.name
    # A dialect is loaded when it is used: PostgreSQL's brings its asynchronous drivers along.
    if name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def _raise_explained(error: Exception, *, ending: bool = False) -> NoReturn:
    """Raise the driver's complaint as one line with a way out, or as it is where it tells of a fault of ours.

    Prepared statements raise it as the driver does, others wrapped by SQLAlchemy. ``ending`` says that the
    commit was on its way to a server: where its answer is lost, nobody knows what it came to.
    """
    if isinstance(error, DBAPIError):
        explained = _explained(error.orig, lost=error.connection_invalidated, ending=ending)
    else:
        explained = _explained(error, lost=False, ending=ending)
    if explained is None:
        raise error
    raise explained from error


def _explained(error: BaseException | None, *, lost: bool, ending: bool) -> DienstwegError | None:
    """Turn the driver's complaint into one line with a way out; None where it tells of a fault of ours."""
    code = getattr(error, "sqlstate", None)
    if code in _CROSSED or _same_sequence(error):
        return CaseChangedError(
            "somebody else worked on the same thing at the same instant", hint="repeat what you did"
        )
    # Both drivers name the class after the Python database API; its subclasses tell more than we need.
    damaged = type(error).__name__ == "DatabaseError"  # not a subclass: the file itself is no database
    if not lost and not damaged and "OperationalError" not in {base.__name__ for base in type(error).__mro__}:
        return None
    lines = str(error).strip().splitlines()
    message = f"the database does not answer: {lines[0] if lines else 'no reason given'}"
    if ending and (code is None or code.startswith(_GONE)):
        hint = (
            "check the server; the answer to the last step was lost: look whether it was stored, then repeat"
        )
        return DatabaseUnavailableError(message, hint=hint)
    return DatabaseUnavailableError(
        message,
        hint="check disk space, the file's permissions or the server; what was begun has been rolled back",
    )


def _same_sequence(error: BaseException | None) -> bool:
    """Tell whether two wrote the same entry of a case's story: the second has read a case that moved on."""
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    return constraint == "pk_history" or str(error).startswith("UNIQUE constraint failed: history.")


def _understood(url: str | URL) -> URL:
    """Return the URL with the driver used here, psycopg 3 for PostgreSQL; raise DatabaseUrlError.

    What was written is not repeated in the message: a password may stand in it.
    """
    try:
        read = make_url(url)
    except (ArgumentError, ValueError):
        raise _refused("this is not the URL of a database") from None
    if read.drivername in ("postgresql", "postgres", "postgresql+psycopg"):
        return read.set(drivername="postgresql+psycopg")
    if read.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise _refused(f"Dienstweg does not work with {read.drivername!r}")
    if read.database in (None, "", ":memory:"):
        raise _refused("the URL names no file")
    return read


def _refused(message: str) -> DatabaseUrlError:
    return DatabaseUrlError(
        message, hint="write sqlite:////folder/dienstweg.db or postgresql://user@host/database"
    )


def _create(url: URL) -> Engine:
    # Open connections are kept by Database: SQLAlchemy's pool costs a tenth of a step.
    if url.get_backend_name() != "sqlite":
        remote = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        event.listen(remote, "before_cursor_execute", pipeline.leave_before)
        return remote
    engine = create_engine(url, poolclass=NullPool, connect_args={"check_same_thread": False})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver must not open transactions by itself.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA cache_size = -16000")
        # A checkpoint costs two more syncs; a log of 16 MB makes them four times rarer.
        cursor.execute("PRAGMA wal_autocheckpoint = 4000")
        cursor.close()

    return engine
