"""Makes programs: a process and all it calls, as specifications that tokens run on."""

from collections.abc import Collection, Iterator, Mapping

from engine.definitions.model import EventKind, Model, Node, NodeKind, Process, Scope, walk
from engine.runtime.compiling import Compiler, Formula
from engine.runtime.elements import element_class
from engine.runtime.elements.activity import Activity
from engine.runtime.elements.ad_hoc_sub_process import AdHocSubProcess
from engine.runtime.elements.boundary_event import BoundaryEvent
from engine.runtime.elements.event_sub_process import EventSubProcess
from engine.runtime.elements.start_event import StartEvent
from engine.runtime.elements.sub_process import SubProcess
from engine.runtime.errors import ProgramRefusedError
from engine.runtime.specs import Program, ScopeSpec, StartPoint

FUNCTIONS = (
    *("deadline", "deadline_date", "workdays", "workdays_date", "now", "today"),
    *("route_advance", "route_skip", "route_next"),
)
"""Functions that expressions may call and the service supplies, besides those every expression knows."""

_SHARED = ("dataObject", "property", "dataStoreReference")


def compile_program(
    model: Model,
    process_id: str,
    called: Mapping[str, Model] | None = None,
    *,
    functions: Collection[str] = FUNCTIONS,
) -> Program:
    """Make a program of a process; ``called`` finds the models of called processes by process id.

    A called process is looked for in the calling file first. The program is immutable and may be shared
    between threads; make it once per model version.

    Raises:
        ProgramRefusedError: something cannot be run; the error names file, line and element.
    """
    known = called or {}
    specs: dict[str, ScopeSpec] = {}
    processes: dict[str, tuple[Model, Process]] = {}
    pending: list[tuple[Model, str, str]] = [(model, process_id, model.file)]
    while pending:
        home, wanted, where = pending.pop()
        if wanted in specs:
            continue
        found = _find(home, wanted, known)
        if found is None:
            raise ProgramRefusedError(
                f"there is no process {wanted!r}", where=where, hint="deploy it in the same package"
            )
        owner, process = found
        compiler = Compiler(owner, specs, functions)
        specs[wanted] = spec = ScopeSpec(wanted, None)
        processes[wanted] = found
        _build(spec, process.scope, compiler)
        if wanted != process_id and not spec.starts:
            raise ProgramRefusedError(
                f"the called process {wanted!r} has no start event without a trigger",
                where=where,
                hint="give it one; a call brings the data along and waits for no message",
            )
        pending.extend((owner, name, place) for name, place in compiler.wanted)
    root = processes[process_id][1]
    return Program(
        process_id,
        specs[process_id],
        specs,
        tuple(_start_points(root.scope)),
        any(
            _asks_for_compensation(node)
            for _, process in processes.values()
            for _, node in walk(process.scope)
        ),
        _answered(process for _, process in processes.values()),
        _correlation(processes.values(), functions),
    )


def _find(home: Model, process_id: str, known: Mapping[str, Model]) -> tuple[Model, Process] | None:
    for model in (home, known.get(process_id)):
        if model is not None:
            for process in model.processes:
                if process.id == process_id:
                    return model, process
    return None


# --- scopes ----------------------------------------------------------------------------------------------


def _build(root: ScopeSpec, scope: Scope, compiler: Compiler) -> None:
    """Fill ``root`` and every specification below it."""
    pending = [(root, scope)]
    ad_hocs: list[tuple[ScopeSpec, Node]] = []
    while pending:
        spec, content = pending.pop()
        spec.objects = tuple(item.variable for item in content.data_objects if item.kind in _SHARED)
        outer = spec.outer
        spec.layered = bool(spec.objects) or spec.repeated or (outer is not None and outer.layered)
        for node in content.nodes.values():
            kind = element_class(node)
            if kind is None:
                compiler.refuse(node, f"a {node.kind.value} is not run", "use other gateways")
            kind(spec, node, compiler)
        _attach(spec, content, compiler)
        for node in content.nodes.values():
            element = spec.task_specs[node.id]
            element.link(node, content, compiler)
            if isinstance(element, EventSubProcess):
                spec.event_subs.append(element)
            if isinstance(element, AdHocSubProcess):
                ad_hocs.append((spec, node))
            if isinstance(element, SubProcess) and node.scope is not None:
                pending.append((element.inner, node.scope))
        spec.starts = [spec.task_specs[node.id] for node in _starts(content, process=outer is None)]
    _connect_event_subs(root)
    for spec, node in ad_hocs:
        element = spec.task_specs[node.id]
        if isinstance(element, AdHocSubProcess):
            element.check(node, compiler)


def _attach(spec: ScopeSpec, scope: Scope, compiler: Compiler) -> None:
    """Attach boundary events to their hosts, and note link targets."""
    for node in scope.nodes.values():
        element = spec.task_specs[node.id]
        if isinstance(element, BoundaryEvent):
            host = spec.element(node.attached_to or "")
            if not isinstance(host, Activity):
                compiler.refuse(node, "the boundary event is attached to no activity of its scope")
            element.host = host
            if element.compensates:
                host.handler = scope.compensation_handlers.get(node.id)
                if host.handler is None:
                    compiler.refuse(node, "no association leads from here to a compensation handler")
            else:
                host.boundaries.append(element)
        elif node.kind is NodeKind.INTERMEDIATE_CATCH_EVENT:
            for event in node.events:
                if event.kind is EventKind.LINK:
                    spec.links[event.name] = element


def _starts(scope: Scope, *, process: bool) -> Iterator[Node]:
    """Yield what gets a token at the beginning: none start events, else all that has no incoming flow."""
    events = [node for node in scope.nodes.values() if node.kind is NodeKind.START_EVENT]
    if events:
        yield from (node for node in events if not process or not node.events)
        return
    for node in scope.nodes.values():
        passive = (
            node.incoming
            or node.for_compensation
            or node.triggered_by_event
            or node.instantiate
            or node.kind is NodeKind.BOUNDARY_EVENT
            or (
                any(event.kind is EventKind.LINK for event in node.events)
                and node.kind is NodeKind.INTERMEDIATE_CATCH_EVENT
            )
        )
        if not passive:
            yield node


def _connect_event_subs(root: ScopeSpec) -> None:
    pending = [root]
    while pending:
        spec = pending.pop()
        for element in spec.task_specs.values():
            if isinstance(element, SubProcess):
                pending.append(element.inner)
            if isinstance(element, EventSubProcess):
                start = element.inner.task_specs[element.start_id]
                if isinstance(start, StartEvent):
                    element.start, start.event_sub = start, element


# --- facts about the whole -------------------------------------------------------------------------------


def _start_points(scope: Scope) -> Iterator[StartPoint]:
    for node in scope.nodes.values():
        if node.kind is NodeKind.START_EVENT:
            if not node.events:
                yield StartPoint(node.id, "none", None, node.attributes)
            for event in node.events:
                name = event.name or node.attributes.get("message")
                yield StartPoint(node.id, event.kind.value, name, node.attributes)
        elif node.kind is NodeKind.RECEIVE_TASK and node.instantiate:
            name = node.message or node.attributes.get("message")
            yield StartPoint(node.id, EventKind.MESSAGE.value, name, node.attributes)
        elif node.kind is NodeKind.EVENT_BASED_GATEWAY and node.instantiate:
            for flow in node.outgoing:
                target = scope.nodes[scope.flows[flow].target]
                for event in target.events:
                    yield StartPoint(target.id, event.kind.value, event.name, target.attributes)
                if target.kind is NodeKind.RECEIVE_TASK:
                    yield StartPoint(target.id, EventKind.MESSAGE.value, target.message, target.attributes)


def _asks_for_compensation(node: Node) -> bool:
    throws = node.kind in (NodeKind.INTERMEDIATE_THROW_EVENT, NodeKind.END_EVENT)
    return throws and any(event.kind in (EventKind.COMPENSATE, EventKind.CANCEL) for event in node.events)


def _answered(processes: Iterator[Process] | Collection[Process]) -> frozenset[str]:
    return frozenset(
        node.attributes[name]
        for process in processes
        for _, node in walk(process.scope)
        for name in ("answers", "reminds")
        if name in node.attributes
    )


def _correlation(
    processes: Collection[tuple[Model, Process]], functions: Collection[str]
) -> dict[str, dict[str, dict[str, Formula]]]:
    keys: dict[str, dict[str, dict[str, Formula]]] = {}
    for model, _ in processes:
        compiler = Compiler(model, {}, functions)
        for key in model.correlation_keys:
            keys[key.name] = {
                name: {
                    message: formula
                    for message, expression in by_message.items()
                    if (formula := compiler.formula(expression)) is not None
                }
                for name, by_message in key.properties.items()
            }
    return keys
