"""The compiled form of a process: scope specifications that hold element specifications."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.runtime.spiff import SpiffScopeSpec

if TYPE_CHECKING:
    from engine.runtime.compiling import Formula
    from engine.runtime.elements.base import Element
    from engine.runtime.elements.event_sub_process import EventSubProcess


@dataclass(frozen=True, slots=True)
class Way:
    """A sequence flow, compiled."""

    id: str
    target: "Element"
    condition: "Formula | None"


class ScopeSpec(SpiffScopeSpec):
    """A process or sub-process, compiled. Nothing in it changes once the program is made."""

    def __init__(self, name: str, outer: "ScopeSpec | None", *, is_event: bool = False) -> None:
        """Make an empty specification inside ``outer`` (None for a process)."""
        super().__init__(name)
        self.outer = outer
        self.is_event = is_event
        """True for the inside of an event sub-process."""
        self.starts: list[Element] = []
        """What gets a token when the scope is entered without an event."""
        self.event_subs: list[EventSubProcess] = []
        self.links: dict[str | None, Element] = {}
        """Link targets by name."""
        self.objects: tuple[str, ...] = ()
        """Names of the data objects of this scope."""
        self.layered = False
        """True where the data seen here are more than the token's: data objects, counters."""
        self.repeated = False
        """True for the inside of an activity that repeats."""
        self.ad_hoc: Any = None
        """The ad-hoc sub-process element this is the inside of."""

    @property
    def undo(self) -> "EventSubProcess | None":
        """The event sub-process that compensates this scope once it is completed; None where none does."""
        return next((sub for sub in self.event_subs if sub.compensates), None)

    def everything(self) -> frozenset[str]:
        """Return the ids of all elements here and further inside."""
        found: set[str] = set()
        pending = [self]
        while pending:
            spec = pending.pop()
            found.update(spec.task_specs)
            pending.extend(element.inner for element in spec.task_specs.values() if hasattr(element, "inner"))
        return frozenset(found)

    def element(self, element_id: str) -> "Element | None":
        """Return the element called ``element_id``."""
        found: Element | None = self.task_specs.get(element_id)
        return found


@dataclass(frozen=True, slots=True)
class StartPoint:
    """A way to begin a case: the start event, and what it waits for."""

    element_id: str
    kind: str
    """``none``, ``message``, ``signal``, ``timer``, ``conditional``."""
    event: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Program:
    """A process with everything it calls, ready to run. Immutable: threads may share it."""

    process_id: str
    root: ScopeSpec
    processes: Mapping[str, ScopeSpec]
    starts: tuple[StartPoint, ...]
    compensates: bool
    """Whether anything in it can ask for compensation; if not, no snapshots are kept."""
    answered: frozenset[str]
    """Element ids of sends that something refers to by dw:answers or dw:reminds."""
    correlation: Mapping[str, Mapping[str, Mapping[str, "Formula"]]] = field(default_factory=dict)
    """Correlation key, property, message name: the expression over the message's payload."""
