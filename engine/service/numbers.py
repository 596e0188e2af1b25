"""Short numbers for people: the beginning of an id, and for what a case waits for its count behind a dot.

Everything that one case waits for has ids of one beginning and an ending that counts (``engine.runtime``), so
``6946116c`` alone would name them all; ``6946116c.9`` names one.
"""

from sqlalchemy import ColumnElement, and_, or_

_SHOWN = 8
_LEAST = 6
_COUNT = 8


def number_of(identifier: str) -> str:
    """Return the short number of an id."""
    ending = identifier[-_COUNT:]
    if len(identifier) == 36 and ending.startswith("0000"):
        return f"{identifier[:_SHOWN]}.{int(ending, 16):x}"
    return identifier[:_SHOWN]


def known_as(column: ColumnElement[str], key: str) -> ColumnElement[bool]:
    """Return the condition that a row is known as ``key``: id, short number, or beginning of the id."""
    beginning, dot, count = key.partition(".")
    if dot and count and len(count) <= _COUNT and all(c in "0123456789abcdef" for c in count):
        return and_(column.startswith(beginning, autoescape=True), column.endswith(count.rjust(_COUNT, "0")))
    if len(key) < _LEAST:
        return column == key
    return or_(column == key, column.startswith(key, autoescape=True))
