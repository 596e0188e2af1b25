"""Technical answers to an arrival: the standard's own confirmation or error message, where it has one."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, insert, select

from engine.clock import local_day
from engine.exchange.abilities import ConfirmsImport, Refusal, TellsSenders
from engine.exchange.ports import (
    Envelope,
    FormClass,
    MessageType,
    Part,
    Payload,
    Prepared,
    Reading,
    split_channel,
)
from engine.service.arrivals.filing import PROOF
from engine.service.arrivals.parts import parts_of
from engine.service.directory.authorities import find_authority
from engine.service.directory.mailboxes import find_mailbox
from engine.service.exchanges.parts import store_prepared
from engine.service.exchanges.sending import BEGUN, deliver
from engine.store.tables import arrivals, dispatches
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

COMPLAINT, IMPORT = "complaint", "import"
IMPORTED = ("matched", "started", "filed", "duplicate")
"""What an arrival has become when its content is in our files; a duplicate came in earlier."""
REFUSED = ("invalid", "rejected")
TECHNICAL = MessageType(key="technical", version="1", title="Technische Antwort", schema={})


def confirm(
    app: "Installation",
    tx: Connection,
    arrival: RowMapping,
    payload: Payload,
    reading: Reading,
    parts: Sequence[Part],
) -> None:
    """Prepare the confirmation of receipt that the sender asked for."""
    sender = arrival["sender_id"] or reading.sender_id
    if sender is None:
        return
    own = find_authority(tx, arrival["authority_id"]).party()
    with TemporaryDirectory() as folder:
        built = payload.confirm(reading, parts, own, Path(folder))
        if built:
            _prepare(app, tx, arrival, sender, built, "confirmation")


def report_import(
    app: "Installation",
    tx: Connection,
    arrival_id: str,
    payload: Payload,
    parts: Sequence[Part],
    reason: str | None = None,
) -> None:
    """Tell the sender what became of its message, where its standard has words for that.

    A message that reached a case, or was filed, is imported; one whose data are refused, or that a clerk
    rejects, is not. Where a clerk still has to decide nothing is said yet. One word an arrival: what a clerk
    does after a refusal is between people. ``reason`` is for the sender, where our own note says more.
    """
    arrival = tx.execute(select(arrivals).where(arrivals.c.id == arrival_id)).mappings().one()
    sender = _known_sender(arrival)
    if sender is None or not isinstance(payload, ConfirmsImport):
        return
    own = find_authority(tx, arrival["authority_id"]).party()
    with TemporaryDirectory() as folder:
        if arrival["status"] in IMPORTED:
            built = payload.confirm_import(parts, own, Path(folder))
        elif arrival["status"] in REFUSED:
            built = payload.complain(parts, reason or str(arrival["reason"]), own, Path(folder))
        else:
            return
        if built and not _sent(tx, arrival_id, COMPLAINT):
            _prepare(app, tx, arrival, sender, built, IMPORT)


def _known_sender(arrival: RowMapping) -> str | None:
    """Return who gets an answer: whom the carrier authenticated, or for whom a clerk has vouched."""
    sender: str | None = arrival["sender_id"]
    return sender or (arrival["claimed_sender_id"] if arrival["status"] in IMPORTED else None)


def _sent(tx: Connection, arrival_id: str, purpose: str) -> bool:
    earlier = select(dispatches.c.id).where(
        dispatches.c.arrival_id == arrival_id, dispatches.c.purpose == purpose
    )
    return tx.execute(earlier).first() is not None


def complain(app: "Installation", tx: Connection, arrival: RowMapping, reason: str) -> None:
    """Prepare the error answer to an unreadable arrival (§ 3a(4) VwVfG), once.

    An authenticated sender with a mailbox gets the standard's own. Where there is none the carrier is asked
    for a notice, which reaches unknown senders too.
    """
    if arrival["test"] or _sent(tx, arrival["id"], COMPLAINT):
        return
    payload_name, _ = split_channel(arrival["channel"])
    own = find_authority(tx, arrival["authority_id"]).party()
    with TemporaryDirectory() as folder:
        if arrival["sender_id"] is not None:
            parts = parts_of(app, tx, arrival["id"])
            built = app.adapters.payload(payload_name).complain(parts, reason, own, Path(folder))
            if built:
                _prepare(app, tx, arrival, arrival["sender_id"], built, COMPLAINT)
        if not _sent(tx, arrival["id"], COMPLAINT):
            _prepare_notice(app, tx, arrival, reason, Path(folder))


def _prepare_notice(
    app: "Installation", tx: Connection, arrival: RowMapping, reason: str, folder: Path
) -> None:
    """Freeze the carrier's own notice to the sender and enqueue its hand-over, where the carrier can."""
    _, carrier_name = split_channel(arrival["channel"])
    carrier = app.adapters.carrier(carrier_name)
    today = local_day(app.clock.now())
    own = find_mailbox(tx, arrival["authority_id"], arrival["channel"], today)
    if own is None or not isinstance(carrier, TellsSenders):
        return
    dispatch_id = str(app.ids.new())
    files = parts_of(app, tx, arrival["id"], proofs=True)
    refusal = Refusal(
        dispatch_id=dispatch_id,
        mailbox=own,
        sender_id=arrival["sender_id"],
        carrier_reference=arrival["carrier_reference"],
        proofs=[part for part in files if part.role == PROOF],
        reason=reason,
    )
    prepared = carrier.prepare_notice(refusal, folder)
    if prepared is not None:
        _freeze(app, tx, arrival, prepared, COMPLAINT)


def _prepare(
    app: "Installation",
    tx: Connection,
    arrival: RowMapping,
    recipient_id: str,
    parts: Sequence[Part],
    purpose: str,
) -> None:
    """Freeze a technical answer and enqueue its hand-over, once per arrival and purpose."""
    today = local_day(app.clock.now())
    recipient = find_mailbox(tx, recipient_id, arrival["channel"], today)
    if recipient is None or _sent(tx, arrival["id"], purpose):
        return
    _, carrier_name = split_channel(arrival["channel"])
    dispatch_id = str(app.ids.new())
    envelope = Envelope(
        exchange_id=dispatch_id,
        dispatch_id=dispatch_id,
        installation=app.settings.code,
        message_type=TECHNICAL,
        sender=find_authority(tx, arrival["authority_id"]).party(),
        recipient=find_authority(tx, recipient_id).party(),
        own_reference="",
        partner_reference=arrival["sender_reference"],
        subject=TECHNICAL.title,
        data={},
        documents=(),
        form=FormClass.NONE,
        created=app.clock.now(),
    )
    sender = find_mailbox(tx, arrival["authority_id"], arrival["channel"], today)
    prepared = app.adapters.carrier(carrier_name).prepare(envelope, parts, sender, recipient)
    _freeze(app, tx, arrival, prepared, purpose)


def _freeze(
    app: "Installation", tx: Connection, arrival: RowMapping, prepared: Prepared, purpose: str
) -> None:
    """Record a technical answer as its carrier prepared it, and enqueue its hand-over."""
    row = {
        "id": prepared.dispatch_id,
        "authority_id": arrival["authority_id"],
        "exchange_id": None,
        "arrival_id": arrival["id"],
        "purpose": purpose,
        "number": 1,
        "channel": arrival["channel"],
        "state": "prepared",
        "intended_channel": arrival["channel"],
        "decision": {},
        "level": "C",
        "copy": False,
        "test": arrival["test"],
        "created_at": app.clock.now(),
        "attempts": 0,
    }
    tx.execute(insert(dispatches).values(**row, **store_prepared(app, tx, row, prepared)))
    app.queue.enqueue(
        tx,
        "confirm",
        {"dispatch": prepared.dispatch_id},
        authority_id=arrival["authority_id"],
        key=f"confirm:{prepared.dispatch_id}",
    )


def handle_confirm(app: "Installation", job: Job) -> None:
    """Hand a prepared technical answer over, or go on where that was cut off."""
    with app.read() as tx:
        row = (
            tx.execute(select(dispatches).where(dispatches.c.id == job.arguments["dispatch"]))
            .mappings()
            .one()
        )
    if row["state"] in BEGUN:
        deliver(app, dict(row))
