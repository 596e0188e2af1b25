"""Rules about events: which kind may stand where, what each needs, what begins a process, and links."""

from collections.abc import Iterator

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Place, Rule, Subject, error, warning
from engine.definitions.model import EventDefinition, EventKind, Node, NodeKind, Scope
from engine.expressions import ExpressionError, compile_timer

_K = EventKind
_PROCESS_START = frozenset({_K.MESSAGE, _K.TIMER, _K.SIGNAL, _K.CONDITIONAL})
_EVENT_SUB_START = frozenset(
    {_K.MESSAGE, _K.TIMER, _K.SIGNAL, _K.CONDITIONAL, _K.ERROR, _K.ESCALATION, _K.COMPENSATE}
)
_CATCH = frozenset({_K.MESSAGE, _K.TIMER, _K.SIGNAL, _K.CONDITIONAL, _K.LINK})
_THROW = frozenset({_K.MESSAGE, _K.SIGNAL, _K.ESCALATION, _K.LINK, _K.COMPENSATE})
_BOUNDARY = frozenset(
    {
        _K.MESSAGE,
        _K.TIMER,
        _K.SIGNAL,
        _K.CONDITIONAL,
        _K.ERROR,
        _K.ESCALATION,
        _K.COMPENSATE,
        _K.CANCEL,
    }
)
_END = frozenset({_K.MESSAGE, _K.SIGNAL, _K.ERROR, _K.ESCALATION, _K.TERMINATE, _K.CANCEL, _K.COMPENSATE})
_WITHOUT_CASE = frozenset({"now", "today", "workdays", "workdays_date"})
THROWING = frozenset({NodeKind.INTERMEDIATE_THROW_EVENT, NodeKind.END_EVENT})


def events_of(subject: Subject) -> Iterator[tuple[Place, EventDefinition]]:
    """Yield every event definition with the event it stands in."""
    for place in subject.places:
        for event in place.node.events:
            yield place, event


def allowed_kinds(place: Place) -> frozenset[EventKind]:
    """Return the triggers and results that BPMN allows where the event stands (tables 10.84–10.90)."""
    node, owner = place.node, place.owner
    if node.kind is NodeKind.START_EVENT:
        if owner is None:
            return _PROCESS_START
        return _EVENT_SUB_START if owner.triggered_by_event else frozenset()
    return {
        NodeKind.INTERMEDIATE_CATCH_EVENT: _CATCH,
        NodeKind.INTERMEDIATE_THROW_EVENT: _THROW,
        NodeKind.BOUNDARY_EVENT: _BOUNDARY,
        NodeKind.END_EVENT: _END,
    }[node.kind]


def kind_out_of_place(subject: Subject) -> Iterator[Fault]:
    """An event definition that BPMN does not allow at this event."""
    for place, event in events_of(subject):
        if event.kind in allowed_kinds(place):
            continue
        where = f"a {place.node.kind}"
        if place.node.kind is NodeKind.START_EVENT:
            where += " of a process" if place.owner is None else f" of sub-process {place.owner.id}"
        yield place.fault(
            f"a {event.kind} event definition cannot stand at {where}",
            "use a kind of event that BPMN allows here",
            event.line,
        )


def event_without_definition(subject: Subject) -> Iterator[Fault]:
    """A catch or boundary event, or an event sub-process's start, needs something to wait for."""
    for place in subject.places:
        node = place.node
        if node.events:
            continue
        starts_handler = (
            node.kind is NodeKind.START_EVENT and place.owner is not None and place.owner.triggered_by_event
        )
        if node.kind in (NodeKind.INTERMEDIATE_CATCH_EVENT, NodeKind.BOUNDARY_EVENT) or starts_handler:
            yield place.fault(
                f"the {node.kind} waits for nothing", "give it a message, timer, signal, error or condition"
            )


def event_sub_process_start(subject: Subject) -> Iterator[Fault]:
    """An event sub-process has exactly one start event."""
    for place in subject.places:
        node = place.node
        if node.triggered_by_event and node.scope is not None:
            count = sum(1 for _ in node.scope.starts())
            if count != 1:
                yield place.fault(
                    f"the event sub-process has {count} start events, it needs exactly one",
                    "draw one start event with a trigger; use one event sub-process for each trigger",
                )


def missing_message(subject: Subject) -> Iterator[Fault]:
    """A message event says which message."""
    for place, event in events_of(subject):
        if event.kind is EventKind.MESSAGE and event.name is None and not event.referred:
            if place.node.attributes.get("message"):
                continue
            yield place.fault(
                "the message event refers to no message", "choose a message in the modeler", event.line
            )


def missing_signal(subject: Subject) -> Iterator[Fault]:
    """A signal event says which signal."""
    for place, event in events_of(subject):
        if event.kind is EventKind.SIGNAL and event.name is None and not event.referred:
            yield place.fault(
                "the signal event refers to no signal", "choose a signal in the modeler", event.line
            )


def missing_code(subject: Subject) -> Iterator[Fault]:
    """What throws an error or escalation says which; a catch without code catches all."""
    for place, event in events_of(subject):
        if (
            event.kind in (EventKind.ERROR, EventKind.ESCALATION)
            and place.node.kind in THROWING
            and event.code is None
            and not event.referred
        ):
            yield place.fault(
                f"the {event.kind} event does not say which {event.kind} it throws; "
                "only events that catch every code will catch it",
                f"choose or create the {event.kind} with a code",
                event.line,
            )


def computed_name(subject: Subject) -> Iterator[Fault]:
    """Names and codes are constants; one that is computed at run time is not supported."""
    for place, event in events_of(subject):
        for value in (event.name, event.code):
            if value and ("${" in value or "#{" in value or value.startswith("=")):
                yield place.fault(
                    f"the {event.kind}'s name “{value}” would have to be computed at run time",
                    "write a constant name; tell cases apart by correlation keys",
                    event.line,
                )
                break
    for place in subject.places:
        value = place.node.message
        if value and ("${" in value or "#{" in value or value.startswith("=")):
            yield place.fault(
                f"the message name “{value}” would have to be computed at run time", "write a constant name"
            )


def missing_timer(subject: Subject) -> Iterator[Fault]:
    """A timer event says when."""
    for place, event in events_of(subject):
        if event.kind is EventKind.TIMER and event.expression is None:
            yield place.fault(
                "the timer has no date, duration or cycle",
                "write for example PT1H (duration), 2026-05-01T08:00:00 (date) or R3/P1D (cycle)",
                event.line,
            )


def missing_condition(subject: Subject) -> Iterator[Fault]:
    """A conditional event has a condition."""
    for place, event in events_of(subject):
        if event.kind is EventKind.CONDITIONAL and event.expression is None:
            yield place.fault("the conditional event has no condition", "write the condition", event.line)


def conditional_process_start(subject: Subject) -> Iterator[Fault]:
    """A case that does not exist yet has no data that a condition could look at."""
    for place, event in events_of(subject):
        if (
            event.kind is EventKind.CONDITIONAL
            and place.node.kind is NodeKind.START_EVENT
            and place.owner is None
        ):
            yield place.fault(
                "a process cannot start on a condition here",
                "start by message, signal or timer and decide behind it",
                event.line,
            )


def timer_process_start(subject: Subject) -> Iterator[Fault]:
    """The timer that begins a case cannot look at the case: it does not exist yet."""
    for place, event in events_of(subject):
        if event.timer is None or place.node.kind is not NodeKind.START_EVENT or place.owner is not None:
            continue
        asked = [*_asked_of_a_case(subject, event)]
        if "remindBefore" in place.node.attributes:
            asked.append("dw:remindBefore")
        if asked:
            yield place.fault(
                f"the timer that begins the process asks for {', '.join(asked)} before there is a case",
                "write a literal like R/P1M, or compute it from today(); for what hangs on data, draw "
                "a timer event behind the start",
                event.line,
            )


def _asked_of_a_case(subject: Subject, event: EventDefinition) -> Iterator[str]:
    """Yield what a timer's expression needs of a case; nothing where it is not understood (DW504)."""
    if event.expression is None or event.timer is None:
        return
    text, language = event.expression.text, event.expression.language
    try:
        timer = compile_timer(text, event.timer.value, language, functions=subject.context.functions)
    except ExpressionError:
        return
    if timer.expression is not None:
        yield from sorted(timer.expression.names | timer.expression.possible_names)
    yield from (f"{name}(…)" for name in sorted(timer.functions) if name not in _WITHOUT_CASE)


def parallel_multiple_start(subject: Subject) -> Iterator[Fault]:
    """Nothing collects several triggers for a case that does not exist yet."""
    for place in subject.places:
        node = place.node
        if (
            node.parallel_multiple
            and len(node.events) > 1
            and node.kind is NodeKind.START_EVENT
            and place.owner is None
        ):
            yield place.fault(
                "a process that starts when several triggers have come is not supported",
                "start at the first message and wait for the others inside",
            )


def links(subject: Subject) -> Iterator[Fault]:
    """A link throw event has exactly one catch event of its name in the same scope, and the reverse."""
    for _, scope, _ in subject.scopes():
        throws, catches = _links(scope)
        for node, event in (*throws, *catches):
            if not event.name:
                yield Fault(
                    node.line, node.id, node.name, "the link has no name", "give both link events one name"
                )
        sources = {event.name for _, event in throws}
        targets = [event.name for _, event in catches]
        for node, event in throws:
            if event.name and targets.count(event.name) != 1:
                yield Fault(
                    node.line,
                    node.id,
                    node.name,
                    f"link “{event.name}” has {targets.count(event.name)} catch events in its scope",
                    "draw exactly one link catch event of that name in the same process level",
                )
        for node, event in catches:
            if event.name and event.name not in sources:
                yield Fault(
                    node.line,
                    node.id,
                    node.name,
                    f"no link throw event leads to link “{event.name}”",
                    "draw a link throw event of that name in the same process level, or delete this one",
                )


def _links(
    scope: Scope,
) -> tuple[list[tuple[Node, EventDefinition]], list[tuple[Node, EventDefinition]]]:
    throws, catches = [], []
    for node in scope.nodes.values():
        for event in node.events:
            if event.kind is EventKind.LINK and node.kind is NodeKind.INTERMEDIATE_THROW_EVENT:
                throws.append((node, event))
            elif event.kind is EventKind.LINK and node.kind is NodeKind.INTERMEDIATE_CATCH_EVENT:
                catches.append((node, event))
    return throws, catches


def link_among_others(subject: Subject) -> Iterator[Fault]:
    """A link cannot be one of several definitions."""
    for place in subject.places:
        events = place.node.events
        if len(events) > 1 and any(event.kind is EventKind.LINK for event in events):
            yield place.fault("a link stands among other event definitions", "give the link its own event")


def same_start_twice(subject: Subject) -> Iterator[Fault]:
    """Two starts of one process on the same message or signal: which one begins is not said."""
    for process in subject.processes:
        seen: set[tuple[EventKind, str]] = set()
        for node in process.scope.starts():
            for event in node.events:
                if event.kind in (EventKind.MESSAGE, EventKind.SIGNAL) and event.name:
                    if (event.kind, event.name) in seen:
                        yield Fault(
                            event.line,
                            node.id,
                            node.name,
                            f"a second start event waits for {event.kind} “{event.name}”",
                            "use one start event and decide behind it",
                        )
                    seen.add((event.kind, event.name))


RULES: tuple[Rule, ...] = (
    error("DW301", "Event definition out of place", Category.WRONG, kind_out_of_place),
    error("DW302", "Event that waits for nothing", Category.INCOMPLETE, event_without_definition),
    error("DW303", "Start of an event sub-process", Category.INCOMPLETE, event_sub_process_start),
    error("DW304", "Message event without message", Category.INCOMPLETE, missing_message),
    error("DW305", "Signal event without signal", Category.INCOMPLETE, missing_signal),
    error("DW307", "Name computed at run time", Category.UNSUPPORTED, computed_name),
    error("DW308", "Timer without a time", Category.INCOMPLETE, missing_timer),
    error("DW309", "Conditional event without condition", Category.INCOMPLETE, missing_condition),
    error("DW310", "Process that starts on a condition", Category.UNSUPPORTED, conditional_process_start),
    error("DW322", "Timer start that asks for data", Category.UNSUPPORTED, timer_process_start),
    error("DW311", "Process that starts on several triggers", Category.UNSUPPORTED, parallel_multiple_start),
    error("DW312", "Link without partner", Category.WRONG, links),
    error("DW313", "Link among other definitions", Category.WRONG, link_among_others),
    error("DW321", "Message or signal that starts twice", Category.WRONG, same_start_twice),
    warning("DW353", "Thrown error or escalation without code", Category.SUSPICIOUS, missing_code),
)
