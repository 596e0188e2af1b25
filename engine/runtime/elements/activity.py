"""What all activities share: local inputs, boundary events, repetition, compensation, completion."""

from typing import TYPE_CHECKING

from engine.definitions.model import EventKind, Node, Scope
from engine.runtime import compensation, repeating, waiting
from engine.runtime.api import ItemKind, Json, StepKind
from engine.runtime.compiling import Compiler
from engine.runtime.data import Patch, patch_between
from engine.runtime.elements.base import Element, assigned, case_of
from engine.runtime.specs import ScopeSpec
from engine.runtime.tokens import Inside, Record, Token, Wait
from engine.runtime.tokens import Scope as RunningScope

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.elements.boundary_event import BoundaryEvent


class Activity(Element):
    """A task, sub-process or call activity; subclasses say what it does in ``perform``."""

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile loop and mappings; boundary events add themselves."""
        super().__init__(spec, node, compiler)
        self.boundaries: list[BoundaryEvent] = []
        self.armed: list[BoundaryEvent] = []
        """The boundary events that open an item."""
        self.handler: str | None = None
        """The compensation handler's element id."""
        self.is_handler = node.for_compensation
        self.loop = None if node.loop is None else repeating.compile_loop(node, compiler)

    def link(self, node: Node, scope: Scope, compiler: Compiler) -> None:
        """Connect flows; an ad-hoc activity has none and is offered again."""
        super().link(node, scope, compiler)
        self.armed = [
            boundary
            for boundary in self.boundaries
            if any(trigger.kind in _WITH_ITEM for trigger in boundary.triggers)
        ]

    # --- running -----------------------------------------------------------------------------------------

    def _run_hook(self, token: Token) -> bool | None:
        """Begin, or go on with what came in; True when the activity is done."""
        memory = token.memory
        if "result" in memory and "reopened" in memory:
            self.undone(token, memory.pop("result"), tuple(memory.get("removed", ())))
            return True
        if "result" in memory and self.loop is not None and token._parent is None:
            return True
        if "result" in memory:
            self.receive(token, memory["result"], tuple(memory.get("removed", ())))
            del memory["result"]
            return True
        if self.loop is not None and token._parent is None:
            return repeating.begin(self, token)
        if "armed" in memory or not self.armed or token._parent is not None:
            return self._begin(token)
        return self.with_boundaries(token, self._begin)

    def with_boundaries(self, token: Token, begin: "repeating.Begin") -> bool | None:
        """Begin, and arm the boundary events if the activity is not done at once."""
        case = case_of(token)
        view = case.view(token)
        waits = [
            wait
            for boundary in self.armed
            for wait in waiting.prepare(case, boundary, token.scope, token, view)
        ]
        done = begin(token)
        if done:
            return done
        token.memory["armed"] = True
        waiting.register(case, waits)
        waiting.fire_true(case, waits)
        return None

    def _begin(self, token: Token) -> bool | None:
        if self.takes:
            case = case_of(token)
            view = case.view(token)
            token.local = assigned(self.takes, view, {}, case)
        return self.perform(token)

    def perform(self, token: Token) -> bool | None:
        """Do the activity; True when it is done, None when it waits."""
        raise NotImplementedError

    def wait_as(self, token: Token, kind: ItemKind) -> None:
        """Open the activity's item and note that it was entered."""
        case = case_of(token)
        wait = waiting.open_plain(case, token, kind)
        case.out.step(StepKind.ENTERED, token, wait.number)

    def fired(self, case: "Case", wait: Wait, payload: dict[str, Json]) -> None:
        """Go on with what the activity waited for."""
        waiting.resume(case, token_of(wait), payload)

    # --- scopes ------------------------------------------------------------------------------------------

    def inside_spec(self, case: "Case") -> ScopeSpec | None:
        """Return what runs inside the activity; None where nothing does."""
        return None

    def scope_ended(self, token: Token, scope: RunningScope) -> None:
        """Go on after the scope inside has run empty."""
        raise NotImplementedError

    def keep_inside(self, token: Token, scope: RunningScope) -> None:
        """Keep what can be compensated inside, with the data there, until the scope around ends."""
        if not case_of(token).program.compensates or self.handler is not None or "reopened" in token.memory:
            return
        if scope.records or scope.spec.undo is not None:
            token.records = scope.records
            token.inside = Inside(scope.data, scope.objects)

    def undone(self, token: Token, changes: dict[str, Json], removed: tuple[str, ...]) -> None:
        """Take over what compensation inside has changed; names of inputs and instances stay inside."""
        own = {mapping.target for mapping in self.takes}
        if self.loop is not None:
            own.update((repeating.COUNTER, self.loop.item or ""))
        case_of(token).write(token, Patch(changes, removed).without(own))

    def outward(self, token: Token, scope: RunningScope, patch: Patch) -> Patch:
        """Return what an error or escalation from inside brings along to the scope around."""
        outer = patch_between(token.scope.frame.data, token.data)
        merged = Patch({**outer.values, **patch.values}, (*outer.removed, *patch.removed))
        return merged.without(repeating.local_names(self, token))

    # --- leaving -----------------------------------------------------------------------------------------

    def leave(self, token: Token) -> None:
        """Note the completion and send the token on, or tell who waits for it."""
        case = case_of(token)
        if token._parent is not None:
            repeating.instance_ended(self, token)
            return
        compensates = token.memory.get("compensates")
        ways = () if compensates is not None else self.choose(token)
        if self.loop is not None:
            self.keep_instances(token)
        elif "reopened" not in token.memory and "completed" not in token.memory:
            # Where the way out fails and is tried again, the activity was still completed only once.
            token.memory["completed"] = True
            case.out.step(StepKind.COMPLETED, token, token.item)
            self.keep(case, token)
        if compensates is not None:
            compensation.handled(case, token)
        else:
            case.move(token, ways)

    def keep(self, case: "Case", token: Token, holder: Token | None = None) -> None:
        """Remember the completed activity for compensation, where anything could ask for it.

        The instances of a multi-instance wait with their holder: only a completed activity is compensated.
        """
        if not case.program.compensates or self.is_handler:
            return
        if self.handler is None and token.records is None:
            return
        record = Record(self.name, token.index, token.data, token.frame, token.records, token.inside)
        if holder is None:
            token.scope.records.append(record)
        else:
            holder.records = [*(holder.records or ()), record]

    def keep_instances(self, token: Token) -> None:
        """Move the records of the instances to the scope: the activity as a whole is complete."""
        if token.records is not None:
            token.scope.records.extend(token.records)
            token.records = None

    def counters(self, token: Token) -> dict[str, Json]:
        """Return the counters of the repetition that ``token`` is an instance of."""
        return repeating.counters(token)


_WITH_ITEM = (EventKind.MESSAGE, EventKind.TIMER, EventKind.SIGNAL, EventKind.CONDITIONAL)


def token_of(wait: Wait) -> Token:
    """Return the token of a wait that has one."""
    if wait.token is None:
        raise AssertionError("only the start of an event sub-process has no token")
    return wait.token
