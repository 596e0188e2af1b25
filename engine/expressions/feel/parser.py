"""Parser of the FEEL dialect: expressions and unary tests of DMN 1.2 to 1.5."""

from collections.abc import Callable, Collection

from engine.expressions.feel.lexicon import FeelScanner
from engine.expressions.feel.primaries import COMPARE, Primaries
from engine.expressions.feel.types import parse_type
from engine.expressions.nodes import (
    Between,
    Binary,
    Binding,
    Call,
    Filter,
    For,
    FunctionOf,
    If,
    InstanceOf,
    Logic,
    Member,
    Negate,
    Node,
    Op,
    Quantified,
    Test,
    Tests,
    TypeName,
    Within,
)
from engine.expressions.tokens import Kind

_SUM = {"+": Op.ADD, "-": Op.SUBTRACT}
_PRODUCT = {"*": Op.MULTIPLY, "/": Op.DIVIDE}
_POWER = {"**": Op.POWER}
ATTEMPTS = 50
"""How often an open bracket behind a range's end may be read as a filter first."""


def parse(text: str, names: Collection[str] = (), start: int = 0) -> Node:
    """Return the tree of the FEEL expression ``text[start:]``; ``names`` are variables with special names."""
    return FeelParser(text, FeelScanner(text, names, start).tokens()).whole()


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


class FeelParser(Primaries):
    """Recursive descent by FEEL's precedences."""

    # --- expressions -----------------------------------------------------------------------------------

    def expression(self) -> Node:
        """Any expression."""
        with self.nested(), self.in_range(False):
            return self.unnested()

    def unnested(self) -> Node:
        """Any expression, not counted as a level of its own."""
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
        node = self.primary()
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
        trying = self.range_end
        if trying:
            self.attempts += 1
            if self.attempts > ATTEMPTS:
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
        self.attempts += 1
        if self.attempts > ATTEMPTS:
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
