"""The migration's figures, counted from what was really sent; never from what was declared."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class StatusLine:
    """What was really sent on one relation, by evidence level; every exchange counts once."""

    procedure_key: str
    element_id: str
    recipient_id: str
    exchanges: int
    by_level: dict[str, int]
    fallbacks: int
    confirmed: int
    unsent: int

    @property
    def electronic(self) -> int:
        """How many travelled on level B or better."""
        return sum(count for level, count in self.by_level.items() if level != "A")


def count(rows: Iterable[Mapping[str, Any]]) -> list[StatusLine]:
    """Count exchanges by relation; every exchange counts once, by its last row.

    A row is an exchange with one dispatch that was handed over (``dispatch_id`` None: none was), in the order
    of dispatches. Copies and test traffic are not among them.
    """
    last = {row["id"]: row for row in rows}
    lines: dict[tuple[str, str, str], StatusLine] = {}
    for row in last.values():
        key = (row["procedure_key"], row["element_id"], row["recipient_id"])
        lines[key] = _counted(lines.get(key) or StatusLine(*key, 0, {}, 0, 0, 0), row)
    return [lines[key] for key in sorted(lines)]


def _counted(line: StatusLine, row: Mapping[str, Any]) -> StatusLine:
    levels = dict(line.by_level)
    sent = row["dispatch_id"] is not None
    if sent:
        levels[row["level"]] = levels.get(row["level"], 0) + 1
    return StatusLine(
        line.procedure_key,
        line.element_id,
        line.recipient_id,
        line.exchanges + 1,
        levels,
        line.fallbacks + int(sent and row["channel"] != row["intended_channel"]),
        line.confirmed + int(row["confirmed"]),
        line.unsent + int(not sent),
    )
