"""The behaviour cases in CI: ours, and the shared ones where they are there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance import make_cases, table
from tests.conformance.run import run_case, run_guarded
from tests.conformance.scenarios import folders

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


def test_a_case_that_hangs_is_a_failure(tmp_path: Path) -> None:
    folder = tmp_path / "hangs"
    folder.mkdir()
    case = json.loads((OWN[0] / "case.json").read_text(encoding="utf-8"))
    (folder / "case.json").write_text(json.dumps(case), encoding="utf-8")
    verdicts = run_guarded(folder, seconds=0.0)
    assert {verdict.outcome for verdict in verdicts} == {"FAIL"}
    assert "no answer within" in verdicts[0].why


def test_the_runner_prints_one_line_a_scenario_and_the_sums(tmp_path: Path) -> None:
    target = tmp_path / OWN[0].name
    target.mkdir()
    for file in OWN[0].iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    command = [sys.executable, str(HERE / "run.py"), str(tmp_path)]
    plain = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    lines = plain.stdout.splitlines()
    assert lines[-1].endswith("passed, 0 failed, 0 refused")
    assert all(line.startswith("PASS ") for line in lines[:-1])
    told = json.loads(
        subprocess.run([*command, "--json"], capture_output=True, text=True, check=True, timeout=300).stdout
    )
    assert told["passed"] == len(lines) - 1 == len(told["scenarios"])


def test_the_table_of_supported_elements_is_current() -> None:
    assert table.TARGET.read_text(encoding="utf-8") == table.text(), "run python tests/conformance/table.py"
