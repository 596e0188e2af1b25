"""Transactions: a sub-process that can be cancelled, which compensates what was done inside."""

from typing import TYPE_CHECKING

from engine.definitions.model import EventKind
from engine.runtime.data import Patch, patch_between
from engine.runtime.elements.sub_process import SubProcess
from engine.runtime.errors import BranchFailure
from engine.runtime.tokens import Scope

if TYPE_CHECKING:
    from engine.runtime.case import Case


class Transaction(SubProcess):
    """A transaction sub-process (BPMN 2.0.2, 10.3.5 and 10.7)."""

    def cancelled(self, case: "Case", scope: Scope) -> None:
        """Leave by the cancel boundary event."""
        owner = scope.owner
        host = owner.holder or owner
        for boundary in self.boundaries:
            if any(trigger.kind is EventKind.CANCEL for trigger in boundary.triggers):
                patch = patch_between(scope.frame.data, case.scope_data(scope))
                boundary.catch(case, host, Patch(patch.values, patch.removed))
                return
        raise BranchFailure(f"the transaction {self.name!r} was cancelled and has no cancel boundary event")
