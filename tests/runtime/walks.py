"""Random walks through models: whatever is open is done at random, and all that follows is recorded."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engine.identifiers import SeededIds
from engine.runtime import (
    Advance,
    Command,
    CompleteTask,
    CompleteWork,
    DeliverMessage,
    DeliverSignal,
    FailWork,
    FireTimer,
    ItemKind,
    OpenItem,
    Program,
    Retry,
    SetData,
    Skip,
    Start,
    advance,
)
from engine.runtime.case import Case
from engine.runtime.commands import HANDLERS
from engine.runtime.engine import _PREFIX, _result
from engine.runtime.outcome import Outcome
from engine.runtime.services import Services
from tests.conformance.driver import BEGIN, compile_case
from tests.conformance.scenarios import folders, load_case

STEP_LIMIT = 500
"""Steps a command may set off in walks; small, so that endless loops are met."""
OWN = Path(__file__).parents[1] / "conformance" / "cases"
SHARED = Path(__file__).parents[2] / ".." / "shared" / "conformance"


class Reloading:
    """Writes the state to text and reads it again for every command."""

    def __init__(self, program: Program) -> None:
        self.program, self.ids, self.state = program, SeededIds(1), None

    def apply(self, command: Command, now: datetime) -> Advance:
        result = advance(self.program, self.state, command, now=now, ids=self.ids, step_limit=STEP_LIMIT)
        self.state = result.state
        return result


class Living:
    """Keeps the case in memory from its start to its end."""

    def __init__(self, program: Program) -> None:
        self.case = Case(program, Services(BEGIN, step_limit=STEP_LIMIT), str(SeededIds(1).new())[:_PREFIX])

    def apply(self, command: Command, now: datetime) -> Advance:
        case = self.case
        case.services = Services(now, step_limit=STEP_LIMIT)
        case.out = Outcome(case)
        case.budget = case.services.step_limit
        HANDLERS[type(command)](case, command)
        case.tidy()
        case.run()
        return _result(case)


@dataclass
class Walk:
    """A case on a random walk."""

    program: Program
    engine: Reloading | Living
    now: datetime = BEGIN
    open: dict[str, OpenItem] = field(default_factory=dict)
    completed: bool = False
    trace: list[dict[str, Any]] = field(default_factory=list)

    def do(self, command: Command) -> Advance:
        """Apply a command and remember what it led to."""
        result = self.engine.apply(command, self.now)
        for gone in result.closed:
            assert self.open.pop(gone, None) is not None, "only open items close"
        for item in result.opened:
            assert item.id not in self.open, "an item opens once"
            self.open[item.id] = item
        for item in result.changed:
            assert item.id in self.open, "only open items change"
            self.open[item.id] = item
        self.completed = result.completed
        self.trace.append(told(result))
        return result


def told(result: Advance) -> dict[str, Any]:
    """Return everything of an advance but the state's text."""
    return {name: getattr(result, name) for name in result.__dataclass_fields__ if name not in ("state",)}


def start_of(program: Program, data: Mapping[str, Any], chance: random.Random) -> Start:
    """Return a start command that the program accepts."""
    if program.root.starts:
        return Start(data)
    return Start(data, chance.choice(program.starts).element_id)


def next_command(walk: Walk, chance: random.Random, data: dict[str, Any]) -> Command:
    """Return a command for one of the open items."""
    items = list(walk.open.values())
    item = chance.choice(items)
    values = {name: chance.choice(choice) for name, choice in data.items() if chance.random() < 0.6}
    if chance.random() < 0.05:
        return SetData(values)
    if item.kind is ItemKind.TASK:
        return CompleteTask(item.id, values)
    if item.kind is ItemKind.WORK:
        if chance.random() < 0.3:
            return FailWork(item.id, chance.choice(["E_NO", "Bad", "One", "A", "other"]), "", values)
        return CompleteWork(item.id, values)
    if item.kind is ItemKind.MESSAGE:
        return DeliverMessage(item.id, item.event or "", values)
    if item.kind is ItemKind.SIGNAL:
        return DeliverSignal(item.event or "", values)
    if item.kind is ItemKind.TIMER:
        if item.due is None:
            return Skip(item.id)
        walk.now = max(walk.now, item.due) + timedelta(seconds=chance.randrange(3))
        return FireTimer(item.id, item.revision)
    if item.kind is ItemKind.CONDITION:
        return SetData(values) if chance.random() < 0.5 else Skip(item.id)
    return Retry(item.id) if chance.random() < 0.3 else Skip(item.id, values)


def models() -> Iterator[tuple[str, Program, list[dict[str, Any]], dict[str, list[Any]]]]:
    """Yield every case's program, the variables it is started with, and values that its tasks set."""
    for root in (OWN, SHARED):
        for folder in folders(root) if root.is_dir() else []:
            case = load_case(folder)
            program, _ = compile_case(folder, case)
            variables = [scenario.get("variables", {}) for scenario in case["scenarios"]]
            choices: dict[str, list[Any]] = {}
            for scenario in case["scenarios"]:
                for step in scenario.get("steps", ()):
                    for name, value in {**step.get("variables", {}), **step.get("payload", {})}.items():
                        choices.setdefault(name, []).append(value)
            yield folder.name, program, variables, choices
