"""Facts stay apart from what the law derives from them; without proof nothing is deemed granted."""

from datetime import UTC, date, datetime

from engine.deadlines.calendars import RegionalCalendar
from engine.deadlines.facts import Derived, Fact, Plan, derive
from engine.deadlines.iso import parse_instant, parse_period
from engine.deadlines.rules import Channel
from engine.deadlines.rules_reading import load_rules

SAARLAND = RegionalCalendar("SL")


def fact(kind: str, at: str, evidence: str | None = "e-1") -> Fact:
    return Fact(kind, parse_instant(at), evidence)


def derived(plan: Plan, *facts: Fact) -> Derived:
    return derive(load_rules(), plan, facts, SAARLAND)


def end(found: Derived) -> date | None:
    return found.explanation.end if found.explanation else None


def test_an_arrival_arms_and_its_evidence_is_named() -> None:
    found = derived(Plan("baugb-36-2"), fact("posted", "2026-03-30"), fact("received", "2026-04-04T09:00"))
    assert end(found) == date(2026, 6, 5)
    assert found.evidence == ("e-1",)


def test_the_day_of_arrival_is_the_local_day() -> None:
    late = Fact(
        "received", datetime(2026, 4, 3, 22, 30, tzinfo=UTC), "e-1"
    )  # 00:30 on 4 April in summer time
    assert derived(Plan("baugb-36-2"), late).explanation.start == date(2026, 4, 4)  # type: ignore[union-attr]


def test_forwarding_is_no_delivery() -> None:
    found = derived(Plan("baugb-36-2"), fact("created", "2026-04-01"), fact("forwarded", "2026-04-02"))
    assert found.explanation is None
    assert found.missing is not None
    assert "Eingang" in found.missing.de


def test_no_deemed_consent_without_proof_of_arrival() -> None:
    asserted = derived(Plan("baugb-36-2"), fact("received", "2026-04-04", None))
    assert asserted.explanation is None
    assert asserted.missing is not None
    assert "Nachweis" in asserted.missing.de
    told = derived(Plan("baugb-36-2", start=date(2026, 4, 4)))
    assert told.explanation is None


def test_a_deadline_that_grants_nothing_runs_from_an_asserted_arrival() -> None:
    assert end(derived(Plan("baugb-4-2"), fact("received", "2026-03-02", None))) == date(2026, 4, 2)


def test_an_import_confirmation_proves_arrival() -> None:
    assert end(derived(Plan("baugb-36-2"), fact("imported", "2026-04-04"))) == date(2026, 6, 5)


def test_posting_leads_to_the_presumption_and_from_there_to_the_objection() -> None:
    plan = Plan("vwgo-70", fiction="vwvfg-41-2", channel=Channel.POST)
    found = derived(plan, fact("posted", "2026-03-02"))
    assert found.explanation is not None
    assert (found.explanation.notification, found.explanation.end) == (date(2026, 3, 6), date(2026, 4, 7))


def test_a_letter_that_came_back_notified_nobody() -> None:
    plan = Plan("vwgo-70", fiction="vwvfg-41-2", channel=Channel.POST)
    found = derived(plan, fact("posted", "2026-03-02", "slip"), fact("returned", "2026-03-09", "envelope"))
    assert found.explanation is None
    assert found.missing is not None
    assert "zurück" in found.missing.de
    assert found.evidence == ("envelope",)


def test_a_letter_sent_again_after_it_came_back_notifies_by_the_second_posting() -> None:
    plan = Plan("vwgo-70", fiction="vwvfg-41-2", channel=Channel.POST)
    first, back = fact("posted", "2026-11-02", "a"), fact("returned", "2026-11-05", "b")
    second = fact("posted", "2026-11-10", "c")
    found = derived(plan, first, back, second)
    assert found.explanation is not None
    assert found.explanation == derived(plan, second).explanation
    assert (found.explanation.start, found.evidence) == (date(2026, 11, 10), ("c",))
    same_day = derived(plan, first, back, fact("posted", "2026-11-05", "c"))
    assert end(same_day) == end(derived(plan, fact("posted", "2026-11-05")))
    late = derived(plan, first, back, second, fact("received", "2026-11-20", "d"))
    assert late.explanation is not None
    assert (late.explanation.notification, late.evidence) == (date(2026, 11, 20), ("c", "d"))


def test_what_may_have_come_back_starts_nothing() -> None:
    plan = Plan("vwgo-70", fiction="vwvfg-41-2", channel=Channel.POST)
    first, second = fact("posted", "2026-11-02"), fact("posted", "2026-11-10")
    assert derived(plan, first, second, fact("returned", "2026-11-12")).explanation is None
    twice = (fact("returned", "2026-11-05"), fact("returned", "2026-11-13"))
    assert derived(plan, first, second, *twice).explanation is None
    assert derived(plan, first, fact("returned", "2026-11-02")).explanation is None
    # Proved to have arrived before something came back: the first posting stands.
    arrived = derived(plan, first, fact("received", "2026-11-04"), fact("returned", "2026-11-05"), second)
    assert end(arrived) == end(derived(plan, first))


def test_a_slip_of_the_second_sending_counts_after_a_return() -> None:
    plan = Plan("vwgo-74", fiction="vwzg-5-4")
    sent = (fact("sent", "2026-11-02"), fact("returned", "2026-11-05"), fact("sent", "2026-11-10"))
    assert end(derived(plan, *sent, fact("acknowledged", "2026-11-12"))) == date(2026, 12, 14)
    assert derived(plan, *sent, fact("acknowledged", "2026-11-04")).explanation is None


def test_later_proved_receipt_displaces_the_presumption() -> None:
    plan = Plan("vwgo-70", fiction="vwvfg-41-2", channel=Channel.POST)
    found = derived(plan, fact("posted", "2026-03-02", "a"), fact("received", "2026-03-11", "b"))
    assert end(found) == date(2026, 4, 13)
    assert found.evidence == ("a", "b")


def test_electronic_sending_starts_with_what_the_carrier_says() -> None:
    plan = Plan("vwvfg-41-2", period=parse_period("P1M"), channel=Channel.ELECTRONIC)
    found = derived(plan, fact("forwarded", "2026-03-03"), fact("created", "2026-03-02"))
    assert found.explanation is not None
    assert found.explanation.start == date(2026, 3, 2)


def test_acknowledgement_has_no_presumption() -> None:
    plan = Plan("vwgo-74", fiction="vwzg-5-4")
    nothing = derived(plan, fact("sent", "2026-03-02"), fact("received", "2026-03-02"))
    assert nothing.explanation is None
    assert nothing.missing is not None
    assert "Empfangsbekenntnis" in nothing.missing.de
    assert end(derived(plan, fact("acknowledged", "2026-03-05"))) == date(2026, 4, 7)


def test_a_return_slip_decides_and_mere_delivery_only_when_later() -> None:
    plan = Plan("vwgo-74", fiction="vwzg-4")
    slip = derived(plan, fact("posted", "2026-03-02", "a"), fact("acknowledged", "2026-03-04", "b"))
    assert slip.explanation is not None
    assert (slip.explanation.notification, slip.evidence) == (date(2026, 3, 4), ("a", "b"))
    tracked = derived(plan, fact("posted", "2026-03-02", "a"), fact("received", "2026-03-04", "b"))
    assert tracked.explanation is not None
    assert tracked.explanation.notification == date(2026, 3, 6)


def test_a_slip_dated_before_the_sending_leaves_the_deadline_unarmed() -> None:
    plan = Plan("vwvfg-31", period=parse_period("P1M"), fiction="vwzg-4", channel=Channel.POST)
    found = derived(plan, fact("posted", "2026-03-02"), fact("acknowledged", "2025-03-04"))
    assert found.explanation is None
    assert found.missing is not None
    assert "früheres Datum" in found.missing.de
    # An earlier receipt never displaces the presumption, so a contradiction there changes nothing.
    assert end(derived(plan, fact("posted", "2026-03-02"), fact("received", "2026-02-20"))) == date(
        2026, 4, 7
    )


def test_abroad_by_letter_only_the_proved_receipt_counts() -> None:
    plan = Plan("vwgo-70", fiction="vwvfg-41-2", channel=Channel.POST, abroad=True)
    waiting = derived(plan, fact("posted", "2026-03-02"))
    assert waiting.explanation is None
    assert waiting.missing is not None
    assert "Keine Fiktion" in waiting.missing.de
    arrived = derived(plan, fact("posted", "2026-03-02"), fact("received", "2026-03-20"))
    assert end(arrived) == date(2026, 4, 20)


def test_retrieval_and_provision_are_starts_of_their_own() -> None:
    assert end(derived(Plan("vwvfg-41-2a"), fact("retrieved", "2026-05-18"))) == date(2026, 5, 19)
    assert end(derived(Plan("ao-122a"), fact("provided", "2026-05-29"))) == date(2026, 6, 2)
    # Until the end of 2025 the notice started it, not the provision.
    old = [fact("provided", "2025-05-05"), fact("notice-sent", "2025-05-06")]
    assert end(derived(Plan("ao-122a"), *old)) == date(2025, 5, 12)  # fourth day: Saturday 10


def test_a_named_start_needs_no_fact() -> None:
    plan = Plan("vwvfg-31", parse_period("P2W"), start=date(2026, 5, 20))
    assert end(derived(plan)) == date(2026, 6, 3)


def test_a_rule_that_was_not_in_force_says_so() -> None:
    found = derived(Plan("baugb-36a"), fact("received", "2025-10-29"))
    assert found.explanation is None
    assert found.missing is not None
    assert "galt am" in found.missing.de
