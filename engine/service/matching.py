"""Which exchange or case an arrival belongs to (DESIGN: "Between authorities there are only messages").

In this order: a technical confirmation of a dispatch; a duplicate; the answer to an own exchange; a further
message to a case that an earlier arrival began; a message that begins a case; else a clerk's arrivals list.
A sender that is not surely the exchange's recipient changes nothing until a clerk has confirmed it.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, or_, select, update

from engine.definitions.message_types import MessageDataRefusedError, incoming_data
from engine.exchange.codes import exchange_key
from engine.exchange.ports import Assurance, MessageType, Reading
from engine.exchange.routes import may_answer
from engine.runtime import api
from engine.service import deadline_course, filing, outcomes, repeated
from engine.service.directory.authorities import AuthorityUnknownError, find_authority
from engine.service.messages import buffer_answer
from engine.service.paper_codes import by_sister
from engine.service.starting import Partner, begin, choose_by_message
from engine.store.locks import lock_name
from engine.store.tables import arrivals, cases, dispatches, exchanges, subscriptions

if TYPE_CHECKING:
    from engine.service.installation import Installation

SYSTEM = "system"
LOCAL_ZONE = ZoneInfo("Europe/Berlin")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent an arrival, and whether that is sure enough to act on."""

    authority_id: str | None
    sure: bool
    by: str = SYSTEM
    """Who vouches: the system for an authenticating carrier, a clerk for paper."""


def match(app: "Installation", tx: Connection, arrival: RowMapping, reading: Reading) -> str:
    """Find out what an electronic arrival belongs to, act on it, and return its new status."""
    reading = by_sister(tx, arrival["authority_id"], reading)
    authenticated = arrival["sender_id"] if arrival["assurance"] != Assurance.NONE.value else None
    if authenticated is not None and reading.sender_id not in (None, authenticated):
        # The channel and the message name different senders: neither is acted on before a clerk has looked.
        note_reading(tx, arrival["id"], reading, Sender(authenticated, sure=False))
        reason = f"it came from {authenticated}, but names {reading.sender_id} as its sender"
        return _set(tx, arrival, "unconfirmed", reason)
    sender = Sender(authenticated or reading.sender_id, authenticated is not None)
    return act(app, tx, arrival, reading, sender)


def act(app: "Installation", tx: Connection, arrival: RowMapping, reading: Reading, sender: Sender) -> str:
    """Keep what was read and act on it, for a sender that a carrier or a clerk knows; return the status."""
    note_reading(tx, arrival["id"], reading, sender)
    if reading.confirmation is not None:
        return _confirmation(app, tx, arrival, reading, sender)
    return settle(app, tx, arrival["id"], reading, sender)


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


def settle(app: "Installation", tx: Connection, arrival_id: str, reading: Reading, sender: Sender) -> str:
    """Act on a business message; returns the arrival's new status, which is written as well."""
    arrival = tx.execute(select(arrivals).where(arrivals.c.id == arrival_id)).mappings().one()
    if arrival["sender_key"] is not None:
        # The same exchange may come twice at the same instant, on paper and electronically.
        lock_name(tx, f"exchange:{arrival['authority_id']}:{arrival['sender_key']}")
    twin = repeated.same_exchange(tx, arrival, sender)
    if twin is not None:
        return _set(tx, arrival, "duplicate", f"the same exchange came as {twin['id']}", twin["case_id"])
    exchange = _own_exchange(tx, arrival["authority_id"], reading)
    if exchange is not None:
        return _answer(app, tx, arrival, exchange, reading, sender)
    earlier = _earlier(tx, arrival, reading)
    if earlier is not None:
        asked = _asked(app, tx, earlier["case_id"], reading, sender)
        if asked is not None:
            return _answer(app, tx, arrival, asked, reading, sender)
        return continue_case(app, tx, arrival, earlier["case_id"], reading, sender)
    return _start(app, tx, arrival, reading, sender)


def _confirmation(
    app: "Installation", tx: Connection, arrival: RowMapping, reading: Reading, sender: Sender
) -> str:
    """Record the technical confirmation of an own dispatch as fact and evidence."""
    values = [reference.value for reference in reading.references]
    dispatch = (
        tx.execute(
            select(dispatches, exchanges.c.case_id, exchanges.c.recipient_id)
            .join(exchanges, exchanges.c.id == dispatches.c.exchange_id)
            .where(
                dispatches.c.authority_id == arrival["authority_id"],
                or_(
                    dispatches.c.id.in_(values),
                    dispatches.c.exchange_id.in_(values),
                    dispatches.c.carrier_reference.in_(values),
                ),
            )
            .order_by(dispatches.c.number.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    if dispatch is None or reading.confirmation is None:
        return _set(tx, arrival, "unmatched", "confirms nothing that was sent from here")
    if not sender.sure or sender.authority_id != dispatch["recipient_id"]:
        return _set(tx, arrival, "unconfirmed", "the sender is not surely the one it was sent to")
    exchange = tx.execute(select(exchanges).where(exchanges.c.id == dispatch["exchange_id"])).mappings().one()
    proof = filing.keep_as_evidence(app, tx, arrival["id"], exchange["case_id"], exchange["id"], "receipt")
    outcomes.add_fact(
        app,
        tx,
        exchange,
        dispatch["id"],
        reading.confirmation.kind,
        arrival["received_at"],
        arrival["channel"],
        SYSTEM,
        evidence_id=proof or arrival["id"],
    )
    if reading.confirmation.kind == "rejected":
        text = f"{exchange['subject']} was rejected: {reading.confirmation.reason or 'no reason given'}"
        outcomes.open_incident(app, tx, exchange, "rejected", dispatch["id"], text)
    return _set(tx, arrival, "confirmation", None, exchange["case_id"], exchange["id"])


def _own_exchange(tx: Connection, authority_id: str, reading: Reading) -> RowMapping | None:
    """Return the own exchange that the arrival says it answers."""
    values = [reference.value for reference in reading.references if reference.kind != "file-reference"]
    keys = [exchange_key(value) for value in values]
    if not values:
        return None
    return (
        tx.execute(
            select(exchanges)
            .where(
                exchanges.c.authority_id == authority_id,
                or_(exchanges.c.id.in_(values), exchanges.c.code_key.in_(keys)),
            )
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )


def _answer(
    app: "Installation",
    tx: Connection,
    arrival: RowMapping,
    exchange: RowMapping,
    reading: Reading,
    sender: Sender,
) -> str:
    """Bring an answer to the step that waits for it."""
    where = (exchange["case_id"], exchange["id"])
    exchange = repeated.held(tx, exchange)
    twice = repeated.same_answer(tx, arrival, exchange, reading, sender)
    if twice is not None:
        return _set(tx, arrival, "duplicate", twice, *where)
    answered = repeated.already_answered(tx, exchange)
    case = case_row(tx, exchange["case_id"])
    if case["status"] != "open":
        ended = f"case {case['own_reference']} has ended"
        return _set(tx, arrival, "late", f"{ended}; {answered}" if answered else ended, *where)
    if not sender.sure:
        reason = answered or "the channel does not prove who sent it"
        return _set(tx, arrival, "unconfirmed", reason, *where)
    if sender.authority_id not in may_answer(
        exchange["id"], exchange["recipient_id"], exchange["data"], reading
    ):
        reason = f"answers an exchange with {exchange['recipient_id']}, but comes from {sender.authority_id}"
        return _set(tx, arrival, "unconfirmed", reason, *where)
    message_type = _type_for(app, tx, case, reading)
    if message_type is None:
        return _set(tx, arrival, "unmatched", _unknown_type(reading), *where)
    payload = _payload(tx, arrival, message_type, reading, sender)
    if isinstance(payload, str):
        return _set(tx, arrival, "invalid", payload, *where)
    filing.file_arrival(app, tx, arrival["id"], case, exchange["id"], sender.by, reading)
    filing.learn_partner(tx, case, sender.authority_id, reading.sender_reference)
    wait = _wait(tx, case["id"], answers=exchange["key"], event=message_type.key)
    if wait is None and answered is not None:
        return _set(tx, arrival, "filed", answered, *where)
    outcomes.answered(app, tx, exchange, arrival, sender.by)
    if wait is None:
        buffer_answer(
            app,
            tx,
            authority_id=case["authority_id"],
            case_id=case["id"],
            answers=exchange["key"],
            name=message_type.key,
            payload=payload,
            origin=f"arrival/{arrival['id']}",
        )
    else:
        _deliver(app, tx, wait, message_type, payload, sender)
    return _set(tx, arrival, "matched", None, *where)


def continue_case(
    app: "Installation",
    tx: Connection,
    arrival: RowMapping,
    case_id: str,
    reading: Reading,
    sender: Sender,
) -> str:
    """Bring a further message of the partner to the case that an earlier one of it belongs to."""
    case = case_row(tx, case_id)
    if not sender.sure or sender.authority_id != case["partner_id"]:
        return _set(tx, arrival, "unconfirmed", "the sender is not surely the case's partner", case["id"])
    message_type = _type_for(app, tx, case, reading)
    if message_type is None:
        return _set(tx, arrival, "unmatched", _unknown_type(reading), case["id"])
    payload = _payload(tx, arrival, message_type, reading, sender)
    if isinstance(payload, str):
        return _set(tx, arrival, "invalid", payload, case["id"])
    if case["status"] != "open":
        return _set(tx, arrival, "late", f"case {case['own_reference']} has ended", case["id"])
    filing.file_arrival(app, tx, arrival["id"], case, None, sender.by, reading)
    wait = _wait(tx, case["id"], answers=None, event=message_type.key)
    if wait is None:
        return _set(tx, arrival, "filed", "the case does not wait for this message", case["id"])
    _deliver(app, tx, wait, message_type, payload, sender)
    return _set(tx, arrival, "matched", None, case["id"])


def _start(app: "Installation", tx: Connection, arrival: RowMapping, reading: Reading, sender: Sender) -> str:
    """Begin the case that the message asks for, or leave the arrival to a clerk."""
    choice = choose_by_message(tx, reading.message_type) if reading.message_type else None
    if choice is None:
        return _set(tx, arrival, "unmatched", _unknown_type(reading))
    if not sender.sure:
        return _set(tx, arrival, "unconfirmed", "the channel does not prove who sent it")
    message_type = app.programs.message_type(tx, choice.version_id, str(reading.message_type))
    payload = _payload(tx, arrival, message_type, reading, sender)
    if isinstance(payload, str):
        return _set(tx, arrival, "invalid", payload)
    case_id = begin(
        app,
        tx,
        arrival["authority_id"],
        choice,
        payload,
        by=sender.by,
        partner=Partner(sender.authority_id, reading.sender_reference),
    )
    filing.file_arrival(app, tx, arrival["id"], case_row(tx, case_id), None, sender.by, reading)
    deadline_course.arrived(app, tx, case_id, arrival["id"], choice.start_event, sender.by)
    return _set(tx, arrival, "started", None, case_id)


def _deliver(
    app: "Installation",
    tx: Connection,
    wait: RowMapping,
    message_type: MessageType,
    payload: Mapping[str, Any],
    sender: Sender,
) -> None:
    from engine.service.advance import move

    move(app, tx, wait["case_id"], api.DeliverMessage(wait["id"], message_type.key, payload), sender.by)


def _earlier(tx: Connection, arrival: RowMapping, reading: Reading) -> RowMapping | None:
    """Return the case that the arrival names: by an exchange of the partner that came before, or by our
    file reference."""
    values = [exchange_key(r.value) for r in reading.references if r.kind != "file-reference"]
    own = [r.value for r in reading.references if r.kind == "file-reference"]
    by_exchange = select(arrivals.c.case_id).where(
        arrivals.c.authority_id == arrival["authority_id"],
        arrivals.c.sender_key.in_(values),
        arrivals.c.case_id.is_not(None),
        arrivals.c.id != arrival["id"],
    )
    by_reference = select(cases.c.id.label("case_id")).where(
        cases.c.authority_id == arrival["authority_id"], cases.c.own_reference.in_(own)
    )
    for query, known in ((by_exchange, values), (by_reference, own)):
        found = tx.execute(query.limit(1)).mappings().first() if known else None
        if found is not None:
            return found
    return None


def _asked(
    app: "Installation", tx: Connection, case_id: str, reading: Reading, sender: Sender
) -> RowMapping | None:
    """Return the case's open exchange that a message of this type answers, where only one can be meant."""
    message_type = _type_for(app, tx, case_row(tx, case_id), reading)
    if message_type is None or not message_type.answers:
        return None
    rows = (
        tx.execute(
            select(exchanges).where(
                exchanges.c.case_id == case_id,
                exchanges.c.recipient_id == sender.authority_id,
                exchanges.c.message_type.in_(message_type.answers),
                exchanges.c.status == "open",
            )
        )
        .mappings()
        .all()
    )
    return rows[0] if len(rows) == 1 else None


def _type_for(app: "Installation", tx: Connection, case: RowMapping, reading: Reading) -> MessageType | None:
    if reading.message_type is None:
        return None
    return app.programs.package(tx, case["version_id"]).message_types.get(reading.message_type)


def _unknown_type(reading: Reading) -> str:
    if reading.message_type is None:
        return "the message type is not known; register it by hand"
    return f"no deployed procedure takes {reading.message_type!r} here"


def _payload(
    tx: Connection,
    arrival: RowMapping,
    message_type: MessageType,
    reading: Reading,
    sender: Sender,
) -> dict[str, Any] | str:
    """Return what the message adds to a case, or why its data cannot be used."""
    name = sender.authority_id or ""
    with suppress(AuthorityUnknownError):  # Unknown authorities keep their key as their name.
        name = find_authority(tx, name).name
    about = {
        "absender": sender.authority_id,
        "name": name,
        "aktenzeichen": reading.sender_reference,
        "datum": arrival["received_at"].astimezone(LOCAL_ZONE).date().isoformat(),
        "kanal": arrival["channel"],
    }
    try:
        return incoming_data(message_type, reading.data, about)
    except MessageDataRefusedError as error:
        return str(error)


def _wait(tx: Connection, case_id: str, *, answers: str | None, event: str) -> RowMapping | None:
    """Return the open wait for an answer to ``answers``, or for ``event`` without one; oldest first."""
    asked = subscriptions.c.answers == answers if answers else subscriptions.c.answers.is_(None)
    rows = (
        tx.execute(
            select(subscriptions)
            .where(subscriptions.c.case_id == case_id, subscriptions.c.kind == "message", asked)
            .order_by(subscriptions.c.opened_at, subscriptions.c.id)
        )
        .mappings()
        .all()
    )
    named = [row for row in rows if row["event"] == event]
    if named or answers is None:
        return named[0] if named else None
    return next((row for row in rows if row["event"] is None), None)


def waits_for(tx: Connection, case_id: str, event: str) -> bool:
    """Tell whether the case waits for a message of this type that answers nothing."""
    return _wait(tx, case_id, answers=None, event=event) is not None


def case_row(tx: Connection, case_id: str) -> RowMapping:
    """Return a case's row."""
    return tx.execute(select(cases).where(cases.c.id == case_id)).mappings().one()


def _set(
    tx: Connection,
    arrival: RowMapping,
    status: str,
    reason: str | None,
    case_id: str | None = None,
    exchange_id: str | None = None,
) -> str:
    tx.execute(
        update(arrivals)
        .where(arrivals.c.id == arrival["id"])
        .values(status=status, reason=reason, case_id=case_id, exchange_id=exchange_id)
    )
    return status
