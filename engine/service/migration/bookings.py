"""Single bookings of the ledger, for who wants to see behind a figure."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine.actor import Actor
from engine.migration.ledger import fallback_text
from engine.migration.scope import Scope
from engine.migration.status import checked_months
from engine.service.migration.scope import districts, resolve, scope_senders
from engine.store.tables import authorities, ledger

if TYPE_CHECKING:
    from engine.service.installation import Installation


_BOOKED = [column for column in ledger.c if column.name != "cell"]
BOOKING = (*(column.name for column in _BOOKED), "fallback_text")
"""Fields of a booking."""


def list_bookings(
    app: "Installation",
    actor: Actor,
    scope: Scope | None = None,
    *,
    since: str | None = None,
    until: str | None = None,
    limit: int = 50,
) -> list[dict[str, Any]]:
    """Return the ledger's rows within a scope, newest first, with the reason of a fallback in words.

    Raises SenderUnknownError, AuthorityUnknownError, ScopeRefusedError, StatusRefusedError,
    RoleMissingError.
    """
    first, last = checked_months(since, until)
    with app.read() as tx:
        wanted = resolve(tx, actor, scope or Scope())
        query = select(*_BOOKED).where(ledger.c.authority_id.in_(scope_senders(tx, actor, wanted)))
        for column, value in (
            (ledger.c.procedure_key, wanted.procedure),
            (ledger.c.element_id, wanted.step),
            (ledger.c.recipient_id, wanted.recipient),
        ):
            if value is not None:
                query = query.where(column == value)
        if wanted.district is not None:
            district_of = districts(tx)
            keys = tx.scalars(select(authorities.c.id))
            query = query.where(
                ledger.c.recipient_id.in_([key for key in keys if district_of(key) == wanted.district])
            )
        if first is not None:
            query = query.where(ledger.c.month >= first)
        if last is not None:
            query = query.where(ledger.c.month <= last)
        query = query.order_by(ledger.c.created_at.desc(), ledger.c.exchange_id).limit(limit)
        return [
            {**row, "fallback_text": fallback_text(row["fallback"])} for row in tx.execute(query).mappings()
        ]
