"""Collects drawn cases with their scenarios."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Step = dict[str, Any]


@dataclass
class Drawn:
    """One case."""

    id: str
    features: list[str]
    why: str
    drawing: str
    scenarios: list[dict[str, Any]]
    called: dict[str, str] = field(default_factory=dict)
    pass_through: list[str] = field(default_factory=list)
    decisions: str | None = None
    """The text of a DMN file."""
    xml: str | None = None
    """The text of the BPMN file where the notation cannot say it; its process is called Hand."""


BOOK: list[Drawn] = []


def case(
    case_id: str,
    features: str,
    why: str,
    drawing: str,
    *scenarios: dict[str, Any],
    called: dict[str, str] | None = None,
    pass_through: Sequence[str] = (),
    decisions: str | None = None,
    xml: str | None = None,
) -> None:
    """Add a case; ``features`` are parted by ``;``, ``why`` says where the expectation comes from."""
    BOOK.append(
        Drawn(
            case_id,
            [feature.strip() for feature in features.split(";")],
            why,
            drawing,
            list(scenarios),
            called or {},
            list(pass_through),
            decisions,
            xml,
        )
    )


def scenario(
    name: str, start: dict[str, Any] | str, *steps: Step, variables: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return a scenario; ``start`` is what to expect after the start."""
    return {"name": name, "variables": variables or {}, "start": _expect(start), "steps": list(steps)}


def _expect(what: dict[str, Any] | str) -> dict[str, Any]:
    """Return an expectation; a text lists the waiting tasks, ``done`` means the case has ended."""
    if isinstance(what, dict):
        return what
    if what == "done":
        return {"waiting": [], "completed": True}
    return {"waiting": sorted(what.split()), "completed": False}


def do(task: str, expect: dict[str, Any] | str | None = None, **variables: Any) -> Step:
    """Complete ``task``; ``3*task`` completes it three times."""
    times, star, name = task.rpartition("*")
    step: Step = {"do": "complete", "task": name}
    if star:
        step["times"] = int(times)
    if variables:
        step["variables"] = variables
    return _with(step, expect)


def fail(task: str, code: str, expect: dict[str, Any] | str | None = None, **variables: Any) -> Step:
    """Let outside work end in a BPMN error."""
    return _with({"do": "fail", "task": task, "code": code, "variables": variables}, expect)


def message(name: str, expect: dict[str, Any] | str | None = None, **payload: Any) -> Step:
    """Deliver a message."""
    return _with({"do": "message", "name": name, "payload": payload}, expect)


def signal(name: str, expect: dict[str, Any] | str | None = None, **payload: Any) -> Step:
    """Broadcast a signal."""
    return _with({"do": "signal", "name": name, "payload": payload}, expect)


def turn(duration: str, expect: dict[str, Any] | str | None = None) -> Step:
    """Turn the clock."""
    return _with({"do": "advance", "duration": duration}, expect)


def put(expect: dict[str, Any] | str | None = None, **variables: Any) -> Step:
    """Change data."""
    return _with({"do": "set_variables", "variables": variables}, expect)


def _with(step: Step, expect: dict[str, Any] | str | None) -> Step:
    return step if expect is None else {**step, "expect": _expect(expect)}


def also(what: dict[str, Any] | str, **more: Any) -> dict[str, Any]:
    """Return an expectation with more to expect."""
    return {**_expect(what), **more}
