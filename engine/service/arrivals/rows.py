"""Arrivals in the store: who sent them, what was read of them, and where they stand."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, insert, update

from engine.exchange.codes import exchange_key
from engine.exchange.ports import Reading
from engine.store.tables import arrivals

if TYPE_CHECKING:
    from engine.service.installation import Installation

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent an arrival, and whether that is sure enough to act on."""

    authority_id: str | None
    sure: bool
    by: str = SYSTEM
    """Who vouches: the system for an authenticating carrier, a clerk for paper."""


def add_arrival(app: "Installation", tx: Connection, **values: Any) -> str:
    """Write the row of an arrival nobody has understood yet; return its id."""
    arrival_id = str(app.ids.new())
    defaults: dict[str, Any] = {
        "status": "new",
        "references": [],
        "remarks": [],
        "test": False,
        "registered_at": app.clock.now(),
    }
    tx.execute(insert(arrivals).values(id=arrival_id, **{**defaults, **values}))
    return arrival_id


def note_reading(tx: Connection, arrival_id: str, reading: Reading, sender: Sender) -> None:
    """Keep with the arrival what was understood of it."""
    key = exchange_key(reading.sender_exchange) if reading.sender_exchange else None
    tx.execute(
        update(arrivals)
        .where(arrivals.c.id == arrival_id)
        .values(
            message_type=reading.message_type,
            message_version=reading.version,
            data=dict(reading.data),
            references=[{"kind": r.kind, "value": r.value} for r in reading.references],
            sender_exchange=reading.sender_exchange,
            sender_key=key,
            sender_reference=reading.sender_reference,
            claimed_sender_id=sender.authority_id,
            remarks=list(reading.remarks),
        )
    )


def set_status(
    tx: Connection,
    arrival: RowMapping,
    status: str,
    reason: str | None,
    case_id: str | None = None,
    exchange_id: str | None = None,
) -> str:
    """Write what became of the arrival; return ``status``."""
    tx.execute(
        update(arrivals)
        .where(arrivals.c.id == arrival["id"])
        .values(status=status, reason=reason, case_id=case_id, exchange_id=exchange_id)
    )
    return status
