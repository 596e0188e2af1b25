"""What paper costs: postage, pages and days of every letter, and how often paper and file change places."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from engine.actor import Actor, Role
from engine.errors import ConflictError, RefusedError
from engine.exchange.decision import POST
from engine.service.access import require
from engine.service.arrivals.registering import find_arrival
from engine.service.auditing import write_down
from engine.service.migration import ledger
from engine.service.migration.ledger import PRINTED
from engine.store.tables import arrival_parts, arrivals, audit, dispatches, exchanges, facts

if TYPE_CHECKING:
    from engine.service.installation import Installation

_DAY = 86_400


class PrintRefusedError(RefusedError):
    """There is nothing electronic to print."""


class PrintKnownError(ConflictError):
    """The print has been noted already."""


@dataclass(frozen=True, slots=True)
class LetterFigures:
    """One letter that was handed over to the post room."""

    dispatch_id: str
    exchange_id: str
    procedure_key: str
    recipient_id: str
    laid_at: datetime
    """When it was laid down for printing."""
    posted_at: datetime | None
    answered_at: datetime | None
    postage_cents: int | None
    pages: int | None
    product: str | None
    print_run: str | None

    @property
    def days_to_posting(self) -> float | None:
        """Days between laying down and posting."""
        return _days(self.laid_at, self.posted_at)

    @property
    def days_to_answer(self) -> float | None:
        """Days between posting and answer."""
        return _days(self.posted_at, self.answered_at)


@dataclass(frozen=True, slots=True)
class Breaks:
    """How often a message changed between paper and file on its way in."""

    electronic: int
    """Arrivals on electronic channels."""
    printed: int
    """Of these, printed."""
    paper: int
    """Arrivals by post."""
    scanned: int
    """Of these, scanned."""


def letters(app: "Installation", actor: Actor) -> list[LetterFigures]:
    """Return the figures of every letter handed over, oldest first; test traffic is left out."""
    posted = (
        select(facts.c.dispatch_id, func.min(facts.c.at).label("at"))
        .where(facts.c.kind == "posted", facts.c.withdrawn_at.is_(None))
        .group_by(facts.c.dispatch_id)
        .subquery()
    )
    query = (
        select(
            dispatches.c.id,
            exchanges.c.id,
            exchanges.c.procedure_key,
            exchanges.c.recipient_id,
            dispatches.c.handed_over_at,
            posted.c.at,
            exchanges.c.answered_at,
            dispatches.c.postage_cents,
            dispatches.c.pages,
            dispatches.c.product,
            dispatches.c.print_run,
        )
        .join(exchanges, exchanges.c.id == dispatches.c.exchange_id)
        .join(posted, posted.c.dispatch_id == dispatches.c.id, isouter=True)
        .where(
            dispatches.c.authority_id == actor.authority_id,
            dispatches.c.channel == POST,
            dispatches.c.state == "handed_over",
            dispatches.c.test.is_(False),
        )
        .order_by(dispatches.c.handed_over_at, dispatches.c.id)
    )
    with app.read() as tx:
        return [LetterFigures(*row) for row in tx.execute(query)]


def note_print(app: "Installation", actor: Actor, key: str) -> str:
    """Note that an electronic arrival was printed to be worked on; return its id.

    Raises RoleMissingError, ArrivalUnknownError, PrintRefusedError for paper, PrintKnownError.
    """
    require(actor, Role.CLERK)
    with app.write() as tx:
        arrival = find_arrival(tx, actor, key)
        if arrival["channel"] == POST:
            raise PrintRefusedError("this arrival came on paper", hint="only electronic ones are counted")
        if arrival["id"] in _printed(tx, actor):
            raise PrintKnownError(f"the print of arrival {arrival['id'][:8]} has been noted already")
        details = {"arrival": arrival["id"]}
        write_down(app, tx, actor.authority_id, actor.person_id, PRINTED, details)
        ledger.note_printed(app, tx, arrival["id"])
        return str(arrival["id"])


def breaks(app: "Installation", actor: Actor) -> Breaks:
    """Count the authority's arrivals that changed between paper and file."""
    mine = (arrivals.c.authority_id == actor.authority_id, arrivals.c.test.is_(False))
    scans = (
        select(func.count(func.distinct(arrivals.c.id)))
        .join(arrival_parts, arrival_parts.c.arrival_id == arrivals.c.id)
        .where(*mine, arrivals.c.channel == POST, arrival_parts.c.role == "scan")
    )
    by_channel = (
        select(arrivals.c.channel, func.count().label("number")).where(*mine).group_by(arrivals.c.channel)
    )
    with app.read() as tx:
        counted = {row.channel: row.number for row in tx.execute(by_channel)}
        paper = counted.pop(POST, 0)
        return Breaks(sum(counted.values()), len(_printed(tx, actor)), paper, tx.scalar(scans) or 0)


def average(values: Iterable[float | None]) -> float | None:
    """Return the mean of what is known, None where nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _printed(tx: Connection, actor: Actor) -> set[str]:
    query = select(audit.c.details).where(
        audit.c.authority_id == actor.authority_id, audit.c.action == PRINTED
    )
    return {row.details["arrival"] for row in tx.execute(query)}


def _days(start: datetime | None, end: datetime | None) -> float | None:
    return (end - start).total_seconds() / _DAY if start and end else None
