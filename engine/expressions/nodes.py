"""The one abstract syntax tree. The three front-ends make it, ``closures`` gives it meaning by dialect."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Op(StrEnum):
    """Operators with two operands; what they do with each kind of value is the dialect's affair."""

    ADD = "+"
    SUBTRACT = "-"
    MULTIPLY = "*"
    DIVIDE = "/"
    FLOOR_DIVIDE = "//"
    MODULO = "%"
    POWER = "**"
    CONCAT = "+="
    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    CONTAINS = "in"


COMPARISONS = frozenset({Op.EQUAL, Op.NOT_EQUAL, Op.LESS, Op.LESS_EQUAL, Op.GREATER, Op.GREATER_EQUAL})


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression; ``start`` and ``end`` are offsets into its text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A constant, already a value of the evaluator."""

    value: Any


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Member(Node):
    """``target.name``: a key of a dict, or a documented property of a date or duration."""

    target: Node
    name: str


@dataclass(frozen=True, slots=True)
class Index(Node):
    """``target[index]`` where brackets only ever mean a key or a position."""

    target: Node
    index: Node


@dataclass(frozen=True, slots=True)
class Filter(Node):
    """FEEL's ``target[condition or position]``."""

    target: Node
    condition: Node


@dataclass(frozen=True, slots=True)
class Negate(Node):
    """Arithmetic negation; ``plus`` keeps the sign."""

    operand: Node
    plus: bool = False


@dataclass(frozen=True, slots=True)
class Not(Node):
    """Logical negation."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Empty(Node):
    """JUEL's ``empty x``."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """An operator between two operands."""

    op: Op
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """Comparisons in a row, ``a < b <= c``: each operand is evaluated once."""

    first: Node
    links: tuple[tuple[Op, Node], ...]


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """``and`` or ``or`` over two or more operands."""

    conjunction: bool
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class If(Node):
    """A choice between two values."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(frozen=True, slots=True)
class ListOf(Node):
    """A list."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ContextOf(Node):
    """A dict. With ``scoped`` (FEEL) an entry sees the entries before it."""

    entries: tuple[tuple[str, Node], ...]
    scoped: bool = False


@dataclass(frozen=True, slots=True)
class Join(Node):
    """A text template: literal pieces and expressions, joined to one string."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A call of a built-in, a function of the caller, or (FEEL) of a function value."""

    function: Node
    arguments: tuple[Node, ...]
    names: tuple[str, ...] = ()
    """Parameter names, one an argument, where the call names them."""


@dataclass(frozen=True, slots=True)
class RangeOf(Node):
    """FEEL's ``[low..high]``, or ``(< high)`` where an end is missing or ``comparison`` set."""

    low: Node | None
    high: Node | None
    low_closed: bool
    high_closed: bool
    comparison: bool = False


@dataclass(frozen=True, slots=True)
class Between(Node):
    """``value between low and high``, both included."""

    value: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class Within(Node):
    """``value in (test, …)``: true where one unary test holds for the value."""

    value: Node
    tests: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Test(Node):
    """One unary test: ``< 5``, a range, or an expression that equals, contains or judges ``?``."""

    op: Op | None
    operand: Node
    uses_input: bool = False
    """The operand speaks of ``?``, so that its truth is the answer."""


@dataclass(frozen=True, slots=True)
class Tests(Node):
    """The unary tests of a decision table's cell. No test at all (``-``) is true of everything."""

    tests: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class InstanceOf(Node):
    """``value instance of type``."""

    value: Node
    type: "TypeName"


@dataclass(frozen=True, slots=True)
class TypeName:
    """A FEEL type as written: ``number``, ``list<string>``, ``context<a: number>``."""

    name: str
    arguments: tuple["TypeName", ...] = ()
    fields: tuple[tuple[str, "TypeName"], ...] = ()


@dataclass(frozen=True, slots=True)
class Binding(Node):
    """``name in list`` or ``name in low..high`` of ``for``, ``some`` and ``every``."""

    name: str
    source: Node
    last: Node | None = None


@dataclass(frozen=True, slots=True)
class For(Node):
    """``for x in list, y in other return body``; the body sees ``partial``."""

    bindings: tuple[Binding, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Quantified(Node):
    """``some … satisfies`` or ``every … satisfies``."""

    every: bool
    bindings: tuple[Binding, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class FunctionOf(Node):
    """A FEEL function literal."""

    parameters: tuple[tuple[str, TypeName | None], ...]
    body: Node
