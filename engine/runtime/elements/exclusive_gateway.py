"""Exclusive gateways: the first flow whose condition holds."""

from engine.runtime.elements.base import Element, case_of
from engine.runtime.errors import BranchFailure
from engine.runtime.specs import Way
from engine.runtime.tokens import Token


class ExclusiveGateway(Element):
    """Takes exactly one flow, tried in document order (BPMN 2.0.2, 10.6.2 and 13.4.2)."""

    def _run_hook(self, token: Token) -> bool:
        """Let the token through."""
        return True

    def choose(self, token: Token) -> list[Way]:
        """Return the first flow that is open, else the default."""
        if not self.ways and self.default is None:
            return []
        case = case_of(token)
        view, functions = case.view(token), case.services.functions
        for way in self.ways:
            if way.condition is None or way.condition.truth(view, functions):
                return [way]
        if self.default is None:
            raise BranchFailure(
                f"no condition of the flows that leave {self.name!r} is true, and no flow is default"
            )
        return [self.default]
