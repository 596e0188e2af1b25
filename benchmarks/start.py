"""How long the command line takes to begin."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.result import Row

DESCRIPTION = "start-up of the command line"
RUNS = {"quick": 5, "full": 20}


def run(scale: str) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="dw-bench-") as folder:
        # An installed program has its bytecode; pip writes it. Here the first call of each kind does.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
        home = ["--home", str(Path(folder) / "home")]
        _call(*home, "init", "--code", "BM", "--authority", "10041100")
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "dienstweg --help": _line("--help"),
            "dienstweg task list, empty": _line(*home, "--as", "admin", "task", "list"),
        }
        return [row for name, command in commands.items() for row in _measured(name, command, scale)]


def _line(*arguments: str) -> list[str]:
    return [sys.executable, "-c", "from cli.main import run; run()", *arguments]


def _call(*arguments: str) -> None:
    subprocess.run(_line(*arguments), check=True, capture_output=True)


def _measured(name: str, command: list[str], scale: str) -> list[Row]:
    subprocess.run(command, check=True, capture_output=True)
    elapsed, worked = [], []
    for _ in range(RUNS[scale]):
        begun, before = time.perf_counter(), _processor_time()
        subprocess.run(command, check=True, capture_output=True)
        elapsed.append((time.perf_counter() - begun) * 1000)
        worked.append((_processor_time() - before) * 1000)
    return [Row(name, median(elapsed), "ms"), Row(f"{name}, processor time", median(worked), "ms")]


def _processor_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
