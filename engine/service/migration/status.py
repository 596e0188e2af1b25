"""The migration's status: what really carried the exchanges."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, select

from engine.actor import Actor
from engine.migration.status import StatusLine, count
from engine.store.tables import dispatches, exchanges, facts

if TYPE_CHECKING:
    from engine.service.installation import Installation


def status(app: "Installation", actor: Actor) -> list[StatusLine]:
    """Count the authority's exchanges by relation and by what really carried them.

    An exchange counts by its last dispatch that was handed over; test traffic and copies do not count.
    """
    query = (
        select(
            exchanges.c.id,
            exchanges.c.procedure_key,
            exchanges.c.element_id,
            exchanges.c.recipient_id,
            dispatches.c.level,
            dispatches.c.channel,
            dispatches.c.intended_channel,
            dispatches.c.state,
            dispatches.c.id.label("dispatch_id"),
        )
        .join(
            dispatches,
            (dispatches.c.exchange_id == exchanges.c.id)
            & dispatches.c.copy.is_(False)
            & dispatches.c.test.is_(False)
            & (dispatches.c.state == "handed_over"),
            isouter=True,
        )
        .where(exchanges.c.authority_id == actor.authority_id)
        .order_by(exchanges.c.id, dispatches.c.number)
    )
    with app.read() as tx:
        rows = tx.execute(query).mappings().all()
        confirmed = _confirmed(tx, actor)
    return count(_with_receipts(rows, confirmed))


def _with_receipts(rows: Sequence[RowMapping], confirmed: set[str]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {**row, "confirmed": row["id"] in confirmed}


def _confirmed(tx: Connection, actor: Actor) -> set[str]:
    """Return the exchanges whose receipt or posting is a recorded fact."""
    rows = tx.execute(
        select(facts.c.exchange_id).where(
            facts.c.authority_id == actor.authority_id,
            facts.c.kind.in_(["received", "imported", "posted"]),
        )
    )
    return {row.exchange_id for row in rows}
