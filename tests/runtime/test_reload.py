"""A case that is written and read again before every command behaves like one that never leaves memory."""

import random

import pytest

from engine.errors import DienstwegError
from tests.runtime.walks import Living, Reloading, Walk, models, next_command, start_of

MODELS = list(models())


def _walk_both(name: str, seed: int, steps: int) -> int:
    _, program, variables, choices = next(model for model in MODELS if model[0] == name)
    chance = random.Random(f"{name}-{seed}")
    one, two = Walk(program, Reloading(program)), Walk(program, Living(program))
    command = start_of(program, chance.choice(variables), chance)
    for number in range(steps):
        outcomes = []
        for walk in (one, two):
            try:
                walk.do(command)
                outcomes.append("")
            except DienstwegError as error:
                outcomes.append(f"{type(error).__name__}: {error}")
        assert outcomes[0] == outcomes[1], (name, seed, number, command)
        if outcomes[0]:
            return number
        assert one.trace[-1] == two.trace[-1], (name, seed, number, command)
        assert one.completed or one.open, "a case that is not over waits for something"
        if one.completed:
            assert not one.open, "a case that is over waits for nothing"
            return number
        command = next_command(one, chance, choices)
        two.now = one.now
    return steps


@pytest.mark.parametrize("name", [model[0] for model in MODELS])
def test_reloaded_and_living_cases_agree(name: str) -> None:
    for seed in range(3):
        _walk_both(name, seed, 25)


@pytest.mark.long
@pytest.mark.parametrize("name", [model[0] for model in MODELS])
def test_reloaded_and_living_cases_agree_on_many_walks(name: str) -> None:
    for seed in range(3, 60):
        _walk_both(name, seed, 60)
