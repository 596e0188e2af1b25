"""From where a sequence flow can be reached, for inclusive joins."""

from engine.definitions.model import EventKind, NodeKind, Scope


def reaching(scope: Scope, gateway: str, flow: str, *, boundaries: bool = True) -> frozenset[str]:
    """Return the nodes from which a token can get onto ``flow`` without passing ``gateway``.

    A token at an activity can leave by its boundary events (``boundaries``), and one at a link source goes
    on at the target.
    """
    before = _predecessors(scope, boundaries=boundaries)
    found: set[str] = set()
    pending = [scope.flows[flow].source]
    while pending:
        node = pending.pop()
        if node == gateway or node in found:
            continue
        found.add(node)
        pending.extend(before.get(node, ()))
    return frozenset(found)


def _predecessors(scope: Scope, *, boundaries: bool) -> dict[str, list[str]]:
    before: dict[str, list[str]] = {}
    for flow in scope.flows.values():
        before.setdefault(flow.target, []).append(flow.source)
    targets: dict[str | None, str] = {}
    sources: list[tuple[str | None, str]] = []
    for node in scope.nodes.values():
        if boundaries and node.kind is NodeKind.BOUNDARY_EVENT and node.attached_to is not None:
            before.setdefault(node.id, []).append(node.attached_to)
        for event in node.events:
            if event.kind is EventKind.LINK and node.kind is NodeKind.INTERMEDIATE_CATCH_EVENT:
                targets[event.name] = node.id
            elif event.kind is EventKind.LINK:
                sources.append((event.name, node.id))
    for name, source in sources:
        if name in targets:
            before.setdefault(targets[name], []).append(source)
    return before
