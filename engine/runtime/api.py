"""The door to the runtime: commands in, an ``Advance`` out. Knows no database, no clock, no channel.

``advance`` is a function: the same program, state, command, instant and identifiers give the same result.
That is what makes replay, repair and crash recovery possible (DESIGN: "State and history").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

Json = Any
"""JSON data: dict, list, str, int, float, bool or None."""


# --- commands ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a case at a start event; ``start_event`` None takes the process's none start event."""

    data: Mapping[str, Json] = field(default_factory=dict)
    start_event: str | None = None


@dataclass(frozen=True, slots=True)
class CompleteTask:
    """A clerk finished a user or manual task; ``data`` is merged into the task's data."""

    item_id: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompleteWork:
    """Outside work (service task) ended well."""

    item_id: str
    result: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FailWork:
    """Outside work ended in a BPMN error that the model may catch."""

    item_id: str
    code: str
    message: str = ""
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeliverMessage:
    """One message for exactly one waiting item."""

    item_id: str
    name: str
    payload: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeliverSignal:
    """A signal for every item of the case that waits for it."""

    name: str
    payload: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FireTimer:
    """A timer is due; ``revision`` guards against stale ones."""

    item_id: str
    revision: int = 0


@dataclass(frozen=True, slots=True)
class SetData:
    """An admin's or a driver's change of data, seen by every open item; conditional events look again."""

    data: Mapping[str, Json]
    item_id: str | None = None


@dataclass(frozen=True, slots=True)
class Retry:
    """Try the failed item of an incident again."""

    item_id: str


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave a waiting or failed item by its outgoing flows as if it were done; nothing is sent."""

    item_id: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MoveToken:
    """Withdraw an open item and put its token before ``element_id`` of the same scope."""

    item_id: str
    element_id: str
    sent: tuple[str, ...] = ()
    """Keys of the sends that the case has made so far: the moved token passes them without sending again."""


@dataclass(frozen=True, slots=True)
class RearmTimer:
    """A timer's due instant is known only now, or was revised; None disarms it.

    ``revision`` is the number it carries from now on, by default the next one.
    """

    item_id: str
    due: datetime | None
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class CancelCase:
    """End the case; nothing is compensated, nothing recalled."""

    reason: str


Command = (
    Start
    | CompleteTask
    | CompleteWork
    | FailWork
    | DeliverMessage
    | DeliverSignal
    | FireTimer
    | SetData
    | Retry
    | Skip
    | MoveToken
    | RearmTimer
    | CancelCase
)


# --- what an advance leaves open -----------------------------------------------------------------------


class ItemKind(StrEnum):
    """What an open item waits for."""

    TASK = "task"
    WORK = "work"
    MESSAGE = "message"
    SIGNAL = "signal"
    TIMER = "timer"
    CONDITION = "condition"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Something the case waits for. Ids are stable from opening to closing, across reloads."""

    id: str
    kind: ItemKind
    element_id: str
    name: str | None
    scope: tuple[str, ...] = ()
    """Element ids of the enclosing sub-processes and call activities, outermost first, with [index]."""
    instance: str = ""
    """Loop or multi-instance index path, e.g. ``"2"`` or ``"0/3"``; part of exchange ids."""
    data: Mapping[str, Json] = field(default_factory=dict)
    """The data visible there (task, work, message)."""
    event: str | None = None
    """Message or signal name."""
    due: datetime | None = None
    """Timer: next due instant, UTC."""
    revision: int = 0
    expression: str | None = None
    """Timer: the value as written, for display and for deadlines that arm later."""
    correlation: Mapping[str, Json] = field(default_factory=dict)
    """Message: correlation property values this wait is bound to; empty accepts any."""
    answers: str | None = None
    """Message: ``element#instance`` key of the send whose answer is awaited."""
    error: str | None = None
    """Failed: what went wrong, for the incident."""
    source: Json = None
    """Timer: what its value came from, as ``TimerWatch.end`` gave it; only in the advance that opens it."""


@dataclass(frozen=True, slots=True)
class Send:
    """A business message to a partner that this advance decided on (send task, message throw or end)."""

    key: str
    """``element#instance#round``: unique in the case, the same on replay."""
    element_id: str
    instance: str
    message: str
    attributes: Mapping[str, str]
    """The element's dw attributes; expressions (recipient, documents) are evaluated in ``values``."""
    values: Mapping[str, Json]
    """Evaluated attributes, e.g. ``recipient``."""
    data: Mapping[str, Json]
    reminds: str | None = None
    """Key of the earlier send that this one reminds of."""


@dataclass(frozen=True, slots=True)
class ThrownSignal:
    """A signal for all cases of the authority (its own case has already received it)."""

    name: str
    payload: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class ThrownMessage:
    """A message without a dw:recipient: it goes to another case of the same authority."""

    key: str
    name: str
    payload: Mapping[str, Json]
    correlation: Mapping[str, Json]
    """Property id → value."""


class StepKind(StrEnum):
    """What happened to an element."""

    ENTERED = "entered"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    FLOW = "flow"


@dataclass(frozen=True, slots=True)
class Step:
    """One line of history: append-only, enough to draw the path and to replay."""

    kind: StepKind
    element_id: str
    scope: tuple[str, ...] = ()
    instance: str = ""
    item_id: str | None = None
    patch: Mapping[str, Json] | None = None
    """Keys that the step set (completed steps only)."""
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Advance:
    """The outcome of one command. Everything in it is committed together or not at all."""

    state: str
    """The case document (text), finished work spliced out; to be stored as it is."""
    steps: tuple[Step, ...]
    opened: tuple[OpenItem, ...]
    closed: tuple[str, ...]
    """Ids of items that are no longer open."""
    changed: tuple[OpenItem, ...]
    """Items that stay open with a new due instant, revision or data."""
    sends: tuple[Send, ...]
    messages: tuple[ThrownMessage, ...]
    signals: tuple[ThrownSignal, ...]
    completed: bool
    end_events: tuple[str, ...]
    data: Mapping[str, Json]
    """The case's data as its outermost scope sees it; for search fields and results."""
    closed_kinds: tuple[ItemKind, ...] = ()
    """What the items in ``closed`` waited for, in the same order."""
