"""Schedules: an admin lets the timer starts of a procedure begin cases for an authority or one of its units.

A schedule stands for a timer start of the procedure's *newest* version. Durations and cycles are counted from
the instant at which it was switched on, or at which a version came that says another time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from engine.actor import Actor, Role
from engine.errors import ConflictError, DienstwegError, NotFoundError, RefusedError
from engine.service.access import require
from engine.service.auditing import write_down
from engine.service.numbers import known_as
from engine.service.programs import Deployed
from engine.service.schedules import rounds
from engine.service.schedules.rounds import DONE, GONE, OFF, ON
from engine.service.schedules.starts import Beginning, TimerStart, begin_anew, newest_starts, starts_of
from engine.store.scope import visible_to
from engine.store.tables import authorities, schedules, units

if TYPE_CHECKING:
    from engine.service.installation import Installation


class ScheduleUnknownError(NotFoundError):
    """There is no such schedule."""


class ScheduleRefusedError(RefusedError):
    """The procedure's timer start cannot begin cases."""


class ScheduleStandsError(ConflictError):
    """The schedule is already as it is wanted."""


@dataclass(frozen=True, slots=True)
class ScheduleLine:
    """A schedule; instants in UTC."""

    id: str
    unit_id: str | None
    procedure_key: str
    process_id: str
    element_id: str
    kind: str
    expression: str
    state: str
    due_at: datetime | None
    begun: int
    """Cases it has begun."""
    reference_at: datetime
    switched_at: datetime
    switched_by: str


_LINE = [schedules.c[name] for name in ScheduleLine.__dataclass_fields__]


def list_schedules(app: "Installation", actor: Actor) -> list[ScheduleLine]:
    """Return the schedules of the actor's authority and units, the next due first."""
    query = select(*_LINE).where(visible_to(actor, schedules))
    query = query.order_by(schedules.c.due_at.is_(None), schedules.c.due_at, schedules.c.id)
    with app.read() as tx:
        return [ScheduleLine(*row) for row in tx.execute(query)]


def show_schedule(app: "Installation", actor: Actor, key: str) -> ScheduleLine:
    """Return one schedule by id or unambiguous beginning of it; raise ScheduleUnknownError."""
    with app.read() as tx:
        return _line(_find(tx, actor, key))


def switch_on(
    app: "Installation",
    actor: Actor,
    procedure: str,
    *,
    start: str | None = None,
    unit: str | None = None,
) -> list[ScheduleLine]:
    """Let the timer starts of ``procedure`` (or the one called ``start``) begin cases from now on.

    The cases belong to the actor's authority and to ``unit`` (name or id; else the actor's first, if any).
    Starts that are on already stay as they are. All or none is switched on.

    Raises RoleMissingError, ProcedureUnknownError, NotFoundError for a unit that is none of the actor's,
    ScheduleRefusedError where there is no such start or its instants have passed, ScheduleStandsError where
    all are on, and what the timer's expression refuses.
    """
    require(actor, Role.ADMIN)
    now = app.clock.now()
    with app.write() as tx:
        # Two admins switch one after the other: of a start and a unit there is one schedule.
        tx.execute(select(authorities.c.id).where(authorities.c.id == actor.authority_id).with_for_update())
        unit_id = _unit(tx, actor, unit)
        found = _wanted(newest_starts(app, tx, procedure), procedure, start)
        known = {_key(row): row for row in _of_unit(tx, actor, procedure, unit_id)}
        off = [each for each in found if each.key not in known or known[each.key].state != ON]
        if not off:
            raise ScheduleStandsError(
                f"{procedure} begins cases on its timers already",
                hint="'dienstweg schedule list' shows since when; switch off to count anew",
            )
        made = []
        for each in off:
            beginning = begin_anew(app, actor.authority_id, each, now)
            if beginning.due_at is None:
                raise ScheduleRefusedError(
                    f"{each.element_id}: every instant of {each.expression.text!r} has passed",
                    hint="deploy a version with a later date, or name another start with --start",
                )
            values = _standing(each, beginning, now) | {"switched_at": now, "switched_by": actor.person_id}
            row = known.get(each.key)
            owner = {"authority_id": actor.authority_id, "unit_id": unit_id, "procedure_key": procedure}
            schedule_id = str(app.ids.new()) if row is None else row.id
            if row is None:
                tx.execute(insert(schedules).values(id=schedule_id, begun=0, **owner, **values))
            else:
                tx.execute(update(schedules).where(schedules.c.id == schedule_id).values(**values))
            made.append(schedule_id)
            _audit(app, tx, actor.authority_id, actor.person_id, "schedule.on", schedule_id, values)
        query = select(*_LINE).where(schedules.c.id.in_(made)).order_by(schedules.c.due_at, schedules.c.id)
        return [ScheduleLine(*row) for row in tx.execute(query)]


def switch_off(app: "Installation", actor: Actor, key: str) -> ScheduleLine:
    """Let a schedule begin no more cases; those it has begun go on.

    Raises RoleMissingError, ScheduleUnknownError, ScheduleStandsError where it is not on.
    """
    require(actor, Role.ADMIN)
    with app.write() as tx:
        row = _find(tx, actor, key, lock=True)
        if row.state != ON:
            raise ScheduleStandsError(f"schedule {row.id[:8]} is not on: it is {row.state}")
        _stop(tx, row.id, OFF)
        rounds.settle(app, tx, row.id, actor.person_id, "the schedule was switched off")
        _audit(app, tx, row.authority_id, actor.person_id, "schedule.off", row.id, {})
        return _line(_find(tx, actor, row.id))


def follow(
    app: "Installation",
    tx: Connection,
    procedure: str,
    deployed: Deployed,
    processes: Sequence[str],
    by: str,
) -> None:
    """Take the schedules of a procedure along to its new version; whoever deployed it is ``by``.

    A timer start that says the same goes on as it was. One that says another time is counted anew from now.
    One that is gone, or whose instants have all passed, ends with an incident at its authority.
    """
    starts = {start.key: start for start in starts_of(deployed, processes)}
    query = select(schedules).where(schedules.c.procedure_key == procedure, schedules.c.state.in_((ON, DONE)))
    for row in tx.execute(query.order_by(schedules.c.id).with_for_update()).all():
        start = starts.get(_key(row))
        rounds.settle(app, tx, row.id, by, "a new version was deployed")
        if start is None:
            _end(app, tx, row, by, f"the newest version of {procedure} has no timer start {row.element_id!r}")
        elif (start.timer.value, start.expression.text) != (row.kind, row.expression):
            _change(app, tx, row, start, by)


def _change(app: "Installation", tx: Connection, row: Row[Any], start: TimerStart, by: str) -> None:
    now = app.clock.now()
    try:
        beginning = begin_anew(app, row.authority_id, start, now)
    except DienstwegError as error:  # the version is good; only this authority's schedule ends
        _end(app, tx, row, by, f"the timer start {start.element_id!r} gives no time: {error}")
        return
    if beginning.due_at is None:
        text = start.expression.text
        _end(app, tx, row, by, f"every instant of {text!r} at {start.element_id!r} has passed")
        return
    values = _standing(start, beginning, now)
    tx.execute(update(schedules).where(schedules.c.id == row.id).values(**values))
    _audit(app, tx, row.authority_id, by, "schedule.changed", row.id, values)


def _end(app: "Installation", tx: Connection, row: Row[Any], by: str, why: str) -> None:
    _stop(tx, row.id, GONE)
    hint = "switch it on again when a version has the time it shall begin at"
    message = f"the schedule of {row.procedure_key} has ended: {why}; {hint}"
    rounds.report(app, tx, row, rounds.ENDED, message)
    _audit(app, tx, row.authority_id, by, "schedule.ended", row.id, {"why": why})


def _stop(tx: Connection, schedule_id: str, state: str) -> None:
    tx.execute(update(schedules).where(schedules.c.id == schedule_id).values(state=state, due_at=None))


def _standing(start: TimerStart, beginning: Beginning, now: datetime) -> dict[str, Any]:
    """Return the columns of a schedule that begins anew."""
    return {
        "process_id": start.process_id,
        "element_id": start.element_id,
        "position": start.position,
        "kind": start.timer.value,
        "expression": start.expression.text,
        "value": beginning.plan.value,
        "reference_at": now,
        "state": ON,
        "number": beginning.number,
        "due_at": beginning.due_at,
    }


def _wanted(starts: list[TimerStart], procedure: str, wanted: str | None) -> list[TimerStart]:
    found = [start for start in starts if wanted in (None, start.element_id)]
    if not found:
        names = ", ".join(dict.fromkeys(start.element_id for start in starts))
        raise ScheduleRefusedError(
            f"{procedure} has no timer start{f' {wanted!r}' if wanted else ''}",
            hint=f"it has: {names}" if names else "draw a start event with a timer and deploy it",
        )
    return found


def _unit(tx: Connection, actor: Actor, unit: str | None) -> str | None:
    """Return the id of the unit that the cases will belong to."""
    if unit is None:
        return next(iter(sorted(actor.units)), None)
    query = select(units.c.id).where(
        units.c.authority_id == actor.authority_id, or_(units.c.id == unit, units.c.name == unit)
    )
    found: str | None = tx.scalar(query)
    if found is None or (actor.units and found not in actor.units):
        raise NotFoundError(f"no unit {unit!r}", hint="a schedule begins cases of a unit of yours")
    return found


def _of_unit(tx: Connection, actor: Actor, procedure: str, unit_id: str | None) -> Sequence[Row[Any]]:
    query = select(schedules).where(
        schedules.c.authority_id == actor.authority_id,
        schedules.c.procedure_key == procedure,
        schedules.c.unit_id.is_(None) if unit_id is None else schedules.c.unit_id == unit_id,
    )
    return tx.execute(query).all()


def _find(tx: Connection, actor: Actor, key: str, *, lock: bool = False) -> Row[Any]:
    query = select(schedules).where(visible_to(actor, schedules), known_as(schedules.c.id, key)).limit(2)
    rows = tx.execute(query.with_for_update() if lock else query).all()
    if len(rows) != 1:
        raise ScheduleUnknownError(f"no schedule {key!r}", hint="'dienstweg schedule list' shows them")
    return rows[0]


def _key(row: Row[Any]) -> tuple[str, str, int]:
    return row.process_id, row.element_id, row.position


def _line(row: Row[Any]) -> ScheduleLine:
    return ScheduleLine(*(getattr(row, name) for name in ScheduleLine.__dataclass_fields__))


def _audit(
    app: "Installation",
    tx: Connection,
    authority_id: str,
    by: str,
    action: str,
    schedule_id: str,
    about: dict[str, Any],
) -> None:
    details = {name: str(value) for name, value in about.items()} | {"schedule": schedule_id}
    write_down(app, tx, authority_id, by, action, details)
