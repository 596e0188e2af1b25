"""When a rule takes itself back: conditions, and whether what was really sent breaches them. Pure.

A condition is written ``failures>5%/20``: more than 5 % of the last 20 exchanges under the rule failed; or
``no-receipt>10%/P3D/20``: of the last 20 exchanges handed over at least three days ago more than 10 % have no
receipt. As long as there are fewer exchanges than that nothing is concluded. The number may be left out: 20.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from engine.deadlines.errors import OutOfCalendarError
from engine.deadlines.iso import Period, add_period, parse_period
from engine.errors import DienstwegError, RefusedError

FAILURES, NO_RECEIPT = "failures", "no-receipt"
LEAST = 5
"""Fewer exchanges than this say nothing about a channel."""
MOST = 10_000
DEFAULT_LAST = 20
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
LONGEST = _BEGIN + timedelta(days=366)
"""A receipt is waited for at most a year: what ends beyond the calendar could never be judged."""
_CONDITION = re.compile(
    r"(?P<kind>failures|no-receipt)>(?P<percent>\d{1,2}(?:\.\d)?)%(?:/(?P<within>P[^/]*))?(?:/(?P<last>\d{1,6}))?"
)


class ConditionRefusedError(RefusedError):
    """This is no condition for taking a rule back."""


@dataclass(frozen=True, slots=True)
class Condition:
    """More than ``percent`` of the last ``last`` exchanges failed, or stayed without receipt ``within``."""

    kind: str
    percent: float
    last: int
    within: Period | None = None
    text: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Course:
    """What became of one exchange under the rule. Instants in UTC."""

    exchange_id: str
    failed: bool
    """A dispatch definitely failed, the exchange fell back, or the recipient refused it."""
    handed_over_at: datetime | None
    """On the rule's own channel."""
    receipt: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """What a condition was judged by: ``bad`` of ``n`` exchanges."""

    condition: str
    n: int
    bad: int
    breached: bool

    @property
    def percent(self) -> float:
        """The share of bad ones, in percent; 0 of nothing."""
        return 100 * self.bad / self.n if self.n else 0.0

    def __str__(self) -> str:
        return f"{self.condition}: {self.bad} of {self.n} ({self.percent:.1f} %)"


def parse_condition(text: str) -> Condition:
    """Read a condition; raise ConditionRefusedError that says how one is written."""
    plain = re.sub(r"\s+", "", text)
    found = _CONDITION.fullmatch(plain)
    hint = 'write "failures>5%/20" or "no-receipt>10%/P3D/20"'
    if found is None:
        raise ConditionRefusedError(f"{text!r} is no condition", hint=hint)
    last = int(found["last"] or DEFAULT_LAST)
    if not LEAST <= last <= MOST:
        raise ConditionRefusedError(f"{text!r}: the last {last} exchanges", hint=f"from {LEAST} to {MOST}")
    within = None
    if (found["within"] is None) is (found["kind"] == NO_RECEIPT):
        what = "needs a period" if found["kind"] == NO_RECEIPT else "has no period"
        raise ConditionRefusedError(f"{text!r}: {found['kind']} {what}", hint=hint)
    if found["within"] is not None:
        try:
            within = parse_period(found["within"])
        except DienstwegError as error:
            raise ConditionRefusedError(f"{text!r}: {error}", hint=hint) from error
        if _end_of(within) > LONGEST:
            raise ConditionRefusedError(f"{text!r}: nobody waits that long for a receipt", hint="up to P1Y")
    return Condition(found["kind"], float(found["percent"]), last, within, plain)


def _end_of(period: Period) -> datetime:
    try:
        return add_period(_BEGIN, period)
    except OutOfCalendarError:
        return datetime.max.replace(tzinfo=UTC)


def judge(condition: Condition, courses: Sequence[Course], now: datetime) -> Figures:
    """Judge a condition by what became of exchanges, given oldest first; each counts once."""
    if condition.kind == FAILURES:
        counted = [course.failed for course in courses]
    else:
        period = condition.within
        counted = [
            not course.receipt
            for course in courses
            if course.handed_over_at is not None
            and period is not None
            and add_period(course.handed_over_at, period) <= now
        ]
    window = counted[-condition.last :]
    bad = sum(window)
    enough = len(window) >= condition.last
    breached = enough and 100 * bad > condition.percent * len(window)
    return Figures(condition.text, len(window), bad, breached)
