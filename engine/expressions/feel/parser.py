"""Parser of the FEEL dialect: expressions and unary tests of DMN 1.2 to 1.5."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from engine.expressions.errors import EvaluationError
from engine.expressions.feel.lexicon import KEYWORDS, FeelScanner
from engine.expressions.feel.types import parse_type
from engine.expressions.nodes import (
    Between,
    Binary,
    Binding,
    Call,
    ContextOf,
    Filter,
    For,
    FunctionOf,
    If,
    InstanceOf,
    ListOf,
    Literal,
    Logic,
    Member,
    Name,
    Negate,
    Node,
    Op,
    Quantified,
    RangeOf,
    Test,
    Tests,
    TypeName,
    Within,
)
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
_SUM = {"+": Op.ADD, "-": Op.SUBTRACT}
_PRODUCT = {"*": Op.MULTIPLY, "/": Op.DIVIDE}
_POWER = {"**": Op.POWER}
CONSTANTS = {"true": True, "false": False, "null": None}
ATTEMPTS = 50
"""How often an open bracket behind a range's end may be read as a filter first."""


def parse(text: str, names: Collection[str] = (), start: int = 0) -> Node:
    """Return the tree of the FEEL expression ``text[start:]``; ``names`` are variables with special names."""
    parser = FeelParser(text, FeelScanner(text, names, start).tokens())
    if parser.token.kind is Kind.END:
        raise parser.fault("the expression is empty")
    tree = parser.expression()
    parser.expect_end()
    return tree


def parse_tests(text: str, names: Collection[str] = ()) -> Tests:
    """Return the tree of a decision table's cell: ``-``, tests parted by commas, ``not(…)``."""
    parser = FeelParser(text, FeelScanner(text, names).tokens())
    if parser.token.kind is Kind.END:
        raise parser.fault("the cell is empty", hint='write "-" for any value')
    if parser.sees("-") and parser.peek().kind is Kind.END:
        return Tests(0, len(text), ())
    if parser.sees_word("not") and parser.peek().value == "(":
        tests = parser.negated_tests()
        if tests is not None:
            return Tests(0, len(text), tests, negated=True)
    found = [parser.test()]
    while parser.accept(","):
        found.append(parser.test())
    parser.expect_end()
    return Tests(0, len(text), tuple(found))


class FeelParser(Parser):
    """Recursive descent by FEEL's precedences; speaks of ``?`` are counted for unary tests."""

    def __init__(self, text: str, tokens: list[Token]) -> None:
        """Stand before the first token."""
        super().__init__(text, tokens)
        self.inputs = 0
        self._attempts = 0
        self._range_end = False

    # --- expressions -----------------------------------------------------------------------------------

    def expression(self) -> Node:
        """Any expression."""
        with self.nested(), self._in_range(False):
            return self._expression()

    def _expression(self) -> Node:
        if self.sees_word("if"):
            return self._if()
        if self.sees_word("for"):
            return self._for()
        if self.sees_word("some", "every") and self.peek().kind is Kind.NAME:
            return self._quantified()
        if self.sees_word("function") and self.peek().value == "(":
            return self._function()
        return self._or()

    def hint_after(self) -> str | None:
        """Explain what people write who think in another language."""
        if self.sees("=="):
            return 'equality is "=" in FEEL'
        return None

    @contextmanager
    def _in_range(self, value: bool) -> Iterator[None]:
        before, self._range_end = self._range_end, value
        try:
            yield
        finally:
            self._range_end = before

    def _if(self) -> Node:
        start = self.take().start
        condition = self.expression()
        self.expect_word("then")
        then = self.expression()
        self.expect_word("else")
        otherwise = self.expression()
        return If(start, otherwise.end, condition, then, otherwise)

    def _for(self) -> Node:
        start = self.take().start
        bindings = self._bindings(ranges=True)
        self.expect_word("return")
        body = self.expression()
        return For(start, body.end, bindings, body)

    def _quantified(self) -> Node:
        word = self.take()
        bindings = self._bindings(ranges=False)
        self.expect_word("satisfies")
        body = self.expression()
        return Quantified(word.start, body.end, word.value == "every", bindings, body)

    def _bindings(self, ranges: bool) -> tuple[Binding, ...]:
        found = []
        while True:
            name, start, _ = self.name("a name")
            self.expect_word("in")
            source = self.expression()
            last = None
            if self.accept(".."):
                last = self.expression()
            found.append(Binding(start, self.last_end, name, source, last))
            if not self.accept(","):
                return tuple(found)

    def _function(self) -> Node:
        start = self.take().start
        self.expect("(")
        parameters: list[tuple[str, TypeName | None]] = []
        while not self.accept(")"):
            if parameters:
                self.expect(",")
            name, _, _ = self.name("a parameter")
            parameters.append((name, parse_type(self) if self.accept(":") else None))
        if self.sees_word("external"):
            raise self.fault("external functions are not supported", hint="write the body in FEEL")
        body = self.expression()
        return FunctionOf(start, body.end, tuple(parameters), body)

    def _logic(self, word: str, operand: Callable[[], Node]) -> Node:
        operands = [operand()]
        while self.accept_word(word):
            operands.append(operand())
        if len(operands) == 1:
            return operands[0]
        return Logic(operands[0].start, operands[-1].end, word == "and", tuple(operands))

    def _or(self) -> Node:
        return self._logic("or", self._and)

    def _and(self) -> Node:
        return self._logic("and", self._comparison)

    def _comparison(self) -> Node:
        left = self._sum()
        while True:
            token = self.token
            if token.kind is Kind.OPERATOR and token.value in COMPARE:
                self.take()
                right = self._sum()
                left = Binary(left.start, right.end, COMPARE[token.value], left, right)
            elif self.accept_word("between"):
                low = self._sum()
                self.expect_word("and")
                high = self._sum()
                left = Between(left.start, high.end, left, low, high)
            elif self.accept_word("in"):
                left = self._within(left)
            else:
                return left

    def _within(self, value: Node) -> Node:
        """Parse what follows ``in``: one test, or tests in brackets."""
        if self.sees("(") and (tests := self._bracketed_tests()) is not None:
            return Within(value.start, self.last_end, value, tests)
        test = self.test(operand=self._sum)
        return Within(value.start, test.end, value, (test,))

    def _sum(self) -> Node:
        return self.left_associative(self._product, _SUM)

    def _product(self) -> Node:
        return self.left_associative(self._power, _PRODUCT)

    def _power(self) -> Node:
        return self.left_associative(self._sign, _POWER)

    def _sign(self) -> Node:
        signs = []
        while self.sees("-"):
            signs.append(self.take().start)
        node = self._instance()
        for start in reversed(signs):
            node = Negate(start, node.end, node)
        return node

    def _instance(self) -> Node:
        node = self._postfix()
        while self.sees_word("instance") and self.peek().value == "of":
            self.take()
            self.take()
            node = InstanceOf(node.start, self.last_end, node, parse_type(self))
        return node

    def _postfix(self) -> Node:
        node = self._primary()
        while True:
            if self.accept("."):
                name, _, end = self.name("a key")
                node = Member(node.start, end, node, name)
            elif self.sees("["):
                filtered = self._filter(node)
                if filtered is None:
                    return node
                node = filtered
            elif self.sees("("):
                node = self._call(node)
            else:
                return node

    def _filter(self, node: Node) -> Node | None:
        """Parse a filter; None where the bracket rather closes a range, as in ``[1..b[``."""
        at, inputs, nesting = self.at, self.inputs, self._nesting
        trying = self._range_end
        if trying:
            self._attempts += 1
            if self._attempts > ATTEMPTS:
                raise self.fault("too many ranges with open ends", hint="write (1..2) instead of [1..2[")
        from engine.expressions.errors import ExpressionError

        try:
            self.take()
            condition = self.expression()
            self.expect("]")
        except ExpressionError:
            if not trying:
                raise
            self.at, self.inputs, self._nesting = at, inputs, nesting
            return None
        return Filter(node.start, self.last_end, node, condition)

    def _call(self, node: Node) -> Node:
        self.expect("(")
        if self.accept(")"):
            return Call(node.start, self.last_end, node, ())
        names: list[str] = []
        arguments: list[Node] = []
        named = self._named_argument()
        while True:
            if named:
                names.append(self.name("a parameter")[0])
                self.expect(":")
            arguments.append(self.expression())
            if self.accept(")"):
                return Call(node.start, self.last_end, node, tuple(arguments), tuple(names))
            self.expect(",", hint='close with ")"')

    def _named_argument(self) -> bool:
        ahead = 0
        while self.peek(ahead).kind in (Kind.NAME, Kind.NUMBER):
            ahead += 1
        return ahead > 0 and self.peek(ahead).value == ":" and self.peek(ahead).kind is Kind.OPERATOR

    # --- primaries -------------------------------------------------------------------------------------

    def _primary(self) -> Node:
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
        with self.nested(), self._in_range(True):
            high = self._expression()
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

    # --- unary tests -----------------------------------------------------------------------------------

    def test(self, operand: Callable[[], Node] | None = None) -> Node:
        """Parse one unary test."""
        start, inputs = self.token.start, self.inputs
        if self.token.kind is Kind.OPERATOR and self.token.value in COMPARE:
            op = COMPARE[self.take().value]
            value = self._sum()
            return Test(start, value.end, op, value)
        value = (operand or self.expression)()
        return Test(start, value.end, None, value, uses_input=self.inputs > inputs)

    def _bracketed_tests(self) -> tuple[Node, ...] | None:
        """Parse ``(test, …)`` behind ``in``; None (nothing taken) where the bracket begins an expression."""
        from engine.expressions.errors import ExpressionError

        at, inputs, nesting = self.at, self.inputs, self._nesting
        self._attempts += 1
        if self._attempts > ATTEMPTS:
            raise self.fault("too many bracketed tests")
        try:
            with self.nested():
                self.expect("(")
                tests = [self.test()]
                while self.accept(","):
                    tests.append(self.test())
                self.expect(")")
        except ExpressionError:
            self.at, self.inputs, self._nesting = at, inputs, nesting
            return None
        return tuple(tests)

    def negated_tests(self) -> tuple[Node, ...] | None:
        """Parse ``not(test, …)`` up to the end; None (nothing taken) where more follows the bracket."""
        at = self.at
        self.take()
        tests = self._bracketed_tests()
        if tests is None or self.token.kind is not Kind.END:
            self.at = at
            return None
        return tests
