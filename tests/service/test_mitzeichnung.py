"""A draft goes through three authorities by the standard's own routing slip, and returns signed."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.clock import TurnedClock
from engine.definitions.package import load_package
from engine.service import cases, files, tasks
from engine.service.arrivals import registering
from engine.service.exchanges.listing import list_exchanges, show_exchange
from engine.service.trial import Side, open_sides
from engine.service.troubles import list_incidents
from engine.service.verifying import verify_installation
from engine.service.work import run_until_idle
from tests.checking import sandbox

AUTHORITIES = {"initiator": "10041100", "first": "10045114", "second": "10043114", "third": "10044115"}
ROUTE = {
    "initiator": AUTHORITIES["initiator"],
    "laufweg": {
        "steps": [
            {"key": AUTHORITIES["first"], "name": "Homburg", "order": "z. K."},
            {"key": AUTHORITIES["second"], "name": "Neunkirchen"},
            {"key": AUTHORITIES["third"], "name": "Saarlouis"},
        ]
    },
}
DRAFT = b"%PDF-1.7 Entwurf"


def only(found):
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(params=["xdomea+folder", "document+folder"])
def sides(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[dict[str, Side]]:
    package = load_package(Path(__file__).parent / "mitzeichnung")
    clock = TurnedClock(datetime(2026, 3, 2, 11, tzinfo=UTC))
    opened = open_sides(tmp_path, package, AUTHORITIES, request.param, clock, sandbox=sandbox())
    yield opened
    for side in opened.values():
        side.app.close()


def work(sides: dict[str, Side]) -> None:
    while not all(run_until_idle(side.app).nothing for side in sides.values()):
        pass


def begin(side: Side, folder: Path) -> str:
    case = cases.start_case(side.app, side.actor, "mitzeichnung", {"umlauf": ROUTE})
    (folder / "Entwurf.pdf").write_bytes(DRAFT)
    files.add_document(side.app, side.actor, case.id, folder / "Entwurf.pdf", role="entwurf")
    complete(side, {"bereit": True})
    return case.id


def complete(side: Side, data: dict) -> None:
    task = only(tasks.list_tasks(side.app, side.actor))
    tasks.complete_task(side.app, side.actor, task.id, data)


def sign(sides: dict[str, Side], role: str, **more: str) -> list[str]:
    """Sign where it is ``role``'s turn and nobody else's; return the statuses that were sent on."""
    work(sides)
    waiting = [name for name, side in sides.items() if tasks.list_tasks(side.app, side.actor)]
    assert waiting == [role]
    side = sides[role]
    complete(side, {"zeichnung": {"von": f"Amt {role}", "am": "2026-03-05", **more}})
    sent = show_exchange(side.app, side.actor, only(list_exchanges(side.app, side.actor)).id)
    return [step["status"] for step in sent["data"]["laufweg"]["steps"]]


def returned(sides: dict[str, Side], case_id: str) -> dict:
    """Check that the route is back at its initiator; return it."""
    work(sides)
    side = sides["initiator"]
    assert registering.list_arrivals(side.app, side.actor) == []
    assert cases.show_case(side.app, side.actor, case_id).case.status == "ended"
    kept = [each for each in files.list_documents(side.app, side.actor, case_id) if each.role != "letter"]
    assert [each.name for each in kept] == ["Entwurf.pdf", "Entwurf.pdf"]
    sent = show_exchange(side.app, side.actor, only(list_exchanges(side.app, side.actor)).id)
    confirmed = {"received"} if only(sent["dispatches"])["channel"].startswith("xdomea") else set()
    assert {"answered", *confirmed} <= {fact["kind"] for fact in sent["facts"]}
    for each in sides.values():
        assert list_incidents(each.app, each.actor) == []
        assert verify_installation(each.app).faults == ()
    with side.app.read() as tx:
        return cases.data_of(side.app, tx, case_id)["umlauf"]


def test_it_goes_round_and_comes_back(sides: dict[str, Side], tmp_path: Path) -> None:
    case = begin(sides["initiator"], tmp_path)
    assert sign(sides, "first") == ["003", "002", "001"]
    assert sign(sides, "second") == ["003", "003", "002"]
    assert sign(sides, "third") == ["003", "003", "003"]
    route = returned(sides, case)
    assert [step["done"]["by"] for step in route["laufweg"]["steps"]] == [
        "Amt first",
        "Amt second",
        "Amt third",
    ]
    assert route["eingang"]["absender"] == AUTHORITIES["third"]


def test_a_skipped_authority_gets_nothing(sides: dict[str, Side], tmp_path: Path) -> None:
    case = begin(sides["initiator"], tmp_path)
    assert sign(sides, "first", auslassen="2") == ["003", "004", "002"]
    assert sign(sides, "third") == ["003", "004", "003"]
    returned(sides, case)
    assert cases.list_cases(sides["second"].app, sides["second"].actor) == []
