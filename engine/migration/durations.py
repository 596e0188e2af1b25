"""Durations in whole minutes: how often each occurred, median and 90th percentile."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

_NTH = ((1, 2), (9, 10))
"""Median and p90."""
_MANY = 20_000


@dataclass(frozen=True, slots=True)
class Times:
    """Durations in whole minutes: the smallest that half, or nine tenths, do not exceed."""

    n: int
    median: int | None
    p90: int | None


def times(durations: Mapping[int, int]) -> Times:
    """Return median and 90th percentile by nearest rank: no value is invented between two."""
    ordered = sorted(durations)
    passed = list(accumulate(map(durations.__getitem__, ordered)))
    if not passed:
        return Times(0, None, None)
    return Times(passed[-1], *(ordered[bisect_left(passed, rank)] for rank in _ranks(passed[-1])))


def _ranks(n: int) -> Iterator[int]:
    """Return which of ``n`` in order is the median and which the 90th percentile, from 1 on."""
    return (-(-n * part // whole) for part, whole in _NTH)


@dataclass(slots=True)
class Minutes:
    """Durations as months keep them: counted only when somebody asks, and then all at once."""

    texts: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    """Of rows that do not count any more."""

    def times(self) -> Times:
        """Return median and 90th percentile; few minutes are sorted, many are counted."""
        words = " ".join(self.texts).split()
        if self.taken or not 0 < len(words) < _MANY:
            return times(self.counted())
        ordered = sorted(map(int, words))
        return Times(len(ordered), *(ordered[rank - 1] for rank in _ranks(len(ordered))))

    def counted(self) -> Counter[int]:
        """Return how often each number of minutes occurred."""
        words = Counter(" ".join(self.texts).split())
        if self.taken:
            words -= Counter(" ".join(self.taken).split())
        return Counter({int(minutes): n for minutes, n in words.items()})
