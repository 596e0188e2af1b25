"""What came before: the same message on another channel, the same answer twice, a second answer."""

from sqlalchemy import Connection, RowMapping, select

from engine.clock import LOCAL_ZONE
from engine.exchange.ports import Reading
from engine.service.arrivals.codes import TAKEN
from engine.service.arrivals.rows import Sender
from engine.service.stories import read_head
from engine.store.tables import arrivals, exchanges


def same_exchange(tx: Connection, arrival: RowMapping, sender: Sender) -> RowMapping | None:
    """Return the earlier arrival of the same exchange from the same sender, whatever channel it came on.

    A scan without a known sender is compared by its code alone, which names the sender's installation.
    """
    if arrival["sender_key"] is None:
        return None
    query = select(arrivals).where(
        arrivals.c.authority_id == arrival["authority_id"],
        arrivals.c.sender_key == arrival["sender_key"],
        arrivals.c.id != arrival["id"],
        arrivals.c.status.in_(TAKEN),
    )
    if sender.authority_id is not None or arrival["message_type"] is not None:
        query = query.where(arrivals.c.claimed_sender_id == sender.authority_id)
    return tx.execute(query.limit(1)).mappings().one_or_none()


def held(tx: Connection, exchange: RowMapping) -> RowMapping:
    """Return the exchange as it is now that its case is locked: of two answers one waits."""
    read_head(tx, exchange["case_id"])
    return tx.execute(select(exchanges).where(exchanges.c.id == exchange["id"])).mappings().one()


def same_answer(
    tx: Connection, arrival: RowMapping, exchange: RowMapping, reading: Reading, sender: Sender
) -> str | None:
    """Return why the arrival is an answer that came before; None where it is not, or its sender not sure.

    Two messages with codes of their own are two, even where they say the same (interim reports do).
    """
    if not sender.sure or reading.message_type is None:
        return None
    query = select(arrivals).where(
        arrivals.c.exchange_id == exchange["id"],
        arrivals.c.id != arrival["id"],
        arrivals.c.status.in_(TAKEN),
        arrivals.c.message_type == reading.message_type,
        arrivals.c.claimed_sender_id == sender.authority_id,
    )
    for earlier in tx.execute(query.order_by(arrivals.c.received_at)).mappings():
        own = {arrival["sender_key"], earlier["sender_key"]} - {None}
        if len(own) < 2 and earlier["data"] == dict(reading.data):
            return f"the same answer came as {earlier['id']}"
    return None


def already_answered(tx: Connection, exchange: RowMapping) -> str | None:
    """Say by what and when an exchange was answered; None while it is not."""
    if exchange["answered_by"] is None:
        return None
    first = tx.execute(select(arrivals).where(arrivals.c.id == exchange["answered_by"])).mappings().one()
    day = first["received_at"].astimezone(LOCAL_ZONE).strftime("%d.%m.%Y")
    return f"this exchange has been answered already: {first['channel']}, {day}, arrival {first['id'][:8]}"
