"""Data: frames, patches and the one merge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.runtime import DataRefusedError
from engine.runtime.data import Frame, clean_data, common, merge, patch_between
from tests.runtime.play import Play

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 3),
    st.text("ab", max_size=2),
    st.lists(st.integers(0, 2), max_size=2),
)
DATA = st.dictionaries(st.sampled_from("abcdef"), VALUES, max_size=5)


@given(DATA, DATA)
def test_a_patch_leads_from_one_state_to_the_other(
    before: dict[str, object], after: dict[str, object]
) -> None:
    result = dict(before)
    patch_between(before, after).apply(result)
    assert result == after
    assert all(type(result[name]) is type(after[name]) for name in after), "1 and true differ"
    assert not patch_between(after, dict(after))


@given(DATA, DATA)
def test_merging_with_an_unchanged_branch_changes_nothing(
    base: dict[str, object], one: dict[str, object]
) -> None:
    assert merge(base, [one, base]) == merge(base, [base, one]) == one


@given(DATA, st.lists(DATA, max_size=4))
def test_the_later_branch_wins_and_untouched_names_stay(
    base: dict[str, object], branches: list[dict[str, object]]
) -> None:
    merged = merge(base, branches)
    for name in set(base) | {name for branch in branches for name in branch}:
        touched = [
            branch
            for branch in branches
            if patch_between(
                {k: v for k, v in base.items() if k == name}, {k: v for k, v in branch.items() if k == name}
            )
        ]
        expected = touched[-1] if touched else base
        assert (name in merged) == (name in expected)
        if name in merged:
            assert merged[name] == expected[name]


def test_the_common_frame_of_a_family() -> None:
    root = Frame(None, {})
    left, right = Frame(root, {}), Frame(root, {})
    deep = Frame(Frame(left, {}), {})
    assert common([deep, left]) is left
    assert common([deep, right]) is root
    assert common([deep, Frame(None, {})]) is None


def test_only_json_comes_in() -> None:
    for bad in ({"x": object()}, {"x": float("nan")}, {"x": {1: 2}}, {"x": {1, 2}}):
        with pytest.raises(DataRefusedError):
            clean_data(bad)
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(DataRefusedError, match="nested"):
        clean_data({"x": deep})


def test_what_the_caller_changes_later_does_not_reach_the_case() -> None:
    play = Play("start s -> a\nuser a -> b\nuser b")
    mine = {"list": [1]}
    play.start(**mine)
    play.done("a", more=mine["list"])
    mine["list"].append(2)
    assert play.item("b").data == {"list": [1], "more": [1]}


def test_deletions_are_honoured_at_a_join() -> None:
    """A called process that brings a name no longer back removes it, also when a sibling kept it."""
    assert merge({"x": 1, "y": 1}, [{"y": 1}, {"x": 1, "y": 2}]) == {"y": 2}
