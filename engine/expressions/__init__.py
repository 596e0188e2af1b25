"""One AST and one bounded evaluator; three front-ends (``docs/reference/expressions.md``).

>>> compile_expression('count > 2 and state == "open"').evaluate({"count": 3, "state": "open"})
True
"""

from engine.expressions.api import compile_expression, dialect_of
from engine.expressions.compiled import SUPPLIED, Compiled
from engine.expressions.errors import EvaluationError, ExpressionError, LimitError, Position
from engine.expressions.feel import compile_feel, compile_unary_tests
from engine.expressions.scripts import CompiledScript, compile_script
from engine.expressions.timers import CompiledTimer, compile_timer

__all__ = [
    "SUPPLIED",
    "Compiled",
    "CompiledScript",
    "CompiledTimer",
    "EvaluationError",
    "ExpressionError",
    "LimitError",
    "Position",
    "compile_expression",
    "compile_feel",
    "compile_script",
    "compile_timer",
    "compile_unary_tests",
    "dialect_of",
]
