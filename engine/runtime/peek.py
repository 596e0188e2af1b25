"""Looking at a case without moving it."""

from collections.abc import Mapping
from datetime import UTC, datetime

from engine.runtime.api import Json, OpenItem
from engine.runtime.document import load
from engine.runtime.services import Services
from engine.runtime.specs import Program

_NO_INSTANT = datetime(1, 1, 1, tzinfo=UTC)
"""Looking asks no clock: nothing moves."""


def read_item(program: Program, state: str, item_id: str) -> OpenItem | None:
    """Return the open item with the data visible there, or None where the case does not wait for it."""
    case = load(program, state, Services(_NO_INSTANT))
    for number, wait in case.open_waits.items():
        if case.item_id(number) == item_id:
            return case.out.item(wait)
    return None


def read_data(program: Program, state: str) -> Mapping[str, Json]:
    """Return an open case's data as its outermost scope sees them: what every open branch knows, merged."""
    case = load(program, state, Services(_NO_INSTANT))
    return {**case.objects, **case.scope_data(case)}


def read_items(program: Program, state: str) -> tuple[OpenItem, ...]:
    """Return everything the case waits for, with the data visible there, in the order it was opened."""
    case = load(program, state, Services(_NO_INSTANT))
    return tuple(case.out.item(wait) for _, wait in sorted(case.open_waits.items()))
