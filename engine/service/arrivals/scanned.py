"""Scans that a person has just laid down: taken in and read at once, not at the work loop's next round."""

from typing import TYPE_CHECKING

from sqlalchemy import select

from engine.actor import Actor, Role
from engine.clock import local_day
from engine.exchange.decision import POST
from engine.exchange.ports import Incoming
from engine.service.access import require
from engine.service.arrivals import receiving
from engine.service.arrivals.collecting import collect_from
from engine.service.arrivals.registering import ArrivalLine, arrival_line
from engine.service.exchanges.sending import recipient_mailbox
from engine.store.locks import only_one
from engine.store.tables import arrivals

if TYPE_CHECKING:
    from engine.service.installation import Installation

_LOOKS = 2
"""A file that cannot be read is only believed to be whole when a second look finds it unchanged."""


def take_in_scans(app: "Installation", actor: Actor) -> dict[str, ArrivalLine] | None:
    """Take in what lies in the authority's scanner folder, read it, and say what became of it.

    Returns the arrivals by the carrier's reference, ``scan:HASH:NUMBER``. A scan that came before is listed
    as what it became then. None: the work loop is collecting at this moment and takes the scans in itself.
    Raises RoleMissingError.
    """
    require(actor, Role.CLERK)
    references: dict[str, None] = {}

    def take_in(app: "Installation", incoming: Incoming) -> int:
        references[incoming.carrier_reference] = None
        return receiving.take_in(app, incoming)

    with only_one(app.database, "collect") as mine:
        if not mine:
            return None
        with app.read() as tx:
            # Everybody has a letter box, recorded as a mailbox or not.
            mailbox = recipient_mailbox(tx, actor.authority_id, POST, local_day(app.clock.now()))
        if mailbox is not None:
            for _ in range(_LOOKS):
                collect_from(app, mailbox, take_in)
    found = {reference: _arrival_of(app, actor, reference) for reference in references}
    for arrival_id in found.values():
        receiving.read_arrival(app, arrival_id)
    with app.read() as tx:
        return {reference: arrival_line(tx, arrival_id) for reference, arrival_id in found.items()}


def _arrival_of(app: "Installation", actor: Actor, reference: str) -> str:
    query = select(arrivals.c.id).where(
        arrivals.c.authority_id == actor.authority_id,
        arrivals.c.channel == POST,
        arrivals.c.carrier_reference == reference,
    )
    with app.read() as tx:
        found: str = tx.execute(query).scalar_one()
        return found
