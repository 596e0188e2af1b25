"""Programs: what is refused, and that threads may share one."""

import threading
from typing import Any

import pytest

from engine.definitions.reader import read_model
from engine.identifiers import SeededIds
from engine.runtime import (
    CancelCase,
    CompleteTask,
    ItemKind,
    ProgramRefusedError,
    Retry,
    Start,
    StartRefusedError,
    advance,
    compile_program,
)
from tests.conformance.drawings.notation import bpmn
from tests.conformance.driver import BEGIN
from tests.runtime.play import Play, program_of


@pytest.mark.parametrize(
    ("drawing", "says"),
    [
        ("start s -> g\nxor g -> a if n >, b default\nuser a\nuser b", "drawn.bpmn:"),
        ("start s -> c\ncall c process=Missing", "no process 'Missing'"),
        ("start s -> a\nuser a multi=parallel", "neither how often nor over which list"),
        ("start s -> r\nrace r -> a\nuser a", "waits for no event"),
        ("start s -> t\nthrow t link=Nowhere", "no link target"),
        ("start s -> x\nsend x", "message without a name"),
        ("start s -> x\nreceive x", "message without a name"),
        ("start s -> k\nscript k", "no script"),
        ('start s -> h\nadhoc h order=Sequential\n    user a\n    script b code="x = 1"', "begins by itself"),
    ],
)
def test_what_cannot_run_is_refused_with_its_place(drawing: str, says: str) -> None:
    with pytest.raises(ProgramRefusedError) as caught:
        program_of(drawing)
    assert says in str(caught.value)
    assert "drawn.bpmn:" in str(caught.value)


def test_complex_gateways_are_refused() -> None:
    text = bpmn("P", "start s -> g\nxor g -> a, b\nuser a\nuser b").replace(
        "exclusiveGateway", "complexGateway"
    )
    with pytest.raises(ProgramRefusedError, match="complexGateway is not run"):
        compile_program(read_model(text.encode(), "x.bpmn"), "P")


def test_starts_that_are_not_clear_are_refused() -> None:
    play = Play("start m message=M -> a\nuser a")
    with pytest.raises(StartRefusedError, match="begins with an event"):
        play.start()
    two = Play("start s1 -> a\nstart s2 -> a\nuser a")
    with pytest.raises(StartRefusedError, match="several start events"):
        two.start()
    two.do(Start({}, "s2"))
    assert two.elements() == ["a"]


def test_endless_loops_become_an_item() -> None:
    play = Play('start s -> m\nxor m -> k\nscript k code="n = n + 1" -> m', step_limit=500).start(n=0)
    (item,) = play.open.values()
    assert item.kind is ItemKind.FAILED
    assert "endless loop" in (item.error or "")
    play.do(Retry(item.id))
    (again,) = play.open.values()
    assert "endless loop" in (again.error or "")
    play.do(CancelCase("it never ends"))
    assert play.completed


def test_an_explosion_of_tokens_is_one_item_and_the_others_wait_for_it() -> None:
    play = Play("start s -> m\nxor m -> f\nand f -> m, m, a\nuser a", step_limit=300).start()
    failed = play.elements(ItemKind.FAILED)
    assert len(failed) == 1
    opened = len(play.open)
    play.do(Retry(play.item(failed[0], ItemKind.FAILED).id))
    assert len(play.elements(ItemKind.FAILED)) == 1
    assert len(play.open) > opened


def test_endless_recursion_and_explosions_become_an_item() -> None:
    deep = Play("start s -> c\ncall c process=Drawn").start()
    assert "deep in each other" in next(iter(deep.open.values())).error
    many = "sub p multi=parallel count=300\n    user a multi=parallel count=300"
    wide = Play(many, step_limit=5000).start()
    assert wide.elements(ItemKind.FAILED)
    assert len(wide.open) < 10_000


def test_long_sequences_and_deep_nesting_need_no_recursion() -> None:
    lines = (
        ["start s -> k0"] + [f'script k{n} code="n = {n}" -> k{n + 1}' for n in range(3000)] + ["end k3000"]
    )
    play = Play("\n".join(lines)).start()
    assert play.completed
    nested = "\n".join("    " * n + f"sub p{n}" for n in range(30)) + "\n" + "    " * 30 + "user a"
    inner = Play(nested).start()
    assert len(inner.item("a").scope) == 30
    inner.done("a")
    assert inner.completed


def test_threads_share_a_program() -> None:
    program = program_of(
        "start s -> p\nsub p multi=parallel count=3 -> z\n    user a -> b\n    user b\nuser z"
    )
    found: list[Any] = []

    def run(seed: int) -> None:
        ids = SeededIds(seed)
        result = advance(program, None, Start({"seed": seed}), now=BEGIN, ids=ids)
        items = list(result.opened)
        while not result.completed:
            result = advance(
                program, result.state, CompleteTask(items.pop(0).id, {"by": seed}), now=BEGIN, ids=ids
            )
            items += result.opened
        found.append(dict(result.data))

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(data["seed"] for data in found) == list(range(8))
    assert all(data["by"] == data["seed"] for data in found)


def test_without_start_events_everything_without_incoming_flow_begins() -> None:
    play = Play("user a -> c\nuser b\nuser c\nsub p\n    user d").start()
    assert play.elements() == ["a", "b", "d"]
    for element in ("a", "c", "b", "d"):
        play.done(element)
    assert play.completed


def test_receive_tasks_and_event_gateways_may_begin_a_case() -> None:
    """The checker refuses them at present; the runtime runs them."""
    play = Play("receive r message=Apply instantiate -> a\nuser a")
    assert [(point.element_id, point.event) for point in play.program.starts] == [("r", "Apply")]
    play.do(Start({"who": "x"}, "r"))
    assert play.elements() == ["a"]
    race = Play(
        "race r instantiate -> m, n\ncatch m message=One -> a\ncatch n message=Two -> b\nuser a\nuser b"
    )
    race.do(Start({}, "n"))
    assert race.elements() == ["b"]


def test_a_called_process_that_begins_with_a_message_only_is_refused() -> None:
    with pytest.raises(ProgramRefusedError, match="no start event without a trigger"):
        program_of("start s -> c\ncall c process=In -> z\nuser z", {"In": "start i message=M -> a\nuser a"})
