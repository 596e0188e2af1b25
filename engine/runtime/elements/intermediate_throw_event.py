"""Intermediate throw events, link sources among them."""

from engine.definitions.model import EventKind, Node, Scope
from engine.runtime.compiling import Compiler
from engine.runtime.elements.base import Element
from engine.runtime.elements.throwing import compile_sendings, throw_all
from engine.runtime.specs import ScopeSpec, Way
from engine.runtime.tokens import Token


class IntermediateThrowEvent(Element):
    """An event that happens when a token passes (BPMN 2.0.2, 10.5.4)."""

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile what is thrown."""
        super().__init__(spec, node, compiler)
        self.sendings = compile_sendings(self, node, compiler)

    def link(self, node: Node, scope: Scope, compiler: Compiler) -> None:
        """Connect the flows; a link source leads to the link target of the same name."""
        super().link(node, scope, compiler)
        for trigger in self.triggers:
            if trigger.kind is EventKind.LINK:
                target = self.spec.links.get(trigger.name)
                if target is None:
                    compiler.refuse(node, f"no link target is called {trigger.name!r} in this scope")
                self.ways = (Way(f"link:{trigger.name}", target, None),)
                self.plain = True

    def _run_hook(self, token: Token) -> bool | None:
        """Throw what the event throws; None where the token waits, or is gone by what it threw."""
        return throw_all(self, token, self.sendings) if self.triggers else True
