"""Call activities: another process runs inside, with data of its own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.definitions.model import Node
from engine.runtime import waiting
from engine.runtime.api import Json
from engine.runtime.compiling import Compiler
from engine.runtime.data import Patch, clean, patch_between
from engine.runtime.elements.activity import Activity
from engine.runtime.elements.base import assigned, case_of
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Scope, Token

if TYPE_CHECKING:
    from engine.runtime.case import Case


class CallActivity(Activity):
    """An activity that runs a called process (BPMN 2.0.2, 10.3.6).

    Without an input mapping the called process gets all data, without an output mapping all its changes
    come back; with mappings only what they name.
    """

    repeats_in_ad_hoc = True

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Note the called process; it is compiled once, however often it is called."""
        super().__init__(spec, node, compiler)
        if not node.called_element or "${" in node.called_element:
            compiler.refuse(
                node, "it does not say which process it calls", "set calledElement to a process id"
            )
        self.called = node.called_element
        compiler.wanted.append((self.called, compiler.where(node.line, node.id)))

    def _begin(self, token: Token) -> None:
        """Open the called process; the inputs are its data, not local variables."""
        self.perform(token)

    def perform(self, token: Token) -> None:
        """Open the called process with what the input mappings give."""
        case = case_of(token)
        view = case.view(token)
        data = clean(assigned(self.takes, view, token.data, case)) if self.takes else dict(token.data)
        up = None if self.takes else token.frame
        scope = case.open_scope(case.program.processes[self.called], token, data, up)
        case.enter(scope)

    def inside_spec(self, case: "Case") -> ScopeSpec:
        """Return the called process."""
        return case.program.processes[self.called]

    def scope_ended(self, token: Token, scope: Scope) -> None:
        """Go on with everything that changed; with output mappings, with all that they may name."""
        case = case_of(token)
        self.keep_inside(token, scope)
        if self.gives:
            waiting.resume(case, token, {**scope.objects, **scope.data})
        else:
            patch = patch_between(scope.frame.data, scope.data)
            waiting.resume(case, token, patch.values, patch.removed)

    def receive(self, token: Token, payload: Mapping[str, Json], removed: tuple[str, ...] = ()) -> None:
        """Write what comes back: what the output mappings give, or everything that changed."""
        case = case_of(token)
        values = assigned(self.gives, payload, payload, case) if self.gives else dict(payload)
        case.write(token, Patch(values, removed))

    def undone(self, token: Token, changes: dict[str, Json], removed: tuple[str, ...]) -> None:
        """Take over what was changed by compensation; with mappings, what they show of it."""
        if self.gives and token.inside is not None:
            case = case_of(token)
            before = {**token.inside.objects, **token.inside.data}
            shown = assigned(self.gives, before, before, case)
            changes = patch_between(shown, assigned(self.gives, changes, changes, case)).values
        case_of(token).write(token, Patch(changes, removed))

    def outward(self, token: Token, scope: Scope, patch: Patch) -> Patch:
        """Return what an error or escalation brings back from the called process."""
        return super().outward(token, scope, self._back(token, scope, patch))

    def _back(self, token: Token, scope: Scope, patch: Patch) -> Patch:
        if not self.gives:
            return patch
        case = case_of(token)
        inside = {**scope.objects, **scope.data, **patch.values}
        return Patch(assigned(self.gives, inside, inside, case))
