"""``paper.yaml`` of a procedure package: why its sends still are, or no longer are, on paper.

The law says so with a date and a source, per element id of a send. Without an entry the form class of the
step decides (``engine.migration.reasons``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from engine.definitions.schema_faults import faults
from engine.definitions.schemas import schema
from engine.yaml_text import Problem, YamlFault, field_name, read_yaml

PAPER = "paper.yaml"


@dataclass(frozen=True, slots=True)
class PaperReason:
    """What a package says of one send."""

    why: str
    """``paper-bound``, ``relaxable``, ``technical`` or ``no-form``."""
    source: str
    as_of: date
    """The day on which the source was read."""
    relief: str | None = None
    """What lets the form go, e.g. a substitute or an act that lifted it."""
    since: date | None = None


def read_paper(content: bytes) -> tuple[dict[str, PaperReason], list[Problem]]:
    """Return the reasons by element id, and every fault of the file."""
    try:
        read = read_yaml(content, PAPER)
    except YamlFault as fault:
        return {}, [fault.problem]
    found = faults(schema("paper"), read.data)
    if found:
        return {}, [
            Problem(PAPER, read.line(one.path), field_name(one.path), one.message, one.hint) for one in found
        ]
    as_of = date.fromisoformat(read.data["as_of"])
    return {step: _reason(entry, as_of) for step, entry in read.data["steps"].items()}, []


def _reason(entry: Mapping[str, Any], as_of: date) -> PaperReason:
    since = entry.get("since")
    return PaperReason(
        why=entry["why"],
        source=entry["source"],
        as_of=as_of,
        relief=entry.get("relief"),
        since=date.fromisoformat(since) if since else None,
    )
