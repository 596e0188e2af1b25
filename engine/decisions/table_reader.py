"""Reads decision tables."""

from typing import TYPE_CHECKING

from lxml import etree

from engine.decisions.run import Logic
from engine.decisions.tables import Aggregation, HitPolicy, Input, Output, Rule, Table
from engine.definitions.xml import line_of
from engine.expressions import Compiled, ExpressionError, compile_unary_tests
from engine.expressions.feel.parser import parse_tests
from engine.expressions.nodes import COMPARISONS, Between, Binary, Node, Test, Within
from engine.expressions.nodes import Logic as NodeLogic

if TYPE_CHECKING:
    from engine.decisions.logic import Reader, Scope


def read_table(reader: "Reader", element: etree._Element, scope: "Scope", name: str) -> Table:
    """Return the table; raise DecisionFileError for what cannot be right."""
    source = reader.source
    source.only(element, "input", "output", "annotation", "rule")
    policy = _policy(reader, element)
    aggregation = _aggregation(reader, element, policy)
    parts = list(source.children(element))
    inputs = tuple(_input(reader, part, scope) for kind, part in parts if kind == "input")
    outputs = tuple(_output(reader, part, scope) for kind, part in parts if kind == "output")
    if not outputs:
        raise source.fault(f'the table "{name}" has no output', element)
    _check_outputs(reader, element, outputs, policy, aggregation)
    found = [part for kind, part in parts if kind == "rule"]
    rules = tuple(
        _rule(reader, part, number, inputs, len(outputs), scope) for number, part in enumerate(found, 1)
    )
    return Table(name, policy, aggregation, inputs, outputs, rules, reader.types)


def _policy(reader: "Reader", element: etree._Element) -> HitPolicy:
    text = (element.get("hitPolicy") or "UNIQUE").strip()
    try:
        return HitPolicy(text)
    except ValueError:
        known = ", ".join(HitPolicy)
        raise reader.source.fault(f'no hit policy "{text}"', element, f"hit policies are {known}") from None


def _aggregation(reader: "Reader", element: etree._Element, policy: HitPolicy) -> Aggregation | None:
    text = (element.get("aggregation") or "").strip()
    if not text:
        return None
    if policy is not HitPolicy.COLLECT:
        raise reader.source.fault(f"{policy} has no aggregation", element, "use hit policy COLLECT")
    try:
        return Aggregation(text)
    except ValueError:
        raise reader.source.fault(f'no aggregation "{text}"', element) from None


def _check_outputs(
    reader: "Reader",
    element: etree._Element,
    outputs: tuple[Output, ...],
    policy: HitPolicy,
    aggregation: Aggregation | None,
) -> None:
    source = reader.source
    names = [clause.name for clause in outputs]
    if len(outputs) > 1 and (None in names or len(set(names)) < len(names)):
        raise source.fault("several outputs need names that differ", element)
    if len(outputs) > 1 and aggregation is not None:
        raise source.fault(f"{aggregation} needs a table with one output", element)
    if policy in (HitPolicy.PRIORITY, HitPolicy.OUTPUT_ORDER) and not any(clause.order for clause in outputs):
        raise source.fault(
            f"{policy} needs output values", element, "list the output values, the most important first"
        )


def _input(reader: "Reader", element: etree._Element, scope: "Scope") -> Input:
    source = reader.source
    source.only(element, "inputExpression", "inputValues")
    expression = source.child(element, "inputExpression")
    if expression is None:
        raise source.fault("an input has no expression", element)
    label = " ".join((element.get("label") or source.text(expression)).split())
    value = reader.literal(expression, scope, implicit=True)
    values = source.child(element, "inputValues")
    allowed = None if values is None or not source.text(values).strip() else reader.tests(values, scope)
    outside = source.text(expression).split(".")[0].strip() in scope.implicit
    return Input(label, value, reader.types.of(expression), allowed, outside)


def _output(reader: "Reader", element: etree._Element, scope: "Scope") -> Output:
    source = reader.source
    source.only(element, "outputValues", "defaultOutputEntry")
    default = source.child(element, "defaultOutputEntry")
    values = source.child(element, "outputValues")
    allowed: Compiled | None = None
    order: tuple[Compiled, ...] = ()
    if values is not None and source.text(values).strip():
        allowed = reader.tests(values, scope)
        order = _order(reader, values)
    elif reader.types.of(element).allowed is not None:
        order = _split(str(getattr(reader.types.of(element).allowed, "text", "")))
    name = " ".join((element.get("name") or "").split()) or None
    cell = None if default is None else reader.literal(default, scope)
    return Output(name, reader.types.of(element), allowed, order, cell)


def _order(reader: "Reader", element: etree._Element) -> tuple[Compiled, ...]:
    try:
        return _split(reader.source.text(element))
    except ExpressionError as error:
        raise reader.source.expression_fault(error, element) from None


def _split(text: str) -> tuple[Compiled, ...]:
    """Return each of the tests in a list of values as a test of its own."""
    stripped = text.strip()
    tree = parse_tests(stripped)
    return tuple(compile_unary_tests(stripped[test.start : test.end]) for test in tree.tests)


def _rule(
    reader: "Reader",
    element: etree._Element,
    number: int,
    inputs: tuple[Input, ...],
    outputs: int,
    scope: "Scope",
) -> Rule:
    source = reader.source
    source.only(element, "inputEntry", "outputEntry", "annotationEntry")
    tests: list[Compiled] = []
    cells: list[Logic] = []
    for kind, part in source.children(element):
        if kind == "inputEntry":
            tests.append(reader.tests(part, scope, empty=True))
            if len(tests) <= len(inputs):
                _check_cell(reader, part, inputs[len(tests) - 1], scope)
        elif kind == "outputEntry":
            if not source.text(part).strip():
                raise source.fault(f"an output of rule {number} is empty", part, "write null, or a value")
            cells.append(reader.literal(part, scope))
    if len(tests) != len(inputs) or len(cells) != outputs:
        raise source.fault(
            f"rule {number} has {len(tests)} inputs, {len(cells)} outputs; "
            f"the table {len(inputs)} and {outputs}",
            element,
        )
    return Rule(number, line_of(element), tuple(tests), tuple(cells))


def _check_cell(reader: "Reader", element: etree._Element, clause: Input, scope: "Scope") -> None:
    """Refuse a condition that does not speak of the input: it would be compared with it, and never be equal.

    DMN 1.5, 7.3.7 and 10.3.2.9: only a test with ``?`` is a condition, any other one a value to be equal to.
    """
    text = reader.source.text(element).strip()
    if clause.type.base == "boolean" or not text:
        return
    for test in parse_tests(text, scope.names | reader.words).tests:
        if not isinstance(test, Test) or test.op is not None or test.uses_input:
            continue
        if _is_condition(test.operand):
            raise reader.source.fault(
                f"the condition «{text[test.start : test.end][:80]}» does not speak of the input",
                element,
                "write ? for the input",
            )


def _is_condition(node: Node) -> bool:
    return isinstance(node, NodeLogic | Between | Within) or (
        isinstance(node, Binary) and node.op in COMPARISONS
    )
