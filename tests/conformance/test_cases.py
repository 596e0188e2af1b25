"""The behaviour cases in CI: ours, and the shared ones where they are there."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.conformance import make_cases, run, table
from tests.conformance.run import run_case
from tests.conformance.scenarios import Verdict, folders, load_case, run_scenario

HERE = Path(__file__).parent
OWN = folders(HERE / "cases")
SHARED_ROOT = HERE.parents[1] / ".." / "shared" / "conformance"
SHARED = folders(SHARED_ROOT) if SHARED_ROOT.is_dir() else []


@pytest.mark.parametrize("folder", OWN, ids=lambda folder: folder.name)
def test_own_case(folder: Path) -> None:
    for verdict in run_case(folder):
        assert verdict.outcome == "PASS", f"{verdict.scenario}: {verdict.why}"


@pytest.mark.skipif(not SHARED, reason="the shared behaviour cases are not beside the repository")
@pytest.mark.parametrize("folder", SHARED, ids=lambda folder: folder.name)
def test_shared_case(folder: Path) -> None:
    for verdict in run_case(folder):
        assert verdict.outcome == "PASS", f"{verdict.scenario}: {verdict.why}"


def test_there_are_enough_cases() -> None:
    assert len(OWN) >= 80


def test_the_files_are_what_the_drawings_say() -> None:
    for case in make_cases.drawn():
        for name, text in make_cases.files_of(case).items():
            assert (make_cases.CASES / case.id / name).read_text(encoding="utf-8") == text, (case.id, name)
    assert {folder.name for folder in OWN} == {case.id for case in make_cases.drawn()}


def test_a_scenario_that_hangs_is_a_failure_and_those_before_it_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _copy(HERE / "cases" / "xor-document-order", tmp_path / "hangs")
    names = [scenario["name"] for scenario in load_case(folder)["scenarios"]]

    def stuck(where: Path, case: Any, scenario: Any, bench: Any) -> Verdict:
        if scenario["name"] == names[1]:
            threading.Event().wait()
        return run_scenario(where, case, scenario, bench)

    monkeypatch.setattr(run, "run_scenario", stuck)
    verdicts = run.run_guarded(folder, seconds=3.0)
    assert [verdict.outcome for verdict in verdicts] == ["PASS", "FAIL"]
    assert "no answer within 3 s" in verdicts[1].why


def test_a_process_that_dies_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = _copy(OWN[0], tmp_path / "dies")
    monkeypatch.setattr(run, "run_scenario", lambda *_: os._exit(7))
    assert {verdict.why for verdict in run.run_guarded(folder)} == {
        "its process ended by itself (exit status 7)"
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ('{"id": "x", "process_id": "P", "scenarios": []}', "no scenario"),
        ('{"id": "x", "scenarios": [{"name": "n"}]}', "process_id"),
    ],
)
def test_a_folder_that_cannot_be_read_is_a_failure(tmp_path: Path, text: str, told: str) -> None:
    folder = _copy(OWN[0], tmp_path / "broken")
    (folder / "case.json").write_text(text, encoding="utf-8")
    (verdict,) = run.run_guarded(folder)
    assert (verdict.outcome, told in verdict.why) == ("FAIL", True)


@pytest.mark.parametrize(
    ("old", "new", "outcome", "told"),
    [
        ('"do": "complete"', '"do": "dance"', "FAIL", "KeyError: 'dance'"),
        ('"adapted": "adapted.bpmn"', '"adapted": "missing.bpmn"', "FAIL", "FileNotFoundError"),
        ('"process_id": "P_xor_document_order"', '"process_id": "Other"', "REFUSED", "no process 'Other'"),
    ],
)
def test_what_breaks_is_told_scenario_by_scenario(
    tmp_path: Path, old: str, new: str, outcome: str, told: str
) -> None:
    folder = _copy(HERE / "cases" / "xor-document-order", tmp_path / "broken")
    text = (folder / "case.json").read_text(encoding="utf-8")
    assert old in text
    (folder / "case.json").write_text(text.replace(old, new), encoding="utf-8")
    verdict = run.run_guarded(folder)[0]
    assert (verdict.outcome, told in verdict.why) == (outcome, True), verdict


def test_a_model_that_the_checker_refuses_is_told_as_refused(tmp_path: Path) -> None:
    folder = _copy(HERE / "cases" / "xor-document-order", tmp_path / "refused")
    model = folder / "adapted.bpmn"
    model.write_text(model.read_text(encoding="utf-8").replace("exclusiveGateway", "complexGateway"), "utf-8")
    assert {verdict.outcome for verdict in run.run_guarded(folder)} == {"REFUSED"}


def _copy(folder: Path, target: Path) -> Path:
    shutil.copytree(folder, target)
    return target


def test_the_runner_prints_one_line_a_scenario_and_the_sums(tmp_path: Path) -> None:
    target = tmp_path / OWN[0].name
    target.mkdir()
    for file in OWN[0].iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    # Both ways of telling in one process: its start is what takes long.
    twice = (
        "import sys; from tests.conformance.run import main; "
        "first = main(); sys.argv.append('--json'); sys.exit(first or main())"
    )
    command = [sys.executable, "-c", twice, str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=300, cwd=HERE.parents[1]
    )
    *lines, last = done.stdout.splitlines()
    assert lines[-1].endswith("passed, 0 failed, 0 refused")
    assert all(line.startswith("PASS ") for line in lines[:-1])
    told = json.loads(last)
    assert told["passed"] == len(lines) - 1 == len(told["scenarios"])


def test_the_table_of_supported_elements_is_current() -> None:
    assert table.TARGET.read_text(encoding="utf-8") == table.text(), "run python tests/conformance/table.py"
