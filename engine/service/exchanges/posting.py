"""Tasks that belong to a dispatch rather than to a form: signing or posting a letter, deciding on a copy."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update

from engine.actor import Actor
from engine.clock import LOCAL_ZONE, local_day
from engine.errors import RefusedError
from engine.exchange.abilities import ReckonsCosts
from engine.exchange.ports import split_channel
from engine.service.deadlines.rows import REMINDER
from engine.service.exchanges import awaiting, outcomes, signing
from engine.service.migration import ledger
from engine.store.scope import visible_to
from engine.store.tables import TASK_IS_OPEN, cases, dispatch_parts, dispatches, exchanges, tasks

if TYPE_CHECKING:
    from engine.service.installation import Installation

_COSTS = {"postage_cents": "postage_cents", "pages": "pages", "product": "product", "run": "print_run"}
_MOST, _LONGEST = 1_000_000, 40


class PostingRefusedError(RefusedError):
    """The posting cannot be confirmed like this."""


def about(tx: Connection, task: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a clerk needs to know of the dispatch, or the deadline, behind a task."""
    if task["kind"] == REMINDER:
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
    app: "Installation",
    tx: Connection,
    task: Mapping[str, Any],
    actor: Actor,
    data: Mapping[str, Any],
    files: Sequence[Path] = (),
) -> None:
    """Complete a task about a dispatch or deadline; a confirmed posting is a dated fact.

    ``data`` of a posting may give ``posted_on`` (ISO date, default today) and what the letter cost:
    ``postage_cents``, ``pages``, ``product``, ``run``; what it does not give the carrier reckons. Raises
    PostingRefusedError, SigningRefusedError, CopyRefusedError.
    """
    if files and task["kind"] != signing.SIGN:
        raise PostingRefusedError("no files are asked for here", hint="leave out --file")
    if task["kind"] == REMINDER:
        if data:
            raise PostingRefusedError("a reminder asks for nothing", hint="complete it without data")
        _close(app, tx, task, actor)
        return
    if task["kind"] == signing.SIGN:
        signing.complete(app, tx, task, actor, data, files)
        _close(app, tx, task, actor)
        return
    if task["kind"] == awaiting.DECIDE_COPY:
        awaiting.decide(app, tx, task, actor, data)
        _close(app, tx, task, actor)
        return
    if task["kind"] != outcomes.CONFIRM_POSTING:
        raise PostingRefusedError(f"nothing is known of tasks of kind {task['kind']!r}")
    unknown = sorted(set(data) - {"posted_on", *_COSTS})
    if unknown:
        known = ", ".join(("posted_on", *_COSTS))
        raise PostingRefusedError(f"{unknown[0]!r} is not asked here", hint=f"give {known}, or nothing")
    costs = _costs(data)
    now = app.clock.now()
    posted = _instant(data.get("posted_on"), now)
    dispatch = tx.execute(select(dispatches).where(dispatches.c.id == task["subject_id"])).mappings().one()
    exchange = tx.execute(select(exchanges).where(exchanges.c.id == dispatch["exchange_id"])).mappings().one()
    if local_day(posted) < dispatch["created_at"].astimezone(LOCAL_ZONE).date():
        raise PostingRefusedError("a letter cannot be posted before it was written")
    outcomes.add_fact(app, tx, exchange, dispatch["id"], "posted", posted, "clerk", actor.person_id)
    costs = {**_reckoned(app, dict(dispatch), posted), **costs}
    if costs:
        tx.execute(update(dispatches).where(dispatches.c.id == dispatch["id"]).values(**costs))
        ledger.touch(app, tx, exchange["id"])
    _close(app, tx, task, actor)


def open_postings(app: "Installation", actor: Actor) -> dict[str, str]:
    """Return dispatch → task of every letter that was handed over and waits for its posting, in one query."""
    query = (
        select(tasks.c.subject_id, tasks.c.id)
        .join(cases, cases.c.id == tasks.c.case_id)
        .where(visible_to(actor, tasks), TASK_IS_OPEN, tasks.c.kind == outcomes.CONFIRM_POSTING)
    )
    with app.read() as tx:
        return {row.subject_id: row.id for row in tx.execute(query)}


def _reckoned(app: "Installation", dispatch: Mapping[str, Any], posted: datetime) -> dict[str, Any]:
    """Return what the carrier reckons the letter cost on the day it was posted."""
    carrier = app.adapters.carrier(split_channel(dispatch["channel"])[1])
    if not isinstance(carrier, ReckonsCosts):
        return {}
    found = carrier.costs(dispatch["carrier_reference"] or "", local_day(posted))
    if found is None:
        return {}
    values = {"pages": found.pages, "postage_cents": found.cents, "product": found.product}
    return {name: value for name, value in values.items() if value is not None}


def _costs(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said about the letter's cost, as the dispatch keeps it; ``run`` is its print run."""
    found: dict[str, Any] = {}
    for name, column in _COSTS.items():
        value = data.get(name)
        if value is None:
            continue
        if name in ("postage_cents", "pages"):
            if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
                raise PostingRefusedError(f"{name} is {value!r}", hint="give a whole number, not negative")
        elif not isinstance(value, str) or len(value) > _LONGEST:
            raise PostingRefusedError(f"{name} is {value!r}", hint=f"give a text of up to {_LONGEST}")
        found[column] = value
    return found


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
    if day == local_day(now):
        return now
    if day > local_day(now):
        raise PostingRefusedError("posted_on lies in the future", hint="confirm it on the day it is posted")
    return datetime.combine(day, time(12), LOCAL_ZONE)
