"""No accepted model ends stalled with nothing waiting, whatever clerks, partners and clocks do."""

from pathlib import Path

import pytest

from engine.definitions.checker import CheckContext, Sandbox
from engine.definitions.model import Model, walk
from engine.definitions.reader import read_model
from engine.errors import RefusedError
from engine.runtime import compile_program
from tests.definitions.bpmn import SHARED, definitions, line, process
from tests.definitions.random_runs import Outcome, Run, vocabulary
from tests.definitions.test_rules_page import HEAD, examples

SUFFIXES = (".bpmn", ".xml")


def runs(model: Model, seeds: range, called: dict[str, Model] | None = None) -> dict[Outcome, int]:
    """Play every executable process of the model; fail at the first stall."""
    known = called or {}
    counts = dict.fromkeys(Outcome, 0)
    for item in model.processes:
        if not item.executable:
            continue
        program = compile_program(model, item.id, {**stand_ins(model, known), **known})
        words = vocabulary(model)
        for seed in seeds:
            run = Run(program, words, seed)
            outcome = run.play()
            counts[outcome] += 1
            assert outcome is not Outcome.STALLED, (model.file, seed, run.trace)
    return counts


def stand_ins(model: Model, known: dict[str, Model]) -> dict[str, Model]:
    """Return a small process for every called one that the corpus does not hold."""
    wanted = {node.called_element for item in model.processes for _, node in walk(item.scope)}
    for other in known.values():
        wanted |= {node.called_element for item in other.processes for _, node in walk(item.scope)}
    own = {item.id for item in model.processes}
    found = {}
    for name in wanted - own - set(known) - {None}:
        content = line('<userTask id="stand_in"/>', ids=("stand_in",)).replace('"loan"', f'"{name}"')
        found[str(name)] = read_model(definitions(content), f"{name}.bpmn")
    return found


def accepted_example(example: str) -> str | None:
    if example.startswith("<!--"):
        return None
    if "<process" not in example and "<message" not in example.split("\n", maxsplit=1)[0]:
        example = process(example)
    return f"{HEAD}{example}\n</definitions>"


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (rule, text)
        for rule, kind, example in examples()
        if kind == "Right" and (text := accepted_example(example)) is not None
    ],
)
def test_right_examples_run(rule: str, text: str) -> None:
    model = read_model(text.encode(), f"{rule}.bpmn")
    counts = runs(model, range(6))
    assert counts[Outcome.COMPLETED] + counts[Outcome.HELD] + counts[Outcome.OPEN]


@pytest.mark.parametrize("example", sorted(rule for rule, kind, _ in examples() if kind == "Wrong"))
def test_wrong_examples_that_only_warn_run_or_stop_with_an_incident(example: str) -> None:
    for rule, kind, text in examples():
        if rule != example or kind != "Wrong" or rule[3] not in "56":
            continue
        whole = accepted_example(text)
        if whole is None or rule[:3] == "DW5" or rule == "DW601":
            continue
        runs(read_model(whole.encode(), f"{rule}.bpmn"), range(6))


@pytest.mark.long
@pytest.mark.parametrize("corpus", ["samples", "conformance"])
def test_accepted_models_of_others_never_stall(corpus: str) -> None:
    root = SHARED / corpus
    if not root.is_dir():
        pytest.skip(f"the folder shared/{corpus} is not here")
    total = dict.fromkeys(Outcome, 0)
    with Sandbox() as sandbox:
        for path in sorted(item for item in root.rglob("*") if item.suffix in SUFFIXES):
            data = path.read_bytes()
            if not sandbox.check(data, path.name, context=CheckContext()).accepted:
                continue
            for outcome, count in runs(read_model(data, path.name), range(10), neighbours(path)).items():
                total[outcome] += count
    assert total[Outcome.COMPLETED] > total[Outcome.HELD] + total[Outcome.OPEN]
    print(corpus, {outcome.value: count for outcome, count in total.items()})


def neighbours(path: Path) -> dict[str, Model]:
    """Return the processes of the other files of the folder, as far as they can be read."""
    found: dict[str, Model] = {}
    for other in sorted(path.parent.iterdir()):
        if other == path or other.suffix not in SUFFIXES:
            continue
        try:
            model = read_model(other.read_bytes(), other.name)
        except RefusedError:
            continue
        for item in model.processes:
            found.setdefault(item.id, model)
    return found
