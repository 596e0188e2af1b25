"""What every element has in common: how it is compiled, and how a token leaves it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.definitions.model import EventDefinition, EventKind, Node, Scope, TimerKind
from engine.runtime.api import Json, StepKind
from engine.runtime.compiling import Assignment, Compiler, Formula
from engine.runtime.data import Patch
from engine.runtime.errors import BranchFailure
from engine.runtime.specs import ScopeSpec, Way
from engine.runtime.spiff import SpiffElement

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.tokens import Token, Wait


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event definition, compiled."""

    kind: EventKind
    index: int
    name: str | None
    code: str | None
    timer: TimerKind | None
    formula: Formula | None
    activity: str | None
    waits: bool
    """Compensation: whether the thrower waits for the handlers."""
    code_variable: str | None
    message_variable: str | None


class Element(SpiffElement):
    """A flow node: a SpiffWorkflow task specification that tells what a token does there."""

    is_boundary = False
    repeats_in_ad_hoc = False
    """True where an ad-hoc sub-process offers the element again after it was done."""

    def __init__(self, spec: ScopeSpec, node: Node, compiler: Compiler) -> None:
        """Compile ``node`` into ``spec``; sequence flows follow in ``link``."""
        super().__init__(spec, node.id)
        self.bpmn_id = node.id
        self.bpmn_name = node.name
        self.label: str | None = node.name
        self.spec = spec
        self.attributes: Mapping[str, str] = node.attributes
        self.flows_in: tuple[str, ...] = node.incoming
        self.ways: tuple[Way, ...] = ()
        self.default: Way | None = None
        self.plain = True
        """True where all outgoing flows are taken without a look at conditions."""
        self.takes = compiler.mappings(node.inputs)
        self.gives = compiler.mappings(node.outputs)
        self.triggers = tuple(
            _trigger(node, definition, index, compiler) for index, definition in enumerate(node.events)
        )

    def link(self, node: Node, scope: Scope, compiler: Compiler) -> None:
        """Connect the outgoing flows, in document order; all elements of the scope exist by now."""
        ways = []
        for flow_id in node.outgoing:
            flow = scope.flows[flow_id]
            target = self.spec.element(flow.target)
            if target is None:
                compiler.refuse(node, f"flow {flow_id} leads to {flow.target!r}, which is not in this scope")
            self.connect(target)
            way = Way(flow_id, target, compiler.formula(flow.condition))
            if flow_id == node.default:
                self.default = way
            else:
                ways.append(way)
        self.ways = tuple(ways)
        self.plain = self.default is None and all(way.condition is None for way in ways)

    # --- leaving ---------------------------------------------------------------------------------------

    def choose(self, token: "Token") -> tuple[Way, ...] | list[Way]:
        """Return the flows that ``token`` leaves by: all unconditional ones and all whose condition holds.

        BPMN 2.0.2, 13.3.2 (implicit split, conditional and default flows of activities).
        """
        if self.plain:
            return self.ways
        return self.open_ways(token)

    def open_ways(self, token: "Token") -> list[Way]:
        """Return the flows that are open for ``token``; raise BranchFailure where none is."""
        case = case_of(token)
        view, functions = case.view(token), case.services.functions
        chosen = [way for way in self.ways if way.condition is None or way.condition.truth(view, functions)]
        if chosen:
            return chosen
        if self.default is not None:
            return [self.default]
        raise BranchFailure(
            f"no condition of the flows that leave {self.name!r} is true, and no flow is default"
        )

    def leave(self, token: "Token") -> None:
        """Note the completion and send the token on."""
        ways = self.choose(token)
        case = case_of(token)
        case.out.step(StepKind.COMPLETED, token, token.item)
        case.move(token, ways)

    # --- data ------------------------------------------------------------------------------------------

    def receive(self, token: "Token", payload: Mapping[str, Json], removed: tuple[str, ...] = ()) -> None:
        """Write what came in to the token: all of it, or what the element's outputs say."""
        case = case_of(token)
        patch = Patch(dict(payload), removed)
        if token.local:
            patch = patch.without(token.local)
        if self.gives:
            patch = Patch({**patch.values, **self.given(token, payload)}, patch.removed)
        token.local = {}
        case.write(token, patch)

    def given(self, token: "Token", payload: Mapping[str, Json]) -> dict[str, Json]:
        """Return what the element's output mappings give."""
        case = case_of(token)
        return assigned(self.gives, {**case.view(token), **payload}, payload, case)

    def counters(self, token: "Token") -> dict[str, Json]:
        """Return the counters of the repeating activity that ``token`` is an instance of."""
        return {}

    # --- events ----------------------------------------------------------------------------------------

    def fired(self, case: "Case", wait: "Wait", payload: dict[str, Json]) -> None:
        """Go on after something that a token here waited for."""
        raise NotImplementedError


def case_of(token: "Token") -> "Case":
    """Return the case in which ``token`` stands."""
    case: Case = token.workflow.top_workflow
    return case


def assigned(
    mappings: tuple[Assignment, ...], view: Mapping[str, Json], everything: Mapping[str, Json], case: "Case"
) -> dict[str, Json]:
    """Evaluate ``mappings`` over ``view``; a mapping of all takes ``everything``."""
    result: dict[str, Json] = {}
    for mapping in mappings:
        if mapping.every:
            result.update(everything)
        elif mapping.source is not None:
            result[mapping.target] = mapping.source.value(view, case.services.functions)
    return result


def _trigger(node: Node, definition: EventDefinition, index: int, compiler: Compiler) -> Trigger:
    name = definition.name
    if definition.kind is EventKind.MESSAGE:
        name = name or node.attributes.get("message")
    named = definition.kind in (EventKind.MESSAGE, EventKind.SIGNAL) and "recipient" not in node.attributes
    if named and name is None:
        compiler.refuse(node, f"its {definition.kind.value} has no name", "refer to one that has a name")
    formula = None
    if definition.expression is not None:
        if definition.timer is not None:
            formula = compiler.timer(definition.expression, definition.timer)
        else:
            formula = compiler.formula(definition.expression)
    return Trigger(
        definition.kind,
        index,
        name,
        definition.code,
        definition.timer,
        formula,
        definition.activity,
        definition.wait_for_completion,
        definition.code_variable,
        definition.message_variable,
    )
