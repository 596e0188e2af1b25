"""Histories of cases in every wait state: recorded once, replayed for good.

``python -m tests.runtime.recording`` adds the histories of cases that have none yet in the present state
format, in a file of their own. A recorded history is written again only for a change of behaviour that is
meant: take its line out first. Those of older formats are never written again.
"""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.errors import DienstwegError
from engine.runtime import Advance, Command, Program, api
from engine.runtime.upgrades import STATE_FORMAT
from tests.conformance.driver import compile_case
from tests.conformance.scenarios import folders, load_case
from tests.runtime.walks import OWN, Reloading, Walk, next_command, start_of

HISTORIES = Path(__file__).parent / "histories"
STEPS = 7


def own_models() -> Iterator[tuple[str, Program, Mapping[str, Any], dict[str, list[Any]]]]:
    """Yield the programs of our own cases with the first scenario's variables."""
    for folder in folders(OWN):
        case = load_case(folder)
        program, _ = compile_case(folder, case)
        choices: dict[str, list[Any]] = {}
        for scenario in case["scenarios"]:
            for step in scenario.get("steps", ()):
                for name, value in {**step.get("variables", {}), **step.get("payload", {})}.items():
                    choices.setdefault(name, []).append(value)
        yield folder.name, program, case["scenarios"][-1].get("variables", {}), choices


def command_row(command: Command) -> dict[str, Any]:
    """Return a command as JSON."""
    return {"command": type(command).__name__, **asdict(command)}


def command_of(row: Mapping[str, Any]) -> Command:
    """Return the command that ``command_row`` wrote."""
    fields = {name: value for name, value in row.items() if name != "command"}
    command: Command = getattr(api, row["command"])(**fields)
    return command


def outcome(result: Advance) -> dict[str, Any]:
    """Return what an advance led to, as JSON, in few words."""
    return {
        "steps": [_step(step) for step in result.steps],
        "opened": [_item(item) for item in result.opened],
        "shown": [dict(item.data) for item in result.opened if item.data],
        "closed": [gone[-8:] for gone in result.closed],
        "sends": [send.key for send in result.sends],
        "thrown": [one.name for one in (*result.messages, *result.signals)],
        "completed": result.completed,
        "ends": list(result.end_events),
        "data": dict(result.data),
    }


def _step(step: api.Step) -> str:
    parts = (step.kind.value, "/".join(step.scope), step.element_id, step.instance)
    return " ".join(part for part in parts if part)


def _item(item: api.OpenItem) -> str:
    due = item.due.isoformat() if item.due else ""
    return " ".join(part for part in (item.kind.value, item.element_id, item.instance, due) if part)


def record(name: str, program: Program, variables: Mapping[str, Any], choices: dict[str, list[Any]]) -> str:
    """Return one walk through a model as a line of JSON: commands, states, outcomes."""
    chance = random.Random(name)
    walk = Walk(program, Reloading(program))
    rows = []
    command: Command = start_of(program, variables, chance)
    for _ in range(STEPS):
        try:
            result = walk.do(command)
        except DienstwegError:
            break
        row = {"now": walk.now.isoformat(), "do": command_row(command), "outcome": outcome(result)}
        rows.append({**row, "state": result.state})
        if walk.completed:
            break
        command = next_command(walk, chance, choices)
    return json.dumps({"case": name, "rows": rows}, ensure_ascii=False)


def read(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the recorded histories of one file."""
    for line in file.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def instant(row: Mapping[str, Any]) -> datetime:
    """Return the instant of a recorded command."""
    return datetime.fromisoformat(row["now"])


def files(state_format: int | None = None) -> list[Path]:
    """Return the files of histories, of one state format or of all."""
    return sorted(HISTORIES.glob(f"format-{'*' if state_format is None else state_format}-*.jsonl"))


def main() -> None:
    """Write the histories that are missing to a file of their own."""
    HISTORIES.mkdir(exist_ok=True)
    known = {history["case"] for file in files(STATE_FORMAT) for history in read(file)}
    added = [record(*model) for model in own_models() if model[0] not in known]
    if added:
        numbers = [int(file.stem.rpartition("-")[2]) for file in files(STATE_FORMAT)]
        target = HISTORIES / f"format-{STATE_FORMAT}-{max(numbers, default=0) + 1}.jsonl"
        target.write_text("\n".join(added) + "\n", encoding="utf-8")
    print(f"{len(added)} histories added")


if __name__ == "__main__":
    main()
