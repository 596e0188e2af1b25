"""Type definitions of a DMN file: what a value must look like, and reading dates out of JSON's strings."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from lxml import etree

from engine.decisions.errors import TypeMismatchError
from engine.decisions.source import Source
from engine.expressions import (
    Compiled,
    EvaluationError,
    ExpressionError,
    compile_unary_tests,
    numbers,
    temporal,
)
from engine.expressions.feel.types import ALIASES, KNOWN, SIMPLE
from engine.expressions.limits import NESTING
from engine.expressions.values import Months, Value, intake, kind

VENDOR = {"integer": "integer", "long": "integer", "double": "number", "float": "number", "decimal": "number"}
"""Types that modelers offer besides FEEL's own."""
PARSERS = {
    date: temporal.parse_date,
    time: temporal.parse_time,
    datetime: temporal.parse_date_time,
    timedelta: temporal.parse_duration,
    Months: temporal.parse_duration,
}


@dataclass(frozen=True, slots=True)
class Type:
    """A declared type; ``base`` is one of FEEL's names, ``integer``, or the name of another definition."""

    name: str
    base: str
    collection: bool = False
    components: tuple[tuple[str, "Type"], ...] = ()
    allowed: Compiled | None = None
    allowed_on_list: bool = False
    """DMN 1.5's typeConstraint judges the whole list, allowedValues each element."""


ANY = Type("Any", "Any")


class Types:
    """The type definitions of a file."""

    def __init__(self, source: Source) -> None:
        """Read the item definitions; raise DecisionFileError for unknown and endless ones."""
        self._source = source
        self._items: dict[str, Type] = {}
        elements = [item for name, item in source.children(source.root) if name == "itemDefinition"]
        for element in elements:
            name = source.name_of(element)
            if name in self._items:
                raise source.fault(f'the type "{name}" stands there twice', element)
            self._items[name] = self._read(element, name, 0)
        for element in elements:
            self._check(element, self._items[source.name_of(element)], ())

    def _read(self, element: etree._Element, name: str, depth: int) -> Type:
        source = self._source
        if depth > NESTING:
            raise source.fault("types are nested too deeply", element)
        source.only(
            element,
            "typeRef",
            "allowedValues",
            "typeConstraint",
            "itemComponent",
            "functionItem",
            "typeLanguage",
        )
        components = tuple(
            (source.name_of(part), self._read(part, source.name_of(part), depth + 1))
            for kind_, part in source.children(element)
            if kind_ == "itemComponent"
        )
        reference = source.child(element, "typeRef")
        base = "context" if components else "Any"
        if source.child(element, "functionItem") is not None:
            base = "function"
        if reference is not None:
            base = self._resolve("".join(map(str, reference.itertext())), reference)
        constraint = source.child(element, "typeConstraint")
        allowed = source.child(element, "allowedValues") if constraint is None else constraint
        tests = None if allowed is None else self.tests(allowed)
        collection = element.get("isCollection") in ("true", "1")
        return Type(name, base, collection, components, tests, constraint is not None)

    def tests(self, element: etree._Element) -> Compiled:
        """Compile allowed values: unary tests."""
        self._source.language(element)
        try:
            return compile_unary_tests(self._source.text(element).strip())
        except ExpressionError as error:
            raise self._source.expression_fault(error, element) from None

    def _check(self, element: etree._Element, item: Type, path: tuple[str, ...]) -> None:
        """Refuse bases that nobody defines and definitions that never end."""
        if item.base in path:
            raise self._source.fault(f'the type "{item.base}" is defined by itself', element)
        if item.base not in KNOWN and item.base != "integer":
            if item.base not in self._items:
                raise self._source.fault(
                    f'no type "{item.base}"', element, "define it, or use one of FEEL's types"
                )
            self._check(element, self._items[item.base], (*path, item.base))
        for _, part in item.components:
            if part.base in self._items:
                continue  # a structure may hold itself: values end, so do checks
            self._check(element, part, ())

    def _resolve(self, text: str, element: etree._Element) -> str:
        """Return a type reference without its prefix, FEEL's own types by their present names."""
        name = " ".join(text.split())
        prefix, colon, rest = name.partition(":")
        if colon and prefix in element.nsmap:
            name = rest
        if name in self._items:
            return name
        return ALIASES.get(name, VENDOR.get(name, name))

    def of(self, element: etree._Element | None) -> Type:
        """Return the type that an element's ``typeRef`` names; anything where it names none."""
        text = "" if element is None else (element.get("typeRef") or "").strip()
        if element is None or not text:
            return ANY
        name = self._resolve(text, element)
        if name in self._items:
            return self._items[name]
        if name in KNOWN or name == "integer":
            return Type(name, name)
        raise self._source.fault(f'no type "{text}"', element, "define it, or use one of FEEL's types")

    @property
    def words(self) -> frozenset[str]:
        """The names of all components."""
        found: set[str] = set()
        pending = list(self._items.values())
        while pending:
            item = pending.pop()
            found.update(name for name, _ in item.components)
            pending.extend(part for _, part in item.components)
        return frozenset(found)

    def fit(self, value: Value, wanted: Type, what: str, *, outside: bool = False) -> Value:
        """Return ``value`` as ``wanted`` asks for it.

        Null fits everywhere; a list of one stands for its element where no list is wanted, and an element for
        a list of one where one is wanted. From ``outside`` (JSON) strings are read as dates and durations.

        Raises:
            TypeMismatchError: naming ``what`` and where inside it.
        """
        value = intake(value)
        if value is None or wanted is ANY:
            return value
        if wanted.collection:
            items = value if type(value) is list else [value]
            fitted = [
                self._one(item, wanted, f"{what}[{place}]", outside) for place, item in enumerate(items, 1)
            ]
            if wanted.allowed_on_list:
                self._allowed(fitted, wanted, what)
            return fitted
        return self._one(value, wanted, what, outside)

    def _one(self, value: Value, wanted: Type, what: str, outside: bool) -> Value:
        value = intake(value)
        if value is None:
            return None
        base = self._items.get(wanted.base)
        if base is not None:
            value = self.fit(value, base, what, outside=outside)
        elif wanted.components:
            value = self._context(value, wanted, what, outside)
        else:
            value = _simple(value, wanted.base, what, outside)
        if not (wanted.collection and wanted.allowed_on_list):
            self._allowed(value, wanted, what)
        return value

    def _context(self, value: Value, wanted: Type, what: str, outside: bool) -> Value:
        if type(value) is list and len(value) == 1:
            value = intake(value[0])
        if type(value) is not dict:
            raise _mismatch(value, wanted.name, what)
        fitted = dict(value)
        for name, part in wanted.components:
            if name not in fitted:
                raise TypeMismatchError(f'{what} has no "{name}"', hint="give it a value; null is one too")
            fitted[name] = self.fit(fitted[name], part, f"{what}.{name}", outside=outside)
        return fitted

    def _allowed(self, value: Value, wanted: Type, what: str) -> None:
        if wanted.allowed is not None and wanted.allowed.value({"?": value}) is not True:
            raise TypeMismatchError(
                f'{what} is not among the allowed values of "{wanted.name}": {wanted.allowed.text.strip()}'
            )


def _simple(value: Value, base: str, what: str, outside: bool) -> Value:
    if base == "Any":
        return value
    if type(value) is list and base != "list" and len(value) == 1:
        value = intake(value[0])
    if base == "list" and type(value) is not list:
        return [value]
    if base in ("number", "integer"):
        if type(value) not in numbers.NUMERIC or (
            base == "integer" and type(numbers.whole(value)) is not int
        ):
            raise _mismatch(value, base, what)
        return value
    classes = SIMPLE.get(base, ())
    if type(value) in classes:
        return value
    if outside and type(value) is str and classes and classes[0] in PARSERS:
        return _parsed(value, classes[0], base, what)
    if base == "date and time" and type(value) is date:
        return datetime.combine(value, time(), tzinfo=UTC)
    raise _mismatch(value, base, what)


def _parsed(text: str, cls: type, base: str, what: str) -> Value:
    try:
        value: Value = PARSERS[cls](text)
    except EvaluationError as error:
        raise TypeMismatchError(f"{what}: {error.message}", hint=error.hint) from None
    if type(value) is not cls:
        raise TypeMismatchError(f'{what}: "{text[:40]}" is no {base}')
    return value


def _mismatch(value: Value, wanted: str, what: str) -> TypeMismatchError:
    return TypeMismatchError(f"{what} is a {kind(value)}, not a {wanted}")
