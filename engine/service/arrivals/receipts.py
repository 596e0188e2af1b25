"""Technical confirmations that partners send for an own dispatch, as facts and evidence."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, or_, select

from engine.exchange.ports import Reading
from engine.service.arrivals import filing
from engine.service.arrivals.rows import SYSTEM, Sender, set_status
from engine.service.exchanges import outcomes
from engine.store.tables import dispatches, exchanges

if TYPE_CHECKING:
    from engine.service.installation import Installation


def note_confirmation(
    app: "Installation", tx: Connection, arrival: RowMapping, reading: Reading, sender: Sender
) -> str:
    """Record the technical confirmation of an own dispatch; return the arrival's new status."""
    values = [reference.value for reference in reading.references]
    dispatch = (
        tx.execute(
            select(dispatches, exchanges.c.case_id, exchanges.c.recipient_id)
            .join(exchanges, exchanges.c.id == dispatches.c.exchange_id)
            .where(
                dispatches.c.authority_id == arrival["authority_id"],
                or_(
                    dispatches.c.id.in_(values),
                    dispatches.c.exchange_id.in_(values),
                    dispatches.c.carrier_reference.in_(values),
                ),
            )
            .order_by(dispatches.c.number.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    if dispatch is None or reading.confirmation is None:
        return set_status(tx, arrival, "unmatched", "confirms nothing that was sent from here")
    if not sender.sure or sender.authority_id != dispatch["recipient_id"]:
        return set_status(tx, arrival, "unconfirmed", "the sender is not surely the one it was sent to")
    exchange = tx.execute(select(exchanges).where(exchanges.c.id == dispatch["exchange_id"])).mappings().one()
    proof = filing.keep_as_evidence(app, tx, arrival["id"], exchange["case_id"], exchange["id"], "receipt")
    outcomes.add_fact(
        app,
        tx,
        exchange,
        dispatch["id"],
        reading.confirmation.kind,
        arrival["received_at"],
        arrival["channel"],
        SYSTEM,
        evidence_id=proof or arrival["id"],
    )
    if reading.confirmation.kind == "rejected":
        text = f"{exchange['subject']} was rejected: {reading.confirmation.reason or 'no reason given'}"
        outcomes.open_incident(app, tx, exchange, "rejected", dispatch["id"], text)
    return set_status(tx, arrival, "confirmation", None, exchange["case_id"], exchange["id"])
