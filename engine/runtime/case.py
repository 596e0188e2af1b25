"""One case in motion: its tokens, scopes, open items, and the loop that moves what can move."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from engine.runtime import compensation, joins, waiting
from engine.runtime.api import Json, StepKind, ThrownSignal
from engine.runtime.data import Data, Frame, Patch, patch_between
from engine.runtime.elements.base import Element
from engine.runtime.errors import BranchFailure
from engine.runtime.outcome import Outcome
from engine.runtime.services import Services
from engine.runtime.specs import Program, ScopeSpec, Way
from engine.runtime.spiff import SpiffCase, TaskState
from engine.runtime.tokens import InnerScope, Scope, ScopeMixin, Token, Wait

_DEEPEST = 100
ENDLESS = "the branch went on without a pause for {limit} steps; it may be an endless loop"


class Case(ScopeMixin, SpiffCase):
    """A running case; at the same time its outermost scope."""

    def __init__(self, program: Program, services: Services, prefix: str) -> None:
        """Make a case of ``program`` without tokens; ``prefix`` begins its items' ids."""
        SpiffCase.__init__(self, program.root)
        self.program = program
        self.services = services
        self.prefix = prefix
        self.number = 0
        self.tokens: dict[int, Token] = {}
        self.open_waits: dict[int, Wait] = {}
        self.conditions: dict[int, Wait] = {}
        self.unanswered: dict[int, Wait] = {}
        """Waits for the answer to something that is not sent yet."""
        self.queue: deque[Token] = deque()
        self.emptied: list[Scope] = []
        self.dirty: list[tuple[Scope, Patch]] = []
        self.rounds: dict[str, int] = {}
        self.correlation: dict[str, dict[str, Json]] = {}
        self.out = Outcome(self)
        self.over = False
        self.budget = services.step_limit

    # --- numbers, tokens, scopes ---------------------------------------------------------------------

    def next_number(self) -> int:
        """Return a number that this case has not used before."""
        self.number += 1
        return self.number

    def item_id(self, number: int) -> str:
        """Return the id of the open item with ``number``."""
        return f"{self.prefix}{number:08x}"

    def get_task_from_id(self, task_id: int) -> Token:
        """Return the token with that number, in whatever scope it stands."""
        return self.tokens[task_id]

    def put(
        self,
        scope: Scope,
        element: Element,
        data: Data,
        frame: Frame,
        *,
        flow: str | None = None,
        holder: Token | None = None,
        index: int | None = None,
        sent: frozenset[str] = frozenset(),
        origin: str | None = None,
    ) -> Token:
        """Put a token before ``element`` and queue it to run."""
        token = Token(
            scope,
            element,
            self.next_number(),
            data,
            frame,
            flow=flow,
            holder=holder,
            index=index,
            sent=sent,
        )
        token.origin = origin
        self.tokens[token.id] = token
        self.queue.append(token)
        return token

    def open_scope(self, spec: ScopeSpec, owner: Token, data: Data, up: Frame | None) -> InnerScope:
        """Open the scope inside ``owner``; nothing moves in it yet."""
        if owner.scope.depth >= _DEEPEST:
            raise BranchFailure(f"processes and sub-processes stand more than {_DEEPEST} deep in each other")
        scope = InnerScope(self, spec, owner, data, up)
        owner.child = scope
        self.subprocesses[owner.id] = scope
        self.claim_objects(scope)
        return scope

    def claim_objects(self, scope: Scope) -> None:
        """Give the scope its data objects, with the values that came in under their names."""
        for name in scope.spec.objects:
            scope.objects[name] = scope.data.pop(name, None)
            scope.frame.data.pop(name, None)

    def enter(self, scope: Scope) -> None:
        """Arm the scope's event sub-processes and put tokens at its starts; raise BranchFailure."""
        try:
            waits = waiting.prepare_event_subs(self, scope)
        except BranchFailure:
            scope.completed = True
            if scope.owner is not None:
                scope.owner.child = None
                del self.subprocesses[scope.owner.id]
            raise
        waiting.register(self, waits)
        sent = scope.owner.sent if scope.owner is not None else frozenset()
        for element in scope.spec.starts:
            origin = None if scope.spec.ad_hoc is None else element.name
            self.put(scope, element, dict(scope.data), scope.frame, sent=sent, origin=origin)
        waiting.fire_true(self, waits)
        if not scope.tasks:
            self.emptied.append(scope)

    # --- data ----------------------------------------------------------------------------------------

    def view(self, token: Token) -> Mapping[str, Json]:
        """Return the data visible at ``token``: data objects, its own, counters and local inputs."""
        scope = token.scope
        if not scope.spec.layered and not token.local and token._parent is None:
            return token.data
        view = self.backdrop(scope)
        view.update(token.data)
        if token._parent is not None:
            view.update(token.element.counters(token))
        view.update(token.local)
        return view

    def backdrop(self, scope: Scope) -> Data:
        """Return data objects and counters visible in ``scope``, outer ones below inner ones."""
        chain: list[Scope] = []
        inner: Scope | None = scope
        while inner is not None:
            chain.append(inner)
            inner = inner.outer if inner.spec.outer is not None else None
        view: Data = {}
        for one in reversed(chain):
            view.update(one.objects)
            if one.spec.outer is not None and one.owner._parent is not None:
                view.update(one.owner.element.counters(one.owner))
        return view

    def scope_data(self, scope: Scope) -> Data:
        """Return the scope's data as they stand: what ended there and what open tokens changed."""
        tokens = [token for token in scope.tasks.values() if token._parent is None]
        if not tokens:
            return scope.data
        ended = patch_between(scope.frame.data, scope.data)
        if len(tokens) == 1 and not ended:
            return self.inside(tokens[0])
        result = dict(scope.data)
        for token in tokens:
            patch_between(scope.base_of(token.frame).data, self.inside(token)).apply(result)
        return result

    def inside(self, token: Token) -> Data:
        """Return the token's data with what changed inside the sub-process that it stands for."""
        child = token.child
        if child is None or child.spec.outer is None:
            return token.data
        patch = patch_between(child.frame.data, self.scope_data(child)).without(token.local)
        if not patch:
            return token.data
        result = dict(token.data)
        patch.apply(result)
        return result

    def write(self, token: Token, patch: Patch) -> None:
        """Change the token's data; names of data objects change the objects. Conditions look again."""
        if not patch:
            return
        shared = self._write_objects(token.scope, patch)
        own = patch.without(shared) if shared else patch
        if own:
            data = dict(token.data)
            own.apply(data)
            token.data = data
        changed = token.changed
        token.changed = dict(patch.values) if changed is None else {**changed, **patch.values}
        token.deleted = (*token.deleted, *patch.removed)
        if self.conditions:
            self.dirty.append((token.scope, patch))

    def _write_objects(self, scope: Scope, patch: Patch) -> set[str]:
        found: set[str] = set()
        if not scope.spec.layered:
            return found
        inner: Scope | None = scope
        while inner is not None:
            for name in inner.objects:
                if name in patch.values and name not in found:
                    inner.objects[name] = patch.values[name]
                    found.add(name)
            inner = inner.outer if inner.spec.outer is not None else None
        return found

    # --- moving --------------------------------------------------------------------------------------

    def run(self) -> None:
        """Move everything that can move; afterwards all tokens wait, have failed or are gone."""
        queue = self.queue
        while True:
            while queue:
                token = queue.popleft()
                if token._state != TaskState.READY:
                    continue
                if self.budget <= 0:
                    self.halt(token)
                    return
                self.budget -= 1
                self.step(token)
                self.tidy()
            self.tidy()
            if not queue and (self.budget <= 0 or not joins.fire_inclusive(self)):
                break
        joins.tell_stalls(self)

    def halt(self, token: Token) -> None:
        """Stop a case that does not come to rest: one item holds it, the other tokens are parked with it."""
        parked = [one for one in self.queue if one._state == TaskState.READY]
        self.queue.clear()
        for one in parked:
            one._set_state(TaskState.WAITING)
        self.fail(token, ENDLESS.format(limit=self.services.step_limit), "run")
        token.memory["parked"] = [one.id for one in parked]

    def unpark(self, token: Token) -> None:
        """Let the tokens go on that were parked with ``token``."""
        for number in token.memory.pop("parked", ()):
            one = self.tokens.get(number)
            if one is not None and one._state == TaskState.WAITING:
                one._set_state(TaskState.READY)
                self.queue.append(one)

    def step(self, token: Token) -> None:
        """Run one token; a failure holds this branch only."""
        try:
            token.run()
        except BranchFailure as failure:
            phase = "leave" if token._state == TaskState.COMPLETED else "run"
            self.fail(token, str(failure), phase)

    def finish(self, token: Token) -> None:
        """Complete a token that waited; a failure to leave holds this branch only."""
        try:
            token.complete()
        except BranchFailure as failure:
            self.fail(token, str(failure), "leave")

    def tidy(self) -> None:
        """Close scopes that have run empty and look at conditions whose data changed."""
        while self.emptied or self.dirty:
            while self.emptied:
                scope = self.emptied.pop()
                if not scope.tasks and not scope.completed:
                    self.close_scope(scope)
            if self.dirty:
                scope, patch = self.dirty.pop(0)
                waiting.look_again(self, scope, patch)

    def move(self, token: Token, ways: tuple[Way, ...] | list[Way]) -> None:
        """Send a token that leaves its element along ``ways``; along none, its path ends here."""
        scope = token.scope
        if ways and scope.spec.ad_hoc is not None and scope.spec.ad_hoc.stops(self, scope, token):
            ways = ()
        if not ways:
            scope.absorb(token.data, token.frame)
            if scope.spec.ad_hoc is not None:
                scope.spec.ad_hoc.path_ended(self, scope, token)
            return
        if scope.spec.ad_hoc is not None:
            scope.spec.ad_hoc.path_goes_on(self, scope, token)
        frame = token.frame if len(ways) == 1 else Frame(token.frame, token.data)
        for way in ways:
            self.out.flow(scope, way.id, token.instance)
            data = token.data if len(ways) == 1 else dict(token.data)
            self.put(scope, way.target, data, frame, flow=way.id, sent=token.sent, origin=token.origin)

    def task_left(self, token: Token) -> None:
        """Splice out a finished token; SpiffWorkflow calls this when a task completes."""
        if token.id in self.tokens:
            self.drop(token)

    def drop(self, token: Token) -> None:
        """Take a token out of the case."""
        scope = token.scope
        if "parked" in token.memory:
            self.unpark(token)
        waiting.close_all(self, token.waits)
        del scope.tasks[token.id]
        del self.tokens[token.id]
        if token._parent is not None:
            holder = scope.tasks.get(token._parent)
            if holder is not None:
                holder._children.remove(token.id)
        if not scope.tasks:
            self.emptied.append(scope)

    def close_scope(self, scope: Scope) -> None:
        """End a scope whose last token has left."""
        scope.completed = True
        waiting.close_all(self, scope.waits)
        if scope.owner is None:
            self.over = True
            return
        owner = scope.owner
        del self.subprocesses[owner.id]
        owner.child = None
        try:
            owner.element.scope_ended(owner, scope)
        except BranchFailure as failure:
            self.fail(owner, str(failure), "leave")

    # --- withdrawing and failing ---------------------------------------------------------------------

    def withdraw(self, token: Token) -> None:
        """Take away a token with all that stands inside it; nothing of it is compensated."""
        pending, found = [token], []
        while pending:
            one = pending.pop()
            busy = bool(one.waits or one._children or one.child is not None)
            found.append((one, busy))
            pending.extend(self.tokens[number] for number in one._children)
            if one.child is not None:
                one.child.completed = True
                waiting.close_all(self, one.child.waits)
                pending.extend(inner for inner in one.child.tasks.values() if inner._parent is None)
                del self.subprocesses[one.id]
                one.child = None
        for one, busy in reversed(found):
            if busy or one._state == TaskState.WAITING:
                self.out.step(StepKind.CANCELLED, one)
            one._set_state(TaskState.CANCELLED)
            joins.forget(one)
            if "compensates" in one.memory:
                compensation.withdrawn(self, one)
            self.drop(one)

    def withdraw_all(self, scope: Scope, *, keep: Token | None = None) -> None:
        """Take away every token of ``scope`` but ``keep``."""
        for token in [one for one in scope.tasks.values() if one._parent is None and one is not keep]:
            self.withdraw(token)

    def fail(self, token: Token, message: str, phase: str) -> None:
        """Hold ``token`` with a failed item; ``phase`` says where a retry begins."""
        token._set_state(TaskState.ERROR)
        token.memory["failed"] = phase
        if phase == "leave":
            # The element is done; only its way out is missing, so nothing can interrupt it any more.
            waiting.close_all(self, token.waits)
        else:
            waiting.close_own(self, token)
        waiting.open_failed(self, token, message)
        self.out.step(StepKind.FAILED, token)

    # --- things elements ask for ---------------------------------------------------------------------

    def throw_signal(self, name: str, payload: Data) -> None:
        """Send a signal to this case's own waits and note it for the other cases of the authority."""
        self.out.signals.append(ThrownSignal(name, payload))
        self.receive_signal(name, payload)

    def receive_signal(self, name: str, payload: Mapping[str, Any]) -> None:
        """Hand a signal to everything of the case that waits for it now."""
        from engine.runtime.api import ItemKind

        hits = [
            wait
            for number, wait in sorted(self.open_waits.items())
            if wait.kind is ItemKind.SIGNAL and wait.event == name
        ]
        for wait in hits:
            if wait.number in self.open_waits:
                waiting.fire(self, wait, dict(payload))
