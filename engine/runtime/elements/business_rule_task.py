"""Business rule tasks: a decision's value becomes data."""

from engine.definitions.model import Node
from engine.errors import NotFoundError, RefusedError
from engine.runtime.api import ItemKind
from engine.runtime.compiling import Compiler
from engine.runtime.data import clean
from engine.runtime.elements.activity import Activity
from engine.runtime.elements.base import case_of
from engine.runtime.errors import BranchFailure
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Token


class BusinessRuleTask(Activity):
    """A task that evaluates a decision; without a decision it is outside work like a service task."""

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Keep the decision's key and where its value goes."""
        super().__init__(spec, node, compiler)
        self.decision = node.decision
        self.result = node.result_variable

    def perform(self, token: Token) -> bool | None:
        """Evaluate the decision on what is visible here."""
        if self.decision is None:
            self.wait_as(token, ItemKind.WORK)
            return None
        case = case_of(token)
        if case.services.decisions is None:
            raise BranchFailure(f"no decisions are deployed; {self.decision!r} cannot be evaluated")
        try:
            value = clean(case.services.decisions(self.decision, case.view(token)))
        except (RefusedError, NotFoundError) as error:
            raise BranchFailure(str(error)) from error
        if self.result is not None:
            self.receive(token, {self.result: value})
        elif isinstance(value, dict):
            self.receive(token, value)
        else:
            self.receive(token, {self.decision: value})
        return True
