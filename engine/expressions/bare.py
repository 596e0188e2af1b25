"""The bare dialect: a small part of Python's expressions, with JSON's values."""

import re
from collections.abc import Callable

from engine.expressions.nodes import (
    COMPARISONS,
    Call,
    Chain,
    ContextOf,
    If,
    Index,
    ListOf,
    Literal,
    Logic,
    Member,
    Name,
    Negate,
    Node,
    Not,
    Op,
)
from engine.expressions.nodes import Binary as BinaryNode
from engine.expressions.parser import Parser
from engine.expressions.tokens import Kind, Lexicon, Scanner

EQUALS_HINT = 'equality is "==" here; "=" begins a FEEL expression when it is the first character'
LEXICON = Lexicon(
    operators=(
        "+", "-", "*", "**", "/", "//", "%", "==", "!=", "<", "<=", ">", ">=",
        "(", ")", "[", "]", "{", "}", ",", ":", ".",
    ),
    quotes="'\"",
    escapes={"\\": "\\", "'": "'", '"': '"', "n": "\n", "t": "\t", "r": "\r"},
    comment=re.compile(r"#[^\n]*"),
    hints={
        "=": EQUALS_HINT,
        "&&": 'write "and"',
        "||": 'write "or"',
        "!": 'write "not"',
        "<>": 'write "!="',
        "?": 'write "a if condition else b"',
        ";": "an expression has one value; statements belong in a script task",
        "&": "bit operators are not supported",
        "|": "bit operators are not supported",
        "$": 'write "${…}" around the whole expression for JUEL',
    },
)  # fmt: skip
CONSTANTS = {"True": True, "true": True, "False": False, "false": False, "None": None, "null": None}
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", *CONSTANTS})
FOREIGN = {
    "lambda": "functions cannot be defined here",
    "for": "comprehensions are not supported; FEEL has them: =for x in list return …",
    "await": "not supported",
    "async": "not supported",
    "yield": "not supported",
    "import": "modules cannot be imported",
    "def": "functions cannot be defined here",
    "class": "classes cannot be defined here",
    "instanceof": "not supported",
    "eq": 'write "=="',
    "ne": 'write "!="',
    "then": 'write "a if condition else b"',
}
_SUM = {"+": Op.ADD, "-": Op.SUBTRACT}
_PRODUCT = {"*": Op.MULTIPLY, "/": Op.DIVIDE, "//": Op.FLOOR_DIVIDE, "%": Op.MODULO}
_COMPARE = {str(op): op for op in COMPARISONS}


def parse(text: str, start: int = 0, stop: int | None = None) -> Node:
    """Return the tree of the bare expression ``text[start:stop]``; raise ExpressionError."""
    return BareParser(text, Scanner(text, LEXICON, start, stop).tokens()).whole()


class BareParser(Parser):
    """Recursive descent by Python's precedences."""

    def expression(self) -> Node:
        """``a if condition else b``, grouped to the right."""
        with self.nested():
            then = self._or()
            if not self.accept_word("if"):
                return then
            condition = self._or()
            self.expect_word("else")
            otherwise = self.expression()
            return If(then.start, otherwise.end, condition, then, otherwise)

    def hint_after(self) -> str | None:
        """Explain what people write who think in another language."""
        token, before = self.token, self.items[max(self.at - 1, 0)]
        if token.kind is Kind.NAME:
            return FOREIGN.get(token.value)
        if token.kind is Kind.STRING and before.kind is Kind.NAME:
            return "string prefixes (f, r, b) are not supported"
        return None

    def _or(self) -> Node:
        return self._logic("or", self._and)

    def _and(self) -> Node:
        return self._logic("and", self._not)

    def _logic(self, word: str, operand: Callable[[], Node]) -> Node:
        operands = [operand()]
        while self.accept_word(word):
            operands.append(operand())
        if len(operands) == 1:
            return operands[0]
        return Logic(operands[0].start, operands[-1].end, word == "and", tuple(operands))

    def _not(self) -> Node:
        negations = []
        while self.sees_word("not"):
            negations.append(self.take().start)
        node = self._comparison()
        for start in reversed(negations):
            node = Not(start, node.end, node)
        return node

    def _comparison(self) -> Node:
        left = self._sum()
        links: list[tuple[Op, Node]] = []
        while True:
            if self.token.kind is Kind.OPERATOR and self.token.value in _COMPARE:
                op = _COMPARE[self.take().value]
                links.append((op, self._sum()))
            elif self.sees_word("in", "not", "is"):
                if links:
                    raise self.fault(f"{self.found()} in a row of comparisons", hint="use brackets")
                return self._membership(left)
            else:
                break
        if not links:
            return left
        if len(links) == 1:
            op, right = links[0]
            return BinaryNode(left.start, right.end, op, left, right)
        return Chain(left.start, links[-1][1].end, left, tuple(links))

    def _membership(self, left: Node) -> Node:
        identity = self.accept_word("is")
        negated = self.accept_word("not")
        if identity:
            if not self.sees_word("None", "null", "True", "False", "true", "false"):
                raise self.fault('"is" compares with None, True or False only', hint='write "=="')
            op = Op.EQUAL
        else:
            self.expect_word("in")
            op = Op.CONTAINS
        right = self._sum()
        if self.token.kind is Kind.OPERATOR and self.token.value in _COMPARE:
            raise self.fault(f"{self.found()} in a row of comparisons", hint="use brackets")
        node: Node = BinaryNode(left.start, right.end, op, left, right)
        return Not(left.start, right.end, node) if negated else node

    def _sum(self) -> Node:
        return self.left_associative(self._product, _SUM)

    def _product(self) -> Node:
        return self.left_associative(self._sign, _PRODUCT)

    def _sign(self) -> Node:
        signs = []
        while self.sees("-", "+"):
            signs.append(self.take())
        node = self._power()
        for sign in reversed(signs):
            node = Negate(sign.start, node.end, node, plus=sign.value == "+")
        return node

    def _power(self) -> Node:
        base = self._postfix()
        if not self.accept("**"):
            return base
        with self.nested():
            exponent = self._sign()
        return BinaryNode(base.start, exponent.end, Op.POWER, base, exponent)

    def _postfix(self) -> Node:
        node = self._primary()
        while True:
            if self.accept("."):
                name = self.expect_name("a key")
                if self.sees("("):
                    raise self.fault(
                        f'"{name.value}(…)": methods cannot be called',
                        at=name.start,
                        hint="use a built-in function",
                    )
                node = Member(node.start, name.end, node, name.value)
            elif self.accept("["):
                index = self.expression()
                if self.sees(":"):
                    raise self.fault("slices are not supported")
                self.expect("]")
                node = Index(node.start, self.last_end, node, index)
            elif self.sees("("):
                if not isinstance(node, Name):
                    raise self.fault("only built-in functions can be called")
                self.take()
                arguments = self.separated(self.expression, ")", trailing=True)
                node = Call(node.start, self.last_end, node, arguments)
            else:
                return node

    def _primary(self) -> Node:
        token = self.token
        if token.kind is Kind.NUMBER:
            self.take()
            return Literal(token.start, token.end, token.value)
        if token.kind is Kind.STRING:
            self.take()
            if self.token.kind is Kind.STRING:
                raise self.fault("two strings in a row", hint='join them with "+"')
            return Literal(token.start, token.end, token.value)
        if token.kind is Kind.NAME:
            return self._word()
        if self.accept("("):
            inner = self.expression()
            if self.sees(","):
                raise self.fault("tuples are not supported", hint="write a list: [a, b]")
            self.expect(")")
            return inner
        if self.accept("["):
            items = self.separated(self.expression, "]", trailing=True)
            return ListOf(token.start, self.last_end, items)
        if self.accept("{"):
            return self._dict(token.start)
        raise self.fault(f"a value expected, found {self.found()}", hint=self.hint_after())

    def _word(self) -> Node:
        token = self.token
        if token.value in CONSTANTS:
            self.take()
            return Literal(token.start, token.end, CONSTANTS[token.value])
        if token.value in FOREIGN and token.value not in {"eq", "ne", "then"}:
            raise self.fault(f'"{token.value}" is not supported', hint=FOREIGN[token.value])
        if token.value in KEYWORDS:
            raise self.fault(f"a value expected, found {self.found()}")
        self.take()
        return Name(token.start, token.end, token.value)

    def _dict(self, start: int) -> Node:
        entries: list[tuple[str, Node]] = []
        while not self.accept("}"):
            if entries:
                self.expect(",", hint='close with "}"')
                if self.accept("}"):
                    break
            if self.token.kind is not Kind.STRING:
                raise self.fault(f"a key in quotes expected, found {self.found()}", hint='{"key": value}')
            token = self.take()
            key = token.value
            if any(key == known for known, _ in entries):
                raise self.fault(f'the key "{key}" stands there twice', at=token.start)
            self.expect(":")
            entries.append((key, self.expression()))
        return ContextOf(start, self.last_end, tuple(entries))
