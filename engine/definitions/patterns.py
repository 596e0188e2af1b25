"""Regular expressions from forms and message types, bounded before they meet anybody's input.

Python's ``re`` backtracks; a pattern like ``(a+)+$`` takes years for thirty characters. ``bounded`` estimates
from the parsed pattern how many ways there are to try a match and refuses what exceeds ``MAX_WAYS``. The
estimate is an upper bound, so a few harmless patterns are refused too; the hint says how to write them.
"""

import re
from functools import lru_cache
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MAX_PATTERN = 300
MAX_INPUT = 1_000
"""Longest text, in characters, that is matched; longer values are refused before matching."""
MAX_WAYS = 2_000_000

_REPEATS = frozenset({codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT})
_SIMPLE = frozenset({codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN, codes.AT, codes.CATEGORY})


class PatternFault(ValueError):
    """A pattern that is no regular expression or may take too long; the text says which and why."""


@lru_cache(maxsize=512)
def bounded(pattern: str) -> re.Pattern[str]:
    """Compile ``pattern`` for ``search`` on texts of at most ``MAX_INPUT`` characters.

    Raises:
        PatternFault: not a regular expression, not portable, or too costly.
    """
    if len(pattern) > MAX_PATTERN:
        raise PatternFault(f"is longer than {MAX_PATTERN} characters")
    try:
        tree = parser.parse(pattern)
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternFault(f"is not a regular expression: {error}") from error
    anchored = bool(tree.data) and tree.data[0] == (codes.AT, codes.AT_BEGINNING)
    ways = _sequence(tree.data) * (1 if anchored else MAX_INPUT)
    if ways > MAX_WAYS:
        raise PatternFault(
            "may try too many ways to match; anchor it with ^ and $, avoid a repeat inside a repeat, "
            "and give repeats an upper limit like {1,20}"
        )
    return compiled


def _sequence(items: Any) -> int:
    ways = 1
    for operator, argument in items:
        ways = min(ways * _ways(operator, argument), MAX_WAYS + 1)
    return ways


def _ways(operator: Any, argument: Any) -> int:
    """Return an upper bound of the ways one item can match."""
    if operator in _SIMPLE:
        return 1
    if operator in _REPEATS:
        low, high, body = argument
        high = min(int(high), MAX_INPUT)
        inner = _sequence(body)
        # Each further round multiplies the ways of the rounds before it.
        powers = MAX_WAYS + 1 if inner > 1 and high > 64 else inner**high
        return int(min(powers * (high - min(int(low), high) + 1), MAX_WAYS + 1))
    if operator is codes.SUBPATTERN:
        return _sequence(argument[3])
    if operator is codes.BRANCH:
        return sum(_sequence(branch) for branch in argument[1])
    raise PatternFault("uses a look-around, back reference or condition; write it without")
