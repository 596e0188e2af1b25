"""What the operator of the trial intermediary can look at: envelopes, never content."""

from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from adapters.ego_mail.intermediary.tables import delivery, mailbox, open_database
from engine.errors import NotFoundError


class NoIntermediaryError(NotFoundError):
    """There is no intermediary's database in this folder."""


def list_mailboxes(home: Path) -> list[dict[str, Any]]:
    """Return name, fingerprint, opening time and counts of every mailbox; raise NoIntermediaryError."""
    path = home / "intermediary.sqlite3"
    if not path.exists():
        raise NoIntermediaryError(where=str(home), hint="start it once: dienstweg intermediary serve")
    engine = open_database(path)
    query = (
        select(
            mailbox.c.name,
            mailbox.c.fingerprint,
            mailbox.c.opened,
            func.count(delivery.c.number).label("total"),
            func.count(delivery.c.number).filter(delivery.c.reception.is_(None)).label("waiting"),
        )
        .outerjoin(delivery, delivery.c.addressee == mailbox.c.fingerprint)
        .group_by(mailbox.c.fingerprint)
        .order_by(mailbox.c.name)
    )
    try:
        with engine.begin() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]
    finally:
        engine.dispose()
