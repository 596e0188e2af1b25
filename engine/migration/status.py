"""The migration's status: what really carried the exchanges, never what was declared."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from engine.errors import RefusedError
from engine.migration.kpis import Figures, added
from engine.migration.reasons import Why
from engine.migration.scope import Scope

COLUMNS = {
    "procedure": "procedure_key",
    "step": "element_id",
    "sender": "authority_id",
    "recipient": "recipient_id",
    "district": "recipient_id",
    "month": "month",
}
"""What a status can be split by, and the ledger's column for it."""
NOWHERE = "–"
"""District of the Land, and of whoever lies in none."""
ELSEWHERE = "elsewhere"
"""Kind under which municipalities, districts and Länder outside the Saarland are counted."""


class StatusRefusedError(RefusedError):
    """This status cannot be asked for."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a status is asked for; months are ``YYYY-MM``, both inclusive."""

    scope: Scope = field(default_factory=Scope)
    by: tuple[str, ...] = ("procedure", "step")
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one group."""

    key: Mapping[str, str]
    figures: Figures


@dataclass(frozen=True, slots=True)
class Reached:
    """Authorities of one kind: how many there are, have opened an electronic access, really received."""

    kind: str
    n: int
    opened: int
    receiving: int
    without: tuple[str, ...]
    """Keys of those that have neither opened one nor received anything electronically."""


@dataclass(frozen=True, slots=True)
class Reported:
    """Who counts in this status, and until when: own senders, and installations whose reports were taken."""

    name: str
    senders: tuple[str, ...]
    until: str | None
    """Last month reported; None: nothing yet."""
    made_at: datetime | None
    """When the last report was made; None for own senders, who are up to date."""


@dataclass(frozen=True, slots=True)
class Status:
    """The whole answer."""

    question: Question
    on: date
    total: Figures
    lines: tuple[Line, ...]
    coverage: tuple[Reached, ...]
    why_paper: Mapping[Why, int]
    """Relations that still send on paper, by why they do."""
    reported: tuple[Reported, ...]
    names: Mapping[str, str]
    """Key → name of every authority of the directory."""


def checked_dimensions(names: Iterable[str]) -> tuple[str, ...]:
    """Return what to split by, in order and once each; a step brings its procedure along.

    Raises StatusRefusedError for an unknown name.
    """
    wanted = list(dict.fromkeys(names))
    unknown = [name for name in wanted if name not in COLUMNS]
    if unknown:
        raise StatusRefusedError(
            f"there is no figure by {unknown[0]!r}", hint=f"split by {', '.join(COLUMNS)}"
        )
    if "step" in wanted and "procedure" not in wanted:
        wanted.insert(wanted.index("step"), "procedure")
    return tuple(wanted)


def checked_month(text: str | None) -> str | None:
    """Return a month ``YYYY-MM`` from a month or a day; raise StatusRefusedError for anything else."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text if len(text) > len("2026-01") else f"{text}-01")
    except ValueError as error:
        raise StatusRefusedError(
            f"{text!r} is no month", hint="write a month like 2026-11; a day stands for its month"
        ) from error
    return day.strftime("%Y-%m")


def checked_months(since: str | None, until: str | None) -> tuple[str | None, str | None]:
    """Return first and last month; raise StatusRefusedError for no month, or where the last comes first."""
    first, last = checked_month(since), checked_month(until)
    if first is not None and last is not None and first > last:
        raise StatusRefusedError(f"{first} comes after {last}", hint="give the earlier month with --since")
    return first, last


def lines(
    rows: Iterable[Mapping[str, Any]],
    trend: Iterable[Mapping[str, Any]],
    taken: Iterable[Mapping[str, Any]],
    by: tuple[str, ...],
    district_of: Callable[[str], str | None],
) -> tuple[Line, ...]:
    """Group months' rows; each is in exactly one group, so the sums match.

    ``trend`` says what was sent by month where the rows do not; ``taken`` goes off what was added.
    """
    found: defaultdict[tuple[str, ...], Figures] = defaultdict(Figures)
    for row in rows:
        found[key_of(row, by, district_of)].add(row)
    for row in trend:
        found[key_of(row, by, district_of)].add_month(row["month"], row["sent"], row["paper"])
    changed = set()
    for row in taken:
        key = key_of(row, by, district_of)
        found[key].take(row)
        changed.add(key)
    empty = {key for key in changed if not found[key].tidy()}
    return tuple(
        Line(dict(zip(by, key, strict=True)), found[key]) for key in sorted(found) if key not in empty
    )


def key_of(
    row: Mapping[str, Any], by: tuple[str, ...], district_of: Callable[[str], str | None]
) -> tuple[str, ...]:
    """Return the group a row is in."""
    return tuple(
        (district_of(row["recipient_id"]) or NOWHERE) if name == "district" else row[COLUMNS[name]]
        for name in by
    )


def total_of(found: Iterable[Line]) -> Figures:
    """Return the sum of all lines."""
    return added(line.figures for line in found)
