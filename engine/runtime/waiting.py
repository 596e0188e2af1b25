"""Open items: arming, firing, closing. The case's own index of what waits for what."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from engine.definitions.model import EventKind
from engine.runtime import messages, timers
from engine.runtime.api import ItemKind, Json
from engine.runtime.data import Patch
from engine.runtime.errors import BranchFailure
from engine.runtime.spiff import TaskState
from engine.runtime.tokens import Token, Wait

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.elements.base import Element, Trigger

Scope = Any


def prepare(
    case: "Case", element: "Element", scope: Scope, token: Token | None, view: dict[str, Json] | Any
) -> list[Wait]:
    """Return the waits that ``element`` needs, without opening them; raise BranchFailure."""
    found = []
    for trigger in element.triggers:
        wait = _wait_for(case, element, trigger, scope, token, view)
        if wait is not None:
            found.append(wait)
    return found


def _wait_for(
    case: "Case", element: "Element", trigger: "Trigger", scope: Scope, token: Token | None, view: Any
) -> Wait | None:
    wait = Wait(0, ItemKind.SIGNAL, element, scope, token, trigger.index, trigger.name)
    if trigger.kind is EventKind.MESSAGE:
        wait.kind = ItemKind.MESSAGE
        messages.bind(case, wait)
    elif trigger.kind is EventKind.TIMER:
        wait.kind = ItemKind.TIMER
        timers.arm(case, wait, trigger, view)
    elif trigger.kind is EventKind.CONDITIONAL:
        wait.kind = ItemKind.CONDITION
        wait.expression = None if trigger.formula is None else trigger.formula.text
        wait.true = trigger.formula is not None and trigger.formula.truth(view, case.services.functions)
    elif trigger.kind is not EventKind.SIGNAL:
        return None
    return wait


def register(case: "Case", waits: Iterable[Wait]) -> None:
    """Open ``waits``."""
    for wait in waits:
        if wait.number == 0:
            wait.number = case.next_number()
        note(case, wait)
        case.out.open(wait)


def note(case: "Case", wait: Wait) -> None:
    """Enter an open item into the case's indexes, and where it belongs."""
    case.open_waits[wait.number] = wait
    if wait.kind is ItemKind.CONDITION:
        case.conditions[wait.number] = wait
    if wait.kind is ItemKind.MESSAGE and wait.answers is None and "answers" in wait.element.attributes:
        case.unanswered[wait.number] = wait
    (wait.scope.waits if wait.token is None else wait.token.waits).append(wait)


def close(case: "Case", wait: Wait) -> None:
    """Close one open item; closing it again does nothing."""
    if case.open_waits.pop(wait.number, None) is None:
        return
    case.conditions.pop(wait.number, None)
    case.unanswered.pop(wait.number, None)
    home = wait.scope.waits if wait.token is None else wait.token.waits
    home.remove(wait)
    case.out.close(wait)


def close_all(case: "Case", waits: list[Wait]) -> None:
    """Close all of ``waits``."""
    for wait in list(waits):
        close(case, wait)


def close_own(case: "Case", token: Token) -> None:
    """Close what the token itself waits for; its boundary events stay armed."""
    for wait in list(token.waits):
        if not wait.element.is_boundary:
            close(case, wait)


def open_plain(case: "Case", token: Token, kind: ItemKind) -> Wait:
    """Open the item of a task or of outside work."""
    wait = Wait(0, kind, token.element, token.scope, token)
    register(case, (wait,))
    token.item = wait.number
    return wait


def open_failed(case: "Case", token: Token, message: str) -> None:
    """Open the item of a branch that cannot go on."""
    wait = Wait(0, ItemKind.FAILED, token.element, token.scope, token, error=message)
    register(case, (wait,))


# --- firing ----------------------------------------------------------------------------------------------


def fire(case: "Case", wait: Wait, payload: dict[str, Json]) -> None:
    """Let happen what ``wait`` waits for."""
    if wait.kind is ItemKind.MESSAGE:
        messages.learn(case, wait.scope, wait.event, payload)
    if wait.token is None or wait.element.is_boundary:
        wait.element.fired(case, wait, payload)
    else:
        wait.token.element.fired(case, wait, payload)


def resume(case: "Case", token: Token, payload: dict[str, Json], removed: tuple[str, ...] = ()) -> None:
    """Queue a token that waited to run again with what came in."""
    close_own(case, token)
    token.memory["result"] = payload
    if removed:
        token.memory["removed"] = list(removed)
    token._set_state(TaskState.READY)
    case.queue.append(token)


def complete_set(memory: dict[str, Json], wait: Wait) -> bool:
    """Note one of several events that must all happen; tell whether that was the last one."""
    key = f"all {wait.element.name}"
    seen = memory.setdefault(key, [])
    if wait.trigger not in seen:
        seen.append(wait.trigger)
    if len(seen) < len(wait.element.triggers):
        return False
    del memory[key]
    return True


# --- event sub-processes ---------------------------------------------------------------------------------


def prepare_event_subs(case: "Case", scope: Scope) -> list[Wait]:
    """Return the waits of the scope's event sub-processes, not opened yet; raise BranchFailure."""
    if not scope.spec.event_subs:
        return []
    view = {**case.backdrop(scope), **scope.data}
    return [wait for sub in scope.spec.event_subs for wait in prepare(case, sub.start, scope, None, view)]


def fire_true(case: "Case", waits: list[Wait]) -> None:
    """Fire the conditional events among ``waits`` whose condition is true from the beginning."""
    for wait in waits:
        if wait.kind is ItemKind.CONDITION and wait.true and wait.number in case.open_waits:
            fire(case, wait, {})


# --- conditions ------------------------------------------------------------------------------------------


def look_again(case: "Case", scope: Scope | None, patch: Patch) -> None:
    """Evaluate the conditions that see a change in ``scope`` (None: everywhere); fire those now true.

    A condition sees the data of its own token with the change on top, and takes the change along when
    it fires: branches do not share data, but an event that waits for data must be able to learn of them.
    """
    region = None if scope is None else _region(scope)
    for number, wait in sorted(case.conditions.items()):
        if number not in case.conditions or (region is not None and _region(wait.scope) is not region):
            continue
        formula = wait.element.triggers[wait.trigger].formula
        if formula is None:
            continue
        own = (
            case.view(wait.token)
            if wait.token is not None
            else case.backdrop(wait.scope) | case.scope_data(wait.scope)
        )
        view = {**own, **patch.values}
        for name in patch.removed:
            view.pop(name, None)
        try:
            true = formula.truth(view, case.services.functions)
        except BranchFailure:
            # What cannot be evaluated yet (a name that is still unknown) is not true yet.
            true = False
        rising = true and not wait.true
        wait.true = true
        if rising:
            fire(case, wait, dict(patch.values))


def _region(scope: Scope) -> Scope:
    """Return the outermost scope whose conditions see a change in ``scope``."""
    while scope.owner is not None and scope.spec.outer is not None and scope.owner._parent is None:
        scope = scope.owner.scope
    return scope
