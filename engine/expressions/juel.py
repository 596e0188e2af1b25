"""The JUEL dialect: a subset of the unified expression language, ``${…}`` and ``#{…}``, also inside text."""

from collections.abc import Callable, Mapping

from engine.expressions import numbers
from engine.expressions.errors import EvaluationError, ExpressionError
from engine.expressions.limits import TEXT, check_text
from engine.expressions.nodes import (
    Binary,
    Call,
    Empty,
    If,
    Index,
    Join,
    Literal,
    Logic,
    Member,
    Name,
    Negate,
    Node,
    Op,
)
from engine.expressions.nodes import Not as NotNode
from engine.expressions.parser import Parser
from engine.expressions.rules import Builtin
from engine.expressions.strict import ORDERINGS, BareRules, arithmetic, mismatch
from engine.expressions.tokens import Kind, Lexicon, Scanner
from engine.expressions.values import Value, as_text, equal, intake, kind

LEXICON = Lexicon(
    operators=(
        "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "!", "?", ":",
        "(", ")", "[", "]", "{", "}", ",", ".", "+=",
    ),
    quotes="'\"",
    escapes={"\\": "\\", "'": "'", '"': '"'},
    unicode_escapes=False,
    hints={
        "=": 'equality is "=="; JUEL assignments are not supported',
        "->": "lambda expressions are not supported",
        ";": "one expression has one value",
        "&": 'write "&&" or "and"',
        "|": 'write "||" or "or"',
        "$": "expressions cannot stand inside each other",
        "#": "expressions cannot stand inside each other",
    },
)  # fmt: skip
CONSTANTS = {"true": True, "false": False, "null": None}
_EQUALITY = {"==": Op.EQUAL, "eq": Op.EQUAL, "!=": Op.NOT_EQUAL, "ne": Op.NOT_EQUAL}
_ORDER = {
    "<": Op.LESS, "lt": Op.LESS, "<=": Op.LESS_EQUAL, "le": Op.LESS_EQUAL,
    ">": Op.GREATER, "gt": Op.GREATER, ">=": Op.GREATER_EQUAL, "ge": Op.GREATER_EQUAL,
}  # fmt: skip
_SUM = {"+": Op.ADD, "-": Op.SUBTRACT}
_PRODUCT = {"*": Op.MULTIPLY, "/": Op.DIVIDE, "div": Op.DIVIDE, "%": Op.MODULO, "mod": Op.MODULO}
RESERVED = frozenset(
    {"and", "or", "not", "eq", "ne", "lt", "gt", "le", "ge", "empty", "div", "mod", "instanceof", *CONSTANTS}
)
METHOD_HINT = (
    'name the variable or key itself: ${amount}, ${order["id"]}; compute the rest in a mapping or script'
)


def parse(text: str) -> Node:
    """Return the tree of a JUEL text: one ``${…}``, or a template of pieces; raise ExpressionError."""
    if len(text) > TEXT:
        raise ExpressionError(f"an expression of {len(text)} characters; {TEXT} are allowed")
    stop = len(text.rstrip())
    at = len(text) - len(text.lstrip())
    parts: list[Node] = []
    marks: set[str] = set()
    while at < stop:
        begin = min((p for p in (text.find("${", at), text.find("#{", at)) if p >= 0), default=stop)
        if begin > at:
            if text[begin - 1] == "\\" and begin < stop:
                raise ExpressionError('"\\${" is not supported', text=text, offset=begin - 1)
            parts.append(Literal(at, begin, text[at:begin]))
        if begin >= stop:
            break
        marks.add(text[begin])
        end = _closing(text, begin, stop)
        parts.append(_parse_one(text, begin + 2, end))
        at = end + 1
    if not marks:
        raise ExpressionError("no ${…} in a JUEL expression", text=text, hint="write ${x > 5}")
    if len(marks) > 1:
        raise ExpressionError("${…} and #{…} in one text", text=text, hint="use ${…} throughout")
    return parts[0] if len(parts) == 1 else Join(parts[0].start, stop, tuple(parts))


def _closing(text: str, begin: int, stop: int) -> int:
    """Return where the brace closes that opens at ``begin + 1``, strings skipped."""
    at, quote = begin + 2, ""
    while at < stop:
        character = text[at]
        if quote:
            if character == "\\":
                at += 1
            elif character == quote:
                quote = ""
        elif character in "\"'":
            quote = character
        elif character == "}":
            return at
        at += 1
    raise ExpressionError(
        f'"{text[begin : begin + 2]}" is not closed', text=text, offset=begin, hint='close with "}"'
    )


def _parse_one(text: str, start: int, stop: int) -> Node:
    return JuelParser(text, Scanner(text, LEXICON, start, stop).tokens()).whole()


class JuelParser(Parser):
    """Recursive descent by the precedences of the expression language."""

    def expression(self) -> Node:
        """``condition ? a : b``, grouped to the right."""
        with self.nested():
            condition = self._or()
            if not self.accept("?"):
                return condition
            then = self.expression()
            self.expect(":")
            otherwise = self.expression()
            return If(condition.start, otherwise.end, condition, then, otherwise)

    def hint_after(self) -> str | None:
        """Explain what is known to be written in engines' JUEL and not supported here."""
        if self.sees_word("instanceof"):
            return "types cannot be asked for"
        return None

    def _operator(self, table: Mapping[str, Op]) -> Op | None:
        token = self.token
        if token.kind in (Kind.OPERATOR, Kind.NAME) and token.value in table:
            self.take()
            return table[token.value]
        return None

    def _left(self, operand: Callable[[], Node], table: Mapping[str, Op]) -> Node:
        left = operand()
        while (op := self._operator(table)) is not None:
            right = operand()
            left = Binary(left.start, right.end, op, left, right)
        return left

    def _logic(self, symbol: str, word: str, operand: Callable[[], Node]) -> Node:
        operands = [operand()]
        while self.accept(symbol) or self.accept_word(word):
            operands.append(operand())
        if len(operands) == 1:
            return operands[0]
        return Logic(operands[0].start, operands[-1].end, word == "and", tuple(operands))

    def _or(self) -> Node:
        return self._logic("||", "or", self._and)

    def _and(self) -> Node:
        return self._logic("&&", "and", lambda: self._left(self._comparison, _EQUALITY))

    def _comparison(self) -> Node:
        return self._left(self._concat, _ORDER)

    def _concat(self) -> Node:
        return self._left(lambda: self._left(self._product, _SUM), {"+=": Op.CONCAT})

    def _product(self) -> Node:
        return self._left(self._unary, _PRODUCT)

    def _unary(self) -> Node:
        signs = []
        while self.sees("-", "!") or self.sees_word("not", "empty"):
            signs.append(self.take())
        node = self._postfix()
        for sign in reversed(signs):
            if sign.value == "-":
                node = Negate(sign.start, node.end, node)
            elif sign.value == "empty":
                node = Empty(sign.start, node.end, node)
            else:
                node = NotNode(sign.start, node.end, node)
        return node

    def _postfix(self) -> Node:
        node = self._primary()
        while True:
            if self.accept("."):
                name = self.expect_name("a key")
                if self.sees("("):
                    raise self.fault(
                        f'"{name.value}(…)": methods cannot be called', at=name.start, hint=METHOD_HINT
                    )
                node = Member(node.start, name.end, node, name.value)
            elif self.accept("["):
                index = self.expression()
                self.expect("]")
                node = Index(node.start, self.last_end, node, index)
            elif self.sees("("):
                if not isinstance(node, Name):
                    raise self.fault("only functions can be called")
                self.take()
                node = Call(node.start, self.last_end, node, self.separated(self.expression, ")"))
            else:
                return node

    def _primary(self) -> Node:
        token = self.token
        if token.kind in (Kind.NUMBER, Kind.STRING):
            self.take()
            return Literal(token.start, token.end, token.value)
        if token.kind is Kind.NAME:
            if token.value in CONSTANTS:
                self.take()
                return Literal(token.start, token.end, CONSTANTS[token.value])
            if token.value in RESERVED:
                raise self.fault(f"a value expected, found {self.found()}")
            self.take()
            return Name(token.start, token.end, token.value)
        if self.accept("("):
            inner = self.expression()
            self.expect(")")
            return inner
        if self.sees("[", "{"):
            raise self.fault("lists and maps cannot be written here", hint="use FEEL: =[1, 2, 3]")
        raise self.fault(f"a value expected, found {self.found()}")


def _sum(left: Value, right: Value) -> Value:
    if str in (type(left), type(right)):
        hint = 'join text with "+=" or in a template: ${a}${b}'
        raise mismatch("+", left, right, hint)
    return arithmetic("+", numbers.add)(left, right)


def _same(left: Value, right: Value) -> bool:
    if left is None or right is None:
        return left is right
    if kind(left) != kind(right):
        raise mismatch("==", left, right, "JUEL would convert one into the other; compare like with like")
    return equal(left, right)


def _ordered(op: Op, both_null: bool) -> Callable[[Value, Value], bool]:
    def compare(left: Value, right: Value) -> bool:
        if left is None or right is None:
            return both_null and left is right
        return bool(ORDERINGS[op](left, right))

    return compare


class JuelRules(BareRules):
    """The expression language's meaning where it converts nothing; conversions are errors."""

    dialect = "juel"
    builtins: Mapping[str, Builtin] = {}
    operators: Mapping[Op, Callable[[Value, Value], Value]] = {
        Op.ADD: _sum,
        Op.SUBTRACT: arithmetic("-", numbers.subtract),
        Op.MULTIPLY: arithmetic("*", numbers.multiply),
        Op.DIVIDE: arithmetic("/", numbers.divide),
        Op.MODULO: arithmetic("%", numbers.remainder),
        Op.CONCAT: lambda left, right: check_text(as_text(left) + as_text(right)),
        Op.EQUAL: _same,
        Op.NOT_EQUAL: lambda left, right: not _same(left, right),
        Op.LESS: _ordered(Op.LESS, False),
        Op.LESS_EQUAL: _ordered(Op.LESS_EQUAL, True),
        Op.GREATER: _ordered(Op.GREATER, False),
        Op.GREATER_EQUAL: _ordered(Op.GREATER_EQUAL, True),
    }

    def member(self, target: Value, name: str) -> Value:
        """Return the value of the key ``name``: null where there is none, and of null."""
        if target is None:
            return None
        if type(target) is not dict:
            raise EvaluationError(f'no key "{name}" in a {kind(target)}')
        return intake(target.get(name))

    def index(self, target: Value, index: Value) -> Value:
        """Return an element by position or key: null where there is none, and of null."""
        if target is None or index is None:
            return None
        if type(target) is dict and type(index) is str:
            return self.member(target, index)
        position = numbers.whole(index) if type(index) in numbers.NUMERIC else None
        if type(target) is not list or type(position) is not int:
            raise EvaluationError(f"a {kind(target)} has no [{kind(index)}]")
        return intake(target[position]) if 0 <= position < len(target) else None
