"""Deadlines and their revisions. Pure: functions take a deadline and return a new one with what came of it.

A deadline begins unarmed, with a watch date at which a person looks why. A fact arms it; better evidence
or an extension revises it; each revision has a number that timers carry, so a stale timer never fires. What
has fired is never undone: a later revision is recorded and opens an incident (``Outcome.LATE_REVISION``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from engine.deadlines.errors import (
    ReasonMissingError,
    SettledDeadlineError,
    UnsuitableStartError,
)
from engine.deadlines.explanation import Explanation
from engine.deadlines.facts import Derived
from engine.deadlines.iso import Period, add_period
from engine.deadlines.rules import Rule
from engine.deadlines.text import Text


class State(StrEnum):
    """Where a deadline stands."""

    UNARMED = "unarmed"
    ARMED = "armed"
    FIRED = "fired"
    MET = "met"
    """What had to be done was done in time."""
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """What a change came to; the caller plans timers and opens incidents by it."""

    ARMED = "armed"
    REVISED = "revised"
    EXTENDED = "extended"
    DISARMED = "disarmed"
    """The start fell away: no timer any more, watch again."""
    UNCHANGED = "unchanged"
    FIRED = "fired"
    STALE = "stale"
    """The timer carries an older revision; nothing happens."""
    NOT_DUE = "not-due"
    LATE_REVISION = "late-revision"
    """It has fired already: recorded, nothing undone, an incident is due."""
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Revision:
    """One line of a deadline's history: before and after, why, who."""

    number: int
    at: datetime
    by: str
    reason: str
    outcome: Outcome
    start: date | None
    """The day the last period runs from, for bounds of extensions."""
    before: datetime | None
    after: datetime | None
    """The end's instant, UTC; None where it is unarmed."""
    end: date | None
    evidence: tuple[str, ...] = ()
    explanation: Mapping[str, Any] | None = None
    """``Explanation.as_json()``."""
    remark: Text | None = None
    extended_to: date | None = None
    """The end that an extension set; revisions after it carry it on."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A due date with its basis, rule, source and revisions."""

    id: str
    rule: str
    basis: str
    opened_at: datetime
    watch_until: datetime
    """When a person has to look, should it still be unarmed; UTC."""
    state: State = State.UNARMED
    end: date | None = None
    due: datetime | None = None
    """The end's instant, UTC."""
    missing: Text | None = None
    """Why it is not armed."""
    revisions: tuple[Revision, ...] = ()
    settled_at: datetime | None = None

    @property
    def revision(self) -> int:
        """The number that timers carry; 0 before the first revision."""
        return self.revisions[-1].number if self.revisions else 0


@dataclass(frozen=True, slots=True)
class Change:
    """A deadline after a change, and what the change came to."""

    deadline: Deadline
    outcome: Outcome


def open_deadline(
    identifier: str, rule: Rule, at: datetime, watch: Period, missing: Text | None = None
) -> Deadline:
    """Return a new unarmed deadline that is watched for ``watch`` from ``at`` (an instant)."""
    return Deadline(
        id=identifier,
        rule=rule.id,
        basis=rule.basis.value,
        opened_at=at,
        watch_until=add_period(at, watch),
        missing=missing,
    )


def apply(deadline: Deadline, derived: Derived, *, at: datetime, by: str, reason: str) -> Change:
    """Arm, revise or disarm a deadline by what follows from the facts.

    An extension already granted survives, to the hour and also where the start fell away meanwhile: the later
    of both ends holds.

    Raises:
        ReasonMissingError: no reason is given.
        SettledDeadlineError: it is met or cancelled.
    """
    need_reason(reason)
    need_unsettled(deadline)
    found = derived.explanation
    if found is None:
        return _disarm(deadline, derived, at=at, by=by, reason=reason)
    end, due, remark = found.end, found.end_instant, None
    granted = _granted(deadline)
    if granted is not None and granted[1] > due:
        end, due = granted
        remark = Text("Die gewährte Verlängerung bleibt bestehen.", "The extension granted stays.")
    if deadline.revisions and due == deadline.revisions[-1].after and not _runs_anew(deadline, found):
        return Change(deadline, Outcome.UNCHANGED)
    outcome = Outcome.ARMED if deadline.due is None else Outcome.REVISED
    revision = Revision(
        number=deadline.revision + 1,
        at=at,
        by=by,
        reason=reason,
        outcome=outcome,
        start=_last_start(found),
        before=deadline.due,
        after=due,
        end=end,
        evidence=derived.evidence,
        explanation=found.as_json(),
        remark=remark,
        extended_to=_extended_to(deadline),
    )
    return revised(deadline, revision)


def fire(deadline: Deadline, revision: int, now: datetime) -> Change:
    """Let the end pass, if the timer's ``revision`` is the present one and the end has come."""
    if deadline.state is not State.ARMED or revision != deadline.revision:
        return Change(deadline, Outcome.STALE)
    assert deadline.due is not None
    if now < deadline.due:
        return Change(deadline, Outcome.NOT_DUE)
    return Change(replace(deadline, state=State.FIRED, settled_at=now), Outcome.FIRED)


def settle(deadline: Deadline, state: State, *, at: datetime, by: str, reason: str) -> Change:
    """End a deadline that is met, or no longer needed; its timers become stale.

    Raises:
        ReasonMissingError: no reason is given.
        SettledDeadlineError: it has fired, is met or cancelled.
    """
    need_reason(reason)
    if state not in (State.MET, State.CANCELLED):
        raise UnsuitableStartError(f"a deadline is not settled as {state}")
    if deadline.state is State.FIRED:
        raise SettledDeadlineError(f"deadline {deadline.id} has already fired")
    need_unsettled(deadline)
    last = deadline.revisions[-1] if deadline.revisions else None
    revision = Revision(
        number=deadline.revision + 1,
        at=at,
        by=by,
        reason=reason,
        outcome=Outcome.SETTLED,
        start=last.start if last else None,
        before=deadline.due,
        after=deadline.due,
        end=deadline.end,
    )
    settled = replace(deadline, state=state, settled_at=at, revisions=(*deadline.revisions, revision))
    return Change(settled, Outcome.SETTLED)


def watch_is_due(deadline: Deadline, now: datetime) -> bool:
    """Tell whether an unarmed deadline has to be looked at by a person."""
    return deadline.state is State.UNARMED and now >= deadline.watch_until


def need_reason(reason: str) -> None:
    """Refuse a change without a reason; raise ReasonMissingError."""
    if not reason.strip():
        raise ReasonMissingError("a change of a deadline needs a reason", hint="say why, in a sentence")


def need_unsettled(deadline: Deadline) -> None:
    """Refuse a change of what is met or cancelled; raise SettledDeadlineError."""
    if deadline.state in (State.MET, State.CANCELLED):
        raise SettledDeadlineError(
            f"deadline {deadline.id} is {deadline.state.value} and cannot change any more"
        )


def _last_start(found: Explanation) -> date:
    start = found.stages[-1].start
    return start.date() if isinstance(start, datetime) else start


def _extended_to(deadline: Deadline) -> date | None:
    return deadline.revisions[-1].extended_to if deadline.revisions else None


def _granted(deadline: Deadline) -> tuple[date, datetime] | None:
    """Return the end that the last extension set: its day, and its instant, which for hours lies within."""
    before: date | None = None
    granted = None
    for revision in deadline.revisions:
        new = revision.extended_to is not None and revision.extended_to != before
        if (new or revision.outcome is Outcome.EXTENDED) and revision.end and revision.after:
            granted = (revision.end, revision.after)
        before = revision.extended_to
    return granted


def _runs_anew(deadline: Deadline, found: Explanation) -> bool:
    """Tell whether an extension hides that the period under it changed, which bounds further extensions."""
    last = deadline.revisions[-1]
    if deadline.state is State.FIRED or last.extended_to is None or last.explanation is None:
        return False
    return last.start != _last_start(found) or last.explanation["end"] != found.end.isoformat()


def _disarm(deadline: Deadline, derived: Derived, *, at: datetime, by: str, reason: str) -> Change:
    last = deadline.revisions[-1] if deadline.revisions else None
    if last is None or last.after is None:
        return Change(replace(deadline, missing=derived.missing), Outcome.UNCHANGED)
    revision = Revision(
        number=deadline.revision + 1,
        at=at,
        by=by,
        reason=reason,
        outcome=Outcome.DISARMED,
        start=None,
        before=last.after,
        after=None,
        end=None,
        evidence=derived.evidence,
        remark=derived.missing,
        extended_to=_extended_to(deadline),
    )
    return revised(deadline, revision)


def revised(deadline: Deadline, revision: Revision) -> Change:
    """Record a revision; what has fired keeps its end."""
    if deadline.state is State.FIRED:
        late = replace(revision, outcome=Outcome.LATE_REVISION)
        return Change(replace(deadline, revisions=(*deadline.revisions, late)), Outcome.LATE_REVISION)
    changed = replace(
        deadline,
        state=State.UNARMED if revision.after is None else State.ARMED,
        end=revision.end,
        due=revision.after,
        missing=revision.remark if revision.after is None else None,
        revisions=(*deadline.revisions, revision),
    )
    return Change(changed, revision.outcome)
