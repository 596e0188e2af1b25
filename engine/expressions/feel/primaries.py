"""FEEL's values: constants, names, brackets, lists, ranges and contexts."""

from collections.abc import Iterator
from contextlib import contextmanager

from engine.expressions.errors import EvaluationError
from engine.expressions.feel.lexicon import KEYWORDS
from engine.expressions.nodes import ContextOf, ListOf, Literal, Name, Node, Op, RangeOf
from engine.expressions.parser import Parser
from engine.expressions.temporal import parse_any
from engine.expressions.tokens import Kind, Token

COMPARE = {
    "=": Op.EQUAL,
    "!=": Op.NOT_EQUAL,
    "<": Op.LESS,
    "<=": Op.LESS_EQUAL,
    ">": Op.GREATER,
    ">=": Op.GREATER_EQUAL,
}
CONSTANTS = {"true": True, "false": False, "null": None}


class Primaries(Parser):
    """The part of FEEL's parser that reads values; ``FeelParser`` brings the operators."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        """Stand before the first token."""
        super().__init__(text, tokens)
        self.inputs = 0
        """How often ``?`` was read: a unary test that speaks of it is judged by its own truth."""
        self.attempts = 0
        self.range_end = False

    def expression(self) -> Node:
        """Parse any expression."""
        raise NotImplementedError

    def unnested(self) -> Node:
        """Parse any expression, not counted as a level of its own."""
        raise NotImplementedError

    @contextmanager
    def in_range(self, value: bool) -> Iterator[None]:
        """Set whether an open bracket may close a range here."""
        before, self.range_end = self.range_end, value
        try:
            yield
        finally:
            self.range_end = before

    def primary(self) -> Node:
        """Parse a constant, name, bracket, list, range or context."""
        token = self.token
        if token.kind in (Kind.NUMBER, Kind.STRING):
            self.take()
            return Literal(token.start, token.end, token.value)
        if token.kind is Kind.TEMPORAL:
            self.take()
            try:
                return Literal(token.start, token.end, parse_any(token.value))
            except EvaluationError as error:
                raise self.fault(error.message, at=token.start, hint=error.hint) from None
        if token.kind is Kind.NAME:
            return self._word()
        if self.accept("?"):
            self.inputs += 1
            return Name(token.start, token.end, "?")
        if self.accept("("):
            return self._bracket(token.start)
        if self.accept("["):
            return self._list(token.start)
        if self.accept("]"):
            low = self.expression()
            return self._range(token.start, low, low_closed=False)
        if self.accept("{"):
            return self._context(token.start)
        raise self.fault(f"a value expected, found {self.found()}", hint=self.hint_after())

    def _word(self) -> Node:
        token = self.token
        if token.value in CONSTANTS:
            self.take()
            return Literal(token.start, token.end, CONSTANTS[token.value])
        if token.value in KEYWORDS:
            raise self.fault(f"a value expected, found {self.found()}")
        name, start, end = self.name("a name")
        return Name(start, end, name)

    def name(self, what: str) -> tuple[str, int, int]:
        """Parse a name of one or more words: words side by side can be nothing else."""
        first = self.expect_name(what)
        words, end = [first.value], first.end
        while self._continues_name():
            token = self.take()
            words.append(self.text[token.start : token.end])
            end = token.end
        return " ".join(words), first.start, end

    def _continues_name(self) -> bool:
        token = self.token
        if token.kind is Kind.NUMBER:
            return type(token.value) is int
        if token.kind is not Kind.NAME or token.value in KEYWORDS or token.value in CONSTANTS:
            return False
        return not (token.value == "instance" and self.peek().value == "of")

    def _bracket(self, start: int) -> Node:
        if self.token.kind is Kind.OPERATOR and self.token.value in COMPARE:
            return self._comparison_range(start)
        inner = self.expression()
        if self.sees(".."):
            return self._range(start, inner, low_closed=False)
        self.expect(")")
        return inner

    def _comparison_range(self, start: int) -> Node:
        """Parse ``(< 5)``, a range with one end."""
        op = self.take().value
        end = self.expression()
        self.expect(")")
        here = self.last_end
        if op == "=":
            return RangeOf(start, here, end, end, True, True, comparison=True)
        if op == "!=":
            raise self.fault('"!=" makes no range', at=start)
        if op in ("<", "<="):
            return RangeOf(start, here, None, end, False, op == "<=", comparison=True)
        return RangeOf(start, here, end, None, op == ">=", False, comparison=True)

    def _list(self, start: int) -> Node:
        if self.accept("]"):
            return ListOf(start, self.last_end, ())
        first = self.expression()
        if self.sees(".."):
            return self._range(start, first, low_closed=True)
        items = [first]
        while self.accept(","):
            items.append(self.expression())
        self.expect("]")
        return ListOf(start, self.last_end, tuple(items))

    def _range(self, start: int, low: Node, low_closed: bool) -> Node:
        self.expect("..")
        with self.nested(), self.in_range(True):
            high = self.unnested()
        if not self.sees("]", ")", "["):
            raise self.fault(f'a range ends with "]" or ")", found {self.found()}')
        closed = self.take().value == "]"
        return RangeOf(start, self.last_end, low, high, low_closed, closed)

    def _context(self, start: int) -> Node:
        entries: list[tuple[str, Node]] = []
        while not self.accept("}"):
            if entries:
                self.expect(",", hint='close with "}"')
            key = self._key()
            if any(key == known for known, _ in entries):
                raise self.fault(f'the key "{key}" stands there twice')
            self.expect(":")
            entries.append((key, self.expression()))
        return ContextOf(start, self.last_end, tuple(entries), scoped=True)

    def _key(self) -> str:
        if self.token.kind is Kind.STRING:
            return str(self.take().value)
        words = [self.expect_name("a key").value]
        while self.token.kind in (Kind.NAME, Kind.NUMBER):
            token = self.take()
            words.append(self.text[token.start : token.end])
        return " ".join(words)
