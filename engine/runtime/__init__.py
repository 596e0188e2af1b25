"""Runs one case of one process: a command in, everything that follows from it out. Knows no database.

>>> program = compile_program(model, "Process_1")               # doctest: +SKIP
>>> first = advance(program, None, Start({"x": 1}), now=now, ids=ids)   # doctest: +SKIP
>>> advance(program, first.state, CompleteTask(first.opened[0].id), now=now, ids=ids)   # doctest: +SKIP
"""

from engine.runtime.api import (
    Advance,
    CancelCase,
    Command,
    CompleteTask,
    CompleteWork,
    DeliverMessage,
    DeliverSignal,
    FailWork,
    FireTimer,
    ItemKind,
    MoveToken,
    OpenItem,
    RearmTimer,
    Retry,
    Send,
    SetData,
    Skip,
    Start,
    Step,
    StepKind,
    ThrownMessage,
    ThrownSignal,
)
from engine.runtime.engine import advance
from engine.runtime.errors import (
    CaseOverError,
    DataRefusedError,
    ElementUnknownError,
    ItemGoneError,
    ProgramRefusedError,
    StaleTimerError,
    StartRefusedError,
    StateUnreadableError,
    WrongCommandError,
)
from engine.runtime.program import FUNCTIONS, compile_program
from engine.runtime.services import STEP_LIMIT, DecisionEvaluator
from engine.runtime.specs import Program, StartPoint

__all__ = [
    "FUNCTIONS",
    "STEP_LIMIT",
    "Advance",
    "CancelCase",
    "CaseOverError",
    "Command",
    "CompleteTask",
    "CompleteWork",
    "DataRefusedError",
    "DecisionEvaluator",
    "DeliverMessage",
    "DeliverSignal",
    "ElementUnknownError",
    "FailWork",
    "FireTimer",
    "ItemGoneError",
    "ItemKind",
    "MoveToken",
    "OpenItem",
    "Program",
    "ProgramRefusedError",
    "RearmTimer",
    "Retry",
    "Send",
    "SetData",
    "Skip",
    "StaleTimerError",
    "Start",
    "StartPoint",
    "StartRefusedError",
    "StateUnreadableError",
    "Step",
    "StepKind",
    "ThrownMessage",
    "ThrownSignal",
    "WrongCommandError",
    "advance",
    "compile_program",
]
