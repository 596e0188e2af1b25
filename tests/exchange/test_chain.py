"""The chain: changes show, deletions of details do not break it."""

from hypothesis import given
from hypothesis import strategies as st

from engine.exchange.chain import GENESIS, canonical, commit_to, next_link

subjects = st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=8), max_size=4)


@given(subjects, subjects)
def test_different_subjects_have_different_commitments(one, other):
    salt = "00" * 16
    assert (commit_to(salt, one) == commit_to(salt, other)) == (canonical(one) == canonical(other))


@given(subjects)
def test_without_the_salt_a_guess_cannot_be_checked(subject):
    assert commit_to("00" * 16, subject) != commit_to("01" * 16, subject)


def test_a_changed_entry_changes_every_later_one():
    first = next_link(GENESIS, 1, "advance", "a" * 64)
    changed = next_link(GENESIS, 1, "advance", "b" * 64)
    assert next_link(first.hash, 2, "fact", "c" * 64) != next_link(changed.hash, 2, "fact", "c" * 64)
