"""Rules about what the reader has no use for: BPMN parts that do not run, and other products' extensions."""

from collections import Counter
from collections.abc import Iterator

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Rule, Subject, error, warning
from engine.definitions.troubles import Extension
from engine.definitions.xml import BPMN, CAMUNDA_LIKE, DW, ZEEBE, split

_CODE = frozenset(
    {"class", "delegateExpression", "expression", "variableMappingClass", "variableMappingDelegateExpression"}
)
_LISTENERS = frozenset({"executionListener", "taskListener", "executionListeners", "taskListeners"})
_BUILT_IN = frozenset({"connector"})
_EXTERNAL = frozenset({"external", "external-worker"})
"""Values of ``type`` that mean: a worker fetches it."""

_CHANGES_BEHAVIOUR = {
    "resource": "the script stands outside the model",
    "calledElementBinding": "the newest deployed version is called",
    "calledElementVersion": "the newest deployed version is called",
    "calledElementVersionTag": "the newest deployed version is called",
    "caseRef": "CMMN cases are not run",
    "mapDecisionResult": "a decision's result is put into its variable as it is",
    "decisionRefBinding": "the decision is that of the package",
    "decisionRefVersion": "the decision is that of the package",
    "skipExpression": "elements are not skipped",
    "inheritVariables": "data is handed over by in and out mappings",
    "scope": "a signal reaches all cases of the authority",
    "terminateAll": "a terminate event ends its own scope",
    "terminateMultiInstance": "a terminate event ends its own scope",
    "messageExpression": "message names are constants",
    "signalExpression": "signal names are constants",
    "endDate": "a cycle ends by its count",
    "formData": "forms are form-js files",
    "formProperty": "forms are form-js files",
    "userTaskForm": "forms are form-js files of the package",
    "mapException": "workers report BPMN errors by code",
    "errorEventDefinition": "workers report BPMN errors by code",
    "eventType": "events come as messages",
    "variableListenerEventDefinition": "variables are watched by conditional events",
    "variableAggregation": "instances hand out data by output collection",
    "collection": "the list of instances is an expression",
    "adHoc": "activities of an ad-hoc sub-process are chosen by clerks",
    "publishMessage": "messages are sent by BPMN correlation or dw:recipient",
    "conditionalFilter": "a condition is looked at whenever data changes",
    "calledElementTenantId": "the called process is one of the same package",
    "in": "data is handed over at call activities only",
    "out": "data is handed over at call activities only",
    "inputOutput": "mappings are read at tasks, sub-processes, calls and events only",
    "ioMapping": "mappings are read at tasks, sub-processes, calls and events only",
    "topic": "work is asked for by service tasks",
    "taskDefinition": "work is asked for by service tasks",
    "loopCharacteristics": "it is read at multi-instance characteristics only",
    "script": "scripts stand in script tasks",
}
"""Extensions of other engines that change what the model does, with what happens here instead."""

_FALSE = frozenset({"", "false", "latest"})
_HARMLESS = ("http://activiti.com/modeler", "http://flowable.org/modeler", "http://flowable.org/design")


def _engine(item: Extension) -> bool:
    namespace = split(item.tag)[0]
    return namespace in CAMUNDA_LIKE or namespace == ZEEBE


def is_code(item: Extension) -> bool:
    """True for what names Java code or a product's built-in task instead of a kind of work."""
    name = split(item.tag)[1]
    return _engine(item) and (name in _CODE or (name == "type" and (item.value or "") not in _EXTERNAL))


def _judged(subject: Subject) -> frozenset[str | None] | None:
    """Return the ids that belong to processes that stay drawings; findings there do not count."""
    if not any(process.executable for process in subject.model.processes):
        return None
    judged: set[str | None] = set()
    for process in subject.model.processes:
        if not process.executable:
            judged.add(process.id)
            pending = [process.scope]
            while pending:
                scope = pending.pop()
                judged.update(scope.nodes)
                judged.update(scope.flows)
                pending.extend(node.scope for node in scope.nodes.values() if node.scope is not None)
    return frozenset(judged)


def _named(subject: Subject, item: Extension) -> str | None:
    place = subject.by_id.get(item.element or "")
    return None if place is None else place.node.name


def _found(subject: Subject) -> Iterator[Extension]:
    drawn = _judged(subject) or frozenset()
    for item in subject.model.unread:
        if item.element not in drawn:
            yield item


def code(subject: Subject) -> Iterator[Fault]:
    """Java classes, delegates and method expressions of other engines do not run here."""
    workers = subject.context.workers or frozenset()
    for item in _found(subject):
        if is_code(item) and not ({item.value, item.element} & workers):
            name = split(item.tag)[1]
            yield Fault(
                item.line,
                item.element,
                _named(subject, item),
                f"{name} “{item.value}” names code of another engine, which does not run here",
                "name a kind of work instead (type external and a topic) and register a worker for it",
            )


def listeners(subject: Subject) -> Iterator[Fault]:
    """Listeners of other engines would be left out silently."""
    for item in _found(subject):
        name = split(item.tag)[1]
        if _engine(item) and (name in _LISTENERS or name in _BUILT_IN):
            yield Fault(
                item.line,
                item.element,
                _named(subject, item),
                f"{name} is not run here; what it does would be missing",
                "draw what it does as a script or service task",
            )


def changes_behaviour(subject: Subject) -> Iterator[Fault]:
    """Other engines' settings that would make the model do something else here."""
    for item in _found(subject):
        name = split(item.tag)[1]
        if not _engine(item) or name not in _CHANGES_BEHAVIOUR or is_code(item):
            continue
        if item.value is not None and item.value.strip().lower() in _FALSE:
            continue
        if name == "scope" and item.owner != "signal":
            continue
        yield Fault(
            item.line,
            item.element,
            _named(subject, item),
            f"the extension {name}{f' “{item.value}”' if item.value else ''} is not supported: "
            f"{_CHANGES_BEHAVIOUR[name]}",
            "remove it, and draw what it was for",
        )


def bpmn_not_supported(subject: Subject) -> Iterator[Fault]:
    """Choreographies, conversations and other BPMN parts that no process needs."""
    for item in _found(subject):
        name = split(item.tag)[1]
        if item.bpmn and not (split(item.tag)[0] == BPMN and name.startswith("global")):
            yield Fault(
                item.line,
                item.element,
                None,
                f"<{name}> in <{item.owner}> is not supported",
                "remove it from the file, or draw it as part of a process",
            )


def unread_extensions(subject: Subject) -> Iterator[Fault]:
    """What is not read is told once for each namespace."""
    counts: dict[str, Counter[str]] = {}
    first: dict[str, int] = {}
    for item in _found(subject):
        namespace, name = split(item.tag)
        if item.bpmn or namespace == DW or namespace.startswith(_HARMLESS):
            continue
        if _engine(item) and (is_code(item) or name in _LISTENERS or name in _BUILT_IN):
            continue
        if _engine(item) and name in _CHANGES_BEHAVIOUR:
            continue
        if _engine(item) and name == "type":
            continue
        counts.setdefault(namespace, Counter())[name] += 1
        first.setdefault(namespace, item.line)
    for namespace, names in counts.items():
        listed = ", ".join(f"{name} ({count})" for name, count in names.most_common(8))
        rest = "" if len(names) <= 8 else f" and {len(names) - 8} more"
        yield Fault(
            first[namespace],
            None,
            None,
            f"extensions of {namespace or 'no namespace'} are not read: {listed}{rest}",
            "nothing to do if they are only for another product",
        )


RULES: tuple[Rule, ...] = (
    error("DW402", "Code of another engine", Category.UNSUPPORTED, code),
    error("DW701", "BPMN part that does not run", Category.UNSUPPORTED, bpmn_not_supported),
    error("DW702", "Extension that changes behaviour", Category.UNSUPPORTED, changes_behaviour),
    error("DW704", "Listener or connector", Category.UNSUPPORTED, listeners),
    warning("DW751", "Extension that is not read", Category.SUSPICIOUS, unread_extensions),
)
