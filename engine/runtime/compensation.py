"""Compensation (BPMN 2.0.2, 10.7 and 13.5.5): handlers run in reverse order of completion.

A scope keeps a record of every completed activity that has a handler, with a snapshot of its data; a
completed sub-process or called process without a handler of its own keeps the records of what was completed
inside it, and the data as they were there. To compensate it the scope is opened once more, for its
compensation event sub-process or else for the handlers inside. The thrower works its list of records off one
by one; with ``waitForCompletion="false"`` it goes on while they run.
"""

from typing import TYPE_CHECKING, Any

from engine.runtime.data import Frame, patch_between
from engine.runtime.spiff import TaskState
from engine.runtime.tokens import Inside, Record, Token

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.elements.base import Trigger

Scope = Any
__all__ = ["Record", "begin", "compensate_scope", "handled", "withdrawn"]


def begin(case: "Case", thrower: Token, trigger: "Trigger") -> bool:
    """Ask for the compensation that ``trigger`` describes; True when the thrower need not wait."""
    if trigger.activity is None:
        return _compensate_outwards(case, thrower, thrower.scope, waits=trigger.waits)
    scope = _home_of(trigger.activity, thrower.scope)
    records = [record for record in scope.records if record.element == trigger.activity]
    return _compensate(case, thrower, scope, records, waits=trigger.waits)


def compensate_scope(case: "Case", thrower: Token) -> bool:
    """Compensate everything completed in the thrower's scope; True when there is nothing to wait for."""
    scope = thrower.scope
    return _compensate(case, thrower, scope, list(scope.records), waits=True)


def _compensate_outwards(case: "Case", thrower: Token | None, scope: Scope, *, waits: bool) -> bool:
    """Compensate what was completed in ``scope`` and, from an event sub-process, in its surroundings too."""
    while not scope.records and scope.spec.is_event:
        scope = scope.owner.scope
    return _compensate(case, thrower, scope, list(scope.records), waits=waits, outwards=scope.spec.is_event)


def _compensate(
    case: "Case",
    thrower: Token | None,
    scope: Scope,
    records: list[Record],
    *,
    waits: bool,
    outwards: bool = False,
) -> bool:
    """Run the handlers of ``records`` in reverse order, each after the one before."""
    if not records:
        return True
    for record in records:
        scope.records.remove(record)
    number = None if thrower is None or not waits else thrower.id
    plan = Plan(case.next_number(), number, records, outwards=outwards)
    scope.plans[plan.number] = plan
    _next(case, scope, plan)
    return not waits


class Plan:
    """The records still to be compensated for one thrower, the next one last."""

    __slots__ = ("number", "outwards", "records", "thrower")

    def __init__(
        self, number: int, thrower: int | None, records: list[Record], *, outwards: bool = False
    ) -> None:
        """Keep who waits (None: nobody), what is to do, and whether the surroundings follow."""
        self.number = number
        self.thrower = thrower
        self.records = records
        self.outwards = outwards


def _home_of(activity: str, scope: Scope) -> Scope:
    """Return the scope in which the named activity stands, looked for outwards up to the process."""
    inner = scope
    while inner is not None:
        if inner.spec.element(activity) is not None:
            return inner
        inner = inner.outer if inner.spec.outer is not None else None
    return scope


def _next(case: "Case", scope: Scope, plan: Plan) -> None:
    """Start the plan's next handler, or let the thrower go on when all are done."""
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
        if record.inner is not None:
            _reopen(case, scope, plan, record)
            return
    del scope.plans[plan.number]
    waits = plan.thrower is not None
    thrower = case.tokens.get(plan.thrower) if plan.thrower is not None else None
    done = not plan.outwards or _compensate_outwards(case, thrower, scope.owner.scope, waits=waits)
    if done and thrower is not None:
        thrower._set_state(TaskState.READY)
        case.queue.append(thrower)


def _reopen(case: "Case", scope: Scope, plan: Plan, record: Record) -> None:
    """Open a completed sub-process or called process again to compensate what was done inside."""
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
    token.inside = record.inside
    spec = activity.inside_spec(case)
    inside = record.inside or Inside(record.data, {})
    inner = case.open_scope(spec, token, dict(inside.data), token.frame)
    inner.objects.update(inside.objects)
    inner.records = list(record.inner or ())
    if spec.undo is not None:
        spec.undo.begin_in(case, inner, dict(inner.data), inner.frame)
        return
    keeper = Plan(case.next_number(), None, inner.records)
    inner.records = []
    inner.plans[keeper.number] = keeper
    _next(case, inner, keeper)
    if not inner.tasks:
        case.emptied.append(inner)


def withdrawn(case: "Case", token: Token) -> None:
    """Give back what a withdrawn handler's plan had still to do: it is not compensated yet."""
    plan = token.scope.plans.pop(token.memory.get("compensates"), None)
    if plan is not None:
        token.scope.records[:0] = plan.records


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
