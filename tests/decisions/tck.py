"""Runs the public DMN test cases (repository dmn-tck/tck, folder TestCases) and counts what passes.

``python tests/decisions/tck.py TESTCASES_FOLDER [--failures] [--json]``. Every case is tried with a file that
holds only the decision under test and what it requires: the product refuses a whole file for one wrong
expression, the test cases hold wrong ones on purpose.

PASS: the result is the expected one, or an error is expected and the file is refused, the evaluation ends in
an error or gives null. STRICTER: null is expected, and we refuse the file or end in an error. REFUSED: the
file is refused, or the evaluation ends in an error that says so, though a result is expected. FAIL: any
other result.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.decisions import read_decisions
from engine.decisions.run import Run
from engine.errors import DienstwegError
from engine.expressions import numbers, temporal
from engine.expressions.errors import EvaluationError, FirmError
from engine.expressions.feel.rules import equal
from engine.expressions.limits import Budget
from engine.expressions.rules import Env
from engine.expressions.values import Function, intake

TC = "{http://www.omg.org/spec/DMN/20160719/testcase}"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


@dataclass(frozen=True)
class Outcome:
    level: str
    folder: str
    case: str
    verdict: str
    detail: str


def value_of(element: etree._Element) -> Any:
    items = element.find(f"{TC}list")
    if items is not None:
        if items.get(f"{XSI}nil") == "true":
            return None
        return [value_of(item) for item in items.findall(f"{TC}item")]
    components = element.findall(f"{TC}component")
    if components:
        return {part.get("name"): value_of(part) for part in components}
    value = element.find(f"{TC}value")
    if value is None or value.get(f"{XSI}nil") == "true":
        return None
    text = value.text or ""
    kind = (value.get(f"{XSI}type") or "").rpartition(":")[2]
    return READ.get(kind, str)(text)


def number(text: str) -> Any:
    return Decimal(text.strip())


def moment(text: str) -> Any:
    return temporal.parse_date_time(text.strip())


READ: dict[str, Any] = {
    "decimal": number,
    "double": number,
    "integer": number,
    "boolean": lambda text: text.strip() == "true",
    "date": lambda text: temporal.parse_date(text.strip()),
    "time": lambda text: temporal.parse_time(text.strip()),
    "dateTime": moment,
    "duration": lambda text: temporal.parse_duration(text.strip()),
}


def same(expected: Any, found: Any) -> bool:
    found = intake(found)
    if isinstance(expected, list):
        return type(found) is list and len(expected) == len(found) and all(map(same, expected, found))
    if isinstance(expected, dict):
        return (
            type(found) is dict
            and expected.keys() == found.keys()
            and all(same(v, found[k]) for k, v in expected.items())
        )
    if isinstance(expected, Decimal) and type(found) in numbers.NUMERIC:
        return abs(expected - found) <= Decimal("1e-8") * max(1, abs(expected))
    if expected is None or found is None:
        return expected is found
    return equal(expected, found) is True


def trimmed(root: etree._Element, wanted: str) -> bytes:
    """Return the model with ``wanted`` and what it requires."""
    copy = etree.fromstring(etree.tostring(root))
    space = copy.tag[: copy.tag.index("}") + 1]
    tops = [e for e in copy if isinstance(e.tag, str)]
    by_id = {e.get("id"): e for e in tops if e.get("id")}
    start = [
        e
        for e in tops
        if e.get("name") == wanted
        and e.tag in (f"{space}decision", f"{space}decisionService", f"{space}businessKnowledgeModel")
    ]
    keep: set[Any] = set()
    pending = list(start)
    while pending:
        element = pending.pop()
        if element in keep:
            continue
        keep.add(element)
        for part in element.iter():
            href = part.get("href") if isinstance(part.tag, str) else None
            if href and by_id.get(href.rpartition("#")[2]) is not None:
                pending.append(by_id[href.rpartition("#")[2]])
    for element in tops:
        named = element.tag.removeprefix(space)
        if (
            named in ("decision", "businessKnowledgeModel", "decisionService", "inputData")
            and element not in keep
        ):
            copy.remove(element)
    return etree.tostring(copy)


def run_case(root: etree._Element, case: etree._Element, result: etree._Element) -> tuple[str, str]:
    name = result.get("name") or ""
    failing = result.get("errorResult") == "true"
    data = {node.get("name"): value_of(node) for node in case.findall(f"{TC}inputNode")}
    expected_element = result.find(f"{TC}expected")
    try:
        expected = None if expected_element is None else value_of(expected_element)
    except EvaluationError as error:
        return "REFUSED", f"expected value is outside our range: {error}"
    service = case.get("type") == "decisionService" or result.get("type") == "decisionService"
    try:
        decisions = read_decisions(
            trimmed(root, case.get("invocableName") or name if service else name), "case.dmn"
        )
    except DienstwegError as error:
        return ("PASS" if failing else "STRICTER" if expected is None else "REFUSED"), str(error)
    try:
        run = Run(
            data,
            {
                "now": lambda: temporal.parse_date_time("2026-11-23T10:00:00Z"),
                "today": lambda: temporal.parse_date("2026-11-23"),
            },
        )
        if service:
            wanted = case.get("invocableName") or name
            item = next(k for k in decisions.knowledge.values() if k.name == wanted)
            function = item.make({}, run)
            assert isinstance(function, Function)
            found = function.body({k: data.get(k) for k in function.parameters}, Env({}, {}, Budget()))
        else:
            for key in decisions.inputs.values():
                run.data.setdefault(key.name, None)
            found = decisions.value(decisions.find(name), run)
        if service and isinstance(found, dict) and name in found:
            found = found[name]
    except FirmError as error:
        return ("PASS" if failing else "STRICTER" if expected is None else "REFUSED"), str(error)
    except EvaluationError as error:
        return ("PASS" if failing else "STRICTER" if expected is None else "FAIL"), f"error: {error}"
    if same(expected, found) or (failing and found is None):
        return "PASS", ""
    return "FAIL", f"expected {expected!r}, found {found!r}"


def outcomes(folder: Path) -> Iterator[Outcome]:
    for tests in sorted(folder.rglob("*.xml")):
        root = etree.parse(str(tests)).getroot()
        if root.tag != f"{TC}testCases":
            continue
        model = tests.parent / (root.findtext(f"{TC}modelName") or "").strip()
        level = tests.relative_to(folder).parts[0]
        parsed = etree.parse(str(model)).getroot()
        for case in root.findall(f"{TC}testCase"):
            for result in case.findall(f"{TC}resultNode"):
                begin = time.perf_counter()
                verdict, detail = run_case(parsed, case, result)
                if time.perf_counter() - begin > 1:
                    verdict, detail = "FAIL", "took longer than a second"
                yield Outcome(
                    level, tests.parent.name, f"{case.get('id')}/{result.get('name')}", verdict, detail
                )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--failures", action="store_true", help="print what does not pass")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = list(outcomes(arguments.folder))
    if arguments.failures:
        for one in found:
            if one.verdict != "PASS":
                print(one.verdict, one.level[-1], one.folder, one.case, one.detail.replace("\n", " ")[:220])
    tally = {
        level: Counter(one.verdict for one in found if one.level == level)
        for level in sorted({o.level for o in found})
    }
    if arguments.json:
        print(json.dumps(tally))
    else:
        for level, counts in tally.items():
            print(
                level,
                ", ".join(f"{counts[v]} {v}" for v in ("PASS", "STRICTER", "FAIL", "REFUSED")),
                "of",
                sum(counts.values()),
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
