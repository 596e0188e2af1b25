"""Ad-hoc sub-processes: what may be done, in any order, until a condition says that it is enough."""

from typing import TYPE_CHECKING

from engine.definitions.model import Node
from engine.runtime.compiling import Compiler
from engine.runtime.data import Frame, common, patch_between
from engine.runtime.elements.activity import Activity
from engine.runtime.elements.base import Element
from engine.runtime.elements.event_based_gateway import EventBasedGateway
from engine.runtime.elements.sub_process import SubProcess
from engine.runtime.elements.user_task import UserTask
from engine.runtime.specs import ScopeSpec
from engine.runtime.spiff import TaskState
from engine.runtime.tokens import Scope, Token

if TYPE_CHECKING:
    from engine.runtime.case import Case


class AdHocSubProcess(SubProcess):
    """A sub-process whose activities need no flow between them (BPMN 2.0.2, 10.3.5 and 13.3.5).

    Every activity without incoming flow is offered at the start. With a completion condition, what people
    do is offered again when it is done, until the condition holds; what runs by itself runs once. Without a
    condition everything is done once. The condition is looked at whenever an activity has been completed,
    in the middle of a path too; once it holds nothing further is begun.
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

    def stops(self, case: "Case", scope: Scope, token: Token) -> bool:
        """Tell whether the path of ``token`` ends here because it is enough (BPMN 2.0.2, 13.3.5)."""
        if self.completion is None or isinstance(token.element, EventBasedGateway):
            # The event behind the gateway has happened already; the path ends behind it.
            return False
        if "enough" in scope.memory:
            return True
        if not isinstance(token.element, Activity):
            return False
        changed = patch_between(scope.base_of(token.frame).data, token.data)
        view = {**case.backdrop(scope), **scope.data}
        changed.apply(view)
        return self.completion.truth(view, case.services.functions)

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

    def _offer(self, case: "Case", scope: Scope, name: str, sent: frozenset[str]) -> None:
        # The new token begins with what is known now; only what it changes itself counts later.
        frame = Frame(None, dict(scope.data))
        case.put(scope, self.inner.task_specs[name], dict(scope.data), frame, sent=sent, origin=name)

    def path_ended(self, case: "Case", scope: Scope, token: Token) -> None:
        """See whether it is enough; if not, offer again what was done, once its whole path has ended."""
        if self.completion is not None:
            view = {**case.backdrop(scope), **scope.data}
            if self.completion.truth(view, case.services.functions):
                scope.memory["enough"] = True
                if self.cancel_remaining:
                    case.withdraw_all(scope, keep=token)
                else:
                    self._end_unbegun(case, scope, token)
        origin = self._origin(token)
        if origin is None or "enough" in scope.memory or self._goes_on(scope, token, origin):
            return
        again = self.completion is not None and self.inner.task_specs[origin].repeats_in_ad_hoc
        for name in [*([origin] if again else []), *scope.memory.pop("aside", [])]:
            self._offer(case, scope, name, token.sent)

    def _end_unbegun(self, case: "Case", scope: Scope, token: Token) -> None:
        """End what waits at a join, for nothing comes there any more, and what has not begun behind a flow.

        They were done before ``token``, so what it has changed since they parted wins.
        """
        at_joins = [one for waiting in scope.arrivals.values() for one in waiting]
        on_the_way = [one for one in scope.tasks.values() if one is not token and _has_not_begun(one)]
        for one in [*at_joins, *on_the_way]:
            shared = common((one.frame, token.frame))
            for ended in (one, token):
                base = shared or scope.base_of(ended.frame)
                patch_between(base.data, ended.data).apply(scope.data)
            case.withdraw(one)

    def _goes_on(self, scope: Scope, token: Token, origin: str) -> bool:
        """Tell whether another token of the path that began at ``origin`` is still under way."""
        return any(
            one is not token and one._parent is None and self._origin(one) == origin
            for one in scope.tasks.values()
        )

    def _origin(self, token: Token) -> str | None:
        """Return the activity with which the token's path began; None for what an event began."""
        if token.origin is not None:
            return token.origin
        # A case that was stored before tokens knew it: look back along the flows.
        seen, pending = {token.element.name}, [token.element]
        while pending:
            one = pending.pop()
            if one in self.inner.starts:
                return str(one.name)
            host = getattr(one, "host", None)
            before: list[Element] = [*one.inputs, *([] if host is None else [host])]
            pending.extend(other for other in before if other.name not in seen)
            seen.update(other.name for other in before)
        return None


def _has_not_begun(token: Token) -> bool:
    """Tell whether the token came along a flow and still stands before its element."""
    return token._state == TaskState.READY and token.flow is not None and not token.memory
