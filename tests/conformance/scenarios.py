"""Reads case folders and compares what a scenario expects with what happens."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from engine.errors import RefusedError
from tests.conformance.driver import Driver, MisfitError, compile_case, decisions_of, plans_of, program_sends
from tests.conformance.stored import Bench, StoredDriver, begin_clock, package_of

Verb = Callable[[Driver, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Verdict:
    """How one scenario went."""

    case: str
    scenario: str
    outcome: str
    why: str = ""
    features: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()


def _complete(driver: Driver, step: Mapping[str, Any]) -> None:
    for _ in range(step.get("times", 1)):
        driver.complete(step["task"], step.get("variables", {}))


def _complete_all(driver: Driver, step: Mapping[str, Any]) -> None:
    for task in step["tasks"]:
        driver.complete(task, step.get("variables", {}))


VERBS: Mapping[str, Verb] = {
    "complete": _complete,
    "complete_all": _complete_all,
    "fail": lambda driver, step: driver.fail(step["task"], step["code"], step.get("variables", {})),
    "message": lambda driver, step: driver.message(step["name"], step.get("payload", {})),
    "signal": lambda driver, step: driver.signal(step["name"], step.get("payload", {})),
    "advance": lambda driver, step: driver.turn(step["duration"]),
    "set_variables": lambda driver, step: driver.set(step["variables"]),
}


def prepare(folder: Path, case: Mapping[str, Any], bench: Bench | None, home: Path) -> Driver:
    """Return a driver for the case: through the services where there is a bench, else on the bare runtime.

    Models that send to other authorities need partners and message types, which a case folder has not;
    their sends are looked at on the runtime.
    """
    program, shown = compile_case(folder, case)
    passing = set(case.get("pass_through", ()))
    if bench is None or program_sends(folder, case):
        driver = Driver(program, shown, passing)
        driver.decisions = decisions_of(folder, case)
        driver.plans = plans_of(folder, case)
        return driver
    stored = StoredDriver(program, shown, passing)
    steps = [step for scenario in case["scenarios"] for step in scenario.get("steps", ())]
    stored.worked = frozenset(step["task"] for step in steps if "task" in step)
    app = bench.installation(home, begin_clock())
    stored.plans = plans_of(folder, case)
    stored.deploy(app, package_of(folder, case), case["process_id"], bench.sandbox)
    return stored


def run_scenario(
    folder: Path, case: Mapping[str, Any], scenario: Mapping[str, Any], bench: Bench | None = None
) -> Verdict:
    """Run one scenario to its end, or to the first misfit."""
    with TemporaryDirectory() as place:
        return _run(folder, case, scenario, bench, Path(place) / "home")


def _run(
    folder: Path, case: Mapping[str, Any], scenario: Mapping[str, Any], bench: Bench | None, home: Path
) -> Verdict:
    name = str(scenario["name"])
    features = tuple(case.get("features", ()))
    wants_error = bool(scenario.get("start", {}).get("error"))
    try:
        driver = prepare(folder, case, bench, home)
        driver.start(scenario.get("variables", {}))
    except RefusedError as error:
        outcome = "PASS" if wants_error else "REFUSED"
        return Verdict(case["id"], name, outcome, "" if wants_error else str(error), features)
    if wants_error:
        if driver.failures:
            return Verdict(case["id"], name, "PASS", "", features)
        return Verdict(case["id"], name, "FAIL", "the start went through", features)
    try:
        check(driver, scenario.get("start", {}), "start")
        for number, step in enumerate(scenario.get("steps", ()), 1):
            VERBS[step["do"]](driver, step)
            check(driver, step.get("expect", {}), f"step {number} ({step['do']})")
    except MisfitError as misfit:
        failed = f" [{'; '.join(driver.failures)}]" if driver.failures else ""
        return Verdict(case["id"], name, "FAIL", f"{misfit}{failed}", features)
    except RefusedError as error:
        return Verdict(case["id"], name, "FAIL", f"refused on the way: {error}", features)
    return Verdict(case["id"], name, "PASS", "", features)


def check(driver: Driver, expect: Mapping[str, Any], where: str) -> None:
    """Compare everything that ``expect`` names; raise MisfitError at the first difference."""
    for what, wanted, found in _comparisons(driver, expect):
        if not found:
            raise MisfitError(f"{where}: {what}: expected {wanted}, {_seen(driver, what)}")
    for key, value in expect.get("variables", {}).items():
        if all(data.get(key) != value for data in driver.visible()):
            raise MisfitError(
                f"{where}: variable {key}: expected {value!r} in {[dict(d) for d in driver.visible()]}"
            )


def _comparisons(driver: Driver, expect: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    if "waiting" in expect:
        yield "waiting", expect["waiting"], driver.waiting() == sorted(expect["waiting"])
    if "waiting_any_of" in expect:
        options = [sorted(option) for option in expect["waiting_any_of"]]
        yield "waiting", options, driver.waiting() in options
    if "completed" in expect:
        yield "completed", expect["completed"], driver.completed == expect["completed"]
    for element, count in expect.get("executed", {}).items():
        yield f"executed {element}", count, driver.executed[element] == count
    for element in expect.get("end_events", ()):
        yield f"end event {element}", "reached", element in driver.end_events
    if "failed" in expect:
        yield "failed items", expect["failed"], len(_failed(driver)) == expect["failed"]
    if "sends" in expect:
        yield "sends", expect["sends"], driver.sends == expect["sends"]
    if "messages" in expect:
        yield "messages thrown", expect["messages"], driver.thrown == expect["messages"]


def _failed(driver: Driver) -> list[str]:
    return [item.element_id for item in driver.open.values() if item.kind.value == "failed"]


def _seen(driver: Driver, what: str) -> str:
    if what.startswith("executed "):
        return f"found {driver.executed[what.removeprefix('executed ')]}"
    if what == "waiting":
        return f"found {driver.waiting()}"
    if what == "sends":
        return f"found {driver.sends}"
    if what == "messages thrown":
        return f"found {driver.thrown}"
    return f"found completed={driver.completed}, ends {driver.end_events}, waiting {driver.waiting()}"


def folders(root: Path) -> list[Path]:
    """Return the case folders below ``root``, in order."""
    return sorted(path.parent for path in root.rglob("case.json"))


def load_case(folder: Path) -> dict[str, Any]:
    """Read a folder's case.json."""
    case: dict[str, Any] = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    return case
