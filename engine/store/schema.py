"""Bringing a database to the schema this program needs, through Alembic."""

import re
from importlib import resources
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import make_url

from engine.store.database import Database
from engine.store.errors import SchemaNewerError, SchemaOutdatedError

if TYPE_CHECKING:
    from alembic.config import Config

UPGRADING = "dienstweg.schema"
"""The name that whoever changes the schema locks: hosts that are updated together wait for each other."""
_VERSIONS = "alembic_version"
_FOUND = text("SELECT version_num FROM alembic_version")
_REVISION = re.compile(r'^(revision|down_revision) = (?:"(\w+)"|None)$', re.MULTILINE)


def _config(url: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "engine.store:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = make_url(url)
    return config


def upgrade_schema(url: str) -> None:
    """Bring the database at ``url`` to the newest schema; creates it where it is empty.

    Raises SchemaNewerError where it is newer than this program.
    """
    from alembic import command

    database = Database(url)
    try:
        with database.read() as connection:
            _refuse_newer(_revisions_of(connection))
    finally:
        database.close()
    command.upgrade(_config(url), "heads")
    if make_url(url).get_backend_name() != "sqlite":
        from engine.store.procrastinate import upgrade_procrastinate

        upgrade_procrastinate(url)


def check_schema(database: Database) -> None:
    """Raise SchemaOutdatedError or SchemaNewerError unless the database's schema is the one needed here."""
    wanted = newest_revisions()
    with database.read() as connection:
        found = _revisions_of(connection)
    if found == wanted:
        return
    _refuse_newer(found)
    raise SchemaOutdatedError(
        f"the database has schema {', '.join(sorted(found)) or 'none'}, "
        f"this program needs {', '.join(sorted(wanted))}",
        hint="run 'dienstweg db upgrade' after a backup",
    )


def newest_revisions() -> frozenset[str]:
    """Return the revisions that no other follows.

    Every command asks for them, so they are read from the files' heads: loading Alembic takes longer than all
    that most commands do.
    """
    own, followed = _known_revisions()
    return frozenset(own - followed)


def _known_revisions() -> tuple[set[str], set[str]]:
    """Return all revisions, and those that another follows."""
    own: set[str] = set()
    followed: set[str] = set()
    for file in (resources.files("engine.store.migrations") / "versions").iterdir():
        if file.name.endswith(".py") and file.name != "__init__.py":
            for name, revision in _REVISION.findall(file.read_text(encoding="utf-8")):
                (own if name == "revision" else followed).add(revision)
    return own, followed


def _refuse_newer(found: frozenset[str]) -> None:
    if unknown := found - _known_revisions()[0]:
        raise SchemaNewerError(
            f"the database has schema {', '.join(sorted(unknown))}, which this program does not know yet",
            hint="use the version of Dienstweg that upgraded it, or a later one",
        )


def _revisions_of(connection: Connection) -> frozenset[str]:
    if not inspect(connection).has_table(_VERSIONS):
        return frozenset()
    return frozenset(connection.scalars(_FOUND))
