"""What a command loads. Start-up time is never tested by the clock, but by what must not be there."""

import subprocess
import sys

import pytest
from alembic.script import ScriptDirectory

from engine.store.schema import _config, newest_revisions

SAY = """
import atexit, sys
atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr))
from cli.main import run
run()
"""
HEAVY = {
    "alembic",
    "babel",
    "jinja2",
    "jsonschema",
    "lxml",
    "procrastinate",
    "psycopg",
    "SpiffWorkflow",
    "sqlalchemy.dialects.postgresql",
    "typst",
}


def loaded(*arguments):
    done = subprocess.run(
        [sys.executable, "-c", SAY, *map(str, arguments)], capture_output=True, text=True, check=True
    )
    return set(done.stderr.splitlines()[-1].split())


def test_help_loads_no_database():
    assert loaded("--help") & (HEAVY | {"sqlalchemy", "pydantic_settings"}) == set()


def test_the_inbox_loads_neither_runtime_nor_forms_nor_letters(sb, home):
    sb("case", "start", "vollstreckungshilfe")
    found = loaded("--home", home, "--as", "admin", "task", "list")
    assert {"sqlalchemy", "sqlalchemy.dialects.sqlite"} <= found
    assert found & HEAVY == set()


def test_an_inbox_without_deadlines_reads_no_rules(home):
    found = loaded("--home", home, "--as", "admin", "task", "list")
    assert "engine.deadlines.lights" in found
    assert found & {"engine.deadlines.rules_reading", "yaml"} == set()


def test_the_newest_revisions_are_those_that_alembic_sees():
    assert newest_revisions() == set(ScriptDirectory.from_config(_config("sqlite://")).get_heads())


@pytest.mark.parametrize("version", ["none", "0001"])
def test_a_database_of_another_schema_is_refused(sb, home, version):
    import sqlite3

    with sqlite3.connect(home / "dienstweg.db") as connection:
        if version == "none":
            connection.execute("DROP TABLE alembic_version")
        else:
            connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    connection.close()
    refused = sb("task", "list")
    assert refused.status == 6
    assert f"the database has schema {version}" in refused.err
    assert "dienstweg db upgrade" in refused.err
