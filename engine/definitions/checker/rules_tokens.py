"""Rules about what can happen at run time: joins that never fire, elements never reached, lost updates."""

from collections.abc import Iterator

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Place, Rule, Subject, error, warning
from engine.definitions.checker.rules_expressions import compiled_script
from engine.definitions.checker.tokens import Play, play, reachable
from engine.definitions.model import EventKind, Node, NodeKind, Scope
from engine.expressions import ExpressionError, compile_expression


def join_never_fires(subject: Subject) -> Iterator[Fault]:
    """A parallel join whose branches exclude each other holds the case for ever."""
    for _, scope, _ in subject.scopes():
        if not _joins(scope):
            continue
        result = _play(subject, scope)
        if not result.complete:
            continue
        for node_id in sorted(result.waited - result.fired):
            node = scope.nodes[node_id]
            yield Fault(
                node.line,
                node.id,
                node.name,
                "the parallel join waits for branches of which only one is ever taken; it never goes on",
                "join with the kind of gateway that splits: exclusive with exclusive, parallel with parallel",
            )


def join_may_wait(subject: Subject) -> Iterator[Fault]:
    """A parallel join that some way through the model leaves waiting with nothing else going on."""
    for _, scope, _ in subject.scopes():
        if not _joins(scope):
            continue
        result = _play(subject, scope)
        if not result.complete:
            continue
        for node_id in sorted(result.stuck & result.fired):
            node = scope.nodes[node_id]
            if node.kind is NodeKind.PARALLEL_GATEWAY:
                yield Fault(
                    node.line,
                    node.id,
                    node.name,
                    "on some way through the model this parallel join waits for a branch that is not taken",
                    "use an inclusive gateway, or make sure that all its branches are always taken",
                )


def _play(subject: Subject, scope: Scope) -> Play:
    """Return the play of a scope; three rules look at the same one."""
    if id(scope) not in subject.plays:
        subject.plays[id(scope)] = play(scope)
    return subject.plays[id(scope)]


def _joins(scope: Scope) -> bool:
    return any(
        node.kind is NodeKind.PARALLEL_GATEWAY and len(node.incoming) > 1 for node in scope.nodes.values()
    )


def unreachable(subject: Subject) -> Iterator[Fault]:
    """An element that no flow, event or link leads to never runs."""
    for _, scope, owner in subject.scopes():
        if owner is not None and owner.kind is NodeKind.AD_HOC_SUB_PROCESS:
            continue
        seen = reachable(scope)
        for node in scope.nodes.values():
            if node.id in seen or (node.attached_to is not None and node.attached_to not in seen):
                continue
            link = any(event.kind is EventKind.LINK for event in node.events)
            if (node.kind.is_gateway or link) and not node.incoming:
                continue  # DW208 and DW312 tell it
            if any(scope.flows[flow].source not in seen for flow in node.incoming):
                continue  # tell the first element of the loose part only
            yield Fault(
                node.line,
                node.id,
                node.name,
                "no flow leads here from a start event; the element never runs",
                "connect it, or delete it",
            )


def lost_updates(subject: Subject) -> Iterator[Fault]:
    """Branches that run at the same time and each add to the same list or number overwrite each other."""
    for _, scope, _ in subject.scopes():
        updates = {node.id: found for node in scope.nodes.values() if (found := _updates(subject, node))}
        for node_id, variables in updates.items():
            node = scope.nodes[node_id]
            if node.loop is not None and node.loop.multi and not node.loop.sequential:
                yield _lost(node, variables, "the instances of this activity run at the same time and")
        if len(updates) < 2:
            continue
        result = _play(subject, scope)
        for first, second in sorted(result.together):
            common = updates.get(first, frozenset()) & updates.get(second, frozenset())
            if common and first != second:
                yield _lost(scope.nodes[second], common, f"this runs beside {first}, and both")


def shared_variables(subject: Subject) -> Iterator[Fault]:
    """Two data objects under one name are one variable."""
    for process in subject.processes:
        seen: dict[str, str] = {}
        scopes = [process.scope]
        scopes.extend(
            place.node.scope
            for place in subject.places
            if place.process is process and place.node.scope is not None
        )
        for scope in scopes:
            for item in scope.data_objects:
                if item.kind not in ("dataObject", "property"):
                    continue
                first = seen.setdefault(item.variable, item.id)
                if first != item.id:
                    yield Fault(
                        item.line,
                        item.id,
                        item.name,
                        f"it shares the variable {item.variable} with {first}",
                        "give it another name, or draw both symbols as references to one data object",
                    )


def _lost(node: Node, variables: frozenset[str], how: str) -> Fault:
    return Fault(
        node.line,
        node.id,
        node.name,
        f"{how} add to {', '.join(sorted(variables))}: what one branch adds may be lost at the join",
        "write into a variable of each branch's own and put them together after the join "
        "(multi-instance: an output collection)",
    )


def _updates(subject: Subject, node: Node) -> frozenset[str]:
    """Return the variables that the node, or what stands in it, sets from their own value."""
    found: set[str] = set()
    pending = [node]
    while pending:
        current = pending.pop()
        place = subject.by_id.get(current.id)
        if place is not None:
            found |= _own_updates(subject, place)
        if current.scope is not None:
            pending.extend(current.scope.nodes.values())
    return frozenset(found)


def _own_updates(subject: Subject, place: Place) -> set[str]:
    found: set[str] = set()
    script = compiled_script(subject, place)
    if script is not None:
        for assignment in script.assignments:
            if assignment.variable in assignment.value.names:
                found.add(assignment.variable)
    for mapping in place.node.outputs:
        if mapping.source is None:
            continue
        try:
            compiled = compile_expression(mapping.source.text, mapping.source.language)
        except ExpressionError:
            continue  # DW505 tells it
        if mapping.target in compiled.names and mapping.source.text.strip() != mapping.target:
            found.add(mapping.target)
    return found


RULES: tuple[Rule, ...] = (
    error("DW217", "Join that never goes on", Category.WRONG, join_never_fires),
    warning("DW254", "Join that may wait for ever", Category.SUSPICIOUS, join_may_wait),
    warning("DW255", "Element that is never reached", Category.SUSPICIOUS, unreachable),
    warning("DW603", "Two data objects under one name", Category.SUSPICIOUS, shared_variables),
    warning("DW256", "Updates lost in parallel branches", Category.SUSPICIOUS, lost_updates),
)
