"""``migration history``: who put what in force, when, why, and what it did."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine.actor import Actor
from engine.service.migration.scope import senders
from engine.store.tables import rule_changes

if TYPE_CHECKING:
    from engine.service.installation import Installation

PAGE = 100


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One act on the rules of one sender."""

    act_id: str
    sender_id: str
    at: datetime
    by: str
    kind: str
    automatic: bool
    undoes: str | None
    scope: list[dict[str, str | None]]
    channel: str
    stage: str
    share: int
    effective: datetime
    reason: str
    effects: dict[str, Any]
    """How many rules, and per kind of thing how many change or stay, by reason."""
    figures: dict[str, Any] | None
    """What an automatic revert was decided by."""


_LINE = [
    rule_changes.c[{"sender_id": "authority_id"}.get(name, name)] for name in ChangeLine.__dataclass_fields__
]


def list_changes(app: "Installation", actor: Actor, *, limit: int = PAGE) -> list[ChangeLine]:
    """Return the acts on rules of the senders that the actor may see, newest first.

    Raises RoleMissingError.
    """
    with app.read() as tx:
        query = (
            select(*_LINE)
            .where(rule_changes.c.authority_id.in_(senders(tx, actor)))
            .order_by(rule_changes.c.at.desc(), rule_changes.c.id.desc())
            .limit(limit)
        )
        return [ChangeLine(*row) for row in tx.execute(query)]
