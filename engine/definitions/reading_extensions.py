"""Reads what vendors and Dienstweg add to BPMN, and keeps account of what nothing reads."""

from collections.abc import Iterator, Mapping

from lxml import etree

from engine.definitions.model import NodeKind
from engine.definitions.reading import Reading, child, children, nearest_with_id
from engine.definitions.troubles import Extension, TroubleKind
from engine.definitions.xml import BPMN, CAMUNDA_LIKE, DW, ZEEBE, clark, line_of, split, text_of

_PREFIX = "dw:"
_ASSIGNMENT = ("assignee", "candidateUsers", "candidateGroups", "dueDate", "followUpDate", "priority")
_READ_ATTRIBUTES = frozenset(
    {
        "collection", "elementVariable", "formKey", "formRef", "decisionRef", "resultVariable", "topic",
        "errorCodeVariable", "errorMessageVariable", "escalationCodeVariable", *_ASSIGNMENT,
    }
)  # fmt: skip
_READ_CAMUNDA = frozenset(
    {"in", "out", "inputOutput", "inputParameter", "outputParameter", "properties", "property"}
)
_READ_ZEEBE = frozenset(
    {
        "ioMapping", "input", "output", "loopCharacteristics", "calledElement", "calledDecision", "script",
        "formDefinition", "properties", "property", "taskDefinition", "userTask", "assignmentDefinition",
        "taskSchedule", "priorityDefinition",
    }
)  # fmt: skip
_NODES = frozenset(kind.value for kind in NodeKind)
_READ_AT: Mapping[str, frozenset[str]] = {
    "in": frozenset({"callActivity"}),
    "out": frozenset({"callActivity"}),
    "calledElement": frozenset({"callActivity"}),
    "calledDecision": frozenset({"businessRuleTask"}),
    "script": frozenset({"scriptTask"}),
    "loopCharacteristics": frozenset({"multiInstanceLoopCharacteristics"}),
    "inputOutput": _NODES,
    "ioMapping": _NODES,
    "topic": frozenset({"serviceTask", "sendTask", "businessRuleTask"}),
    "taskDefinition": frozenset({"serviceTask", "sendTask", "businessRuleTask"}),
    "collection": frozenset({"multiInstanceLoopCharacteristics"}),
    "elementVariable": frozenset({"multiInstanceLoopCharacteristics"}),
}
"""Names that are read at these elements only; elsewhere they would be left out."""
_NOT_OURS = ("http://www.w3.org/",)
"""xsi:type and its like belong to XML, not to a vendor."""


def extension(element: etree._Element, namespace: str, name: str) -> etree._Element | None:
    """Return the extension element of that name, or None."""
    extensions = child(element, "extensionElements")
    return None if extensions is None else extensions.find(clark(namespace, name))


def vendor(element: etree._Element, name: str) -> str | None:
    """Return an attribute that Camunda, Operaton, Flowable and Activiti spell alike."""
    for namespace in CAMUNDA_LIKE:
        value = element.get(clark(namespace, name))
        if value is not None and value.strip():
            return str(value).strip()
    return None


def zeebe(element: etree._Element, tag: str, attribute: str) -> str | None:
    """Return an attribute of a zeebe extension element."""
    found = extension(element, ZEEBE, tag)
    value = None if found is None else found.get(attribute)
    return value.strip() or None if value is not None else None


def attributes_of(element: etree._Element) -> Mapping[str, str]:
    """Return the ``dw:`` attributes; written attributes win over properties of the same key."""
    found: dict[str, str] = {}
    extensions = child(element, "extensionElements")
    if extensions is not None:
        for group in extensions:
            namespace, name = split(group.tag)
            if name == "properties" and (namespace in CAMUNDA_LIKE or namespace == ZEEBE):
                found.update(_properties(group))
    for item in (element, *(part for part in element if split(part.tag)[1].endswith("EventDefinition"))):
        for key, value in item.attrib.items():
            namespace, name = split(key)
            if namespace == DW:
                found[name] = str(value)
    return found


def _properties(group: etree._Element) -> Iterator[tuple[str, str]]:
    for item in group:
        name, value = item.get("name") or "", item.get("value")
        if split(item.tag)[1] == "property" and name.startswith(_PREFIX) and value:
            yield name.removeprefix(_PREFIX), value


def assignment_of(element: etree._Element) -> Mapping[str, str]:
    """Return who shall do a task, in whichever way the file says it."""
    found: dict[str, str] = {}
    for tag in ("humanPerformer", "potentialOwner", "performer"):
        for item in children(element, tag):
            text = text_of(item) or item.get("name") or ""
            if text:
                found[tag] = text
    for name in _ASSIGNMENT:
        value = vendor(element, name) or zeebe(element, "assignmentDefinition", name)
        value = value or zeebe(element, "taskSchedule", name)
        if value is not None:
            found[name] = value
    return found


def form_of(element: etree._Element) -> str | None:
    """Return the form a task or start event binds."""
    return (
        vendor(element, "formRef")
        or zeebe(element, "formDefinition", "formId")
        or vendor(element, "formKey")
        or zeebe(element, "formDefinition", "formKey")
    )


def topic_of(element: etree._Element) -> str | None:
    """Return the kind of outside work that a service task asks for."""
    return (
        vendor(element, "topic") or zeebe(element, "taskDefinition", "type") or element.get("implementation")
    )


def keep_unread(reading: Reading) -> None:
    """Put every foreign attribute and extension element that nothing reads into ``reading.unread``."""
    for element in reading.root.iter(f"{{{BPMN}}}*"):
        for key, value in element.attrib.items():
            namespace, name = split(key)
            if namespace and not _reads_attribute(namespace, name, split(element.tag)[1]):
                _keep(element, str(key), reading, str(value))
        for item in element:
            if split(item.tag)[1] == "extensionElements":
                _walk_extensions(item, reading)


def _reads_attribute(namespace: str, name: str, owner: str) -> bool:
    if namespace == DW:
        return owner in _NODES or owner.endswith("EventDefinition")
    if namespace.startswith(_NOT_OURS):
        return True
    return namespace in CAMUNDA_LIKE and name in _READ_ATTRIBUTES and _read_here(name, owner)


def _read_here(name: str, owner: str) -> bool:
    return name not in _READ_AT or owner in _READ_AT[name]


def _walk_extensions(extensions: etree._Element, reading: Reading) -> None:
    parent = extensions.getparent()
    owner = "" if parent is None else split(parent.tag)[1]
    for item in extensions:
        namespace, name = split(item.tag)
        read = (namespace in CAMUNDA_LIKE and name in _READ_CAMUNDA) or (
            namespace == ZEEBE and name in _READ_ZEEBE
        )
        if read and _read_here(name, owner):
            continue
        if namespace == ZEEBE and name == "subscription":
            reading.trouble(
                TroubleKind.UNSUPPORTED_EXTENSION,
                item,
                "zeebe:subscription",
                item.get("correlationKey") or "",
                "a subscription's correlation key is not read; use a BPMN correlationKey",
            )
            continue
        _keep(item, str(item.tag), reading, None)


def _keep(element: etree._Element, tag: str, reading: Reading, value: str | None) -> None:
    near = nearest_with_id(element)
    owner: etree._Element | None = element
    while owner is not None and (
        split(owner.tag)[0] != BPMN or split(owner.tag)[1] in ("extensionElements", "documentation")
    ):
        owner = owner.getparent()
    reading.unread.append(
        Extension(
            tag=tag,
            line=line_of(element),
            element=None if near is None else near.get("id"),
            bpmn=False,
            value=value,
            owner=None if owner is None else split(owner.tag)[1],
        )
    )
