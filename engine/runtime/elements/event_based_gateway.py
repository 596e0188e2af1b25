"""Event-based gateways: the first event decides."""

from typing import TYPE_CHECKING

from engine.definitions.model import Node, Scope
from engine.runtime import waiting
from engine.runtime.api import Json, StepKind
from engine.runtime.compiling import Compiler
from engine.runtime.elements.activity import token_of
from engine.runtime.elements.base import Element, case_of
from engine.runtime.elements.intermediate_catch_event import IntermediateCatchEvent
from engine.runtime.elements.receive_task import ReceiveTask
from engine.runtime.specs import Way
from engine.runtime.tokens import Token, Wait

if TYPE_CHECKING:
    from engine.runtime.case import Case


class EventBasedGateway(Element):
    """Waits for the events behind it and goes where the first one happens (BPMN 2.0.2, 10.6.6)."""

    def link(self, node: Node, scope: Scope, compiler: Compiler) -> None:
        """Connect the flows; only events and receive tasks may follow."""
        super().link(node, scope, compiler)
        for way in self.ways:
            if not isinstance(way.target, IntermediateCatchEvent | ReceiveTask):
                compiler.refuse(node, f"{way.target.name!r} behind an event-based gateway waits for no event")

    def _run_hook(self, token: Token) -> bool | None:
        """Wait for all the events, or go on with the one that happened."""
        if "chosen" in token.memory:
            return True
        case = case_of(token)
        view = case.view(token)
        waits = [
            wait for way in self.ways for wait in waiting.prepare(case, way.target, token.scope, token, view)
        ]
        waiting.register(case, waits)
        case.out.step(StepKind.ENTERED, token)
        waiting.fire_true(case, waits)
        return None

    def fired(self, case: "Case", wait: Wait, payload: dict[str, Json]) -> None:
        """Close the other events and go on behind this one."""
        token = token_of(wait)
        waiting.resume(case, token, {})
        del token.memory["result"]
        token.memory["chosen"] = wait.element.name
        token.memory["payload"] = payload
        token.memory["item"] = wait.number

    def leave(self, token: Token) -> None:
        """Put the token at the event that happened, which is already done with waiting."""
        case = case_of(token)
        way = next(way for way in self.ways if way.target.name == token.memory["chosen"])
        case.out.step(StepKind.COMPLETED, token)
        case.move(token, (Way(way.id, way.target, None),))
        behind = case.queue[-1]
        behind.memory["result"] = token.memory["payload"]
        behind.item = token.memory["item"]
