"""What one expression may use. Counted in steps, never in seconds, so that a replay ends the same way."""

from engine.expressions.errors import LimitError

TEXT = 20_000
"""Characters of an expression's text."""
NESTING = 40
"""Brackets inside brackets that the parsers follow."""
DEPTH = 150
"""Height of the syntax tree: how many operators may stand inside each other."""
STEPS = 400_000
"""Steps of one evaluation: a node evaluated in a loop, an element visited, 32 characters touched."""
ITEMS = 100_000
"""Elements of a list."""
CHARACTERS = 1_000_000
"""Characters of a string."""
FRAMES = 300
"""Syntax nodes entered at the same time while FEEL functions call each other."""
EXPONENT = 10_000
"""Absolute value of an exponent."""
PATTERN = 1_000
"""Characters of a regular expression."""


class Budget:
    """The steps and frames that are left to one evaluation."""

    __slots__ = ("frames", "left")

    def __init__(self) -> None:
        """Start with everything."""
        self.left = STEPS
        self.frames = FRAMES

    def spend(self, steps: int) -> None:
        """Take ``steps`` off; raise LimitError once nothing is left."""
        self.left -= steps
        if self.left < 0:
            raise LimitError("the expression takes too many steps", hint="work on smaller lists")


SIZED = frozenset({str, list, dict})
"""Kinds of values that cost more than one step to touch."""


def charge(budget: Budget, *values: object) -> None:
    """Take off what it costs to go through ``values``, down to the last element of nested ones.

    Shared parts count each time they are met, as whoever compares, copies or prints the value meets them.
    """
    pending = [value for value in values if type(value) in SIZED]
    while pending:
        value = pending.pop()
        budget.spend(size(value))
        if isinstance(value, dict):
            pending.extend(item for item in value.values() if type(item) in SIZED)
        elif isinstance(value, list):
            pending.extend(item for item in value if type(item) in SIZED)


def size(value: object) -> int:
    """Return the steps that ``value`` costs without what is inside its elements."""
    if isinstance(value, str):
        return len(value) >> 5
    return len(value) if isinstance(value, list | dict) else 0


def check_text(text: str) -> str:
    """Return ``text`` unless it is longer than a string may be."""
    if len(text) > CHARACTERS:
        raise LimitError(f"a string grows beyond {CHARACTERS} characters")
    return text


def check_count(count: int) -> int:
    """Return ``count`` unless a list may not hold so many elements."""
    if count > ITEMS:
        raise LimitError(f"a list grows beyond {ITEMS} elements")
    return count
