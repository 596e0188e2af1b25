"""Rules about sequence flows, gateways, starts and ends."""

from collections.abc import Iterator

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Rule, Subject, error, warning
from engine.definitions.checker.tokens import implicit_starts
from engine.definitions.model import EventKind, Node, NodeKind, Process, Scope

_CONDITIONAL_SOURCES = frozenset({NodeKind.EXCLUSIVE_GATEWAY, NodeKind.INCLUSIVE_GATEWAY})
_WAITS = frozenset({EventKind.MESSAGE, EventKind.TIMER, EventKind.SIGNAL, EventKind.CONDITIONAL})


def no_start(subject: Subject) -> Iterator[Fault]:
    """A process and an embedded sub-process have something that can begin."""
    for process, scope, owner in _beginning(subject):
        if not _begins(scope) and not implicit_starts(scope):
            what = "nothing is drawn in it yet" if not scope.nodes else "a flow leads to everything in it"
            yield _at_scope(process, owner, f"cannot begin: {what}", "add a start event and connect it")


def start_not_drawn(subject: Subject) -> Iterator[Fault]:
    """Without a start event everything that no flow leads to begins at once; readers may not expect it."""
    for process, scope, owner in _beginning(subject):
        begins = [] if _begins(scope) else implicit_starts(scope)
        if begins:
            names = ", ".join(node.name or node.id for node in begins[:5])
            yield _at_scope(process, owner, f"has no start event: it begins at {names}", "draw a start event")


def _beginning(subject: Subject) -> Iterator[tuple[Process, Scope, Node | None]]:
    """Yield the scopes that begin by themselves: no ad-hoc and no event sub-processes."""
    for process, scope, owner in subject.scopes():
        if owner is None or not (owner.kind is NodeKind.AD_HOC_SUB_PROCESS or owner.triggered_by_event):
            yield process, scope, owner


def _begins(scope: Scope) -> bool:
    return any(
        node.kind is NodeKind.START_EVENT or (node.instantiate and not node.incoming)
        for node in scope.nodes.values()
    )


def _at_scope(process: Process, owner: Node | None, message: str, hint: str) -> Fault:
    if owner is None:
        return Fault(process.line, process.id, process.name, f"the process {message}", hint)
    return Fault(owner.line, owner.id, owner.name, f"the sub-process {message}", hint)


def several_none_starts(subject: Subject) -> Iterator[Fault]:
    """Only one start event without a trigger can be meant when a case is started by hand."""
    for process, scope, owner in subject.scopes():
        if owner is not None and (owner.triggered_by_event or owner.kind is NodeKind.AD_HOC_SUB_PROCESS):
            continue
        starts = [n for n in scope.nodes.values() if n.kind is NodeKind.START_EVENT and not n.events]
        for node in starts[1:]:
            where = process.id if owner is None else owner.id
            yield Fault(
                node.line,
                node.id,
                node.name,
                f"{where} has {len(starts)} start events without a trigger; which one begins is not said",
                "keep one, and give the others a message, timer or signal, or join them behind one start",
            )


def start_with_incoming(subject: Subject) -> Iterator[Fault]:
    """Nothing leads back into a start, boundary or link catch event."""
    for place in subject.places:
        node = place.node
        caught_link = node.kind is NodeKind.INTERMEDIATE_CATCH_EVENT and any(
            event.kind is EventKind.LINK for event in node.events
        )
        if node.incoming and (node.kind in (NodeKind.START_EVENT, NodeKind.BOUNDARY_EVENT) or caught_link):
            yield place.fault(
                f"a {'link catch' if caught_link else node.kind} event has an incoming sequence flow",
                "lead the flow to the element behind the event",
            )


def end_with_outgoing(subject: Subject) -> Iterator[Fault]:
    """Nothing follows an end event or a link throw event."""
    for place in subject.places:
        node = place.node
        thrown_link = node.kind is NodeKind.INTERMEDIATE_THROW_EVENT and any(
            event.kind is EventKind.LINK for event in node.events
        )
        if node.outgoing and (node.kind is NodeKind.END_EVENT or thrown_link):
            yield place.fault(
                f"a {'link throw' if thrown_link else node.kind} event has an outgoing sequence flow",
                "use an intermediate event, or delete the flow",
            )


def event_leads_nowhere(subject: Subject) -> Iterator[Fault]:
    """A start event or a gateway without outgoing flow ends before anything was done."""
    for place in subject.places:
        node = place.node
        if node.outgoing:
            continue
        alone = node.kind is NodeKind.START_EVENT and not place.scope.flows and len(place.scope.nodes) > 1
        if node.kind.is_gateway or (node.kind is NodeKind.START_EVENT and (alone or node.events)):
            yield place.fault(f"the {node.kind} has no outgoing sequence flow", "connect it to what follows")


def gateway_unreached(subject: Subject) -> Iterator[Fault]:
    """A gateway without an incoming flow never decides anything."""
    for place in subject.places:
        node = place.node
        if node.kind.is_gateway and not node.incoming and not node.instantiate:
            yield place.fault(f"the {node.kind} has no incoming sequence flow", "connect it")


def complex_gateway(subject: Subject) -> Iterator[Fault]:
    """Complex gateways are refused."""
    for place in subject.places:
        if place.node.kind is NodeKind.COMPLEX_GATEWAY:
            yield place.fault(
                "complex gateways are not supported",
                "use inclusive, parallel and exclusive gateways, or a multi-instance completion condition",
            )


def flow_without_condition(subject: Subject) -> Iterator[Fault]:
    """Where an exclusive or inclusive gateway splits, each flow needs a condition or is the default."""
    for place in subject.places:
        node = place.node
        if node.kind not in _CONDITIONAL_SOURCES or len(node.outgoing) < 2:
            continue
        for flow_id in node.outgoing:
            flow = place.scope.flows[flow_id]
            if flow.condition is None and flow.id != node.default:
                yield Fault(
                    flow.line,
                    flow.id,
                    flow.name or node.name,
                    f"the flow leaves {node.kind} {node.id} without a condition and is not its default",
                    "write a condition, or mark the flow as default",
                )


def default_not_outgoing(subject: Subject) -> Iterator[Fault]:
    """The default flow is one of the element's own outgoing flows."""
    for place in subject.places:
        node = place.node
        if node.default and node.default not in node.outgoing:
            yield place.fault(
                f"the default flow {node.default} does not leave this element",
                "choose one of its outgoing flows as default",
            )


def default_on_wrong_element(subject: Subject) -> Iterator[Fault]:
    """Only activities and deciding gateways have a default flow."""
    for place in subject.places:
        node = place.node
        decides = node.kind in _CONDITIONAL_SOURCES or node.kind.is_activity
        if node.default and not decides and node.kind is not NodeKind.COMPLEX_GATEWAY:
            yield place.fault(f"a {node.kind} has no default flow in BPMN", "remove the attribute default")


def condition_out_of_place(subject: Subject) -> Iterator[Fault]:
    """Conditions leave activities, exclusive and inclusive gateways only (BPMN 2.0.2, 8.4.13)."""
    for place in subject.places:
        node = place.node
        if node.kind.is_activity or node.kind in _CONDITIONAL_SOURCES:
            continue
        for flow_id in node.outgoing:
            flow = place.scope.flows[flow_id]
            if flow.condition is not None:
                yield Fault(
                    flow.line,
                    flow.id,
                    flow.name,
                    f"a flow that leaves a {node.kind} has a condition, which would never be looked at",
                    "put an exclusive gateway in between, or remove the condition",
                )


def event_gateway_targets(subject: Subject) -> Iterator[Fault]:
    """An event gateway leads to waits only, each reached by it alone (BPMN 2.0.2, 10.6.6)."""
    for place in subject.places:
        node = place.node
        if node.kind is not NodeKind.EVENT_BASED_GATEWAY:
            continue
        targets = [place.scope.nodes[place.scope.flows[flow].target] for flow in node.outgoing]
        for target in targets:
            told = _wrong_target(target, place.scope)
            if told:
                yield Fault(
                    target.line,
                    target.id,
                    target.name,
                    f"{told} behind event gateway {node.id}",
                    "only receive tasks and message, timer, signal or conditional catch events may follow it",
                )
        tasks = any(target.kind is NodeKind.RECEIVE_TASK for target in targets)
        messages = any(
            event.kind is EventKind.MESSAGE
            for target in targets
            if target.kind is NodeKind.INTERMEDIATE_CATCH_EVENT
            for event in target.events
        )
        if tasks and messages:
            yield place.fault(
                "receive tasks and message events follow the same event gateway",
                "use one kind for all messages",
            )
        if len(targets) == 1:
            yield place.fault(
                "only one event follows the event gateway", "add the other event, or leave the gateway out"
            )
        if node.parallel_event_gateway:
            yield place.fault(
                "a parallel event gateway is not supported", "use a message start event with parallel waits"
            )


def _wrong_target(target: Node, scope: Scope) -> str:
    if target.kind is NodeKind.RECEIVE_TASK:
        hosts = [node for node in scope.nodes.values() if node.attached_to == target.id]
        if hosts:
            return "a receive task with a boundary event stands"
        if target.loop is not None:
            return "a receive task with a loop stands"
    elif target.kind is not NodeKind.INTERMEDIATE_CATCH_EVENT:
        return f"a {target.kind} stands"
    elif any(event.kind not in _WAITS for event in target.events):
        return f"a {target.events[0].kind} event stands"
    if len(target.incoming) > 1:
        return "a wait with further incoming flows stands"
    return ""


def no_default(subject: Subject) -> Iterator[Fault]:
    """Without a default flow the case fails when no condition holds."""
    for place in subject.places:
        node = place.node
        if node.kind in _CONDITIONAL_SOURCES and node.outgoing and node.default is None:
            conditions = [place.scope.flows[flow].condition for flow in node.outgoing]
            if all(condition is not None for condition in conditions):
                yield place.fault(
                    f"the {node.kind} has no default flow; the case stops here when no condition holds",
                    "mark one flow as default",
                )


def condition_on_default(subject: Subject) -> Iterator[Fault]:
    """The default flow's condition is never looked at."""
    for place in subject.places:
        flow = place.scope.flows.get(place.node.default or "")
        if flow is not None and flow.condition is not None and flow.source == place.node.id:
            yield Fault(
                flow.line,
                flow.id,
                flow.name,
                "the default flow has a condition, which is never looked at",
                "remove the condition, or the default mark",
            )


def flows_at_handlers(subject: Subject) -> Iterator[Fault]:
    """Compensation handlers and event sub-processes stand outside the normal flow."""
    for place in subject.places:
        node = place.node
        if not (node.incoming or node.outgoing):
            continue
        if node.for_compensation:
            yield place.fault(
                "a compensation activity has sequence flows",
                "delete the flows, or clear isForCompensation; connect it by an association only",
            )
        elif node.triggered_by_event:
            yield place.fault(
                "an event sub-process has sequence flows", "delete the flows; its start event triggers it"
            )


def same_flow_twice(subject: Subject) -> Iterator[Fault]:
    """Two flows between the same two elements are rarely meant."""
    for _, scope, _ in subject.scopes():
        seen: set[tuple[str, str]] = set()
        for flow in scope.flows.values():
            ends = (flow.source, flow.target)
            if ends in seen:
                yield Fault(
                    flow.line,
                    flow.id,
                    flow.name,
                    f"a second flow leads from {flow.source} to {flow.target}",
                    "delete one of them; two tokens would run",
                )
            seen.add(ends)


RULES: tuple[Rule, ...] = (
    error("DW203", "Nothing to start with", Category.INCOMPLETE, no_start),
    error("DW204", "Several starts without a trigger", Category.WRONG, several_none_starts),
    error("DW205", "Flow into a start, boundary or link event", Category.WRONG, start_with_incoming),
    error("DW206", "Flow out of an end or link event", Category.WRONG, end_with_outgoing),
    error("DW207", "Start or gateway without outgoing flow", Category.INCOMPLETE, event_leads_nowhere),
    error("DW208", "Gateway without incoming flow", Category.INCOMPLETE, gateway_unreached),
    error("DW209", "Complex gateway", Category.UNSUPPORTED, complex_gateway),
    error("DW210", "Flow without condition", Category.INCOMPLETE, flow_without_condition),
    error("DW211", "Default flow of another element", Category.WRONG, default_not_outgoing),
    error("DW212", "Default flow where none is possible", Category.WRONG, default_on_wrong_element),
    error("DW213", "Condition where none is evaluated", Category.WRONG, condition_out_of_place),
    error("DW214", "Wrong element behind an event gateway", Category.WRONG, event_gateway_targets),
    error("DW216", "Flows at a handler", Category.WRONG, flows_at_handlers),
    warning("DW251", "No default flow", Category.SUSPICIOUS, no_default),
    warning("DW252", "Condition on the default flow", Category.SUSPICIOUS, condition_on_default),
    warning("DW257", "No start event", Category.SUSPICIOUS, start_not_drawn),
    warning("DW253", "Two flows between the same elements", Category.SUSPICIOUS, same_flow_twice),
)
