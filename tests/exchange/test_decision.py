"""The channel decision: rules by scope and age, pilots, readiness, fallback."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.exchange.decision import POST, Relation, Rule, decide, in_force, takes_part
from engine.exchange.ports import Blocker

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
RELATION = Relation("vollstreckungshilfe", "send", "10041100", "10045114")
XDOMEA = "xdomea+folder"


def rule(name: str, **changes: object) -> Rule:
    values = {
        "id": name,
        "channel": XDOMEA,
        "stage": "live",
        "share": 100,
        "valid_from": NOW - timedelta(days=1),
        "created_at": NOW - timedelta(days=1),
    }
    return Rule(**{**values, **changes})  # type: ignore[arg-type]


def ready(_channel: str) -> list[Blocker]:
    return []


def closed(channel: str) -> list[Blocker]:
    return [] if channel == POST else [Blocker("no-mailbox", "recipient", "nothing open")]


def outcome(rules, check=ready, fallback="post", excluded=()):
    return decide(rules, RELATION, "case-1", fallback, NOW, check, excluded, [XDOMEA])


def test_without_a_rule_the_post_carries_it():
    decision = outcome([])
    assert (decision.channel, decision.intended, decision.fell_back) == (POST, POST, False)
    assert "no rule" in decision.considered[0].reasons[0]


def test_the_narrowest_rule_wins_over_a_newer_wide_one():
    wide = rule("wide", channel=POST, created_at=NOW)
    narrow = rule("narrow", procedure_key="vollstreckungshilfe", recipient_id="10045114")
    assert outcome([wide, narrow]).channel == XDOMEA
    overruled = next(c for c in outcome([wide, narrow]).considered if c.channel == POST)
    assert "overruled" in overruled.reasons[0]


def test_the_newer_of_two_equal_rules_wins():
    old, new = rule("old"), rule("new", channel="letter+post", created_at=NOW)
    assert outcome([old, new]).rule_id == "new"


def test_a_rule_for_somebody_else_does_not_speak():
    assert outcome([rule("other", recipient_id="10042111")]).channel == POST


def test_rules_begin_and_end_on_time():
    future = rule("future", valid_from=NOW + timedelta(seconds=1))
    ended = rule("ended", valid_until=NOW)
    assert in_force([future, ended], RELATION, NOW) == []


def test_a_channel_that_is_not_ready_falls_back_and_says_why():
    decision = outcome([rule("r")], closed)
    assert (decision.channel, decision.intended, decision.fell_back) == (POST, XDOMEA, True)
    assert any("no-mailbox" in reason for c in decision.considered for reason in c.reasons)


def test_with_hold_nothing_is_sent():
    assert outcome([rule("r")], closed, fallback="hold").channel is None


def test_a_channel_that_failed_is_not_tried_again():
    assert outcome([rule("r")], excluded=[XDOMEA]).channel == POST
    assert outcome([rule("r")], excluded=[XDOMEA, POST]).channel is None


@given(st.integers(1, 99), st.text(min_size=1, max_size=20))
def test_a_pilot_decides_the_same_for_a_case_every_time(share, case_id):
    pilot = rule("p", stage="pilot", share=share)
    assert takes_part(pilot, case_id) == takes_part(pilot, case_id)
    wider = rule("p", stage="pilot", share=100)
    assert takes_part(wider, case_id)


def test_a_pilots_share_is_about_what_it_says():
    pilot = rule("p", stage="pilot", share=30)
    taken = sum(takes_part(pilot, f"case-{n}") for n in range(2000))
    assert 500 < taken < 700


def test_shadow_rules_carry_nothing_real():
    decision = outcome([rule("s", stage="shadow")])
    assert decision.channel == POST
    assert any("no real exchanges" in reason for c in decision.considered for reason in c.reasons)


def test_every_known_channel_is_told_about():
    decision = outcome([])
    assert [one.channel for one in decision.considered] == [POST, XDOMEA]
    assert decision.considered[1].verdict == "not asked for"
    assert any("no-mailbox" in reason for reason in outcome([], closed).considered[1].reasons)
