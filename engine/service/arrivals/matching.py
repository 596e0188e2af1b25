"""Which exchange or case an arrival belongs to (DESIGN: "Between authorities there are only messages").

In this order: a technical confirmation of a dispatch; a duplicate; the answer to an own exchange; a further
message to a case that an earlier arrival began; a message that begins a case; else a clerk's arrivals list.
A sender that is not surely the exchange's recipient changes nothing until a clerk has confirmed it.
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, select

from engine.clock import LOCAL_ZONE
from engine.definitions.message_types import MessageDataRefusedError, incoming_data
from engine.exchange.ports import Assurance, MessageType, Reading
from engine.exchange.routes import may_answer
from engine.runtime import api
from engine.service.advance import move
from engine.service.arrivals import filing, repeated
from engine.service.arrivals.belonging import (
    asked_exchange,
    case_row,
    earlier_case,
    open_wait,
    own_exchange,
    type_for,
)
from engine.service.arrivals.codes import by_sister
from engine.service.arrivals.receipts import note_confirmation
from engine.service.arrivals.rows import Sender, note_reading, set_status
from engine.service.deadlines import course as deadline_course
from engine.service.directory.authorities import AuthorityUnknownError, find_authority
from engine.service.exchanges import outcomes
from engine.service.message_buffer import buffer_answer
from engine.service.starting import Partner, begin, choose_by_message
from engine.store.locks import lock_name
from engine.store.tables import arrivals

if TYPE_CHECKING:
    from engine.service.installation import Installation


def match(app: "Installation", tx: Connection, arrival: RowMapping, reading: Reading) -> str:
    """Find out what an electronic arrival belongs to, act on it, and return its new status."""
    reading = by_sister(tx, arrival["authority_id"], reading)
    authenticated = arrival["sender_id"] if arrival["assurance"] != Assurance.NONE.value else None
    if authenticated is not None and reading.sender_id not in (None, authenticated):
        # The channel and the message name different senders: neither is acted on before a clerk has looked.
        note_reading(tx, arrival["id"], reading, Sender(authenticated, sure=False))
        reason = f"it came from {authenticated}, but names {reading.sender_id} as its sender"
        return set_status(tx, arrival, "unconfirmed", reason)
    sender = Sender(authenticated or reading.sender_id, authenticated is not None)
    return act(app, tx, arrival, reading, sender)


def act(app: "Installation", tx: Connection, arrival: RowMapping, reading: Reading, sender: Sender) -> str:
    """Keep what was read and act on it, for a sender that a carrier or a clerk knows; return the status."""
    note_reading(tx, arrival["id"], reading, sender)
    if reading.confirmation is not None:
        return note_confirmation(app, tx, arrival, reading, sender)
    return settle(app, tx, arrival["id"], reading, sender)


def settle(app: "Installation", tx: Connection, arrival_id: str, reading: Reading, sender: Sender) -> str:
    """Act on a business message; returns the arrival's new status, which is written as well."""
    arrival = tx.execute(select(arrivals).where(arrivals.c.id == arrival_id)).mappings().one()
    if arrival["sender_key"] is not None:
        # The same exchange may come twice at the same instant, on paper and electronically.
        lock_name(tx, f"exchange:{arrival['authority_id']}:{arrival['sender_key']}")
    twin = repeated.same_exchange(tx, arrival, sender)
    if twin is not None:
        return set_status(
            tx, arrival, "duplicate", f"the same exchange came as {twin['id']}", twin["case_id"]
        )
    exchange = own_exchange(tx, arrival["authority_id"], reading)
    if exchange is not None:
        return _answer(app, tx, arrival, exchange, reading, sender)
    earlier = earlier_case(tx, arrival, reading)
    if earlier is not None:
        asked = asked_exchange(app, tx, earlier["case_id"], reading, sender)
        if asked is not None:
            return _answer(app, tx, arrival, asked, reading, sender)
        return continue_case(app, tx, arrival, earlier["case_id"], reading, sender)
    return _start(app, tx, arrival, reading, sender)


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
        return set_status(tx, arrival, "duplicate", twice, *where)
    answered = repeated.already_answered(tx, exchange)
    case = case_row(tx, exchange["case_id"])
    if case["status"] != "open":
        ended = f"case {case['own_reference']} has ended"
        return set_status(tx, arrival, "late", f"{ended}; {answered}" if answered else ended, *where)
    if not sender.sure:
        reason = answered or "the channel does not prove who sent it"
        return set_status(tx, arrival, "unconfirmed", reason, *where)
    if sender.authority_id not in may_answer(
        exchange["id"], exchange["recipient_id"], exchange["data"], reading
    ):
        reason = f"answers an exchange with {exchange['recipient_id']}, but comes from {sender.authority_id}"
        return set_status(tx, arrival, "unconfirmed", reason, *where)
    message_type = type_for(app, tx, case, reading)
    if message_type is None:
        return set_status(tx, arrival, "unmatched", _unknown_type(reading), *where)
    payload = _payload(tx, arrival, message_type, reading, sender)
    if isinstance(payload, str):
        return set_status(tx, arrival, "invalid", payload, *where)
    filing.file_arrival(app, tx, arrival["id"], case, exchange["id"], sender.by, reading)
    filing.learn_partner(tx, case, sender.authority_id, reading.sender_reference)
    wait = open_wait(tx, case["id"], answers=exchange["key"], event=message_type.key)
    if wait is None and answered is not None:
        return set_status(tx, arrival, "filed", answered, *where)
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
    return set_status(tx, arrival, "matched", None, *where)


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
        return set_status(
            tx, arrival, "unconfirmed", "the sender is not surely the case's partner", case["id"]
        )
    message_type = type_for(app, tx, case, reading)
    if message_type is None:
        return set_status(tx, arrival, "unmatched", _unknown_type(reading), case["id"])
    payload = _payload(tx, arrival, message_type, reading, sender)
    if isinstance(payload, str):
        return set_status(tx, arrival, "invalid", payload, case["id"])
    if case["status"] != "open":
        return set_status(tx, arrival, "late", f"case {case['own_reference']} has ended", case["id"])
    filing.file_arrival(app, tx, arrival["id"], case, None, sender.by, reading)
    wait = open_wait(tx, case["id"], answers=None, event=message_type.key)
    if wait is None:
        return set_status(tx, arrival, "filed", "the case does not wait for this message", case["id"])
    _deliver(app, tx, wait, message_type, payload, sender)
    return set_status(tx, arrival, "matched", None, case["id"])


def _start(app: "Installation", tx: Connection, arrival: RowMapping, reading: Reading, sender: Sender) -> str:
    """Begin the case that the message asks for, or leave the arrival to a clerk."""
    choice = choose_by_message(tx, reading.message_type) if reading.message_type else None
    if choice is None:
        return set_status(tx, arrival, "unmatched", _unknown_type(reading))
    if not sender.sure:
        return set_status(tx, arrival, "unconfirmed", "the channel does not prove who sent it")
    message_type = app.programs.message_type(tx, choice.version_id, str(reading.message_type))
    payload = _payload(tx, arrival, message_type, reading, sender)
    if isinstance(payload, str):
        return set_status(tx, arrival, "invalid", payload)
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
    return set_status(tx, arrival, "started", None, case_id)


def _deliver(
    app: "Installation",
    tx: Connection,
    wait: RowMapping,
    message_type: MessageType,
    payload: Mapping[str, Any],
    sender: Sender,
) -> None:
    move(app, tx, wait["case_id"], api.DeliverMessage(wait["id"], message_type.key, payload), sender.by)


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
