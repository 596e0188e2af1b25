"""Every combination of the nesting matrix keeps its tokens, never stalls, and obeys its events."""

import random
import zlib
from collections import Counter

import pytest

from engine.definitions.reader import read_model
from engine.runtime import (
    Command,
    CompleteTask,
    CompleteWork,
    DeliverMessage,
    DeliverSignal,
    FireTimer,
    ItemKind,
    OpenItem,
    Program,
    Start,
    StepKind,
    compile_program,
)
from tests.conformance.drawings.notation import bpmn
from tests.runtime.nesting import TIMES, Cell, cells, drawing
from tests.runtime.walks import Reloading, Walk

CELLS = list(cells())
SHARDS = 24


def _program(cell: Cell) -> Program:
    main, called = drawing(cell)
    models = {name: read_model(bpmn(name, text).encode(), f"{name}.bpmn") for name, text in called.items()}
    return compile_program(read_model(bpmn("Main", main).encode(), "main.bpmn"), "Main", models)


class Matrix(Walk):
    """A walk that leaves the matrix's own events alone until it is told to fire them."""

    begun: set[str]

    def counts(self) -> Counter[str]:
        """Return how often each element was completed."""
        return Counter(
            step.element_id
            for told in self.trace
            for step in told["steps"]
            if step.kind is StepKind.COMPLETED
        )

    def failed(self) -> list[str]:
        """Return what failed items say."""
        return [item.error or "" for item in self.open.values() if item.kind is ItemKind.FAILED]

    def choices(self) -> list[OpenItem]:
        """Return the open items that belong to the content."""
        return [
            item
            for item in self.open.values()
            if item.event not in ("Stop", "Kill", "Never", "Inner") and not self._later(item)
        ]

    def _later(self, item: OpenItem) -> bool:
        return item.kind is ItemKind.TIMER and item.element_id == "bq"

    def push(self, item: OpenItem) -> None:
        """Do what the item waits for."""
        self.do(self._command(item))

    def _command(self, item: OpenItem) -> Command:
        if item.kind is ItemKind.TASK:
            return CompleteTask(item.id)
        if item.kind is ItemKind.WORK:
            return CompleteWork(item.id)
        if item.kind is ItemKind.MESSAGE:
            return DeliverMessage(item.id, item.event or "")
        if item.kind is ItemKind.SIGNAL:
            return DeliverSignal(item.event or "")
        assert item.kind is ItemKind.TIMER, item
        assert item.due is not None
        self.now = max(self.now, item.due)
        return FireTimer(item.id, item.revision)


def _begin(cell: Cell, program: Program) -> Matrix:
    walk = Matrix(program, Reloading(program))
    walk.begun = set()
    walk.do(Start())
    return walk


def _trigger_event_subs(walk: Matrix) -> bool:
    """Begin the containers that are event sub-processes, once each."""
    for item in list(walk.open.values()):
        if item.event in ("BeginP", "BeginQ") and item.id not in walk.begun:
            walk.begun.add(item.id)
            walk.do(DeliverMessage(item.id, item.event))
            return True
    return False


def _run_content(walk: Matrix, chance: random.Random, steps: int = 400) -> None:
    """Do what the content waits for, ``steps`` times at most; helper tasks of event sub-processes last."""
    for _ in range(steps):
        if walk.completed:
            return
        if _trigger_event_subs(walk):
            continue
        items = [item for item in walk.choices() if item.event not in ("BeginP", "BeginQ")]
        first = [item for item in items if item.element_id not in ("after", "open", "Qw", "taken")]
        items = first or items
        if not items:
            return
        walk.push(chance.choice(items))


def _check(cell: Cell) -> None:
    program = _program(cell)
    chance = random.Random(zlib.crc32(cell.name.encode()))
    _check_undisturbed(cell, _begin(cell, program), chance)
    if cell.position not in ("none",):
        walk = _begin(cell, program)
        _run_some(walk, chance)
        _check_event(cell, walk, chance)


def _run_some(walk: Matrix, chance: random.Random) -> None:
    """Do a few things of the content, never the last one."""
    for _ in range(chance.randrange(4)):
        _trigger_event_subs(walk)
        items = [
            item
            for item in walk.choices()
            if item.element_id not in ("after", "open", "Qw") and item.event not in ("BeginP", "BeginQ")
        ]
        if items:
            walk.push(chance.choice(items))


def _check_undisturbed(cell: Cell, walk: Matrix, chance: random.Random) -> None:
    _run_content(walk, chance)
    count = walk.counts()
    assert not walk.failed(), (cell.name, walk.failed())
    assert count["mark"] == cell.marks, (cell.name, "mark", count)
    assert count["after"] == 1, (cell.name, "after", count)
    if cell.position == "terminate":
        assert not walk.completed
        assert [item.event for item in walk.open.values()].count("Kill") == 1, cell.name
        kill = next(item for item in walk.open.values() if item.event == "Kill")
        walk.push(kill)
    assert walk.completed, (cell.name, [item.element_id for item in walk.open.values()])
    assert not walk.open, cell.name


def _check_event(cell: Cell, walk: Matrix, chance: random.Random) -> None:
    wanted = "Kill" if cell.position == "terminate" else "Stop"
    listening = [item for item in walk.open.values() if item.event == wanted]
    before = walk.counts()
    if not listening:
        assert before["after"] or "after" in {item.element_id for item in walk.open.values()}, cell.name
        return
    others = {item.id for item in walk.open.values()} - {item.id for item in listening}
    walk.push(listening[0])
    assert not walk.failed(), (cell.name, walk.failed())
    if cell.position == "terminate":
        assert walk.completed, cell.name
        assert not walk.open, cell.name
        return
    if cell.position == "interrupting":
        assert not others & walk.open.keys(), (cell.name, "the activity's items are gone")
        assert [item.element_id for item in walk.open.values()] == ["taken"], cell.name
    if cell.position in ("alongside", "esub-alongside"):
        assert others <= walk.open.keys(), (cell.name, "nothing is taken away")
    assert "taken" in {item.element_id for item in walk.open.values()}, cell.name
    _run_content(walk, chance)
    count = walk.counts()
    assert walk.completed, (cell.name, list(walk.open.values()))
    assert not walk.open, (cell.name, list(walk.open.values()))
    assert count["taken"] == 1, (cell.name, count)
    assert count["after"] == (0 if cell.position == "interrupting" else 1), (cell.name, count)
    if cell.position in ("alongside", "esub-alongside"):
        assert count["mark"] == cell.marks, (cell.name, count)
    if cell.position == "esub":
        lost = cell.marks // TIMES[cell.outer]
        assert cell.marks - lost <= count["mark"] <= cell.marks, (cell.name, count)


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_fifth_cell_of_the_matrix(shard: int) -> None:
    for cell in CELLS[shard::SHARDS][::5]:
        _check(cell)


@pytest.mark.long
@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_whole_matrix(shard: int) -> None:
    for cell in CELLS[shard::SHARDS]:
        _check(cell)


def test_the_matrix_is_large() -> None:
    print(f"{len(CELLS)} combinations of container, content and event position")
    assert len(CELLS) >= 1000
