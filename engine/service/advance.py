"""The one place where a case moves: load, advance, store everything of it in the caller's transaction."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy import case as case_when

from engine.definitions.model import Node
from engine.errors import ConflictError, NotFoundError
from engine.runtime import advance as advance_program
from engine.runtime import api
from engine.service import messages, outbox
from engine.service.installation import Installation
from engine.service.model_functions import functions_for
from engine.service.stories import Entry, Head, append
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


@dataclass(frozen=True, slots=True)
class Locked:
    """A case that this transaction alone may move."""

    case: CaseRow
    head: Head
    document: str


_CASE = [cases.c[name] for name in CaseRow.__dataclass_fields__]
_LOCK = select(*_CASE, case_states.c.sequence, case_states.c.document, case_states.c.chain_head).join(
    case_states, case_states.c.case_id == cases.c.id
)


def lock_case(tx: Connection, case_id: str) -> Locked:
    """Read a case and keep other writers away from it until ``tx`` ends; raise CaseUnknownError."""
    row = tx.execute(_LOCK.where(cases.c.id == case_id).with_for_update()).one_or_none()
    if row is None:
        raise CaseUnknownError(f"no case {case_id}", hint="'dienstweg case list' shows your cases")
    case = CaseRow(*row[: len(_CASE)])
    return Locked(case, Head(case.id, case.authority_id, row.sequence, row.chain_head), row.document)


def move(app: Installation, tx: Connection, case_id: str, command: api.Command, by: str) -> api.Advance:
    """Apply ``command`` to an open case and store the outcome.

    Raises CaseUnknownError, CaseEndedError, and the runtime's refusals for items that are not open.
    """
    locked = lock_case(tx, case_id)
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
    program = app.programs.program(tx, case.version_id, case.process_id)
    now = app.clock.now()
    result = advance_program(
        program,
        document,
        command,
        now=now,
        ids=app.ids,
        functions=functions_for(case.authority_id, now),
        decisions=app.programs.decisions(tx, case.version_id),
    )
    entry = Entry(now, by, "advance", describe(command), [_step(step) for step in result.steps])
    append(tx, app.ids, head, entry, result.state)
    nodes = app.programs.nodes(tx, case.version_id)
    _close(tx, app, result, command, by)
    _open(tx, app, case, result, nodes)
    for send in result.sends:
        outbox.create_exchange(app, tx, case, send, by)
    _enqueue_thrown(tx, app, case, result)
    if result.completed:
        _end(tx, app, case, result)
    return result


def describe(command: api.Command) -> dict[str, Any]:
    """Return a command as history keeps it."""
    return {"command": type(command).__name__, **asdict(command)}


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
    tx: Connection, app: Installation, case: CaseRow, result: api.Advance, nodes: Mapping[str, Node]
) -> None:
    """Write a row for everything the case now waits for."""
    common = {"authority_id": case.authority_id, "case_id": case.id}
    now = app.clock.now()
    for item in result.opened:
        row = {**common, "id": item.id, "element_id": item.element_id, "instance": item.instance}
        if item.kind is api.ItemKind.TASK:
            node = nodes.get(item.element_id)
            tx.execute(
                insert(tasks).values(
                    **row,
                    unit_id=case.unit_id,
                    kind="form",
                    name=item.name or item.element_id,
                    form=node.form if node else None,
                    status="open",
                    opened_at=now,
                )
            )
        elif item.kind is api.ItemKind.TIMER:
            tx.execute(
                insert(timers).values(
                    **row, expression=item.expression, due_at=item.due, revision=item.revision
                )
            )
        elif item.kind in _WAITING:
            tx.execute(
                insert(subscriptions).values(
                    **row,
                    kind=item.kind.value,
                    event=item.event,
                    answers=item.answers,
                    correlation=dict(item.correlation),
                    opened_at=now,
                )
            )
            if item.kind is api.ItemKind.MESSAGE:
                messages.look_in_buffer(app, tx, case.authority_id, case.id, item)
        elif item.kind is api.ItemKind.WORK:
            app.queue.enqueue(
                tx, "work", {"case": case.id, "item": item.id}, authority_id=case.authority_id, key=item.id
            )
        else:
            tx.execute(
                insert(incidents).values(
                    id=str(app.ids.new()),
                    **common,
                    kind="element",
                    subject_id=item.id,
                    element_id=item.element_id,
                    message=item.error or "failed",
                    status="open",
                    opened_at=now,
                )
            )
    for item in result.changed:
        if item.kind is api.ItemKind.TIMER:
            tx.execute(
                update(timers)
                .where(timers.c.id == item.id)
                .values(due_at=item.due, revision=item.revision, expression=item.expression)
            )


def _close(tx: Connection, app: Installation, result: api.Advance, command: api.Command, by: str) -> None:
    """Take away the rows of what the case no longer waits for; tasks stay, marked."""
    if not result.closed:
        return
    gone = list(result.closed)
    now = app.clock.now()
    tx.execute(delete(subscriptions).where(subscriptions.c.id.in_(gone)))
    tx.execute(delete(timers).where(timers.c.id.in_(gone)))
    done = command.item_id if isinstance(command, api.CompleteTask) else None
    tx.execute(
        update(tasks)
        .where(tasks.c.id.in_(gone), tasks.c.status == "open")
        .values(
            status=case_when((tasks.c.id == done, "completed"), else_="withdrawn"),
            closed_by=by,
            closed_at=now,
        )
    )
    tx.execute(
        update(incidents)
        .where(incidents.c.subject_id.in_(gone), incidents.c.status == "open")
        .values(status="closed", closed_at=now, closed_by=by)
    )


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


def _end(tx: Connection, app: Installation, case: CaseRow, result: api.Advance) -> None:
    tx.execute(
        update(cases)
        .where(cases.c.id == case.id)
        .values(status="ended", ended_at=app.clock.now(), end_events=list(result.end_events))
    )
    # The document of an ended case is empty; what it came to is kept beside it.
    tx.execute(update(case_states).where(case_states.c.case_id == case.id).values(result=dict(result.data)))
