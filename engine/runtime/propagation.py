"""Errors and escalations look for their catch from the inside out (BPMN 2.0.2, 10.5.7)."""

from typing import TYPE_CHECKING, Any

from engine.definitions.model import EventKind
from engine.runtime.api import Json
from engine.runtime.data import Patch, patch_between
from engine.runtime.tokens import Token

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.elements.base import Trigger

Scope = Any


def throw(
    case: "Case",
    kind: EventKind,
    code: str | None,
    thrower: Token,
    *,
    at_activity: bool = False,
    extra: dict[str, Json] | None = None,
    message: str = "",
) -> bool:
    """Look for a catch of an error or escalation; tell whether there was one.

    ``at_activity`` says that the activity itself failed, so its own boundary events come first. The catch
    gets the data of the token that threw, and ``extra``.
    """
    scope = thrower.scope
    host: Token | None = None
    if at_activity:
        host = thrower.holder or thrower
        patch = Patch({})
    else:
        patch = patch_between(scope.frame.data, thrower.data)
    patch = Patch({**patch.values, **(extra or {})}, patch.removed)
    subs_count = True
    while True:
        if host is not None and "reopened" not in host.memory:
            # An activity that is being compensated is completed: its own events catch nothing any more.
            found = _catcher(host.element.boundaries, kind, code)
            if found is not None:
                element, trigger = found
                element.catch(case, host, _with_code(patch, trigger, code, message))
                return True
        if subs_count and not _reopened(scope):
            found = _catcher([sub.start for sub in scope.spec.event_subs], kind, code)
            if found is not None:
                element, trigger = found
                element.catch(case, scope, _with_code(patch, trigger, code, message), thrower)
                return True
        owner = scope.owner
        if owner is None:
            return False
        # What happens inside an event sub-process concerns its surroundings, not its siblings.
        subs_count = not scope.spec.is_event
        patch = owner.element.outward(owner, scope, patch)
        host = None if scope.spec.is_event else (owner.holder or owner)
        scope = owner.scope


def _reopened(scope: Scope) -> bool:
    return scope.owner is not None and "reopened" in scope.owner.memory


def _catcher(
    elements: "list[Any] | tuple[Any, ...]", kind: EventKind, code: str | None
) -> "tuple[Any, Trigger] | None":
    """Return the element that catches this very code, else the one that catches any."""
    general = None
    for element in elements:
        for trigger in element.triggers:
            if trigger.kind is not kind:
                continue
            if trigger.code is None:
                general = general or (element, trigger)
            elif trigger.code == code:
                return element, trigger
    return general


def _with_code(patch: Patch, trigger: "Trigger", code: str | None, message: str) -> Patch:
    values = dict(patch.values)
    if trigger.code_variable:
        values[trigger.code_variable] = code
    if trigger.message_variable:
        values[trigger.message_variable] = message
    return Patch(values, patch.removed)
