"""Deadlines as people see and extend them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, Select, or_, select

from engine.actor import Actor, Role
from engine.deadlines.domain import Deadline, State
from engine.deadlines.iso import end_of_day, parse_period
from engine.deadlines.lights import Light, light, light_of
from engine.deadlines.rules import Rule, Version
from engine.errors import NotFoundError
from engine.service.access import require
from engine.service.deadlines import rows as deadline_rows
from engine.service.deadlines.rows import REMINDER
from engine.store.scope import visible_to
from engine.store.tables import cases, deadlines, tasks

if TYPE_CHECKING:
    from engine.service.installation import Installation

PAGE = 50


class DeadlineUnknownError(NotFoundError):
    """There is no such deadline."""


@dataclass(frozen=True, slots=True)
class DeadlineLine:
    """A deadline in a listing."""

    id: str
    case_id: str
    own_reference: str
    rule: str
    title: str
    """German title of the rule."""
    source: str
    """The rule's paragraph."""
    basis: str
    """What its start hangs on: arrival, receipt, notification-fiction, fixed."""
    state: str
    light: str
    end: date | None
    due_at: datetime | None
    watch_until: datetime
    """Unarmed: when a person has to look."""
    missing: str | None
    """Unarmed: why, in German."""
    effect: str | None
    """What follows when the end passes, in German."""
    revision: int
    element_id: str
    exchange_id: str | None
    arrival_id: str | None
    task_id: str | None
    unit_id: str | None


_COLUMNS = [column for column in deadlines.c if column.name != "revisions"]
_QUERY = select(*_COLUMNS, cases.c.own_reference).join(cases, cases.c.id == deadlines.c.case_id)


def list_deadlines(
    app: "Installation",
    actor: Actor,
    *,
    state: str | None = None,
    case: str | None = None,
    due_before: datetime | None = None,
    everything: bool = False,
    limit: int = PAGE,
    offset: int = 0,
) -> list[DeadlineLine]:
    """Return deadlines, the earliest end first, unarmed ones last by the end of their watch.

    Without ``state`` and ``everything`` only those that still run. A last day ends at 24:00: with the
    beginning of the next day as ``due_before`` it is listed.
    """
    query = _QUERY.where(visible_to(actor, deadlines), visible_to(actor, cases))
    if state is not None:
        query = query.where(deadlines.c.state == state)
    elif not everything:
        query = query.where(deadlines.c.state.in_((State.UNARMED.value, State.ARMED.value)))
    if case is not None:
        query = query.where(or_(cases.c.id == case, cases.c.own_reference == case))
    if due_before is not None:
        query = query.where(deadlines.c.due_at <= due_before)
    order = (deadlines.c.due_at.is_(None), deadlines.c.due_at, deadlines.c.watch_until, deadlines.c.id)
    with app.read() as tx:
        return lines(app, tx, query.order_by(*order).limit(limit).offset(offset))


def of_exchange(app: "Installation", tx: Connection, exchange_id: str) -> list[DeadlineLine]:
    """Return what hangs on an exchange that the caller may see."""
    return lines(
        app, tx, _QUERY.where(deadlines.c.exchange_id == exchange_id).order_by(deadlines.c.opened_at)
    )


def of_case(app: "Installation", tx: Connection, case_id: str) -> list[DeadlineLine]:
    """Return every deadline of a case that the caller may see."""
    return lines(app, tx, _QUERY.where(deadlines.c.case_id == case_id).order_by(deadlines.c.opened_at))


def of_tasks(app: "Installation", actor: Actor, task_ids: Sequence[str]) -> Mapping[str, DeadlineLine]:
    """Return the deadline that each of these tasks shows or reminds of, by the task's id."""
    if not task_ids:
        return {}
    reminding = select(tasks.c.id, tasks.c.subject_id).where(
        tasks.c.id.in_(task_ids), tasks.c.kind == REMINDER, visible_to(actor, tasks)
    )
    with app.read() as tx:
        reminders = {row.id: row.subject_id for row in tx.execute(reminding)}
        shown = or_(deadlines.c.task_id.in_(task_ids), deadlines.c.id.in_(list(reminders.values())))
        query = _QUERY.where(visible_to(actor, deadlines), shown)
        found = lines(app, tx, query.order_by(deadlines.c.opened_at))
    by_id = {line.id: line for line in found}
    shown_by = {line.task_id: line for line in found if line.task_id is not None}
    return shown_by | {task: by_id[kept] for task, kept in reminders.items() if kept in by_id}


def of_exchanges(app: "Installation", actor: Actor, ids: Sequence[str]) -> Mapping[str, DeadlineLine]:
    """Return of each of these exchanges the deadline that was opened last, by the exchange's id."""
    if not ids:
        return {}
    query = _QUERY.where(visible_to(actor, deadlines), deadlines.c.exchange_id.in_(ids))
    with app.read() as tx:
        found = lines(app, tx, query.order_by(deadlines.c.opened_at))
    return {line.exchange_id: line for line in found if line.exchange_id is not None}


def light_for(app: "Installation", authority_id: str, due_at: datetime | None) -> str | None:
    """Return the light of something that is due without a legal deadline; None where nothing is."""
    if due_at is None:
        return None
    settings = app.settings.deadlines
    calendar = settings.calendars.for_authority(authority_id)
    return light_of(due_at, app.clock.now(), calendar, settings.soon).value


def light_of_answer(
    app: "Installation", authority_id: str, answer_due: date | None, answered_at: datetime | None
) -> str | None:
    """Return the light of an answer that its sender asked for by a day; None where it asked for none."""
    if answer_due is None:
        return None
    if answered_at is not None:
        return Light.DONE.value
    return light_for(app, authority_id, end_of_day(answer_due))


def show_deadline(app: "Installation", actor: Actor, key: str) -> dict[str, Any]:
    """Return a deadline with every revision and the explanation of its end; raise DeadlineUnknownError."""
    with app.read() as tx:
        row = _find(tx, actor, key)
        line = lines(app, tx, _QUERY.where(deadlines.c.id == row["id"]))[0]
    return {"deadline": line, "revisions": row["revisions"], "remind_before": row["remind_before"]}


def extend_deadline(
    app: "Installation",
    actor: Actor,
    key: str,
    *,
    source: str,
    reason: str,
    until: date | None = None,
    period: str | None = None,
) -> DeadlineLine:
    """Extend a deadline where its rule lets ``source`` do so: until a day, or by a period.

    After its end, where the rule allows that, the extension is recorded and opens an incident; what has
    fired stays fired. Raises DeadlineUnknownError, RoleMissingError, and what ``extend`` raises.
    """
    # Whoever only lists deadlines, the inbox above all, need not load what moves a case.
    from engine.deadlines.extending import extend
    from engine.deadlines.rules_reading import load_rules
    from engine.service.advance import lock_case
    from engine.service.deadlines import course

    require(actor, Role.CLERK)
    with app.write() as tx:
        row = _find(tx, actor, key)
        lock_case(tx, row["case_id"])
        kept = deadline_rows.find(tx, row["id"])
        if kept is None:
            raise DeadlineUnknownError(f"no deadline {key!r}")
        change = extend(
            kept.deadline,
            load_rules().get(kept.deadline.rule),
            app.settings.deadlines.calendars.for_authority(kept.authority_id),
            source=source,
            at=app.clock.now(),
            by=actor.person_id,
            reason=reason,
            until=until,
            period=parse_period(period) if period is not None else None,
        )
        course.take(app, tx, kept, change, actor.person_id)
        return lines(app, tx, _QUERY.where(deadlines.c.id == row["id"]))[0]


def lines(app: "Installation", tx: Connection, query: Select[Any]) -> list[DeadlineLine]:
    """Return the deadlines of a query over ``_QUERY``'s columns."""
    return [_line(app, row) for row in tx.execute(query).mappings()]


def _line(app: "Installation", row: RowMapping) -> DeadlineLine:
    # An inbox without deadlines reads no rules.
    from engine.deadlines.rules_reading import load_rules

    settings, rule = app.settings.deadlines, load_rules().get(row["rule"])
    calendar = settings.calendars.for_authority(row["authority_id"])
    same = ("id", "case_id", "own_reference", "basis", "state", "due_at", "watch_until", "revision")
    hangs = ("element_id", "exchange_id", "arrival_id", "task_id", "unit_id")
    return DeadlineLine(
        rule=rule.id,
        title=rule.title.de,
        source=_version(rule, row["opened_at"].date()).source,
        light=_light(app, row, calendar).value,
        end=row["end_on"],
        missing=row["missing"]["de"] if row["missing"] else None,
        effect=rule.effect.de if rule.effect else None,
        **{name: row[name] for name in (*same, *hangs)},
    )


def _version(rule: Rule, day: date) -> Version:
    """Return what was in force when the deadline was opened; its explanation has the version it runs by."""
    return next((version for version in rule.versions if version.in_force(day)), rule.versions[-1])


def _light(app: "Installation", row: RowMapping, calendar: Any) -> Light:
    standing = Deadline(
        id=row["id"],
        rule=row["rule"],
        basis=row["basis"],
        opened_at=row["opened_at"],
        watch_until=row["watch_until"],
        state=State(row["state"]),
        end=row["end_on"],
        due=row["due_at"],
    )
    return light(standing, app.clock.now(), calendar, app.settings.deadlines.soon)


def _find(tx: Connection, actor: Actor, key: str) -> RowMapping:
    query = (
        select(deadlines)
        .join(cases, cases.c.id == deadlines.c.case_id)
        .where(
            visible_to(actor, deadlines),
            visible_to(actor, cases),
            or_(deadlines.c.id == key, deadlines.c.id.startswith(key)),
        )
        .limit(2)
    )
    rows = tx.execute(query).mappings().all()
    if len(rows) != 1 or len(key) < 6:
        raise DeadlineUnknownError(f"no deadline {key!r}", hint="'dienstweg deadline list' shows them")
    return rows[0]
