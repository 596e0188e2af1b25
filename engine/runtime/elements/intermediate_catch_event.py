"""Intermediate catch events, link targets among them."""

from typing import TYPE_CHECKING

from engine.definitions.model import EventKind, Node
from engine.runtime import waiting
from engine.runtime.api import Json, StepKind
from engine.runtime.compiling import Compiler
from engine.runtime.elements.activity import token_of
from engine.runtime.elements.base import Element, case_of
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Token, Wait

if TYPE_CHECKING:
    from engine.runtime.case import Case


class IntermediateCatchEvent(Element):
    """An event that a token waits for (BPMN 2.0.2, 10.5.4)."""

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile the triggers."""
        super().__init__(spec, node, compiler)
        self.all_of_them = node.parallel_multiple and len(node.events) > 1
        self.is_link = any(trigger.kind is EventKind.LINK for trigger in self.triggers)

    def _run_hook(self, token: Token) -> bool | None:
        """Wait for the event, or go on with what it brought."""
        memory = token.memory
        if self.is_link:
            return True
        if "result" in memory:
            self.receive(token, memory["result"])
            del memory["result"]
            return True
        case = case_of(token)
        waits = waiting.prepare(case, self, token.scope, token, case.view(token))
        if not waits:
            return True
        waiting.register(case, waits)
        token.item = waits[0].number
        case.out.step(StepKind.ENTERED, token, token.item)
        waiting.fire_true(case, waits)
        return None

    def fired(self, case: "Case", wait: Wait, payload: dict[str, Json]) -> None:
        """Go on; a parallel multiple event first waits for the others."""
        token = token_of(wait)
        if self.all_of_them:
            kept = token.memory.setdefault("payload", {})
            kept.update(payload)
            if not waiting.complete_set(token.memory, wait):
                waiting.close(case, wait)
                return
            payload = token.memory.pop("payload")
        token.item = wait.number
        waiting.resume(case, token, payload)
