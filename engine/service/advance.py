"""The one place where a case moves: load, advance, store everything of it in the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from engine.definitions.model import Node
from engine.errors import ConflictError, NotFoundError
from engine.runtime import advance as advance_program
from engine.runtime import api
from engine.service.deadlines import course as deadline_course
from engine.service.exchanges import outbox
from engine.service.installation import Installation
from engine.service.message_buffer import look_in_buffer
from engine.service.model_functions import ModelFunctions, Watch
from engine.service.stories import Entry, Head, append
from engine.store.prepared import Prepared, Sent, insert_into
from engine.store.tables import case_states, cases, incidents, subscriptions, tasks, timers

_WAITING = (api.ItemKind.MESSAGE, api.ItemKind.SIGNAL, api.ItemKind.CONDITION)


class CaseUnknownError(NotFoundError):
    """There is no such case."""


class CaseEndedError(ConflictError):
    """The case has ended already."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """What an advance needs to know of a case."""

    id: str
    authority_id: str
    unit_id: str | None
    procedure_key: str
    version_id: str
    process_id: str
    own_reference: str
    partner_reference: str | None
    partner_id: str | None
    status: str
    end_events: Sequence[str] | None = None
    """End events reached by earlier advances."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A case that this transaction alone may move."""

    case: CaseRow
    head: Head
    document: str


_CASE = [cases.c[name] for name in CaseRow.__dataclass_fields__]
_WIDTH = len(_CASE)
_CASES = select(*_CASE, case_states.c.sequence, case_states.c.document, case_states.c.chain_head).join(
    case_states, case_states.c.case_id == cases.c.id
)
_READ = _CASES.where(cases.c.id == bindparam("case"))
_READ_CASE = Prepared(_READ)
# Only the state is locked: whoever lists cases, or notes the partner's reference, need not wait.
_LOCK_CASE = Prepared(_READ.with_for_update(of=case_states))
_TASKS_CASE = select(tasks.c.case_id).where(
    tasks.c.id == bindparam("task"), tasks.c.authority_id == bindparam("authority")
)
_LOCK_TASKS_CASE = Prepared(
    _CASES.where(cases.c.id == _TASKS_CASE.scalar_subquery()).with_for_update(of=case_states)
)
_INSERT_TASK = insert_into(
    tasks,
    *("id", "authority_id", "case_id", "unit_id", "kind", "element_id", "instance"),
    *("name", "form", "status", "opened_at"),
)
_INSERT_TIMER = insert_into(timers)
_INSERT_SUBSCRIPTION = insert_into(subscriptions)
_INSERT_INCIDENT = insert_into(
    incidents,
    *("id", "authority_id", "case_id", "kind", "subject_id", "element_id", "message", "status", "opened_at"),
)
_CHANGE_TIMER = Prepared(
    update(timers)
    .where(timers.c.id == bindparam("item"))
    .values(due_at=bindparam("due"), revision=bindparam("rev"), expression=bindparam("text"))
)
_BIND_SUBSCRIPTION = Prepared(
    update(subscriptions)
    .where(subscriptions.c.id == bindparam("item"))
    .values(correlation=bindparam("bound"), answers=bindparam("send"))
)
_DELETE_TIMER = Prepared(delete(timers).where(timers.c.id == bindparam("item")))
_DELETE_SUBSCRIPTION = Prepared(delete(subscriptions).where(subscriptions.c.id == bindparam("item")))
_CLOSE_TASK = Prepared(
    update(tasks)
    .where(tasks.c.id == bindparam("item"), tasks.c.status == "open")
    .values(status=bindparam("how"), closed_by=bindparam("who"), closed_at=bindparam("now"))
)
_CLOSE_INCIDENT = Prepared(
    update(incidents)
    .where(incidents.c.subject_id == bindparam("item"), incidents.c.status == "open")
    .values(status="closed", closed_at=bindparam("now"), closed_by=bindparam("who"))
)
_END_CASE = Prepared(
    update(cases)
    .where(cases.c.id == bindparam("case"))
    .values(status="ended", ended_at=bindparam("now"), end_events=bindparam("ends"))
)
_REACH_END = Prepared(
    update(cases).where(cases.c.id == bindparam("case")).values(end_events=bindparam("ends"))
)


def lock_case(tx: Connection, case_id: str) -> Locked:
    """Read a case and keep other writers away from it until ``tx`` ends; raise CaseUnknownError."""
    return _locked(_LOCK_CASE.first(tx, case=case_id), case_id)


def send_lock(tx: Connection, task: str, authority_id: str) -> Sent:
    """Lock the case of a task of the authority without waiting for it; ``locked`` reads the answer."""
    return _LOCK_TASKS_CASE.send(tx, task=task, authority=authority_id)


def locked(sent: Sent, case_id: str) -> Locked:
    """Return the case that ``send_lock`` has locked; raise CaseUnknownError."""
    return _locked(sent.first(), case_id)


def read_case(tx: Connection, case_id: str) -> Locked:
    """Read a case as it stands, without keeping anybody away; raise CaseUnknownError."""
    return _locked(_READ_CASE.first(tx, case=case_id), case_id)


def _locked(row: Any, case_id: str) -> Locked:
    if row is None:
        raise CaseUnknownError(f"no case {case_id}", hint="'dienstweg case list' shows your cases")
    case = CaseRow(*row[:_WIDTH])
    return Locked(case, Head(case.id, case.authority_id, row.sequence, row.chain_head), row.document)


def move(app: Installation, tx: Connection, case_id: str, command: api.Command, by: str) -> api.Advance:
    """Apply ``command`` to an open case and store the outcome.

    Raises CaseUnknownError, CaseEndedError, and the runtime's refusals for items that are not open.
    """
    return move_locked(app, tx, lock_case(tx, case_id), command, by)


def move_locked(
    app: Installation, tx: Connection, locked: Locked, command: api.Command, by: str
) -> api.Advance:
    """Do what ``move`` does, for a case that ``tx`` has locked already and not moved since."""
    if locked.case.status != "open":
        raise CaseEndedError(f"case {locked.case.own_reference} is {locked.case.status}")
    return apply(app, tx, locked.case, locked.head, locked.document, command, by)


def apply(
    app: Installation,
    tx: Connection,
    case: CaseRow,
    head: Head,
    document: str | None,
    command: api.Command,
    by: str,
) -> api.Advance:
    """Advance ``case`` from ``document`` (None: from its beginning) and store the outcome."""
    deployed = app.programs.deployed(tx, case.version_id)
    now, watch = app.clock.now(), Watch()
    functions = ModelFunctions(case.authority_id, now, app.settings.deadlines, watch)
    program = app.programs.program(tx, case.version_id, case.process_id)
    result = advance_program(
        program,
        document,
        command,
        now=now,
        ids=app.ids,
        functions=functions,
        decisions=partial(deployed.decide, functions=functions),
        watch=watch,
    )
    app.probe("advanced")
    entry = Entry(now, by, "advance", describe(command), [_step(step) for step in result.steps])
    # The document of an ended case is empty; what it came to is kept beside it.
    append(tx, app.ids, head, entry, result.state, dict(result.data) if result.completed else None)
    if result.closed:
        _close(tx, result, command, by, now)
    if result.opened or result.changed:
        _open(tx, app, case, result, deployed.nodes, now)
    for send in result.sends:
        outbox.create_exchange(app, tx, case, send, by)
    _enqueue_thrown(tx, app, case, result)
    if deployed.has_deadlines:
        deadline_course.follow(app, tx, case, command, result, deployed.nodes, by)
    # A case ends where its outermost scope ends; the ends of sub-processes are only steps on the way.
    reached = [end for end in result.end_events if program.root.element(end) is not None]
    ends = [*(case.end_events or ()), *reached]
    if result.completed:
        _END_CASE.run(tx, case=case.id, now=now, ends=ends)
    elif reached:
        _REACH_END.run(tx, case=case.id, ends=ends)
    app.probe("stored")
    return result


def describe(command: api.Command) -> dict[str, Any]:
    """Return a command as history keeps it."""
    row: dict[str, Any] = {"command": type(command).__name__}
    for field in fields(command):
        value = getattr(command, field.name)
        row[field.name] = value.isoformat() if isinstance(value, datetime) else value
    return row


def _step(step: api.Step) -> dict[str, Any]:
    """Return a step as history keeps it: empty fields are left out."""
    row: dict[str, Any] = {"kind": step.kind.value, "element": step.element_id}
    if step.scope:
        row["scope"] = list(step.scope)
    if step.instance:
        row["instance"] = step.instance
    if step.item_id:
        row["item"] = step.item_id
    if step.patch:
        row["patch"] = dict(step.patch)
    if step.removed:
        row["removed"] = list(step.removed)
    return row


def _open(
    tx: Connection,
    app: Installation,
    case: CaseRow,
    result: api.Advance,
    nodes: Mapping[str, Node],
    now: datetime,
) -> None:
    """Write a row for everything the case now waits for."""
    rows: dict[Prepared, list[dict[str, Any]]] = {}
    for item in result.opened:
        row: dict[str, Any] = {"authority_id": case.authority_id, "case_id": case.id, "id": item.id}
        row |= {"element_id": item.element_id, "instance": item.instance}
        if item.kind is api.ItemKind.TASK:
            node = nodes.get(item.element_id)
            row |= {"unit_id": case.unit_id, "kind": "form", "name": item.name or item.element_id}
            row |= {"form": node.form if node else None, "status": "open", "opened_at": now}
            rows.setdefault(_INSERT_TASK, []).append(row)
        elif item.kind is api.ItemKind.TIMER:
            row |= {"expression": item.expression, "due_at": item.due, "revision": item.revision}
            rows.setdefault(_INSERT_TIMER, []).append(row)
        elif item.kind in _WAITING:
            row |= {"kind": item.kind.value, "event": item.event, "answers": item.answers}
            row |= {"correlation": dict(item.correlation), "opened_at": now}
            rows.setdefault(_INSERT_SUBSCRIPTION, []).append(row)
            if item.kind is api.ItemKind.MESSAGE:
                look_in_buffer(app, tx, case.authority_id, case.id, item)
        elif item.kind is api.ItemKind.WORK:
            from engine.service.services import kind_of_work

            kind = kind_of_work(nodes.get(item.element_id))
            arguments = {"case": case.id, "item": item.id}
            app.queue.enqueue(tx, kind, arguments, authority_id=case.authority_id, key=item.id)
        else:
            row |= {"id": str(app.ids.new()), "kind": "element", "subject_id": item.id, "status": "open"}
            del row["instance"]
            row |= {"message": item.error or "failed", "opened_at": now}
            rows.setdefault(_INSERT_INCIDENT, []).append(row)
    for statement, found in rows.items():
        statement.run_many(tx, found)
    for item in result.changed:
        if item.kind is api.ItemKind.TIMER:
            _CHANGE_TIMER.run(tx, item=item.id, due=item.due, rev=item.revision, text=item.expression)
        elif item.kind is api.ItemKind.MESSAGE:
            _BIND_SUBSCRIPTION.run(tx, item=item.id, bound=dict(item.correlation), send=item.answers)


def _close(tx: Connection, result: api.Advance, command: api.Command, by: str, now: datetime) -> None:
    """Take away the rows of what the case no longer waits for; tasks stay, marked."""
    done = command.item_id if isinstance(command, api.CompleteTask) else None
    for item, kind in zip(result.closed, result.closed_kinds, strict=True):
        if kind is api.ItemKind.TASK:
            how = "completed" if item == done else "withdrawn"
            _CLOSE_TASK.run(tx, item=item, how=how, who=by, now=now)
        elif kind is api.ItemKind.TIMER:
            _DELETE_TIMER.run(tx, item=item)
        elif kind in _WAITING:
            _DELETE_SUBSCRIPTION.run(tx, item=item)
        elif kind is api.ItemKind.FAILED:
            _CLOSE_INCIDENT.run(tx, item=item, who=by, now=now)


def _enqueue_thrown(tx: Connection, app: Installation, case: CaseRow, result: api.Advance) -> None:
    """Hand messages and signals for other cases of the authority to background work."""
    for message in result.messages:
        origin = f"{case.id}/{message.key}"
        arguments = {
            "origin": origin,
            "name": message.name,
            "payload": dict(message.payload),
            "correlation": dict(message.correlation),
        }
        app.queue.enqueue(tx, "message", arguments, authority_id=case.authority_id, key=origin)
    for signal in result.signals:
        arguments = {"name": signal.name, "payload": dict(signal.payload), "from": case.id}
        app.queue.enqueue(tx, "signal", arguments, authority_id=case.authority_id)
