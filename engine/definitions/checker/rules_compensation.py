"""Rules about compensation and transactions."""

from collections.abc import Iterator

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Rule, Subject, error, warning
from engine.definitions.checker.rules_events import THROWING, events_of
from engine.definitions.model import EventKind, NodeKind, Scope


def compensation_handler(subject: Subject) -> Iterator[Fault]:
    """A compensation boundary event is joined by an association to a compensation activity of its scope."""
    for place, event in events_of(subject):
        if event.kind is not EventKind.COMPENSATE or place.node.kind is not NodeKind.BOUNDARY_EVENT:
            continue
        handler = place.scope.compensation_handlers.get(place.node.id)
        if handler is None:
            yield place.fault(
                "no association leads from the compensation event to an activity marked for compensation",
                "connect it with an association to an activity with isForCompensation",
                event.line,
            )
        elif handler not in place.scope.nodes:
            yield place.fault(
                f"the compensation activity {handler} stands in another scope",
                "move it beside the activity it undoes",
                event.line,
            )
        if len(place.node.events) > 1:
            yield place.fault(
                "compensation stands among other event definitions", "give it a boundary event of its own"
            )


def handler_alone(subject: Subject) -> Iterator[Fault]:
    """An activity marked for compensation that no boundary event leads to never runs."""
    for place in subject.places:
        node = place.node
        if node.triggered_by_event:
            continue  # its own start event triggers it
        if node.for_compensation and node.id not in place.scope.compensation_handlers.values():
            yield place.fault(
                "the activity is marked for compensation, but no compensation event leads to it",
                "connect a compensation boundary event to it, or clear isForCompensation",
            )


def _compensable(scope: Scope, activity_id: str) -> bool:
    node = scope.nodes.get(activity_id)
    if node is None:
        return False
    if node.kind is NodeKind.CALL_ACTIVITY:
        return True
    if any(
        boundary.attached_to == activity_id and boundary.id in scope.compensation_handlers
        for boundary in scope.nodes.values()
    ):
        return True
    return node.scope is not None and _has_compensation(node.scope)


def _has_compensation(scope: Scope) -> bool:
    return (
        bool(scope.compensation_handlers)
        or any(node.scope is not None and _has_compensation(node.scope) for node in scope.nodes.values())
        or any(
            node.triggered_by_event
            and node.scope is not None
            and any(
                event.kind is EventKind.COMPENSATE for start in node.scope.starts() for event in start.events
            )
            for node in scope.nodes.values()
        )
    )


def compensation_target(subject: Subject) -> Iterator[Fault]:
    """A compensation throw names an activity of its own level that can be undone."""
    for place, event in events_of(subject):
        if (
            event.kind is not EventKind.COMPENSATE
            or place.node.kind not in THROWING
            or event.activity is None
        ):
            continue
        scopes = [place.scope]
        if place.owner is not None and place.owner.triggered_by_event:
            outer = subject.by_id.get(place.owner.id)
            if outer is not None:
                scopes.append(outer.scope)
        if not any(_compensable(scope, event.activity) for scope in scopes):
            yield place.fault(
                f"{event.activity} is no activity of this level that can be compensated",
                "name an activity beside it that has a compensation event, or leave activityRef out",
                event.line,
            )


def nothing_to_compensate(subject: Subject) -> Iterator[Fault]:
    """A compensation throw where nothing has a handler does nothing."""
    for place, event in events_of(subject):
        if (
            event.kind is EventKind.COMPENSATE
            and place.node.kind in THROWING
            and event.activity is None
            and not event.referred
        ):
            scopes = [place.scope]
            if place.owner is not None and place.owner.triggered_by_event:
                outer = subject.by_id.get(place.owner.id)
                scopes.extend([outer.scope] if outer is not None else [])
            calls = any(
                node.kind is NodeKind.CALL_ACTIVITY for scope in scopes for node in scope.nodes.values()
            )
            if not calls and not any(_has_compensation(scope) for scope in scopes):
                yield place.fault(
                    "the event compensates, but no activity of its level has a compensation handler",
                    "attach compensation events to what shall be undone",
                    event.line,
                )


def cancel_outside(subject: Subject) -> Iterator[Fault]:
    """A cancel end event stands directly in a transaction."""
    for place, event in events_of(subject):
        if event.kind is EventKind.CANCEL and place.node.kind is NodeKind.END_EVENT:
            owner = place.owner
            if owner is None or owner.kind is not NodeKind.TRANSACTION:
                yield place.fault(
                    "a cancel end event stands outside a transaction",
                    "put it directly into a transaction, or use an error end event",
                    event.line,
                )


def cancel_uncaught(subject: Subject) -> Iterator[Fault]:
    """A transaction that can be cancelled is left by a cancel boundary event (BPMN 2.0.2, 10.7)."""
    for place in subject.places:
        node = place.node
        if node.kind is not NodeKind.TRANSACTION or node.scope is None:
            continue
        cancels = any(
            event.kind is EventKind.CANCEL for inner in node.scope.nodes.values() for event in inner.events
        )
        caught = any(
            event.kind is EventKind.CANCEL
            for boundary in place.scope.nodes.values()
            if boundary.attached_to == node.id
            for event in boundary.events
        )
        if cancels and not caught:
            yield place.fault(
                "the transaction can be cancelled, but no cancel event on its edge says how it goes on then",
                "attach a cancel boundary event and draw its flow",
            )


RULES: tuple[Rule, ...] = (
    error("DW318", "Compensation event without handler", Category.INCOMPLETE, compensation_handler),
    error("DW319", "Compensation activity that nothing leads to", Category.INCOMPLETE, handler_alone),
    error("DW320", "Compensation of what cannot be undone", Category.WRONG, compensation_target),
    warning("DW351", "Nothing to compensate", Category.SUSPICIOUS, nothing_to_compensate),
    error("DW324", "Cancel that nothing catches", Category.INCOMPLETE, cancel_uncaught),
    error("DW317", "Cancel outside a transaction", Category.WRONG, cancel_outside),
)
