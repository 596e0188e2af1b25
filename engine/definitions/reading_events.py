"""Reads event definitions: of an event itself, and root-level ones through ``eventDefinitionRef``."""

from lxml import etree

from engine.definitions.model import EventDefinition, EventKind, TimerKind
from engine.definitions.reading import Reading, child, truth
from engine.definitions.troubles import TroubleKind
from engine.definitions.xml import BPMN, CAMUNDA_LIKE, clark, line_of, split, text_of

_KINDS = {
    "messageEventDefinition": EventKind.MESSAGE,
    "timerEventDefinition": EventKind.TIMER,
    "signalEventDefinition": EventKind.SIGNAL,
    "errorEventDefinition": EventKind.ERROR,
    "escalationEventDefinition": EventKind.ESCALATION,
    "conditionalEventDefinition": EventKind.CONDITIONAL,
    "linkEventDefinition": EventKind.LINK,
    "terminateEventDefinition": EventKind.TERMINATE,
    "cancelEventDefinition": EventKind.CANCEL,
    "compensateEventDefinition": EventKind.COMPENSATE,
}
DEFINITION_TAGS = frozenset(_KINDS)


def read_events(event: etree._Element, reading: Reading) -> tuple[EventDefinition, ...]:
    """Return the event definitions of an event in document order, references followed."""
    found: list[EventDefinition] = []
    for item in event:
        namespace, name = split(item.tag)
        if namespace != BPMN:
            continue
        if name in _KINDS:
            found.append(_read(item, item, reading))
        elif name == "eventDefinitionRef":
            definition = _referred(item, reading)
            if definition is not None:
                found.append(_read(definition, item, reading))
    return tuple(found)


def _referred(item: etree._Element, reading: Reading) -> etree._Element | None:
    raw = text_of(item)
    definition = reading.by_id.get(reading.local_name(item, raw))
    if definition is None or split(definition.tag)[1] not in _KINDS:
        reading.trouble(
            TroubleKind.BROKEN_REFERENCE,
            item,
            "eventDefinitionRef",
            raw,
            "no event definition of that id in the file",
        )
        return None
    return definition


def _read(item: etree._Element, place: etree._Element, reading: Reading) -> EventDefinition:
    kind = _KINDS[split(item.tag)[1]]
    line = line_of(place)
    name, code, referred = _reference(item, kind, reading)
    timer, expression = None, None
    if kind is EventKind.TIMER:
        for candidate in TimerKind:
            element = child(item, candidate.value)
            if element is not None:
                timer, expression = candidate, reading.expression(element)
                break
    elif kind is EventKind.CONDITIONAL:
        expression = reading.expression(child(item, "condition"))
    compensates = kind is EventKind.COMPENSATE
    return EventDefinition(
        kind=kind,
        line=line,
        id=item.get("id"),
        name=name,
        code=None if compensates else code,
        timer=timer,
        expression=expression,
        activity=code if compensates else None,
        wait_for_completion=truth(item.get("waitForCompletion"), True),
        referred=referred,
        code_variable=_vendor(item, "errorCodeVariable") or _vendor(item, "escalationCodeVariable"),
        message_variable=_vendor(item, "errorMessageVariable"),
    )


def _reference(
    item: etree._Element, kind: EventKind, reading: Reading
) -> tuple[str | None, str | None, bool]:
    """Return name, code and whether the file refers to anything at all."""
    if kind is EventKind.LINK:
        return item.get("name"), None, item.get("name") is not None
    if kind is EventKind.MESSAGE:
        message = reading.resolve(item, "messageRef", "message")
        return name_of(message), None, item.get("messageRef") is not None
    if kind is EventKind.SIGNAL:
        signal = reading.resolve(item, "signalRef", "signal")
        return name_of(signal), None, item.get("signalRef") is not None
    if kind is EventKind.ERROR:
        error = reading.resolve(item, "errorRef", "error")
        return _label(error), _code(error, "errorCode"), item.get("errorRef") is not None
    if kind is EventKind.ESCALATION:
        escalation = reading.resolve(item, "escalationRef", "escalation")
        return _label(escalation), _code(escalation, "escalationCode"), item.get("escalationRef") is not None
    if kind is EventKind.COMPENSATE and item.get("activityRef"):
        raw = str(item.get("activityRef"))
        local = reading.local_name(item, raw)
        if local not in reading.by_id:
            reading.trouble(
                TroubleKind.BROKEN_REFERENCE, item, "activityRef", raw, "no such activity in the file"
            )
            return None, None, True
        return None, local, True
    return None, None, False


def name_of(element: etree._Element | None) -> str | None:
    """Return the name of a message or signal; its id where it has no name."""
    return None if element is None else (element.get("name") or element.get("id"))


def _label(element: etree._Element | None) -> str | None:
    return None if element is None else element.get("name")


def _code(element: etree._Element | None, attribute: str) -> str | None:
    # Without a code two errors would be the same error, and a catch of one would catch every error.
    return None if element is None else (element.get(attribute) or element.get("id"))


def _vendor(item: etree._Element, name: str) -> str | None:
    for namespace in CAMUNDA_LIKE:
        value = item.get(clark(namespace, name))
        if value:
            return str(value)
    return None
