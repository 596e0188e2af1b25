"""What the engine knows of a BPMN file: plain, immutable data with the line each thing stands on.

``reader.read_model`` makes it, the checker judges it, ``runtime`` executes it. Everything that BPMN orders
(flows, event definitions, data associations) keeps document order; layout plays no part.
References (``messageRef`` and the like, QNames included) are already resolved to names and codes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from engine.definitions.troubles import Extension, Trouble


class NodeKind(StrEnum):
    """The flow nodes of BPMN 2.0.2, section 10; sub-process flavours are told apart by ``Node`` fields."""

    TASK = "task"
    USER_TASK = "userTask"
    MANUAL_TASK = "manualTask"
    SERVICE_TASK = "serviceTask"
    SEND_TASK = "sendTask"
    RECEIVE_TASK = "receiveTask"
    SCRIPT_TASK = "scriptTask"
    BUSINESS_RULE_TASK = "businessRuleTask"
    CALL_ACTIVITY = "callActivity"
    SUB_PROCESS = "subProcess"
    TRANSACTION = "transaction"
    AD_HOC_SUB_PROCESS = "adHocSubProcess"
    START_EVENT = "startEvent"
    END_EVENT = "endEvent"
    INTERMEDIATE_CATCH_EVENT = "intermediateCatchEvent"
    INTERMEDIATE_THROW_EVENT = "intermediateThrowEvent"
    BOUNDARY_EVENT = "boundaryEvent"
    EXCLUSIVE_GATEWAY = "exclusiveGateway"
    INCLUSIVE_GATEWAY = "inclusiveGateway"
    PARALLEL_GATEWAY = "parallelGateway"
    EVENT_BASED_GATEWAY = "eventBasedGateway"
    COMPLEX_GATEWAY = "complexGateway"

    @property
    def is_activity(self) -> bool:
        """True for tasks, call activities and sub-processes."""
        return self in _ACTIVITIES

    @property
    def is_event(self) -> bool:
        """True for start, intermediate, boundary and end events."""
        return self.value.endswith("Event")

    @property
    def is_gateway(self) -> bool:
        """True for the five kinds of gateway."""
        return self.value.endswith("Gateway")

    @property
    def has_scope(self) -> bool:
        """True for embedded sub-processes of every flavour."""
        return self in (NodeKind.SUB_PROCESS, NodeKind.TRANSACTION, NodeKind.AD_HOC_SUB_PROCESS)


class EventKind(StrEnum):
    """What triggers an event or what it throws."""

    MESSAGE = "message"
    TIMER = "timer"
    SIGNAL = "signal"
    ERROR = "error"
    ESCALATION = "escalation"
    CONDITIONAL = "conditional"
    LINK = "link"
    TERMINATE = "terminate"
    CANCEL = "cancel"
    COMPENSATE = "compensate"


class TimerKind(StrEnum):
    """The three ways BPMN writes a timer."""

    DATE = "timeDate"
    DURATION = "timeDuration"
    CYCLE = "timeCycle"


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression as it stands in the file; ``engine.expressions`` gives it meaning."""

    text: str
    line: int
    language: str | None = None


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """One event definition of an event, references resolved."""

    kind: EventKind
    line: int
    id: str | None = None
    name: str | None = None
    """Message, signal or link name; None where the file gives no reference."""
    code: str | None = None
    """Error or escalation code; None catches every code."""
    timer: TimerKind | None = None
    expression: Expression | None = None
    """Timer value, or condition of a conditional event."""
    activity: str | None = None
    """Compensation: id of the activity to compensate; None means the whole scope."""
    wait_for_completion: bool = True
    referred: bool = False
    """True where the file names a message, signal, error, escalation or activity, found or not."""
    code_variable: str | None = None
    """Caught error or escalation: the variable that takes its code."""
    message_variable: str | None = None
    """Caught error: the variable that takes its text."""


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow. ``id`` is made up from its position where the file has none."""

    id: str
    source: str
    target: str
    line: int
    name: str | None = None
    condition: Expression | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """Standard loop (``multi=False``) or multi-instance characteristics."""

    multi: bool
    line: int
    sequential: bool = False
    cardinality: Expression | None = None
    collection: Expression | None = None
    """The name (or expression) of the list; from loopDataInputRef or a vendor's ``collection``."""
    item: str | None = None
    """Name of the variable an instance reads its element from."""
    output_collection: str | None = None
    output_item: str | None = None
    completion_condition: Expression | None = None
    condition: Expression | None = None
    """Standard loop: goes on while true."""
    test_before: bool = False
    maximum: Expression | None = None
    behavior: str = "All"


@dataclass(frozen=True, slots=True)
class DataMapping:
    """One data mapping: ``target`` gets the value of ``source``. A source of None with ``all`` copies all."""

    target: str
    source: Expression | None
    line: int
    all: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """A script task's text and declared format."""

    text: str
    line: int
    format: str | None = None


@dataclass(frozen=True, slots=True)
class DataObject:
    """A data object, data input, data output or property of a scope."""

    id: str
    name: str | None
    line: int
    collection: bool = False
    kind: str = "dataObject"
    """Local name of the element: dataObject, dataInput, dataOutput, property, dataStoreReference."""

    @property
    def variable(self) -> str:
        """The variable that holds it; see ``variable_name``."""
        return variable_name(self.id, self.name)


@dataclass(frozen=True, slots=True)
class Node:
    """A flow node. Fields that its kind does not use keep their defaults."""

    id: str
    kind: NodeKind
    line: int
    name: str | None = None
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    default: str | None = None
    lane: str | None = None
    documentation: str | None = None
    events: tuple[EventDefinition, ...] = ()
    parallel_multiple: bool = False
    interrupting: bool = True
    """Boundary events (cancelActivity) and starts of event sub-processes (isInterrupting)."""
    attached_to: str | None = None
    loop: Loop | None = None
    scope: "Scope | None" = None
    triggered_by_event: bool = False
    for_compensation: bool = False
    instantiate: bool = False
    parallel_event_gateway: bool = False
    message: str | None = None
    """Send and receive tasks: the resolved message name."""
    called_element: str | None = None
    decision: str | None = None
    result_variable: str | None = None
    script: Script | None = None
    implementation: str | None = None
    form: str | None = None
    inputs: tuple[DataMapping, ...] = ()
    outputs: tuple[DataMapping, ...] = ()
    adhoc_sequential: bool = False
    adhoc_completion: Expression | None = None
    adhoc_cancel_remaining: bool = True
    attributes: Mapping[str, str] = field(default_factory=dict)
    """``dw:`` attributes, and the same keys from camunda and zeebe properties (without prefix)."""
    assignment: Mapping[str, str] = field(default_factory=dict)
    """Who shall do a task, as written: ``assignee``, ``candidateUsers``, ``candidateGroups``, …"""
    script_result: str | None = None
    """Script task: the variable that takes the value of the script's last expression."""
    data_objects: tuple[DataObject, ...] = ()
    """The activity's or event's own data inputs, data outputs and properties."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The content of a process or embedded sub-process."""

    id: str
    nodes: Mapping[str, Node]
    flows: Mapping[str, Flow]
    data_objects: tuple[DataObject, ...] = ()
    compensation_handlers: Mapping[str, str] = field(default_factory=dict)
    """Compensation boundary event id → id of the handler activity (from associations)."""

    def starts(self) -> Iterator[Node]:
        """Yield the start events, then activities and gateways that a token enters without a flow."""
        for node in self.nodes.values():
            if node.kind is NodeKind.START_EVENT:
                yield node


@dataclass(frozen=True, slots=True)
class CorrelationKey:
    """A correlation key: per message name the expressions that give its properties' values."""

    name: str
    properties: Mapping[str, Mapping[str, Expression]]
    """Property id → message name → retrieval expression."""
    line: int


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the file."""

    id: str
    line: int
    scope: Scope
    executable: bool
    name: str | None = None
    participant: str | None = None
    """Name of the pool that shows it."""
    documentation: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    lanes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Participant:
    """A pool; ``process`` is None for a black box."""

    id: str
    name: str | None
    process: str | None
    line: int
    multiplicity: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """One BPMN file."""

    file: str
    processes: tuple[Process, ...]
    exporter: str | None = None
    correlation_keys: tuple[CorrelationKey, ...] = ()
    signals: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    unread: tuple[Extension, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    participants: tuple[Participant, ...] = ()
    expression_language: str | None = None
    """``expressionLanguage`` of the definitions element, as written."""
    target_namespace: str | None = None

    def process(self, process_id: str) -> Process:
        """Return the process with ``process_id``; raise KeyError where there is none."""
        for process in self.processes:
            if process.id == process_id:
                return process
        raise KeyError(process_id)


def walk(scope: Scope) -> Iterator[tuple[Scope, Node]]:
    """Yield every node below ``scope`` with the scope it stands in, parents before children."""
    pending = [scope]
    while pending:
        current = pending.pop()
        for node in current.nodes.values():
            yield current, node
            if node.scope is not None:
                pending.append(node.scope)


def variable_name(element_id: str, name: str | None) -> str:
    """Return the variable of a data element: its name where expressions can use it, else made from its id.

    Of an id, what is no letter, digit or underscore becomes an underscore, and ``data`` is put before an
    id that does not begin with a letter.
    """
    if name is not None and name.isidentifier() and not name.startswith("_") and name not in _WORDS:
        return name
    safe = "".join(char if char.isalnum() else "_" for char in element_id)
    return (
        safe if safe[:1].isalpha() and safe not in _WORDS else f"data{'' if safe[:1] == '_' else '_'}{safe}"
    )


_WORDS = frozenset(
    {"True", "False", "None", "true", "false", "null", "and", "or", "not", "in", "is", "if", "else", "for"}
)
"""Words that expressions keep for themselves."""

_ACTIVITIES = frozenset(
    {
        NodeKind.TASK,
        NodeKind.USER_TASK,
        NodeKind.MANUAL_TASK,
        NodeKind.SERVICE_TASK,
        NodeKind.SEND_TASK,
        NodeKind.RECEIVE_TASK,
        NodeKind.SCRIPT_TASK,
        NodeKind.BUSINESS_RULE_TASK,
        NodeKind.CALL_ACTIVITY,
        NodeKind.SUB_PROCESS,
        NodeKind.TRANSACTION,
        NodeKind.AD_HOC_SUB_PROCESS,
    }
)
