"""What each command does to a case; the one table of them."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.definitions.model import EventKind
from engine.runtime import api, messages, propagation, repair, waiting
from engine.runtime.api import ItemKind
from engine.runtime.case import Case
from engine.runtime.data import clean_data
from engine.runtime.elements.start_event import StartEvent
from engine.runtime.errors import (
    BranchFailure,
    ElementUnknownError,
    StaleTimerError,
    StartRefusedError,
    WrongCommandError,
)
from engine.runtime.tokens import Token, Wait


def start(case: Case, command: api.Start) -> None:
    """Begin the case."""
    case.begin(case, None, clean_data(command.data), None)
    case.claim_objects(case)
    try:
        if command.start_event is None:
            _check_plain_start(case)
            case.enter(case)
        else:
            _start_at(case, command.start_event)
    except BranchFailure as failure:
        raise StartRefusedError(str(failure)) from failure


def _check_plain_start(case: Case) -> None:
    starts = case.spec.starts
    if not starts:
        names = ", ".join(repr(point.element_id) for point in case.program.starts)
        raise StartRefusedError(
            "the process begins with an event only", hint=f"name the start event: {names}" if names else None
        )
    if len(starts) > 1 and isinstance(starts[0], StartEvent):
        names = ", ".join(repr(element.name) for element in starts)
        raise StartRefusedError("the process has several start events", hint=f"name one of {names}")


def _start_at(case: Case, element_id: str) -> None:
    points = [point for point in case.program.starts if point.element_id == element_id]
    if not points:
        raise ElementUnknownError(f"{element_id!r} is no start event of process {case.program.process_id!r}")
    if len(points) == 1 and points[0].kind == EventKind.MESSAGE.value:
        messages.learn(case, case, points[0].event, case.data)
    waits = waiting.prepare_event_subs(case, case)
    waiting.register(case, waits)
    element = case.spec.task_specs[element_id]
    token = case.put(case, element, dict(case.data), case.frame)
    if not isinstance(element, StartEvent):
        token.memory["result"] = {}
    waiting.fire_true(case, waits)


def complete_task(case: Case, command: api.CompleteTask) -> None:
    """Complete a task with what the clerk entered."""
    wait = repair.find(case, command.item_id, ItemKind.TASK)
    waiting.resume(case, _token(wait), clean_data(command.data))


def complete_work(case: Case, command: api.CompleteWork) -> None:
    """Complete outside work with its result."""
    wait = repair.find(case, command.item_id, ItemKind.WORK)
    waiting.resume(case, _token(wait), clean_data(command.result))


def fail_work(case: Case, command: api.FailWork) -> None:
    """Throw the BPMN error that outside work ended with; uncaught, it holds the branch."""
    token = _token(repair.find(case, command.item_id, ItemKind.WORK))
    caught = propagation.throw(
        case,
        EventKind.ERROR,
        command.code,
        token,
        at_activity=True,
        extra=clean_data(command.data),
        message=command.message,
    )
    if not caught:
        told = f": {command.message}" if command.message else ""
        case.fail(token, f"nothing catches the error {command.code!r}{told}", "run")


def deliver_message(case: Case, command: api.DeliverMessage) -> None:
    """Hand a message to the one item that waits for it."""
    wait = repair.find(case, command.item_id, ItemKind.MESSAGE)
    if wait.event != command.name:
        raise WrongCommandError(
            f"{wait.element.name!r} waits for message {wait.event!r}, not {command.name!r}"
        )
    _fire(case, wait, clean_data(command.payload))


def deliver_signal(case: Case, command: api.DeliverSignal) -> None:
    """Hand a signal to everything that waits for it."""
    try:
        case.receive_signal(command.name, clean_data(command.payload))
    except BranchFailure as failure:
        raise WrongCommandError(str(failure)) from failure


def fire_timer(case: Case, command: api.FireTimer) -> None:
    """Fire a timer that is due in its present revision."""
    wait = repair.find(case, command.item_id, ItemKind.TIMER)
    if wait.revision != command.revision:
        raise StaleTimerError(
            f"the timer at {wait.element.name!r} has revision {wait.revision}, not {command.revision}"
        )
    if wait.due is None or wait.due > case.services.now:
        due = "has no due instant" if wait.due is None else f"is due at {wait.due.isoformat()}"
        raise StaleTimerError(f"the timer at {wait.element.name!r} {due}")
    _fire(case, wait, {})


def _fire(case: Case, wait: Wait, payload: dict[str, api.Json]) -> None:
    try:
        waiting.fire(case, wait, payload)
    except BranchFailure as failure:
        # Arming the next round or reading the message's correlation failed: nothing has happened yet.
        raise WrongCommandError(str(failure)) from failure


def _token(wait: Wait) -> Token:
    if wait.token is None:
        raise WrongCommandError(f"{wait.element.name!r} is no task")
    return wait.token


HANDLERS: Mapping[type, Callable[[Case, Any], None]] = {
    api.Start: start,
    api.CompleteTask: complete_task,
    api.CompleteWork: complete_work,
    api.FailWork: fail_work,
    api.DeliverMessage: deliver_message,
    api.DeliverSignal: deliver_signal,
    api.FireTimer: fire_timer,
    api.RearmTimer: repair.rearm_timer,
    api.SetData: repair.set_data,
    api.Retry: repair.retry,
    api.Skip: repair.skip,
    api.MoveToken: repair.move_token,
    api.CancelCase: repair.cancel_case,
}
"""Command → what it does."""
