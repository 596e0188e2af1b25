"""Looking at a case without moving it."""

from datetime import UTC, datetime

from engine.runtime.api import OpenItem
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
