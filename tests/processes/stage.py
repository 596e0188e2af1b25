"""Plays scenarios on the runtime alone: no store, no channel technique, one case a role.

What a letter loses is imitated: on ``letter+post`` the receiving side gets what its registration form takes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from engine.definitions.form_files import read_form
from engine.definitions.forms import FormRefusedError, validate_submission, visible_values
from engine.definitions.message_types import incoming_data, outgoing_data
from engine.definitions.model import NodeKind, walk
from engine.definitions.package import ProcedurePackage
from engine.definitions.reader import read_model
from engine.definitions.scenarios import Complete, Deliver, Scenario, Start, Then, Turn, differences
from engine.exchange.ports import MessageType
from engine.identifiers import SeededIds
from engine.runtime import (
    Advance,
    Command,
    CompleteTask,
    DeliverMessage,
    FireTimer,
    ItemKind,
    OpenItem,
    Program,
    Send,
    advance,
    compile_program,
)
from engine.runtime import Start as StartCase


@dataclass
class Side:
    """One authority's case."""

    program: Program
    names: Mapping[str, str]
    forms: Mapping[str, str]
    state: str | None = None
    open: dict[str, OpenItem] = field(default_factory=dict)
    sends: list[Send] = field(default_factory=list)
    named: int = 0
    completed: bool = False
    ended: tuple[str, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    received: dict[str, str] = field(default_factory=dict)
    """Message type → key of the partner's send that brought it."""

    def take(self, outcome: Advance) -> None:
        self.state = outcome.state
        for item in outcome.closed:
            self.open.pop(item, None)
        self.open.update({item.id: item for item in (*outcome.opened, *outcome.changed)})
        self.sends.extend(outcome.sends)
        self.ended += outcome.end_events
        self.completed = outcome.completed
        self.data = outcome.data
        failed = [item.error for item in self.open.values() if item.kind is ItemKind.FAILED]
        assert not failed, failed


class Stage:
    """A scenario being played on one channel."""

    def __init__(self, package: ProcedurePackage, scenario: Scenario, channel: str) -> None:
        self.package, self.scenario, self.channel = package, scenario, channel
        self.now = scenario.begins.astimezone(UTC)
        self.ids = SeededIds(7)
        self.sides = {role: self._side(package.roles[role].process) for role in scenario.authorities}

    def _side(self, process_id: str) -> Side:
        models = [read_model(content, name) for name, content in self.package.models.items()]
        known = {process.id: model for model in models for process in model.processes}
        nodes = [node for _, node in walk(known[process_id].process(process_id).scope)]
        return Side(
            compile_program(known[process_id], process_id, known),
            {node.id: node.name or node.id for node in nodes},
            {node.id: node.form for node in nodes if node.form and node.kind is NodeKind.USER_TASK},
        )

    def play(self) -> None:
        for step in self.scenario.steps:
            match step:
                case Start():
                    self._do(step.role, StartCase(dict(step.data)))
                case Complete():
                    self._complete(step)
                case Deliver():
                    self._deliver(step)
                case Turn():
                    self._turn(step.to)
                case Then():
                    self._check(step)
        for role, side in self.sides.items():
            assert side.named == len(side.sends), f"{role} sent more than the scenario tells"

    def _do(self, role: str, command: Command) -> None:
        side = self.sides[role]
        side.take(advance(side.program, side.state, command, now=self.now, ids=self.ids))

    def _complete(self, step: Complete) -> None:
        side = self.sides[step.role]
        item = next(
            item
            for item in side.open.values()
            if item.kind is ItemKind.TASK and side.names[item.element_id] == step.task
        )
        form = self.package.forms[side.forms[item.element_id]]
        try:
            accepted = validate_submission(form, step.data, item.data)
        except FormRefusedError as error:
            if sorted(fault.key for fault in error.faults) != sorted(step.refused):
                raise
            return
        assert not step.refused, f"line {step.line}: should have been refused"
        self._do(step.role, CompleteTask(item.id, accepted))

    def _deliver(self, step: Deliver) -> None:
        side = self.sides[step.role]
        send = next(send for send in reversed(side.sends) if send.message == step.message)
        side.named = max(side.named, side.sends.index(send) + 1)
        message_type = self.package.message_types[send.message]
        data = self._over_channel(message_type, outgoing_data(message_type, send.data))
        key = self.scenario.authorities[step.role]
        payload = incoming_data(message_type, data, {"absender": key, "name": key, "kanal": self.channel})
        role, other = next((role, other) for role, other in self.sides.items() if role != step.role)
        if other.state is None:
            starts = {p.attributes.get("message"): p.element_id for p in other.program.starts}
            other.received[send.message] = send.key
            self._do(role, StartCase(payload, starts[send.message]))
            return
        answered = next((side.received[kind] for kind in message_type.answers if kind in side.received), None)
        item = next(
            item
            for item in other.open.values()
            if item.kind is ItemKind.MESSAGE and item.event == send.message
        )
        assert item.answers == answered
        self._do(role, DeliverMessage(item.id, send.message, payload))

    def _over_channel(self, message_type: MessageType, data: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self.channel.startswith("letter+"):
            return data
        assert message_type.registration_form is not None
        form = read_form(message_type.registration_form, "registration.form")
        return validate_submission(form, visible_values(form, data))

    def _turn(self, to: datetime | None) -> None:
        assert to is not None
        self.now = to.astimezone(UTC)
        for role, side in self.sides.items():
            for item in list(side.open.values()):
                if item.kind is ItemKind.TIMER and item.due is not None and item.due <= self.now:
                    self._do(role, FireTimer(item.id, item.revision))

    def _check(self, step: Then) -> None:
        side, where = self.sides[step.role], f"{self.scenario.file}:{step.line}"
        tasks = sorted(side.names[i.element_id] for i in side.open.values() if i.kind is ItemKind.TASK)
        if step.tasks is not None:
            assert tasks == sorted(step.tasks), where
        if step.waits is not None:
            waits = {
                side.names[i.element_id]
                for i in side.open.values()
                if i.kind in (ItemKind.MESSAGE, ItemKind.TIMER)
            }
            assert set(step.waits) <= waits, where
        if step.sent is not None:
            send = side.sends[side.named]
            side.named += 1
            assert send.message == step.sent, where
            message_type = self.package.message_types[send.message]
            assert not list(differences(step.message or {}, outgoing_data(message_type, send.data))), where
        # What fails stops the play (Side.take), and nothing else opens an incident on the runtime alone.
        assert not step.incidents, where
        if step.data is not None:
            item = next((item for item in side.open.values() if item.kind is ItemKind.TASK), None)
            assert not list(differences(step.data, item.data if item else side.data)), where
        if step.ended is not None:
            assert side.completed, where
            assert set(step.ended) <= {side.names[end] for end in side.ended}, where
