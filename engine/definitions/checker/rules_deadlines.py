"""Rules about legal deadlines in models: what they hang on, and when tasks are due."""

import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Literal as OneOf

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Place, Rule, Subject, error, warning
from engine.definitions.checker.rules_exchange import message_of, sends
from engine.definitions.model import EventKind, Expression, NodeKind, TimerKind
from engine.errors import DienstwegError
from engine.expressions import CompiledTimer, ExpressionError, compile_timer
from engine.expressions.nodes import Call, Literal, Name, Node

_CALLS = ("deadline", "deadline_date")
_BASES = ("arrival", "receipt", "notification-fiction")
_ON_FACTS = re.compile(
    r"\bdeadline(?:_date)?\s*\([^)]*[\"'](?:arrival|receipt|notification-fiction)(?::[^\"']*)?[\"']"
)


def on_facts_elsewhere(subject: Subject) -> Iterator[Fault]:
    """A deadline that hangs on facts is armed later: only timers and due dates can wait for that."""
    hint = "use it as the whole value of a timer's timeDate, or of dw:due"
    for _, scope, _ in subject.scopes():
        for flow in scope.flows.values():
            if flow.condition is not None and _ON_FACTS.search(flow.condition.text):
                yield Fault(flow.condition.line, flow.id, flow.name, _told("a condition"), hint)
    for place in subject.places:
        for line, text in _other_texts(place):
            if _ON_FACTS.search(text):
                yield place.fault(_told("this text"), hint, line)
        for line, timer in _times(subject, place):
            tree = timer.expression.tree if timer.expression is not None else None
            if tree is None or not _ON_FACTS.search(timer.text):
                continue
            if _call_on_facts(tree) is None:
                yield place.fault(_told("a part of a larger expression"), hint, line)


def _told(where: str) -> str:
    return f"a deadline that hangs on facts of a message stands in {where}, where nothing can arm it later"


def _other_texts(place: Place) -> Iterator[tuple[int, str]]:
    node = place.node
    for mapping in (*node.inputs, *node.outputs):
        if mapping.source is not None:
            yield mapping.source.line, mapping.source.text
    if node.script is not None and node.script.text:
        yield node.script.line, node.script.text
    for event in node.events:
        if event.kind is EventKind.CONDITIONAL and event.expression is not None:
            yield event.expression.line, event.expression.text
        if event.timer is TimerKind.CYCLE and event.expression is not None:
            yield event.expression.line, event.expression.text
    for name in ("recipient", "documents"):
        if name in node.attributes:
            yield node.line, node.attributes[name]


def _times(subject: Subject, place: Place) -> Iterator[tuple[int, CompiledTimer]]:
    """Yield the timers and due dates of a node that name a deadline and compile."""
    node = place.node
    texts = [
        Expression(text, node.line)
        for text in (node.attributes.get("due"), node.assignment.get("dueDate"))
        if text is not None
    ]
    texts += [event.expression for event in node.events if event.timer and event.expression]
    for item in texts:
        if "deadline" not in item.text:
            continue
        try:
            yield (
                item.line,
                compile_timer(item.text, "timeDate", item.language, functions=subject.context.functions),
            )
        except ExpressionError:
            continue  # DW504 and DW809 tell it


def _call_on_facts(tree: Node) -> Call | None:
    """Return the call where the whole expression is a deadline on facts, written out."""
    if not isinstance(tree, Call) or not isinstance(tree.function, Name) or len(tree.arguments) != 3:
        return None
    if tree.function.name != "deadline" or _basis(tree) is None:
        return None
    return tree


def _basis(call: Call) -> str | None:
    start = call.arguments[2] if len(call.arguments) > 2 else None
    if not isinstance(start, Literal) or not isinstance(start.value, str):
        return None
    basis = start.value.partition(":")[0]
    return basis if basis in _BASES else None


def unknown_start(subject: Subject) -> Iterator[Fault]:
    """It has to be certain which message a deadline hangs on."""
    for place in subject.places:
        for line, timer in _times(subject, place):
            call = None if timer.expression is None else _call_on_facts(timer.expression.tree)
            if call is None or not isinstance(call.arguments[2], Literal):
                continue
            element = str(call.arguments[2].value).partition(":")[2]
            if element:
                named = subject.by_id.get(element)
                if named is None or named.process is not place.process or not _starts(named):
                    yield place.fault(
                        f"the deadline hangs on {element}, which neither sends to a partner nor begins",
                        "name the element that sends the message, in the same process",
                        line,
                    )
            elif not _obvious(subject, place):
                yield place.fault(
                    "it is not certain on which message the deadline hangs",
                    'name the element that sends it, for example "arrival:Send_Request"',
                    line,
                )


def _starts(place: Place) -> bool:
    """Tell whether deadlines can hang on the element's message."""
    node = place.node
    if node.kind is NodeKind.START_EVENT:
        return place.owner is None and message_of(node) is not None
    return sends(node) and "recipient" in node.attributes


def _obvious(subject: Subject, place: Place) -> bool:
    host = subject.by_id.get(place.node.attached_to or "")
    if host is not None and "answers" in host.node.attributes:
        return True
    return len([other for other in subject.places if other.process is place.process and _starts(other)]) == 1


def unsuitable_rule(subject: Subject) -> Iterator[Fault]:
    """A legal rule that is written out has to exist, to take the period, and to run from the basis."""
    for place in subject.places:
        for line, timer in _times(subject, place):
            if timer.expression is None:
                continue
            for call in _calls(timer.expression.tree):
                fault = _rule_fault(call)
                if fault is not None:
                    yield place.fault(fault[0], fault[1], line)


def _calls(tree: Node) -> Iterator[Call]:
    if isinstance(tree, Call) and isinstance(tree.function, Name) and tree.function.name in _CALLS:
        yield tree
    for field in fields(tree):
        value = getattr(tree, field.name)
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, Node):
                yield from _calls(inner)


def _rule_fault(call: Call) -> tuple[str, str] | None:
    rule_id = call.arguments[0] if call.arguments else None
    if not isinstance(rule_id, Literal) or not isinstance(rule_id.value, str):
        return None
    # The rules are read only where a model names one: reading takes longer than checking a model.
    from engine.deadlines.bases import check_basis
    from engine.deadlines.rules_reading import load_rules

    try:
        load_rules().get(rule_id.value)
        basis = _basis(call)
        if basis is not None:
            check_basis(rule_id.value, basis)
    except DienstwegError as refusal:
        return refusal.message, refusal.hint or "dienstweg deadline rules lists them"
    return None


def due_not_understood(subject: Subject) -> Iterator[Fault]:
    """dw:due is a day, an instant, a period, or an expression; dw:remindBefore is a list of periods."""
    for place in subject.places:
        text = place.node.attributes.get("due")
        if text is not None and not _is_due(subject, text):
            yield place.fault(
                f"dw:due “{text[:80]}” gives no date", "write 2026-11-23, P14D, or an expression of them"
            )
        before = place.node.attributes.get("remindBefore")
        if before is not None and not _are_periods(before):
            yield place.fault(
                f"dw:remindBefore “{before[:80]}” is no list of periods", "write for example P14D,P3D"
            )


def vendors_due_not_understood(subject: Subject) -> Iterator[Fault]:
    """A due date of another modeler that gives no date here leaves the task without one."""
    for place in subject.places:
        text = place.node.assignment.get("dueDate")
        if text is not None and "due" not in place.node.attributes and not _is_due(subject, text):
            yield place.fault(
                f"the due date “{text[:80]}” gives no date here", "write dw:due as well, for example P14D"
            )


def _is_due(subject: Subject, text: str) -> bool:
    return _compiles(subject, text, "timeDuration") or _compiles(subject, text, "timeDate")


def _compiles(subject: Subject, text: str, kind: OneOf["timeDate", "timeDuration"]) -> bool:
    try:
        compile_timer(text, kind, functions=subject.context.functions)
    except ExpressionError:
        return False
    return True


def _are_periods(text: str) -> bool:
    from engine.deadlines.errors import IsoTextError
    from engine.deadlines.iso import parse_period

    try:
        return all(not parse_period(part).has_time for part in text.split(","))
    except IsoTextError:
        return False


RULES: tuple[Rule, ...] = (
    error("DW806", "Deadline that nothing can arm", Category.WRONG, on_facts_elsewhere),
    error("DW807", "Deadline on an unknown message", Category.INCOMPLETE, unknown_start),
    error("DW808", "Legal rule that does not fit", Category.WRONG, unsuitable_rule),
    error("DW809", "Due date that is not understood", Category.WRONG, due_not_understood),
    warning("DW854", "Due date of another modeler", Category.SUSPICIOUS, vendors_due_not_understood),
)
