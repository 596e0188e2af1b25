"""When failing work is tried again: doubling, capped, spread, and by the kind of work."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.work.ports import DEFAULT_RETRY, RETRY, policy_for

POLICIES = [DEFAULT_RETRY, *RETRY.values()]


@pytest.mark.parametrize("policy", POLICIES)
@given(attempts=st.integers(1, 40), seed=st.integers())
def test_waits_double_up_to_a_bound_and_are_spread_by_a_quarter(policy, attempts, seed):
    plain = min(policy.first_delay * 2 ** (attempts - 1), policy.longest_delay)
    delay = policy.delay(attempts, random.Random(seed))
    assert plain <= delay <= plain * 1.25
    assert policy.first_delay <= delay <= policy.longest_delay * 1.25


@pytest.mark.parametrize("policy", POLICIES)
def test_jobs_that_fail_together_are_not_tried_again_together(policy):
    source = random.Random(1)
    assert len({policy.delay(1, source) for _ in range(50)}) == 50


def test_kinds_of_work_have_their_own_patience():
    assert policy_for("send").attempts > policy_for("anything else").attempts
    assert policy_for("send").longest_delay == timedelta(hours=1)
    assert policy_for("anything else") is DEFAULT_RETRY
