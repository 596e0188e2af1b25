"""Reads flow nodes, sequence flows and the scopes they stand in."""

from dataclasses import dataclass, field

from lxml import etree

from engine.definitions.model import DataMapping, Flow, Node, NodeKind, Scope, Script
from engine.definitions.reading import Reading, child, children, documentation_of, truth
from engine.definitions.reading_data import read_data_objects, read_loop, read_mappings
from engine.definitions.reading_events import name_of, read_events
from engine.definitions.reading_extensions import (
    assignment_of,
    attributes_of,
    extension,
    form_of,
    topic_of,
    vendor,
    zeebe,
)
from engine.definitions.troubles import Extension, TroubleKind
from engine.definitions.xml import BPMN, ZEEBE, TooLargeError, line_of, split, text_of

_KINDS = {kind.value: kind for kind in NodeKind}
_MAX_DEPTH = 40
"""Sub-processes inside each other; a drawing deeper than this is an attack or a mistake."""

_IN_SCOPES = frozenset(
    {
        "documentation", "extensionElements", "incoming", "outgoing", "sequenceFlow", "laneSet",
        "association", "textAnnotation", "group", "dataObject", "dataObjectReference", "dataStoreReference",
        "dataInputAssociation", "dataOutputAssociation", "ioSpecification", "property", "auditing",
        "monitoring", "standardLoopCharacteristics", "multiInstanceLoopCharacteristics",
        "completionCondition", "resourceRole", "performer", "humanPerformer", "potentialOwner", "supports",
    }
)  # fmt: skip
"""What may stand in a process or sub-process besides flow nodes, and is read or of no effect."""


@dataclass(slots=True)
class Container:
    """A process or sub-process element while it is read."""

    element: etree._Element
    scope_id: str
    nodes: dict[str, etree._Element] = field(default_factory=dict)
    flows: dict[str, Flow] = field(default_factory=dict)


def read_scope(element: etree._Element, scope_id: str, reading: Reading, lanes: dict[str, str]) -> Scope:
    """Return the content of a process, with every sub-process below it."""
    containers = _containers(element, scope_id, reading)
    _read_flows(containers, reading)
    return _build(element, containers, reading, lanes)


def _containers(element: etree._Element, scope_id: str, reading: Reading) -> dict[etree._Element, Container]:
    found: dict[etree._Element, Container] = {}
    pending = [(element, scope_id, 0)]
    while pending:
        current, current_id, depth = pending.pop()
        if depth > _MAX_DEPTH:
            raise TooLargeError(
                f"sub-processes stand more than {_MAX_DEPTH} deep in each other",
                reading.file,
                line_of(current),
                hint="take inner sub-processes out into processes of their own and call them",
            )
        container = Container(element=current, scope_id=current_id)
        found[current] = container
        for item in current:
            namespace, name = split(item.tag)
            if namespace != BPMN:
                continue
            kind = _KINDS.get(name)
            if kind is None:
                if name not in _IN_SCOPES:
                    reading.unread.append(
                        Extension(
                            tag=str(item.tag),
                            line=line_of(item),
                            element=item.get("id") or current_id,
                            bpmn=True,
                            owner=split(current.tag)[1],
                        )
                    )
                continue
            node_id = item.get("id") or reading.make_id(f"{current_id}_{name}")
            if node_id in container.nodes:
                node_id = reading.make_id(node_id)  # told as a duplicate id
            container.nodes[node_id] = item
            reading.node_ids[item] = node_id
            if kind.has_scope:
                pending.append((item, node_id, depth + 1))
    return found


def _read_flows(containers: dict[etree._Element, Container], reading: Reading) -> None:
    home = {node_id: container for container in containers.values() for node_id in container.nodes}
    for container in containers.values():
        for item in children(container.element, "sequenceFlow"):
            source, target = item.get("sourceRef") or "", item.get("targetRef") or ""
            source, target = reading.local_name(item, source), reading.local_name(item, target)
            flow = Flow(
                id=item.get("id") or reading.make_id(f"Flow_{source}_{target}"),
                source=source,
                target=target,
                line=line_of(item),
                name=item.get("name"),
                condition=reading.expression(child(item, "conditionExpression")),
            )
            loose = [
                (attribute, value)
                for attribute, value in (("sourceRef", source), ("targetRef", target))
                if value not in home
            ]
            for attribute, value in loose:
                told = "it is missing" if not value else "no flow node of that id in the process"
                reading.trouble(TroubleKind.DANGLING_FLOW, item, attribute, value, told)
            if loose:
                continue
            if home[source] is not home[target]:
                reading.trouble(
                    TroubleKind.CROSSING_FLOW,
                    item,
                    "sequenceFlow",
                    f"{source} → {target}",
                    f"{source} stands in {home[source].scope_id}, {target} in {home[target].scope_id}",
                )
                continue
            # Some tools write all flows into the process; where both ends stand together it is clear.
            flows = home[source].flows
            flows[flow.id if flow.id not in flows else reading.make_id(flow.id)] = flow


def _build(
    element: etree._Element,
    containers: dict[etree._Element, Container],
    reading: Reading,
    lanes: dict[str, str],
) -> Scope:
    container = containers[element]
    incoming: dict[str, list[str]] = {}
    outgoing: dict[str, list[str]] = {}
    for flow_id, flow in container.flows.items():
        outgoing.setdefault(flow.source, []).append(flow_id)
        incoming.setdefault(flow.target, []).append(flow_id)
    nodes: dict[str, Node] = {}
    handlers: dict[str, str] = {}
    for node_id, item in container.nodes.items():
        scope = _build(item, containers, reading, lanes) if item in containers else None
        nodes[node_id] = _node(
            item,
            node_id,
            reading,
            incoming=tuple(incoming.get(node_id, ())),
            outgoing=tuple(outgoing.get(node_id, ())),
            scope=scope,
            lane=lanes.get(node_id),
        )
        if node_id in reading.handlers:
            handlers[node_id] = reading.handlers[node_id]
    return Scope(
        id=container.scope_id,
        nodes=nodes,
        flows=container.flows,
        data_objects=read_data_objects(element, reading),
        compensation_handlers=handlers,
    )


def _node(
    item: etree._Element,
    node_id: str,
    reading: Reading,
    *,
    incoming: tuple[str, ...],
    outgoing: tuple[str, ...],
    scope: Scope | None,
    lane: str | None,
) -> Node:
    kind = _KINDS[split(item.tag)[1]]
    inputs, outputs = read_mappings(item, reading)
    _quantities(item, reading)
    default = item.get("default")
    return Node(
        id=node_id,
        kind=kind,
        line=line_of(item),
        name=item.get("name"),
        incoming=incoming,
        outgoing=outgoing,
        default=None if default is None else reading.local_name(item, default),
        lane=lane,
        documentation=documentation_of(item),
        events=read_events(item, reading) if kind.is_event else (),
        parallel_multiple=truth(item.get("parallelMultiple"), False),
        interrupting=_interrupting(item, kind),
        attached_to=_attached(item, kind, reading),
        loop=read_loop(item, reading) if kind.is_activity else None,
        scope=scope,
        triggered_by_event=truth(item.get("triggeredByEvent"), False),
        for_compensation=truth(item.get("isForCompensation"), False),
        instantiate=truth(item.get("instantiate"), False),
        parallel_event_gateway=item.get("eventGatewayType") == "Parallel",
        message=_message(item, kind, reading),
        called_element=_called(item, kind, reading),
        decision=vendor(item, "decisionRef") or zeebe(item, "calledDecision", "decisionId"),
        result_variable=vendor(item, "resultVariable") or zeebe(item, "calledDecision", "resultVariable"),
        script=_script(item, kind),
        implementation=topic_of(item),
        form=form_of(item),
        inputs=(*inputs, *_propagated(item, "propagateAllParentVariables")),
        outputs=(*outputs, *_propagated(item, "propagateAllChildVariables")),
        adhoc_sequential=item.get("ordering") == "Sequential",
        adhoc_completion=reading.expression(child(item, "completionCondition")),
        adhoc_cancel_remaining=truth(item.get("cancelRemainingInstances"), True),
        attributes=attributes_of(item),
        assignment=assignment_of(item),
        script_result=vendor(item, "resultVariable") or zeebe(item, "script", "resultVariable"),
        data_objects=() if kind.has_scope else read_data_objects(item, reading),
    )


def _quantities(item: etree._Element, reading: Reading) -> None:
    for attribute in ("startQuantity", "completionQuantity"):
        if (item.get(attribute) or "1") != "1":
            reading.trouble(
                TroubleKind.UNSUPPORTED_BPMN,
                item,
                attribute,
                item.get(attribute) or "",
                "only 1 is supported",
            )
    if item.get("operationRef"):
        reading.trouble(
            TroubleKind.UNSUPPORTED_BPMN,
            item,
            "operationRef",
            item.get("operationRef") or "",
            "web service operations are not called; name a kind of work",
        )


def _interrupting(item: etree._Element, kind: NodeKind) -> bool:
    attribute = "cancelActivity" if kind is NodeKind.BOUNDARY_EVENT else "isInterrupting"
    return truth(item.get(attribute), True)


def _attached(item: etree._Element, kind: NodeKind, reading: Reading) -> str | None:
    if kind is not NodeKind.BOUNDARY_EVENT:
        return None
    raw = item.get("attachedToRef") or ""
    host = reading.local_name(item, raw)
    found = reading.by_id.get(host)
    if found is None or found.getparent() is not item.getparent():
        told = "no such element in the file" if found is None else "it stands in another scope"
        reading.trouble(TroubleKind.BROKEN_REFERENCE, item, "attachedToRef", raw, told)
        return None
    return host


def _message(item: etree._Element, kind: NodeKind, reading: Reading) -> str | None:
    if kind not in (NodeKind.SEND_TASK, NodeKind.RECEIVE_TASK):
        return None
    return name_of(reading.resolve(item, "messageRef", "message"))


def _called(item: etree._Element, kind: NodeKind, reading: Reading) -> str | None:
    if kind is not NodeKind.CALL_ACTIVITY:
        return None
    raw = item.get("calledElement") or zeebe(item, "calledElement", "processId")
    return None if not raw else reading.local_name(item, raw)


def _propagated(item: etree._Element, attribute: str) -> tuple[DataMapping, ...]:
    called = extension(item, ZEEBE, "calledElement")
    if called is None or not truth(called.get(attribute), True):
        return ()
    return (DataMapping(target="", source=None, line=line_of(called), all=True),)


def _script(item: etree._Element, kind: NodeKind) -> Script | None:
    if kind is not NodeKind.SCRIPT_TASK:
        return None
    written = child(item, "script")
    if written is not None:
        return Script(text=text_of(written), line=line_of(written), format=item.get("scriptFormat"))
    found = extension(item, ZEEBE, "script")
    if found is None:
        return None
    return Script(text=(found.get("expression") or "").strip(), line=line_of(found), format="feel")
