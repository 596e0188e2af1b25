"""Plays drawn models in tests: one short word for each thing a clerk, partner or scheduler does."""

from datetime import datetime
from typing import Any

from engine.deadlines.iso import add_period, parse_period
from engine.definitions.reader import read_model
from engine.identifiers import SeededIds
from engine.runtime import (
    Advance,
    Command,
    CompleteTask,
    CompleteWork,
    DeliverMessage,
    FireTimer,
    ItemKind,
    OpenItem,
    Program,
    Start,
    advance,
    compile_program,
)
from tests.conformance.drawings.notation import bpmn
from tests.conformance.driver import BEGIN


def program_of(drawing: str, called: dict[str, str] | None = None) -> Program:
    """Compile a drawn process."""
    models = {
        name: read_model(bpmn(name, text).encode(), f"{name}.bpmn") for name, text in (called or {}).items()
    }
    return compile_program(read_model(bpmn("Drawn", drawing).encode(), "drawn.bpmn"), "Drawn", models)


class Play:
    """A case in play; its state is text between any two commands."""

    def __init__(self, drawing: str, called: dict[str, str] | None = None, **services: Any) -> None:
        self.program = program_of(drawing, called)
        self.services = services
        self.ids = SeededIds(3)
        self.now: datetime = BEGIN
        self.state: str | None = None
        self.open: dict[str, OpenItem] = {}
        self.last: Advance | None = None
        self.sent: list[str] = []

    def do(self, command: Command) -> Advance:
        """Apply a command."""
        result = advance(self.program, self.state, command, now=self.now, ids=self.ids, **self.services)
        self.state, self.last = result.state, result
        for gone in result.closed:
            del self.open[gone]
        self.open.update({item.id: item for item in (*result.opened, *result.changed)})
        self.sent += [send.key for send in result.sends]
        return result

    def start(self, **data: Any) -> "Play":
        """Start the case."""
        self.do(Start(data))
        return self

    def item(self, element: str, kind: ItemKind | None = None) -> OpenItem:
        """Return the first open item at ``element``."""
        return next(
            item
            for item in self.open.values()
            if item.element_id == element and (kind is None or item.kind is kind)
        )

    def done(self, element: str, **data: Any) -> Advance:
        """Complete the task, work or message wait at ``element``."""
        item = self.item(element)
        if item.kind is ItemKind.WORK:
            return self.do(CompleteWork(item.id, data))
        if item.kind is ItemKind.MESSAGE:
            return self.do(DeliverMessage(item.id, item.event or "", data))
        return self.do(CompleteTask(item.id, data))

    def turn(self, duration: str) -> None:
        """Turn the clock."""
        self.now = add_period(self.now, parse_period(duration))

    def fire(self, element: str) -> Advance:
        """Fire the timer at ``element`` when it is due."""
        item = self.item(element, ItemKind.TIMER)
        assert item.due is not None
        self.now = max(self.now, item.due)
        return self.do(FireTimer(item.id, item.revision))

    def elements(self, kind: ItemKind | None = None) -> list[str]:
        """Return the elements of open items."""
        return sorted(item.element_id for item in self.open.values() if kind is None or item.kind is kind)

    @property
    def completed(self) -> bool:
        """Whether the case is over."""
        return self.last is not None and self.last.completed
