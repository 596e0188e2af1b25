"""Content of the document store that nothing refers to: left by what was rolled back or cut off."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from engine.store.tables import metadata

if TYPE_CHECKING:
    from engine.service.installation import Installation

GRACE = timedelta(days=1)
"""Content is stored before the rows that refer to it are committed: what is younger may still be wanted."""


def collect_orphans(app: "Installation", *, remove: bool, now: datetime | None = None) -> list[str]:
    """Return the digests of content that no row refers to, older than a day; with ``remove`` delete it.

    ``now`` is the document store's time, not the installation's, whose clock may be turned.
    """
    before = (now or datetime.now(UTC)) - GRACE
    found = [sha256 for sha256 in app.documents.digests() if app.documents.stored_at(sha256) < before]
    referred: set[str] = set()
    with app.read() as tx:
        for table in metadata.sorted_tables:
            if "sha256" in table.c:
                referred.update(tx.scalars(select(table.c.sha256).distinct()))
    orphans = sorted(set(found) - referred)
    for sha256 in orphans:
        # Storing the same content again renews its date: then it is no orphan any more.
        if remove and app.documents.stored_at(sha256) < before:
            app.documents.delete(sha256)
    return orphans
