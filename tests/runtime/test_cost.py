"""A step costs what is open and never what is done: counted in calls, not in seconds."""

import sys
from collections.abc import Callable
from typing import Any

from engine.runtime import CompleteTask
from tests.runtime.play import Play


def calls(work: Callable[[], Any]) -> int:
    """Return how many Python functions ``work`` calls."""
    count = 0

    def tally(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(tally)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


LOOP = """
start s -> m
xor m -> a
user a -> k
script k code="n = n + 1" -> g
xor g -> m if again, e default
end e
"""


def test_the_thousandth_round_costs_what_the_tenth_did() -> None:
    play = Play(LOOP).start(n=0, again=True)
    cost, size = {}, {}
    for number in range(1, 1001):
        item = play.item("a").id
        if number in (10, 1000):
            cost[number] = calls(lambda item=item: play.do(CompleteTask(item)))
            size[number] = len(play.state or "")
        else:
            play.do(CompleteTask(item))
    assert cost[1000] <= cost[10] * 1.05
    assert size[1000] <= size[10] + 40
    assert size[1000] < 1500


def test_a_sequential_multi_instance_gets_no_dearer() -> None:
    play = Play("start s -> a\nuser a multi=sequential over=items as=item -> e\nend e")
    play.start(items=list(range(300)))
    cost = {}
    for number in range(1, 300):
        item = play.item("a").id
        cost[number] = calls(lambda item=item: play.do(CompleteTask(item)))
    assert cost[290] <= cost[10] * 1.05


def test_a_large_list_is_stored_once_however_many_instances_share_it() -> None:
    items = [{"name": f"Gemeinde {number}", "note": "x" * 200} for number in range(200)]
    play = Play(
        "start s -> p\nsub p multi=parallel over=items as=item -> e\n    user a -> b\n    user b\nend e"
    )
    play.start(items=items)
    size = len(play.state or "")
    assert size < 2.6 * len(str(items)) + 200 * 450, "the list, each element at its instance, and little else"


def test_ten_thousand_rounds_in_one_advance() -> None:
    play = Play(
        'start s -> m\nxor m -> k\nscript k code="n = n + 1" -> g\nxor g -> m if n < 10000, e default\nend e'
    ).start(n=0)
    assert play.completed
    assert play.last is not None
    assert play.last.data == {"n": 10000}


def test_hundreds_of_splits_leave_no_trace() -> None:
    """A branch that ends at once in every round must not leave a frame behind."""
    play = Play("start s -> m\nxor m -> f\nand f -> a, x\nend x\nuser a -> m").start(n=0)
    sizes = []
    for number in range(300):
        play.done("a", n=number % 7)
        sizes.append(len(play.state or ""))
    assert sizes[-1] <= sizes[20] + 20
