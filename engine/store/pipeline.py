"""PostgreSQL's pipeline mode: statements leave without waiting for the answers of those before them.

A wait for the server costs more than most statements, above all where client and server wake each other.
Prepared statements (``engine.store.prepared``) enter the mode and wait only where somebody reads an answer;
the commit travels with what is left. SQLAlchemy's own statements cannot live in it and leave it first.

A statement's fault therefore comes up at the next answer that is read, at the latest with the commit, which
the server then refuses as well. SQLite has no such mode: there everything happens at once.
"""

from contextlib import suppress
from typing import Any

from sqlalchemy import Connection

_ENTERED = "dienstweg.pipeline"
_WRITER = "dienstweg.writer"
_OFF = 0  # libpq's PQ_PIPELINE_OFF


def driver_of(tx: Connection) -> Any:
    """Return the driver's connection; on PostgreSQL in pipeline mode."""
    driver: Any = tx.connection.dbapi_connection
    if tx.dialect.name != "sqlite" and driver.pgconn.pipeline_status == _OFF:
        entered = driver.pipeline()
        entered.__enter__()
        tx.info[_ENTERED] = entered
        tx.info[_WRITER] = driver.cursor()
    return driver


def execute(tx: Connection, sql: str, parameters: Any = None) -> None:
    """Send a statement whose answer nobody reads; all of them share one cursor."""
    driver = driver_of(tx)
    if tx.dialect.name == "sqlite":
        driver.execute(sql, parameters or ()).close()
    else:
        tx.info[_WRITER].execute(sql, parameters)


def commit(tx: Connection) -> None:
    """Send the commit behind what is on its way already, and wait once for everything."""
    if _ENTERED in tx.info:
        execute(tx, "COMMIT")
        leave(tx)


def leave(tx: Connection) -> None:
    """Wait for all answers and go back to one statement at a time; raises what a statement came to."""
    entered = tx.info.pop(_ENTERED, None)
    if entered is not None:
        entered.__exit__(None, None, None)


def leave_before(tx: Connection, *_statement: Any) -> None:
    """Leave the mode before a statement of SQLAlchemy's."""
    leave(tx)


def abandon(tx: Connection) -> None:
    """Leave the mode before a rollback; what the statements came to no longer matters."""
    if not tx.closed and not tx.invalidated:
        faults: Any = tx.dialect.loaded_dbapi.Error
        with suppress(faults):
            leave(tx)
