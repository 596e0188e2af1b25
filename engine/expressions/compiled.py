"""Compiled expressions: immutable, safe to share between threads."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from engine.expressions.closures import Builder, Builders, Static
from engine.expressions.errors import EvaluationError, LimitError
from engine.expressions.limits import Budget
from engine.expressions.nodes import Node
from engine.expressions.rules import Closure, Env, Rules
from engine.expressions.values import Functions, Json, Value, to_json

SUPPLIED = frozenset({"now", "today"})
"""Functions that an expression may call and the caller supplies: the engine's clock, never the machine's."""
_AS_THEY_ARE = frozenset({bool, str, int, type(None)})
NOTHING: Functions = {}


@dataclass(frozen=True, slots=True)
class Compiled:
    """An expression that can be evaluated."""

    text: str
    dialect: str
    names: frozenset[str]
    """Variables it reads, without those it binds itself."""
    possible_names: frozenset[str]
    """FEEL: names inside filters, which are keys of the element or else variables."""
    functions: frozenset[str]
    """Functions it calls that the caller must supply."""
    tree: Node = field(repr=False)
    _closure: Closure = field(repr=False)
    _rules: Rules = field(repr=False)

    def evaluate(self, data: Mapping[str, Json], functions: Functions = NOTHING) -> Json:
        """Return the value for ``data`` as fresh JSON; raise EvaluationError where there is none."""
        value = self.value(data, functions)
        return value if type(value) in _AS_THEY_ARE else to_json(value)

    def test(self, data: Mapping[str, Json], functions: Functions = NOTHING) -> bool:
        """Return the answer to a condition. Null is false; anything else is refused."""
        value = self.value(data, functions)
        if value is True or value is False:
            return bool(value)
        if value is None:
            return False
        raise EvaluationError(
            "a condition must be true or false",
            expression=self.text,
            hint="compare the value, for example x > 0",
        )

    def value(
        self,
        data: Mapping[str, Value],
        functions: Functions = NOTHING,
        budget: Budget | None = None,
    ) -> Value:
        """Return the evaluator's own value (decimals, dates); for callers that go on calculating."""
        try:
            return self._closure(Env(data, functions, budget or Budget()))
        except RecursionError:
            raise LimitError("the expression nests too deeply", expression=self.text) from None
        except EvaluationError as error:
            raise error.inside(self.text) from None


def finish(
    text: str,
    tree: Node,
    rules: Rules,
    functions: Collection[str] = (),
    builders: Builders | None = None,
    variables: Collection[str] = (),
) -> Compiled:
    """Build the closures for ``tree``, parsed from ``text``; raise ExpressionError."""
    builder = Builder(text, rules, SUPPLIED | frozenset(functions), builders, variables)
    closure = builder.build(tree, Static())
    return Compiled(
        text=text,
        dialect=rules.dialect,
        names=frozenset(builder.names),
        possible_names=frozenset(builder.perhaps - builder.names),
        functions=frozenset(builder.called),
        tree=tree,
        _closure=closure,
        _rules=rules,
    )
