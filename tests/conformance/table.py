"""Writes docs/reference/bpmn.md from the results of our own cases: ``python tests/conformance/table.py``."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.definitions.model import EventKind, Node, NodeKind, walk
from engine.runtime.elements import TABLE
from tests.conformance.driver import models_of
from tests.conformance.run import run_case
from tests.conformance.scenarios import folders, load_case

CASES = Path(__file__).parent / "cases"
TARGET = Path(__file__).resolve().parents[2] / "docs" / "reference" / "bpmn.md"

_HEAD = """\
# BPMN elements that run

This page is written by `python tests/conformance/table.py` from the results of the behaviour cases in
`tests/conformance/cases/`; a test fails when it is out of date. An element is listed as *runs* when every
case that draws it passes. What is not listed, or listed as *refused*, does not deploy.

How data travels is described in [data.md](data.md).
"""


@dataclass
class Line:
    """What the cases say of one element."""

    cases: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)


_WORDS = {
    NodeKind.START_EVENT: "start event",
    NodeKind.END_EVENT: "end event",
    NodeKind.INTERMEDIATE_CATCH_EVENT: "intermediate catch event",
    NodeKind.INTERMEDIATE_THROW_EVENT: "intermediate throw event",
    NodeKind.BOUNDARY_EVENT: "boundary event",
}


def names_of(node: Node, *, in_event_sub: bool) -> Iterator[tuple[str, str]]:
    """Yield the table and the line that a node counts for."""
    if node.kind.is_event:
        place = "event sub-process start" if in_event_sub else _WORDS[node.kind]
        for name in [_event(node, event.kind) for event in node.events] or ["none"]:
            yield "Events", f"{place}: {name}"
        if len(node.events) > 1:
            yield "Events", f"{place}: {'parallel multiple' if node.parallel_multiple else 'multiple'}"
    elif node.kind.is_gateway:
        yield "Gateways", node.kind.value
        if node.instantiate:
            yield "Gateways", f"{node.kind.value}: instantiate"
    else:
        yield "Activities", "event sub-process" if node.triggered_by_event else node.kind.value
    if node.instantiate and node.kind is NodeKind.RECEIVE_TASK:
        yield "Activities", "receiveTask: instantiate"
    if node.loop is not None:
        order = "sequential" if node.loop.sequential else "parallel"
        yield (
            "Repetition",
            f"{node.kind.value}: {f'multi-instance {order}' if node.loop.multi else 'standard loop'}",
        )
    if node.for_compensation:
        yield "Activities", "compensation handler"
    if node.inputs or node.outputs:
        yield "Data", f"{node.kind.value}: mappings"
    for name in node.attributes:
        yield "Dienstweg's attributes", f"{node.kind.value}: dw:{name}"


def _event(node: Node, kind: EventKind) -> str:
    can_go_beside = kind not in (EventKind.ERROR, EventKind.CANCEL, EventKind.COMPENSATE)
    if node.kind is NodeKind.BOUNDARY_EVENT and can_go_beside:
        return f"{kind.value} ({'interrupting' if node.interrupting else 'non-interrupting'})"
    return kind.value


def collect() -> tuple[dict[str, dict[str, Line]], int, int]:
    """Run all cases; return what they say, how many cases there are and how many scenarios."""
    tables: dict[str, dict[str, Line]] = defaultdict(lambda: defaultdict(Line))
    scenarios = 0
    for folder in folders(CASES):
        case = load_case(folder)
        verdicts = run_case(folder)
        scenarios += len(verdicts)
        passed = all(verdict.outcome == "PASS" for verdict in verdicts)
        for table, name in _names_in(folder):
            line = tables[table][name]
            line.cases.add(case["id"])
            if not passed:
                line.failed.add(case["id"])
        for feature in case["features"]:
            line = tables["Features"][feature]
            line.cases.add(case["id"])
            if not passed:
                line.failed.add(case["id"])
    return tables, len(folders(CASES)), scenarios


def _names_in(folder: Path) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for model in models_of(folder, load_case(folder)):
        for process in model.processes:
            inside_event_sub = {
                id(node.scope): node.triggered_by_event
                for _, node in walk(process.scope)
                if node.scope is not None
            }
            for scope, node in walk(process.scope):
                starts = node.kind is NodeKind.START_EVENT and inside_event_sub.get(id(scope), False)
                found.update(names_of(node, in_event_sub=starts))
    return found


def text() -> str:
    """Return the page."""
    tables, cases, scenarios = collect()
    parts = [_HEAD, f"{cases} cases with {scenarios} scenarios.\n"]
    for title in (
        "Activities",
        "Gateways",
        "Events",
        "Repetition",
        "Data",
        "Dienstweg's attributes",
        "Features",
    ):
        parts.append(f"## {title}\n\n| element | result | cases |\n|---|---|---|")
        for name, line in sorted(tables[title].items()):
            result = "runs" if not line.failed else f"**fails** in {', '.join(sorted(line.failed))}"
            parts.append(f"| {name} | {result} | {_some(sorted(line.cases))} |")
        parts.append("")
    refused = sorted(kind.value for kind in NodeKind if kind not in TABLE)
    parts.append("## Refused\n")
    parts.extend(f"- {kind}" for kind in refused)
    parts.append("- multi-instance with a `behavior` other than `All`")
    parts.append("- sequential ad-hoc sub-processes whose paths begin with anything but user or manual tasks")
    return "\n".join(parts) + "\n"


def _some(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"


if __name__ == "__main__":
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(text(), encoding="utf-8")
    print(f"wrote {TARGET.name}")
