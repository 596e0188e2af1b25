"""Ranges out of strings: what FEEL's range() reads."""

from engine.expressions.errors import EvaluationError, ExpressionError
from engine.expressions.feel.closures import make_range
from engine.expressions.feel.parser import parse
from engine.expressions.nodes import Call, Literal, Name, Negate, Node, RangeOf
from engine.expressions.numbers import NUMERIC, negate
from engine.expressions.temporal import parse_date, parse_date_time, parse_duration, parse_time
from engine.expressions.values import Range, Value

LONGEST = 200
_CONSTRUCTORS = {
    "date": parse_date,
    "time": parse_time,
    "date and time": parse_date_time,
    "duration": parse_duration,
}


def parse_range(text: str) -> Range | None:
    """Return the range that ``text`` writes with constant ends; raise EvaluationError for anything else."""
    if len(text) > LONGEST:
        raise EvaluationError("the text is no range")
    try:
        tree = parse(text)
    except ExpressionError as error:
        raise EvaluationError("the text is no range") from error
    if not isinstance(tree, RangeOf) or tree.comparison:
        raise EvaluationError("the text is no range")
    low, high = _constant(tree.low), _constant(tree.high)
    if low is None and high is None:
        raise EvaluationError("a range needs an end")
    return make_range(low, high, tree.low_closed, tree.high_closed)


def _constant(node: Node | None) -> Value:
    if isinstance(node, Literal) and type(node.value) is not bool:
        return node.value
    if isinstance(node, Negate) and isinstance(node.operand, Literal) and type(node.operand.value) in NUMERIC:
        return negate(node.operand.value)
    if isinstance(node, Call) and isinstance(node.function, Name) and len(node.arguments) == 1:
        argument = node.arguments[0]
        read = _CONSTRUCTORS.get(node.function.name)
        if read is not None and isinstance(argument, Literal) and type(argument.value) is str:
            return read(argument.value)
    raise EvaluationError("the ends of a range are constants")
