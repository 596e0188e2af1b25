"""What events and send tasks throw."""

from dataclasses import dataclass

from engine.definitions.model import EventKind, Node
from engine.runtime import compensation, messages, propagation
from engine.runtime.api import Json
from engine.runtime.compiling import Compiler, Formula
from engine.runtime.elements.base import Element, Trigger, assigned, case_of
from engine.runtime.errors import BranchFailure
from engine.runtime.tokens import Token

_EVALUATED = ("recipient", "documents")


@dataclass(frozen=True, slots=True)
class Sending:
    """A message that an element throws: to a partner (with a recipient) or within the authority."""

    name: str | None
    recipient: Formula | None
    values: dict[str, Formula]
    """The dw attributes that are expressions."""


def compile_sending(node: Node, name: str | None, compiler: Compiler) -> Sending:
    """Compile what ``node`` throws; refuse a message that nobody could tell from another."""
    values = {
        attribute: formula
        for attribute in _EVALUATED
        if (formula := compiler.attribute(node, attribute)) is not None
    }
    recipient = values.get("recipient")
    if recipient is None and not name:
        compiler.refuse(node, "it sends a message without a name", "set dw:recipient, or a messageRef")
    return Sending(name, recipient, values)


def send(element: Element, token: Token, sending: Sending) -> None:
    """Send the message with what the element's input mappings give."""
    case = case_of(token)
    payload = assigned(element.takes, case.view(token), case.view(token), case)
    messages.send(case, token, sending, payload, mapped=bool(element.takes))


def compile_sendings(element: Element, node: Node, compiler: Compiler) -> dict[int, Sending]:
    """Compile the messages among what ``element`` throws, by the index of their definition."""
    return {
        trigger.index: compile_sending(node, trigger.name, compiler)
        for trigger in element.triggers
        if trigger.kind is EventKind.MESSAGE
    }


_ORDER = (
    EventKind.MESSAGE,
    EventKind.SIGNAL,
    EventKind.COMPENSATE,
    EventKind.ESCALATION,
    EventKind.ERROR,
)
"""What may end the thrower's own branch comes last: an event with several definitions throws them all."""


def throw_all(element: Element, token: Token, sendings: dict[int, Sending]) -> bool | None:
    """Throw everything that ``element`` throws; None where the token waits, or is gone by what it threw."""
    case = case_of(token)
    done: list[int] = token.memory.setdefault("thrown", [])
    for trigger in sorted(element.triggers, key=_rank):
        gone = token.id not in case.tokens
        if trigger.index in done or trigger.kind not in _ORDER or (gone and trigger.kind not in _ORDER[:2]):
            continue
        free = _throw(element, token, trigger, sendings.get(trigger.index))
        done.append(trigger.index)
        if not free:
            return None
    return None if token.id not in case.tokens else True


def _rank(trigger: Trigger) -> int:
    return _ORDER.index(trigger.kind) if trigger.kind in _ORDER else len(_ORDER)


def _throw(element: Element, token: Token, trigger: Trigger, sending: Sending | None) -> bool:
    """Throw one event definition; True when the token need not wait for anything."""
    case = case_of(token)
    if trigger.kind is EventKind.MESSAGE and sending is not None:
        send(element, token, sending)
    elif trigger.kind is EventKind.SIGNAL:
        payload: dict[str, Json] = assigned(element.takes, case.view(token), case.view(token), case)
        case.throw_signal(trigger.name or "", payload)
    elif trigger.kind is EventKind.ESCALATION:
        propagation.throw(case, EventKind.ESCALATION, trigger.code, token)
    elif trigger.kind is EventKind.ERROR:
        if not propagation.throw(case, EventKind.ERROR, trigger.code, token):
            code = "" if trigger.code is None else f" {trigger.code!r}"
            raise BranchFailure(f"nothing catches the error{code} that {element.name!r} throws")
    elif trigger.kind is EventKind.COMPENSATE:
        return compensation.begin(case, token, trigger)
    return True
