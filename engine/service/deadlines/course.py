"""The course of a case's deadlines: opened, armed, revised, fired, settled.

Everything happens in the transaction of what caused it, the case being locked: the deadline's row, the timer
it drives, the task that shows it, and an entry in the case's history with before, after, reason and who.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, update

from engine.deadlines import domain
from engine.deadlines.domain import Change, Outcome, State
from engine.deadlines.facts import Derived
from engine.deadlines.functions import Asked
from engine.deadlines.iso import ZONE, Period, add_period, parse_period, zone_of
from engine.deadlines.rules import Basis
from engine.deadlines.rules_reading import load_rules
from engine.definitions.model import Node, NodeKind
from engine.errors import ConflictError
from engine.runtime import api
from engine.service.deadlines import binding, due_dates, rows, watching
from engine.service.deadlines.facts import conclude
from engine.service.deadlines.rows import Kept
from engine.service.migration.ledger_deadlines import touch_deadline
from engine.service.stories import Entry, note
from engine.store.prepared import Prepared
from engine.store.tables import incidents, tasks

if TYPE_CHECKING:
    from engine.service.advance import CaseRow
    from engine.service.installation import Installation

SYSTEM = "system"
_SHOW_DUE = Prepared(
    update(tasks)
    .where(tasks.c.id == bindparam("task"))
    .values(due_at=bindparam("due", type_=tasks.c.due_at.type))
)
_PLANNED = (Outcome.ARMED, Outcome.REVISED, Outcome.EXTENDED, Outcome.DISARMED)


class StaleDeadlineError(ConflictError):
    """The deadline's timer belongs to an older revision, or its end has not come."""


# --- what an advance brings ------------------------------------------------------------------------------


def follow(
    app: "Installation",
    tx: Connection,
    case: "CaseRow",
    command: api.Command,
    result: api.Advance,
    nodes: Mapping[str, Node],
    by: str,
) -> None:
    """Do for deadlines what follows from an advance; its items and exchanges are stored already."""
    if isinstance(command, api.FireTimer):
        for kept in rows.of_item(tx, command.item_id):
            _fire(app, tx, kept, command.revision)
    for item_id, kind in zip(result.closed, result.closed_kinds, strict=True):
        if kind in (api.ItemKind.TIMER, api.ItemKind.TASK):
            for kept in rows.of_item(tx, item_id):
                _settle(app, tx, kept, command, result, nodes, by)
    if result.sends:
        for kept in rows.unbound(tx, case.id):
            _bind_late(app, tx, kept, nodes, by)
    for item in result.opened:
        node = nodes.get(item.element_id)
        if item.kind is api.ItemKind.TIMER and isinstance(item.source, Asked):
            _open_for_timer(app, tx, case, item, nodes, result, by)
        elif item.kind is api.ItemKind.TASK and node is not None:
            _open_for_task(app, tx, case, item, nodes, by)


def _open_for_timer(
    app: "Installation",
    tx: Connection,
    case: "CaseRow",
    item: api.OpenItem,
    nodes: Mapping[str, Node],
    result: api.Advance,
    by: str,
) -> None:
    asked: Asked = item.source
    node = nodes.get(item.element_id)
    if asked.basis is Basis.FIXED and (asked.found is None or asked.found.end_instant != item.due):
        return  # the timer is due by something that was only computed with the help of a deadline
    kept = _new(app, case, item, node, asked, "timer")
    if node is not None and node.kind is NodeKind.BOUNDARY_EVENT:
        kept = replace(kept, task_id=binding.host_task(item, node, result))
    _begin(app, tx, binding.bind(tx, kept, nodes), asked, by)


def _open_for_task(
    app: "Installation",
    tx: Connection,
    case: "CaseRow",
    item: api.OpenItem,
    nodes: Mapping[str, Node],
    by: str,
) -> None:
    node = nodes[item.element_id]
    found = due_dates.of_task(app, case, node, item)
    if found is None:
        return
    if found.fault is not None:
        _incident(app, tx, case.authority_id, case.id, item.element_id, item.id, "due-date", found.fault)
    if found.due is not None:
        _SHOW_DUE.run(tx, task=item.id, due=found.due)
    if found.asked is not None:
        kept = replace(_new(app, case, item, node, found.asked, "task"), task_id=item.id)
        _begin(app, tx, binding.bind(tx, kept, nodes), found.asked, by)


def _new(
    app: "Installation", case: "CaseRow", item: api.OpenItem, node: Node | None, asked: Asked, drives: str
) -> Kept:
    settings = app.settings.deadlines
    now = app.clock.now()
    deadline = domain.open_deadline(
        str(app.ids.new()), load_rules().get(asked.rule), now, parse_period(settings.watch)
    )
    return Kept(
        deadline=deadline,
        authority_id=case.authority_id,
        unit_id=case.unit_id,
        case_id=case.id,
        item_id=item.id,
        drives=drives,
        element_id=item.element_id,
        instance=item.instance,
        basis=asked.basis.value,
        period=asked.period,
        send_element=asked.element,
        remind_before=_reminders(app, node),
    )


def _reminders(app: "Installation", node: Node | None) -> tuple[Period, ...]:
    written = node.attributes.get("remindBefore") if node is not None else None
    texts = written.split(",") if written else app.settings.deadlines.remind_before
    return tuple(parse_period(text) for text in texts)


def _begin(app: "Installation", tx: Connection, kept: Kept, asked: Asked, by: str) -> None:
    """Write a new deadline, and arm it where its start is known already."""
    now = app.clock.now()
    derived = Derived(asked.found) if asked.basis is Basis.FIXED else conclude(app, tx, kept)
    change = domain.apply(kept.deadline, derived, at=now, by=by, reason="the case waits from here on")
    rows.insert(tx, kept.now(change.deadline))
    touch_deadline(app, tx, kept.deadline.id)
    if change.outcome is Outcome.UNCHANGED:
        _tell(app, tx, kept.now(change.deadline), "unarmed", by)
        watching.watch(app, tx, kept)
    else:
        _took(app, tx, kept.now(change.deadline), change.outcome, by)


def _bind_late(app: "Installation", tx: Connection, kept: Kept, nodes: Mapping[str, Node], by: str) -> None:
    bound = binding.bind(tx, kept, nodes)
    if bound.exchange_id is not None:
        _revise(app, tx, bound, "the message it hangs on was made", by)


def _fire(app: "Installation", tx: Connection, kept: Kept, revision: int) -> None:
    change = domain.fire(kept.deadline, revision, app.clock.now())
    if change.outcome is not Outcome.FIRED:
        raise StaleDeadlineError(
            f"the timer of {kept.deadline.rule} has revision {revision}, "
            f"the deadline {kept.deadline.revision} ({change.outcome.value})"
        )
    _ended(app, tx, kept.now(change.deadline), "fired", SYSTEM)


def _settle(
    app: "Installation",
    tx: Connection,
    kept: Kept,
    command: api.Command,
    result: api.Advance,
    nodes: Mapping[str, Node],
    by: str,
) -> None:
    """End a deadline whose item is closed by something else than its end."""
    now, deadline = app.clock.now(), kept.deadline
    overdue = deadline.due is not None and now >= deadline.due
    if overdue and kept.drives == "task":
        fired = domain.fire(deadline, deadline.revision, now)
        _ended(app, tx, kept.now(fired.deadline), "missed", by)
        return
    met = not overdue and _is_met(kept, command, result, nodes.get(kept.element_id))
    reason = (
        "what was waited for came in time"
        if met
        else "the wait ended after the end, before its timer fired"
        if overdue
        else "the case no longer waits for it"
    )
    change = domain.settle(deadline, State.MET if met else State.CANCELLED, at=now, by=by, reason=reason)
    _ended(app, tx, kept.now(change.deadline), change.deadline.state.value, by)


def _is_met(kept: Kept, command: api.Command, result: api.Advance, node: Node | None) -> bool:
    """Tell whether the item was closed because what had to be done was done."""
    if kept.drives == "task":
        return isinstance(command, api.CompleteTask) and command.item_id == kept.item_id
    if node is not None and node.attached_to is not None:
        return any(
            step.kind is api.StepKind.COMPLETED
            and step.element_id == node.attached_to
            and step.instance == kept.instance
            for step in result.steps
        )
    return isinstance(command, api.DeliverMessage | api.DeliverSignal)


def _ended(app: "Installation", tx: Connection, kept: Kept, outcome: str, by: str) -> None:
    rows.save(tx, kept)
    touch_deadline(app, tx, kept.deadline.id)
    _tell(app, tx, kept, outcome, by)
    watching.close_watch(app, tx, kept)
    watching.close_reminders(app, tx, kept)


# --- what facts and people bring -------------------------------------------------------------------------


def told(kind: str, at: datetime, reason: str | None) -> str:
    """Return a fact as revisions name it, with the day where it happened."""
    day = f"{kind} on {at.astimezone(zone_of(ZONE)):%Y-%m-%d}"
    return f"{day}: {reason}" if reason else day


def facts_changed(app: "Installation", tx: Connection, exchange_id: str, reason: str, by: str) -> None:
    """Derive anew what hangs on an exchange; the case is locked."""
    for kept in rows.of_exchange(tx, exchange_id):
        _revise(app, tx, kept, reason, by)


def arrived(
    app: "Installation", tx: Connection, case_id: str, arrival_id: str, start_event: str | None, by: str
) -> None:
    """Let deadlines of a case that an arrival began run from that arrival, where they name no send."""
    for kept in rows.unbound(tx, case_id):
        if kept.send_element in (None, start_event):
            _revise(app, tx, replace(kept, arrival_id=arrival_id), "the case began with an arrival", by)


def _revise(app: "Installation", tx: Connection, kept: Kept, reason: str, by: str) -> None:
    derived = conclude(app, tx, kept)
    change = domain.apply(kept.deadline, derived, at=app.clock.now(), by=by, reason=reason)
    take(app, tx, kept, change, by)


def take(app: "Installation", tx: Connection, kept: Kept, change: Change, by: str) -> Kept:
    """Store a change of a deadline and let everything follow that hangs on it; the case is locked."""
    new = kept.now(change.deadline)
    if change.outcome is Outcome.DISARMED:
        watched = add_period(app.clock.now(), parse_period(app.settings.deadlines.watch))
        new = kept.now(replace(change.deadline, watch_until=watched))
    rows.save(tx, new)
    touch_deadline(app, tx, kept.deadline.id)
    if change.outcome is not Outcome.UNCHANGED:
        _took(app, tx, new, change.outcome, by)
    return new


def _took(app: "Installation", tx: Connection, kept: Kept, outcome: Outcome, by: str) -> None:
    from engine.service.advance import move

    _tell(app, tx, kept, outcome.value, by)
    if outcome is Outcome.LATE_REVISION:
        _late(app, tx, kept)
        return
    if outcome not in _PLANNED:
        return
    deadline = kept.deadline
    if kept.task_id is not None:
        _SHOW_DUE.run(tx, task=kept.task_id, due=deadline.due)
    watching.close_reminders(app, tx, kept)
    if deadline.due is None:
        watching.watch(app, tx, kept)
    else:
        watching.close_watch(app, tx, kept)
        watching.remind(app, tx, kept)
    if kept.drives == "timer":
        move(app, tx, kept.case_id, api.RearmTimer(kept.item_id, deadline.due, deadline.revision), by)


def _late(app: "Installation", tx: Connection, kept: Kept) -> None:
    """Something about a deadline came out after it had fired: a person decides, nothing is undone."""
    last, deadline = kept.deadline.revisions[-1], kept.deadline
    shown = "there would have been no end" if last.end is None else f"it would have ended on {last.end}"
    text = (
        f"{deadline.rule} fired at its end on {deadline.end}; {last.reason}: {shown}. Nothing was undone; "
        "decide what is to be done and close this with the reason."
    )
    _incident(app, tx, kept.authority_id, kept.case_id, kept.element_id, deadline.id, "late-revision", text)


def _incident(
    app: "Installation",
    tx: Connection,
    authority_id: str,
    case_id: str,
    element_id: str,
    subject_id: str,
    kind: str,
    message: str,
) -> None:
    now = app.clock.now()
    tx.execute(
        insert(incidents).values(
            id=str(app.ids.new()),
            authority_id=authority_id,
            case_id=case_id,
            kind=kind,
            subject_id=subject_id,
            element_id=element_id,
            message=message,
            status="open",
            opened_at=now,
        )
    )
    command = {"incident": kind, "subject": subject_id, "details": {"message": message}}
    note(tx, app.ids, case_id, Entry(now, SYSTEM, "incident", command))


def _tell(app: "Installation", tx: Connection, kept: Kept, outcome: str, by: str) -> None:
    """Write a change into the case's history: before, after, reason, who."""
    deadline = kept.deadline
    last = deadline.revisions[-1] if deadline.revisions else None
    command: dict[str, Any] = {
        "deadline": deadline.id,
        "rule": deadline.rule,
        "basis": kept.basis,
        "outcome": outcome,
        "revision": deadline.revision,
        "before": last.before.isoformat() if last and last.before else None,
        "after": last.after.isoformat() if last and last.after else None,
        "end": deadline.end.isoformat() if deadline.end else None,
        "reason": last.reason if last else None,
        "evidence": list(last.evidence) if last else [],
        "exchange": kept.exchange_id,
        "missing": deadline.missing.as_json() if deadline.missing else None,
    }
    note(tx, app.ids, kept.case_id, Entry(app.clock.now(), by, "deadline", command))
