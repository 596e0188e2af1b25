"""FEEL's built-in functions that compare points and ranges (Allen's relations)."""

from collections.abc import Callable

from engine.expressions.errors import EvaluationError
from engine.expressions.feel.literals import parse_range
from engine.expressions.feel.registry import Registry
from engine.expressions.feel.rules import equal, less
from engine.expressions.rules import Env
from engine.expressions.values import Range, Value

REGISTRY = Registry()
builtin = REGISTRY.add


def _sure(answer: bool | None) -> bool:
    if answer is None:
        raise EvaluationError("the ends cannot be compared")
    return answer


def _less(left: Value, right: Value) -> bool:
    return _sure(less(left, right))


def _equal(left: Value, right: Value) -> bool:
    return _sure(equal(left, right))


def _span(value: Value) -> Range:
    """Return a range as it is and a point as the range that holds only it."""
    if type(value) is Range:
        return value
    if value is None:
        raise EvaluationError("null is no point")
    return Range(value, value, True, True)


def _ends(one: Range, other: Range) -> None:
    """Refuse ranges without an end where both ends are needed."""
    if None in (one.low, one.high, other.low, other.high):
        raise EvaluationError("the range has no end")


def _before(one: Range, other: Range) -> bool:
    if one.high is None or other.low is None:
        return False
    return _less(one.high, other.low) or (
        _equal(one.high, other.low) and not (one.high_closed and other.low_closed)
    )


def _includes(outer: Range, inner: Range) -> bool:
    low = outer.low is None or (
        inner.low is not None
        and (
            _less(outer.low, inner.low)
            or (_equal(outer.low, inner.low) and (outer.low_closed or not inner.low_closed))
        )
    )
    high = outer.high is None or (
        inner.high is not None
        and (
            _less(inner.high, outer.high)
            or (_equal(outer.high, inner.high) and (outer.high_closed or not inner.high_closed))
        )
    )
    return low and high


def _starts(one: Range, other: Range) -> bool:
    _ends(one, other)
    same = _equal(one.low, other.low) and one.low_closed == other.low_closed
    return same and _includes(other, one)


def _finishes(one: Range, other: Range) -> bool:
    _ends(one, other)
    same = _equal(one.high, other.high) and one.high_closed == other.high_closed
    return same and _includes(other, one)


def _meets(one: Range, other: Range) -> bool:
    _ends(one, other)
    return one.high_closed and other.low_closed and _equal(one.high, other.low)


def _overlaps(one: Range, other: Range) -> bool:
    return not _before(one, other) and not _before(other, one)


def _overlaps_before(one: Range, other: Range) -> bool:
    """Tell whether ``one`` begins before ``other`` and ends inside it."""
    _ends(one, other)
    begins = _less(one.low, other.low) or (
        _equal(one.low, other.low) and one.low_closed and not other.low_closed
    )
    touches = _less(other.low, one.high) or (
        _equal(other.low, one.high) and one.high_closed and other.low_closed
    )
    ends = _less(one.high, other.high) or (
        _equal(one.high, other.high) and (not one.high_closed or other.high_closed)
    )
    return begins and touches and ends


def _overlaps_after(one: Range, other: Range) -> bool:
    """Tell whether ``one`` begins inside ``other`` and ends after it."""
    _ends(one, other)
    begins = _less(other.low, one.low) or (
        _equal(one.low, other.low) and other.low_closed and not one.low_closed
    )
    touches = _less(one.low, other.high) or (
        _equal(one.low, other.high) and one.low_closed and other.high_closed
    )
    ends = _less(other.high, one.high) or (
        _equal(one.high, other.high) and (one.high_closed or not other.high_closed)
    )
    return begins and touches and ends


def _coincides(one: Range, other: Range) -> bool:
    _ends(one, other)
    closed = one.low_closed == other.low_closed and one.high_closed == other.high_closed
    return _equal(one.low, other.low) and _equal(one.high, other.high) and closed


_POINTS = "point1: any, point2: any"
_MIXED = (_POINTS, "point: any, range: any", "range: any, point: any", "range1: any, range2: any")
_RANGES = ("range1: range, range2: range",)


def _relation(name: str, judge: Callable[[Range, Range], bool], *signatures: str) -> None:
    @builtin(name, *signatures)
    def relate(env: Env, one: Value, other: Value) -> Value:
        return judge(_span(one), _span(other))


_relation("before", _before, *_MIXED)
_relation("after", lambda one, other: _before(other, one), *_MIXED)
_relation("coincides", _coincides, *_MIXED)
_relation("meets", _meets, *_RANGES)
_relation("met by", lambda one, other: _meets(other, one), *_RANGES)
_relation("overlaps", _overlaps, *_RANGES)
_relation("overlaps before", _overlaps_before, *_RANGES)
_relation("overlaps after", _overlaps_after, *_RANGES)
_POINT_IN = ("point: any, range: range", "range1: any, range2: range")
_HOLDS_POINT = ("range: range, point: any", "range1: range, range2: any")
_relation("finishes", _finishes, *_POINT_IN)
_relation("finished by", lambda one, other: _finishes(other, one), *_HOLDS_POINT)
_relation("includes", _includes, *_HOLDS_POINT)
_relation("during", lambda one, other: _includes(other, one), *_POINT_IN)
_relation("starts", _starts, *_POINT_IN)
_relation("started by", lambda one, other: _starts(other, one), *_HOLDS_POINT)


@builtin("range", "from: string")
def _range(env: Env, text: str) -> Value:
    env.budget.spend(200)
    return parse_range(text)
