"""Rules about activities: what each task needs to do its work, loops, sub-processes."""

from collections.abc import Iterator

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Rule, Subject, error, warning
from engine.definitions.model import Node, NodeKind

_NO_KIND_OF_WORK = frozenset({"", "##unspecified", "##webservice", "webservice", "other", "##other"})
_OFFERED = frozenset({NodeKind.USER_TASK, NodeKind.MANUAL_TASK, NodeKind.TASK})
_FORM_TASKS = frozenset({NodeKind.USER_TASK, NodeKind.START_EVENT, NodeKind.MANUAL_TASK})


def receive_without_message(subject: Subject) -> Iterator[Fault]:
    """A receive task says which message it waits for."""
    for place in subject.places:
        node = place.node
        if node.kind is NodeKind.RECEIVE_TASK and node.message is None and not node.attributes.get("message"):
            yield place.fault(
                "the receive task does not say which message it waits for",
                "name the message type in dw:message (and the send it answers in dw:answers), "
                "or choose a message",
            )


def send_without_message(subject: Subject) -> Iterator[Fault]:
    """A send task says what it sends."""
    for place in subject.places:
        node = place.node
        if (
            node.kind is NodeKind.SEND_TASK
            and node.message is None
            and not node.attributes.get("message")
            and "recipient" not in node.attributes  # told by DW802
        ):
            yield place.fault(
                "the send task does not say what it sends",
                "name recipient and message type in dw:recipient and dw:message, or choose a message",
            )


def worker_known(subject: Subject, node: Node) -> bool:
    """True where the installation has a worker for the element or its kind of work."""
    workers = subject.context.workers
    if workers is None:
        return False
    if node.id in workers or (node.implementation or "") in workers:
        return True
    return any(
        item.value in workers
        for item in subject.model.unread
        if item.element == node.id and item.value is not None
    )


def names_work(node: Node) -> bool:
    """True where a service task names the kind of work it asks for."""
    return (node.implementation or "").strip().lower() not in _NO_KIND_OF_WORK


def service_without_work(subject: Subject) -> Iterator[Fault]:
    """A service task names the kind of work, else it waits for ever."""
    for place in subject.places:
        node = place.node
        if node.kind is not NodeKind.SERVICE_TASK or names_work(node) or worker_known(subject, node):
            continue
        if _has_vendor_code(subject, node):
            continue  # told by DW402
        yield place.fault(
            "the service task does not say who does its work",
            "name the kind of work (camunda:type external with camunda:topic, or zeebe:taskDefinition), "
            "or make it a user task",
        )


def _has_vendor_code(subject: Subject, node: Node) -> bool:
    from engine.definitions.checker.rules_extensions import is_code

    return any(is_code(item) for item in subject.model.unread if item.element == node.id)


def unknown_worker(subject: Subject) -> Iterator[Fault]:
    """Work that nobody of this installation does."""
    if subject.context.workers is None:
        return
    for place in subject.places:
        node = place.node
        works = node.kind is NodeKind.SERVICE_TASK or (
            node.kind is NodeKind.BUSINESS_RULE_TASK and not node.decision
        )
        if works and names_work(node) and not worker_known(subject, node):
            yield place.fault(
                f"no worker of this installation does “{node.implementation}”",
                "register a worker for it, or use one of: "
                + (", ".join(sorted(subject.context.workers)) or "(none is registered)"),
            )


def script_missing(subject: Subject) -> Iterator[Fault]:
    """A script task has a script."""
    for place in subject.places:
        if place.node.kind is NodeKind.SCRIPT_TASK and (
            place.node.script is None or not place.node.script.text
        ):
            yield place.fault("the script task has no script", "write assignments, one a line: total = a + b")


def decision_missing(subject: Subject) -> Iterator[Fault]:
    """A business rule task names its decision."""
    for place in subject.places:
        node = place.node
        if node.kind is not NodeKind.BUSINESS_RULE_TASK or _has_vendor_code(subject, node):
            continue
        if not node.decision and (names_work(node) or worker_known(subject, node)):
            continue  # outside work like that of a service task
        if not node.decision:
            yield place.fault(
                "the business rule task names no decision",
                "name a decision of the package (camunda:decisionRef or zeebe:calledDecision)",
            )
        elif node.decision.startswith(("=", "${", "#{")):
            yield place.fault(
                f"the decision “{node.decision}” would have to be computed at run time",
                "name one decision; branch before it with a gateway",
            )


def unknown_decision(subject: Subject) -> Iterator[Fault]:
    """The decision is one of the package."""
    known = subject.context.decisions
    for place in subject.places:
        decision = place.node.decision
        if known is not None and decision and decision not in known:
            yield place.fault(
                f"decision “{decision}” is not known", f"known are: {', '.join(sorted(known)) or 'none'}"
            )


def unknown_form(subject: Subject) -> Iterator[Fault]:
    """The form a task or start binds is one of the package."""
    known = subject.context.forms
    for place in subject.places:
        form = place.node.form
        if known is not None and form and form not in known:
            yield place.fault(
                f"form “{form}” is not known", f"known are: {', '.join(sorted(known)) or 'none'}"
            )


def form_elsewhere(subject: Subject) -> Iterator[Fault]:
    """Forms of other products (embedded HTML, deployment paths) are not shown."""
    for place in subject.places:
        form = place.node.form or ""
        if ":" in form or "/" in form or form.startswith(("=", "${", "#{")):
            if subject.context.forms is not None and form in subject.context.forms:
                continue
            yield place.fault(
                f"form “{form}” is no form of a package: forms are bound by the id of a form-js file",
                "draw it as a form-js form and name its id (camunda:formRef, zeebe:formDefinition formId)",
            )


def form_on_other(subject: Subject) -> Iterator[Fault]:
    """Only user and manual tasks and start events show a form."""
    for place in subject.places:
        if place.node.form and place.node.kind not in _FORM_TASKS:
            yield place.fault(
                f"a {place.node.kind} shows no form", "bind the form to a user task or a start event"
            )


def loop_without_end(subject: Subject) -> Iterator[Fault]:
    """A standard loop says how long it goes on."""
    for place in subject.places:
        loop = place.node.loop
        if loop is not None and not loop.multi and loop.condition is None and loop.maximum is None:
            yield place.fault(
                "the loop has neither a condition nor a maximum",
                "write the condition under which it goes round again",
                loop.line,
            )


def multi_without_number(subject: Subject) -> Iterator[Fault]:
    """A multi-instance activity says how many instances there are."""
    for place in subject.places:
        loop = place.node.loop
        if loop is not None and loop.multi and loop.cardinality is None and loop.collection is None:
            yield place.fault(
                "the multi-instance activity has neither a number of instances nor a list",
                "write loopCardinality, or name the list (loopDataInputRef, camunda:collection, "
                "zeebe:loopCharacteristics inputCollection)",
                loop.line,
            )


def multi_both(subject: Subject) -> Iterator[Fault]:
    """A number and a list may contradict each other."""
    for place in subject.places:
        loop = place.node.loop
        if loop is not None and loop.multi and loop.cardinality is not None and loop.collection is not None:
            yield place.fault(
                "the multi-instance activity has a number of instances and a list",
                "keep one of them",
                loop.line,
            )


def multi_behavior(subject: Subject) -> Iterator[Fault]:
    """Events thrown by a multi-instance activity itself are not supported."""
    for place in subject.places:
        loop = place.node.loop
        if loop is not None and loop.multi and loop.behavior != "All":
            yield place.fault(
                f"multi-instance behavior “{loop.behavior}” is not supported",
                "leave the attribute out and throw events inside the activity",
                loop.line,
            )


def multi_output_alone(subject: Subject) -> Iterator[Fault]:
    """What is collected from the instances needs both the list and the element's variable."""
    for place in subject.places:
        loop = place.node.loop
        if loop is not None and loop.multi and (loop.output_collection is None) != (loop.output_item is None):
            yield place.fault(
                "the multi-instance activity names only one half of its output",
                "name the output list and the variable whose value goes into it, or neither",
                loop.line,
            )


def loop_out_of_place(subject: Subject) -> Iterator[Fault]:
    """Event sub-processes and handlers have no loop."""
    for place in subject.places:
        node = place.node
        if node.loop is not None and node.triggered_by_event:
            yield place.fault(
                "an event sub-process has loop characteristics", "put a looping sub-process into it"
            )


def ad_hoc(subject: Subject) -> Iterator[Fault]:
    """An ad-hoc sub-process holds activities, and neither start nor end events (BPMN 2.0.2, 10.3.5)."""
    for place in subject.places:
        node = place.node
        if node.kind is not NodeKind.AD_HOC_SUB_PROCESS or node.scope is None:
            continue
        if node.triggered_by_event:
            yield place.fault("an ad-hoc sub-process is triggered by an event", "use an event sub-process")
        for inner in node.scope.nodes.values():
            if inner.kind in (NodeKind.START_EVENT, NodeKind.END_EVENT):
                yield Fault(
                    inner.line,
                    inner.id,
                    inner.name,
                    f"a {inner.kind} stands in ad-hoc sub-process {node.id}",
                    "remove it; clerks choose what is done",
                )
        if not any(inner.kind.is_activity for inner in node.scope.nodes.values()):
            yield place.fault("the ad-hoc sub-process holds no activity", "draw the activities into it")


def sequential_ad_hoc(subject: Subject) -> Iterator[Fault]:
    """Where only one activity runs at a time, people begin each of them: nothing may begin by itself."""
    for place in subject.places:
        owner, node = place.owner, place.node
        if owner is None or owner.kind is not NodeKind.AD_HOC_SUB_PROCESS or not owner.adhoc_sequential:
            continue
        if node.incoming or not (node.kind.is_activity or node.kind.is_event or node.kind.is_gateway):
            continue
        if node.kind is NodeKind.BOUNDARY_EVENT or node.triggered_by_event or node.for_compensation:
            continue
        if node.kind not in _OFFERED or node.loop is not None:
            yield place.fault(
                f"a {node.kind}{' with a loop' if node.loop is not None else ''} begins by itself in the "
                f"sequential ad-hoc sub-process {owner.id}",
                "put a user or manual task before it, or set ordering to Parallel",
            )


def transaction_event(subject: Subject) -> Iterator[Fault]:
    """A transaction cannot be an event sub-process."""
    for place in subject.places:
        if place.node.kind is NodeKind.TRANSACTION and place.node.triggered_by_event:
            yield place.fault(
                "a transaction is triggered by an event", "put the transaction into an event sub-process"
            )


def assignment_unused(subject: Subject) -> Iterator[Fault]:
    """Who does a task is decided by lanes, roles and deputies."""
    named = [place for place in subject.places if place.node.assignment.keys() - {"dueDate"}]
    if named:
        keys = {key for place in named for key in place.node.assignment} - {"dueDate"}
        first = named[0]
        yield first.fault(
            f"{len(named)} task{'s name' if len(named) != 1 else ' names'} people or groups "
            f"({', '.join(sorted(keys))}), "
            "which is not read",
            "draw lanes: a lane's name is the role whose clerks see the task",
        )


RULES: tuple[Rule, ...] = (
    error("DW401", "Receive task without message", Category.INCOMPLETE, receive_without_message),
    error("DW403", "Send task without message", Category.INCOMPLETE, send_without_message),
    error("DW404", "Service task without work", Category.INCOMPLETE, service_without_work),
    error("DW405", "Work that nobody does", Category.UNSUPPORTED, unknown_worker),
    error("DW406", "Script task without script", Category.INCOMPLETE, script_missing),
    error("DW407", "Business rule task without decision", Category.INCOMPLETE, decision_missing),
    error("DW408", "Unknown decision", Category.WRONG, unknown_decision),
    error("DW411", "Unknown form", Category.WRONG, unknown_form),
    error("DW412", "Form of another product", Category.UNSUPPORTED, form_elsewhere),
    error("DW413", "Form where none is shown", Category.WRONG, form_on_other),
    error("DW414", "Loop without end", Category.INCOMPLETE, loop_without_end),
    error("DW415", "Multi-instance without number", Category.INCOMPLETE, multi_without_number),
    error("DW416", "Multi-instance with number and list", Category.WRONG, multi_both),
    error("DW417", "Multi-instance behavior", Category.UNSUPPORTED, multi_behavior),
    error("DW418", "Half a multi-instance output", Category.INCOMPLETE, multi_output_alone),
    error("DW419", "Loop at an event sub-process", Category.WRONG, loop_out_of_place),
    error("DW420", "Wrong element in an ad-hoc sub-process", Category.WRONG, ad_hoc),
    error("DW422", "Sequential ad-hoc that begins by itself", Category.UNSUPPORTED, sequential_ad_hoc),
    error("DW421", "Transaction triggered by an event", Category.WRONG, transaction_event),
    warning("DW451", "People named in the model", Category.SUSPICIOUS, assignment_unused),
)
