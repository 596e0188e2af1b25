"""FEEL's types: reading them, and asking whether a value has one."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from engine.expressions import numbers
from engine.expressions.nodes import TypeName
from engine.expressions.tokens import Kind
from engine.expressions.values import Function, Months, Range, Value, intake

if TYPE_CHECKING:
    from engine.expressions.feel.parser import FeelParser

SIMPLE = {
    "string": (str,),
    "boolean": (bool,),
    "date": (date,),
    "time": (time,),
    "date and time": (datetime,),
    "days and time duration": (timedelta,),
    "years and months duration": (Months,),
    "list": (list,),
    "context": (dict,),
    "function": (Function,),
    "range": (Range,),
}
ALIASES = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "any": "Any",
    "null": "Null",
}
KNOWN = frozenset({*SIMPLE, "number", "Any", "Null"})


def parse_type(parser: "FeelParser") -> TypeName:
    """Parse a type; raise ExpressionError for one that FEEL does not have."""
    if parser.sees_word("null"):
        parser.take()
        return TypeName("Null")
    start = parser.token.start
    name, _, _ = parser.name("a type")
    name = ALIASES.get(name, name)
    if name not in KNOWN:
        raise parser.fault(f'no type "{name}"', at=start, hint=f"types are {', '.join(sorted(KNOWN))}")
    if not parser.accept("<"):
        return TypeName(name)
    with parser.nested():
        found = _parameters(parser, name)
    if name == "function":
        parser.expect("->")
        found = TypeName(name, (*found.arguments, parse_type(parser)))
    return found


def _parameters(parser: "FeelParser", name: str) -> TypeName:
    if name not in ("list", "range", "context", "function"):
        raise parser.fault(f'the type "{name}" has no parameters')
    fields: list[tuple[str, TypeName]] = []
    arguments: list[TypeName] = []
    while not parser.accept(">"):
        if fields or arguments:
            parser.expect(",")
        if name == "context":
            key, _, _ = parser.name("a key")
            parser.expect(":")
            fields.append((key, parse_type(parser)))
        else:
            arguments.append(parse_type(parser))
    if parser.token.kind is Kind.END and name == "function":
        raise parser.fault("a function type needs a result", hint="function<number> -> string")
    return TypeName(name, tuple(arguments), tuple(fields))


def is_instance(value: Value, wanted: TypeName) -> bool:
    """Tell whether ``value`` has the type ``wanted``; null is an instance of Null only."""
    value = intake(value)
    if wanted.name == "Any":
        return value is not None
    if value is None:
        return wanted.name == "Null"
    if wanted.name == "number":
        return type(value) in numbers.NUMERIC
    if type(value) not in SIMPLE.get(wanted.name, ()):
        return False
    if wanted.name == "list" and wanted.arguments:
        return all(conforms(item, wanted.arguments[0]) for item in value)
    if wanted.name == "context":
        return all(key in value and conforms(value[key], part) for key, part in wanted.fields)
    if wanted.name == "range" and wanted.arguments:
        ends = [end for end in (value.low, value.high) if end is not None]
        return all(is_instance(end, wanted.arguments[0]) for end in ends)
    if wanted.name == "function" and wanted.arguments:
        return len(value.parameters) == len(wanted.arguments) - 1
    return True


def conforms(value: Value, wanted: TypeName) -> bool:
    """Tell whether ``value`` may stand where ``wanted`` is asked for: null may everywhere."""
    return value is None or is_instance(value, wanted)
