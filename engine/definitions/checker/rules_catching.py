"""Rules about what is caught at an activity or a level: where boundary events sit, and what ends what."""

from collections.abc import Iterator

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Rule, Subject, error, warning
from engine.definitions.checker.rules_events import events_of
from engine.definitions.model import EventDefinition, EventKind, Node, NodeKind, Scope


def boundary_host(subject: Subject) -> Iterator[Fault]:
    """A boundary event sits on an activity that can run, a cancel event on a transaction."""
    for place in subject.places:
        node = place.node
        if node.kind is not NodeKind.BOUNDARY_EVENT or node.attached_to is None:
            continue
        host = place.scope.nodes.get(node.attached_to)
        if host is None or not host.kind.is_activity:
            yield place.fault(
                f"the boundary event sits on {node.attached_to}, which is no activity",
                "attach it to a task, sub-process or call activity",
            )
        elif host.triggered_by_event:
            yield place.fault("an event sub-process cannot have boundary events", "attach it to an activity")
        elif host.for_compensation:
            yield place.fault(
                "a boundary event on a compensation activity is not supported",
                "catch inside a sub-process that is the compensation activity",
            )
        elif host.kind is not NodeKind.TRANSACTION and any(
            event.kind is EventKind.CANCEL for event in node.events
        ):
            yield place.fault(
                "a cancel event sits on an activity that is no transaction", "make the host a transaction"
            )


def boundary_without_flow(subject: Subject) -> Iterator[Fault]:
    """A boundary event leads somewhere; only compensation uses an association instead."""
    for place in subject.places:
        node = place.node
        if (
            node.kind is NodeKind.BOUNDARY_EVENT
            and not node.outgoing
            and not any(event.kind is EventKind.COMPENSATE for event in node.events)
        ):
            yield place.fault(
                "the boundary event leads nowhere", "draw the flow that is taken when it occurs"
            )


def must_interrupt(subject: Subject) -> Iterator[Fault]:
    """Errors and cancellations always end what they are caught at."""
    for place, event in events_of(subject):
        node = place.node
        catches = node.kind is NodeKind.BOUNDARY_EVENT or (
            node.kind is NodeKind.START_EVENT and place.owner is not None
        )
        if catches and not node.interrupting and event.kind in (EventKind.ERROR, EventKind.CANCEL):
            yield place.fault(
                f"a {event.kind} event cannot be non-interrupting",
                "make it interrupting, or use an escalation instead",
                event.line,
            )


def same_catch_twice(subject: Subject) -> Iterator[Fault]:
    """Two events of one activity or level that catch the same error: only the first ever occurs."""
    for _, scope, _ in subject.scopes():
        seen: set[tuple[str, EventKind, str | None]] = set()
        for where, node, event in _catches(scope):
            if event.kind not in (EventKind.ERROR, EventKind.ESCALATION):
                continue
            if event.code is None and event.referred:
                continue
            key = (where, event.kind, event.code)
            if key in seen:
                yield Fault(
                    event.line,
                    node.id,
                    node.name,
                    f"another event catches the same {event.kind} at {where}",
                    "catch each error and escalation once; distinguish by code",
                )
            seen.add(key)


def _catches(scope: Scope) -> Iterator[tuple[str, Node, EventDefinition]]:
    """Yield what is caught at activities and, by event sub-processes, at the scope itself."""
    for node in scope.nodes.values():
        if node.kind is NodeKind.BOUNDARY_EVENT and node.attached_to is not None:
            yield from ((node.attached_to, node, event) for event in node.events)
        elif node.triggered_by_event and node.scope is not None:
            for start in node.scope.starts():
                yield from ((scope.id, start, event) for event in start.events)


RULES: tuple[Rule, ...] = (
    error("DW314", "Boundary event on a wrong host", Category.WRONG, boundary_host),
    error("DW315", "Boundary event without flow", Category.INCOMPLETE, boundary_without_flow),
    error("DW316", "Non-interrupting error or cancel", Category.WRONG, must_interrupt),
    warning("DW352", "Error or escalation caught twice", Category.SUSPICIOUS, same_catch_twice),
)
