"""Timers as modelers write them: ISO 8601 literals, or an expression that gives one."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from engine.expressions.api import compile_expression
from engine.expressions.compiled import NOTHING, Compiled
from engine.expressions.errors import EvaluationError, ExpressionError
from engine.expressions.values import Functions, Json

TimerKind = Literal["timeDate", "timeDuration", "timeCycle"]
_DURATION = (
    r"P(?!$|/)(?:\d{1,9}W|(?:\d{1,9}Y)?(?:\d{1,9}M)?(?:\d{1,9}D)?"
    r"(?:T(?=\d)(?:\d{1,9}H)?(?:\d{1,9}M)?(?:\d{1,9}(?:\.\d{1,6})?S)?)?)"
)
_DATE = r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?"
PATTERNS: Mapping[str, re.Pattern[str]] = {
    "timeDate": re.compile(_DATE, re.ASCII),
    "timeDuration": re.compile(_DURATION, re.ASCII),
    "timeCycle": re.compile(
        rf"R(?P<times>\d{{0,9}})/(?:(?P<begin>{_DATE})/)?(?P<every>{_DURATION})", re.ASCII
    ),
}
EXAMPLES: Mapping[str, str] = {
    "timeDate": "2026-11-23T10:00:00+01:00",
    "timeDuration": "PT1H or P14D",
    "timeCycle": "R3/PT10M, or R/PT10M without end",
}
_CRON = re.compile(r"(?:[\d*?,/#LW-]+|(?:MON|TUE|WED|THU|FRI|SAT|SUN)[-,A-Z]*)(?:\s+[\dA-Z*?,/#-]+){4,6}")
_LOOKS_LITERAL = re.compile(
    r"-?P[\dT]|-?P$|R\d*/|R-1|\d{4}-|\d{1,2}\.\d{1,2}\.\d{4}|\d+\s*(?:s|sec|min|h|d|days?)?$"
)


@dataclass(frozen=True, slots=True)
class CompiledTimer:
    """A timer's value: a constant, or an expression."""

    text: str
    kind: TimerKind
    constant: str | None
    """The literal; None where it is computed."""
    expression: Compiled | None

    @property
    def dialect(self) -> str:
        """``literal``, or the expression's dialect."""
        return "literal" if self.expression is None else self.expression.dialect

    @property
    def names(self) -> frozenset[str]:
        """The variables it reads."""
        return frozenset() if self.expression is None else self.expression.names

    @property
    def functions(self) -> frozenset[str]:
        """Functions it calls that the caller must supply."""
        return frozenset() if self.expression is None else self.expression.functions

    def evaluate(self, data: Mapping[str, Json], functions: Functions = NOTHING) -> str:
        """Return the ISO 8601 text; raise EvaluationError where the value is none of the timer's kind."""
        if self.expression is None:
            assert self.constant is not None
            return self.constant
        value = self.expression.evaluate(data, functions)
        if not isinstance(value, str):
            raise EvaluationError(
                f"a {self.kind} must be text", expression=self.text, hint=f"for example {EXAMPLES[self.kind]}"
            )
        fault = _fault(value.strip(), self.kind)
        if fault is not None:
            raise EvaluationError(fault[0], expression=self.text, hint=fault[1])
        return value.strip()


def compile_timer(
    text: str, kind: TimerKind, language: str | None = None, *, functions: Collection[str] = ()
) -> CompiledTimer:
    """Compile the value of a timer event definition.

    A literal is taken as it stands (``PT1H``, ``2026-11-23T10:00:00+01:00``, ``R3/PT10M``); a date-time
    without offset and a date without time are in the installation's zone. Anything else is an expression.

    Raises:
        ExpressionError: cron, misspelt literals, negative durations, and what is no expression.
    """
    stripped = text.strip()
    if not stripped:
        raise ExpressionError(f"the {kind} is empty", hint=f"write {EXAMPLES[kind]}")
    fault = _fault(stripped, kind)
    if fault is None:
        return CompiledTimer(text, kind, stripped, None)
    computed = "${" in stripped or "#{" in stripped
    if not computed and (_CRON.fullmatch(stripped) or _LOOKS_LITERAL.match(stripped)):
        raise ExpressionError(fault[0], text=text, hint=fault[1])
    expression = compile_expression(stripped, language, functions=functions)
    timer = CompiledTimer(text, kind, None, expression)
    if not (expression.names or expression.possible_names or expression.functions):
        _check_constant(timer)
    return timer


def _check_constant(timer: CompiledTimer) -> None:
    try:
        timer.evaluate({})
    except EvaluationError as error:
        raise ExpressionError(error.message, text=timer.text, hint=error.hint) from None


def _fault(text: str, kind: TimerKind) -> tuple[str, str | None] | None:
    """Return what is wrong with a literal, and the hint; None where it is right."""
    example = f"write {EXAMPLES[kind]}"
    if len(text) > 200:
        return f"{len(text)} characters are no {kind}", example
    if _CRON.fullmatch(text):
        return (
            "cron expressions are not supported",
            f"{example}; an expression can compute further times",
        )
    match = PATTERNS[kind].fullmatch(text)
    if match is None:
        return _other_kind(text, kind, example)
    dates = [text] if kind == "timeDate" else []
    if kind == "timeCycle":
        if match["times"] and int(match["times"]) == 0:
            return "a cycle of 0 times never fires", example
        dates += [match["begin"]] if match["begin"] else []
        if not re.search("[1-9]", match["every"]):
            return "a cycle needs a duration above zero", example
    for date in dates:
        try:
            datetime.fromisoformat(date)
        except ValueError:
            return f'"{date}" is no date of the calendar', example
    return None


def _other_kind(text: str, kind: TimerKind, example: str) -> tuple[str, str]:
    for other, pattern in PATTERNS.items():
        if pattern.fullmatch(text):
            return f'"{text}" is a {other}, not a {kind}', f"use {other}, or {example}"
    if text.startswith("-"):
        return f'"{text}" is negative', example
    if re.fullmatch(rf"R\d*/.*/{_DATE}", text, re.ASCII):
        return "a cycle with an end date is not supported", example
    return f'"{text[:60]}" is no {kind}', example
