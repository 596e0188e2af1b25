"""Plays tokens through one scope without data, to see what can happen there.

Every choice is taken, every wait ends. A join that no play ever fires cannot fire with data either; a play
that gets stuck may be impossible with data, so that is only a warning. The plays are cut off at
``LIMIT`` moves; then nothing is concluded.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from engine.definitions.model import EventKind, Node, NodeKind, Scope

LIMIT = 20_000
_MOST = 2
"""Tokens on one flow that are told apart; more behave alike."""
_SUBSETS = 5
"""Outgoing flows up to which every subset of an inclusive split is tried."""

Marking = tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Play:
    """What was seen."""

    complete: bool = True
    fired: set[str] = field(default_factory=set)
    """Ids of nodes that a token has left."""
    waited: set[str] = field(default_factory=set)
    """Ids of parallel joins that a token has reached."""
    stuck: set[str] = field(default_factory=set)
    """Ids of parallel joins that hold the only tokens left in some play."""
    together: set[tuple[str, str]] = field(default_factory=set)
    """Pairs of nodes (ordered) that can be busy at the same time."""


def play(scope: Scope) -> Play:
    """Return what can happen in ``scope``."""
    board = _Board(scope)
    seen: set[Marking] = set()
    result = Play()
    moves = 0
    pending: deque[Marking] = deque(_freeze(start) for start in board.starts())
    while pending:
        marking = pending.popleft()
        if marking in seen:
            continue
        seen.add(marking)
        tokens = dict(marking)
        board.note(tokens, result)
        following = list(board.moves(tokens, result))
        if tokens and not following:
            result.stuck.update(board.targets[flow] for flow in tokens)
        moves += len(following)
        if moves > LIMIT:
            result.complete = False
            return result
        pending.extend(item for item in map(_freeze, following) if item not in seen)
    return result


class _Board:
    """The scope as a net: flows hold tokens, nodes move them."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.targets = {flow.id: flow.target for flow in scope.flows.values()}
        self.boundaries: dict[str, list[Node]] = {}
        self.links = {
            event.name: node
            for node in scope.nodes.values()
            if node.kind is NodeKind.INTERMEDIATE_CATCH_EVENT
            for event in node.events
            if event.kind is EventKind.LINK
        }
        for node in scope.nodes.values():
            if node.attached_to is not None and node.outgoing:
                self.boundaries.setdefault(node.attached_to, []).append(node)
        self.reach = {flow: self._reach(flow) for flow in scope.flows}

    def starts(self) -> Iterator[dict[str, int]]:
        for node in self.scope.starts():
            yield dict.fromkeys(node.outgoing, 1)
        together = {flow: 1 for node in implicit_starts(self.scope) for flow in node.outgoing}
        if together:
            yield together
        for node in self.scope.nodes.values():
            if node.instantiate and not node.incoming:
                yield dict.fromkeys(node.outgoing, 1)

    def note(self, tokens: dict[str, int], result: Play) -> None:
        busy = sorted({self.targets[flow] for flow in tokens})
        result.together.update(combinations(busy, 2))
        for flow, count in tokens.items():
            if count > 1:
                result.together.add((self.targets[flow], self.targets[flow]))
            node = self.scope.nodes[self.targets[flow]]
            if node.kind is NodeKind.PARALLEL_GATEWAY and len(node.incoming) > 1:
                result.waited.add(node.id)

    def moves(self, tokens: dict[str, int], result: Play) -> Iterator[dict[str, int]]:
        for node_id in sorted({self.targets[flow] for flow in tokens}):
            node = self.scope.nodes[node_id]
            for taken, given in self._steps(node, tokens):
                result.fired.add(node_id)
                yield _moved(tokens, taken, given)

    def _steps(self, node: Node, tokens: dict[str, int]) -> Iterator[tuple[Iterable[str], Iterable[str]]]:
        present = [flow for flow in node.incoming if flow in tokens]
        if node.kind is NodeKind.PARALLEL_GATEWAY:
            if len(present) == len(node.incoming):
                yield present, node.outgoing
            return
        if node.kind is NodeKind.INCLUSIVE_GATEWAY:
            if len(node.incoming) == 1 or self._inclusive_ready(node, tokens, present):
                for given in _subsets(node.outgoing):
                    yield present, given
            return
        for flow in present:
            if node.kind is NodeKind.END_EVENT:
                terminate = any(event.kind is EventKind.TERMINATE for event in node.events)
                yield (list(tokens), ()) if terminate else ((flow,), ())
            elif node.kind in (NodeKind.EXCLUSIVE_GATEWAY, NodeKind.EVENT_BASED_GATEWAY):
                for outgoing in node.outgoing:
                    yield (flow,), (outgoing,)
            elif node.kind is NodeKind.INTERMEDIATE_THROW_EVENT and node.events and self._link(node):
                yield (flow,), self._link(node)
            else:
                yield from self._activity(node, flow)

    def _link(self, node: Node) -> tuple[str, ...]:
        for event in node.events:
            if event.kind is EventKind.LINK:
                partner = self.links.get(event.name)
                return () if partner is None else partner.outgoing
        return ()

    def _activity(self, node: Node, flow: str) -> Iterator[tuple[Iterable[str], Iterable[str]]]:
        flows = self.scope.flows
        conditional = [
            item for item in node.outgoing if flows[item].condition is not None or item == node.default
        ]
        always = [item for item in node.outgoing if item not in conditional]
        for chosen in _subsets(tuple(conditional)) if conditional else ((),):
            yield (flow,), (*always, *chosen)
        for boundary in self.boundaries.get(node.id, ()):
            if boundary.interrupting:
                yield (flow,), boundary.outgoing
            else:
                yield (flow,), (*node.outgoing, *boundary.outgoing)

    def _inclusive_ready(self, node: Node, tokens: dict[str, int], present: list[str]) -> bool:
        if not present:
            return False
        missing = set(node.incoming) - set(present)
        return not any(missing & self.reach[flow] for flow in tokens if self.targets[flow] != node.id)

    def _reach(self, start: str) -> frozenset[str]:
        seen: set[str] = set()
        pending = [start]
        while pending:
            flow = pending.pop()
            if flow in seen:
                continue
            seen.add(flow)
            node = self.scope.nodes[self.targets[flow]]
            pending.extend(node.outgoing)
            pending.extend(out for item in self.boundaries.get(node.id, ()) for out in item.outgoing)
            pending.extend(self._link(node))
        return frozenset(seen)


def _subsets(flows: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if len(flows) > _SUBSETS:
        yield from ((flow,) for flow in flows)
        yield flows
        return
    for size in range(1, len(flows) + 1):
        yield from combinations(flows, size)


def _moved(tokens: dict[str, int], taken: Iterable[str], given: Iterable[str]) -> dict[str, int]:
    after = dict(tokens)
    for flow in taken:
        after[flow] -= 1
        if not after[flow]:
            del after[flow]
    for flow in given:
        after[flow] = min(_MOST, after.get(flow, 0) + 1)
    return after


def _freeze(tokens: dict[str, int]) -> Marking:
    return tuple(sorted(tokens.items()))


def implicit_starts(scope: Scope) -> list[Node]:
    """Return what begins by itself where no start event is drawn: all that no flow leads to.

    BPMN 2.0.2, Start Event: a scope without start events begins at every such flow node, all at once.
    """
    if any(True for _ in scope.starts()):
        return []
    return [
        node
        for node in scope.nodes.values()
        if not (
            node.incoming
            or node.for_compensation
            or node.triggered_by_event
            or node.instantiate
            or node.kind is NodeKind.BOUNDARY_EVENT
            or (
                node.kind is NodeKind.INTERMEDIATE_CATCH_EVENT
                and any(event.kind is EventKind.LINK for event in node.events)
            )
        )
    ]


def reachable(scope: Scope) -> frozenset[str]:
    """Return the ids of the nodes that something can start."""
    links = {
        event.name: node.id
        for node in scope.nodes.values()
        if node.kind is NodeKind.INTERMEDIATE_CATCH_EVENT
        for event in node.events
        if event.kind is EventKind.LINK
    }
    attached: dict[str, list[str]] = {}
    for node in scope.nodes.values():
        if node.attached_to is not None:
            attached.setdefault(node.attached_to, []).append(node.id)
    pending = [node.id for node in implicit_starts(scope)]
    pending += [
        node.id
        for node in scope.nodes.values()
        if node.kind is NodeKind.START_EVENT
        or node.triggered_by_event
        or node.for_compensation
        or (node.instantiate and not node.incoming)
    ]
    seen: set[str] = set()
    while pending:
        node_id = pending.pop()
        if node_id in seen:
            continue
        seen.add(node_id)
        node = scope.nodes[node_id]
        pending.extend(scope.flows[flow].target for flow in node.outgoing)
        pending.extend(attached.get(node_id, ()))
        pending.extend(
            links[event.name] for event in node.events if event.kind is EventKind.LINK and event.name in links
        )
    return frozenset(seen)
