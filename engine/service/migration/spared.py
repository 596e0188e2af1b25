"""What a letter would have cost that was not needed, at the tariffs of the day."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update

from engine.clock import local_day
from engine.documents import DocumentMissingError
from engine.exchange.abilities import PricesLetters
from engine.exchange.decision import POST
from engine.exchange.ports import HandedOver, Outcome
from engine.migration.ledger import PAPER
from engine.store.tables import cases, exchanges, ledger

if TYPE_CHECKING:
    from engine.service.installation import Installation


def price_letter(app: "Installation", dispatch: Mapping[str, Any]) -> int | None:
    """Return what an electronic dispatch would have cost as a letter, in cents; None: not known, or paper.

    Documents are looked at, so this is done outside the transaction that records the outcome.
    """
    from engine.service.exchanges.sending import exchange_files

    if dispatch["level"] == PAPER or dispatch["test"] or dispatch["exchange_id"] is None:
        return None
    _, carrier = app.adapters.channel(POST)
    if not isinstance(carrier, PricesLetters):
        return None
    with app.read() as tx:
        row = tx.execute(
            select(cases.c.version_id, exchanges.c.message_type)
            .join(exchanges, exchanges.c.case_id == cases.c.id)
            .where(exchanges.c.id == dispatch["exchange_id"])
        ).one()
        message_type = app.programs.message_type(tx, row.version_id, row.message_type)
        files = exchange_files(app, tx, dispatch["exchange_id"])
    try:
        return carrier.price(message_type, files, local_day(app.clock.now()))
    except DocumentMissingError:
        return None


def note_spared(tx: Connection, exchange_id: str, outcome: Outcome, cents: int | None) -> None:
    """Book what was spared by an exchange that has just gone, in the transaction that books the exchange."""
    if cents is not None and isinstance(outcome, HandedOver):
        tx.execute(update(ledger).where(ledger.c.exchange_id == exchange_id).values(spared_cents=cents))
