"""Rules about call activities and the processes they call."""

from collections.abc import Iterator

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Rule, Subject, error, note
from engine.definitions.model import Node, NodeKind
from engine.definitions.xml import BPMN


def call_without_target(subject: Subject) -> Iterator[Fault]:
    """A call activity says which process it calls, and it is always the same one."""
    for place in subject.places:
        node = place.node
        if node.kind is not NodeKind.CALL_ACTIVITY:
            continue
        called = node.called_element
        if not called:
            if not _calls_other(subject, node):
                yield place.fault(
                    "the call activity names no process", "choose the called process (calledElement)"
                )
        elif called.startswith(("=", "${", "#{")):
            yield place.fault(
                f"the called process “{called}” would have to be computed at run time",
                "call one process; branch before it with a gateway",
            )


def _calls_other(subject: Subject, node: Node) -> bool:
    return any(item.element == node.id and item.tag.endswith("}caseRef") for item in subject.model.unread)


def unknown_process(subject: Subject) -> Iterator[Fault]:
    """The called process exists, here or in the package."""
    known = subject.context.processes
    own = {process.id: process for process in subject.model.processes}
    tasks = {
        item.element: item.tag
        for item in subject.model.unread
        if item.bpmn and item.tag.startswith(f"{{{BPMN}}}global")
    }
    for place in subject.places:
        called = place.node.called_element
        if not called or called.startswith(("=", "${", "#{")):
            continue
        if called in tasks:
            yield place.fault(
                f"“{called}” is a {tasks[called].rpartition('}')[2]}; global tasks are not supported",
                "draw the task in the process, or call a process that holds it",
            )
        elif called in own:
            if not own[called].executable and any(process.executable for process in own.values()):
                yield place.fault(
                    f"the called process “{called}” is not executable",
                    'set isExecutable="true" on it',
                )
            elif not any(start for start in own[called].scope.starts() if not start.events):
                yield place.fault(
                    f"the called process “{called}” has no start event without a trigger",
                    "give it one; a call brings the data along and waits for no message",
                )
        elif known is not None and called not in known:
            yield place.fault(
                f"process “{called}” is not known", f"known are: {', '.join(sorted(known)) or 'none'}"
            )


def calls_outside(subject: Subject) -> Iterator[Fault]:
    """Without knowing the package, a call into another file cannot be judged."""
    if subject.context.processes is not None:
        return
    own = {process.id for process in subject.model.processes}
    for place in subject.places:
        called = place.node.called_element
        if called and called not in own and not called.startswith(("=", "${", "#{")):
            yield place.fault(
                f"process “{called}” is not in this file; whether it exists is checked when the package is",
                "check the whole package to be sure",
            )


RULES: tuple[Rule, ...] = (
    error("DW409", "Call activity without process", Category.INCOMPLETE, call_without_target),
    error("DW410", "Unknown called process", Category.WRONG, unknown_process),
    note("DW461", "Call into another file", Category.SUSPICIOUS, calls_outside),
)
