"""Runs behaviour cases: ``python tests/conformance/run.py DIR [--json]``.

Every case goes the product's whole path: checked, deployed, stored in SQLite, read back before every step,
the clock turned. One line a scenario, last line the sums. Each case has a time limit of its own; one that
hangs is a FAIL.
The exit status is 0 when nothing failed and nothing was refused.
"""

import argparse
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from engine.definitions.checker import Sandbox
from tests.conformance.scenarios import Verdict, folders, load_case, run_scenario
from tests.conformance.stored import Bench

SECONDS = 20.0


def run_case(folder: Path, bench: Bench | None = None) -> list[Verdict]:
    """Run all scenarios of one case in this process; without a bench on the bare runtime."""
    case = load_case(folder)
    return [run_scenario(folder, case, scenario, bench) for scenario in case["scenarios"]]


def _in_child(folder: Path, bench: Bench | None, answer: "multiprocessing.connection.Connection") -> None:
    case = load_case(folder)
    for scenario in case["scenarios"]:
        try:
            verdict = run_scenario(folder, case, scenario, bench)
        except Exception as error:  # noqa: BLE001 - whatever breaks, the other scenarios still count
            why = f"it broke off: {type(error).__name__}: {error}"
            verdict = Verdict(case["id"], str(scenario["name"]), "FAIL", why)
        answer.send(asdict(verdict))
    answer.close()


def run_guarded(folder: Path, bench: Bench | None = None, seconds: float = SECONDS) -> list[Verdict]:
    """Run one case in a child process that is ended when it takes longer than ``seconds``."""
    try:
        names = _scenario_names(folder)
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        return [
            Verdict(folder.name, "-", "FAIL", f"case.json cannot be read: {type(error).__name__}: {error}")
        ]
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_in_child, args=(folder, bench, theirs))
    child.start()
    theirs.close()
    found: list[Verdict] = []
    end, why = time.monotonic() + seconds, f"no answer within {seconds:g} s"
    try:
        while len(found) < len(names) and mine.poll(max(0.0, end - time.monotonic())):
            found.append(Verdict(**mine.recv()))
    except EOFError:
        child.join()
        why = f"its process ended by itself (exit status {child.exitcode})"
    finally:
        child.kill()
        child.join()
        mine.close()
    return [*found, *(Verdict(folder.name, name, "FAIL", why) for name in names[len(found) :])]


def _scenario_names(folder: Path) -> list[str]:
    case = load_case(folder)
    names = [str(scenario["name"]) for scenario in case["scenarios"]]
    if not names:
        raise ValueError("it has no scenario")
    return [name for name in names if case["id"] and case["process_id"]]


def run_all(root: Path) -> Iterator[Verdict]:
    """Run every case below ``root`` through the product's whole path."""
    with TemporaryDirectory() as place, Sandbox() as sandbox:
        bench = Bench(Path(place) / "template", sandbox)
        bench.warm_up()
        for folder in folders(root):
            yield from run_guarded(folder, bench)


def main() -> int:
    """Run the cases that the command line names."""
    parser = argparse.ArgumentParser(description="Runs BPMN behaviour cases.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    arguments = parser.parse_args()
    if not arguments.directory.is_dir():
        parser.error(f"{arguments.directory} is no folder")
    verdicts: list[Verdict] = []
    for verdict in run_all(arguments.directory):
        verdicts.append(verdict)
        if not arguments.json:
            why = " ".join(verdict.why.split())
            print(f"{verdict.outcome} {verdict.case}/{verdict.scenario} {why}".rstrip(), flush=True)
    count = Counter(verdict.outcome for verdict in verdicts)
    sums = {"passed": count["PASS"], "failed": count["FAIL"], "refused": count["REFUSED"]}
    if arguments.json:
        print(
            json.dumps({**sums, "scenarios": [asdict(verdict) for verdict in verdicts]}, ensure_ascii=False)
        )
    else:
        print(f"{sums['passed']} passed, {sums['failed']} failed, {sums['refused']} refused")
    return 0 if not sums["failed"] and not sums["refused"] and verdicts else 1


if __name__ == "__main__":
    sys.exit(main())
