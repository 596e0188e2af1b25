"""Rules about exchanges between authorities: the dw attributes and what belongs together."""

from collections.abc import Iterator

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Place, Rule, Subject, error, warning
from engine.definitions.model import EventKind, Node, NodeKind
from engine.definitions.xml import DW, split

_SENDING = frozenset({"recipient", "message", "form", "documents", "answerWithin", "fallback", "reminds"})
_WAITING = frozenset({"answers", "message"})
_STARTING = frozenset({"message"})
_DOING = frozenset({"due", "remindBefore"})
_TIMING = frozenset({"remindBefore"})
_FORM_CLASSES = ("none", "confidential", "written")
_FALLBACKS = ("post", "hold")


def sends(node: Node) -> bool:
    """True where the element can send: send task, message throw, message end."""
    return node.kind is NodeKind.SEND_TASK or (
        node.kind in (NodeKind.INTERMEDIATE_THROW_EVENT, NodeKind.END_EVENT)
        and any(event.kind is EventKind.MESSAGE for event in node.events)
    )


def waits(node: Node) -> bool:
    """True where the element can wait for a message inside a case."""
    return node.kind is NodeKind.RECEIVE_TASK or (
        node.kind in (NodeKind.INTERMEDIATE_CATCH_EVENT, NodeKind.BOUNDARY_EVENT, NodeKind.START_EVENT)
        and any(event.kind is EventKind.MESSAGE for event in node.events)
    )


def _allowed(place: Place) -> frozenset[str]:
    node = place.node
    if sends(node):
        return _SENDING
    if node.kind in (NodeKind.USER_TASK, NodeKind.MANUAL_TASK):
        return _DOING
    if not waits(node):
        return _TIMING if _is_timer(node) else frozenset()
    return _STARTING if node.kind is NodeKind.START_EVENT and place.owner is None else _WAITING


def attribute_out_of_place(subject: Subject) -> Iterator[Fault]:
    """Each dw attribute has its elements; a misspelt one would be left out silently."""
    for item in subject.model.unread:
        namespace, name = split(item.tag)
        if namespace == DW:
            yield Fault(
                item.line,
                item.element,
                None,
                f"dw:{name} has no meaning at <{item.owner}>",
                "write it at the event or task that sends or waits",
            )
    for place in subject.places:
        for name in place.node.attributes:
            allowed = _allowed(place)
            if name in allowed:
                continue
            known = name in _SENDING | _WAITING | _DOING
            yield place.fault(
                f"dw:{name} has no meaning at this {place.node.kind}" if known else f"dw:{name} is not known",
                f"known here are: {', '.join('dw:' + item for item in sorted(allowed)) or 'none'}",
            )


def half_a_send(subject: Subject) -> Iterator[Fault]:
    """A send to a partner needs recipient and message type."""
    for place in subject.places:
        node = place.node
        if not sends(node) or not node.attributes:
            continue
        if "recipient" not in node.attributes:
            others = sorted(set(node.attributes) & _SENDING)
            if others:
                yield place.fault(
                    f"dw:{others[0]} stands without dw:recipient", "say to whom it goes in dw:recipient"
                )
        elif "message" not in node.attributes and message_of(node) is None:
            yield place.fault(
                "the send names a recipient but no message type", "name the message type in dw:message"
            )


def message_of(node: Node) -> str | None:
    """Return the message type or name an element sends or waits for."""
    if node.attributes.get("message"):
        return node.attributes["message"]
    if node.message is not None:
        return node.message
    return next((event.name for event in node.events if event.kind is EventKind.MESSAGE), None)


def answers_nothing(subject: Subject) -> Iterator[Fault]:
    """dw:answers and dw:reminds name a send of the same process."""
    for place in subject.places:
        for name in ("answers", "reminds"):
            wanted = place.node.attributes.get(name)
            if wanted is None:
                continue
            send = subject.by_id.get(wanted)
            if send is None or send.process is not place.process:
                told = "is no element of this process"
            elif "recipient" not in send.node.attributes or not sends(send.node):
                told = "is no send to a partner"
            elif name == "reminds" and wanted == place.node.id:
                told = "is the reminder itself"
            else:
                continue
            yield place.fault(
                f"dw:{name} names {wanted}, which {told}", "name the id of the element that sends"
            )


def bad_value(subject: Subject) -> Iterator[Fault]:
    """dw:form and dw:fallback take fixed words."""
    for place in subject.places:
        for name, words in (("form", _FORM_CLASSES), ("fallback", _FALLBACKS)):
            value = place.node.attributes.get(name)
            if value is not None and value not in words:
                yield place.fault(f"dw:{name} is “{value}”", f"use one of: {', '.join(words)}")


def unknown_message_type(subject: Subject) -> Iterator[Fault]:
    """Message types are those of the package."""
    known = subject.context.message_types
    if known is None:
        return
    for place in subject.places:
        declared = place.node.attributes.get("message")
        if declared is None and "recipient" in place.node.attributes:
            declared = message_of(place.node)
        if declared is not None and declared not in known:
            yield place.fault(
                f"message type “{declared}” is not known", f"known are: {', '.join(sorted(known)) or 'none'}"
            )


def wait_without_deadline(subject: Subject) -> Iterator[Fault]:
    """A partner may never answer; something has to happen then."""
    for place in subject.places:
        wanted = place.node.attributes.get("answers")
        if wanted is None or place.node.kind in (NodeKind.BOUNDARY_EVENT, NodeKind.START_EVENT):
            continue
        send = subject.by_id.get(wanted)
        if send is not None and "answerWithin" in send.node.attributes:
            continue
        if not _has_deadline(subject, place):
            yield place.fault(
                "the wait for an answer has no deadline",
                "set dw:answerWithin at the send, or attach a timer boundary event",
            )


def _has_deadline(subject: Subject, place: Place) -> bool:
    current: Place | None = place
    while current is not None:
        for node in current.scope.nodes.values():
            if node.attached_to == current.node.id and _is_timer(node):
                return True
        for flow_id in current.node.incoming:
            source = current.scope.nodes[current.scope.flows[flow_id].source]
            if source.kind is NodeKind.EVENT_BASED_GATEWAY and any(
                _is_timer(current.scope.nodes[current.scope.flows[flow].target]) for flow in source.outgoing
            ):
                return True
        current = None if current.owner is None else subject.by_id.get(current.owner.id)
    return False


def _is_timer(node: Node) -> bool:
    return any(event.kind is EventKind.TIMER for event in node.events)


def form_not_met(subject: Subject) -> Iterator[Fault]:
    """A form class that no channel of the installation can meet goes by signed letter, if at all."""
    met = subject.context.form_classes
    for place in subject.places:
        wanted = place.node.attributes.get("form")
        if met is not None and wanted in _FORM_CLASSES and wanted not in met:
            yield place.fault(
                f"no channel of this installation can meet form class “{wanted}”",
                "open a channel that meets it, or check whether the law still asks for this form",
            )


def nobody_waits(subject: Subject) -> Iterator[Fault]:
    """An answer is asked for, and no element waits for it."""
    answered = {place.node.attributes.get("answers") for place in subject.places}
    for place in subject.places:
        node = place.node
        if "answerWithin" in node.attributes and sends(node) and node.id not in answered:
            yield place.fault(
                f"an answer to “{message_of(node) or '?'}” is expected, but nothing waits for it",
                "add a receive task with dw:answers, or leave out dw:answerWithin",
            )


def correlated_instances(subject: Subject) -> Iterator[Fault]:
    """The instances of one task stand in one conversation; only the first one's answer would be taken."""
    correlated = {
        message
        for key in subject.model.correlation_keys
        for by_message in key.properties.values()
        for message in by_message
    }
    for place in subject.places:
        node = place.node
        tells = node.kind in (NodeKind.SEND_TASK, NodeKind.RECEIVE_TASK) and node.message in correlated
        if tells and node.loop is not None and "answers" not in node.attributes:
            yield place.fault(
                "the instances of this task share one conversation, and the first of them fixes its values",
                "put sending and receiving into a multi-instance sub-process: each instance correlates alone",
                node.loop.line,
            )


RULES: tuple[Rule, ...] = (
    error("DW323", "Correlation in a task that repeats", Category.UNSUPPORTED, correlated_instances),
    error("DW801", "dw attribute out of place", Category.WRONG, attribute_out_of_place),
    error("DW802", "Half a send", Category.INCOMPLETE, half_a_send),
    error("DW803", "Answer or reminder without send", Category.WRONG, answers_nothing),
    error("DW804", "Word that is not known", Category.WRONG, bad_value),
    error("DW805", "Unknown message type", Category.WRONG, unknown_message_type),
    warning("DW851", "Wait for an answer without deadline", Category.SUSPICIOUS, wait_without_deadline),
    warning("DW852", "Form class that no channel meets", Category.SUSPICIOUS, form_not_met),
    warning("DW853", "Message that nobody answers", Category.SUSPICIOUS, nobody_waits),
)
