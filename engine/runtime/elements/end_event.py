"""End events."""

from engine.definitions.model import EventKind, Node
from engine.runtime import compensation
from engine.runtime.api import StepKind
from engine.runtime.compiling import Compiler
from engine.runtime.elements.base import Element, case_of
from engine.runtime.elements.throwing import compile_sendings, throw_all
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Token


class EndEvent(Element):
    """Where a token ends, with or without a result (BPMN 2.0.2, 10.5.3)."""

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile what is thrown."""
        super().__init__(spec, node, compiler)
        self.sendings = compile_sendings(self, node, compiler)
        self.kinds = frozenset(trigger.kind for trigger in self.triggers)

    def _run_hook(self, token: Token) -> bool | None:
        """Throw what the event throws."""
        if not self.triggers:
            return True
        case, memory = case_of(token), token.memory
        if throw_all(self, token, self.sendings) is None:
            if token.id not in case.tokens:
                # What it threw was caught by something that ended this branch.
                self._note(token)
            return None
        if EventKind.CANCEL in self.kinds and "cancelling" not in memory:
            memory["cancelling"] = True
            case.withdraw_all(token.scope, keep=token)
            if not compensation.compensate_scope(case, token):
                return None
        return True

    def _note(self, token: Token) -> None:
        case = case_of(token)
        case.out.end_events.append(self.name)
        case.out.step(StepKind.COMPLETED, token)

    def leave(self, token: Token) -> None:
        """End the token, and with terminate or cancel everything else in its scope."""
        case, scope = case_of(token), token.scope
        self._note(token)
        if EventKind.TERMINATE in self.kinds:
            case.withdraw_all(scope, keep=token)
        if EventKind.CANCEL in self.kinds:
            owner = scope.owner
            owner.element.cancelled(case, scope)
            return
        case.move(token, ())
