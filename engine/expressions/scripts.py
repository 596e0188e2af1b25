"""Scripts: sequences of assignments, in any of the dialects. Anything else is refused."""

import copy
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from engine.expressions.api import compile_expression, dialect_of
from engine.expressions.compiled import NOTHING, Compiled
from engine.expressions.errors import EvaluationError, ExpressionError
from engine.expressions.limits import ITEMS, TEXT, Budget
from engine.expressions.values import Functions, Json, Value, kind, to_json

STATEMENTS = 500
"""Assignments of one script."""
_TARGET = re.compile(
    r"""\s*([^\W\d_]\w*)                                   # the variable
    ((?:\.[^\W\d_]\w*|\[\s*(?:"[^"\\\n]*"|'[^'\\\n]*'|\d{1,6})\s*\])*)   # keys and positions
    \s*([-+*/%]|//|\*\*|)=(?!=)""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.(\w+)|\[\s*(?:"([^"]*)"|'([^']*)'|(\d+))\s*\]""")
_OPENING, _CLOSING = "([{", ")]}"
_FOREIGN = re.compile(
    r"\b(import|def|class|for|while|if|else|return|try|with|del|lambda|function|var|let|const|println|print"
    r"|execution|console)\b"
)
_RESERVED = frozenset(
    {"True", "False", "None", "true", "false", "null", "and", "or", "not", "in", "is", "if", "else"}
)
HINT = "a script is a sequence of assignments, one a line: total = net + tax"


@dataclass(frozen=True, slots=True)
class Assignment:
    """``variable.path = value``."""

    variable: str
    path: tuple[str | int, ...]
    value: Compiled
    text: str


@dataclass(frozen=True, slots=True)
class CompiledScript:
    """A script that can be run; immutable, safe to share between threads."""

    text: str
    dialect: str
    assignments: tuple[Assignment, ...]

    @property
    def assigns(self) -> frozenset[str]:
        """The top-level variables it sets."""
        return frozenset(assignment.variable for assignment in self.assignments)

    @property
    def names(self) -> frozenset[str]:
        """The variables it reads before it has set them itself."""
        known: set[str] = set()
        read: set[str] = set()
        for assignment in self.assignments:
            read |= assignment.value.names - known
            if assignment.path:
                read |= {assignment.variable} - known
            known.add(assignment.variable)
        return frozenset(read)

    @property
    def functions(self) -> frozenset[str]:
        """Functions it calls that the caller must supply."""
        return frozenset().union(*(assignment.value.functions for assignment in self.assignments))

    def run(self, data: Mapping[str, Json], functions: Functions = NOTHING) -> dict[str, Json]:
        """Return the new values of the variables it assigns; ``data`` itself stays as it is.

        Raises:
            EvaluationError: a right side has no value, or a path leads nowhere; nothing is assigned then.
        """
        known = dict(data)
        changed: dict[str, Json] = {}
        budget = Budget()
        for assignment in self.assignments:
            value = to_json(assignment.value.value(known, functions, budget), budget)
            if assignment.path:
                if assignment.variable not in changed:
                    if assignment.variable not in known:
                        raise _nowhere(assignment, f'no variable "{assignment.variable}"')
                    changed[assignment.variable] = copy.deepcopy(known[assignment.variable])
                _put(changed[assignment.variable], assignment, value)
            else:
                changed[assignment.variable] = value
            known[assignment.variable] = changed[assignment.variable]
        return changed


def compile_script(
    text: str,
    format: str | None = None,  # noqa: A002 - BPMN's word
    *,
    functions: Collection[str] = (),
) -> CompiledScript:
    """Compile assignments, one a line or parted by ``;``: ``a = b + 1``, ``d.x = 1``, ``n += 1``.

    Args:
        text: The script as the model has it.
        format: BPMN's scriptFormat; None takes each right side by its form as ``compile_expression`` does.
        functions: Names of further functions that the caller will supply to ``run``.

    Raises:
        ExpressionError: for an unknown format and for everything that is no assignment.
    """
    if len(text) > TEXT:
        raise ExpressionError(f"a script of {len(text)} characters; {TEXT} are allowed")
    declared = None if format is None or not format.strip() else dialect_of(text, format)
    assignments = tuple(_assignment(text, *place, declared, functions) for place in _statements(text))
    if not assignments:
        raise ExpressionError("the script is empty", text=text, hint=HINT)
    if len(assignments) > STATEMENTS:
        raise ExpressionError(
            f"a script of {len(assignments)} assignments; {STATEMENTS} are allowed", text=text
        )
    return CompiledScript(text, declared or "bare", assignments)


def _statements(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the statements stand: newlines and ``;`` outside brackets and strings part them."""
    start = at = 0
    depth = 0
    while at < len(text):
        character = text[at]
        if character in "\"'":
            at = _string_end(text, at)
            continue
        if _is_comment(text, at, start):
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            if depth <= 0:
                if text[start:at].strip():
                    yield start, at
                start = end
            at = end
            continue
        depth += (character in _OPENING) - (character in _CLOSING)
        if character == ";" or (character == "\n" and depth <= 0):
            if text[start:at].strip():
                yield start, at
            start, depth = at + 1, 0
        at += 1
    if text[start:].strip():
        yield start, len(text)


def _is_comment(text: str, at: int, start: int) -> bool:
    """``#`` begins a comment, but for ``#{``; ``//`` only where a statement would begin (else it divides)."""
    if text[at] == "#":
        return not text.startswith("#{", at)
    return text.startswith("//", at) and not text[start:at].strip()


def _string_end(text: str, at: int) -> int:
    quote = text[at]
    here = at + 1
    while here < len(text) and text[here] != quote:
        here += 2 if text[here] == "\\" else 1
    return min(here + 1, len(text))


def _assignment(
    text: str, start: int, stop: int, declared: str | None, functions: Collection[str]
) -> Assignment:
    match = _TARGET.match(text, start, stop)
    if match is None or match.group(1) in _RESERVED:
        raise _no_assignment(text, start, stop)
    variable, path, operator = match.groups()
    source = text[match.end() : stop]
    if operator and declared not in (None, "bare"):
        raise ExpressionError(
            f'"{operator}=" is not known in {declared}', text=text, offset=match.start(3), hint=HINT
        )
    if operator:
        source = f"{variable}{path} {operator} ({source})"
    try:
        if declared is None and source.lstrip().startswith("="):
            raise ExpressionError('a second "="', text=source, offset=source.index("="), hint=HINT)
        value = compile_expression(source.strip(), declared, functions=functions)
    except ExpressionError as error:
        inner = 0 if operator else error.position.offset + len(source) - len(source.lstrip())
        raise ExpressionError(error.message, text=text, offset=match.end() + inner, hint=error.hint) from None
    return Assignment(variable, _path(path), value, text[start:stop].strip())


def _path(text: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    for member, double, single, position in _STEP.findall(text):
        steps.append(int(position) if position else member or double or single)
    return tuple(steps)


def _no_assignment(text: str, start: int, stop: int) -> ExpressionError:
    statement = text[start:stop]
    offset = start + len(statement) - len(statement.lstrip())
    foreign = _FOREIGN.search(statement)
    if foreign is not None:
        message = f'"{foreign.group()}" is not supported in scripts'
    elif statement.lstrip().startswith("_"):
        message = "names that begin with an underscore are refused"
    else:
        message = "this is no assignment"
    return ExpressionError(message, text=text, offset=offset, hint=HINT)


def _nowhere(assignment: Assignment, message: str) -> EvaluationError:
    return EvaluationError(
        message, expression=assignment.text, hint=f"assign {assignment.variable} as a whole first"
    )


def _put(root: Value, assignment: Assignment, value: Json) -> None:
    """Put ``value`` at the path below ``root``; keys may be new, positions must exist."""
    target = root
    for step in assignment.path[:-1]:
        target = _step(target, step, assignment)
    last = assignment.path[-1]
    if isinstance(target, dict) and isinstance(last, str):
        if last not in target and len(target) >= ITEMS:
            raise _nowhere(assignment, f"a dict grows beyond {ITEMS} keys")
        target[last] = value
        return
    _step(target, last, assignment)
    target[last] = value


def _step(target: Value, step: str | int, assignment: Assignment) -> Value:
    if isinstance(target, dict) and isinstance(step, str):
        if step in target:
            return target[step]
        raise _nowhere(assignment, f'no key "{step}"')
    if isinstance(target, list) and isinstance(step, int):
        if step < len(target):
            return target[step]
        raise _nowhere(assignment, f"position {step} of {len(target)}")
    raise _nowhere(assignment, f"a {kind(target)} has no [{step!r}]")
