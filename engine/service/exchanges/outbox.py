"""From a model's send to an exchange: recipient, message type, data, documents, references."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, insert, or_, select, update

from engine.clock import LOCAL_ZONE, local_day
from engine.deadlines.counting import move_to_working_day
from engine.deadlines.iso import add_period, parse_period
from engine.definitions.message_types import outgoing_data
from engine.errors import RefusedError
from engine.exchange.codes import exchange_key
from engine.exchange.ports import FormClass, MessageType
from engine.runtime import api
from engine.service.directory.authorities import Authority, find_authority
from engine.service.migration import ledger
from engine.store.tables import arrivals, case_documents, cases, exchange_documents, exchanges

if TYPE_CHECKING:
    from engine.service.advance import CaseRow
    from engine.service.installation import Installation


class SendRefusedError(RefusedError):
    """A message cannot be made from what the case knows."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The arrival that a message answers."""

    sender_exchange: str | None
    arrival_id: str
    exchange_id: str | None


def create_exchange(app: "Installation", tx: Connection, case: "CaseRow", send: api.Send, by: str) -> str:
    """Record the exchange that ``send`` asks for and enqueue its dispatch; return its id.

    Everything commits with the advance. Raises SendRefusedError, or the message type's own refusal where
    the data does not fit its schema, so that whoever moved the case sees what is missing.
    """
    from engine.definitions.letters import render_subject

    package = app.programs.package(tx, case.version_id)
    message_type = package.message_types.get(send.message)
    if message_type is None:
        raise SendRefusedError(
            f"message type {send.message!r} is not part of this procedure", where=send.element_id
        )
    recipient = _recipient(tx, send, case.authority_id)
    data = outgoing_data(message_type, send.data)
    answered = _answered(tx, case, message_type, recipient.id)
    now = app.clock.now()
    subject = render_subject(
        message_type,
        data,
        sender=find_authority(tx, case.authority_id).party(),
        recipient=recipient.party(),
        own_reference=case.own_reference,
        partner_reference=case.partner_reference,
        on=local_day(now),
    )
    exchange_id = str(app.ids.new())
    tx.execute(
        insert(exchanges).values(
            id=exchange_id,
            authority_id=case.authority_id,
            case_id=case.id,
            key=send.key,
            code_key=exchange_key(exchange_id),
            procedure_key=case.procedure_key,
            element_id=send.element_id,
            message_type=message_type.key,
            message_version=message_type.version,
            recipient_id=recipient.id,
            form=_form(message_type, send).value,
            subject=subject,
            data=data,
            fallback=send.attributes.get("fallback", "post"),
            answer_to=answered.sender_exchange if answered else None,
            own_answer_to=answered.arrival_id if answered else None,
            reminds=_reminded(tx, case, send),
            answer_due=_answer_due(app, case, send, now),
            created_at=now,
            status="open",
        )
    )
    attached = _attach_documents(tx, case, send, exchange_id)
    _check_documents(message_type, attached, send)
    if case.partner_id is None:
        tx.execute(update(cases).where(cases.c.id == case.id).values(partner_id=recipient.id))
    app.queue.enqueue(
        tx, "send", {"exchange": exchange_id}, authority_id=case.authority_id, key=f"send:{exchange_id}"
    )
    ledger.touch(app, tx, exchange_id)
    return exchange_id


def _recipient(tx: Connection, send: api.Send, own: str) -> Authority:
    value = send.values.get("recipient")
    if not isinstance(value, str) or not value:
        raise SendRefusedError(
            f"the recipient of {send.message!r} is {value!r}",
            where=send.element_id,
            hint="dw:recipient must give an authority's key, e.g. an AGS of eight digits",
        )
    found = find_authority(tx, value)
    if found.id == own:
        raise SendRefusedError(
            f"{found.name} would write to itself", where=send.element_id, hint="name the other authority"
        )
    return found


def _form(message_type: MessageType, send: api.Send) -> FormClass:
    return FormClass(send.attributes["form"]) if "form" in send.attributes else message_type.form


def _answer_due(app: "Installation", case: "CaseRow", send: api.Send, now: datetime) -> date | None:
    """Return the day by which the sender wants an answer: its own wish, not a statutory period.

    Like a period that an authority sets it ends on a working day of the place where the answer is due (§ 31
    Abs. 3 VwVfG).
    """
    within = send.attributes.get("answerWithin")
    if not within:
        return None
    day = add_period(now.astimezone(LOCAL_ZONE), parse_period(within)).date()
    calendar = app.settings.deadlines.calendars.for_authority(case.authority_id)
    return move_to_working_day(day, calendar, "§ 31 Abs. 3 VwVfG")[0]


def _answered(tx: Connection, case: "CaseRow", message_type: MessageType, recipient: str) -> Answered | None:
    if not message_type.answers:
        return None
    row = tx.execute(
        select(arrivals.c.id, arrivals.c.sender_exchange, arrivals.c.exchange_id)
        .where(
            arrivals.c.case_id == case.id,
            arrivals.c.message_type.in_(message_type.answers),
            or_(arrivals.c.sender_id == recipient, arrivals.c.claimed_sender_id == recipient),
        )
        .order_by(arrivals.c.registered_at.desc())
        .limit(1)
    ).one_or_none()
    return Answered(row.sender_exchange, row.id, row.exchange_id) if row else None


def _reminded(tx: Connection, case: "CaseRow", send: api.Send) -> str | None:
    if send.reminds is None:
        return None
    found: str | None = tx.scalar(
        select(exchanges.c.id).where(exchanges.c.case_id == case.id, exchanges.c.key == send.reminds)
    )
    return found


def _attach_documents(
    tx: Connection, case: "CaseRow", send: api.Send, exchange_id: str
) -> list[Mapping[str, Any]]:
    """Attach the case documents that ``dw:documents`` names, by id, role or file name."""
    wanted = _names(send.values.get("documents"))
    if not wanted:
        return []
    rows = tx.execute(
        select(case_documents)
        .where(
            and_(
                case_documents.c.case_id == case.id,
                or_(
                    case_documents.c.id.in_(wanted),
                    case_documents.c.role.in_(wanted),
                    case_documents.c.name.in_(wanted),
                ),
            )
        )
        .order_by(case_documents.c.added_at, case_documents.c.name, case_documents.c.id)
    ).mappings()
    attached: list[Mapping[str, Any]] = [dict(row) for row in rows]
    for position, row in enumerate(attached):
        kept: Mapping[str, Any] = {name: row[name] for name in ("sha256", "name", "media_type", "size")}
        tx.execute(
            insert(exchange_documents).values(
                exchange_id=exchange_id, position=position, authority_id=case.authority_id, **kept
            )
        )
    return attached


def _check_documents(message_type: MessageType, attached: list[Mapping[str, Any]], send: api.Send) -> None:
    """Hold what is attached against what the message type says of its documents."""
    for wanted in message_type.documents:
        found = [row for row in attached if row["role"] == wanted["key"]]
        title = wanted.get("title", wanted["key"])
        if wanted.get("required") and not found:
            raise SendRefusedError(
                f"{message_type.title} needs the document {title!r}",
                where=send.element_id,
                hint=f"add it first: dienstweg document add CASE FILE --role {wanted['key']}",
            )
        if len(found) > 1 and not wanted.get("multiple"):
            raise SendRefusedError(
                f"{title!r} is there {len(found)} times, only one may go", where=send.element_id
            )
        types = wanted.get("media_types") or ()
        for row in found:
            if types and row["media_type"] not in types:
                raise SendRefusedError(
                    f"{row['name']} is {row['media_type']}",
                    where=send.element_id,
                    hint=f"use {', '.join(types)}",
                )


def _names(value: Any) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return [str(name) for name in value]
