"""What a clerk does with arrivals: registering paper, assigning what did not match, rejecting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, or_, select, update

from engine.actor import Actor, Role
from engine.clock import LOCAL_ZONE, local_day
from engine.definitions.message_types import check_data
from engine.errors import ConflictError, NotFoundError
from engine.exchange.decision import POST
from engine.exchange.ports import Assurance, MessageType, Part, Reading, Reference
from engine.service.access import require
from engine.service.arrivals.codes import (
    CodeRefusedError,
    RegistrationRefusedError,
    SenderMismatchError,
    refuse_own_letter,
    understand_codes,
)
from engine.service.arrivals.filing import PROOF
from engine.service.arrivals.matching import settle
from engine.service.arrivals.parts import add_parts, parts_of
from engine.service.arrivals.rows import Sender, add_arrival, note_reading
from engine.service.directory.authorities import find_authority
from engine.service.exchanges.recording import refuse_before_sending
from engine.service.exchanges.signing import RECORD
from engine.service.files import read_upload
from engine.service.migration import ledger
from engine.service.starting import latest_processes
from engine.store.scope import visible_to
from engine.store.tables import arrivals, exchanges

if TYPE_CHECKING:
    from engine.service.installation import Installation

PAGE = 50
LONG_AGO = timedelta(days=180)
"""A day of receipt further back is taken for a slip of the pen, unless the clerk is sure."""
OPEN = ("new", "unmatched", "unconfirmed", "unreadable", "infected", "invalid", "late", "filed")
"""States in which a clerk has something to do with an arrival."""


class ArrivalUnknownError(NotFoundError):
    """There is no such arrival."""


class ArrivalSettledError(ConflictError):
    """The arrival has been dealt with already."""


@dataclass(frozen=True, slots=True)
class PaperArrival:
    """What a clerk reads off a letter that came in."""

    message_type: str
    sender: str
    data: Mapping[str, Any]
    codes: Sequence[str] = ()
    """Every code printed on the letter, in any order."""
    received_on: date | None = None
    sender_reference: str | None = None
    own_reference: str | None = None
    scans: Sequence[Path] = field(default=())
    is_answer: bool = False
    """The clerk has seen that our own letter, come back, bears what the partner wrote."""
    long_ago: bool = False
    """The clerk is sure of a day of receipt more than ``LONG_AGO`` past."""


@dataclass(frozen=True, slots=True)
class ArrivalLine:
    """An arrival in a listing."""

    id: str
    channel: str
    received_at: datetime
    status: str
    sender_id: str | None
    """Whom the carrier proved to have sent it."""
    claimed_sender_id: str | None
    """Who it says it is from, or for whom a clerk has vouched."""
    assurance: str
    message_type: str | None
    sender_reference: str | None
    case_id: str | None
    reason: str | None


_LINE = [arrivals.c[name] for name in ArrivalLine.__dataclass_fields__]


def register(
    app: "Installation", actor: Actor, paper: PaperArrival, arrival: str | None = None
) -> ArrivalLine:
    """Register a letter: it begins, continues or answers a case like an electronic message would.

    With ``arrival`` (id or its beginning) the letter is one that was scanned: it gets its message type and
    data, and the codes the scan found count beside those in ``paper``. The clerk vouches for the sender.
    Raises CodeRefusedError for an unreadable or forged code, AuthorityUnknownError, RegistrationRefusedError
    (also where the scan bears our own letter only), FactRefusedError (received before our letter was sent),
    SenderMismatchError, MessageDataRefusedError, ArrivalUnknownError, ArrivalSettledError.
    """
    require(actor, Role.CLERK)
    with app.write() as tx:
        scanned = _scanned(tx, actor, paper, arrival) if arrival is not None else None
        sender = find_authority(tx, paper.sender)
        message_type = deployed_type(app, tx, paper.message_type)
        data = check_data(message_type, paper.data)
        codes = [*paper.codes, *(_codes_found(scanned) if scanned is not None else ())]
        arrival_id = scanned["id"] if scanned is not None else None
        references, sender_exchange = understand_codes(
            app, tx, actor.authority_id, codes, sender.id, arrival_id
        )
        if scanned is not None and not paper.is_answer:
            refuse_own_letter(_codes_found(scanned), sender_exchange, f"arrival {scanned['id'][:8]}")
        _refuse_before_asking(app, tx, actor, paper, references)
        if paper.own_reference:
            references.append(Reference("file-reference", paper.own_reference))
        reading = Reading(
            message_type=message_type.key,
            version=message_type.version,
            data=data,
            documents=(),
            references=[*references, *(_ids_found(scanned) if scanned is not None else ())],
            sender_id=sender.id,
            sender_exchange=sender_exchange,
            sender_reference=paper.sender_reference,
            remarks=scanned["remarks"] if scanned is not None else (),
        )
        if arrival_id is None:
            arrival_id = _add(app, tx, actor, paper)
        else:
            _take_over(app, tx, actor, paper, arrival_id)
        vouched = Sender(sender.id, sure=True, by=actor.person_id)
        note_reading(tx, arrival_id, reading, vouched)
        settle(app, tx, arrival_id, reading, vouched)
        ledger.touch_arrival(app, tx, arrival_id)
        return arrival_line(tx, arrival_id)


def _refuse_before_asking(
    app: "Installation", tx: Connection, actor: Actor, paper: PaperArrival, references: Sequence[Reference]
) -> None:
    """Refuse a day of receipt before the letter it answers was sent."""
    if paper.received_on is None:
        return
    asked = select(exchanges).where(
        exchanges.c.authority_id == actor.authority_id,
        exchanges.c.id.in_([it.value for it in references]),
    )
    for row in tx.execute(asked).mappings():
        refuse_before_sending(tx, row, "received", _received(app, paper))


def _scanned(tx: Connection, actor: Actor, paper: PaperArrival, key: str) -> RowMapping:
    """Return the scanned arrival a clerk registers, held until the transaction ends."""
    found = find_arrival(tx, actor, key)
    row = tx.execute(select(arrivals).where(arrivals.c.id == found["id"]).with_for_update()).mappings().one()
    refuse_settled(row)
    if row["channel"] != POST:
        raise RegistrationRefusedError(
            f"arrival {row['id'][:8]} came on {row['channel']}",
            hint="only letters are registered; 'dienstweg arrival assign' decides about the others",
        )
    if paper.scans:
        raise RegistrationRefusedError("the arrival has its scan already", hint="leave out --scan")
    return row


def _codes_found(scanned: RowMapping) -> list[str]:
    """Return the codes the scan found; the one on the letter's own pages comes last."""
    own = scanned["sender_exchange"]
    codes = [it["value"] for it in scanned["references"] if it["kind"] == "code"]
    return [*(code for code in codes if code != own), *([own] if own else [])]


def _ids_found(scanned: RowMapping) -> list[Reference]:
    """Return the exchange ids the scan found: of requests of ours that went electronically."""
    return [Reference("exchange", it["value"]) for it in scanned["references"] if it["kind"] == "exchange"]


def _add(app: "Installation", tx: Connection, actor: Actor, paper: PaperArrival) -> str:
    arrival_id = add_arrival(
        app,
        tx,
        authority_id=actor.authority_id,
        channel=POST,
        carrier_reference=f"paper:{app.ids.new()}",
        received_at=_received(app, paper),
        sender_id=None,
        assurance=Assurance.NONE.value,
        registered_by=actor.person_id,
    )
    parts = [_scan(path) for path in paper.scans]
    add_parts(app, tx, actor.authority_id, arrival_id, parts)
    return arrival_id


def _take_over(
    app: "Installation", tx: Connection, actor: Actor, paper: PaperArrival, arrival_id: str
) -> None:
    """Note who registered a scanned letter, and its day of receipt where that is not the day of the scan."""
    values: dict[str, Any] = {"registered_by": actor.person_id, "registered_at": app.clock.now()}
    if paper.received_on is not None:
        values["received_at"] = _received(app, paper)
    _set(tx, arrival_id, **values)


def _received(app: "Installation", paper: PaperArrival) -> datetime:
    now = app.clock.now()
    if paper.received_on is None or paper.received_on == local_day(now):
        return now
    if paper.received_on > local_day(now):
        raise RegistrationRefusedError("the day of receipt lies in the future", hint="is the year right?")
    if paper.received_on < local_day(now) - LONG_AGO and not paper.long_ago:
        raise RegistrationRefusedError(
            f"the day of receipt, {paper.received_on}, lies more than {LONG_AGO.days} days back",
            hint="is the year right? if it is: --long-ago",
        )
    return datetime.combine(paper.received_on, time(12), LOCAL_ZONE)


def _scan(path: Path) -> Part:
    upload = read_upload(path)
    return Part(upload.name, upload.media_type, upload.path, "scan")


def deployed_type(app: "Installation", tx: Connection, key: str) -> MessageType:
    """Return a deployed message type from the newest version that has it."""
    for row in latest_processes(tx):
        found = app.programs.package(tx, row["version_id"]).message_types.get(key)
        if found is not None:
            return found
    raise RegistrationRefusedError(
        f"no deployed procedure knows message type {key!r}", hint="'dienstweg model show' lists them"
    )


def list_arrivals(
    app: "Installation", actor: Actor, *, everything: bool = False, limit: int = PAGE, offset: int = 0
) -> list[ArrivalLine]:
    """Return the arrivals a clerk must look at, oldest first; or all of them, newest first."""
    query = select(*_LINE).where(visible_to(actor, arrivals))
    if everything:
        query = query.order_by(arrivals.c.received_at.desc(), arrivals.c.id)
    else:
        query = query.where(arrivals.c.status.in_(OPEN)).order_by(arrivals.c.received_at, arrivals.c.id)
    with app.read() as tx:
        return [ArrivalLine(*row) for row in tx.execute(query.limit(limit).offset(offset))]


def show_arrival(app: "Installation", actor: Actor, key: str) -> dict[str, Any]:
    """Return an arrival with its data, files, remarks and what its files' signatures were found to be.

    Raises ArrivalUnknownError.
    """
    with app.read() as tx:
        row = find_arrival(tx, actor, key)
        parts = parts_of(app, tx, row["id"], proofs=True)
    signatures = [p.path.read_text(encoding="utf-8") for p in parts if (p.name, p.role) == (RECORD, PROOF)]
    return {
        **row,
        "parts": [{"name": p.name, "media_type": p.media_type, "role": p.role} for p in parts],
        "signatures": next(iter(signatures), None),
    }


def find_arrival(tx: Connection, actor: Actor, key: str) -> RowMapping:
    """Return the row of an arrival that ``actor`` may see, by the beginning of its number.

    Raises ArrivalUnknownError.
    """
    query = select(arrivals).where(visible_to(actor, arrivals))
    rows = tx.execute(
        query.where(or_(arrivals.c.id == key, arrivals.c.id.startswith(key))).limit(2)
    ).mappings()
    found = list(rows)
    if len(found) != 1 or len(key) < 6:
        raise ArrivalUnknownError(f"no arrival {key!r}", hint="'dienstweg arrival list' shows them")
    return found[0]


def refuse_settled(row: RowMapping) -> None:
    """Raise ArrivalSettledError where nothing is left to decide."""
    if row["status"] not in OPEN:
        raise ArrivalSettledError(f"arrival {row['id'][:8]} is {row['status']} already")


def _set(tx: Connection, arrival_id: str, **values: Any) -> None:
    tx.execute(update(arrivals).where(arrivals.c.id == arrival_id).values(**values))


def arrival_line(tx: Connection, arrival_id: str) -> ArrivalLine:
    """Return an arrival as listings show it."""
    return ArrivalLine(*tx.execute(select(*_LINE).where(arrivals.c.id == arrival_id)).one())


__all__ = [
    "ArrivalLine",
    "CodeRefusedError",
    "PaperArrival",
    "RegistrationRefusedError",
    "SenderMismatchError",
    "arrival_line",
    "deployed_type",
    "find_arrival",
    "list_arrivals",
    "refuse_settled",
    "register",
    "show_arrival",
]
