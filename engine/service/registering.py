"""What a clerk does with arrivals: registering paper, assigning what did not match, rejecting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, or_, select, update

from engine.actor import Actor, Role
from engine.definitions.message_types import check_data
from engine.errors import ConflictError, NotFoundError, RefusedError
from engine.exchange.codes import Standing, read_code
from engine.exchange.decision import POST
from engine.exchange.ports import Assurance, MessageType, Part, Reading, Reference
from engine.service import filing, matching, receiving
from engine.service.access import require
from engine.service.cases import find_case
from engine.service.directory import find_authority
from engine.service.files import read_upload
from engine.service.starting import latest_processes
from engine.store.scope import visible_to
from engine.store.tables import arrivals, exchanges

if TYPE_CHECKING:
    from engine.service.installation import Installation

_ZONE = ZoneInfo("Europe/Berlin")
PAGE = 50
OPEN = ("new", "unmatched", "unconfirmed", "unreadable", "invalid", "late", "filed")
"""States in which a clerk has something to do with an arrival."""


class ArrivalUnknownError(NotFoundError):
    """There is no such arrival."""


class ArrivalSettledError(ConflictError):
    """The arrival has been dealt with already."""


class RegistrationRefusedError(RefusedError):
    """The arrival cannot be registered like this."""


class CodeRefusedError(RefusedError):
    """The printed code cannot be used."""


class SenderMismatchError(RefusedError):
    """The sender is not the one this exchange went to."""


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


@dataclass(frozen=True, slots=True)
class ArrivalLine:
    """An arrival in a listing."""

    id: str
    channel: str
    received_at: datetime
    status: str
    claimed_sender_id: str | None
    assurance: str
    message_type: str | None
    sender_reference: str | None
    case_id: str | None
    reason: str | None


_LINE = [arrivals.c[name] for name in ArrivalLine.__dataclass_fields__]


def register(app: "Installation", actor: Actor, paper: PaperArrival) -> ArrivalLine:
    """Register a letter: it begins, continues or answers a case like an electronic message would.

    The clerk vouches for the sender. Raises CodeRefusedError for an unreadable or forged code,
    AuthorityUnknownError, RegistrationRefusedError, SenderMismatchError, MessageDataRefusedError.
    """
    require(actor, Role.CLERK)
    received = _received(app, paper)
    with app.write() as tx:
        sender = find_authority(tx, paper.sender)
        message_type = _message_type(app, tx, paper.message_type)
        references, sender_exchange = _references(app, tx, actor, paper, sender.id)
        reading = Reading(
            message_type=message_type.key,
            version=message_type.version,
            data=check_data(message_type, paper.data),
            documents=(),
            references=references,
            sender_id=sender.id,
            sender_exchange=sender_exchange,
            sender_reference=paper.sender_reference,
        )
        arrival_id = receiving.add_arrival(
            app,
            tx,
            authority_id=actor.authority_id,
            channel=POST,
            carrier_reference=f"paper:{app.ids.new()}",
            received_at=received,
            sender_id=None,
            assurance=Assurance.NONE.value,
            registered_by=actor.person_id,
        )
        parts = [_scan(path) for path in paper.scans]
        receiving.add_parts(app, tx, actor.authority_id, arrival_id, parts)
        vouched = matching.Sender(sender.id, sure=True, by=actor.person_id)
        matching.note_reading(tx, arrival_id, reading, vouched)
        matching.settle(app, tx, arrival_id, reading, vouched)
        return _line(tx, arrival_id)


def _received(app: "Installation", paper: PaperArrival) -> datetime:
    now = app.clock.now()
    if paper.received_on is None or paper.received_on == now.astimezone(_ZONE).date():
        return now
    if paper.received_on > now.astimezone(_ZONE).date():
        raise RegistrationRefusedError("the day of receipt lies in the future")
    return datetime.combine(paper.received_on, time(12), _ZONE)


def _scan(path: Path) -> Part:
    upload = read_upload(path)
    return Part(upload.name, upload.media_type, upload.path, "scan")


def _message_type(app: "Installation", tx: Connection, key: str) -> MessageType:
    """Return a deployed message type from the newest version that has it."""
    for row in latest_processes(tx):
        found = app.programs.package(tx, row["version_id"]).message_types.get(key)
        if found is not None:
            return found
    raise RegistrationRefusedError(
        f"no deployed procedure knows message type {key!r}", hint="'dienstweg model show' lists them"
    )


def _references(
    app: "Installation", tx: Connection, actor: Actor, paper: PaperArrival, sender_id: str
) -> tuple[list[Reference], str | None]:
    """Turn printed codes and file references into references.

    An own code names the exchange that is answered. A foreign code is the sender's exchange: one that came
    before names the case that goes on, a new one is the letter's own identity.
    """
    references: list[Reference] = []
    own_identity: str | None = None
    for text in paper.codes:
        reading = read_code(text, app.settings.code, app.secret)
        if reading.code is None or reading.standing is Standing.FORGED:
            hint = f"probably {reading.suggestion} is meant" if reading.suggestion else None
            raise CodeRefusedError(reading.explanation, where=f"code {text!r}", hint=hint)
        code = reading.code.whole()
        if reading.standing is Standing.OWN:
            references.append(Reference("code", _own_exchange(tx, actor, code.key, text, sender_id)))
        elif _came_before(tx, actor, code.key):
            references.append(Reference("exchange", code.text))
            own_identity = own_identity or code.text
        else:
            own_identity = code.text
    if paper.own_reference:
        references.append(Reference("file-reference", paper.own_reference))
    return references, own_identity


def _own_exchange(tx: Connection, actor: Actor, key: str, text: str, sender_id: str) -> str:
    """Return the exchange an own code stands for; refuse it from anybody but its recipient."""
    exchange = (
        tx.execute(
            select(exchanges).where(
                exchanges.c.authority_id == actor.authority_id, exchanges.c.code_key == key
            )
        )
        .mappings()
        .one_or_none()
    )
    if exchange is None:
        raise RegistrationRefusedError(
            f"code {text} is ours, but belongs to no exchange of this authority",
            hint="check the recipient of the letter; another authority of this installation may be meant",
        )
    if exchange["recipient_id"] != sender_id:
        raise SenderMismatchError(
            f"code {text} was sent to {exchange['recipient_id']}, not to {sender_id}",
            hint="check the sender; register without the code and assign the arrival if it is right",
        )
    found: str = exchange["id"]
    return found


def _came_before(tx: Connection, actor: Actor, key: str) -> bool:
    earlier = select(arrivals.c.id).where(
        arrivals.c.authority_id == actor.authority_id, arrivals.c.sender_key == key
    )
    return tx.execute(earlier.limit(1)).first() is not None


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
    """Return an arrival with its data, files and remarks; raise ArrivalUnknownError."""
    with app.read() as tx:
        row = _find(tx, actor, key)
        parts = receiving.parts_of(app, tx, row["id"])
    return {**row, "parts": [{"name": p.name, "media_type": p.media_type, "role": p.role} for p in parts]}


def assign(app: "Installation", actor: Actor, key: str, case_key: str | None, reason: str) -> ArrivalLine:
    """Decide what an open arrival belongs to; the clerk vouches for its sender.

    With a case the arrival answers that case's open exchange with the sender, or is filed there; without
    one it is matched again as if its sender were proven. Raises ArrivalSettledError, CaseUnknownError.
    """
    require(actor, Role.CLERK)
    with app.write() as tx:
        row = _find(tx, actor, key)
        _refuse_settled(row)
        vouched = matching.Sender(row["claimed_sender_id"], sure=True, by=actor.person_id)
        reading = _reading(row)
        if case_key is not None:
            case = find_case(tx, actor, case_key)
            asked = _open_exchange(tx, case["id"], row["claimed_sender_id"])
            if asked is not None and row["message_type"]:
                reading = _reading(row, Reference("exchange", asked))
            else:
                filing.file_arrival(app, tx, row["id"], case, None, actor.person_id)
                _set(tx, row["id"], status="filed", case_id=case["id"], reason=reason)
                return _line(tx, row["id"])
        matching.settle(app, tx, row["id"], reading, vouched)
        return _line(tx, row["id"])


def reject(app: "Installation", actor: Actor, key: str, reason: str) -> ArrivalLine:
    """Put an arrival aside for good, with a reason; it is kept. Raises ArrivalSettledError."""
    require(actor, Role.CLERK)
    if not reason.strip():
        raise RegistrationRefusedError("a rejection needs its reason")
    with app.write() as tx:
        row = _find(tx, actor, key)
        _refuse_settled(row)
        _set(tx, row["id"], status="rejected", reason=f"{actor.person_id}: {reason}")
        return _line(tx, row["id"])


def _reading(row: RowMapping, *more: Reference) -> Reading:
    """Return what was understood of an arrival when it was read."""
    kept = [Reference(r["kind"], r["value"]) for r in row["references"]]
    return Reading(
        message_type=row["message_type"],
        version=row["message_version"],
        data=row["data"] or {},
        documents=(),
        references=[*more, *kept],
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


def _find(tx: Connection, actor: Actor, key: str) -> RowMapping:
    query = select(arrivals).where(visible_to(actor, arrivals))
    rows = tx.execute(
        query.where(or_(arrivals.c.id == key, arrivals.c.id.startswith(key))).limit(2)
    ).mappings()
    found = list(rows)
    if len(found) != 1 or len(key) < 6:
        raise ArrivalUnknownError(f"no arrival {key!r}", hint="'dienstweg arrival list' shows them")
    return found[0]


def _refuse_settled(row: RowMapping) -> None:
    if row["status"] not in OPEN:
        raise ArrivalSettledError(f"arrival {row['id'][:8]} is {row['status']} already")


def _set(tx: Connection, arrival_id: str, **values: Any) -> None:
    tx.execute(update(arrivals).where(arrivals.c.id == arrival_id).values(**values))


def _line(tx: Connection, arrival_id: str) -> ArrivalLine:
    return ArrivalLine(*tx.execute(select(*_LINE).where(arrivals.c.id == arrival_id)).one())


__all__ = [
    "ArrivalLine",
    "PaperArrival",
    "assign",
    "list_arrivals",
    "register",
    "reject",
    "show_arrival",
]
