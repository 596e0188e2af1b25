"""Reads a BPMN file into ``engine.definitions.model``; the only parser of BPMN in the product.

The reader refuses only what is no BPMN at all. What is broken or not understood inside a model becomes
None and a ``Trouble``, or an entry of ``Model.unread``, and the checker tells it.
"""

from lxml import etree

from engine.definitions.model import CorrelationKey, Expression, Model, Participant, Process
from engine.definitions.reading import Reading, child, children, documentation_of, truth
from engine.definitions.reading_events import name_of
from engine.definitions.reading_extensions import attributes_of, keep_unread
from engine.definitions.reading_nodes import read_scope
from engine.definitions.troubles import Extension, TroubleKind
from engine.definitions.xml import BPMN, NotBpmnError, clark, line_of, parse_xml, split, text_of

_ROOTS = frozenset(
    {
        "import", "extension", "documentation", "extensionElements", "relationship", "process",
        "collaboration", "message", "signal", "error", "escalation", "itemDefinition", "dataStore",
        "category", "resource", "interface", "endPoint", "partnerEntity", "partnerRole",
        "correlationProperty", "messageEventDefinition", "timerEventDefinition", "signalEventDefinition",
        "errorEventDefinition", "escalationEventDefinition", "conditionalEventDefinition",
        "linkEventDefinition", "terminateEventDefinition", "cancelEventDefinition",
        "compensateEventDefinition",
    }
)  # fmt: skip
_SCHEMA_DEFAULTS = frozenset({"http://www.w3.org/1999/XPath", "http://www.w3.org/TR/XPath"})
_IN_COLLABORATION = frozenset(
    {
        "documentation", "extensionElements", "participant", "messageFlow", "association", "textAnnotation",
        "group", "correlationKey", "participantAssociation", "messageFlowAssociation",
    }
)  # fmt: skip


def read_model(data: bytes, file: str) -> Model:
    """Return what stands in a BPMN 2.0 file.

    Args:
        data: the whole file as it was stored.
        file: the name to show in errors; it is never opened.

    Raises:
        UnreadableFileError: not XML, not BPMN, too large, or with a DOCTYPE.
    """
    return model_of(parse_xml(data, file), file)


def model_of(root: etree._Element, file: str) -> Model:
    """Return the model below an already parsed ``root``; see ``read_model``."""
    if root.tag != clark(BPMN, "definitions"):
        namespace, name = split(root.tag)
        raise NotBpmnError(
            f"the root element is {name!r} of {namespace or 'no namespace'}, not BPMN 2.0 definitions",
            file,
            line_of(root),
            hint=f"BPMN 2.0 files start with <definitions xmlns={BPMN!r}>; export the model as BPMN 2.0 XML",
        )
    reading = Reading(
        file=file,
        root=root,
        target_namespace=root.get("targetNamespace"),
        language=_declared_language(root),
    )
    reading.index()
    _unread_roots(reading)
    _compensation_handlers(reading)
    participants = _participants(reading)
    pools = {pool.process: pool.name or pool.id for pool in participants if pool.process}
    processes = tuple(_process(item, reading, pools) for item in children(root, "process"))
    keys = _correlation_keys(reading)
    keep_unread(reading)
    return Model(
        file=file,
        processes=processes,
        exporter=root.get("exporter"),
        correlation_keys=keys,
        signals=_names(children(root, "signal")),
        messages=_names(children(root, "message")),
        unread=tuple(reading.unread),
        troubles=tuple(reading.troubles),
        participants=participants,
        expression_language=root.get("expressionLanguage"),
        target_namespace=reading.target_namespace,
    )


def _declared_language(root: etree._Element) -> str | None:
    # XPath is the schema's default, which most tools write unasked above expressions of another language.
    language = root.get("expressionLanguage")
    return None if language is None or language in _SCHEMA_DEFAULTS else language


def _names(items: list[etree._Element]) -> tuple[str, ...]:
    names = (name_of(item) for item in items)
    return tuple(name for name in names if name)


def _process(item: etree._Element, reading: Reading, pools: dict[str, str]) -> Process:
    process_id = item.get("id") or reading.make_id("Process")
    lanes = _lanes(item)
    if child(item, "correlationSubscription") is not None:
        reading.trouble(
            TroubleKind.UNSUPPORTED_BPMN, item, "correlationSubscription", "", "correlate by correlationKey"
        )
    return Process(
        id=process_id,
        line=line_of(item),
        scope=read_scope(item, process_id, reading, lanes),
        executable=truth(item.get("isExecutable"), False),
        name=item.get("name"),
        participant=pools.get(process_id),
        documentation=documentation_of(item),
        attributes=attributes_of(item),
        lanes=tuple(lane.get("name") or lane.get("id") or "" for lane in item.iter(clark(BPMN, "lane"))),
    )


def _lanes(process: etree._Element) -> dict[str, str]:
    """Return node id → lane name; nested lanes come later in the document and win."""
    found: dict[str, str] = {}
    for lane in process.iter(clark(BPMN, "lane")):
        for item in children(lane, "flowNodeRef"):
            found[text_of(item)] = lane.get("name") or lane.get("id") or ""
    return found


def _participants(reading: Reading) -> tuple[Participant, ...]:
    found = []
    for collaboration in children(reading.root, "collaboration"):
        for item in children(collaboration, "participant"):
            process = reading.resolve(item, "processRef", "process")
            found.append(
                Participant(
                    id=item.get("id") or "",
                    name=item.get("name"),
                    process=None if process is None else process.get("id"),
                    line=line_of(item),
                    multiplicity=_several(child(item, "participantMultiplicity")),
                )
            )
    return tuple(found)


def _several(multiplicity: etree._Element | None) -> bool:
    """Tell whether a pool stands for more than one partner; the schema's default is at most one."""
    most = "1" if multiplicity is None else multiplicity.get("maximum") or "1"
    return not (most.isdigit() and int(most) <= 1)


def _unread_roots(reading: Reading) -> None:
    containers = [(reading.root, _ROOTS)]
    containers.extend((item, _IN_COLLABORATION) for item in children(reading.root, "collaboration"))
    for container, known in containers:
        for item in container:
            namespace, name = split(item.tag)
            if name == "extension" and item.get("mustUnderstand") == "true":
                reading.trouble(
                    TroubleKind.UNSUPPORTED_BPMN,
                    item,
                    "extension",
                    item.get("definition") or "",
                    "the file says that it must be understood",
                )
            if namespace == BPMN and name not in known:
                reading.unread.append(
                    Extension(
                        tag=str(item.tag),
                        line=line_of(item),
                        element=item.get("id"),
                        bpmn=True,
                        owner=split(container.tag)[1],
                    )
                )


def _compensation_handlers(reading: Reading) -> None:
    """Learn which activity undoes which: the association may stand in any container of the file."""
    for item in reading.root.iter(clark(BPMN, "association")):
        source = reading.by_id.get(reading.local_name(item, item.get("sourceRef") or ""))
        target = reading.by_id.get(reading.local_name(item, item.get("targetRef") or ""))
        if source is None or target is None:
            continue
        ends = (source, target)
        if split(target.tag)[1] == "boundaryEvent" and split(source.tag)[1] != "boundaryEvent":
            ends = (target, source)
        if split(ends[0].tag)[1] == "boundaryEvent" and truth(ends[1].get("isForCompensation"), False):
            reading.handlers[str(ends[0].get("id"))] = str(ends[1].get("id"))


def _correlation_keys(reading: Reading) -> tuple[CorrelationKey, ...]:
    properties: dict[str, dict[str, Expression]] = {}
    for item in children(reading.root, "correlationProperty"):
        by_message: dict[str, Expression] = {}
        for retrieval in children(item, "correlationPropertyRetrievalExpression"):
            message = name_of(reading.resolve(retrieval, "messageRef", "message"))
            path = reading.expression(child(retrieval, "messagePath"))
            if message is not None and path is not None:
                by_message[message] = path
        properties[item.get("id") or ""] = by_message
    found = []
    for key in reading.root.iter(clark(BPMN, "correlationKey")):
        wanted = {}
        for reference in children(key, "correlationPropertyRef"):
            name = reading.local_name(reference, text_of(reference))
            if name in properties:
                wanted[name] = properties[name]
            else:
                reading.trouble(
                    TroubleKind.BROKEN_REFERENCE,
                    key,
                    "correlationPropertyRef",
                    name,
                    "no correlation property of that id in the file",
                )
        found.append(
            CorrelationKey(name=key.get("name") or key.get("id") or "", properties=wanted, line=line_of(key))
        )
    return tuple(found)
