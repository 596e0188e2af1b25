"""Random models: reloading changes nothing, nothing falls silent, and what is well-structured ends."""

import random

import pytest

from engine.errors import DienstwegError
from engine.runtime import ItemKind, Start
from tests.runtime.play import program_of
from tests.runtime.random_models import Drawer, wild
from tests.runtime.walks import Living, Reloading, Walk, next_command

CROWD = 60
"""Open items after which a wild model has shown enough."""
CHOICES = {"n": [0, 1, 2, 3, 4, 5]}


def _walk(drawing: str, seed: int, steps: int, called: dict[str, str] | None = None) -> Walk:
    """Walk through a model with and without reloading; return the reloaded walk."""
    program = program_of(drawing, called)
    chance = random.Random(seed)
    one, two = Walk(program, Reloading(program)), Walk(program, Living(program))
    command = Start({"n": chance.randrange(6), "items": [1, 2]})
    for number in range(steps):
        told = []
        for walk in (one, two):
            try:
                walk.do(command)
                told.append("")
            except DienstwegError as error:
                told.append(str(error))
        assert told[0] == told[1], (drawing, number)
        if told[0]:
            return one
        assert one.trace[-1] == two.trace[-1], (drawing, number, command)
        assert one.completed != bool(one.open), (drawing, number, "over, or waiting for something")
        if one.completed or len(one.open) > CROWD:
            return one
        command = next_command(one, chance, CHOICES)
        two.now = one.now
    return one


def _structured(seed: int) -> None:
    drawer = Drawer(seed)
    drawing = drawer.draw()
    walk = _walk(drawing, seed, 600, drawer.called)
    drawing = "\n".join((drawing, *(f"{name}:\n{text}" for name, text in drawer.called.items())))
    assert walk.completed, (drawing, [(item.element_id, item.error) for item in walk.open.values()])
    assert all(
        item.kind is not ItemKind.FAILED or "nothing catches" in (item.error or "")
        for told in walk.trace
        for item in told["opened"]
    ), (drawing, "no branch fails but by an error from outside")


def test_every_drawn_gateway_that_decides_has_a_default_flow() -> None:
    for seed in range(500):
        drawer = Drawer(seed)
        for line in [*drawer.draw().splitlines(), *"\n".join(drawer.called.values()).splitlines()]:
            kind, _, rest = line.strip().partition(" ")
            assert kind not in ("xor", "or") or " if " not in rest or " default" in rest, (seed, line)


@pytest.mark.parametrize("batch", range(10))
def test_structured_models_end(batch: int) -> None:
    for seed in range(batch * 12, batch * 12 + 12):
        _structured(seed)


@pytest.mark.parametrize("batch", range(10))
def test_wild_models_never_fall_silent(batch: int) -> None:
    for seed in range(batch * 10, batch * 10 + 10):
        _walk(wild(seed), seed, 30)


@pytest.mark.long
@pytest.mark.parametrize("batch", range(20))
def test_many_random_models(batch: int) -> None:
    for seed in range(1000 + batch * 100, 1100 + batch * 100):
        _structured(seed)
        _walk(wild(seed), seed, 40)
