"""Boundary events."""

from typing import TYPE_CHECKING

from engine.definitions.model import EventKind, Node
from engine.runtime import timers, waiting
from engine.runtime.api import ItemKind, Json
from engine.runtime.compiling import Compiler
from engine.runtime.data import Frame, Patch
from engine.runtime.elements.activity import token_of
from engine.runtime.elements.base import Element
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Token, Wait

if TYPE_CHECKING:
    from engine.runtime.case import Case


class BoundaryEvent(Element):
    """An event on the edge of an activity (BPMN 2.0.2, 10.5.4 and 13.5.3)."""

    is_boundary = True

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile the triggers; error and cancel always interrupt."""
        super().__init__(spec, node, compiler)
        kinds = {event.kind for event in node.events}
        self.interrupting = node.interrupting or bool(kinds & {EventKind.ERROR, EventKind.CANCEL})
        self.all_of_them = node.parallel_multiple and len(node.events) > 1
        self.host: Element | None = None
        self.compensates = EventKind.COMPENSATE in kinds

    def _run_hook(self, token: Token) -> bool:
        """Let the token through, with what the event brought."""
        payload = token.memory.get("result", {})
        if payload or self.gives:
            self.receive(token, payload)
        token.memory.pop("result", None)
        return True

    def fired(self, case: "Case", wait: Wait, payload: dict[str, Json]) -> None:
        """Interrupt the activity, or add a token beside it and stay armed as the event says."""
        host = token_of(wait)
        if self.all_of_them:
            kept = host.memory.setdefault(f"payload {self.name}", {})
            kept.update(payload)
            if not waiting.complete_set(host.memory, wait):
                waiting.close(case, wait)
                return
            payload = host.memory.pop(f"payload {self.name}")
            if not self.interrupting:
                waiting.close(case, wait)
                view = case.view(host)
                waiting.register(case, waiting.prepare(case, self, host.scope, host, view))
        elif wait.kind is ItemKind.TIMER and not self.interrupting and not timers.next_round(case, wait):
            waiting.close(case, wait)
        self._go(case, host, Patch({}), payload, wait.number)

    def catch(self, case: "Case", host: Token, patch: Patch) -> None:
        """Take an error, escalation or cancellation from inside the activity."""
        self._go(case, host, patch, {}, None)

    def _go(
        self, case: "Case", host: Token, patch: Patch, payload: dict[str, Json], item: int | None
    ) -> None:
        data = dict(case.inside(host))
        patch.apply(data)
        scope, sent = host.scope, host.sent
        if self.interrupting:
            frame = host.frame
            case.withdraw(host)
        else:
            frame = Frame(host.frame, host.data)
            host.frame = frame
        token = case.put(scope, self, data, frame, sent=sent, origin=host.origin)
        token.item = item
        if payload:
            token.memory["result"] = payload
