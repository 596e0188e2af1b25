"""Start events, of processes, sub-processes and event sub-processes."""

from typing import TYPE_CHECKING

from engine.definitions.model import Node
from engine.runtime import timers, waiting
from engine.runtime.api import ItemKind, Json
from engine.runtime.compiling import Compiler
from engine.runtime.data import Patch
from engine.runtime.elements.base import Element
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Scope, Token, Wait

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.elements.event_sub_process import EventSubProcess


class StartEvent(Element):
    """Where a token begins (BPMN 2.0.2, 10.5.2)."""

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile the triggers."""
        super().__init__(spec, node, compiler)
        self.parallel_multiple = node.parallel_multiple
        self.event_sub: EventSubProcess | None = None

    def _run_hook(self, token: Token) -> bool:
        """Let the token through, with what the event brought."""
        payload = token.memory.pop("fired", None)
        if payload or self.gives:
            self.receive(token, payload or {})
        return True

    # --- start of an event sub-process -------------------------------------------------------------------

    def fired(self, case: "Case", wait: Wait, payload: dict[str, Json]) -> None:
        """Begin the event sub-process."""
        sub, scope = self.event_sub, wait.scope
        if sub is None:
            return
        if self.parallel_multiple and len(self.triggers) > 1:
            kept = scope.memory.setdefault(f"payload {self.name}", {})
            kept.update(payload)
            if not waiting.complete_set(scope.memory, wait):
                waiting.close(case, wait)
                return
            payload = scope.memory.pop(f"payload {self.name}")
            if not sub.interrupting:
                waiting.close(case, wait)
                view = {**case.backdrop(scope), **scope.data}
                waiting.register(case, waiting.prepare(case, self, scope, None, view))
        elif wait.kind is ItemKind.TIMER and not sub.interrupting and not timers.next_round(case, wait):
            waiting.close(case, wait)
        sub.trigger(case, scope, Patch({}), payload)

    def catch(self, case: "Case", scope: Scope, patch: Patch, thrower: Token) -> None:
        """Begin the event sub-process because of an error or escalation."""
        if self.event_sub is not None:
            self.event_sub.trigger(case, scope, patch)
