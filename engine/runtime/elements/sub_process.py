"""Embedded sub-processes and transactions."""

from typing import TYPE_CHECKING

from engine.definitions.model import Node
from engine.runtime import waiting
from engine.runtime.compiling import Compiler
from engine.runtime.data import patch_between
from engine.runtime.elements.activity import Activity
from engine.runtime.elements.base import case_of
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Scope, Token

if TYPE_CHECKING:
    from engine.runtime.case import Case


class SubProcess(Activity):
    """An activity with a scope of its own inside (BPMN 2.0.2, 10.3.5)."""

    repeats_in_ad_hoc = True

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile the activity; the inside follows when the scopes are built."""
        super().__init__(spec, node, compiler)
        self.inner: ScopeSpec = ScopeSpec(node.id, spec)
        if node.loop is not None:
            self.inner.repeated = True

    def inside_spec(self, case: "Case") -> ScopeSpec:
        """Return the sub-process's scope."""
        return self.inner

    def perform(self, token: Token) -> None:
        """Open the scope and put tokens at its starts."""
        case = case_of(token)
        scope = case.open_scope(self.inner, token, {**token.data, **token.local}, token.frame)
        case.enter(scope)

    def scope_ended(self, token: Token, scope: Scope) -> None:
        """Take over what changed inside and go on."""
        case = case_of(token)
        self.keep_inside(token, scope)
        if token.sent:
            # A moved token passes sends in silence once; the inside is behind it now.
            inside = self.inner.everything()
            token.sent = frozenset(key for key in token.sent if key.split("#")[0] not in inside)
        patch = patch_between(scope.frame.data, scope.data)
        waiting.resume(case, token, patch.values, patch.removed)

    def cancelled(self, case: "Case", scope: Scope) -> None:
        """Leave by the cancel boundary event; the scope has been compensated."""
        raise NotImplementedError
