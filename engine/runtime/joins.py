"""Tokens that wait at converging gateways, and branches that can never be joined."""

from typing import TYPE_CHECKING, Any

from engine.runtime.data import common, merge, root_of
from engine.runtime.spiff import TaskState
from engine.runtime.tokens import Token

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.elements.base import Element
    from engine.runtime.elements.inclusive_gateway import InclusiveGateway

Scope = Any


def arrive(token: Token) -> list[Token]:
    """Let ``token`` wait at its gateway; return all that wait there, in order of arrival."""
    waiting: list[Token] = token.scope.arrivals.setdefault(token.element.name, [])
    if token.flow is None:
        # A token that an admin moved here stands for the first flow that still lacks one.
        taken = {other.flow for other in waiting}
        token.flow = next((flow for flow in token.element.flows_in if flow not in taken), None)
    waiting.append(token)
    token._set_state(TaskState.WAITING)
    return waiting


def forget(token: Token) -> None:
    """Take a withdrawn token out of those that wait at its gateway."""
    waiting = token.scope.arrivals.get(token.element.name)
    if waiting is not None and token in waiting:
        waiting.remove(token)
        if not waiting:
            del token.scope.arrivals[token.element.name]


def first_of_each_flow(element: "Element", waiting: list[Token]) -> list[Token]:
    """Return one waiting token per incoming flow, in document order of the flows."""
    by_flow: dict[str | None, Token] = {}
    for token in waiting:
        by_flow.setdefault(token.flow, token)
    return [by_flow[flow] for flow in element.flows_in if flow in by_flow]


def join(case: "Case", chosen: list[Token]) -> Token:
    """Make one token of ``chosen`` with their data merged (docs/reference/data.md); return it."""
    first = chosen[0]
    scope = first.scope
    if len(chosen) > 1:
        base = common(token.frame for token in chosen) or root_of(first.frame)
        data = merge(base.data, (token.data for token in chosen))
        frame = base
    else:
        data, frame = first.data, first.frame
    sent = frozenset().union(*(token.sent for token in chosen))
    joined = Token(scope, first.element, case.next_number(), data, frame, sent=sent, state=TaskState.STARTED)
    joined.origin = first.origin
    case.tokens[joined.id] = joined
    for token in chosen:
        forget(token)
        token._set_state(TaskState.COMPLETED)
        case.drop(token)
    return joined


def fire_inclusive(case: "Case") -> bool:
    """Fire one inclusive join that no token can reach any more; tell whether one was fired."""
    for scope in _scopes_with_arrivals(case):
        for name, waiting in list(scope.arrivals.items()):
            element = scope.spec.element(name)
            if element.is_inclusive and _may_fire(element, scope, waiting):
                case.budget -= len(scope.tasks)
                joined = join(case, first_of_each_flow(element, waiting))
                case.finish(joined)
                case.tidy()
                return True
    return False


def _may_fire(element: "InclusiveGateway", scope: Scope, waiting: list[Token]) -> bool:
    """Apply BPMN 2.0.2, 13.4.3 (inclusive gateway) to the tokens that stand elsewhere in the scope.

    A token that can get onto an empty flow holds the join up, unless it can get onto a full one as well. A
    boundary event is reason to wait, but no such excuse: where a non-interrupting one has filled its flow,
    the activity itself is still to come.
    """
    with_token = {token.flow for token in waiting}
    empty = [flow for flow in element.flows_in if flow not in with_token]
    if not empty:
        return True
    full = [flow for flow in element.flows_in if flow in with_token]
    for token in scope.tasks.values():
        if token.element is element or token._parent is not None:
            continue
        place = token.element.name
        to_empty = any(place in element.reach[flow] for flow in empty)
        if to_empty and not any(place in element.certain[flow] for flow in full):
            return False
    return True


def tell_stalls(case: "Case") -> None:
    """Fail a token of every scope in which all that is left waits at joins: nobody can come any more."""
    for scope in _scopes_with_arrivals(case):
        stuck = [token for waiting in scope.arrivals.values() for token in waiting]
        if len(stuck) < len(scope.tasks) or any(token.waits for token in stuck):
            continue
        token = min(stuck, key=lambda one: one.id)
        lacking = _lacking(scope, token)
        case.fail(
            token,
            f"the join {token.element.name!r} waits for a token on {lacking}, and none can come any more",
            "join",
        )


def _lacking(scope: Scope, token: Token) -> str:
    taken = {other.flow for other in scope.arrivals[token.element.name]}
    return ", ".join(repr(flow) for flow in token.element.flows_in if flow not in taken)


def _scopes_with_arrivals(case: "Case") -> list[Scope]:
    scopes = [scope for scope in case.subprocesses.values() if scope.arrivals]
    return [*scopes, case] if case.arrivals else scopes
