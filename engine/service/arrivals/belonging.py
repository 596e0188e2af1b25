"""What an arrival can belong to: an own exchange, a case, a step that waits. Nothing is written here."""

from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, or_, select

from engine.exchange.codes import exchange_key
from engine.exchange.ports import MessageType, Reading
from engine.service.arrivals.rows import Sender
from engine.store.tables import arrivals, cases, exchanges, subscriptions

if TYPE_CHECKING:
    from engine.service.installation import Installation


def own_exchange(tx: Connection, authority_id: str, reading: Reading) -> RowMapping | None:
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


def earlier_case(tx: Connection, arrival: RowMapping, reading: Reading) -> RowMapping | None:
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


def asked_exchange(
    app: "Installation", tx: Connection, case_id: str, reading: Reading, sender: Sender
) -> RowMapping | None:
    """Return the case's open exchange that a message of this type answers, where only one can be meant."""
    message_type = type_for(app, tx, case_row(tx, case_id), reading)
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


def type_for(app: "Installation", tx: Connection, case: RowMapping, reading: Reading) -> MessageType | None:
    """Return the message type of an arrival as the case's procedure knows it."""
    if reading.message_type is None:
        return None
    return app.programs.package(tx, case["version_id"]).message_types.get(reading.message_type)


def open_wait(tx: Connection, case_id: str, *, answers: str | None, event: str) -> RowMapping | None:
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
    return open_wait(tx, case_id, answers=None, event=event) is not None


def case_row(tx: Connection, case_id: str) -> RowMapping:
    """Return a case's row."""
    return tx.execute(select(cases).where(cases.c.id == case_id)).mappings().one()
