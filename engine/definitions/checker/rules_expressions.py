"""Rules about texts that are evaluated: conditions, timers, scripts, mappings, attributes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.definitions.checker.findings import Category
from engine.definitions.checker.rule import Fault, Place, Rule, Subject, error
from engine.definitions.model import EventKind, Expression, NodeKind
from engine.expressions import ExpressionError, compile_expression, compile_script, compile_timer

if TYPE_CHECKING:
    from engine.expressions import CompiledScript

_EXPRESSIONS = ("recipient", "documents")
"""The dw attributes that hold expressions."""


def _told(refusal: ExpressionError, what: str, text: str) -> tuple[str, str]:
    shown = text if len(text) <= 80 else text[:77] + "…"
    place = f" at {refusal.position}" if refusal.text else ""
    hint = refusal.hint or "write it in the bare, ${…} or =… syntax (docs/reference/expressions.md)"
    return f"{what} “{shown}” is not understood{place}: {refusal.message}", hint


def _judge(subject: Subject, expression: Expression | None) -> ExpressionError | None:
    if expression is None:
        return None
    functions = subject.context.functions
    try:
        compile_expression(expression.text, expression.language, functions=functions)
    except ExpressionError as refusal:
        return refusal
    return None


def conditions(subject: Subject) -> Iterator[Fault]:
    """Conditions of flows compile."""
    for _, scope, _ in subject.scopes():
        for flow in scope.flows.values():
            refusal = _judge(subject, flow.condition)
            if refusal is not None and flow.condition is not None:
                message, hint = _told(refusal, "the condition", flow.condition.text)
                yield Fault(flow.condition.line, flow.id, flow.name, message, hint)


def _of_place(place: Place) -> Iterator[tuple[str, Expression | None]]:
    node = place.node
    for event in node.events:
        if event.kind is EventKind.CONDITIONAL:
            yield "the event's condition", event.expression
    loop = node.loop
    if loop is not None:
        yield "the loop's condition", loop.condition
        yield "the loop's maximum", loop.maximum
        yield "the number of instances", loop.cardinality
        yield "the list of instances", loop.collection
        yield "the completion condition", loop.completion_condition
    yield "the completion condition", node.adhoc_completion


def other_expressions(subject: Subject) -> Iterator[Fault]:
    """Conditions of events, loops and ad-hoc sub-processes compile."""
    for place in subject.places:
        for what, expression in _of_place(place):
            refusal = _judge(subject, expression)
            if refusal is not None and expression is not None:
                message, hint = _told(refusal, what, expression.text)
                yield place.fault(message, hint, expression.line)


def mappings(subject: Subject) -> Iterator[Fault]:
    """Sources of data mappings compile, targets are variables."""
    for place in subject.places:
        for mapping in (*place.node.inputs, *place.node.outputs):
            if not mapping.all and not mapping.target.isidentifier():
                yield place.fault(
                    f"“{mapping.target}” is no variable name",
                    "use letters, digits and underscores, beginning with a letter",
                    mapping.line,
                )
            refusal = _judge(subject, mapping.source)
            if refusal is not None and mapping.source is not None:
                message, hint = _told(refusal, f"the value of {mapping.target}", mapping.source.text)
                yield place.fault(message, hint, mapping.line)


def timers(subject: Subject) -> Iterator[Fault]:
    """Timers are ISO 8601 literals or expressions that give one."""
    for place in subject.places:
        for event in place.node.events:
            if event.kind is not EventKind.TIMER or event.expression is None or event.timer is None:
                continue
            try:
                compile_timer(
                    event.expression.text,
                    event.timer.value,
                    event.expression.language,
                    functions=subject.context.functions,
                )
            except ExpressionError as refusal:
                message, hint = _told(refusal, "the timer", event.expression.text)
                yield place.fault(message, hint, event.expression.line)


def scripts(subject: Subject) -> Iterator[Fault]:
    """Scripts are sequences of assignments."""
    for place in subject.places:
        script = place.node.script
        if place.node.kind is not NodeKind.SCRIPT_TASK or script is None or not script.text:
            continue
        refusal = script_refusal(subject, place)
        if refusal is not None:
            message, hint = _told(refusal, "the script", script.text.splitlines()[0])
            yield place.fault(message, hint, script.line)


def script_refusal(subject: Subject, place: Place) -> ExpressionError | None:
    """Return why the script of a script task cannot run; None where it can."""
    script = place.node.script
    if script is None:
        return None
    functions = subject.context.functions
    try:
        if place.node.script_result is not None:
            compile_expression(script.text, script.format, functions=functions)
        else:
            compile_script(script.text, script.format, functions=functions)
    except ExpressionError as refusal:
        return refusal
    return None


def compiled_script(subject: Subject, place: Place) -> "CompiledScript | None":
    """Return the script of a script task compiled, None where there is none that could run."""
    script = place.node.script
    if script is None or not script.text or place.node.script_result is not None:
        return None
    try:
        return compile_script(script.text, script.format, functions=subject.context.functions)
    except ExpressionError:
        return None  # DW503 tells it


def attributes(subject: Subject) -> Iterator[Fault]:
    """dw:recipient and dw:documents hold expressions, dw:answerWithin a duration."""
    for place in subject.places:
        for name in _EXPRESSIONS:
            text = place.node.attributes.get(name)
            refusal = _judge(subject, None if text is None else Expression(text, place.node.line))
            if refusal is not None and text is not None:
                message, hint = _told(refusal, f"dw:{name}", text)
                yield place.fault(message, hint)
        within = place.node.attributes.get("answerWithin")
        if within is not None:
            try:
                compile_timer(within, "timeDuration", functions=subject.context.functions)
            except ExpressionError as refusal:
                message, hint = _told(refusal, "dw:answerWithin", within)
                yield place.fault(message, hint)


def correlation(subject: Subject) -> Iterator[Fault]:
    """Retrieval expressions of correlation keys compile."""
    for key in subject.model.correlation_keys:
        for by_message in key.properties.values():
            for message, expression in by_message.items():
                refusal = _judge(subject, expression)
                if refusal is not None:
                    told, hint = _told(refusal, f"the key for message {message}", expression.text)
                    yield Fault(expression.line, None, key.name, told, hint)


RULES: tuple[Rule, ...] = (
    error("DW501", "Condition that is not understood", Category.WRONG, conditions),
    error("DW502", "Expression that is not understood", Category.WRONG, other_expressions),
    error("DW503", "Script that is not understood", Category.UNSUPPORTED, scripts),
    error("DW504", "Timer that is not understood", Category.WRONG, timers),
    error("DW505", "Data mapping that is not understood", Category.WRONG, mappings),
    error("DW506", "dw attribute that is not understood", Category.WRONG, attributes),
    error("DW507", "Correlation key that is not understood", Category.WRONG, correlation),
)
