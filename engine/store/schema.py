"""Bringing a database to the schema this program needs, through Alembic."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from engine.store.database import Database
from engine.store.errors import SchemaOutdatedError


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", "engine.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = make_url(url)
    return config


def upgrade_schema(url: str) -> None:
    """Bring the database at ``url`` to the newest schema; creates it where it is empty."""
    command.upgrade(_config(url), "heads")
    if make_url(url).get_backend_name() != "sqlite":
        from engine.store.procrastinate import upgrade_procrastinate

        upgrade_procrastinate(url)


def check_schema(database: Database) -> None:
    """Raise SchemaOutdatedError unless the database has exactly the schema this program needs."""
    wanted = set(ScriptDirectory.from_config(_config(str(database.url))).get_heads())
    with database.read() as connection:
        found = set(MigrationContext.configure(connection).get_current_heads())
    if found != wanted:
        raise SchemaOutdatedError(
            f"the database has schema {', '.join(sorted(found)) or 'none'}, "
            f"this program needs {', '.join(sorted(wanted))}",
            hint="run 'dienstweg db upgrade' after a backup",
        )
