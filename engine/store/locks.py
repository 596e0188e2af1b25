"""Locks on things that have no row yet. They end with the transaction.

SQLite has one writer at a time: nothing is to be done there.
"""

from sqlalchemy import Connection, bindparam, func, select

from engine.store.prepared import Prepared

_EXCLUSIVE = Prepared(select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("name"), 0))))
_SHARED = Prepared(select(func.pg_advisory_xact_lock_shared(func.hashtextextended(bindparam("name"), 0))))


def lock_name(tx: Connection, name: str) -> None:
    """Wait until nobody else holds ``name``, and hold it."""
    if tx.dialect.name != "sqlite":
        _EXCLUSIVE.first(tx, name=name)


def share_name(tx: Connection, name: str) -> None:
    """Wait until nobody holds ``name`` alone, and hold it together with others."""
    if tx.dialect.name != "sqlite":
        _SHARED.first(tx, name=name)
