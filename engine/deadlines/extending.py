"""Extending a deadline, as far as its rule lets whoever asks. Pure, like ``domain``."""

from datetime import date, datetime, timedelta

from engine.deadlines.calendars import Calendar
from engine.deadlines.counting import end_of_period, move_to_working_day
from engine.deadlines.domain import Change, Deadline, Outcome, Revision, need_reason, need_unsettled, revised
from engine.deadlines.errors import (
    ExtensionSourceError,
    ExtensionTooLongError,
    NotExtendableError,
    UnarmedDeadlineError,
    UnsuitableStartError,
)
from engine.deadlines.iso import Period, add_period, end_of_day, zone_of
from engine.deadlines.rules import EXTENDERS, Extension, Rule
from engine.deadlines.text import Text


def extend(
    deadline: Deadline,
    rule: Rule,
    calendar: Calendar,
    *,
    source: str,
    at: datetime,
    by: str,
    reason: str,
    until: date | None = None,
    period: Period | None = None,
    evidence: tuple[str, ...] = (),
) -> Change:
    """Extend a deadline to a day or by a period, where its rule lets ``source`` do so.

    A period is counted from the end of the one before (§ 190 BGB). The new end moves from Saturdays, Sundays
    and holidays like the old one did.

    Raises:
        ReasonMissingError, UnarmedDeadlineError, SettledDeadlineError, NotExtendableError,
        ExtensionSourceError, ExtensionTooLongError, UnsuitableStartError (not exactly one of ``until`` and
        ``period``, or a day that is no extension).
    """
    need_reason(reason)
    need_unsettled(deadline)
    granted = _allowed(deadline, rule, source, at)
    old = deadline.end
    assert old is not None
    if (until is None) == (period is None):
        raise UnsuitableStartError("an extension is either until a day or by a period")
    assert deadline.due is not None
    if period is not None and period.has_time:
        due = add_period(deadline.due, period, calendar.zone)
        new = due.astimezone(zone_of(calendar.zone)).date()
    else:
        new = _later_day(old, until, period)
        if rule.weekend != "stay":
            new, _ = move_to_working_day(new, calendar, granted.source)
        due = end_of_day(new, calendar.zone)
    if due <= deadline.due:
        raise UnsuitableStartError(f"{new} is no extension of {old}", hint="name a later day")
    remark = _bounded(deadline, rule, granted, new, calendar)
    revision = Revision(
        number=deadline.revision + 1,
        at=at,
        by=by,
        reason=reason,
        outcome=Outcome.EXTENDED,
        start=deadline.revisions[-1].start,
        before=deadline.due,
        after=due,
        end=new,
        evidence=evidence,
        explanation=deadline.revisions[-1].explanation,
        remark=remark,
        extended_to=new,
    )
    return revised(deadline, revision)


def _later_day(old: date, until: date | None, period: Period | None) -> date:
    """Return the day named, or the end of a period from the old end on (§ 190 BGB)."""
    if period is not None:
        return end_of_period(old + timedelta(days=1), period, start_counts=True)
    assert until is not None
    return until


def _allowed(deadline: Deadline, rule: Rule, source: str, at: datetime) -> Extension:
    """Return the rule's way of extending, where it is open to ``source`` now."""
    granted = rule.extension
    if granted is None:
        raise NotExtendableError(
            f"{rule.versions[-1].source} gives no way of extending",
            hint=" ".join(note.en for note in rule.notes) or None,
        )
    if source not in granted.by:
        who = " or ".join(f"{name} ({EXTENDERS[name].en})" for name in granted.by)
        raise ExtensionSourceError(f"{granted.source} does not let {source} extend", hint=f"it lets {who}")
    if deadline.due is None:
        raise UnarmedDeadlineError(f"deadline {deadline.id} is not armed, so there is nothing to extend")
    if at >= deadline.due and not granted.retroactive:
        raise NotExtendableError(f"{rule.id} ended on {deadline.end} and cannot be extended afterwards")
    return granted


def _bounded(
    deadline: Deadline, rule: Rule, granted: Extension, new: date, calendar: Calendar
) -> Text | None:
    """Refuse an end beyond a firm bound; return a remark for one beyond what is usual."""
    bound = _bound(deadline, rule, granted)
    if bound is None:
        return None
    bound, _ = move_to_working_day(bound, calendar, granted.source)
    if new <= bound:
        return None
    if granted.firm:
        raise ExtensionTooLongError(f"{granted.source} allows an extension until {bound}, not until {new}")
    return Text(
        f"Über das Übliche hinaus: {granted.source} sieht in der Regel höchstens den {bound:%d.%m.%Y} vor.",
        f"Beyond the usual: {granted.source} provides for {bound} at most as a rule.",
    )


def _bound(deadline: Deadline, rule: Rule, granted: Extension) -> date | None:
    last = deadline.revisions[-1]
    if granted.add is not None and last.explanation is not None:
        own = date.fromisoformat(last.explanation["end"])
        return end_of_period(own + timedelta(days=1), granted.add, start_counts=True)
    start = last.start
    if granted.total is not None and start is not None:
        return end_of_period(start, granted.total, start_counts=rule.counts == "day")
    return None
