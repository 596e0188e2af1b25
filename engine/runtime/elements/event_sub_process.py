"""Event sub-processes: begun by an event of the scope they stand in."""

from typing import TYPE_CHECKING

from engine.definitions.model import EventKind, Node, NodeKind
from engine.runtime import waiting
from engine.runtime.api import Json
from engine.runtime.compiling import Compiler
from engine.runtime.data import Data, Frame, Patch
from engine.runtime.elements.base import case_of
from engine.runtime.elements.sub_process import SubProcess
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Scope, Token

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.elements.start_event import StartEvent


class EventSubProcess(SubProcess):
    """A sub-process with triggeredByEvent (BPMN 2.0.2, 10.3.5 and 13.5.4)."""

    start: "StartEvent"

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Check the one start event; the inside follows when the scopes are built."""
        super().__init__(spec, node, compiler)
        self.inner.is_event = True
        starts = (
            []
            if node.scope is None
            else [inner for inner in node.scope.nodes.values() if inner.kind is NodeKind.START_EVENT]
        )
        if len(starts) != 1 or not starts[0].events:
            compiler.refuse(node, "an event sub-process needs exactly one start event, with an event")
        self.start_id = starts[0].id
        kinds = {event.kind for event in starts[0].events}
        self.compensates = EventKind.COMPENSATE in kinds
        self.interrupting = starts[0].interrupting or EventKind.ERROR in kinds

    def trigger(
        self, case: "Case", scope: Scope, patch: Patch, payload: dict[str, Json] | None = None
    ) -> None:
        """Begin in ``scope``; an interrupting one ends everything else there first."""
        data: Data = {**case.scope_data(scope)}
        patch.apply(data)
        frame = scope.frame if self.interrupting else Frame(None, dict(data))
        if self.interrupting:
            waiting.close_all(case, scope.waits)
            case.withdraw_all(scope)
        self.begin_in(case, scope, data, frame, payload)

    def begin_in(
        self, case: "Case", scope: Scope, data: Data, frame: Frame, payload: dict[str, Json] | None = None
    ) -> None:
        """Put a token for the event sub-process into ``scope``; it begins when its turn comes."""
        token = case.put(scope, self, data, frame)
        token.memory["event"] = payload or {}

    def perform(self, token: Token) -> None:
        """Open the scope and begin at its start event, with what the event brought."""
        case = case_of(token)
        scope = case.open_scope(self.inner, token, dict(token.data), token.frame)
        case.enter(scope)
        for begun in scope.tasks.values():
            if begun.element is self.start:
                begun.memory["fired"] = token.memory["event"]

    def keep_inside(self, token: Token, scope: Scope) -> None:
        """Keep what can be compensated inside; what compensated something is not compensated in turn."""
        if not self.compensates:
            super().keep_inside(token, scope)
