"""Inclusive gateways: all flows whose condition holds, joined when no token can come any more."""

from engine.definitions.model import Node, Scope
from engine.runtime import joins
from engine.runtime.compiling import Compiler
from engine.runtime.elements.base import Element
from engine.runtime.reach import reaching
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Token


class InclusiveGateway(Element):
    """Forks by conditions and synchronises by reachability (BPMN 2.0.2, 10.6.3 and 13.4.3)."""

    is_inclusive = True

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile the gateway; reachability follows with the flows."""
        super().__init__(spec, node, compiler)
        self.reach: dict[str, frozenset[str]] = {}
        """From where a token may come onto each incoming flow, by whatever way."""
        self.certain: dict[str, frozenset[str]] = {}
        """From where it comes there along sequence flows alone, without boundary events."""

    def link(self, node: Node, scope: Scope, compiler: Compiler) -> None:
        """Connect the flows and work out from where each incoming flow can be reached."""
        super().link(node, scope, compiler)
        if len(self.flows_in) > 1:
            self.reach = {flow: reaching(scope, node.id, flow) for flow in self.flows_in}
            self.certain = {flow: reaching(scope, node.id, flow, boundaries=False) for flow in self.flows_in}

    def _run_hook(self, token: Token) -> bool | None:
        """Wait until the rest of the scope has come to rest; then the case looks at the rule."""
        if len(self.flows_in) < 2 or token.memory.get("forced"):
            return True
        joins.arrive(token)
        return None
