"""The data of tokens: shared, never changed in place, merged three-way where tokens meet.

A token's data is a dict from names to JSON values. A write replaces the token's own dict entry; values are
never changed in place, so tokens may share them. A *frame* remembers the data as they were at a point
where paths split. What a token changed since then is its patch; the document stores patches, so a thousand
instances over one large list store the list once. docs/reference/data.md says what this means for a model.
"""

import math
from collections.abc import Iterable, Mapping

from engine.runtime.api import Json
from engine.runtime.errors import DataRefusedError

Data = dict[str, Json]

_MAX_DEPTH = 60
_PLAIN = (str, bool, int)


class Frame:
    """The data at a point where paths split; ``up`` is the frame it came from."""

    __slots__ = ("data", "depth", "up")

    def __init__(self, up: "Frame | None", data: Data) -> None:
        """Keep ``data`` (never changed afterwards) below ``up``."""
        self.up = up
        self.data = data
        self.depth: int = 0 if up is None else up.depth + 1


class Patch:
    """What changed between two states of data."""

    __slots__ = ("removed", "values")

    def __init__(self, values: Data, removed: tuple[str, ...] = ()) -> None:
        """Keep the names set with their values, and the names removed."""
        self.values = values
        self.removed = removed

    def __bool__(self) -> bool:
        return bool(self.values or self.removed)

    def without(self, names: Iterable[str]) -> "Patch":
        """Return the patch less ``names``."""
        hidden = set(names)
        values = {name: value for name, value in self.values.items() if name not in hidden}
        return Patch(values, tuple(name for name in self.removed if name not in hidden))

    def apply(self, data: Data) -> None:
        """Change ``data`` (a dict of one's own) by this patch."""
        data.update(self.values)
        for name in self.removed:
            data.pop(name, None)


def same(left: Json, right: Json) -> bool:
    """Tell whether two JSON values are the same, ``1`` and ``true`` being different."""
    return left is right or (type(left) is type(right) and left == right)


def patch_between(before: Mapping[str, Json], after: Mapping[str, Json]) -> Patch:
    """Return what leads from ``before`` to ``after``."""
    if before is after:
        return Patch({})
    values = {
        name: value for name, value in after.items() if name not in before or not same(before[name], value)
    }
    if len(after) - len(values) == len(before):
        return Patch(values)
    return Patch(values, tuple(name for name in before if name not in after))


def common(frames: Iterable[Frame]) -> Frame | None:
    """Return the youngest frame from which all ``frames`` come; None where there is none."""
    result: Frame | None = None
    for position, frame in enumerate(frames):
        if position == 0:
            result = frame
            continue
        other: Frame | None = frame
        while result is not other:
            if result is None or other is None:
                return None
            if result.depth >= other.depth:
                result = result.up
            else:
                other = other.up
    return result


def root_of(frame: Frame) -> Frame:
    """Return the oldest frame above ``frame``."""
    while frame.up is not None:
        frame = frame.up
    return frame


def merge(base: Mapping[str, Json], branches: Iterable[Mapping[str, Json]]) -> Data:
    """Merge ``branches`` that all began with ``base``: each one's changes in turn, the later one winning.

    A name that a branch removed is removed; a list that two branches changed is the later branch's list.
    """
    result = dict(base)
    for branch in branches:
        patch_between(base, branch).apply(result)
    return result


def clean(value: Json, depth: int = 0) -> Json:
    """Return a deep copy of JSON data from outside; raise DataRefusedError for anything else."""
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise DataRefusedError("a number in the data is not finite")
        return value
    if depth > _MAX_DEPTH:
        raise DataRefusedError(f"the data are nested more than {_MAX_DEPTH} levels deep")
    if isinstance(value, list | tuple):
        return [clean(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str):
                raise DataRefusedError(f"the name {name!r} in the data is no text")
        return {name: clean(item, depth + 1) for name, item in value.items()}
    raise DataRefusedError(
        f"a value of type {type(value).__name__} is not JSON", hint="write dates and amounts as text"
    )


def clean_data(data: Mapping[str, Json]) -> Data:
    """Return ``data`` as a dict of one's own; raise DataRefusedError where it is not JSON."""
    if not data:
        return {}
    result: Data = clean(data)
    return result
