"""The shared metadata and the columns that recur."""

from typing import Any

from sqlalchemy import Column, MetaData, String

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
