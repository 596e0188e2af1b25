"""Drives any accepted model with random data and choices, its state read from text before every command."""

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from engine.definitions.model import EventKind, Expression, Model, Node, walk
from engine.expressions import ExpressionError, compile_expression
from engine.identifiers import SeededIds
from engine.runtime import (
    FUNCTIONS,
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

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
STEPS = 2000
"""Steps that one command may set off; endless loops without a wait are held."""
_CONSTANT = re.compile(r"'([^']*)'|\"([^\"]*)\"|\b(\d{1,4})\b")


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    OPEN = "still open at the command limit"
    HELD = "held by an incident"
    STALLED = "stalled with nothing waiting"


@dataclass(frozen=True)
class Vocabulary:
    """The variables that a model's expressions read, and values worth trying."""

    values: Mapping[str, tuple[Any, ...]]
    """Variable → values of the kind that the expressions compare it with."""
    lists: frozenset[str]
    codes: tuple[str, ...]


def vocabulary(model: Model) -> Vocabulary:
    """Collect what the expressions of a model's processes talk about."""
    values: dict[str, set[Any]] = {}
    lists: set[str] = set()
    codes: set[str] = set()
    for expression, is_list in _expressions(model):
        try:
            compiled = compile_expression(expression.text, expression.language, functions=FUNCTIONS)
        except ExpressionError:
            continue
        constants: set[Any] = set()
        for single, double, number in _CONSTANT.findall(expression.text):
            constants |= {int(number), int(number) + 1} if number else {single or double, "else"}
        for name in compiled.names:
            values.setdefault(name, set()).update(constants)
        if is_list:
            lists |= compiled.names
    for node in _nodes(model):
        codes.update(event.code for event in node.events if event.kind is EventKind.ERROR and event.code)
    return Vocabulary(
        {name: tuple(sorted(found, key=repr)) or (True, False) for name, found in values.items()},
        frozenset(lists),
        tuple(sorted(codes)),
    )


def _expressions(model: Model) -> Iterator[tuple[Expression, bool]]:
    found: list[tuple[Expression | None, bool]] = [
        (expression, False)
        for key in model.correlation_keys
        for by_message in key.properties.values()
        for expression in by_message.values()
    ]
    scopes = [process.scope for process in model.processes]
    for node in _nodes(model):
        if node.scope is not None:
            scopes.append(node.scope)
        found.extend((event.expression, False) for event in node.events if event.kind is not EventKind.TIMER)
        found.extend((mapping.source, False) for mapping in (*node.inputs, *node.outputs))
        if node.loop is not None:
            found.append((node.loop.collection, True))
            counts = (node.loop.cardinality, node.loop.maximum)
            found.extend((None if item is None else _number(item), False) for item in counts)
            found.extend((item, False) for item in (node.loop.condition, node.loop.completion_condition))
    found.extend((flow.condition, False) for scope in scopes for flow in scope.flows.values())
    for expression, is_list in found:
        if expression is not None:
            yield expression, is_list


def _number(expression: Expression) -> Expression:
    """Return an expression that shows the variables of a count beside a number."""
    return replace(expression, text=f"({expression.text}) > 2") if expression.language is None else expression


def _nodes(model: Model) -> Iterator[Node]:
    for process in model.processes:
        yield from (node for _, node in walk(process.scope))


@dataclass
class Run:
    """One run of one program."""

    program: Program
    words: Vocabulary
    seed: int
    trace: list[str] = field(default_factory=list)
    now: datetime = BEGIN

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.ids = SeededIds(self.seed)
        self.state: str | None = None
        self.open: dict[str, OpenItem] = {}
        self.completed = False

    def play(self, limit: int = 60) -> Outcome:
        """Start and go on at random for at most ``limit`` commands."""
        # Without a start event the case begins at whatever no flow leads to.
        points = [point.element_id for point in self.program.starts] or [None]
        self._apply(Start(self._data(), self.random.choice(points)))
        for _ in range(limit):
            if self.completed:
                return Outcome.COMPLETED
            if not self.open:
                return Outcome.STALLED
            free = [item for item in self.open.values() if item.kind is not ItemKind.FAILED]
            if not free and self.random.random() < 0.5:
                return Outcome.HELD
            self._apply(self._command(self.random.choice(free or list(self.open.values()))))
        return Outcome.OPEN

    def _apply(self, command: Command) -> None:
        self.trace.append(repr(command)[:200])
        result: Advance = advance(
            self.program, self.state, command, now=self.now, ids=self.ids, step_limit=STEPS
        )
        self.state = result.state
        for item_id in result.closed:
            self.open.pop(item_id, None)
        self.open.update({item.id: item for item in (*result.opened, *result.changed)})
        self.completed = result.completed

    def _command(self, item: OpenItem) -> Command:
        self.now += timedelta(minutes=self.random.choice((1, 90, 2000)))
        data = self._data()
        match item.kind:
            case ItemKind.TASK:
                return CompleteTask(item.id, data)
            case ItemKind.WORK:
                if self.words.codes and self.random.random() < 0.3:
                    return FailWork(item.id, self.random.choice(self.words.codes))
                return CompleteWork(item.id, data)
            case ItemKind.MESSAGE:
                return DeliverMessage(item.id, item.event or "", data)
            case ItemKind.SIGNAL:
                return DeliverSignal(item.event or "", data)
            case ItemKind.TIMER:
                self.now = max(self.now, item.due or self.now)
                return FireTimer(item.id, item.revision)
            case ItemKind.CONDITION:
                return SetData(data)
            case ItemKind.FAILED:
                kinds = (SetData(data, item.id), Retry(item.id), Retry(item.id), Skip(item.id, data))
                return self.random.choice(kinds)

    def _data(self) -> Mapping[str, Any]:
        chosen = {name: self.random.choice(found) for name, found in sorted(self.words.values.items())}
        for name in sorted(self.words.lists):
            chosen[name] = [self.random.randrange(9) for _ in range(self.random.randrange(4))]
        return chosen
