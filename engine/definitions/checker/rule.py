"""What a rule is, and what it looks at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from engine.definitions.checker.findings import Category, Severity
from engine.definitions.checker.tokens import Play
from engine.definitions.model import Model, Node, Process, Scope, walk

if TYPE_CHECKING:
    from engine.definitions.package import ProcedurePackage

ENGINE_FUNCTIONS = frozenset(
    {"deadline", "deadline_date", "workdays", "workdays_date", "now", "today"}
    | {"route_advance", "route_skip", "route_next"}
)
"""Functions that the engine supplies to every model; the same as ``engine.runtime.FUNCTIONS``."""


@dataclass(frozen=True, slots=True)
class CheckContext:
    """What the one who asks knows of the installation; None means: not known, do not complain."""

    message_types: frozenset[str] | None = None
    """Keys of the deployed message types."""
    forms: frozenset[str] | None = None
    decisions: frozenset[str] | None = None
    processes: frozenset[str] | None = None
    """Ids of processes that a call activity may call, besides those of the file itself."""
    executable: frozenset[str] = frozenset()
    """Ids of processes that shall run although the file does not say so, e.g. named by the package."""
    workers: frozenset[str] | None = None
    """Kinds of outside work, Java class names or element ids for which the installation has a worker."""
    functions: frozenset[str] = ENGINE_FUNCTIONS
    """Names of functions that expressions may call besides the built-in ones."""
    form_classes: frozenset[str] | None = None
    """Form classes that at least one channel of the installation can meet."""

    @classmethod
    def for_package(cls, package: "ProcedurePackage") -> Self:
        """Return what a package tells without reading its models; ``check_package`` tells the rest."""
        return cls(
            message_types=frozenset(package.message_types),
            forms=frozenset(package.forms),
            executable=frozenset(role.process for role in package.roles.values()),
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """What one rule found at one place."""

    line: int
    element: str | None
    name: str | None
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Place:
    """A node with the scope and process around it."""

    process: Process
    scope: Scope
    node: Node
    owner: Node | None
    """The sub-process whose scope it is; None directly in the process."""

    def fault(self, message: str, hint: str, line: int | None = None) -> Fault:
        """Return a fault at this node, or at ``line`` inside it."""
        return Fault(line or self.node.line, self.node.id, self.node.name, message, hint)


@dataclass(slots=True)
class Subject:
    """The model under check with its nodes listed once."""

    model: Model
    context: CheckContext
    processes: tuple[Process, ...] = ()
    places: tuple[Place, ...] = ()
    by_id: dict[str, Place] = field(default_factory=dict)
    plays: dict[int, Play] = field(default_factory=dict)
    """What ``rules_tokens`` has worked out, by the identity of the scope."""

    @classmethod
    def of(cls, model: Model, context: CheckContext) -> "Subject":
        """Judge the executable processes; where there are none, what has been drawn so far."""
        model = replace(
            model,
            processes=tuple(
                replace(process, executable=True) if process.id in context.executable else process
                for process in model.processes
            ),
        )
        executable = tuple(process for process in model.processes if process.executable)
        drawn = tuple(process for process in model.processes if process.scope.nodes)
        processes = executable or drawn or model.processes
        places: list[Place] = []
        for process in processes:
            owners: dict[str, Node] = {}
            for scope, node in walk(process.scope):
                if node.scope is not None:
                    owners[node.scope.id] = node
                places.append(Place(process, scope, node, owners.get(scope.id)))
        return cls(
            model=model,
            context=context,
            processes=processes,
            places=tuple(places),
            by_id={place.node.id: place for place in places},
        )

    def scopes(self) -> Iterator[tuple[Process, Scope, Node | None]]:
        """Yield every scope with its sub-process node (None for the process itself)."""
        for process in self.processes:
            yield process, process.scope, None
        for place in self.places:
            if place.node.scope is not None:
                yield place.process, place.node.scope, place.node


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a stable id, what it is about, and the function that looks."""

    id: str
    title: str
    severity: Severity
    category: Category
    look: Callable[[Subject], Iterator[Fault]]


def error(rule_id: str, title: str, category: Category, look: Callable[[Subject], Iterator[Fault]]) -> Rule:
    """Return a rule that refuses."""
    return Rule(rule_id, title, Severity.ERROR, category, look)


def warning(rule_id: str, title: str, category: Category, look: Callable[[Subject], Iterator[Fault]]) -> Rule:
    """Return a rule that only warns."""
    return Rule(rule_id, title, Severity.WARNING, category, look)


def note(rule_id: str, title: str, category: Category, look: Callable[[Subject], Iterator[Fault]]) -> Rule:
    """Return a rule that tells what could not be judged."""
    return Rule(rule_id, title, Severity.NOTE, category, look)
