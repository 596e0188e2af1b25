"""Compensation (BPMN 2.0.2, 10.7 and 13.5.5): handlers run in reverse order of completion.

A scope keeps a record of every completed activity that has a handler, with a snapshot of its data; a
completed sub-process keeps the records of what was completed inside it. The thrower works its list of
records off one by one; with ``waitForCompletion="false"`` it goes on while they run.
"""

from typing import TYPE_CHECKING, Any

from engine.runtime.data import Frame, patch_between
from engine.runtime.spiff import TaskState
from engine.runtime.tokens import Record, Token

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.elements.base import Trigger

Scope = Any
__all__ = ["Record", "begin", "compensate_scope", "handled"]


def begin(case: "Case", thrower: Token, trigger: "Trigger") -> bool:
    """Ask for the compensation that ``trigger`` describes; True when the thrower need not wait."""
    scope = _target(thrower.scope, trigger.activity)
    records = [
        record for record in scope.records if trigger.activity is None or record.element == trigger.activity
    ]
    return compensate(case, thrower, scope, records, waits=trigger.waits)


def compensate_scope(case: "Case", thrower: Token) -> bool:
    """Compensate everything completed in the thrower's scope; True when there is nothing to wait for."""
    scope = thrower.scope
    return compensate(case, thrower, scope, list(scope.records), waits=True)


def compensate(case: "Case", thrower: Token, scope: Scope, records: list[Record], *, waits: bool) -> bool:
    """Run the handlers of ``records`` in reverse order, each after the one before."""
    if not records:
        return True
    for record in records:
        scope.records.remove(record)
    plan = Plan(case.next_number(), thrower.id if waits else None, records)
    scope.plans[plan.number] = plan
    _next(case, scope, plan)
    return not waits


class Plan:
    """The records still to be compensated for one thrower, the next one last."""

    __slots__ = ("number", "records", "thrower")

    def __init__(self, number: int, thrower: int | None, records: list[Record]) -> None:
        """Keep who waits (None: nobody) and what is to do."""
        self.number = number
        self.thrower = thrower
        self.records = records


def _target(scope: Scope, activity: str | None) -> Scope:
    """Return the scope whose completed activities are meant.

    An event sub-process compensates what its surroundings have completed; a named activity is looked for
    outwards up to the process.
    """
    while scope.spec.is_event:
        scope = scope.owner.scope
    if activity is not None:
        inner = scope
        while inner is not None:
            if inner.spec.element(activity) is not None:
                return inner
            inner = inner.outer if inner.spec.outer is not None else None
    return scope


def _next(case: "Case", scope: Scope, plan: Plan) -> None:
    """Start the plan's next handler, or tell the thrower that all are done."""
    while plan.records:
        record = plan.records.pop()
        activity = scope.spec.element(record.element)
        if activity.handler is not None:
            handler = scope.spec.element(activity.handler)
            # A frame without parent is always written: what the handler changes is measured from it.
            frame = Frame(None, record.data)
            token = case.put(scope, handler, dict(record.data), frame)
            token.memory["compensates"] = plan.number
            return
        if record.inner and _reopen(case, scope, plan, record):
            return
    del scope.plans[plan.number]
    if plan.thrower is not None:
        thrower = case.tokens.get(plan.thrower)
        if thrower is not None:
            thrower.memory["compensated"] = True
            thrower._set_state(TaskState.READY)
            case.queue.append(thrower)


def _reopen(case: "Case", scope: Scope, plan: Plan, record: Record) -> bool:
    """Open a completed sub-process again to compensate what was done inside; False if there is nothing."""
    activity = scope.spec.element(record.element)
    token = Token(
        scope,
        activity,
        case.next_number(),
        dict(record.data),
        Frame(None, record.data),
        index=record.index,
        state=TaskState.STARTED,
    )
    case.tokens[token.id] = token
    token.memory.update(compensates=plan.number, reopened=True)
    inner = case.open_scope(activity.inner, token, dict(record.data), token.frame)
    inner.records = list(record.inner or ())
    handler = next((sub for sub in activity.inner.event_subs if sub.compensates), None)
    if handler is not None:
        handler.begin_in(case, inner, dict(inner.data), inner.frame)
        return True
    keeper = Plan(case.next_number(), None, list(inner.records))
    inner.records = []
    inner.plans[keeper.number] = keeper
    _next(case, inner, keeper)
    if not inner.tasks:
        case.emptied.append(inner)
    return True


def handled(case: "Case", token: Token) -> None:
    """Go on after a handler has ended: its changes reach the thrower, the next handler starts."""
    scope = token.scope
    plan = scope.plans[token.memory["compensates"]]
    patch = patch_between(token.frame.data, token.data)
    thrower = case.tokens.get(plan.thrower) if plan.thrower is not None else None
    if patch:
        if thrower is not None:
            data = dict(thrower.data)
            patch.apply(data)
            thrower.data = data
        else:
            patch.apply(scope.data)
    _next(case, scope, plan)
