"""Beginning cases: by a clerk, or by a message that arrived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select

from engine.definitions.model import EventKind
from engine.errors import RefusedError
from engine.exchange.chain import GENESIS
from engine.runtime import api
from engine.service.advance import CaseRow, apply
from engine.service.programs import ProcedureUnknownError
from engine.service.stories import Head
from engine.store.database import upsert
from engine.store.prepared import Prepared, insert_into
from engine.store.tables import cases, counters, procedure_versions, processes

if TYPE_CHECKING:
    from engine.service.installation import Installation


class StartRefusedError(RefusedError):
    """A case cannot be begun like this."""


class TimersOnlyError(StartRefusedError):
    """Cases of the process are begun by its timers, not by hand."""


_INSERT_CASE = insert_into(cases, *CaseRow.__dataclass_fields__, "title", "started_at", "started_by")
_PROCESSES = (
    select(processes, procedure_versions.c.number)
    .join(procedure_versions, procedure_versions.c.id == processes.c.version_id)
    .order_by(processes.c.procedure_key, procedure_versions.c.number, processes.c.process_id)
)
_ALL_PROCESSES = Prepared(_PROCESSES)
_PROCESSES_OF = Prepared(_PROCESSES.where(processes.c.procedure_key == bindparam("procedure")))


@dataclass(frozen=True, slots=True)
class ProcessChoice:
    """A process of a deployed version, and where in it a case begins."""

    version_id: str
    process_id: str
    procedure_key: str
    name: str
    start_event: str | None = None


@dataclass(frozen=True, slots=True)
class Partner:
    """What is known of the other authority when a case begins."""

    authority_id: str | None = None
    reference: str | None = None


def latest_processes(tx: Connection, procedure: str | None = None) -> list[Mapping[str, Any]]:
    """Return the processes of the newest version of every procedure, or of one."""
    rows = _ALL_PROCESSES.all(tx) if procedure is None else _PROCESSES_OF.all(tx, procedure=procedure)
    newest: dict[str, int] = {}
    for row in rows:
        newest[row.procedure_key] = max(newest.get(row.procedure_key, 0), row.number)
    return [dict(row._asdict()) for row in rows if row.number == newest[row.procedure_key]]


def choose_manual(
    app: "Installation", tx: Connection, procedure: str, process_id: str | None
) -> ProcessChoice:
    """Return the process of ``procedure`` that a clerk begins.

    Raises ProcedureUnknownError, TimersOnlyError where nothing but a timer begins it, or StartRefusedError
    where it is not clear which process is meant.
    """
    rows = latest_processes(tx, procedure)
    if not rows:
        raise ProcedureUnknownError(
            f"no procedure {procedure!r} is deployed", hint="'dienstweg model list' shows what is"
        )
    manual = [row for row in rows if row["manual_start"]]
    wanted = [row for row in rows if row["process_id"] == process_id] if process_id else manual
    if not any(row["manual_start"] for row in wanted):
        _point_to_timers(app, tx, procedure, wanted if process_id else rows)
    if len(wanted) != 1:
        names = ", ".join(row["process_id"] for row in manual) or "none"
        raise StartRefusedError(
            f"{procedure} has no single process to begin by hand", hint=f"name one with --process: {names}"
        )
    row = wanted[0]
    return ProcessChoice(row["version_id"], row["process_id"], procedure, row["name"])


def _point_to_timers(
    app: "Installation", tx: Connection, procedure: str, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Raise TimersOnlyError where timers begin one of the processes, none of which begins by hand."""
    programs = [app.programs.program(tx, row["version_id"], row["process_id"]) for row in rows]
    points = [point for program in programs for point in program.starts]
    names = ", ".join(repr(point.element_id) for point in points if point.kind == EventKind.TIMER.value)
    if names:
        raise TimersOnlyError(
            f"{procedure} is not begun by hand: timers begin its cases at {names}",
            hint=f"an admin lets them: 'dienstweg schedule on {procedure}'",
        )


def choose_by_message(tx: Connection, message: str) -> ProcessChoice | None:
    """Return the process whose message start event takes ``message``, or None where no model has one."""
    for row in latest_processes(tx):
        event = row["start_messages"].get(message)
        if event is not None:
            return ProcessChoice(
                row["version_id"], row["process_id"], row["procedure_key"], row["name"], event
            )
    return None


def choose_by_signal(app: "Installation", tx: Connection, signal: str) -> list[ProcessChoice]:
    """Return every process that a start event of ``signal`` begins: a signal is for all who listen."""
    found = []
    for row in latest_processes(tx):
        program = app.programs.program(tx, row["version_id"], row["process_id"])
        for point in program.starts:
            if point.kind == EventKind.SIGNAL.value and point.event == signal:
                key, name = row["procedure_key"], row["name"]
                choice = ProcessChoice(row["version_id"], row["process_id"], key, name, point.element_id)
                found.append(choice)
    return found


def begin(
    app: "Installation",
    tx: Connection,
    authority_id: str,
    choice: ProcessChoice,
    data: Mapping[str, Any],
    *,
    by: str,
    unit_id: str | None = None,
    partner: Partner = Partner(),
) -> str:
    """Write a new case, run it to its first wait, and return its id. Commits with ``tx``."""
    command = api.Start(dict(data), choice.start_event)
    case_id, _ = begin_with(app, tx, authority_id, choice, command, by=by, unit_id=unit_id, partner=partner)
    return case_id


def begin_with(
    app: "Installation",
    tx: Connection,
    authority_id: str,
    choice: ProcessChoice,
    command: api.Command,
    *,
    by: str,
    unit_id: str | None = None,
    partner: Partner = Partner(),
) -> tuple[str, api.Advance]:
    """Write a new case and begin it with ``command``; return its id and what followed."""
    now = app.clock.now()
    package = app.programs.package(tx, choice.version_id)
    reference = _next_reference(app, tx, authority_id, package.key, now.year)
    case = CaseRow(
        id=str(app.ids.new()),
        authority_id=authority_id,
        unit_id=unit_id,
        procedure_key=choice.procedure_key,
        version_id=choice.version_id,
        process_id=choice.process_id,
        own_reference=reference,
        partner_reference=partner.reference,
        partner_id=partner.authority_id,
        status="open",
    )
    row = {name: getattr(case, name) for name in CaseRow.__dataclass_fields__}
    _INSERT_CASE.run(tx, **row, title=f"{package.title} {reference}", started_at=now, started_by=by)
    head = Head(case.id, authority_id, 0, GENESIS)
    return case.id, apply(app, tx, case, head, None, command, by)


def _next_reference(
    app: "Installation", tx: Connection, authority_id: str, procedure_key: str, year: int
) -> str:
    """Return the next file reference; procedures whose keys begin alike count together."""
    series = procedure_key[:4].upper()
    while True:
        number = next_number(tx, authority_id, f"case:{series}:{year}")
        reference = f"{app.settings.code}-{series}-{year}-{number:05d}"
        # Earlier versions counted each procedure alone; what they have given out is passed over.
        if _REFERENCE.first(tx, authority=authority_id, reference=reference) is None:
            return reference


def start_by_message(
    app: "Installation",
    tx: Connection,
    authority_id: str,
    message: str,
    payload: Mapping[str, Any],
    *,
    by: str,
    partner: Partner = Partner(),
) -> str | None:
    """Begin the case that ``message`` starts, or return None where no deployed model wants it."""
    choice = choose_by_message(tx, message)
    if choice is None:
        return None
    return begin(app, tx, authority_id, choice, payload, by=by, partner=partner)


def next_number(tx: Connection, authority_id: str, name: str) -> int:
    """Count up a counter of the authority without gaps; concurrent callers wait for each other."""
    row = _COUNT.first(tx, authority=authority_id, counter=name)
    if row is None:
        raise RuntimeError(f"counter {name} was not counted")
    return int(row.value)


def _count(dialect: str) -> Any:
    first = upsert(dialect, counters).values(
        authority_id=bindparam("authority"), name=bindparam("counter"), value=1
    )
    return first.on_conflict_do_update(
        index_elements=["authority_id", "name"], set_={"value": counters.c.value + 1}
    ).returning(counters.c.value)


_COUNT = Prepared(_count)
_REFERENCE = Prepared(
    select(cases.c.id).where(
        cases.c.authority_id == bindparam("authority"), cases.c.own_reference == bindparam("reference")
    )
)
