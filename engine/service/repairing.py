"""An admin's corrections of one case: shown before they are done, with a reason, never sending twice.

A correction is an ordinary advance, written into history like every other; what a case has sent stays sent
and is neither recalled nor repeated. What is shown beforehand is the correction itself, done and rolled back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from engine.actor import Actor, Role
from engine.errors import NotFoundError, RefusedError
from engine.runtime import api
from engine.runtime.peek import read_data, read_items
from engine.service.access import require
from engine.service.advance import CaseEndedError, Locked, lock_case, move_locked, read_case
from engine.service.auditing import write_down
from engine.service.cases import find_case
from engine.service.exchanges import outcomes
from engine.service.stories import Entry, note
from engine.store.errors import CaseChangedError
from engine.store.tables import exchanges

if TYPE_CHECKING:
    from engine.service.installation import Installation


class ItemUnknownError(NotFoundError):
    """The case waits for no such thing."""


class RepairRefusedError(RefusedError):
    """The case cannot be corrected like this."""


class Action(StrEnum):
    """What an admin can do to a case."""

    RETRY = "retry"
    SKIP = "skip"
    SET_DATA = "set-data"
    MOVE = "move"


@dataclass(frozen=True, slots=True)
class Repair:
    """A correction of one case."""

    action: Action
    reason: str
    item: str | None = None
    """Open item: its id, the end of it, or its element where only one item is open there."""
    element: str | None = None
    """Where the token is moved."""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a correction leads to."""

    command: str
    steps: tuple[tuple[str, str], ...]
    """Kind of step and element, in order."""
    opened: tuple[tuple[str, str], ...]
    """Kind and element of what the case waits for afterwards and did not before."""
    closed: tuple[tuple[str, str], ...]
    sends: tuple[tuple[str, str], ...]
    """Element and message type of what is sent for the first time."""
    data: tuple[tuple[str, Any, Any], ...]
    """Name, value before (None where there was none) and after, of what the correction itself sets."""
    ends: bool
    done: bool
    sequence: int
    """Where the case's story stood before."""


class _RolledBackError(Exception):
    """Carries the outlook out of a transaction that must not commit."""

    def __init__(self, outlook: Outlook) -> None:
        super().__init__()
        self.outlook = outlook


def open_items(app: "Installation", actor: Actor, case_key: str) -> tuple[api.OpenItem, ...]:
    """Return everything a case waits for; raise CaseUnknownError."""
    require(actor, Role.ADMIN)
    with app.read() as tx:
        return _items(app, tx, read_case(tx, find_case(tx, actor, case_key)["id"]))


def preview(app: "Installation", actor: Actor, case_key: str, repair: Repair) -> Outlook:
    """Return what ``repair`` would lead to; nothing is changed. Raises what ``perform`` raises."""
    try:
        with app.write() as tx:
            raise _RolledBackError(_perform(app, tx, actor, case_key, repair, done=False))
    except _RolledBackError as carried:
        return carried.outlook


def perform(
    app: "Installation", actor: Actor, case_key: str, repair: Repair, seen: Outlook | None = None
) -> Outlook:
    """Correct a case and return what that led to; with ``seen`` only as it was shown.

    Raises CaseUnknownError, CaseEndedError, ItemUnknownError, RepairRefusedError, RoleMissingError,
    CaseChangedError where the case went on after ``seen``, and the runtime's own refusals; nothing is changed
    then.
    """
    with app.write() as tx:
        return _perform(app, tx, actor, case_key, repair, done=True, seen=seen)


def _perform(
    app: "Installation",
    tx: Connection,
    actor: Actor,
    case_key: str,
    repair: Repair,
    *,
    done: bool,
    seen: Outlook | None = None,
) -> Outlook:
    require(actor, Role.ADMIN)
    if not repair.reason.strip():
        raise RepairRefusedError("a reason is needed", hint="say with --reason why this is done")
    locked = lock_case(tx, find_case(tx, actor, case_key)["id"])
    if seen is not None and seen.sequence != locked.head.sequence:
        raise CaseChangedError(
            f"case {locked.case.own_reference} went on after this was shown",
            hint="look at what the correction leads to now, then decide",
        )
    if locked.case.status != "open":
        raise CaseEndedError(f"case {locked.case.own_reference} is {locked.case.status}")
    before = _items(app, tx, locked)
    item = _find(before, repair.item) if repair.item is not None else None
    command = _command(tx, locked, repair, item)
    data = _changes(app, tx, locked, item, repair.data)
    result = move_locked(app, tx, locked, command, actor.person_id)
    now = app.clock.now()
    details = {
        "correction": repair.action.value,
        "reason": repair.reason,
        "item": None if item is None else item.id,
        "at": None if item is None else item.element_id,
        "to": repair.element,
    }
    note(tx, app.ids, locked.case.id, Entry(now, actor.person_id, "correction", details))
    if item is not None and repair.action is not Action.SET_DATA:
        outcomes.close_incidents(tx, item.id, now, repair.reason)
    about = {**details, "case": locked.case.id}
    write_down(app, tx, locked.case.authority_id, actor.person_id, "case.repair", about)
    return _outlook(result, before, type(command).__name__, data, locked.head.sequence, done=done)


def _command(tx: Connection, locked: Locked, repair: Repair, item: api.OpenItem | None) -> api.Command:
    if repair.action is Action.SET_DATA:
        if not repair.data:
            raise RepairRefusedError("no data to set", hint='give --data \'{"name": "value"}\'')
        return api.SetData(dict(repair.data), None if item is None else item.id)
    if item is None:
        raise RepairRefusedError(
            f"{repair.action.value} needs an item", hint="'dienstweg case repair CASE' lists what is open"
        )
    if repair.action is Action.RETRY:
        return api.Retry(item.id)
    if repair.action is Action.SKIP:
        return api.Skip(item.id, dict(repair.data))
    if repair.element is None:
        raise RepairRefusedError("it is not said where to", hint="name the element with --to")
    sent = tx.scalars(select(exchanges.c.key).where(exchanges.c.case_id == locked.case.id))
    return api.MoveToken(item.id, repair.element, tuple(sorted(sent)))


def _items(app: "Installation", tx: Connection, locked: Locked) -> tuple[api.OpenItem, ...]:
    if locked.case.status != "open":
        return ()
    program = app.programs.program(tx, locked.case.version_id, locked.case.process_id)
    return read_items(program, locked.document)


def _find(items: Sequence[api.OpenItem], key: str) -> api.OpenItem:
    found = [item for item in items if key in (item.id, item.element_id)]
    if not found and len(key) >= 2:
        found = [item for item in items if item.id.endswith(key)]
    if len(found) != 1:
        what = "nothing" if not found else f"{len(found)} things"
        raise ItemUnknownError(
            f"the case waits for {what} known as {key!r}",
            hint="'dienstweg case repair CASE' lists what is open",
        )
    return found[0]


def _changes(
    app: "Installation",
    tx: Connection,
    locked: Locked,
    item: api.OpenItem | None,
    data: Mapping[str, Any],
) -> tuple[tuple[str, Any, Any], ...]:
    """Return what ``data`` sets, and what is there before."""
    if not data:
        return ()
    known: Mapping[str, Any]
    if item is not None:
        known = item.data
    else:
        program = app.programs.program(tx, locked.case.version_id, locked.case.process_id)
        known = read_data(program, locked.document)
    return tuple((name, known.get(name), value) for name, value in data.items())


def _outlook(
    result: api.Advance,
    before: Sequence[api.OpenItem],
    command: str,
    data: tuple[tuple[str, Any, Any], ...],
    sequence: int,
    *,
    done: bool,
) -> Outlook:
    known = {item.id: item for item in before}
    return Outlook(
        command=command,
        steps=tuple((step.kind.value, step.element_id) for step in result.steps),
        opened=tuple((item.kind.value, item.element_id) for item in result.opened),
        closed=tuple(
            (known[item].kind.value, known[item].element_id) for item in result.closed if item in known
        ),
        sends=tuple((send.element_id, send.message) for send in result.sends),
        data=data,
        ends=result.completed,
        done=done,
        sequence=sequence,
    )
