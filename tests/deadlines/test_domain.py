"""A deadline's life: unarmed, armed, revised, extended, fired once, and never undone."""

from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta

import pytest

from engine.deadlines import domain, extending
from engine.deadlines.calendars import RegionalCalendar
from engine.deadlines.domain import Change, Deadline, Outcome, State
from engine.deadlines.errors import (
    ExtensionSourceError,
    ExtensionTooLongError,
    NotExtendableError,
    ReasonMissingError,
    SettledDeadlineError,
    UnarmedDeadlineError,
    UnsuitableStartError,
)
from engine.deadlines.facts import Fact, Plan, derive
from engine.deadlines.iso import end_of_day, parse_instant, parse_period
from engine.deadlines.reminders import reminders
from engine.deadlines.rules_reading import load_rules

RULES = load_rules()
SAARLAND = RegionalCalendar("SL")
NOW = datetime(2026, 4, 1, 8, tzinfo=UTC)


def opened(rule: str = "baugb-36-2") -> Deadline:
    return domain.open_deadline("d-1", RULES.get(rule), NOW, parse_period("P14D"))


def learn(deadline: Deadline, *facts: Fact, plan: Plan | None = None, at: datetime = NOW) -> Change:
    found = derive(RULES, plan or Plan(deadline.rule), facts, SAARLAND)
    return domain.apply(deadline, found, at=at, by="clerk", reason="evidence came in")


def received(day: str) -> Fact:
    return Fact("received", parse_instant(day), f"slip-{day}")


def armed(rule: str = "baugb-36-2", day: str = "2026-04-04") -> Deadline:
    return learn(opened(rule), received(day)).deadline


def test_without_proof_it_stays_unarmed_and_is_watched() -> None:
    change = learn(opened(), Fact("forwarded", NOW, "card"))
    assert (change.outcome, change.deadline.state) == (Outcome.UNCHANGED, State.UNARMED)
    assert change.deadline.missing is not None
    assert change.deadline.revision == 0
    assert not domain.watch_is_due(change.deadline, NOW + timedelta(days=13))
    assert domain.watch_is_due(change.deadline, NOW + timedelta(days=14))
    assert domain.fire(change.deadline, 0, NOW + timedelta(days=999)).outcome is Outcome.STALE


def test_a_fact_arms_it_with_before_and_after() -> None:
    change = learn(opened(), received("2026-04-04"))
    assert (change.outcome, change.deadline.state) == (Outcome.ARMED, State.ARMED)
    assert change.deadline.end == date(2026, 6, 5)
    assert change.deadline.due == end_of_day(date(2026, 6, 5))
    revision = change.deadline.revisions[0]
    assert (revision.number, revision.before, revision.after) == (1, None, change.deadline.due)
    assert (revision.by, revision.evidence) == ("clerk", ("slip-2026-04-04",))
    assert revision.explanation is not None
    assert revision.explanation["end"] == "2026-06-05"


def test_the_same_facts_change_nothing() -> None:
    deadline = armed()
    again = learn(deadline, received("2026-04-04"))
    assert again.outcome is Outcome.UNCHANGED
    assert again.deadline == deadline


def test_better_evidence_revises_and_the_old_timer_is_stale() -> None:
    old = armed()
    change = learn(old, received("2026-04-08"))
    assert change.outcome is Outcome.REVISED
    assert change.deadline.end == date(2026, 6, 8)
    due = change.deadline.due
    assert due is not None
    assert domain.fire(change.deadline, 1, due).outcome is Outcome.STALE
    assert domain.fire(change.deadline, 2, due - timedelta(seconds=1)).outcome is Outcome.NOT_DUE
    fired = domain.fire(change.deadline, 2, due)
    assert (fired.outcome, fired.deadline.state) == (Outcome.FIRED, State.FIRED)
    assert domain.fire(fired.deadline, 2, due).outcome is Outcome.STALE


def test_a_letter_that_came_back_disarms() -> None:
    plan = Plan("vwgo-70", fiction="vwvfg-41-2")
    posted = Fact("posted", parse_instant("2026-03-02"), "slip")
    deadline = learn(opened("vwgo-70"), posted, plan=plan).deadline
    assert deadline.end == date(2026, 4, 7)
    back = learn(deadline, posted, Fact("returned", parse_instant("2026-03-09"), "envelope"), plan=plan)
    assert (back.outcome, back.deadline.state, back.deadline.due) == (Outcome.DISARMED, State.UNARMED, None)
    assert back.deadline.missing is not None
    assert domain.fire(back.deadline, 1, NOW + timedelta(days=99)).outcome is Outcome.STALE
    again = learn(back.deadline, Fact("posted", parse_instant("2026-03-16"), "second"), plan=plan)
    assert (again.outcome, again.deadline.revision) == (Outcome.ARMED, 3)


def test_a_revision_after_firing_is_recorded_and_undoes_nothing() -> None:
    deadline = armed()
    assert deadline.due is not None
    fired = domain.fire(deadline, 1, deadline.due).deadline
    late = learn(fired, received("2026-04-08"), at=deadline.due + timedelta(days=1))
    assert late.outcome is Outcome.LATE_REVISION
    assert (late.deadline.state, late.deadline.end) == (State.FIRED, date(2026, 6, 5))
    assert late.deadline.revisions[-1].end == date(2026, 6, 8)
    assert learn(late.deadline, received("2026-04-08")).outcome is Outcome.UNCHANGED
    lost = learn(fired, Fact("forwarded", NOW, "card"))
    assert (lost.outcome, lost.deadline.state) == (Outcome.LATE_REVISION, State.FIRED)


def set_by_authority() -> Deadline:
    plan = Plan("vwvfg-31", parse_period("P2W"), start=date(2026, 5, 20))
    return learn(opened("vwvfg-31"), plan=plan).deadline


def lengthen(deadline: Deadline, source: str = "setting-authority", **how: object) -> Change:
    options: dict[str, object] = {"at": NOW, "by": "clerk", "reason": "asked for more time", **how}
    return extending.extend(deadline, RULES.get(deadline.rule), SAARLAND, source=source, **options)  # type: ignore[arg-type]


def test_an_extension_by_a_period_runs_from_the_old_end() -> None:
    deadline = set_by_authority()
    assert deadline.end == date(2026, 6, 3)
    change = lengthen(deadline, period=parse_period("P1M"))
    assert change.outcome is Outcome.EXTENDED
    assert change.deadline.end == date(2026, 7, 3)  # § 190 BGB: 4 June counts as the first day
    revision = change.deadline.revisions[-1]
    assert (revision.before, revision.after) == (deadline.due, end_of_day(date(2026, 7, 3)))


def test_a_period_in_hours_is_extended_by_hours() -> None:
    plan = Plan("vwvfg-31-6", parse_period("PT48H"), start=parse_instant("2026-05-04T10:00"))
    deadline = learn(opened("vwvfg-31-6"), plan=plan).deadline
    assert deadline.due == parse_instant("2026-05-06T10:00")
    change = lengthen(deadline, period=parse_period("PT3H"))
    assert (change.deadline.due, change.deadline.end) == (parse_instant("2026-05-06T13:00"), date(2026, 5, 6))


def test_an_extension_until_a_holiday_moves_on() -> None:
    assert lengthen(set_by_authority(), until=date(2026, 6, 4)).deadline.end == date(2026, 6, 5)


def test_an_extension_needs_rule_source_reason_and_a_later_day() -> None:
    with pytest.raises(NotExtendableError, match=r"BVerwG 4 C 24\.95"):
        lengthen(armed(), until=date(2026, 8, 3))
    with pytest.raises(ExtensionSourceError, match="superior-authority"):
        lengthen(armed("baugb-6-4"), until=date(2026, 6, 3))
    with pytest.raises(ReasonMissingError):
        lengthen(set_by_authority(), until=date(2026, 6, 9), reason=" ")
    with pytest.raises(UnsuitableStartError, match="no extension"):
        lengthen(set_by_authority(), until=date(2026, 6, 3))
    with pytest.raises(UnsuitableStartError, match="either"):
        lengthen(set_by_authority())
    with pytest.raises(UnarmedDeadlineError):
        lengthen(opened("vwvfg-31"), until=date(2026, 6, 9))


def test_the_consent_for_housing_is_extended_by_a_month_at_most() -> None:
    deadline = armed("baugb-36a", "2026-04-08")
    assert deadline.end == date(2026, 7, 8)
    once = lengthen(deadline, "addressee", period=parse_period("P2W")).deadline
    assert once.end == date(2026, 7, 22)
    assert lengthen(once, "addressee", until=date(2026, 8, 8)).deadline.end == date(2026, 8, 10)
    with pytest.raises(ExtensionTooLongError, match="2026-08-10"):
        lengthen(once, "addressee", until=date(2026, 8, 11))


def test_beyond_what_is_usual_is_remarked_not_refused() -> None:
    deadline = armed("baugb-6-4", "2026-04-08")
    assert deadline.end == date(2026, 5, 8)
    usual = lengthen(deadline, "superior-authority", until=date(2026, 7, 8))
    assert usual.deadline.revisions[-1].remark is None
    beyond = lengthen(deadline, "superior-authority", until=date(2026, 7, 9))
    remark = beyond.deadline.revisions[-1].remark
    assert remark is not None
    assert "08.07.2026" in remark.de


def test_only_some_deadlines_are_extended_after_their_end() -> None:
    deadline = set_by_authority()
    assert deadline.due is not None
    after = deadline.due + timedelta(days=2)
    assert lengthen(deadline, until=date(2026, 6, 12), at=after).outcome is Outcome.EXTENDED
    fired = domain.fire(deadline, 1, deadline.due).deadline
    assert lengthen(fired, until=date(2026, 6, 12), at=after).outcome is Outcome.LATE_REVISION
    statutory = armed("baugb-6-4", "2026-04-08")
    assert statutory.due is not None
    with pytest.raises(NotExtendableError, match="afterwards"):
        lengthen(statutory, "superior-authority", until=date(2026, 7, 1), at=statutory.due)


def test_an_extension_survives_better_evidence() -> None:
    extended = lengthen(
        armed("baugb-4-2", "2026-04-08"), "requesting-authority", until=date(2026, 6, 30)
    ).deadline
    assert extended.end == date(2026, 6, 30)
    change = learn(extended, received("2026-04-10"))
    assert (change.outcome, change.deadline.end) == (Outcome.REVISED, date(2026, 6, 30))
    assert change.deadline.revisions[-1].start == date(2026, 4, 10)
    again = learn(change.deadline, received("2026-04-10"))
    assert (again.outcome, again.deadline) == (Outcome.UNCHANGED, change.deadline)
    much_later = learn(extended, received("2026-06-15"))
    assert much_later.deadline.end == date(2026, 7, 15)


def test_an_extension_survives_a_start_that_is_taken_back_and_recorded_anew() -> None:
    extended = lengthen(
        armed("baugb-4-2", "2026-04-08"), "requesting-authority", until=date(2026, 6, 30)
    ).deadline
    taken_back = learn(extended).deadline
    assert (taken_back.state, taken_back.end) == (State.UNARMED, None)
    change = learn(taken_back, received("2026-04-09"))
    assert (change.outcome, change.deadline.end) == (Outcome.ARMED, date(2026, 6, 30))
    assert change.deadline.due == end_of_day(date(2026, 6, 30))
    assert change.deadline.revisions[-1].remark is not None


def test_an_extension_by_hours_survives_to_the_hour() -> None:
    def counted(start: str) -> Plan:
        return Plan("vwvfg-31-6", parse_period("PT48H"), start=parse_instant(start))

    deadline = learn(opened("vwvfg-31-6"), plan=counted("2026-05-04T10:00")).deadline
    extended = lengthen(deadline, period=parse_period("PT3H")).deadline
    same = learn(extended, plan=counted("2026-05-04T10:00"))
    assert (same.outcome, same.deadline.due) == (Outcome.UNCHANGED, parse_instant("2026-05-06T13:00"))
    earlier = learn(extended, plan=counted("2026-05-03T10:00"))
    assert earlier.deadline.due == parse_instant("2026-05-06T13:00")
    later = learn(extended, plan=counted("2026-05-04T14:00"))
    assert later.deadline.due == parse_instant("2026-05-06T14:00")
    assert learn(later.deadline, plan=counted("2026-05-04T10:00")).deadline.due == extended.due


def test_the_bound_of_an_extension_follows_better_evidence() -> None:
    once = lengthen(armed("baugb-36a", "2026-04-08"), "addressee", period=parse_period("P1M")).deadline
    assert once.end == date(2026, 8, 10)
    # It arrived later: three months end on 22 July, the extension stays, and a month after that is the bound.
    later = learn(once, received("2026-04-22")).deadline
    assert later.end == date(2026, 8, 10)
    assert lengthen(later, "addressee", until=date(2026, 8, 24)).deadline.end == date(2026, 8, 24)
    with pytest.raises(ExtensionTooLongError, match="2026-08-24"):
        lengthen(later, "addressee", until=date(2026, 8, 25))


def test_what_is_settled_stays_settled() -> None:
    met = domain.settle(armed(), State.MET, at=NOW, by="clerk", reason="answer arrived").deadline
    assert met.state is State.MET
    assert met.due is not None
    assert domain.fire(met, 1, met.due).outcome is Outcome.STALE
    with pytest.raises(SettledDeadlineError):
        learn(met, received("2026-04-08"))
    with pytest.raises(SettledDeadlineError):
        domain.settle(met, State.CANCELLED, at=NOW, by="clerk", reason="again")
    fired = armed()
    assert fired.due is not None
    with pytest.raises(SettledDeadlineError, match="fired"):
        domain.settle(domain.fire(fired, 1, fired.due).deadline, State.MET, at=NOW, by="c", reason="late")
    with pytest.raises(UnsuitableStartError):
        domain.settle(armed(), State.FIRED, at=NOW, by="c", reason="no")


def test_deadlines_are_values() -> None:
    with pytest.raises(FrozenInstanceError):
        armed().state = State.MET  # type: ignore[misc]


def test_reminders_come_before_the_end_on_days_the_office_works() -> None:
    shut = RegionalCalendar("SL", {date(2026, 6, 1): "Betriebsausflug"})
    found = reminders(date(2026, 6, 5), [parse_period("P3D"), parse_period("P4D"), parse_period("P1W")], shut)
    assert [moment.isoformat() for moment in found] == [
        "2026-05-29T06:00:00+00:00",  # both a week before and four days before (1 June is shut)
        "2026-06-02T06:00:00+00:00",
    ]
