"""What the three parsers share: a cursor over tokens, bounded nesting, errors that point."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.expressions.errors import ExpressionError
from engine.expressions.limits import NESTING
from engine.expressions.nodes import Binary, Node, Op
from engine.expressions.tokens import Kind, Token


class Parser:
    """A recursive descent parser's base. One instance reads one text."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        """Stand before the first of ``tokens``."""
        self.text = text
        self.items = tokens
        self.at = 0
        self._nesting = 0

    def expression(self) -> Node:
        """Read one expression of the language."""
        raise NotImplementedError

    def whole(self) -> Node:
        """Return the tree of the whole text, which is one expression; raise ExpressionError."""
        if self.token.kind is Kind.END:
            raise self.fault("the expression is empty")
        tree = self.expression()
        self.expect_end()
        return tree

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.items[self.at]

    def peek(self, ahead: int = 1) -> Token:
        """Return the token ``ahead`` places behind the next one."""
        return self.items[min(self.at + ahead, len(self.items) - 1)]

    def take(self) -> Token:
        """Move past the next token and return it."""
        token = self.items[self.at]
        if token.kind is not Kind.END:
            self.at += 1
        return token

    @property
    def last_end(self) -> int:
        """Offset where the token before the cursor ends."""
        return self.items[self.at - 1].end if self.at else self.items[0].start

    def sees(self, *operators: str) -> bool:
        """Tell whether one of ``operators`` comes next."""
        token = self.items[self.at]
        return token.kind is Kind.OPERATOR and token.value in operators

    def sees_word(self, *words: str) -> bool:
        """Tell whether one of the key ``words`` comes next."""
        token = self.items[self.at]
        return token.kind is Kind.NAME and token.value in words

    def accept(self, *operators: str) -> bool:
        """Move past one of ``operators`` if it comes next."""
        if self.sees(*operators):
            self.at += 1
            return True
        return False

    def accept_word(self, *words: str) -> bool:
        """Move past one of the key ``words`` if it comes next."""
        if self.sees_word(*words):
            self.at += 1
            return True
        return False

    def expect(self, operator: str, hint: str | None = None) -> Token:
        """Move past ``operator`` or refuse."""
        if not self.sees(operator):
            raise self.fault(f'"{operator}" expected, found {self.found()}', hint=hint)
        return self.take()

    def expect_word(self, word: str) -> Token:
        """Move past the key ``word`` or refuse."""
        if not self.sees_word(word):
            raise self.fault(f'"{word}" expected, found {self.found()}')
        return self.take()

    def expect_name(self, what: str) -> Token:
        """Move past a name or refuse."""
        if self.token.kind is not Kind.NAME:
            raise self.fault(f"{what} expected, found {self.found()}")
        return self.take()

    def expect_end(self) -> None:
        """Refuse anything that follows."""
        if self.token.kind is not Kind.END:
            raise self.fault(f"unexpected {self.found()}", hint=self.hint_after())

    def hint_after(self) -> str | None:
        """Return the dialect's hint for the token that may not follow a whole expression."""
        return None

    def found(self) -> str:
        """Describe the next token."""
        token = self.token
        return str(token.kind) if token.kind is Kind.END else f'"{self.text[token.start : token.end][:40]}"'

    def fault(self, message: str, *, at: int | None = None, hint: str | None = None) -> ExpressionError:
        """Return the error that points at offset ``at``, by default at the next token."""
        return ExpressionError(
            message, text=self.text, offset=self.token.start if at is None else at, hint=hint
        )

    @contextmanager
    def nested(self) -> Iterator[None]:
        """Count one level of brackets; refuse too many."""
        self._nesting += 1
        if self._nesting > NESTING:
            raise self.fault(f"more than {NESTING} levels of nesting", hint="split the expression")
        try:
            yield
        finally:
            self._nesting -= 1

    def left_associative(self, operand: Callable[[], Node], operators: dict[str, Op]) -> Node:
        """Parse ``operand`` (operator ``operand``)* grouped to the left."""
        left = operand()
        while self.token.kind is Kind.OPERATOR and self.token.value in operators:
            op = operators[self.take().value]
            right = operand()
            left = Binary(left.start, right.end, op, left, right)
        return left

    def separated(self, item: Callable[[], Node], close: str, *, trailing: bool = False) -> tuple[Node, ...]:
        """Parse ``item`` ("," ``item``)* up to ``close``, which is passed; possibly no item at all."""
        items: list[Node] = []
        if self.accept(close):
            return ()
        while True:
            items.append(item())
            if self.accept(close):
                return tuple(items)
            self.expect(",", hint=self.hint_after() or f'close with "{close}"')
            if trailing and self.accept(close):
                return tuple(items)
