"""The installation's audit: what admins and clerks did that no case's history tells."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert

from engine.store.tables import audit

if TYPE_CHECKING:
    from engine.service.installation import Installation


def write_down(
    app: "Installation", tx: Connection, authority_id: str, by: str, action: str, details: Mapping[str, Any]
) -> None:
    """Write who did what for the authority, now; commits with ``tx``."""
    tx.execute(
        insert(audit).values(
            id=str(app.ids.new()),
            authority_id=authority_id,
            at=app.clock.now(),
            actor=by,
            action=action,
            details=dict(details),
        )
    )
