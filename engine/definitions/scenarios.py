"""Scenarios: what a procedure must do, told by analysts, played on every channel.

A scenario names who takes part and when it begins, then tells steps: somebody starts, completes a task, the
channel delivers, the clock turns; in between it says what must be so. The format is described in
``docs/reference/scenarios.md``; ``read_scenario`` parses it, the service plays it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.clock import LOCAL_ZONE
from engine.definitions.package import ProcedurePackage
from engine.definitions.package_errors import PackageRefusedError
from engine.definitions.schema_faults import faults, shown
from engine.definitions.schemas import schema
from engine.yaml_text import Problem, YamlFault, YamlText, field_name, read_yaml

DEFAULT_CHANNELS = ("letter+post", "xdomea+folder")
_PERIOD = re.compile(
    r"P(?=[0-9T])([0-9]{1,3}Y)?([0-9]{1,3}M)?([0-9]{1,3}W)?([0-9]{1,4}D)?(T(?=[0-9])([0-9]{1,4}H)?([0-9]{1,4}M)?)?"
)


@dataclass(frozen=True, slots=True)
class Start:
    """A clerk of ``role`` begins a case, or the timer start ``at`` does at its next due instant."""

    line: int
    role: str
    data: Mapping[str, Any] = field(default_factory=dict)
    at: str | None = None
    """Name or id of a start event with a timer; None means: by hand."""


@dataclass(frozen=True, slots=True)
class Complete:
    """A clerk of ``role`` completes the open task named ``task``."""

    line: int
    role: str
    task: str
    data: Mapping[str, Any] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    """Keys of the fields for which the form must refuse; the task then stays open."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """The channel brings the message that ``role`` sent, and the other side takes it in."""

    line: int
    role: str
    message: str
    channel: str | None = None
    """A channel for this message only; None means the channel that is being played."""
    typed: Mapping[str, Any] | None = None
    """On paper: what the clerk types into the registration form; None means what the letter says."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The clock turns: by a period, or to an instant. Whatever is due then happens."""

    line: int
    by: str | None = None
    """ISO 8601 duration, e.g. ``P3M``."""
    to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Then:
    """What must be so for the case of ``role``; None means: not looked at."""

    line: int
    role: str
    tasks: tuple[str, ...] | None = None
    """Names of all open tasks of the case, in any order."""
    waits: tuple[str, ...] | None = None
    """Names of elements that are among those waited at for a message or an instant."""
    sent: str | None = None
    """Message type of the next message it sent that no earlier step named."""
    message: Mapping[str, Any] | None = None
    """Part of that message's data."""
    data: Mapping[str, Any] | None = None
    """Part of the case's data, as its oldest open task sees it."""
    ended: tuple[str, ...] | None = None
    """The case has ended, and end events of these names are among those it reached."""
    incidents: tuple[str, ...] | None = None
    """Kinds or elements of all open incidents of the role; None: only those that an earlier step named."""


Step = Start | Complete | Deliver | Turn | Then


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story of one procedure."""

    file: str
    title: str
    summary: str
    channels: tuple[str, ...]
    authorities: Mapping[str, str]
    """Role of the package → key of the authority that plays it."""
    begins: datetime
    steps: tuple[Step, ...]


def read_scenarios(package: ProcedurePackage) -> tuple[Scenario, ...]:
    """Read all scenarios of a package, by file name.

    Raises:
        PackageRefusedError: lists every fault of every scenario.
    """
    found: list[Scenario] = []
    problems: list[Problem] = []
    for name, content in package.scenarios.items():
        try:
            found.append(read_scenario(content, f"scenarios/{name}", package))
        except PackageRefusedError as error:
            problems.extend(error.problems)
    if problems:
        raise PackageRefusedError(problems, where=package.key)
    return tuple(found)


def read_scenario(content: bytes, file: str, package: ProcedurePackage) -> Scenario:
    """Read one scenario; ``file`` names it in faults, ``package`` says which roles and messages exist.

    Raises:
        PackageRefusedError: lists every fault with line, field and how to mend it.
    """
    try:
        text = read_yaml(content, file)
    except YamlFault as fault:
        raise PackageRefusedError([fault.problem]) from fault
    problems = [
        Problem(file, text.line(fault.path), field_name(fault.path), fault.message, fault.hint)
        for fault in faults(schema("scenario"), text.data)
    ]
    if not problems:
        problems = [*_head(text, file, package), *_steps(text, file, package)]
    if problems:
        raise PackageRefusedError(problems)
    data = text.data
    return Scenario(
        file=file,
        title=data["title"],
        summary=data.get("summary", ""),
        channels=tuple(data.get("channels", DEFAULT_CHANNELS)),
        authorities=dict(data["given"]["authorities"]),
        begins=_instant(data["given"]["clock"]),
        steps=tuple(_step(step, text.line(("steps", index))) for index, step in enumerate(data["steps"])),
    )


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[str]:
    """Yield where ``actual`` lacks or contradicts ``expected``; objects may have more, lists may not."""
    place = path or "the data"
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            yield f"{place} is {shown(actual)}, not a group of fields"
            return
        for key, value in expected.items():
            below = f"{path}.{key}" if path else str(key)
            if key not in actual:
                yield f"{below} is missing"
            else:
                yield from differences(value, actual[key], below)
    elif isinstance(expected, list) and isinstance(actual, Sequence) and not isinstance(actual, str):
        if len(expected) != len(actual):
            yield f"{place} has {len(actual)} entries, not {len(expected)}"
            return
        for index, (wanted, there) in enumerate(zip(expected, actual, strict=True)):
            yield from differences(wanted, there, f"{path}[{index}]")
    elif expected != actual or isinstance(expected, bool) is not isinstance(actual, bool):
        yield f"{place} is {shown(actual)}, not {shown(expected)}"


def _head(text: YamlText, file: str, package: ProcedurePackage) -> Iterator[Problem]:
    given = text.data["given"]
    clock = ("given", "clock")
    if _instant_or_none(given["clock"]) is None:
        yield Problem(file, text.line(clock), "given.clock", "is no day and time", "like 2026-03-02 08:00")
    for role in sorted(set(given["authorities"]) - set(package.roles)):
        path = ("given", "authorities", role)
        known = ", ".join(sorted(package.roles))
        yield Problem(
            file, text.line(path), field_name(path), "is no role of the procedure", f"known: {known}"
        )


def _steps(text: YamlText, file: str, package: ProcedurePackage) -> Iterator[Problem]:
    for index, step in enumerate(text.data["steps"]):
        path: tuple[str | int, ...] = ("steps", index)
        verbs = [verb for verb in _MAKE if verb in step]
        if len(verbs) != 1:
            hint = "exactly one of " + ", ".join(_MAKE)
            yield Problem(file, text.line(path), field_name(path), "does not say what happens", hint)
            continue
        rules = {**schema("scenario")["$defs"][verbs[0]], "$defs": schema("scenario")["$defs"]}
        found = faults(rules, step)
        for fault in found:
            place = (*path, *fault.path)
            yield Problem(file, text.line(place), field_name(place), fault.message, fault.hint)
        if not found:
            yield from _names(step, verbs[0], path, text, file, package)


def _names(
    step: Mapping[str, Any],
    verb: str,
    path: tuple[str | int, ...],
    text: YamlText,
    file: str,
    package: ProcedurePackage,
) -> Iterator[Problem]:
    """Yield the names of a step that mean nothing here."""
    roles = text.data["given"]["authorities"]
    for key in ("start", "as", "from", "then"):
        if key in step and step[key] not in roles:
            place = (*path, key)
            hint = "one of " + ", ".join(sorted(roles))
            yield Problem(file, text.line(place), field_name(place), f"{step[key]!r} takes no part", hint)
    for key in ("deliver", "sent"):
        if key in step and step[key] not in package.message_types:
            place = (*path, key)
            hint = "one of " + ", ".join(sorted(package.message_types))
            yield Problem(
                file, text.line(place), field_name(place), f"{step[key]!r} is no message type", hint
            )
    if "message" in step and "sent" not in step:
        yield Problem(
            file, text.line(path), field_name(path), "message stands without sent", "name the message type"
        )
    if "at" in step and "with" in step:
        place = (*path, "with")
        hint = "a case that a timer begins knows only scheduledFor"
        yield Problem(file, text.line(place), field_name(place), "with stands beside at", hint)
    if verb == "turn" and not _PERIOD.fullmatch(step["turn"]) and _instant_or_none(step["turn"]) is None:
        place = (*path, "turn")
        yield Problem(
            file,
            text.line(place),
            field_name(place),
            "is no period and no instant",
            "P3M, or 2026-06-02 09:00",
        )


def _step(step: Mapping[str, Any], line: int) -> Step:
    return next(make(step, line) for verb, make in _MAKE.items() if verb in step)


def _start(step: Mapping[str, Any], line: int) -> Step:
    return Start(line, step["start"], step.get("with", {}), step.get("at"))


def _complete(step: Mapping[str, Any], line: int) -> Step:
    return Complete(line, step["as"], step["complete"], step.get("with", {}), tuple(step.get("refused", ())))


def _deliver(step: Mapping[str, Any], line: int) -> Step:
    return Deliver(line, step["from"], step["deliver"], step.get("by"), step.get("typed"))


def _turn(step: Mapping[str, Any], line: int) -> Step:
    instant = _instant_or_none(step["turn"])
    return Turn(line, step["turn"] if instant is None else None, instant)


def _then(step: Mapping[str, Any], line: int) -> Step:
    return Then(
        line,
        step["then"],
        tasks=_tuple(step.get("tasks")),
        waits=_tuple(step.get("waits")),
        sent=step.get("sent"),
        message=step.get("message"),
        data=step.get("data"),
        ended=_tuple(step.get("ended")),
        incidents=_tuple(step.get("incidents")),
    )


_MAKE = {"start": _start, "complete": _complete, "deliver": _deliver, "turn": _turn, "then": _then}


def _tuple(names: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text if " " in text else f"{text} 08:00").replace(tzinfo=LOCAL_ZONE)


def _instant_or_none(text: str) -> datetime | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2})?", text):
        return None
    try:
        return _instant(text)
    except ValueError:
        return None
