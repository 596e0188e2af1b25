"""Deadlines and due tasks as an iCalendar feed: of an authority, or of one clerk.

A feed leaves the installation. It names file references, rules and steps, and nobody's name.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Select, and_, exists, or_, select

from engine.actor import Actor
from engine.clock import LOCAL_ZONE
from engine.deadlines.domain import State
from engine.deadlines.ical import FeedEntry, feed
from engine.deadlines.iso import parse_period
from engine.deadlines.rules_reading import load_rules
from engine.service.access import PersonUnknownError
from engine.service.directory.authorities import find_authority
from engine.store.scope import visible_to
from engine.store.tables import TASK_IS_OPEN, cases, deadlines, people, tasks

if TYPE_CHECKING:
    from engine.service.installation import Installation

_SHOWN_AFTER = timedelta(days=30)
"""How long what is settled stays in the feed, struck out."""


def calendar_feed(app: "Installation", actor: Actor, *, person: str | None = None) -> bytes:
    """Return the feed of the actor's authority, or of one of its people, as a UTF-8 file.

    A person's feed has the deadlines of cases that they began or hold a task of, and the due dates of tasks
    they have claimed. Raises PersonUnknownError.
    """
    with app.read() as tx:
        if person is not None:
            _check_person(tx, actor, person)
        name = f"Fristen {find_authority(tx, actor.authority_id).name}"
        entries = [*_deadlines(app, tx, actor, person), *_tasks(app, tx, actor, person)]
    return feed(name if person is None else f"{name}, {person}", entries)


def _check_person(tx: Connection, actor: Actor, person: str) -> None:
    known = select(people.c.id).where(people.c.id == person, people.c.authority_id == actor.authority_id)
    if tx.scalar(known) is None:
        raise PersonUnknownError(
            f"no person {person!r} in your authority", hint="'dienstweg person list' shows who there is"
        )


def _deadlines(app: "Installation", tx: Connection, actor: Actor, person: str | None) -> Iterator[FeedEntry]:
    recent = app.clock.now() - _SHOWN_AFTER
    query = (
        select(deadlines, cases.c.own_reference)
        .join(cases, cases.c.id == deadlines.c.case_id)
        .where(
            visible_to(actor, deadlines),
            visible_to(actor, cases),
            deadlines.c.end_on.is_not(None),
            or_(deadlines.c.settled_at.is_(None), deadlines.c.settled_at > recent),
        )
    )
    if person is not None:
        query = query.where(_concerns(person))
    for row in tx.execute(query).mappings():
        rule = load_rules().get(row["rule"])
        last = row["revisions"][-1]
        effect = [f"Folge: {rule.effect.de}"] if rule.effect else []
        yield FeedEntry(
            uid=f"{row['id']}@{app.settings.code}",
            end=row["end_on"],
            summary=f"{rule.title.de} – {row['own_reference']}",
            changed_at=datetime.fromisoformat(last["at"]),
            revision=row["revision"],
            description="\n".join([rule.versions[-1].source, f"Schritt: {row['element_id']}", *effect]),
            cancelled=row["state"] in (State.MET.value, State.CANCELLED.value),
            due=row["due_at"] if _is_moment(row["due_at"]) else None,
            reminders=tuple(parse_period(text) for text in row["remind_before"]),
        )


def _concerns(person: str) -> Any:
    """Return the condition under which a case is a person's: begun by them, or a task of it is theirs."""
    holds = exists().where(and_(tasks.c.case_id == cases.c.id, tasks.c.claimed_by == person, TASK_IS_OPEN))
    return or_(cases.c.started_by == person, holds)


def _tasks(app: "Installation", tx: Connection, actor: Actor, person: str | None) -> Iterator[FeedEntry]:
    """Yield tasks with a due date of their own; what a deadline shows is in the feed already."""
    query: Select[Any] = (
        select(tasks, cases.c.own_reference)
        .join(cases, cases.c.id == tasks.c.case_id)
        .where(
            visible_to(actor, tasks),
            TASK_IS_OPEN,
            tasks.c.kind == "form",
            tasks.c.due_at.is_not(None),
            ~exists().where(deadlines.c.task_id == tasks.c.id),
        )
    )
    if person is not None:
        query = query.where(tasks.c.claimed_by == person)
    for row in tx.execute(query).mappings():
        last = (row["due_at"] - timedelta(microseconds=1)).astimezone(LOCAL_ZONE).date()
        yield FeedEntry(
            uid=f"{row['id']}@{app.settings.code}",
            end=last,
            summary=f"{row['name']} – {row['own_reference']}",
            changed_at=row["opened_at"],
            due=row["due_at"] if _is_moment(row["due_at"]) else None,
        )


def _is_moment(due: datetime) -> bool:
    """Tell whether an end is a moment inside a day; 24:00 is the end of a whole day."""
    local = due.astimezone(LOCAL_ZONE)
    return bool(local.hour or local.minute or local.second)
