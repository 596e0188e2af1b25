"""Cases recorded earlier go on as they would have: from every stored state, command by command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from engine.identifiers import SeededIds
from engine.runtime import ItemKind, Program, StateUnreadableError, advance
from engine.runtime.document import load
from engine.runtime.services import Services
from engine.runtime.upgrades import STATE_FORMAT, UPGRADERS, upgraded
from tests.conformance.driver import BEGIN
from tests.runtime.recording import command_of, files, instant, outcome, own_models, read
from tests.runtime.walks import STEP_LIMIT

PROGRAMS: dict[str, Program] = {name: program for name, program, _, _ in own_models()}
FILES = files()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_recorded_case_goes_on_from_every_stored_state(file: Path) -> None:
    for history in read(file):
        program = PROGRAMS[history["case"]]
        stored: str | None = None
        living: str | None = None
        for row in history["rows"]:
            for state in {stored, living}:
                result = advance(
                    program,
                    state,
                    command_of(row["do"]),
                    now=instant(row),
                    ids=SeededIds(1),
                    step_limit=STEP_LIMIT,
                )
                assert outcome(result) == row["outcome"], (history["case"], row["do"])
            stored, living = row["state"], result.state


def test_every_kind_of_wait_is_among_the_stored_states() -> None:
    opened = {
        item.split()[0]
        for file in files(STATE_FORMAT)
        for history in read(file)
        for row in history["rows"]
        for item in row["outcome"]["opened"]
    }
    assert opened == {kind.value for kind in ItemKind}


def test_a_history_stands_for_every_state_format() -> None:
    assert {file.stem.split("-")[1] for file in FILES} == {str(n) for n in range(1, STATE_FORMAT + 1)}


def test_every_case_of_ours_has_a_history() -> None:
    recorded = {history["case"] for file in files(STATE_FORMAT) for history in read(file)}
    assert recorded == set(PROGRAMS), "run python -m tests.runtime.recording"


@pytest.mark.parametrize(
    "text", ['{"state_format":99}', "{}", "[]", "no json", '{"state_format":1,"ids":"x","number":1}']
)
def test_documents_that_cannot_be_read_say_so(text: str) -> None:
    program = next(iter(PROGRAMS.values()))
    with pytest.raises(StateUnreadableError):
        load(program, text, Services(BEGIN))


def test_a_document_for_another_model_is_refused_not_misread() -> None:
    history = next(one for one in read(FILES[0]) if one["case"] == "task-kinds")
    with pytest.raises(StateUnreadableError):
        load(PROGRAMS["tx-success"], history["rows"][0]["state"], Services(BEGIN))


def test_present_documents_need_no_upgrade() -> None:
    document = {"state_format": STATE_FORMAT}
    assert upgraded(document) is document


def test_an_older_document_goes_on_through_every_upgrader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Format 1 is the first that was ever written; two made-up older ones prove the way."""
    changes = {-1: ("identifiers", "idents"), 0: ("idents", "ids")}

    def step(number: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
        old, new = changes[number]

        def upgrade(document: dict[str, Any]) -> dict[str, Any]:
            return {**{k: v for k, v in document.items() if k != old}, new: document[old], **after(number)}

        return upgrade

    def after(number: int) -> dict[str, Any]:
        return {"state_format": number + 1}

    for number in changes:
        monkeypatch.setitem(cast("dict[int, Any]", UPGRADERS), number, step(number))
    history = next(one for one in read(FILES[0]) if len(one["rows"]) > 1)
    row, following = history["rows"][0], history["rows"][1]
    document = json.loads(row["state"])
    document["identifiers"] = document.pop("ids")
    state = json.dumps({**document, "state_format": -1})
    result = advance(
        PROGRAMS[history["case"]],
        state,
        command_of(following["do"]),
        now=instant(following),
        ids=SeededIds(1),
        step_limit=STEP_LIMIT,
    )
    assert outcome(result) == following["outcome"]
