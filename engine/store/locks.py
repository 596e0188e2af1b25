"""Locks on things that have no row yet. They end with the transaction.

SQLite has one writer at a time: nothing is to be done there.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, bindparam, func, select, text

from engine.store.database import Database
from engine.store.prepared import Prepared

_EXCLUSIVE = Prepared(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name"), 0))))
_SHARED = Prepared(select(func.pg_advisory_xact_lock_shared(func.hashtextextended(bindparam("name"), 0))))


def lock_name(tx: Connection, name: str) -> None:
    """Wait until nobody else holds ``name``, and hold it."""
    if tx.dialect.name != "sqlite":
        _EXCLUSIVE.run(tx, name=name)


def share_name(tx: Connection, name: str) -> None:
    """Wait until nobody holds ``name`` alone, and hold it together with others."""
    if tx.dialect.name != "sqlite":
        _SHARED.run(tx, name=name)


@contextmanager
def only_one(database: Database, name: str) -> Iterator[bool]:
    """Tell whether this process alone, of all that share the database, may do ``name`` now.

    The right ends with the block, and with the process if it dies: nothing has to be cleaned up.
    """
    if database.is_sqlite:
        with Path(f"{database.url.database}.{name}.lock").open("a", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        return
    key = {"name": name}
    with database.session() as connection:
        got = connection.scalar(text("SELECT pg_try_advisory_lock(hashtextextended(:name, 1))"), key)
        try:
            yield bool(got)
        finally:
            if got and not connection.invalidated:
                connection.execute(text("SELECT pg_advisory_unlock(hashtextextended(:name, 1))"), key)
