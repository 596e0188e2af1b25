"""Boxed conditionals, filters and iterations (DMN 1.4 and later)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from lxml import etree

from engine.decisions.run import Logic, Names, Run
from engine.expressions import ExpressionError, compile_feel, numbers
from engine.expressions.feel import RULES
from engine.expressions.feel.rules import as_list
from engine.expressions.limits import check_count
from engine.expressions.values import Value, intake

if TYPE_CHECKING:
    from engine.decisions.logic import Reader, Scope

    Compile = Callable[["Reader", etree._Element, "Scope", str], Logic]


def _part(reader: "Reader", element: etree._Element, tag: str, scope: "Scope", name: str) -> Logic:
    part = reader.source.child(element, tag)
    if part is None:
        raise reader.source.fault(f'"{tag}" is missing', element)
    return reader.inside(part, scope, name)


def conditional(reader: "Reader", element: etree._Element, scope: "Scope", name: str) -> Logic:
    """Compile ``if``/``then``/``else``: null chooses ``else``, what is no truth value gives null."""
    reader.source.only(element, "if", "then", "else")
    condition, then, otherwise = (_part(reader, element, tag, scope, name) for tag in ("if", "then", "else"))

    def choose(names: Names, run: Run) -> Value:
        answer = condition(names, run)
        if answer is not None and type(answer) is not bool:
            return None
        return then(names, run) if answer else otherwise(names, run)

    return choose


def filtered(reader: "Reader", element: etree._Element, scope: "Scope", name: str) -> Logic:
    """Compile a filter: the elements for which the condition is true, or the one at a position."""
    reader.source.only(element, "in", "match")
    items = _part(reader, element, "in", scope, name)
    match = reader.source.child(element, "match")
    if match is None:
        raise reader.source.fault('"match" is missing', element)
    condition = _match(reader, match, scope, name)

    def select(names: Names, run: Run) -> Value:
        value = items(names, run)
        found = []
        for item in as_list(value):
            run.budget.spend(10)
            element_ = intake(item)
            keys = element_ if type(element_) is dict else {}
            answer = condition({**names, "item": element_, **keys}, run)
            if answer is True:
                found.append(element_)
            elif type(answer) in numbers.NUMERIC:
                return RULES.index(value, answer)
            elif answer is not None and type(answer) is not bool:
                return None
        return found

    return select


def _match(reader: "Reader", element: etree._Element, scope: "Scope", name: str) -> Logic:
    """Compile a filter's condition, which may name keys of the elements that nothing declares."""
    text = next(
        (
            reader.source.text(part)
            for tag, part in reader.source.children(element)
            if tag == "literalExpression"
        ),
        None,
    )
    if text is None:
        return reader.inside(element, scope.with_names("item"), name)
    try:
        compiled = compile_feel(text.strip(), scope.with_names("item").names, words=reader.words)
    except ExpressionError as error:
        raise reader.source.expression_fault(error, element) from None
    return lambda names, run: compiled.value(names, run.functions, run.budget)


def _iterator(element: etree._Element, reader: "Reader") -> str:
    name = " ".join((element.get("iteratorVariable") or "").split())
    if not name:
        raise reader.source.fault("the iterator variable has no name", element)
    return name


def _elements(value: Value) -> list[Value] | None:
    if value is None:
        return None
    items = as_list(value)
    check_count(len(items))
    return items


def mapped(reader: "Reader", element: etree._Element, scope: "Scope", name: str) -> Logic:
    """Compile ``for``: a list of what each element becomes; the body sees ``partial``."""
    reader.source.only(element, "in", "return")
    variable = _iterator(element, reader)
    items = _part(reader, element, "in", scope, name)
    body = _part(reader, element, "return", scope.with_names(variable, "partial"), name)

    def loop(names: Names, run: Run) -> Value:
        elements = _elements(items(names, run))
        if elements is None:
            return None
        results: list[Value] = []
        for item in elements:
            run.budget.spend(10)
            results.append(body({**names, variable: intake(item), "partial": list(results)}, run))
        return results

    return loop


def quantified(every: bool) -> "Compile":
    """Return how ``every`` or ``some`` is compiled."""

    def compile_(reader: "Reader", element: etree._Element, scope: "Scope", name: str) -> Logic:
        reader.source.only(element, "in", "satisfies")
        variable = _iterator(element, reader)
        items = _part(reader, element, "in", scope, name)
        condition = _part(reader, element, "satisfies", scope.with_names(variable), name)

        def judge(names: Names, run: Run) -> Value:
            elements = _elements(items(names, run))
            if elements is None:
                return None
            answers = []
            for item in elements:
                run.budget.spend(10)
                answers.append(condition({**names, variable: intake(item)}, run))
            if any(answer is not None and type(answer) is not bool for answer in answers):
                return None
            if any(answer is (not every) for answer in answers):
                return not every
            return None if None in answers else every

        return judge

    return compile_
