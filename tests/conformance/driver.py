"""Runs one scenario of a case folder against the product's runtime.

Everything that touches the runtime is in the class ``Driver``; the rest of ``tests/conformance`` speaks its
five verbs only. The state is written to text and read again before every single command.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.deadlines.iso import ZONE, add_period, parse_period, zone_of
from engine.deadlines.plans import Plan
from engine.decisions import read_decisions
from engine.definitions.model import Model, NodeKind, walk
from engine.definitions.reader import read_model
from engine.errors import DienstwegError
from engine.identifiers import SeededIds
from engine.runtime import (
    Advance,
    Command,
    CompleteTask,
    CompleteWork,
    DecisionEvaluator,
    DeliverMessage,
    DeliverSignal,
    FailWork,
    FireTimer,
    ItemKind,
    OpenItem,
    Program,
    SetData,
    Start,
    StepKind,
    advance,
    compile_program,
)

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_SHOWN = {NodeKind.USER_TASK, NodeKind.MANUAL_TASK, NodeKind.RECEIVE_TASK, NodeKind.TASK}


class MisfitError(Exception):
    """The case did not do what the scenario expects."""


def models_of(folder: Path, case: Mapping[str, Any]) -> list[Model]:
    """Read the case's models, the main one first."""
    files = [item["adapted"] for item in case.get("models", [{"adapted": "adapted.bpmn"}])]
    return [read_model((folder / name).read_bytes(), name) for name in files]


def compile_case(folder: Path, case: Mapping[str, Any]) -> tuple[Program, set[str]]:
    """Compile the case's process; return it with the ids of the elements that count as waiting."""
    models = models_of(folder, case)
    called = {process.id: model for model in models for process in model.processes}
    shown = {
        node.id
        for model in models
        for process in model.processes
        for _, node in walk(process.scope)
        if node.kind in _SHOWN
    }
    return compile_program(models[0], case["process_id"], called), shown


def plans_of(folder: Path, case: Mapping[str, Any]) -> dict[str, Plan]:
    """Return when each timer start of the case's process is due."""
    return {
        node.id: Plan(event.timer.value, event.expression.text)
        for model in models_of(folder, case)
        for process in model.processes
        if process.id == case["process_id"]
        for node in process.scope.starts()
        for event in node.events
        if event.timer is not None and event.expression is not None
    }


def decisions_of(folder: Path, case: Mapping[str, Any]) -> DecisionEvaluator | None:
    """Read the case's DMN file, where it has one."""
    name = case.get("decisions")
    return None if name is None else read_decisions((folder / name).read_bytes(), name).evaluate


def program_sends(folder: Path, case: Mapping[str, Any]) -> bool:
    """Tell whether a model of the case sends to another authority."""
    return any(
        "recipient" in node.attributes
        for model in models_of(folder, case)
        for process in model.processes
        for _, node in walk(process.scope)
    )


@dataclass
class Driver:
    """One running case, driven the way clerks, partners and the scheduler do."""

    program: Program
    shown: set[str]
    pass_through: set[str]
    now: datetime = BEGIN
    ids: SeededIds = field(default_factory=lambda: SeededIds(7))
    state: str | None = None
    completed: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)
    open: dict[str, OpenItem] = field(default_factory=dict)
    executed: Counter[str] = field(default_factory=Counter)
    end_events: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    sends: list[str] = field(default_factory=list)
    thrown: list[str] = field(default_factory=list)
    pending: dict[str, Any] | None = None
    decisions: DecisionEvaluator | None = None
    plans: Mapping[str, Plan] = field(default_factory=dict)
    """Timer starts by element."""

    def start(self, variables: Mapping[str, Any]) -> None:
        """Start the case; a process without a none start event waits for its first event."""
        if self.program.root.starts:
            self._apply(Start(variables))
        else:
            self.pending = dict(variables)

    def complete(self, task: str, variables: Mapping[str, Any]) -> None:
        """Complete the first open task (or receive) at element ``task``."""
        item = next((one for one in self.open.values() if one.element_id == task and self._doable(one)), None)
        if item is None:
            raise MisfitError(f"{task} is not open")
        if item.kind is ItemKind.MESSAGE:
            self._apply(DeliverMessage(item.id, item.event or "", variables))
        elif item.kind is ItemKind.WORK:
            self._apply(CompleteWork(item.id, variables))
        else:
            self._apply(CompleteTask(item.id, variables))

    def _doable(self, item: OpenItem) -> bool:
        return item.kind in (ItemKind.TASK, ItemKind.WORK) or (
            item.kind is ItemKind.MESSAGE and item.element_id in self.shown
        )

    def fail(self, task: str, code: str, variables: Mapping[str, Any]) -> None:
        """Let the open outside work at ``task`` end in a BPMN error."""
        item = next(
            (one for one in self.open.values() if one.element_id == task and one.kind is ItemKind.WORK), None
        )
        if item is None:
            raise MisfitError(f"{task} is no open work")
        self._apply(FailWork(item.id, code, "", variables))

    def message(self, name: str, payload: Mapping[str, Any]) -> None:
        """Deliver a message to one item that waits for it; one that nobody waits for has no effect."""
        if self.state is None:
            self._start_by("message", name, payload)
            return
        for item in self.open.values():
            if item.kind is ItemKind.MESSAGE and item.event == name and self._correlates(item, payload):
                self._apply(DeliverMessage(item.id, name, payload))
                return

    @staticmethod
    def _correlates(item: OpenItem, payload: Mapping[str, Any]) -> bool:
        return all(payload.get(key, value) == value for key, value in item.correlation.items())

    def signal(self, name: str, payload: Mapping[str, Any]) -> None:
        """Broadcast a signal."""
        if self.state is None:
            self._start_by("signal", name, payload)
        else:
            self._apply(DeliverSignal(name, payload))

    def _start_by(self, kind: str, name: str, payload: Mapping[str, Any]) -> None:
        for point in self.program.starts:
            if point.kind == kind and point.event == name:
                self._apply(Start({**(self.pending or {}), **payload}, point.element_id))
                return

    def turn(self, duration: str) -> None:
        """Turn the clock, then fire what has become due, the earliest first."""
        self.now = add_period(self.now, parse_period(duration))
        if self.state is None:
            self._start_by_timer()
        for _ in range(1000):
            due = [
                item
                for item in self.open.values()
                if item.kind is ItemKind.TIMER and item.due is not None and item.due <= self.now
            ]
            if not due or self.completed:
                return
            item = min(due, key=lambda one: (one.due, one.id))
            self._apply(FireTimer(item.id, item.revision))
        raise MisfitError("timers fire without end")

    def _start_by_timer(self) -> None:
        """Begin the case of the timer start that is due first; further cases are not driven."""
        due = [(plan.nth(BEGIN, 1), element) for element, plan in self.plans.items()]
        passed = [(instant, element) for instant, element in due if instant and instant <= self.now]
        if passed:
            instant, element = min(passed)
            told = instant.astimezone(zone_of(ZONE)).isoformat()
            self._apply(Start({"scheduledFor": told}, element))

    def set(self, variables: Mapping[str, Any]) -> None:
        """Change the case's data."""
        self._apply(SetData(variables))

    # --- the one place where the runtime is called -------------------------------------------------------

    def _apply(self, command: Command) -> None:
        if self.completed:
            return
        self._go_on(self._advance(command))

    def _go_on(self, result: Advance) -> None:
        self._take(result)
        for item in list(self.open.values()):
            if item.element_id in self.pass_through and item.id in self.open and not self.completed:
                if item.kind is ItemKind.TASK:
                    self._apply(CompleteTask(item.id))
                elif item.kind is ItemKind.WORK:
                    self._apply(CompleteWork(item.id))

    def _advance(self, command: Command) -> Advance:
        return advance(
            self.program, self.state, command, now=self.now, ids=self.ids, decisions=self.decisions
        )

    def _take(self, result: Advance) -> None:
        self.state = result.state
        self.completed = result.completed
        self.data = result.data
        for gone in result.closed:
            self.open.pop(gone, None)
        for item in (*result.opened, *result.changed):
            self.open[item.id] = item
            if item.kind is ItemKind.FAILED:
                self.failures.append(item.error or "failed")
        self.executed.update(step.element_id for step in result.steps if step.kind is StepKind.COMPLETED)
        self.end_events.extend(result.end_events)
        self.sends.extend(send.key for send in result.sends)
        self.thrown.extend(message.name for message in result.messages)

    # --- what can be seen --------------------------------------------------------------------------------

    def waiting(self) -> list[str]:
        """Return the elements of the open tasks, in order."""
        return sorted(
            item.element_id
            for item in self.open.values()
            if item.kind is ItemKind.TASK or (item.kind is ItemKind.MESSAGE and item.element_id in self.shown)
        )

    def visible(self) -> list[Mapping[str, Any]]:
        """Return the data that open tasks show, and the case's own."""
        shown = [item.data for item in self.open.values() if item.kind in (ItemKind.TASK, ItemKind.WORK)]
        return [*shown, self.data]


__all__ = ["BEGIN", "DienstwegError", "Driver", "MisfitError", "compile_case", "models_of"]
