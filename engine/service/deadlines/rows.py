"""Deadlines in the store: a row and its revisions, to and from ``engine.deadlines.domain``."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, update

from engine.deadlines.domain import Deadline, Outcome, Revision, State
from engine.deadlines.iso import Period, parse_period
from engine.deadlines.text import Text
from engine.store.prepared import Prepared, insert_into
from engine.store.tables import deadlines

REMINDER = "deadline-reminder"
"""Kind of task that reminds of a deadline."""
_INSERT = insert_into(deadlines)
_CHANGEABLE = (
    *("state", "end_on", "due_at", "revision", "watch_until", "missing", "revisions", "settled_at"),
    *("exchange_id", "arrival_id"),
)
_UPDATE = Prepared(
    update(deadlines)
    .where(deadlines.c.id == bindparam("deadline"))
    .values({name: bindparam(name, type_=deadlines.c[name].type) for name in _CHANGEABLE})
)
_LIVE = or_(deadlines.c.state == State.UNARMED.value, deadlines.c.state == State.ARMED.value)
_BY_ID = Prepared(select(deadlines).where(deadlines.c.id == bindparam("deadline")))
_BY_ITEM = Prepared(select(deadlines).where(deadlines.c.item_id == bindparam("item"), _LIVE))
_BY_EXCHANGE = Prepared(
    select(deadlines)
    .where(
        deadlines.c.exchange_id == bindparam("exchange"),
        deadlines.c.state != State.MET.value,
        deadlines.c.state != State.CANCELLED.value,
    )
    .order_by(deadlines.c.opened_at, deadlines.c.id)
)
_UNBOUND = Prepared(
    select(deadlines)
    .where(
        deadlines.c.case_id == bindparam("case"),
        deadlines.c.exchange_id.is_(None),
        deadlines.c.arrival_id.is_(None),
        deadlines.c.basis != "fixed",
        _LIVE,
    )
    .order_by(deadlines.c.opened_at, deadlines.c.id)
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A deadline with the row it is kept in: whose it is, what it drives, what it hangs on."""

    deadline: Deadline
    authority_id: str
    unit_id: str | None
    case_id: str
    item_id: str
    drives: str
    """``timer`` or ``task``."""
    element_id: str
    instance: str
    basis: str
    """What its start hangs on, as the model says: arrival, receipt, notification-fiction, fixed."""
    task_id: str | None = None
    """The task that shows it."""
    period: Period | None = None
    send_element: str | None = None
    exchange_id: str | None = None
    arrival_id: str | None = None
    remind_before: tuple[Period, ...] = ()

    def now(self, deadline: Deadline) -> "Kept":
        """Return it with the deadline as it stands now."""
        return replace(self, deadline=deadline)


def insert(tx: Connection, kept: Kept) -> None:
    """Write a new deadline."""
    deadline = kept.deadline
    _INSERT.run(
        tx,
        id=deadline.id,
        rule=deadline.rule,
        opened_at=deadline.opened_at,
        period=str(kept.period) if kept.period is not None else None,
        remind_before=[str(period) for period in kept.remind_before],
        **{name: getattr(kept, name) for name in _OF_KEPT},
        **_changeable(kept),
    )


def save(tx: Connection, kept: Kept) -> None:
    """Write what can change of a deadline."""
    _UPDATE.run(tx, deadline=kept.deadline.id, **_changeable(kept))


def find(tx: Connection, deadline_id: str) -> Kept | None:
    """Return a deadline by its id."""
    row = _BY_ID.first(tx, deadline=deadline_id)
    return None if row is None else _kept(row)


def of_item(tx: Connection, item_id: str) -> list[Kept]:
    """Return the running deadlines that drive an open item."""
    return [_kept(row) for row in _BY_ITEM.all(tx, item=item_id)]


def of_exchange(tx: Connection, exchange_id: str) -> list[Kept]:
    """Return the deadlines that facts of an exchange can still change, fired ones included."""
    return [_kept(row) for row in _BY_EXCHANGE.all(tx, exchange=exchange_id)]


def unbound(tx: Connection, case_id: str) -> list[Kept]:
    """Return the case's running deadlines of which it is not known yet what they hang on."""
    return [_kept(row) for row in _UNBOUND.all(tx, case=case_id)]


def read(row: Any) -> Kept:
    """Return the deadline of a row that was read elsewhere."""
    return _kept(row)


_OF_KEPT = (
    *("authority_id", "unit_id", "case_id", "item_id", "drives", "element_id", "instance"),
    *("basis", "task_id", "send_element"),
)


def _changeable(kept: Kept) -> dict[str, Any]:
    deadline = kept.deadline
    return {
        "state": deadline.state.value,
        "end_on": deadline.end,
        "due_at": deadline.due,
        "revision": deadline.revision,
        "watch_until": deadline.watch_until,
        "missing": deadline.missing.as_json() if deadline.missing else None,
        "revisions": [revision_json(revision) for revision in deadline.revisions],
        "settled_at": deadline.settled_at,
        "exchange_id": kept.exchange_id,
        "arrival_id": kept.arrival_id,
    }


def _kept(row: Any) -> Kept:
    deadline = Deadline(
        id=row.id,
        rule=row.rule,
        basis=row.basis,
        opened_at=row.opened_at,
        watch_until=row.watch_until,
        state=State(row.state),
        end=row.end_on,
        due=row.due_at,
        missing=_text(row.missing),
        revisions=tuple(_revision(value) for value in row.revisions),
        settled_at=row.settled_at,
    )
    return Kept(
        deadline=deadline,
        period=parse_period(row.period) if row.period else None,
        exchange_id=row.exchange_id,
        arrival_id=row.arrival_id,
        remind_before=tuple(parse_period(text) for text in row.remind_before),
        **{name: getattr(row, name) for name in _OF_KEPT},
    )


def revision_json(revision: Revision) -> dict[str, Any]:
    """Return a revision as JSON data; days and instants in ISO 8601."""
    return {
        "number": revision.number,
        "at": revision.at.isoformat(),
        "by": revision.by,
        "reason": revision.reason,
        "outcome": revision.outcome.value,
        "start": _iso(revision.start),
        "before": _iso(revision.before),
        "after": _iso(revision.after),
        "end": _iso(revision.end),
        "evidence": list(revision.evidence),
        "explanation": revision.explanation,
        "remark": revision.remark.as_json() if revision.remark else None,
        "extended_to": _iso(revision.extended_to),
    }


def _revision(value: Mapping[str, Any]) -> Revision:
    return Revision(
        number=value["number"],
        at=datetime.fromisoformat(value["at"]),
        by=value["by"],
        reason=value["reason"],
        outcome=Outcome(value["outcome"]),
        start=_day(value["start"]),
        before=_instant(value["before"]),
        after=_instant(value["after"]),
        end=_day(value["end"]),
        evidence=tuple(value["evidence"]),
        explanation=value["explanation"],
        remark=_text(value["remark"]),
        extended_to=_day(value["extended_to"]),
    )


def _iso(value: date | None) -> str | None:
    return value.isoformat() if value is not None else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _text(value: Mapping[str, str] | None) -> Text | None:
    return Text(value["de"], value["en"]) if value else None
