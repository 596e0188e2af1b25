"""Boxed expressions: each becomes a function of the names it sees."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from lxml import etree

from engine.decisions import loops
from engine.decisions.errors import DecisionError
from engine.decisions.run import Logic, Names, Run
from engine.decisions.source import Source
from engine.decisions.table_reader import read_table
from engine.decisions.types import Type, Types
from engine.expressions import Compiled, ExpressionError, compile_feel, compile_unary_tests
from engine.expressions.errors import LimitError
from engine.expressions.feel import RULES
from engine.expressions.limits import NESTING
from engine.expressions.rules import Builtin, Env
from engine.expressions.values import Function, Value

CALL_FRAMES = 12
"""What a call of a boxed function takes off an evaluation's frames."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is known of the names an expression sees."""

    names: frozenset[str]
    implicit: set[str]
    """Names that input expressions read from the data although no input data declares them."""
    depth: int = 0

    def with_names(self, *names: str) -> "Scope":
        """Return the scope with more names."""
        return replace(self, names=self.names | frozenset(names))


class Reader:
    """Compiles the boxed expressions of one file."""

    def __init__(self, source: Source, types: Types, words: frozenset[str]) -> None:
        """Compile for ``source``; ``words`` are all names of the file that a lexer must know."""
        self.source = source
        self.types = types
        self.words = words

    def boxed(self, element: etree._Element, scope: Scope, name: str) -> Logic:
        """Return the logic of a boxed expression; raise DecisionFileError for one that is not supported."""
        kind = etree.QName(element).localname
        compile_ = BOXED.get(kind)
        if compile_ is None or etree.QName(element).namespace != self.source.namespace:
            raise self.source.fault(f'"{kind}" is no boxed expression that is supported', element)
        if scope.depth > NESTING // 2:
            raise self.source.fault("boxed expressions are nested too deeply", element)
        self.source.language(element)
        logic = compile_(self, element, replace(scope, depth=scope.depth + 1), name)
        return self.typed(logic, self.types.of(element), name)

    def inside(self, element: etree._Element, scope: Scope, name: str) -> Logic:
        """Return the logic of the one boxed expression inside ``element``."""
        found = [child for kind, child in self.source.children(element) if kind in BOXED]
        if len(found) != 1:
            raise self.source.fault(f'one expression expected in "{etree.QName(element).localname}"', element)
        return self.boxed(found[0], scope, name)

    def typed(self, logic: Logic, wanted: Type, name: str) -> Logic:
        """Return ``logic`` with its result checked against a declared type."""
        if wanted.base == "Any" and not wanted.collection:
            return logic
        return lambda names, run: self.types.fit(logic(names, run), wanted, f'"{name}"')

    def literal(self, element: etree._Element, scope: Scope, *, implicit: bool = False) -> Logic:
        """Return the logic of a literal expression."""
        self.source.only(element, "text")
        self.source.language(element)
        text = self.source.text(element).strip()
        if not text:
            raise self.source.fault("the expression is empty", element, "write null, or a value")
        try:
            compiled = compile_feel(text, scope.names, words=self.words)
        except ExpressionError as error:
            raise self.source.expression_fault(error, element) from None
        self._known(compiled, element, scope, implicit)
        return lambda names, run: compiled.value(names, run.functions, run.budget)

    def tests(self, element: etree._Element, scope: Scope, *, empty: bool = False) -> Compiled:
        """Return the unary tests of a cell; with ``empty`` an empty cell means any value."""
        self.source.only(element, "text")
        self.source.language(element)
        text = self.source.text(element).strip()
        try:
            compiled = compile_unary_tests("-" if empty and not text else text, scope.names, words=self.words)
        except ExpressionError as error:
            raise self.source.expression_fault(error, element) from None
        self._known(compiled, element, scope, implicit=False)
        return compiled

    def _known(self, compiled: Compiled, element: etree._Element, scope: Scope, implicit: bool) -> None:
        """Refuse names that nothing declares; an input expression declares what it reads itself."""
        unknown = sorted(compiled.names - scope.names - scope.implicit - {"?"})
        if implicit:
            scope.implicit.update(unknown)
        elif unknown:
            raise self.source.fault(
                f'no input, decision or variable "{unknown[0]}" is known in «{compiled.text[:80]}»',
                element,
                f'text stands in quotes: "{unknown[0]}"; else draw a requirement to its source',
            )


def _literal(reader: Reader, element: etree._Element, scope: Scope, name: str) -> Logic:
    return reader.literal(element, scope)


def _table(reader: Reader, element: etree._Element, scope: Scope, name: str) -> Logic:
    return read_table(reader, element, scope, name)


def _context(reader: Reader, element: etree._Element, scope: Scope, name: str) -> Logic:
    """Entries see the entries before them; one without a name is the result."""
    reader.source.only(element, "contextEntry")
    entries: list[tuple[str | None, Logic]] = []
    for _, entry in reader.source.children(element):
        variable = reader.source.child(entry, "variable")
        key = None if variable is None else reader.source.name_of(variable)
        if entries and entries[-1][0] is None:
            raise reader.source.fault("nothing may follow a context's result", entry)
        if key is not None and any(key == known for known, _ in entries):
            raise reader.source.fault(f'the entry "{key}" stands there twice', entry)
        logic = reader.inside(entry, scope, key or name)
        entries.append((key, reader.typed(logic, reader.types.of(variable), key or name)))
        scope = scope if key is None else scope.with_names(key)

    def collect(names: Names, run: Run) -> Value:
        seen = dict(names)
        found: dict[str, Value] = {}
        for key, logic in entries:
            value = logic(seen, run)
            if key is None:
                return value
            seen[key] = found[key] = value
        return found

    return collect


def _list(reader: Reader, element: etree._Element, scope: Scope, name: str) -> Logic:
    items = [reader.boxed(child, scope, name) for _, child in reader.source.children(element)]
    return lambda names, run: [item(names, run) for item in items]


def _relation(reader: Reader, element: etree._Element, scope: Scope, name: str) -> Logic:
    reader.source.only(element, "column", "row")
    parts = list(reader.source.children(element))
    columns = [reader.source.name_of(part) for kind, part in parts if kind == "column"]
    rows: list[list[Logic]] = []
    for kind, part in parts:
        if kind == "row":
            cells = [reader.boxed(cell, scope, name) for _, cell in reader.source.children(part)]
            if len(cells) != len(columns):
                raise reader.source.fault(f"a row of {len(cells)} cells under {len(columns)} columns", part)
            rows.append(cells)
    return lambda names, run: [
        {column: cell(names, run) for column, cell in zip(columns, row, strict=True)} for row in rows
    ]


def _invocation(reader: Reader, element: etree._Element, scope: Scope, name: str) -> Logic:
    source = reader.source
    called: Logic | None = None
    text = ""
    bindings: dict[str, Logic] = {}
    for kind, part in source.children(element):
        if kind == "binding":
            parameter = source.child(part, "parameter")
            if parameter is None:
                raise source.fault("a binding has no parameter", part)
            logic = reader.inside(part, scope, source.name_of(parameter))
            bindings[source.name_of(parameter)] = logic
        elif called is None:
            text = " ".join(source.text(part).split())
            called = (
                None
                if text in RULES.builtins and text not in scope.names
                else reader.boxed(part, scope, name)
            )
            if called is None:
                called = _builtin(reader, part, text, bindings)
        else:
            raise source.fault(f'"{kind}" is not supported in an invocation', part)
    if called is None:
        raise source.fault("an invocation calls nothing", element)
    target = called

    def call(names: Names, run: Run) -> Value:
        arguments = {parameter: logic(names, run) for parameter, logic in bindings.items()}
        return _call(target(names, run), arguments, text, names, run)

    return call


def _builtin(reader: Reader, element: etree._Element, name: str, bindings: Mapping[str, Logic]) -> Logic:
    """Return a built-in function as a function value with the parameters that the bindings name."""
    builtin = RULES.builtins[name]

    def make(names: Names, run: Run) -> Value:
        for signature in builtin.parameters:
            used = [parameter.rstrip("?*") for parameter in signature][: len(bindings)]
            if set(used) == set(bindings):
                return _as_function(builtin, tuple(used))
        raise DecisionError(f"{name}() has no parameters {', '.join(bindings)}")

    return make


def _as_function(builtin: Builtin, parameters: tuple[str, ...]) -> Function:
    return Function(parameters, lambda given, env: builtin.call(env, *[given[key] for key in parameters]))


def _call(function: Value, arguments: dict[str, Value], text: str, names: Names, run: Run) -> Value:
    if type(function) is not Function:
        raise DecisionError(f'"{text}" is no function')
    if set(function.parameters) != set(arguments):
        raise DecisionError(
            f'"{text}" is called with {", ".join(arguments) or "nothing"}',
            hint=f"its parameters are {', '.join(function.parameters) or 'none'}",
        )
    return function.body(arguments, Env(names, run.functions, run.budget))


def _function(reader: Reader, element: etree._Element, scope: Scope, name: str) -> Logic:
    source = reader.source
    kind = (element.get("kind") or "FEEL").strip()
    if kind != "FEEL":
        raise source.fault(f"functions of kind {kind} are not supported", element, "write the body in FEEL")
    parameters = [
        (source.name_of(part), reader.types.of(part))
        for tag, part in source.children(element)
        if tag == "formalParameter"
    ]
    body = reader.inside(element, scope.with_names(*(key for key, _ in parameters)), name)

    def make(names: Names, run: Run) -> Value:
        return boxed_function(parameters, body, names, run, reader.types, name)

    return make


def boxed_function(
    parameters: list[tuple[str, Type]], body: Logic, names: Names, run: Run, types: Types, name: str
) -> Function:
    """Return the function value of a boxed function; ``names`` is what it sees besides its parameters."""

    def call(arguments: Mapping[str, Value], env: Env) -> Value:
        fitted = {
            key: types.fit(arguments[key], wanted, f'"{key}" of "{name}"') for key, wanted in parameters
        }
        env.budget.spend(10)
        env.budget.frames -= CALL_FRAMES
        if env.budget.frames < 0:
            raise LimitError("functions call each other too deeply")
        try:
            return body({**names, **fitted}, run)
        finally:
            env.budget.frames += CALL_FRAMES

    return Function(tuple(key for key, _ in parameters), call)


BOXED: Mapping[str, Callable[[Reader, etree._Element, Scope, str], Logic]] = {
    "literalExpression": _literal,
    "decisionTable": _table,
    "context": _context,
    "list": _list,
    "relation": _relation,
    "invocation": _invocation,
    "functionDefinition": _function,
    "conditional": loops.conditional,
    "filter": loops.filtered,
    "for": loops.mapped,
    "some": loops.quantified(False),
    "every": loops.quantified(True),
}
"""Element → how it is compiled."""
