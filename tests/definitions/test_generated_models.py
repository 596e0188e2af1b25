"""Generated models: nested blocks are accepted and run; wild graphs keep what the checker says."""

from collections.abc import Iterator

import pytest

from engine.definitions.checker import Report, check_model
from engine.definitions.reader import read_model
from engine.runtime import compile_program
from tests.definitions.bpmn import definitions
from tests.definitions.generated import Blocks, wild
from tests.definitions.random_runs import Outcome, Run, vocabulary

WAITS_FOR_EVER = "none can come any more"
"""What the runtime says of a join whose tokens can never be complete."""


def play(content: str, name: str, runs: int) -> Iterator[tuple[Report, Run, Outcome]]:
    """Check a model and, where it is accepted, play it; a stall fails."""
    data = definitions(content)
    report = check_model(data, name)
    if not report.accepted:
        return
    model = read_model(data, name)
    program, words = compile_program(model, "loan"), vocabulary(model)
    for seed in range(runs):
        run = Run(program, words, seed)
        outcome = run.play(80)
        assert outcome is not Outcome.STALLED, (name, seed, run.trace, content)
        yield report, run, outcome


def check_blocks(seeds: range) -> None:
    completed = 0
    for seed in seeds:
        content = Blocks(seed).definitions()
        assert check_model(definitions(content), "blocks").errors == (), content
        completed += sum(outcome is Outcome.COMPLETED for *_, outcome in play(content, f"blocks {seed}", 3))
    assert completed > len(seeds)


def check_graphs(seeds: range) -> None:
    accepted = 0
    for seed in seeds:
        content = wild(seed)
        for report, run, _ in play(content, f"graph {seed}", 6):
            accepted += 1
            held = [
                item.element_id
                for item in run.open.values()
                if WAITS_FOR_EVER in (item.error or "")
                and f'<parallelGateway id="{item.element_id}"' in content
            ]
            warned = {item.element for item in report.findings if item.rule == "DW254"}
            assert set(held) <= warned, (seed, run.trace, content)
    assert accepted


def test_nested_blocks_are_accepted_and_never_stall() -> None:
    check_blocks(range(30))


def test_wild_graphs_never_stall_and_joins_that_wait_for_ever_were_told() -> None:
    check_graphs(range(60))


@pytest.mark.long
def test_many_nested_blocks_are_accepted_and_never_stall() -> None:
    check_blocks(range(30, 250))


@pytest.mark.long
def test_many_wild_graphs_never_stall_and_joins_that_wait_for_ever_were_told() -> None:
    check_graphs(range(60, 300))
