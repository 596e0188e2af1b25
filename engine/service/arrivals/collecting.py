"""One mailbox's round: what waits is taken in, a fault is one open incident until the mailbox works again."""

from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Connection, insert, select, update

from engine.errors import DienstwegError
from engine.exchange.ports import Incoming, Mailbox, split_channel
from engine.exchange.scanning import ScannerFaultError
from engine.store.tables import incidents

if TYPE_CHECKING:
    from engine.service.installation import Installation

KIND = "mailbox"
WORKS = "the mailbox works again"
SYSTEM = "system"
TakeIn = Callable[["Installation", Incoming], int]
"""Stores one arrival; returns 1 where it is new, 0 where it is known."""


def collect_from(app: "Installation", mailbox: Mailbox, take_in: TakeIn) -> int:
    """Take in what waits in ``mailbox``; return how many new arrivals there are.

    A mailbox that does not work hinders no other: its fault becomes an incident, once. So does a scanner that
    does not answer: nothing more is taken in then. What cannot be stored here (disk, database) is no fault of
    the mailbox and is raised.
    """
    added = 0
    faults: list[str] = []
    try:
        _, name = split_channel(mailbox.channel)
        waiting = iter(app.adapters.carrier(name).collect(mailbox))
    except DienstwegError as error:
        _tell(app, mailbox, [str(error)])
        return 0
    while (incoming := _next(waiting, faults)) is not None:
        try:
            added += take_in(app, incoming)
        except ScannerFaultError as error:
            faults.append(str(error))
            break
        app.probe("arrival-stored")
        try:
            incoming.acknowledge()
        except DienstwegError as error:
            faults.append(str(error))
    _tell(app, mailbox, faults)
    return added


def _next(waiting: Iterator[Incoming], faults: list[str]) -> Incoming | None:
    """Return what comes next; None at the end, or where the carrier cannot go on."""
    try:
        return next(waiting, None)
    except DienstwegError as error:
        faults.append(str(error))
        return None


def _tell(app: "Installation", mailbox: Mailbox, faults: Sequence[str]) -> None:
    """Open, keep up to date or close the mailbox's incident; a mailbox that works costs one look."""
    subject = _subject(mailbox)
    text = f"mailbox {mailbox.channel} {mailbox.address} cannot be emptied: {'; '.join(faults)}"
    with app.read() as tx:
        known = tx.execute(select(incidents.c.id, incidents.c.message).where(*_open(subject))).first()
    if not faults and known is None:
        return
    with app.write() as tx:
        if not faults:
            closed = {
                "status": "closed",
                "closed_at": app.clock.now(),
                "closed_by": SYSTEM,
                "resolution": WORKS,
            }
            tx.execute(update(incidents).where(*_open(subject)).values(**closed))
        elif known is None:
            _report(app, tx, mailbox, subject, text)
        elif known.message != text:
            tx.execute(update(incidents).where(incidents.c.id == known.id).values(message=text))


def _report(app: "Installation", tx: Connection, mailbox: Mailbox, subject: str, text: str) -> None:
    tx.execute(
        insert(incidents).values(
            id=str(app.ids.new()),
            authority_id=mailbox.authority_id,
            kind=KIND,
            subject_id=subject,
            message=text,
            status="open",
            opened_at=app.clock.now(),
        )
    )


def _subject(mailbox: Mailbox) -> str:
    """Return the same short key for the same mailbox, however long its address."""
    return sha256(f"{mailbox.authority_id}\n{mailbox.channel}\n{mailbox.address}".encode()).hexdigest()


def _open(subject: str) -> tuple[ColumnElement[bool], ...]:
    return (
        incidents.c.kind == KIND,
        incidents.c.subject_id == subject,
        incidents.c.status == "open",
    )
