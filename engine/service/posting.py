"""Tasks that belong to a dispatch rather than to a form: confirming that a letter was posted."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from engine.actor import Actor
from engine.errors import RefusedError
from engine.service import deadline_jobs, outcomes
from engine.store.tables import dispatch_parts, dispatches, exchanges, tasks

if TYPE_CHECKING:
    from engine.service.installation import Installation

_ZONE = ZoneInfo("Europe/Berlin")


class PostingRefusedError(RefusedError):
    """The posting cannot be confirmed like this."""


def about(tx: Connection, task: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a clerk needs to know of the dispatch, or the deadline, behind a task."""
    if task["kind"] == deadline_jobs.REMINDER:
        return {"deadline": task["subject_id"]}
    dispatch = tx.execute(select(dispatches).where(dispatches.c.id == task["subject_id"])).mappings().one()
    parts = tx.execute(
        select(dispatch_parts.c.name, dispatch_parts.c.sha256, dispatch_parts.c.role).where(
            dispatch_parts.c.dispatch_id == dispatch["id"]
        )
    ).mappings()
    return {
        "dispatch": dispatch["id"],
        "exchange": dispatch["exchange_id"],
        "channel": dispatch["channel"],
        "printed_as": dispatch["carrier_reference"],
        "parts": [dict(part) for part in parts],
    }


def complete(
    app: "Installation", tx: Connection, task: Mapping[str, Any], actor: Actor, data: Mapping[str, Any]
) -> None:
    """Confirm a posting: a dated fact. ``data`` may give ``posted_on`` (ISO date, default today)."""
    if task["kind"] == deadline_jobs.REMINDER:
        if data:
            raise PostingRefusedError("a reminder asks for nothing", hint="complete it without data")
        _close(app, tx, task, actor)
        return
    if task["kind"] != outcomes.CONFIRM_POSTING:
        raise PostingRefusedError(f"nothing is known of tasks of kind {task['kind']!r}")
    unknown = sorted(set(data) - {"posted_on"})
    if unknown:
        raise PostingRefusedError(f"{unknown[0]!r} is not asked here", hint="give posted_on or nothing")
    now = app.clock.now()
    posted = _instant(data.get("posted_on"), now)
    dispatch = tx.execute(select(dispatches).where(dispatches.c.id == task["subject_id"])).mappings().one()
    exchange = tx.execute(select(exchanges).where(exchanges.c.id == dispatch["exchange_id"])).mappings().one()
    if posted < dispatch["created_at"].replace(hour=0, minute=0, second=0, microsecond=0):
        raise PostingRefusedError("a letter cannot be posted before it was written")
    outcomes.add_fact(app, tx, exchange, dispatch["id"], "posted", posted, "clerk", actor.person_id)
    _close(app, tx, task, actor)


def _close(app: "Installation", tx: Connection, task: Mapping[str, Any], actor: Actor) -> None:
    tx.execute(
        update(tasks)
        .where(tasks.c.id == task["id"])
        .values(status="completed", closed_by=actor.person_id, closed_at=app.clock.now())
    )


def _instant(value: Any, now: datetime) -> datetime:
    """Return the posting instant: now, or noon of the local day that is named."""
    if value is None:
        return now
    try:
        day = date.fromisoformat(str(value))
    except ValueError as error:
        raise PostingRefusedError(f"posted_on is {value!r}", hint="write the day as YYYY-MM-DD") from error
    if day == now.astimezone(_ZONE).date():
        return now
    if day > now.astimezone(_ZONE).date():
        raise PostingRefusedError("posted_on lies in the future", hint="confirm it on the day it is posted")
    return datetime.combine(day, time(12), _ZONE)
