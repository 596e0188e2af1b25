"""Status against a brute-force count: every exchange once, sums match."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from engine.migration.status import count

rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.integers(0, 20).map(str),
            "procedure_key": st.just("p"),
            "element_id": st.sampled_from("ab"),
            "recipient_id": st.sampled_from("xy"),
            "dispatch_id": st.none() | st.just("d"),
            "level": st.sampled_from("ABCD"),
            "channel": st.sampled_from(["letter+post", "xdomea+folder"]),
            "intended_channel": st.sampled_from(["letter+post", "xdomea+folder"]),
            "confirmed": st.booleans(),
        }
    ),
    max_size=60,
)


@given(rows)
def test_every_exchange_counts_once_and_the_sums_match(found):
    lines = count(found)
    last = {row["id"]: row for row in found}
    assert sum(line.exchanges for line in lines) == len(last)
    assert sum(line.unsent for line in lines) == sum(row["dispatch_id"] is None for row in last.values())
    levels = Counter(row["level"] for row in last.values() if row["dispatch_id"])
    assert sum((Counter(line.by_level) for line in lines), Counter()) == levels
    assert all(line.electronic + line.by_level.get("A", 0) + line.unsent == line.exchanges for line in lines)
    assert sum(line.confirmed for line in lines) == sum(row["confirmed"] for row in last.values())
