"""A step's commit writes fewer pages: the chain in history's rows, jobs in their key's order, fewer index entries"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEY = ("case_id", "sequence", "authority_id", "kind")
_LINK = ("commitment", "previous", "hash")
_CONTENT = ("at", "actor", "command", "steps", "salt")
_OPEN = sa.text("status = 'open'")
_CLAIMED = sa.text("claimed_by IS NOT NULL")
_INBOX: list[Any] = [sa.text("(due_at IS NULL)"), "due_at", "opened_at", "id"]


def upgrade() -> None:
    """Apply."""
    _join_story()
    _rebuild_jobs(with_rowid=False)
    _drop_indexes()
    _index_partners(sa.text("partner_reference IS NOT NULL"))
    op.create_index(
        "ix_tasks_inbox",
        "tasks",
        ["authority_id", *_INBOX],
        unique=False,
        sqlite_where=_OPEN,
        postgresql_where=_OPEN,
    )
    op.create_index(
        "ix_tasks_claimed",
        "tasks",
        ["authority_id", "claimed_by", "status"],
        unique=False,
        sqlite_where=_CLAIMED,
        postgresql_where=_CLAIMED,
    )


def downgrade() -> None:
    """Take back."""
    _drop_indexes()
    _index_partners(None)
    op.create_index("ix_tasks_claimed", "tasks", ["authority_id", "claimed_by", "status"], unique=False)
    op.create_index("ix_tasks_inbox", "tasks", ["authority_id", "status", *_INBOX], unique=False)
    _rebuild_jobs(with_rowid=True)
    _split_story()


def _drop_indexes() -> None:
    for name in ("ix_tasks_inbox", "ix_tasks_claimed"):
        op.drop_index(name, table_name="tasks")


def _index_partners(where: Any) -> None:
    name, columns = op.f("ix_cases_authority_id_partner_reference"), ["authority_id", "partner_reference"]
    op.drop_index(name, table_name="cases")
    op.create_index(name, "cases", columns, unique=False, sqlite_where=where, postgresql_where=where)


def _rebuild_jobs(*, with_rowid: bool) -> None:
    """Copy the table into a new one; PostgreSQL knows no such difference."""
    if op.get_bind().dialect.name == "sqlite":
        kept = {"sqlite_with_rowid": with_rowid}
        with op.batch_alter_table("jobs", recreate="always", table_kwargs=kept):
            pass


def _join_story() -> None:
    for name in _LINK:
        op.add_column("history", sa.Column(name, sa.String(length=64), nullable=True))
    history, chain = _light("history"), _light("chain")
    same = sa.and_(chain.c.case_id == history.c.case_id, chain.c.sequence == history.c.sequence)
    op.execute(sa.update(history).values({name: chain.c[name] for name in _LINK}).where(same))
    op.drop_table("chain")
    with op.batch_alter_table("history") as batch:
        for name in _LINK:
            batch.alter_column(name, nullable=False)
        for name in _CONTENT:
            batch.alter_column(name, nullable=True)


def _split_story() -> None:
    """Give the chain its table back. Rows whose content was emptied cannot be told by the older shape."""
    op.create_table(
        "chain",
        sa.Column("case_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("authority_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        *(sa.Column(name, sa.String(length=64), nullable=False) for name in _LINK),
        sa.PrimaryKeyConstraint("case_id", "sequence", name=op.f("pk_chain")),
    )
    history, chain = _light("history"), _light("chain")
    names = [*_KEY, *_LINK]
    op.execute(sa.insert(chain).from_select(names, sa.select(*(history.c[name] for name in names))))
    op.execute(sa.delete(history).where(sa.or_(*(history.c[name].is_(None) for name in _CONTENT))))
    with op.batch_alter_table("history") as batch:
        for name in _CONTENT:
            batch.alter_column(name, nullable=False)
        for name in _LINK:
            batch.drop_column(name)


def _light(name: str) -> Any:
    return sa.table(name, *(sa.column(column) for column in (*_KEY, *_LINK, *_CONTENT)))
