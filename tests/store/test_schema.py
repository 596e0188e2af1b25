"""Migrations lead to the tables the code speaks of, keep what there was, and refuse what they do not know."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, insert, select, text

from engine.exchange.chain import GENESIS, commit_to, next_link
from engine.store.database import Database
from engine.store.errors import SchemaNewerError, SchemaOutdatedError
from engine.store.schema import _config, check_schema, upgrade_schema
from engine.store.tables import metadata
from tests.postgres import Postgres

_SQLITE_INDEXES = text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
_SQLITE_COLUMNS = text(
    'SELECT t.name, t.wr, c.name, c."notnull", c.pk FROM pragma_table_list t, pragma_table_info(t.name) c '
    "WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite_%' AND t.name != 'alembic_version'"
)
_POSTGRES_INDEXES = text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'")
_POSTGRES_COLUMNS = text(
    "SELECT table_name, column_name, data_type, is_nullable, character_maximum_length "
    "FROM information_schema.columns WHERE table_schema = 'public' AND table_name != 'alembic_version'"
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Return what makes an empty database and returns its URL."""
    if request.param == "sqlite":
        return lambda name: f"sqlite:///{tmp_path}/{name}.db"
    server: Postgres = request.getfixturevalue("postgres")
    return lambda name: server.empty(f"{name}_{tmp_path.name[-12:].replace('-', '_')}")


def _drawn(connection: Connection) -> tuple[set[Any], set[Any]]:
    if connection.dialect.name == "sqlite":
        indexes, columns = _SQLITE_INDEXES, _SQLITE_COLUMNS
    else:
        indexes, columns = _POSTGRES_INDEXES, _POSTGRES_COLUMNS

    def found(query: Any) -> set[Any]:
        return {
            tuple(" ".join(one.split()) if isinstance(one, str) else one for one in row)
            for row in connection.execute(query)
            if "procrastinate" not in row[0] and "alembic" not in row[0]
        }

    return found(indexes), found(columns)


def test_migrations_lead_to_the_tables_of_the_code(empty: Callable[[str], str]) -> None:
    migrated, made = Database(empty("migrated")), Database(empty("made"))
    try:
        command.upgrade(_config(str(migrated.url.render_as_string(hide_password=False))), "heads")
        with made.write() as tx:
            metadata.create_all(tx)
        with migrated.read() as one, made.read() as other:
            ours, wanted = _drawn(one), _drawn(other)
        assert ours[0] == wanted[0]
        assert ours[1] == wanted[1]
        assert len(ours[1]) > 300
    finally:
        migrated.close()
        made.close()


def test_the_chain_moves_into_history_and_back(empty: Callable[[str], str]) -> None:
    database = Database(empty("story"))
    url = database.url.render_as_string(hide_password=False)
    salt, subject = "00" * 16, {"case": "c"}
    commitment = commit_to(salt, subject)
    link = next_link(GENESIS, 1, "advance", commitment)
    row = ("c", 1, "10041100", "advance")
    try:
        command.upgrade(_config(url), "0011")
        with database.write() as tx:
            tx.execute(
                text(
                    "INSERT INTO history "
                    "(case_id, sequence, authority_id, kind, at, actor, command, steps, salt) VALUES "
                    "('c', 1, '10041100', 'advance', '2026-03-02 11:00:00+00', 'clerk', '{}', '[]', :salt)"
                ),
                {"salt": salt},
            )
            tx.execute(
                text(
                    "INSERT INTO chain (case_id, sequence, authority_id, kind, commitment, previous, hash) "
                    "VALUES ('c', 1, '10041100', 'advance', :commitment, :previous, :hash)"
                ),
                {"commitment": commitment, "previous": GENESIS, "hash": link.hash},
            )
            before = tx.execute(text("SELECT * FROM chain")).all()
        command.upgrade(_config(url), "heads")
        query = text(
            "SELECT case_id, sequence, authority_id, kind, commitment, previous, hash, salt, actor "
            "FROM history"
        )
        with database.read() as tx:
            assert tx.execute(query).all() == [(*row, commitment, GENESIS, link.hash, salt, "clerk")]
        command.downgrade(_config(url), "0011")
        with database.read() as tx:
            assert tx.execute(text("SELECT * FROM chain")).all() == before
    finally:
        database.close()


def test_an_older_program_says_that_the_database_is_newer(empty: Callable[[str], str]) -> None:
    url = empty("newer")
    upgrade_schema(url)
    database = Database(url)
    try:
        check_schema(database)
        with database.write() as tx:
            tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(SchemaNewerError, match="schema 9999"):
            check_schema(database)
        with pytest.raises(SchemaNewerError, match="later"):
            upgrade_schema(url)
        with database.write() as tx:
            tx.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        with pytest.raises(SchemaOutdatedError, match="schema 0001"):
            check_schema(database)
    finally:
        database.close()


def test_hosts_that_are_updated_together_wait_for_each_other(empty: Callable[[str], str]) -> None:
    url = empty("together")
    upgrade = f"from engine.store.schema import upgrade_schema; upgrade_schema({url!r})"
    root = Path(__file__).parents[2]
    hosts = [
        subprocess.Popen([sys.executable, "-c", upgrade], cwd=root, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert [host.communicate()[1] for host in hosts] == [""] * 3
    database = Database(url)
    check_schema(database)
    database.close()


@pytest.mark.parametrize("claimed", [False, True])
def test_the_inbox_reads_an_index_of_open_tasks_only(empty: Callable[[str], str], claimed: bool) -> None:
    """What ``engine.service.inbox`` asks, as it asks it; the plan names the partial index."""
    from engine.store.tables import TASK_IS_OPEN, tasks

    database = Database(empty("plan"))
    mine = tasks.c.authority_id == "10041100"
    query = select(tasks.c.id).where(mine, TASK_IS_OPEN)
    query = query.where(tasks.c.claimed_by == "clerk") if claimed else query
    query = query.order_by(tasks.c.due_at.is_(None), tasks.c.due_at, tasks.c.opened_at, tasks.c.id).limit(50)
    try:
        with database.write() as tx:
            metadata.create_all(tx)
            tx.execute(insert(tasks), [_task(number) for number in range(3_000)])
            tx.execute(text("ANALYZE"))
            plan = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
            words = query.compile(tx, compile_kwargs={"literal_binds": True})
            told = " ".join(str(row) for row in tx.execute(text(f"{plan} {words}")))
        assert ("ix_tasks_claimed" if claimed else "ix_tasks_inbox") in told
    finally:
        database.close()


def _task(number: int) -> dict[str, Any]:
    from datetime import UTC, datetime

    opened = datetime(2026, 3, 2, 11, number % 60, tzinfo=UTC)
    names = ("case_id", "kind", "element_id", "instance", "name", "status")
    row: dict[str, Any] = dict(zip(names, ("c", "form", "ask", "", "Ask", "open"), strict=True))
    claimed = "clerk" if number % 500 == 0 else None
    return {**row, "id": f"t{number}", "authority_id": "10041100", "opened_at": opened, "claimed_by": claimed}
