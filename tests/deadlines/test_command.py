"""``dienstweg deadline`` as a user calls it: in an empty folder, without an installation."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.main import run

ROOT = Path(__file__).parents[2]
_EXPLAIN = ("deadline", "explain", "--rule", "baugb-36-2", "--start", "2026-04-04")


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def dienstweg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIENSTWEG_HOME", raising=False)

    def call(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["dienstweg", "deadline", *arguments])
        with pytest.raises(SystemExit) as left:
            run()
        out = capsys.readouterr()
        return Done(int(left.value.code or 0), out.out, out.err)

    return call


def test_explain_prints_every_step(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from cli.main import run; run()", *_EXPLAIN],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Ende: Fr 05.06.2026 24:00 Uhr" in done.stdout
    assert "Fronleichnam" in done.stdout
    assert "§ 36 Abs. 2 Satz 2 BauGB" in done.stdout
    assert not list(tmp_path.iterdir())


def test_explain_as_json_has_the_end(dienstweg: Command) -> None:
    done = dienstweg("explain", "--rule", "vwvfg-31", "--start", "2026-05-21", "--period", "P2W", "--json")
    found = json.loads(done.stdout)
    assert found["end"] == "2026-06-05"
    assert found["stages"][0]["days"][-1]["kind"] == "moved"
    berlin = dienstweg(
        *("explain", "--rule", "vwvfg-31", "--start", "2026-05-21", "--period", "P2W"),
        *("--authority", "11000000", "--json"),
    )
    assert json.loads(berlin.stdout)["end"] == "2026-06-04"


def test_explain_with_everything(dienstweg: Command) -> None:
    done = dienstweg(
        *("explain", "--rule", "vwgo-70", "--fiction", "vwvfg-41-2", "--channel", "post"),
        *(
            "--start",
            "2026-03-03",
            "--received",
            "2026-03-04",
            "--setting",
            "weekend-vwvfg=stay",
            "--english",
        ),
    )
    assert done.returncode == 0, done.stderr
    assert "end: Tue 2026-04-07 24:00" in done.stdout
    assert "read otherwise: Thu 2026-04-09 (weekend-vwvfg = shift)" in done.stdout


def test_rules_are_listed_for_people_and_programs(dienstweg: Command) -> None:
    done = dienstweg("rules", "--json")
    rules = {rule["id"]: rule for rule in json.loads(done.stdout)}
    assert rules["baugb-36-2"]["versions"][-1] == {
        "from": None,
        "until": None,
        "source": "§ 36 Abs. 2 Satz 2 BauGB",
        "figure": {"de": "P2M", "en": "P2M"},
        "period": "P2M",
    }
    assert rules["vwvfg-31"]["extension"]["by"] == ["setting-authority"]
    table = dienstweg("rules", "--law", "vwzg").stdout
    assert "vwzg-5-4" in table
    assert "baugb" not in table
    assert "widerspruch" not in dienstweg("rules", "--procedure", "einvernehmen").stdout
    assert "weekend-vwvfg" in dienstweg("questions").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--rule", "baugb-36", "--start", "2026-04-04"], 3, "did you mean"),
        (["--rule", "vwvfg-31", "--start", "2026-04-04"], 1, "period has to be named"),
        (["--rule", "vwvfg-31", "--start", "4.4.2026", "--period", "P1M"], 1, "YYYY-MM-DD"),
        (["--rule", "vwvfg-31", "--start", "2026-02-30", "--period", "P1M"], 1, "no date of the calendar"),
        (["--rule", "vwvfg-31", "--start", "2026-04-04", "--period", "1M"], 1, "ISO 8601"),
        (["--rule", "vwvfg-31", "--start", "2026-04-04", "--period", "-P1M"], 1, "negative"),
        (["--rule", "baugb-36-2", "--start", "2026-04-04", "--period", "P1M"], 1, "fixes the period"),
        (["--rule", "vwvfg-41-2", "--start", "2026-04-04", "--abroad"], 1, "presumes no notification"),
        (["--rule", "vwvfg-41-2", "--start", "2026-04-04", "--channel", "fax"], 1, "post or electronic"),
        (["--rule", "vwvfg-41-2", "--start", "2026-04-04", "--setting", "x"], 1, "QUESTION=ANSWER"),
        (
            ["--rule", "vwvfg-31", "--start", "2026-04-04", "--period", "P1M", "--channel", "post"],
            1,
            "vwvfg-41-2",
        ),
    ],
)
def test_errors_say_how_to_mend_it(dienstweg: Command, arguments: list[str], status: int, says: str) -> None:
    done = dienstweg("explain", *arguments)
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
