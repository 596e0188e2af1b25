"""How long the command line takes to begin."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.result import Row

DESCRIPTION = "start-up of the command line"
RUNS = {"quick": 5, "full": 20}


def run(scale: str) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="dw-bench-") as folder:
        home = ["--home", str(Path(folder) / "home")]
        _call(*home, "init", "--code", "BM", "--authority", "10041100")
        return [
            Row("python -c pass", _middle(scale, [sys.executable, "-c", "pass"]), "ms"),
            Row("dienstweg --help", _middle(scale, _line("--help")), "ms"),
            Row(
                "dienstweg task list, empty",
                _middle(scale, _line(*home, "--as", "admin", "task", "list")),
                "ms",
            ),
        ]


def _line(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from cli.main import run; run()", *arguments]


def _call(*arguments: str) -> None:
    subprocess.run(_line(*arguments), check=True, capture_output=True)


def _middle(scale: str, command: list[str]) -> float:
    found = []
    for _ in range(RUNS[scale]):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        found.append((time.perf_counter() - begun) * 1000)
    return sorted(found)[len(found) // 2]
