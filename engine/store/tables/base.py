"""The shared metadata and the columns that recur."""

from typing import Any

from sqlalchemy import Column, Connection, MetaData, String, event, text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def identifier(name: str = "id", **options: Any) -> Column[str]:
    """Return a column for a UUID in its text form or another short key."""
    options.setdefault("nullable", False)
    return Column(name, String(64), **options)


def owner() -> Column[str]:
    """Return the column every row outside directory and deployed content has: the owning authority."""
    return Column("authority_id", String(64), nullable=False)


WITHOUT_ROWID = {"without_rowid": True}
"""``info`` of a table whose rows lie in its primary key on SQLite."""


def only_where(condition: str) -> dict[str, str]:
    """Return the ``info`` of an index over the rows that meet ``condition``."""
    return {"where": condition}


@event.listens_for(metadata, "before_create")
def _tell_dialects(target: MetaData, connection: Connection, **_: Any) -> None:
    """Say in the dialects' own words what tables and indexes note in ``info``.

    Their keywords (``postgresql_where``) would load both dialects wherever a table is named, and PostgreSQL's
    brings its asynchronous drivers along; only who makes tables needs them.
    """
    for table in target.tables.values():
        if table.info.get("without_rowid"):
            table.dialect_options["sqlite"]["with_rowid"] = False
        for index in table.indexes:
            if "where" in index.info:
                for dialect in ("sqlite", "postgresql"):
                    index.dialect_options[dialect]["where"] = text(index.info["where"])
