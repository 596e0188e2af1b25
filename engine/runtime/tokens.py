"""Tokens, the scopes they stand in, and what they wait for."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from engine.runtime.api import ItemKind, Json
from engine.runtime.data import Data, Frame, common, patch_between, root_of
from engine.runtime.spiff import SpiffScope, SpiffToken, TaskState

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.compensation import Plan
    from engine.runtime.elements.base import Element
    from engine.runtime.specs import ScopeSpec

_NOTHING_SENT: frozenset[str] = frozenset()


class Token(SpiffToken):
    """A token at an element: a SpiffWorkflow task whose id is a number of the case.

    An activity that repeats (loop, multi-instance) has a *holder* token; its instances are the holder's
    children. ``memory`` holds what an element must remember between two advances, as JSON.
    """

    def __init__(
        self,
        scope: "Scope",
        element: "Element",
        number: int,
        data: Data,
        frame: Frame,
        *,
        flow: str | None = None,
        holder: "Token | None" = None,
        index: int | None = None,
        sent: frozenset[str] = _NOTHING_SENT,
        state: int = TaskState.READY,
    ) -> None:
        """Put a token with ``data`` (its own dict) before ``element``."""
        super().__init__(scope, element, holder, state=state, id=number)
        self.data = data
        self.frame = frame
        self.flow = flow
        self.index = index
        self.sent = sent
        self.local: Data = {}
        self.memory: dict[str, Json] = {}
        self.waits: list[Wait] = []
        self.child: Scope | None = None
        self.records: list[Record] | None = None
        self.inside: Inside | None = None
        self.changed: dict[str, Json] | None = None
        self.deleted: tuple[str, ...] = ()
        self.item: int | None = None
        self.origin: str | None = None
        """In an ad-hoc sub-process: the activity with which the token's path began."""

    @property
    def scope(self) -> "Scope":
        """The scope the token stands in."""
        scope: Scope = self.workflow
        return scope

    @property
    def element(self) -> "Element":
        """The element the token stands at."""
        element: Element = self.task_spec
        return element

    @property
    def holder(self) -> "Token | None":
        """The token of the repeating activity that this one is an instance of."""
        if self._parent is None:
            return None
        holder: Token = self.workflow.tasks[self._parent]
        return holder

    @property
    def instance(self) -> str:
        """The loop or multi-instance index path, outermost first."""
        outer = self.scope.instance
        if self.index is None:
            return outer
        return f"{outer}/{self.index}" if outer else str(self.index)


@dataclass(slots=True)
class Wait:
    """One open item: what a token, a host's boundary event or a scope's event sub-process waits for."""

    number: int
    kind: ItemKind
    element: "Element"
    scope: "Scope"
    token: Token | None
    """The waiting token; a boundary event's host; None for the start of an event sub-process."""
    trigger: int = 0
    """Index of the event definition."""
    event: str | None = None
    due: datetime | None = None
    revision: int = 0
    expression: str | None = None
    cycle: dict[str, Json] | None = None
    correlation: dict[str, Json] = field(default_factory=dict)
    answers: str | None = None
    error: str | None = None
    true: bool = False
    """Conditional event: whether the condition was true when last looked at."""
    source: Json = None
    """Timer: what its value came from; known only in the advance that opens it."""


@dataclass(frozen=True, slots=True)
class Inside:
    """The data inside a sub-process or called process when it was completed: the snapshot of 13.5.5."""

    data: Data
    objects: Data


@dataclass(slots=True)
class Record:
    """A completed activity that can be compensated, with its data at that moment."""

    element: str
    index: int | None
    data: Data
    frame: Frame
    inner: "list[Record] | None" = None
    """The records of a completed sub-process or called process."""
    inside: Inside | None = None


class ScopeMixin:
    """What the outermost scope and inner scopes have in common."""

    spec: "ScopeSpec"
    tasks: dict[int, Token]

    def begin(self, case: "Case", owner: Token | None, data: Data, up: Frame | None) -> None:
        """Set up the scope with the data it begins with."""
        self.case = case
        self.owner = owner
        self.frame = Frame(up, data)
        self.data: Data = dict(data)
        self.objects: Data = {}
        self.records: list[Record] = []
        self.plans: dict[int, Plan] = {}
        self.waits: list[Wait] = []
        self.memory: dict[str, Json] = {}
        self.arrivals: dict[str, list[Token]] = {}
        self.sent: dict[str, dict[str, str]] = {}
        self.path: tuple[str, ...] = ()
        self.instance: str = ""
        if owner is not None:
            label = owner.element.name if owner.index is None else f"{owner.element.name}[{owner.index}]"
            self.path = (*owner.scope.path, label)
            self.instance = owner.instance

    @property
    def outer(self) -> "Scope | None":
        """The scope around this one; None for the outermost."""
        return None if self.owner is None else self.owner.scope

    def absorb(self, data: Data, since: Frame) -> None:
        """Take over what a token that ends here has changed."""
        patch = patch_between(self.base_of(since).data, data)
        if patch:
            patch.apply(self.data)

    def base_of(self, frame: Frame) -> Frame:
        """Return the data from which a token with ``frame`` began here: the scope's, or its own."""
        return common((frame, self.frame)) or root_of(frame)


class InnerScope(ScopeMixin, SpiffScope):
    """The inside of a sub-process, an event sub-process or a called process."""

    def __init__(self, case: "Case", spec: "ScopeSpec", owner: Token, data: Data, up: Frame | None) -> None:
        """Open the scope that ``owner`` stands for."""
        super().__init__(spec, owner.id, case, owner.scope.depth + 1)
        self.begin(case, owner, data, up)


Scope = Any
"""A ``Case`` or an ``InnerScope``; SpiffWorkflow's classes are untyped, so this stays open."""
