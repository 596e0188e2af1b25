"""Standard loops and multi-instance activities (BPMN 2.0.2, 10.3.8).

A holder token stands at the activity, carries its boundary events, and has one child token per running
instance. The holder remembers numbers and results only; instances take the data of the holder and add their
own element and ``loopCounter``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.definitions.model import Node
from engine.runtime.api import Json, StepKind
from engine.runtime.compiling import Compiler, Formula
from engine.runtime.data import Data, Frame, Patch, patch_between
from engine.runtime.elements.base import case_of
from engine.runtime.errors import BranchFailure
from engine.runtime.tokens import Token
from engine.runtime.waiting import resume

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.elements.activity import Activity

Begin = Callable[[Token], bool | None]
COUNTER = "loopCounter"
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Repetition:
    """Loop characteristics, compiled."""

    multi: bool
    sequential: bool
    cardinality: Formula | None
    collection: Formula | None
    item: str | None
    output_collection: str | None
    output_item: str | None
    completion: Formula | None
    condition: Formula | None
    test_before: bool
    maximum: Formula | None


def compile_loop(node: Node, compiler: Compiler) -> Repetition:
    """Compile the loop characteristics of ``node``."""
    loop = node.loop
    if loop is None:
        raise AssertionError("only called for activities that repeat")
    if loop.multi and loop.cardinality is None and loop.collection is None:
        compiler.refuse(
            node,
            "the multi-instance says neither how often nor over which list",
            "set a cardinality or collection",
        )
    if loop.behavior != "All":
        compiler.refuse(node, f"multi-instance behaviour {loop.behavior!r} is not run", "use 'All'")
    if not loop.multi and loop.condition is None and loop.maximum is None:
        compiler.refuse(node, "the loop has neither a condition nor a maximum and would never end")
    return Repetition(
        loop.multi,
        loop.sequential or not loop.multi,
        compiler.formula(loop.cardinality),
        compiler.formula(loop.collection),
        loop.item,
        loop.output_collection,
        loop.output_item,
        compiler.formula(loop.completion_condition),
        compiler.formula(loop.condition),
        loop.test_before,
        compiler.formula(loop.maximum),
    )


# --- beginning -------------------------------------------------------------------------------------------


def begin(activity: "Activity", holder: Token) -> bool | None:
    """Begin the repetition; True when there is nothing to repeat."""
    if "begun" in holder.memory:
        _go_on(activity, holder)
        return None
    total, items = _extent(activity, holder)
    memory = holder.memory
    memory.update(total=total, begun=0, done=0, terminated=0)
    loop = activity.loop
    if loop is not None and loop.output_collection is not None:
        memory["results"] = [None] * (total or 0)
    if total == 0 or not _continues(activity, holder, 0, first=True):
        _deliver(activity, holder)
        return True
    if items is not None:
        memory["items"] = items
    holder.frame = Frame(holder.frame, dict(holder.data))

    def first(token: Token) -> None:
        _go_on(activity, token)

    return activity.with_boundaries(holder, first)


def _extent(activity: "Activity", holder: Token) -> tuple[int | None, list[Json] | None]:
    """Return how many instances there will be (None: until a condition says so) and their elements."""
    case, loop = case_of(holder), activity.loop
    if loop is None:
        raise AssertionError("only called for activities that repeat")
    view, functions = case.view(holder), case.services.functions
    if loop.collection is not None:
        value = loop.collection.value(view, functions)
        if not isinstance(value, list):
            raise BranchFailure(f"the collection «{loop.collection.text}» is no list")
        return len(value), value
    limit = loop.cardinality if loop.multi else loop.maximum
    if limit is None:
        return None, None
    number = limit.value(view, functions)
    if isinstance(number, bool) or not isinstance(number, int | float) or number != int(number) or number < 0:
        raise BranchFailure(
            f"the number of instances «{limit.text}» is {number!r}, not a whole number from 0"
        )
    if number > _MOST:
        raise BranchFailure(f"{number} instances are more than the {_MOST} that one activity may have")
    return int(number), None


def _continues(activity: "Activity", holder: Token, done: int, *, first: bool = False) -> bool:
    """Tell whether a standard loop goes round once more; multi-instances always say yes."""
    loop = activity.loop
    if loop is None or loop.multi or loop.condition is None or (first and not loop.test_before):
        return True
    case = case_of(holder)
    return loop.condition.truth({**case.view(holder), COUNTER: done}, case.services.functions)


def _go_on(activity: "Activity", holder: Token) -> None:
    """Begin the next instance, or all of them."""
    loop, memory = activity.loop, holder.memory
    if loop is None:
        raise AssertionError("only called for activities that repeat")
    last = memory["begun"] + 1 if loop.sequential else memory["total"]
    items = memory.get("items")
    case = case_of(holder)
    if last - memory["begun"] > case.budget:
        raise BranchFailure(f"{last} instances are more than one command may begin")
    case.budget -= last - memory["begun"]
    for index in range(memory["begun"], last):
        data: Data = dict(holder.data)
        data[COUNTER] = index
        if items is not None and loop.item is not None:
            data[loop.item] = items[index - memory.get("gone", 0)]
        case.put(
            holder.scope,
            activity,
            data,
            holder.frame,
            holder=holder,
            index=index,
            sent=holder.sent,
        )
    if items is not None:
        # Only the elements still to come are kept: the state grows with what is open.
        memory["items"] = items[last - memory.get("gone", 0) :]
        memory["gone"] = last
    memory["begun"] = last


# --- ending ----------------------------------------------------------------------------------------------


def local_names(activity: "Activity", token: Token) -> tuple[str, ...]:
    """Return the names that belong to one instance only."""
    names = tuple(token.local)
    if token._parent is None or activity.loop is None:
        return names
    item = activity.loop.item
    return (*names, COUNTER) if item is None else (*names, COUNTER, item)


def instance_ended(activity: "Activity", token: Token) -> None:
    """Count an instance as completed, take over its result, and see how it goes on."""
    case, loop = case_of(token), activity.loop
    holder = token.holder
    if loop is None or holder is None:
        raise AssertionError("only called for instances")
    memory = holder.memory
    complete = loop.completion is not None and _is_complete(case, loop.completion, token, holder)
    result = _result(case, loop, token)
    case.out.step(StepKind.COMPLETED, token, token.item)
    activity.keep(case, token, holder)
    memory["done"] += 1
    if loop.output_collection is None:
        patch = patch_between(token.frame.data, token.data).without(local_names(activity, token))
        if patch:
            data = dict(holder.data)
            patch.apply(data)
            holder.data = data
    elif token.index is not None:
        results = memory["results"]
        results.extend([None] * (token.index + 1 - len(results)))
        results[token.index] = result
    _after(activity, holder, token, complete=complete)


def _after(activity: "Activity", holder: Token, token: Token, *, complete: bool) -> None:
    case, memory, loop = case_of(holder), holder.memory, activity.loop
    if loop is None:
        raise AssertionError("only called for activities that repeat")
    others = [number for number in holder._children if number != token.id]
    if complete:
        memory["terminated"] += len(others)
        for number in others:
            case.withdraw(case.tokens[number])
        _end(activity, holder)
    elif others:
        return
    elif loop.sequential and (memory["total"] is None or memory["begun"] < memory["total"]):
        try:
            more = _continues(activity, holder, memory["done"])
        except BranchFailure as failure:
            case.fail(holder, str(failure), "run")
            return
        if more:
            _go_on(activity, holder)
        else:
            _end(activity, holder)
    else:
        _end(activity, holder)


def _end(activity: "Activity", holder: Token) -> None:
    _deliver(activity, holder)
    resume(case_of(holder), holder, {})


def _deliver(activity: "Activity", holder: Token) -> None:
    """Write the collected results to the holder's data."""
    loop = activity.loop
    if loop is not None and loop.output_collection is not None:
        case_of(holder).write(holder, Patch({loop.output_collection: holder.memory.pop("results")}))


def _is_complete(case: "Case", condition: Formula, token: Token, holder: Token) -> bool:
    counted = {**holder.memory, "done": holder.memory["done"] + 1}
    active = len(holder._children) - 1
    return condition.truth({**case.view(token), **_numbers(counted, active)}, case.services.functions)


def _result(case: "Case", loop: Repetition, token: Token) -> Json:
    return None if loop.output_item is None else case.view(token).get(loop.output_item)


# --- counters --------------------------------------------------------------------------------------------


def counters(token: Token) -> dict[str, Json]:
    """Return the counters that an instance sees."""
    holder = token.holder
    if holder is None or token.element.loop is None or not token.element.loop.multi:
        return {}
    return _numbers(holder.memory, len(holder._children))


def _numbers(memory: dict[str, Json], active: int) -> dict[str, Json]:
    total, done = memory["total"], memory["done"]
    return {
        "numberOfInstances": total,
        "numberOfActiveInstances": active,
        "numberOfCompletedInstances": done,
        "numberOfTerminatedInstances": memory["terminated"],
        "nrOfInstances": total,
        "nrOfActiveInstances": active,
        "nrOfCompletedInstances": done,
    }
