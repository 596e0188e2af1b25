"""What a clerk decides about an arrival that did not find its way by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, select, update

from engine.actor import Actor, Role
from engine.errors import RefusedError
from engine.exchange.abilities import ReadsForeign
from engine.exchange.errors import UnreadableError
from engine.exchange.ports import MessageType, Part, Reading, Reference, split_channel
from engine.service.access import require
from engine.service.advance import CaseRow, read_case
from engine.service.arrivals import confirming, filing, receiving
from engine.service.arrivals.belonging import case_row, waits_for
from engine.service.arrivals.matching import act, continue_case
from engine.service.arrivals.parts import parts_of
from engine.service.arrivals.registering import (
    ArrivalLine,
    RegistrationRefusedError,
    arrival_line,
    deployed_type,
    find_arrival,
    refuse_settled,
)
from engine.service.arrivals.rows import Sender, note_reading
from engine.service.cases import find_case
from engine.service.directory.authorities import find_authority
from engine.service.migration import ledger
from engine.store.tables import arrivals, exchanges

if TYPE_CHECKING:
    from engine.service.installation import Installation


@dataclass(frozen=True, slots=True)
class Decision:
    """What a clerk says about an arrival; what is left out stays as it was read."""

    case: str | None = None
    """The case it belongs to; else it is matched again."""
    as_type: str | None = None
    """The message type it is to be read as, for a partner who knows nothing of ours."""
    sender: str | None = None
    """Who sent it, by key or name."""
    data: Mapping[str, Any] = field(default_factory=dict)
    """What the files say but no machine can read out of them, by field of the message type."""
    reason: str = "sender confirmed"


class ArrivalInfectedError(RefusedError):
    """There is malware in this arrival: it is filed nowhere."""


def assign(app: "Installation", actor: Actor, key: str, decision: Decision) -> ArrivalLine:
    """Decide what an open arrival is and what it belongs to; the clerk vouches for its sender.

    With a case the arrival answers that case's open exchange with the sender, goes on to a step that waits
    for its type, or is filed there; without one it is matched again as if its sender were proven. What its
    sender's standard has to say of that is sent back.

    Raises ArrivalSettledError, CaseUnknownError, AuthorityUnknownError, RegistrationRefusedError, and
    UnreadableError where the files cannot be read as the wanted type, ArrivalInfectedError.
    """
    require(actor, Role.CLERK)
    with app.read() as tx:
        row = find_arrival(tx, actor, key)
        refuse_settled(row)
        if row["status"] == receiving.INFECTED:
            raise ArrivalInfectedError(
                str(row["reason"]), where=row["id"][:8], hint="ask for it again, then 'arrival reject'"
            )
        parts = parts_of(app, tx, row["id"])
        wanted = deployed_type(app, tx, decision.as_type) if decision.as_type else None
    with TemporaryDirectory() as folder:
        reading = _read(app, row, parts, wanted, Path(folder))
        reading = replace(reading, data={**reading.data, **decision.data})
        with app.write() as tx:
            refuse_settled(_locked(tx, row))
            sender_id = row["claimed_sender_id"] or reading.sender_id
            if decision.sender is not None:
                sender_id = find_authority(tx, decision.sender).id
            vouched = Sender(sender_id, sure=True, by=actor.person_id)
            if decision.case is None:
                act(app, tx, row, reading, vouched)
            else:
                case = read_case(tx, find_case(tx, actor, decision.case)["id"]).case
                _bring(app, tx, row, reading, vouched, case, decision.reason)
            ledger.touch_arrival(app, tx, row["id"])
            _report(app, tx, row, parts)
            return arrival_line(tx, row["id"])


def reject(app: "Installation", actor: Actor, key: str, reason: str) -> ArrivalLine:
    """Put an arrival aside for good, with a reason; it is kept. Raises ArrivalSettledError.

    A proven sender is told the reason where its standard has an answer for that.
    """
    require(actor, Role.CLERK)
    if not reason.strip():
        raise RegistrationRefusedError("a rejection needs its reason")
    with app.write() as tx:
        row = _locked(tx, find_arrival(tx, actor, key))
        refuse_settled(row)
        _set(tx, row, "rejected", f"{actor.person_id}: {reason}")
        if row["status"] != receiving.INFECTED:
            _report(app, tx, row, parts_of(app, tx, row["id"]), reason)
        return arrival_line(tx, row["id"])


def _locked(tx: Connection, row: RowMapping) -> RowMapping:
    """Return the arrival as it stands now, and keep colleagues from deciding it too."""
    query = select(arrivals).where(arrivals.c.id == row["id"]).with_for_update()
    return tx.execute(query).mappings().one()


def _read(
    app: "Installation", row: RowMapping, parts: tuple[Part, ...], wanted: MessageType | None, folder: Path
) -> Reading:
    """Read an electronic arrival again, as ``wanted`` where a clerk says so; paper says what was typed."""
    if row["registered_by"] != receiving.SYSTEM and wanted is None:
        return _kept(row)
    try:
        (folder / "read").mkdir()
        payload, reading = receiving.read_parts(app, row["channel"], parts, folder / "read")
    except UnreadableError:
        if wanted is not None:
            raise
        return _kept(row)
    if wanted is None:
        return reading
    if reading.message_type not in (None, wanted.key):
        raise RegistrationRefusedError(
            f"the message says itself that it is {reading.message_type!r}", hint="leave --as-type out"
        )
    if not isinstance(payload, ReadsForeign):
        raise RegistrationRefusedError(
            f"{payload.name} cannot be read as another message type",
            hint="register what it says by hand: dienstweg arrival register",
        )
    (folder / "read-as").mkdir()
    return payload.read_as(wanted, parts, folder / "read-as")


def _bring(
    app: "Installation",
    tx: Connection,
    row: RowMapping,
    reading: Reading,
    vouched: Sender,
    case: CaseRow,
    reason: str,
) -> None:
    """Bring an arrival to the case that a clerk names."""
    if reading.message_type is not None and reading.confirmation is None:
        asked = _open_exchange(tx, case.id, vouched.authority_id)
        if asked is not None:
            answer = replace(reading, references=[Reference("exchange", asked), *reading.references])
            act(app, tx, row, answer, vouched)
            return
        if case.partner_id == vouched.authority_id and waits_for(tx, case.id, reading.message_type):
            note_reading(tx, row["id"], reading, vouched)
            continue_case(app, tx, row, case.id, reading, vouched)
            return
    note_reading(tx, row["id"], reading, vouched)
    filing.file_arrival(app, tx, row["id"], case_row(tx, case.id), None, vouched.by, reading)
    _set(tx, row, "filed", reason, case.id)


def _kept(row: RowMapping) -> Reading:
    """Return what was understood of an arrival when it was read."""
    return Reading(
        message_type=row["message_type"],
        version=row["message_version"],
        data=row["data"] or {},
        documents=(),
        references=[Reference(each["kind"], each["value"]) for each in row["references"]],
        sender_id=row["claimed_sender_id"],
        sender_exchange=row["sender_exchange"],
        sender_reference=row["sender_reference"],
    )


def _open_exchange(tx: Connection, case_id: str, sender_id: str | None) -> str | None:
    found: str | None = tx.scalar(
        select(exchanges.c.id)
        .where(
            exchanges.c.case_id == case_id,
            exchanges.c.recipient_id == sender_id,
            exchanges.c.status == "open",
        )
        .order_by(exchanges.c.created_at)
        .limit(1)
    )
    return found


def _report(
    app: "Installation", tx: Connection, row: RowMapping, parts: tuple[Part, ...], reason: str | None = None
) -> None:
    payload_name, _ = split_channel(row["channel"])
    confirming.report_import(app, tx, row["id"], app.adapters.payload(payload_name), parts, reason)


def _set(
    tx: Connection, row: RowMapping, status: str, reason: str | None, case_id: str | None = None
) -> None:
    values = {"status": status, "reason": reason, **({"case_id": case_id} if case_id else {})}
    tx.execute(update(arrivals).where(arrivals.c.id == row["id"]).values(**values))
