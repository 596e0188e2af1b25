"""Moving everything from one database to another, whatever kind either is, and proving that it arrived."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text

from engine.errors import ConflictError, NotFoundError, RefusedError
from engine.identifiers import IdSource, RandomIds
from engine.store.database import Database
from engine.store.schema import check_schema, upgrade_schema
from engine.store.tables import installation, jobs, metadata

BATCH = 1000
_MODULUS = 1 << 256
_UNFINISHED = text(
    "SELECT id, task_name, args, scheduled_at, attempts FROM procrastinate_jobs "
    "WHERE status IN ('todo', 'doing') AND args->>'done' IS NULL ORDER BY id"
)
_PREFIX = "dienstweg."

Progress = Callable[[str, int, int], None]
"""Told of a table, how many of its rows are copied, and how many there are."""


class TargetNotEmptyError(ConflictError):
    """There is something in the target database already."""


class SourceMissingError(NotFoundError):
    """There is no database file to copy."""


class CopyDiffersError(RefusedError):
    """What arrived is not what was sent."""


@dataclass(frozen=True, slots=True)
class Copied:
    """One table of a copy."""

    table: str
    rows: int
    digest: str
    """Hex; of all rows, whatever order a database gives them in."""


def copy_database(
    source_url: str, target_url: str, progress: Progress, ids: IdSource | None = None
) -> list[Copied]:
    """Copy every row into the empty database at ``target_url`` and compare counts and hashes.

    All or nothing: the target commits when everything has arrived and is the same. Work that waits in
    Procrastinate goes to the job table, which workers on every database look into. Nobody may work on the
    source meanwhile, or what they do then is missing.

    Raises SourceMissingError, SchemaOutdatedError, SchemaNewerError, TargetNotEmptyError, CopyDiffersError,
    DatabaseUrlError, DatabaseUnavailableError.
    """
    source, target = Database(source_url), Database(target_url)
    try:
        _refuse_missing(source)
        check_schema(source)
        upgrade_schema(target_url)
        with source.read() as reading, target.write() as writing:
            _refuse_filled(writing)
            copied = [_copy(table, reading, writing, progress) for table in metadata.sorted_tables]
            if not source.is_sqlite:
                copied.append(_move_jobs(reading, writing, ids or RandomIds()))
        return copied
    finally:
        source.close()
        target.close()


def _refuse_missing(source: Database) -> None:
    """Refuse a mistyped file before SQLite makes an empty one of that name."""
    file = source.url.database
    if source.is_sqlite and file is not None and not Path(file).is_file():
        raise SourceMissingError(
            f"there is no file {file}", hint="look at the source's path; four slashes begin an absolute one"
        )


def _refuse_filled(target: Connection) -> None:
    for table in metadata.sorted_tables:
        query = select(table)
        if table is installation:
            query = query.where(~table.c.name.like("procrastinate%"))
        if target.execute(query.limit(1)).first() is not None:
            raise TargetNotEmptyError(
                f"the target's table {table.name} is not empty", hint="copy into a new, empty database"
            )


def _copy(table: Table, source: Connection, target: Connection, progress: Progress) -> Copied:
    total = source.scalar(select(func.count()).select_from(table)) or 0
    count, digest = 0, 0
    for batch in _batches(table, source):
        target.execute(insert(table), batch)
        count += len(batch)
        digest = (digest + sum(map(_digest, batch))) % _MODULUS
        progress(table.name, count, total)
    arrived, found = 0, 0
    for batch in _batches(table, target):
        arrived += len(batch)
        found = (found + sum(map(_digest, batch))) % _MODULUS
    if (arrived, found) != (count, digest):
        raise CopyDiffersError(
            f"table {table.name}: {count} rows were sent, {arrived} arrived, or some differ",
            hint="nothing was kept in the target; say which table when you report this",
        )
    return Copied(table.name, count, f"{digest:064x}")


def _batches(table: Table, connection: Connection) -> Iterator[list[dict[str, Any]]]:
    query = select(table)
    if table is installation:
        # Says which version Procrastinate's tables have; every database tells it of itself.
        query = query.where(~table.c.name.like("procrastinate%"))
    result = connection.execute(query, execution_options={"yield_per": BATCH})
    for rows in result.mappings().partitions(BATCH):
        yield [dict(row) for row in rows]


def _digest(row: dict[str, Any]) -> int:
    written = json.dumps(row, sort_keys=True, default=_plain, ensure_ascii=True)
    return int.from_bytes(hashlib.sha256(written.encode()).digest())


def _plain(value: Any) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return bytes(value).hex()


def _move_jobs(source: Connection, target: Connection, ids: IdSource) -> Copied:
    """Bring work that waits in Procrastinate to the target's job table.

    It gets new ids: Procrastinate counts from one in every database, and what an earlier copy brought may
    wait still.
    """
    rows = [
        {
            "id": str(ids.new()),
            "authority_id": row.args["authority"],
            "kind": row.task_name.removeprefix(_PREFIX),
            "key": None,
            "arguments": json.loads(row.args["arguments"]),
            "due_at": row.scheduled_at or datetime(2000, 1, 1, tzinfo=UTC),
            "attempts": row.attempts,
        }
        for row in source.execute(_UNFINISHED)
    ]
    if rows:
        target.execute(insert(jobs), rows)
    return Copied("procrastinate_jobs", len(rows), f"{sum(map(_digest, rows)) % _MODULUS:064x}")
