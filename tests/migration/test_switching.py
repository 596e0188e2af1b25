"""Rules of one scope in time, pilots, and conditions for taking a rule back."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.deadlines.rules import Channel
from engine.deadlines.rules_reading import load_rules
from engine.exchange.decision import POST, Relation, Rule, shadows, takes_part
from engine.migration.consequences import BY_HAND, Way, course
from engine.migration.rule_book import RuleBook
from engine.migration.switching import PlannedRuleError, ender_of, plan
from engine.migration.watching import ConditionRefusedError, Course, judge, parse_condition

NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
XDOMEA, MAIL = "xdomea+folder", "xdomea+ego_mail"


def rule(name: str, channel: str = XDOMEA, stage: str = "live", since: int = -24, **more: object) -> Rule:
    begin = NOW + since * HOUR
    values = {"share": 100, "valid_from": begin, "created_at": begin}
    return Rule(id=name, channel=channel, stage=stage, **{**values, **more})  # type: ignore[arg-type]


def test_a_live_rule_takes_the_place_of_live_and_pilot_and_of_the_shadow_on_its_channel():
    old = [rule("l", POST), rule("p", stage="pilot"), rule("s", stage="shadow"), rule("m", MAIL, "shadow")]
    assert [each.id for each in plan(rule("n", since=0), old, NOW).replaced] == ["l", "p", "s"]


def test_a_pilot_leaves_the_others_their_channel():
    old = [rule("l", MAIL), rule("p", stage="pilot", share=10)]
    change = plan(rule("n", stage="pilot", since=0, share=30), old, NOW)
    assert [each.id for each in change.replaced] == ["p"]
    standing = RuleBook([old[0], change.new]).standing(Relation("a", "b", "c", "d"), NOW)
    assert standing.describe() == f"{XDOMEA} 30 %, else {MAIL}"


def test_a_rule_that_would_overlap_a_planned_one_is_refused():
    planned = rule("later", since=5)
    with pytest.raises(PlannedRuleError, match="later"):
        plan(rule("n", since=0), [planned], NOW)
    assert plan(rule("n", since=6), [planned], NOW).replaced == (planned,)


def test_a_pilot_ends_where_a_planned_live_rule_begins():
    planned = rule("later", since=5)
    change = plan(rule("n", stage="pilot", since=0, share=10), [planned], NOW)
    assert (change.new.valid_until, change.ender) == (planned.valid_from, planned)
    cancelled = rule("later", since=5, valid_until=NOW + 5 * HOUR)
    assert ender_of(change.new, [cancelled]) is None


CASES = st.lists(st.uuids().map(str), min_size=1, max_size=40, unique=True)


@given(CASES, st.integers(1, 98), st.data())
def test_raising_a_pilot_keeps_everybody_it_had(cases, share, data):
    more = data.draw(st.integers(share, 99))
    scope = {"procedure_key": data.draw(st.none() | st.just("p")), "recipient_id": "10045114"}
    small = rule("small", stage="pilot", share=share, **scope)
    large = rule("large", stage="pilot", share=more, since=0, **scope)
    for case in cases:
        assert takes_part(small, case) == takes_part(small, case)
        assert not takes_part(small, case) or takes_part(large, case)


@pytest.mark.parametrize("share", [1, 10, 30, 50, 99])
def test_a_pilots_share_is_near_what_it_says(share):
    n = 20_000
    pilot = rule("p", stage="pilot", share=share, procedure_key="vollstreckungshilfe")
    taken = 100 * sum(takes_part(pilot, f"case-{number}") for number in range(n)) / n
    assert abs(taken - share) < 1.5


def test_the_narrowest_shadow_of_a_channel_counts():
    wide, narrow = rule("w", stage="shadow"), rule("n", stage="shadow", recipient_id="d")
    other = rule("o", MAIL, "shadow")
    assert {each.id for each in shadows([wide, narrow, other], Relation("a", "b", "c", "d"), NOW)} == {
        "n",
        "o",
    }


def test_a_district_is_narrower_than_everybody_and_wider_than_one():
    relation = Relation("a", "b", "c", "d", "10045")
    district, everybody = rule("k", MAIL, district_id="10045"), rule("e", POST, since=0)
    one = rule("r", XDOMEA, recipient_id="d")
    assert RuleBook([district, everybody]).standing(relation, NOW).channel == MAIL
    assert RuleBook([district, everybody, one]).standing(relation, NOW).channel == XDOMEA
    elsewhere = Relation("a", "b", "c", "x", "10041")
    assert RuleBook([district, everybody, one]).standing(elsewhere, NOW).channel == POST


@pytest.mark.parametrize(
    "text",
    [
        "failures",
        "failures>5%/P3D/20",
        "no-receipt>10%",
        "failures>101%",
        "failures>5%/2",
        "x>5%",
        "no-receipt>5%/Px",
        "no-receipt>5%/P367D",
        "no-receipt>5%/P9999Y",
    ],
)
def test_what_is_no_condition_is_refused_with_an_example(text):
    with pytest.raises(ConditionRefusedError) as caught:
        parse_condition(text)
    assert caught.value.hint


def courses(*failed: bool) -> list[Course]:
    return [Course(str(n), bad, NOW, False) for n, bad in enumerate(failed)]


def test_too_few_exchanges_never_take_a_rule_back():
    condition = parse_condition("failures > 5 % / 20")
    assert not judge(condition, courses(*[True] * 19), NOW).breached
    assert judge(condition, courses(*[True] * 20), NOW).breached


def test_only_the_last_exchanges_are_looked_at():
    condition = parse_condition("failures>5%/20")
    assert not judge(condition, courses(*[True] * 50, *[False] * 19, True), NOW).breached
    figures = judge(condition, courses(*[False] * 500, *[False] * 18, True, True), NOW)
    assert (figures.n, figures.bad, figures.breached) == (20, 2, True)
    assert str(figures) == "failures>5%/20: 2 of 20 (10.0 %)"


def test_a_receipt_is_missed_only_after_its_period():
    condition = parse_condition("no-receipt>10%/P3D/5")
    sent = [Course(str(n), False, NOW - timedelta(days=4), n < 4) for n in range(5)]
    fresh = [Course(f"f{n}", False, NOW - timedelta(days=1), False) for n in range(50)]
    figures = judge(condition, [*sent, *fresh], NOW)
    assert (figures.n, figures.bad, figures.breached) == (5, 1, True)
    assert not judge(condition, [*sent[:4], *fresh], NOW).breached


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 99), st.integers(5, 30))
def test_a_condition_counts_as_one_would_by_hand(failed, percent, last):
    figures = judge(parse_condition(f"failures>{percent}%/{last}"), courses(*failed), NOW)
    window = failed[max(len(failed) - last, 0) :]
    assert figures.breached == (len(failed) >= last and sum(window) * 100 > percent * len(window))


LETTER = Way(POST, Channel.POST, {})
OSCI = Way(MAIL, Channel.ELECTRONIC, {"created": "Creation on the card", "received": "Reception on the card"})


def test_what_a_deadline_runs_from_depends_on_the_channel():
    consent = load_rules().get("baugb-36-2")
    assert BY_HAND in course(consent, "arrival", LETTER, NOW.date())
    assert "nothing is deemed" in course(consent, "arrival", LETTER, NOW.date())
    said = course(consent, "arrival", OSCI, NOW.date())
    assert "Reception on the card" in said
    assert "nothing is deemed" not in said


def test_the_fiction_runs_from_posting_or_sending():
    act = load_rules().get("vwvfg-41-2")
    by_post = course(act, "notification-fiction", LETTER, NOW.date())
    by_mail = course(act, "notification-fiction", OSCI, NOW.date())
    assert "posting (a clerk confirms the posting)" in by_post
    assert "sending (Creation on the card)" in by_mail
    assert "P4D" in by_post
    assert "P4D" in by_mail


@pytest.mark.parametrize(
    ("rule", "displaced"), [("vwvfg-41-2", True), ("vwvfg-41-2a", False), ("vwvfg-41-4", False)]
)
def test_a_receipt_displaces_only_what_is_presumed_from_posting_or_sending(rule, displaced):
    said = course(load_rules().get(rule), "notification-fiction", OSCI, NOW.date())
    assert "later by fiction" in said
    assert ("unless not or later received" in said) == displaced
