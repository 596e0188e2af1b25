"""Cases as clerks and admins see them. Listing loads no case document."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, Select, and_, bindparam, or_, select

from engine.actor import Actor, Role
from engine.errors import NotFoundError
from engine.runtime.peek import read_data
from engine.service import starting
from engine.service.access import require
from engine.service.advance import CaseUnknownError, read_case
from engine.service.deadlines import listing
from engine.service.deadlines.listing import DeadlineLine
from engine.store.prepared import Prepared
from engine.store.scope import visible_to
from engine.store.tables import (
    arrivals,
    case_states,
    cases,
    exchanges,
    history,
    incidents,
    subscriptions,
    tasks,
    timers,
)

if TYPE_CHECKING:
    from engine.service.installation import Installation

PAGE = 50


@dataclass(frozen=True, slots=True)
class CaseLine:
    """A case in a listing."""

    id: str
    own_reference: str
    partner_reference: str | None
    partner_id: str | None
    title: str
    procedure_key: str
    status: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with its path so far and what it waits for."""

    case: CaseLine
    end_events: tuple[str, ...]
    path: tuple[Mapping[str, Any], ...]
    tasks: tuple[Mapping[str, Any], ...]
    waits: tuple[Mapping[str, Any], ...]
    timers: tuple[Mapping[str, Any], ...]
    incidents: tuple[Mapping[str, Any], ...]
    exchanges: tuple[Mapping[str, Any], ...]
    arrivals: tuple[Mapping[str, Any], ...]
    deadlines: tuple[DeadlineLine, ...] = ()


_LINE = [cases.c[name] for name in CaseLine.__dataclass_fields__]
_SHOW_LINE = Prepared(select(*_LINE).where(cases.c.id == bindparam("case")))


def start_case(
    app: "Installation",
    actor: Actor,
    procedure: str,
    data: Mapping[str, Any] | None = None,
    *,
    process_id: str | None = None,
    unit_id: str | None = None,
) -> CaseLine:
    """Begin a case of the newest version of ``procedure`` and return it.

    Raises ProcedureUnknownError, StartRefusedError, RoleMissingError, and what its first steps refuse.
    """
    require(actor, Role.CLERK)
    unit = unit_id or next(iter(sorted(actor.units)), None)
    if actor.units and unit not in actor.units:
        raise NotFoundError(f"no unit {unit!r}", hint="a case begins in a unit of yours")
    with app.write() as tx:
        choice = starting.choose_manual(app, tx, procedure, process_id)
        case_id = starting.begin(
            app,
            tx,
            actor.authority_id,
            choice,
            data or {},
            by=actor.person_id,
            unit_id=unit,
        )
        line = _SHOW_LINE.send(tx, case=case_id)
    return CaseLine(*line.all()[0])


def list_cases(
    app: "Installation",
    actor: Actor,
    *,
    status: str | None = None,
    text: str | None = None,
    procedure: str | None = None,
    limit: int = PAGE,
    offset: int = 0,
) -> list[CaseLine]:
    """Return cases, newest first; ``text`` searches own and partner's file reference and title."""
    query = select(*_LINE).where(visible_to(actor, cases))
    if status:
        query = query.where(cases.c.status == status)
    if procedure:
        query = query.where(cases.c.procedure_key == procedure)
    if text:
        pattern = f"%{text}%"
        query = query.where(
            or_(
                cases.c.own_reference.ilike(pattern),
                cases.c.partner_reference.ilike(pattern),
                cases.c.title.ilike(pattern),
            )
        )
    query = query.order_by(cases.c.started_at.desc(), cases.c.id).limit(limit).offset(offset)
    with app.read() as tx:
        return [CaseLine(*row) for row in tx.execute(query)]


def find_case(tx: Connection, actor: Actor, key: str) -> RowMapping:
    """Return the case with this id, unambiguous beginning of an id, or own file reference.

    Raises CaseUnknownError; cases of other authorities and units read as unknown.
    """
    query = select(cases).where(
        visible_to(actor, cases), or_(cases.c.id == key, cases.c.own_reference == key)
    )
    found = tx.execute(query).mappings().one_or_none()
    if found is None and len(key) >= 6:
        begun = select(cases).where(visible_to(actor, cases), cases.c.id.startswith(key)).limit(2)
        rows = tx.execute(begun).mappings().all()
        found = rows[0] if len(rows) == 1 else None
    if found is None:
        raise CaseUnknownError(f"no case {key!r}", hint="'dienstweg case list' shows your cases")
    return found


def show_case(app: "Installation", actor: Actor, key: str) -> CaseView:
    """Return a case with its path, open work and exchanges; raise CaseUnknownError."""
    with app.read() as tx:
        row = find_case(tx, actor, key)
        case_id = row["id"]
        return CaseView(
            case=CaseLine(*(row[name] for name in CaseLine.__dataclass_fields__)),
            end_events=tuple(row["end_events"] or ()),
            path=tuple(_rows(tx, select(history).where(history.c.case_id == case_id), history.c.sequence)),
            tasks=tuple(_rows(tx, select(tasks).where(_open(tasks, case_id)), tasks.c.opened_at)),
            waits=tuple(
                _rows(
                    tx,
                    select(subscriptions).where(subscriptions.c.case_id == case_id),
                    subscriptions.c.opened_at,
                )
            ),
            timers=tuple(_rows(tx, select(timers).where(timers.c.case_id == case_id), timers.c.due_at)),
            incidents=tuple(
                _rows(tx, select(incidents).where(_open(incidents, case_id)), incidents.c.opened_at)
            ),
            exchanges=tuple(
                _rows(tx, select(exchanges).where(exchanges.c.case_id == case_id), exchanges.c.created_at)
            ),
            arrivals=tuple(
                _rows(tx, select(arrivals).where(arrivals.c.case_id == case_id), arrivals.c.registered_at)
            ),
            deadlines=tuple(listing.of_case(app, tx, case_id)),
        )


def data_of(app: "Installation", tx: Connection, case_id: str) -> Mapping[str, Any]:
    """Return a case's data: as its open branches see them, or what it came to when it ended."""
    result = tx.execute(
        select(case_states.c.result).where(case_states.c.case_id == case_id)
    ).scalar_one_or_none()
    if result is not None:
        ended: Mapping[str, Any] = result
        return ended
    locked = read_case(tx, case_id)
    program = app.programs.program(tx, locked.case.version_id, locked.case.process_id)
    return read_data(program, locked.document)


def _open(table: Any, case_id: str) -> Any:
    return and_(table.c.case_id == case_id, table.c.status == "open")


def _rows(tx: Connection, query: Select[Any], order: Any) -> list[Mapping[str, Any]]:
    return [dict(row) for row in tx.execute(query.order_by(order)).mappings()]
