"""Exchanges as people see them: where each stands, what carried it, and why that way."""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, or_, select

from engine.actor import Actor
from engine.errors import NotFoundError
from engine.service.deadlines import listing
from engine.service.exchanges.sending import decide_channel
from engine.store.scope import visible_to
from engine.store.tables import cases, dispatch_parts, dispatches, evidence, exchanges, facts

if TYPE_CHECKING:
    from engine.service.installation import Installation

PAGE = 50


class ExchangeUnknownError(NotFoundError):
    """There is no such exchange."""


@dataclass(frozen=True, slots=True)
class ExchangeLine:
    """An exchange in a listing."""

    id: str
    case_id: str
    own_reference: str
    message_type: str
    subject: str
    recipient_id: str
    status: str
    created_at: datetime
    answer_due: date | None
    answered_at: datetime | None


_LINE = [
    (cases if name == "own_reference" else exchanges).c[name] for name in ExchangeLine.__dataclass_fields__
]


def list_exchanges(
    app: "Installation",
    actor: Actor,
    *,
    status: str | None = None,
    case: str | None = None,
    limit: int = PAGE,
    offset: int = 0,
) -> list[ExchangeLine]:
    """Return exchanges, newest first."""
    query = (
        select(*_LINE)
        .join(cases, cases.c.id == exchanges.c.case_id)
        .where(visible_to(actor, exchanges), visible_to(actor, cases))
    )
    if status:
        query = query.where(exchanges.c.status == status)
    if case:
        query = query.where(or_(cases.c.id == case, cases.c.own_reference == case))
    query = query.order_by(exchanges.c.created_at.desc(), exchanges.c.id)
    with app.read() as tx:
        return [ExchangeLine(*row) for row in tx.execute(query.limit(limit).offset(offset))]


def show_exchange(app: "Installation", actor: Actor, key: str) -> dict[str, Any]:
    """Return an exchange with data, dispatches, facts, evidence and deadlines; raise ExchangeUnknownError."""
    with app.read() as tx:
        row = find_exchange(tx, actor, key)
        sent = [
            {**_public(dispatch), "parts": _parts(tx, dispatch["id"])}
            for dispatch in _rows(tx, dispatches, row["id"], dispatches.c.number)
        ]
        return {
            **row,
            "dispatches": sent,
            "facts": [dict(fact) for fact in _rows(tx, facts, row["id"], facts.c.at)],
            "evidence": [dict(kept) for kept in _rows(tx, evidence, row["id"], evidence.c.at)],
            "deadlines": listing.of_exchange(app, tx, row["id"]),
        }


def explain_exchange(app: "Installation", actor: Actor, key: str) -> dict[str, Any]:
    """Return why an exchange took the channel it took, and why not each other one.

    What was not yet sent is decided as of now, without changing anything. Raises ExchangeUnknownError.
    """
    with app.read() as tx:
        row = find_exchange(tx, actor, key)
        made = [
            {
                "number": dispatch["number"],
                "channel": dispatch["channel"],
                "state": dispatch["state"],
                "at": dispatch["created_at"],
                "decision": dispatch["decision"],
                "reason": dispatch["reason"],
            }
            for dispatch in _rows(tx, dispatches, row["id"], dispatches.c.number)
        ]
        pending = None
        if not made or made[-1]["state"] == "failed":
            failed = [dispatch["channel"] for dispatch in made]
            pending = asdict(decide_channel(app, tx, row, failed))
    return {"exchange": row["id"], "subject": row["subject"], "decisions": made, "now": pending}


def find_exchange(tx: Connection, actor: Actor, key: str) -> RowMapping:
    """Return the exchange with this id or unambiguous beginning of an id; raise ExchangeUnknownError."""
    rows = (
        tx.execute(
            select(exchanges)
            .join(cases, cases.c.id == exchanges.c.case_id)
            .where(
                visible_to(actor, exchanges),
                visible_to(actor, cases),
                or_(exchanges.c.id == key, exchanges.c.id.startswith(key)),
            )
            .limit(2)
        )
        .mappings()
        .all()
    )
    if len(rows) != 1 or len(key) < 6:
        raise ExchangeUnknownError(f"no exchange {key!r}", hint="'dienstweg exchange list' shows them")
    return rows[0]


def _rows(tx: Connection, table: Any, exchange_id: str, order: Any) -> list[RowMapping]:
    return list(
        tx.execute(select(table).where(table.c.exchange_id == exchange_id).order_by(order)).mappings()
    )


def _parts(tx: Connection, dispatch_id: str) -> list[dict[str, Any]]:
    rows = tx.execute(
        select(dispatch_parts)
        .where(dispatch_parts.c.dispatch_id == dispatch_id)
        .order_by(dispatch_parts.c.position)
    ).mappings()
    return [dict(row) for row in rows]


def _public(dispatch: RowMapping) -> dict[str, Any]:
    return {name: value for name, value in dispatch.items() if name != "prepared"}
