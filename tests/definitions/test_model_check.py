"""``dienstweg model check``: exit status 0 or 1, whatever stands in the files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.model_check import ModelFileMissingError, TwoFormatsError, check
from tests.definitions.bpmn import definitions, line

GOOD = definitions(line('<userTask id="ask"/>', ids=("ask",)))
BAD = definitions(line('<receiveTask id="wait" name="&#x9b;31m&#x202e;rot"/>', ids=("wait",)))


def test_accepted_is_0_and_refused_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "good.bpmn").write_bytes(GOOD)
    assert check([tmp_path / "good.bpmn"]) == 0
    assert "accepted (0 errors, 0 warnings)" in capsys.readouterr().out
    (tmp_path / "bad.bpmn").write_bytes(BAD)
    assert check([tmp_path]) == 1
    out = capsys.readouterr().out
    assert "4: wait" in out
    assert "error DW401 (incomplete)" in out
    assert "2 files: 1 accepted, 1 refused" in out


def test_names_from_the_file_cannot_drive_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.bpmn").write_bytes(BAD)
    check([tmp_path / "bad.bpmn"])
    out = capsys.readouterr().out
    assert "\x9b" not in out
    assert "\u202e" not in out
    assert "rot" in out


@pytest.mark.parametrize(
    "data",
    [b"", b"\0" * 1000, b"{}", b"<a>" * 9999, b"<!DOCTYPE a>", b" " * (21 << 20)],
    ids=["empty", "zeros", "json", "deep", "doctype", "large"],
)
def test_any_content_gives_1(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "strange.bpmn").write_bytes(data)
    assert check([tmp_path / "strange.bpmn"]) == 1


def test_json_and_sarif(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.bpmn"
    path.write_bytes(BAD)
    assert check([path], json_=True) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["accepted"] is False
    assert found["files"][0]["findings"][0]["rule"] == "DW401"
    assert check([path], sarif=True) == 1
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"][0]["ruleId"] == "DW401"
    with pytest.raises(TwoFormatsError):
        check([path], json_=True, sarif=True)


def test_a_missing_file_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(ModelFileMissingError):
        check([tmp_path / "none.bpmn"])
    with pytest.raises(ModelFileMissingError):
        check([tmp_path])


def test_as_users_call_it(tmp_path: Path) -> None:
    (tmp_path / "bad.bpmn").write_bytes(BAD)
    run = subprocess.run(
        [sys.executable, "-c", "from cli.main import run; run()", "model", "check", "bad.bpmn", "--json"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 1, run.stderr
    assert json.loads(run.stdout)["files"][0]["file"] == "bad.bpmn"
