"""Bringing in what waits in the own mailboxes: stored and committed first, acknowledged then."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, or_, select, update

from engine.clock import local_day
from engine.exchange.abilities import ReportsBack
from engine.exchange.errors import UnreadableError
from engine.exchange.ports import Incoming, Mailbox, Part, Payload, Reading, split_channel
from engine.service.arrivals import confirming, scanning
from engine.service.arrivals.collecting import collect_from
from engine.service.arrivals.matching import match
from engine.service.arrivals.parts import add_parts, keep_proofs, parts_of
from engine.service.arrivals.rows import add_arrival
from engine.service.directory.mailboxes import own_mailboxes
from engine.service.migration import ledger, tests_received
from engine.store.locks import lock_name, only_one
from engine.store.tables import arrivals, mailboxes
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

SYSTEM = "system"
INFECTED = "infected"
"""Status of an arrival in which a scanner has found malware: kept, but read and filed by nobody."""


def collect_all(app: "Installation") -> int:
    """Fetch from every open mailbox of the own authorities; return how many new arrivals there are.

    One process at a time: carriers need not bear two that empty the same mailbox.
    """
    with only_one(app.database, "collect") as mine:
        return _collect(app) if mine else 0


def _collect(app: "Installation") -> int:
    with app.read() as tx:
        boxes = own_mailboxes(tx, local_day(app.clock.now()))
    return sum(collect_from(app, mailbox, take_in) for mailbox in boxes)


def take_in(app: "Installation", incoming: Incoming) -> int:
    """Store one arrival with what its carrier can prove, and enqueue its reading.

    Returns 1 for a new arrival, 0 where the carrier's id is known: nothing is stored twice. What cannot be
    processed is stored for a clerk and not read; its sender is told where the carrier can. Raises
    ScannerFaultError where it is not known to be free of malware.
    """
    mailbox = incoming.mailbox
    refused = _refused(app, incoming)
    with app.write() as tx:
        if _known(tx, mailbox, incoming.carrier_reference):
            return 0
        arrival_id = add_arrival(
            app,
            tx,
            authority_id=mailbox.authority_id,
            channel=mailbox.channel,
            carrier_reference=incoming.carrier_reference,
            received_at=incoming.received,
            sender_id=incoming.sender_id,
            assurance=incoming.assurance.value,
            registered_by=SYSTEM,
            **refused,
        )
        add_parts(app, tx, mailbox.authority_id, arrival_id, incoming.parts)
        keep_proofs(app, tx, mailbox.authority_id, arrival_id, len(incoming.parts), incoming.evidence)
        ledger.touch_arrival(app, tx, arrival_id)
        if not refused:
            app.queue.enqueue(
                tx,
                "arrival",
                {"arrival": arrival_id},
                authority_id=mailbox.authority_id,
                key=f"arrival:{arrival_id}",
            )
    return 1


def _known(tx: Connection, mailbox: Mailbox, reference: str) -> bool:
    """Tell whether an arrival is stored; whoever asks holds its name until the transaction ends.

    Several channels may lead to one mailbox: what came by one of them is known on all.
    """
    lock_name(tx, f"arrival:{mailbox.authority_id}:{reference}")
    same = select(mailboxes.c.channel).where(
        mailboxes.c.authority_id == mailbox.authority_id, mailboxes.c.address == mailbox.address
    )
    found = select(arrivals.c.id).where(
        arrivals.c.authority_id == mailbox.authority_id,
        arrivals.c.carrier_reference == reference,
        or_(arrivals.c.channel == mailbox.channel, arrivals.c.channel.in_(same)),
    )
    return tx.execute(found).first() is not None


def _refused(app: "Installation", incoming: Incoming) -> dict[str, str]:
    """Return status and reason of what must not be read, and have its sender told; else nothing."""
    malware = scanning.malware_in(app, incoming.parts)
    unsuitable = incoming.unsuitable if isinstance(incoming, ReportsBack) else None
    reason = malware or unsuitable
    if reason is None:
        return {}
    if isinstance(incoming, ReportsBack):
        incoming.tell_sender(reason)
    return {"status": INFECTED if malware else "unreadable", "reason": reason}


def handle_arrival(app: "Installation", job: Job) -> None:
    """Read the stored arrival that the job names."""
    read_arrival(app, job.arguments["arrival"])


def read_arrival(app: "Installation", arrival_id: str) -> None:
    """Read one stored arrival and match it; what cannot be read goes to a clerk and is reported back.

    One that has been read already stays as it is.
    """
    with app.read() as tx:
        arrival = tx.execute(select(arrivals).where(arrivals.c.id == arrival_id)).mappings().one()
        parts = parts_of(app, tx, arrival_id)
    if arrival["status"] != "new":
        return
    with TemporaryDirectory() as folder:
        try:
            payload, reading = read_parts(app, arrival["channel"], parts, Path(folder))
        except UnreadableError as error:
            with app.write() as tx:
                if _still_new(tx, arrival_id):
                    _unreadable(app, tx, arrival, error)
            return
        with app.read() as tx:
            test = tests_received.is_test(tx, arrival, reading)
        if test:
            tests_received.take(app, arrival, reading)
            return
        with app.write() as tx:
            if not _still_new(tx, arrival_id):
                return
            match(app, tx, arrival, reading)
            ledger.touch_arrival(app, tx, arrival_id)
            if reading.confirmation_wanted:
                confirming.confirm(app, tx, arrival, payload, reading, parts)
            confirming.report_import(app, tx, arrival_id, payload, parts)
    app.probe("arrival-matched")


def _still_new(tx: Connection, arrival_id: str) -> bool:
    """Lock the arrival and tell whether nobody else has read it meanwhile."""
    status = tx.scalar(select(arrivals.c.status).where(arrivals.c.id == arrival_id).with_for_update())
    return status == "new"


def read_parts(
    app: "Installation", channel: str, parts: tuple[Part, ...], folder: Path
) -> tuple[Payload, Reading]:
    """Let the payload that recognises the parts read them, the channel's own one first.

    Raises UnreadableError where none does, or where the one that does finds them broken.
    """
    first, _ = split_channel(channel)
    candidates = sorted(app.adapters.payloads(), key=lambda payload: payload.name != first)
    for payload in candidates:
        if payload.recognises(parts):
            return payload, payload.read(parts, folder)
    names = ", ".join(part.name for part in parts) or "nothing"
    raise UnreadableError(
        f"no payload reads {names}", where=channel, hint="look at the files and register them by hand"
    )


def _unreadable(app: "Installation", tx: Connection, arrival: RowMapping, error: UnreadableError) -> None:
    tx.execute(
        update(arrivals).where(arrivals.c.id == arrival["id"]).values(status="unreadable", reason=str(error))
    )
    confirming.complain(app, tx, arrival, str(error))
