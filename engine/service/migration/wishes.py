"""What an admin wants switched, held against the directory and the deployed procedures."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from engine.actor import Actor
from engine.deadlines.iso import local_text, typed_instant
from engine.errors import DienstwegError, RefusedError
from engine.exchange.decision import LIVE, PILOT, SHADOW
from engine.exchange.ports import split_channel
from engine.migration.scope import Scope
from engine.migration.volume_files import GERMAN, delimiter_of, text_of
from engine.migration.watching import NO_RECEIPT, Condition, parse_condition
from engine.service.migration.grounds import Grounds
from engine.service.migration.receipts import proves_arrival
from engine.service.migration.scope import Resolver

if TYPE_CHECKING:
    from engine.service.installation import Installation

STAGES = (SHADOW, PILOT, LIVE)
COLUMNS = ("procedure", "step", "sender", "recipient")
PAST = timedelta(minutes=5)
"""An effective date this little in the past means now: clocks differ."""
_SHOWN = 10


class SwitchRefusedError(RefusedError):
    """The relation cannot be switched like this."""


class ListRefusedError(RefusedError):
    """The list of relations cannot be used; nothing was switched."""


@dataclass(frozen=True, slots=True)
class Switch:
    """What an admin wants put in force; None in a scope field means any.

    ``relations`` names many scopes at once in place of the single fields. ``effective`` without offset is
    local time; None: now.
    """

    channel: str
    procedure: str | None = None
    step: str | None = None
    recipient: str | None = None
    stage: str = LIVE
    share: int = 100
    reason: str = ""
    effective: datetime | None = None
    sender: str | None = None
    district: str | None = None
    relations: Sequence[Scope] = ()
    revert_if: Sequence[str] = ()

    @property
    def scopes(self) -> Sequence[Scope]:
        """What is meant, as it was given."""
        single = Scope(self.procedure, self.step, self.sender, self.recipient, self.district)
        return self.relations or (single,)


@dataclass(frozen=True, slots=True)
class Wish:
    """A checked wish: one rule for every sender and scope."""

    channel: str
    stage: str
    share: int
    reason: str
    effective: datetime
    conditions: tuple[Condition, ...]
    by_sender: Mapping[str, Sequence[Scope]] = field(default_factory=dict)
    """Sender → resolved scopes; the scopes name their sender."""


def read_relations(raw: bytes, name: str) -> list[Scope]:
    """Read a CSV of relations with the columns procedure, step, sender, recipient, in English or German.

    Sender may be left out; other columns are passed over. Raises ListRefusedError that names every faulty
    line, VolumeFileRefusedError for what is no text.
    """
    content = text_of(raw, name)
    delimiter, said = delimiter_of(content, name)
    text = io.StringIO(content.removeprefix("\ufeff"), newline="")
    lines = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        if said:
            next(lines)
        places = _places(next(lines, []), name)
        return _scopes(((lines.line_num, cells) for cells in lines), places, name)
    except csv.Error as error:
        raise ListRefusedError(
            f"line {lines.line_num}: {error}", where=name, hint="save it as CSV again"
        ) from error


def _places(heading: Sequence[str], name: str) -> Mapping[str, int]:
    """Return where each column stands."""
    found: dict[str, int] = {}
    for place, cell in enumerate(heading):
        column = GERMAN.get(cell.strip().lower(), cell.strip().lower())
        if column in found:
            raise ListRefusedError(f"two columns give {column}", where=name, hint="leave one of them out")
        if column in COLUMNS:
            found[column] = place
    missing = [column for column in COLUMNS if column != "sender" and column not in found]
    if missing:
        raise ListRefusedError(
            f"the column {missing[0]!r} is missing",
            where=name,
            hint=f"columns are: {', '.join(COLUMNS)}; or Verfahren, Schritt, Absender, Empfänger",
        )
    return found


def _scopes(lines: Iterable[tuple[int, Sequence[str]]], places: Mapping[str, int], name: str) -> list[Scope]:
    found: dict[Scope, int] = {}
    faults = []
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        values = {column: cells[place].strip() for column, place in places.items() if place < len(cells)}
        empty = [column for column in ("procedure", "step", "recipient") if not values.get(column)]
        scope = Scope(**{column: values.get(column) or None for column in COLUMNS})
        if empty:
            faults.append(f"line {line}: {empty[0]} is empty")
        elif scope in found:
            faults.append(f"line {line}: the same relation as line {found[scope]}")
        found.setdefault(scope, line)
    _refuse(faults, name)
    if not found:
        raise ListRefusedError("the list is empty", where=name)
    return list(found)


def _refuse(faults: Sequence[str], where: str | None) -> None:
    if faults:
        more = f"; and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise ListRefusedError("; ".join(faults[:_SHOWN]) + more, where=where)


def check(app: "Installation", tx: Connection, actor: Actor, wanted: Switch, now: datetime) -> Wish:
    """Return the wish with every key resolved, or refuse it with the reason.

    Raises SwitchRefusedError, ListRefusedError, ConditionRefusedError, InvalidInstantError (a local time that
    a change of clocks skips or repeats), and what resolving a scope raises.
    """
    asked = typed_instant(wanted.effective) if wanted.effective is not None else None
    _check_form(app, wanted, asked, now)
    conditions = tuple(parse_condition(text) for text in wanted.revert_if)
    _check_conditions(app, wanted, conditions)
    effective = max(asked, now) if asked else now
    grounds = Grounds.on(app, tx, effective)
    names = Resolver(tx, actor)
    by_sender: dict[str, list[Scope]] = {}
    faults = []
    for place, scope in enumerate(wanted.scopes, 1):
        try:
            resolved = names.resolve(scope)
            _check_scope(grounds, wanted, resolved)
            writing = [each for each in names.senders_of(resolved) if each != resolved.recipient]
            if not writing:
                raise SwitchRefusedError(f"{resolved.recipient} does not write to itself")
        except DienstwegError as error:
            if not wanted.relations:
                raise
            faults.append(f"relation {place} ({scope.describe()}): {error.message}")
            continue
        for sender in writing:
            by_sender.setdefault(sender, []).append(replace(resolved, sender=sender))
    _refuse(faults, None)
    if wanted.stage == SHADOW:
        _check_receipts_of_tests(grounds, wanted, list(by_sender))
    return Wish(wanted.channel, wanted.stage, wanted.share, wanted.reason, effective, conditions, by_sender)


def _check_form(app: "Installation", wanted: Switch, asked: datetime | None, now: datetime) -> None:
    try:
        _, carrier = split_channel(wanted.channel)
    except ValueError as error:
        raise SwitchRefusedError(str(error), hint="a channel is payload+carrier") from error
    app.adapters.channel(wanted.channel)
    if wanted.stage not in STAGES:
        raise SwitchRefusedError(f"{wanted.stage!r} is no stage", hint=f"stages are: {', '.join(STAGES)}")
    if not 1 <= wanted.share <= 100 or (wanted.stage != PILOT and wanted.share != 100):
        raise SwitchRefusedError("a pilot has a share of 1 to 100 percent, live and shadow have all")
    if wanted.stage == SHADOW and not app.adapters.carrier(carrier).describe().electronic:
        raise SwitchRefusedError(
            f"{wanted.channel} cannot be tried in the shadow: somebody would print and post the tests",
            hint="name an electronic channel",
        )
    if asked is not None and asked < now - PAST:
        raise SwitchRefusedError(
            f"{local_text(asked)} lies in the past: what was sent stays sent",
            hint="leave --effective out to switch now",
        )


def _check_conditions(app: "Installation", wanted: Switch, conditions: Iterable[Condition]) -> None:
    for condition in conditions:
        if wanted.stage == SHADOW:
            raise SwitchRefusedError(
                "a shadow carries nothing that could be taken back", hint="leave --revert-if out"
            )
        if condition.kind == NO_RECEIPT and not proves_arrival(app, wanted.channel):
            raise SwitchRefusedError(
                f"nothing on {wanted.channel} proves arrival by itself, so {NO_RECEIPT} would always hold",
                hint="use failures>…",
            )


def _check_scope(grounds: Grounds, wanted: Switch, scope: Scope) -> None:
    if scope.step and not scope.procedure:
        raise SwitchRefusedError("a step needs its procedure", hint="name it with --procedure")
    if scope.sender is not None and scope.sender == scope.recipient:
        raise SwitchRefusedError(f"{scope.sender} does not write to itself")
    if scope.recipient and scope.district and not grounds.lies_in(scope.recipient, scope.district):
        raise SwitchRefusedError(f"{scope.recipient} does not lie in {scope.district}")
    if scope.procedure is not None:
        steps = sorted(step.element_id for step in grounds.steps_of(scope.procedure))
        if not steps:
            raise SwitchRefusedError(f"procedure {scope.procedure!r} is not deployed or sends nothing")
        if scope.step is not None and scope.step not in steps:
            raise SwitchRefusedError(
                f"{scope.procedure} has no exchange step {scope.step!r}",
                hint=f"its steps are: {', '.join(steps)}",
            )
    if scope.recipient is not None:
        _check_mailbox(grounds, wanted, scope.recipient)


def _check_mailbox(grounds: Grounds, wanted: Switch, recipient: str) -> None:
    closed = grounds.why_closed(recipient, wanted.channel)
    if closed is not None:
        raise SwitchRefusedError(
            f"{recipient} cannot be reached on {grounds.day.isoformat()}: {closed}",
            hint="record it with 'dienstweg mailbox add' once the partner has opened it",
        )
    box = grounds.open_box(recipient, wanted.channel)
    if wanted.stage == SHADOW and (box is None or not box.accepts_test):
        raise SwitchRefusedError(
            f"the mailbox of {recipient} on {wanted.channel} takes no tests",
            hint="ask the partner; record it with 'mailbox add … --accepts-test'",
        )


def _check_receipts_of_tests(grounds: Grounds, wanted: Switch, senders: Sequence[str]) -> None:
    closed = [sender for sender in senders if grounds.open_box(sender, wanted.channel) is None]
    if closed and len(closed) == len(senders):
        raise SwitchRefusedError(
            f"{closed[0]} has no open mailbox of its own on {wanted.channel}",
            hint="receipts of tests come back to it: record it with 'dienstweg mailbox add'",
        )
