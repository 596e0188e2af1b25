"""Procrastinate's own tables on PostgreSQL: made and upgraded together with ours."""

from importlib import resources

from sqlalchemy import Connection, insert, text, update

from engine.store.database import Database
from engine.store.locks import lock_name
from engine.store.schema import UPGRADING
from engine.store.tables import installation

_NAME = "procrastinate_schema"


def upgrade_procrastinate(url: str) -> None:
    """Bring Procrastinate's tables to the installed version; does nothing on SQLite."""
    database = Database(url)
    try:
        if not database.is_sqlite:
            with database.write() as tx:
                lock_name(tx, UPGRADING)
                _upgrade(tx)
    finally:
        database.close()


def _upgrade(tx: Connection) -> None:
    scripts = resources.files("procrastinate.sql")
    migrations = {
        item.name: item
        for item in (scripts / "migrations").iterdir()
        if item.name.endswith(".sql") and not item.name.startswith("delta")
    }
    newest = max(migrations)
    applied = tx.scalar(text("SELECT value FROM installation WHERE name = :name"), {"name": _NAME})
    if applied is None:
        _run(tx, (scripts / "schema.sql").read_text(encoding="utf-8"))
        tx.execute(insert(installation).values(name=_NAME, value=newest))
        return
    for name in sorted(migrations):
        if name > applied:
            _run(tx, migrations[name].read_text(encoding="utf-8"))
    tx.execute(update(installation).where(installation.c.name == _NAME).values(value=newest))


def _run(tx: Connection, script: str) -> None:
    """Run a script of several statements as it is: percent signs in it are no parameters."""
    driver = tx.connection.driver_connection
    if driver is None:
        raise RuntimeError("the connection was closed")
    driver.execute(script)
