"""Ad-hoc sub-processes: what may be done, in any order, until a condition says that it is enough."""

from typing import TYPE_CHECKING

from engine.definitions.model import Node
from engine.runtime.compiling import Compiler
from engine.runtime.data import Frame
from engine.runtime.elements.base import Element
from engine.runtime.elements.sub_process import SubProcess
from engine.runtime.elements.user_task import UserTask
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Scope, Token

if TYPE_CHECKING:
    from engine.runtime.case import Case


class AdHocSubProcess(SubProcess):
    """A sub-process whose activities need no flow between them (BPMN 2.0.2, 10.3.5 and 13.3.5).

    Every activity without incoming flow is offered at the start. With a completion condition, what people
    do is offered again when it is done, until the condition holds; what runs by itself runs once. Without a
    condition everything is done once.
    """

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile the completion condition."""
        super().__init__(spec, node, compiler)
        self.inner.ad_hoc = self
        self.completion = compiler.formula(node.adhoc_completion)
        self.cancel_remaining = node.adhoc_cancel_remaining
        self.sequential = node.adhoc_sequential
        """Only one activity at a time: a path that has begun sets the other offers aside until it ends."""

    def check(self, node: Node, compiler: Compiler) -> None:
        """Refuse a sequential one with activities that begin by themselves: several would run at once."""
        if not self.sequential:
            return
        for element in self.inner.starts:
            if not isinstance(element, UserTask) or element.loop is not None:
                compiler.refuse(
                    node,
                    f"{element.name!r} begins by itself and cannot stand in a sequential ad-hoc sub-process",
                    "put user or manual tasks at the beginning of its paths, or set ordering to Parallel",
                )

    def path_goes_on(self, case: "Case", scope: Scope, token: Token) -> None:
        """Set the other offers aside when a path of a sequential one goes on after its first activity."""
        if not self.sequential or token.element not in self.inner.starts:
            return
        others = [
            one for one in scope.tasks.values() if one is not token and one.element in self.inner.starts
        ]
        scope.memory["aside"] = [one.element.name for one in others]
        for one in others:
            case.withdraw(one)

    def _offer(self, case: "Case", scope: Scope, element: Element, sent: frozenset[str]) -> None:
        # The new token begins with what is known now; only what it changes itself counts later.
        case.put(scope, element, dict(scope.data), Frame(None, dict(scope.data)), sent=sent)

    def path_ended(self, case: "Case", scope: Scope, token: Token) -> None:
        """See whether it is enough; if not, offer again what was done."""
        aside = [] if _still_running(scope, token) else scope.memory.pop("aside", [])
        if self.completion is None:
            self._offer_again(case, scope, token, aside)
            return
        view = {**case.backdrop(scope), **scope.data}
        if self.completion.truth(view, case.services.functions):
            scope.memory["enough"] = True
            if self.cancel_remaining:
                case.withdraw_all(scope, keep=token)
            return
        origin = self._origin(token.element)
        if origin is not None and origin.repeats_in_ad_hoc and "enough" not in scope.memory:
            self._offer(case, scope, origin, token.sent)
        self._offer_again(case, scope, token, aside)

    def _offer_again(self, case: "Case", scope: Scope, token: Token, names: list[str]) -> None:
        for name in names:
            self._offer(case, scope, self.inner.task_specs[name], token.sent)

    def _origin(self, element: Element) -> Element | None:
        """Return the activity with which the path that ends at ``element`` began."""
        seen, pending = {element.name}, [element]
        while pending:
            one = pending.pop()
            if one in self.inner.starts:
                return one
            host = getattr(one, "host", None)
            before: list[Element] = [*one.inputs, *([] if host is None else [host])]
            pending.extend(other for other in before if other.name not in seen)
            seen.update(other.name for other in before)
        return None


def _still_running(scope: Scope, token: Token) -> bool:
    """Tell whether another token of the path is still under way."""
    return any(one is not token for one in scope.tasks.values())
