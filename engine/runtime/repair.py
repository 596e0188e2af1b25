"""Corrections by an admin. They never recall a send and never repeat one."""

from collections.abc import Iterable, Iterator

from engine.runtime import api, joins, waiting
from engine.runtime.api import ItemKind, Json
from engine.runtime.case import Case
from engine.runtime.data import Data, Frame, Patch, clean_data
from engine.runtime.elements.activity import Activity
from engine.runtime.elements.boundary_event import BoundaryEvent
from engine.runtime.elements.event_based_gateway import EventBasedGateway
from engine.runtime.elements.event_sub_process import EventSubProcess
from engine.runtime.elements.start_event import StartEvent
from engine.runtime.errors import (
    ElementUnknownError,
    ItemGoneError,
    WrongCommandError,
)
from engine.runtime.spiff import TaskState
from engine.runtime.tokens import Scope, Token, Wait

_SHOWN_WITH_DATA = (ItemKind.TASK, ItemKind.WORK, ItemKind.MESSAGE, ItemKind.FAILED)


def find(case: Case, item_id: str, *kinds: ItemKind) -> Wait:
    """Return the open item; raise ItemGoneError, or WrongCommandError where it is of another kind."""
    wait = None
    if item_id.startswith(case.prefix):
        tail = item_id[len(case.prefix) :]
        if len(tail) == 8 and all(digit in "0123456789abcdef" for digit in tail):
            wait = case.open_waits.get(int(tail, 16))
    if wait is None:
        raise ItemGoneError(f"item {item_id} is not open", hint="it was done or withdrawn in the meantime")
    if kinds and wait.kind not in kinds:
        wanted = " or ".join(kind.value for kind in kinds)
        raise WrongCommandError(
            f"item {item_id} at {wait.element.name!r} is a {wait.kind.value}, not a {wanted}"
        )
    return wait


# --- retry and skip --------------------------------------------------------------------------------------


def retry(case: Case, command: api.Retry) -> None:
    """Try a failed item again from where it failed."""
    token, phase = _unfail(case, command.item_id)
    if phase == "leave":
        case.finish(token)
    elif phase == "join":
        token._set_state(TaskState.WAITING)
    else:
        token._set_state(TaskState.READY)
        case.queue.append(token)


def _unfail(case: Case, item_id: str) -> tuple[Token, str]:
    wait = find(case, item_id, ItemKind.FAILED)
    token = wait.token
    if token is None:
        raise WrongCommandError("only tokens fail")
    waiting.close(case, wait)
    case.unpark(token)
    return token, str(token.memory.pop("failed"))


def skip(case: Case, command: api.Skip) -> None:
    """Go on as if the item were done; nothing is sent and nothing is run."""
    wait, data = find(case, command.item_id), clean_data(command.data)
    if wait.kind is ItemKind.FAILED:
        _skip_failed(case, command.item_id, data)
    elif wait.kind in (ItemKind.TASK, ItemKind.WORK) and wait.token is not None:
        waiting.resume(case, wait.token, data)
    else:
        waiting.fire(case, wait, data)


def _skip_failed(case: Case, item_id: str, data: Data) -> None:
    token = find(case, item_id).token
    if token is not None and isinstance(token.element, EventBasedGateway):
        raise WrongCommandError("an event-based gateway cannot be skipped", hint="move the token instead")
    token, phase = _unfail(case, item_id)
    token.memory.pop("result", None)
    case.write(token, Patch(data))
    if phase == "join":
        chosen = joins.first_of_each_flow(token.element, token.scope.arrivals[token.element.name])
        case.finish(joins.join(case, chosen))
        return
    for number in list(token._children):
        case.withdraw(case.tokens[number])
    case.finish(token)


# --- data ------------------------------------------------------------------------------------------------


def set_data(case: Case, command: api.SetData) -> None:
    """Change data at one item, or wherever the case has data; conditional events look again."""
    patch = Patch(clean_data(command.data))
    if command.item_id is not None:
        wait = find(case, command.item_id)
        if wait.token is not None:
            case.write(wait.token, patch)
            waits_for_mapping = wait.token.memory.get("result")
            if waits_for_mapping is not None:
                waits_for_mapping.update(patch.values)
            _tell(case, wait.token.waits)
            return
    _set_everywhere(case, patch.values)
    _tell(case, case.open_waits.values())
    waiting.look_again(case, None, patch)


def _tell(case: Case, waits: Iterable[Wait]) -> None:
    for wait in waits:
        if wait.kind in _SHOWN_WITH_DATA:
            case.out.change(wait)


def _set_everywhere(case: Case, values: dict[str, Json]) -> None:
    scopes: list[Scope] = [case, *case.subprocesses.values()]
    for scope in scopes:
        for name in scope.objects.keys() & values.keys():
            scope.objects[name] = values[name]
        scope.data = {**scope.data, **_own(scope, values)}
    for frame in _frames(case, scopes):
        frame.data = {**frame.data, **_own(case, values)}
    for token in case.tokens.values():
        own = _own(token.scope, values)
        token.data = {**token.data, **own}
        for name in token.local.keys() & own.keys():
            token.local[name] = own[name]


def _own(scope: Scope, values: dict[str, Json]) -> dict[str, Json]:
    """Return the values that are no data objects where ``scope`` stands."""
    hidden: set[str] = set()
    inner: Scope | None = scope
    while inner is not None:
        hidden.update(inner.objects)
        inner = inner.outer if inner.spec.outer is not None else None
    return {name: value for name, value in values.items() if name not in hidden} if hidden else values


def _frames(case: Case, scopes: list[Scope]) -> Iterator[Frame]:
    seen: set[int] = set()
    for holder in (*scopes, *case.tokens.values()):
        frame: Frame | None = holder.frame
        while frame is not None and id(frame) not in seen:
            seen.add(id(frame))
            yield frame
            frame = frame.up


# --- moving and ending -----------------------------------------------------------------------------------


def move_token(case: Case, command: api.MoveToken) -> None:
    """Withdraw an open item and put its token before another element of the same scope."""
    wait = find(case, command.item_id)
    token = wait.token
    if token is None or wait.element.is_boundary:
        raise WrongCommandError(
            f"{wait.element.name!r} only listens; it holds no token", hint="move the item of its activity"
        )
    if token._parent is not None:
        raise WrongCommandError(
            f"{wait.element.name!r} is one of several instances, which end together",
            hint="skip this instance, or move the token of an element inside it",
        )
    if "compensates" in token.memory:
        raise WrongCommandError(
            f"{wait.element.name!r} compensates; the rest of the compensation waits for it",
            hint="skip it when it is done by other means",
        )
    target = token.scope.spec.element(command.element_id)
    if target is None or isinstance(target, BoundaryEvent | EventSubProcess | StartEvent):
        raise ElementUnknownError(
            f"{command.element_id!r} is no element of this scope that a token can stand before"
        )
    if isinstance(target, Activity) and target.is_handler:
        raise WrongCommandError(f"{command.element_id!r} runs for compensation only")
    scope, data, frame = token.scope, token.data, token.frame
    # What this instance has sent before stays sent: the moved token passes those sends in silence.
    places = {key.rsplit("#", 1)[0] for key in command.sent}
    if not token.instance:
        places.update(f"{element}#" for element in case.rounds)
    sent = token.sent | places
    case.withdraw(token)
    case.put(scope, target, data, frame, sent=sent, origin=token.origin)


def cancel_case(case: Case, command: api.CancelCase) -> None:
    """End the case where it stands."""
    case.withdraw_all(case)
    waiting.close_all(case, case.waits)
    case.emptied.clear()
    case.over = True


def rearm_timer(case: Case, command: api.RearmTimer) -> None:
    """Give a waiting timer another due instant, or none; what was planned for the old one is stale."""
    wait = find(case, command.item_id, ItemKind.TIMER)
    wait.due = command.due
    wait.revision = wait.revision + 1 if command.revision is None else command.revision
    case.out.change(wait)
