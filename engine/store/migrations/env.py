"""Runs migrations on one connection, in one transaction where the database allows it."""

from alembic import context

from engine.store.database import Database
from engine.store.locks import lock_name
from engine.store.schema import UPGRADING
from engine.store.tables import metadata

database = Database(context.config.attributes["url"])
try:
    with database.write() as connection:
        lock_name(connection, UPGRADING)
        context.configure(
            connection=connection,
            target_metadata=metadata,
            user_module_prefix="",
            transaction_per_migration=False,
        )
        context.run_migrations()
finally:
    database.close()
