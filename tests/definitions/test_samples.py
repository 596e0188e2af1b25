"""Models by others: about 500 files of 30 tools and the behaviour cases of other engines' tests."""

import json
import time
from collections import Counter
from pathlib import Path

import pytest

from engine.definitions.checker import CheckContext, Sandbox
from engine.definitions.checker.check import FILE_RULES
from engine.definitions.checker.table import RULES
from tests.definitions.bpmn import SHARED

SUFFIXES = (".bpmn", ".xml")
SECONDS = 10


def cases() -> list[Path]:
    return sorted((SHARED / "conformance").glob("*/case.json"))


@pytest.mark.long
def test_every_sample_is_accepted_or_refused_in_time() -> None:
    root = SHARED / "samples"
    if not root.is_dir():
        pytest.skip("the folder shared/samples is not here")
    paths = sorted(item for item in root.rglob("*") if item.suffix in SUFFIXES)
    known = {rule.id for rule in RULES} | set(FILE_RULES)
    accepted, slowest, reasons = 0, 0.0, Counter[str]()
    with Sandbox() as sandbox:
        for path in paths:
            begin = time.perf_counter()
            report = sandbox.check(path.read_bytes(), path.name)
            slowest = max(slowest, time.perf_counter() - begin)
            accepted += report.accepted
            reasons.update({item.rule for item in report.errors})
            assert {item.rule for item in report.findings} <= known
            lines = path.read_bytes().count(b"\n") + 1
            assert all(1 <= item.line <= lines for item in report.findings), path
    assert slowest < SECONDS
    assert 0 < accepted < len(paths)
    assert reasons["DW112"] == 0
    print(
        f"{len(paths)} files, {accepted} accepted, slowest {slowest:.3f} s, {dict(sorted(reasons.items()))}"
    )


def test_behaviour_cases_of_other_engines_are_accepted() -> None:
    if not cases():
        pytest.skip("the folder shared/conformance is not here")
    refused = []
    with Sandbox() as sandbox:
        for path in cases():
            case = json.loads(path.read_text("utf-8"))
            files = [path.parent / item["adapted"] for item in case["models"]]
            context = CheckContext(
                executable=frozenset({case["process_id"]}), workers=frozenset(case["pass_through"])
            )
            for file in files:
                report = sandbox.check(file.read_bytes(), f"{path.parent.name}/{file.name}", context=context)
                refused.extend(str(finding) for finding in report.errors)
    assert refused == []
