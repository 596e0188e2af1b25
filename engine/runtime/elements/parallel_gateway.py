"""Parallel gateways: wait for a token on every incoming flow, send one along every outgoing flow."""

from engine.runtime import joins
from engine.runtime.elements.base import Element, case_of
from engine.runtime.specs import Way
from engine.runtime.tokens import Token


class ParallelGateway(Element):
    """Synchronises and forks (BPMN 2.0.2, 10.6.4 and 13.4.1)."""

    is_inclusive = False

    def _run_hook(self, token: Token) -> bool | None:
        """Wait for the others; the last one carries the merged data on."""
        if len(self.flows_in) < 2 or token.memory.get("forced"):
            return True
        waiting = joins.arrive(token)
        chosen = joins.first_of_each_flow(self, waiting)
        if len(chosen) < len(self.flows_in):
            return None
        case = case_of(token)
        case.finish(joins.join(case, chosen))
        return None

    def choose(self, token: Token) -> tuple[Way, ...]:
        """Return all flows; conditions play no part here."""
        return self.ways if self.default is None else (*self.ways, self.default)
