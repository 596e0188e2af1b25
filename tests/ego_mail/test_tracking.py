"""Process cards are looked at until reception is proved; without it a clerk decides on a copy by post."""

import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from engine.definitions.package import load_package
from engine.errors import RefusedError
from engine.service import tasks
from engine.service.cases import start_case
from engine.service.deadlines.listing import list_deadlines
from engine.service.exchanges.awaiting import DECIDE_COPY
from engine.service.mailbox_health import health_of
from engine.service.procedures import deploy
from engine.service.work import run_until_idle
from engine.store.tables import dispatches, evidence, facts, jobs, mailboxes
from engine.store.tables import tasks as task_rows
from tests.contracts.samples import HOMBURG
from tests.ego_mail.conftest import CHANNEL, World
from tests.ego_mail.halls import PARTIES, Halls, open_halls
from tests.enforcement import REQUEST

CONSENT = Path(__file__).parents[1] / "service" / "packages" / "einvernehmen"


@pytest.fixture
def halls(world: World, tmp_path: Path) -> Iterator[Halls]:
    with open_halls(world, tmp_path / "halls") as halls:
        side = halls.sides["requesting"]
        start_case(side.app, side.actor, "vollstreckungshilfe")
        task = tasks.list_tasks(side.app, side.actor)[0]
        tasks.complete_task(side.app, side.actor, task.id, REQUEST)
        run_until_idle(side.app)
        yield halls


def known(halls: Halls) -> list[str]:
    return [row["kind"] for row in halls.rows("requesting", facts)]


def cards(halls: Halls) -> int:
    rows = halls.rows("requesting", evidence)
    return sum(row["name"] == "process-card.xml" and row["dispatch_id"] is not None for row in rows)


def later(world: World, halls: Halls, **span: int) -> None:
    world.clock.turn(timedelta(**span))
    run_until_idle(halls.sides["requesting"].app)


def copies(halls: Halls) -> list[tasks.TaskLine]:
    side = halls.sides["requesting"]
    return [task for task in tasks.list_tasks(side.app, side.actor) if task.kind == DECIDE_COPY]


def test_reception_becomes_a_fact_with_the_card_that_proves_it(halls: Halls, world: World) -> None:
    assert (known(halls), cards(halls)) == (["created"], 1)
    later(world, halls, minutes=1)
    later(world, halls, minutes=2)
    assert (known(halls), cards(halls)) == (["created"], 1), "nothing has changed, nothing is stored again"
    run_until_idle(halls.sides["enforcing"].app)
    later(world, halls, minutes=4)
    assert sorted(known(halls)) == ["created", "forwarded", "received"]
    assert cards(halls) == 2
    rows = {row["id"]: row["name"] for row in halls.rows("requesting", evidence)}
    received = next(row for row in halls.rows("requesting", facts) if row["kind"] == "received")
    assert rows[received["evidence_id"]] == "process-card.xml"
    answers = [row for row in halls.rows("requesting", evidence) if row["name"] == "process-card-answer.xml"]
    raw = halls.sides["requesting"].app.documents.local_path(answers[0]["sha256"]).read_bytes()
    assert b"Signature" in raw
    assert b"Reception" in raw
    later(world, halls, days=6)
    assert copies(halls) == []
    assert cards(halls) == 2


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_deadline_runs_from_reception_alone(
    world: World, tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    """§ 36(2) BauGB: two months from the arrival of the request at the municipality."""
    databases = {}
    if database == "postgresql":
        postgres = request.getfixturevalue("postgres")
        databases = {role: postgres.fresh() for role in PARTIES}
    with open_halls(world, tmp_path / "halls", databases=databases) as halls:
        for side in halls.sides.values():
            deploy(side.app, side.actor, load_package(CONSENT))
        side = halls.sides["requesting"]
        data = {"gemeinde": HOMBURG.authority_id, "einvernehmensersuchen": {"vorhaben": "Carport"}}
        start_case(side.app, side.actor, "einvernehmen", data, process_id="Process_Bauaufsicht")
        run_until_idle(side.app)
        (line,) = list_deadlines(side.app, side.actor)
        assert (line.state, line.end) == ("unarmed", None)
        # The municipality fetches, but its receipt is lost: the message is forwarded and nothing more.
        box = world.mailbox(HOMBURG)
        assert len(list(world.carrier(HOMBURG).collect(box))) == 1
        later(world, halls, minutes=1)
        assert sorted(known(halls)) == ["created", "forwarded"]
        (line,) = list_deadlines(side.app, side.actor)
        assert (line.state, line.end) == ("unarmed", None)

        world.clock.turn(timedelta(days=4))
        run_until_idle(halls.sides["enforcing"].app)
        later(world, halls, hours=6)
        (line,) = list_deadlines(side.app, side.actor)
        assert (line.state, line.end) == ("armed", date(2026, 5, 6))
        with side.app.read() as tx:
            assert {each.ok for each in health_of(tx).values()} == {True}


def test_forwarding_alone_is_no_delivery_and_a_clerk_sends_a_copy(halls: Halls, world: World) -> None:
    side = halls.sides["requesting"]
    for _ in range(4):
        later(world, halls, days=1)
    assert copies(halls) == []
    later(world, halls, days=1)
    (task,) = copies(halls)
    with pytest.raises(RefusedError, match="say whether a copy goes by post"):
        tasks.complete_task(side.app, side.actor, task.id)
    with pytest.raises(RefusedError, match="'kopie' is not asked here"):
        tasks.complete_task(side.app, side.actor, task.id, {"kopie": True})
    tasks.complete_task(side.app, side.actor, task.id, {"copy": True})
    run_until_idle(side.app)
    first, second = halls.rows("requesting", dispatches)
    assert (first["channel"], first["copy"], first["state"]) == (CHANNEL, False, "handed_over")
    assert (second["channel"], second["copy"], second["state"]) == ("letter+post", True, "handed_over")
    assert second["decision"]["considered"][0]["reasons"][0] == "a clerk asked for a copy"
    later(world, halls, days=30)
    assert copies(halls) == []
    assert len(halls.rows("requesting", dispatches)) == 2


def test_without_a_copy_nothing_is_sent_again(halls: Halls, world: World) -> None:
    side = halls.sides["requesting"]
    later(world, halls, days=5)
    (task,) = copies(halls)
    tasks.complete_task(side.app, side.actor, task.id, {"copy": False, "reason": "telephoned"})
    later(world, halls, days=30)
    assert len(halls.rows("requesting", dispatches)) == 1


def test_a_reception_that_comes_late_takes_the_question_away(halls: Halls, world: World) -> None:
    later(world, halls, days=5)
    assert len(copies(halls)) == 1
    run_until_idle(halls.sides["enforcing"].app)
    later(world, halls, hours=6)
    assert copies(halls) == []
    rows = [row for row in halls.rows("requesting", task_rows) if row["kind"] == DECIDE_COPY]
    assert [row["status"] for row in rows] == ["withdrawn"]


def test_a_look_just_before_the_term_keeps_clerks_from_needless_questions(halls: Halls, world: World) -> None:
    later(world, halls, days=4, hours=23, minutes=50)
    world.clock.turn(timedelta(minutes=5))
    run_until_idle(halls.sides["enforcing"].app)
    later(world, halls, minutes=5)
    assert [row for row in halls.rows("requesting", task_rows) if row["kind"] == DECIDE_COPY] == []
    assert "received" in known(halls)


def test_a_mailbox_can_name_its_own_term(world: World, tmp_path: Path) -> None:
    with open_halls(world, tmp_path / "halls") as halls:
        side = halls.sides["requesting"]
        with side.app.write() as tx:
            for row in tx.execute(select(mailboxes)).mappings().all():
                settings = {**row["settings"], "receipt_within": "P2D"}
                tx.execute(update(mailboxes).where(mailboxes.c.id == row["id"]).values(settings=settings))
        start_case(side.app, side.actor, "vollstreckungshilfe")
        tasks.complete_task(side.app, side.actor, tasks.list_tasks(side.app, side.actor)[0].id, REQUEST)
        run_until_idle(side.app)
        later(world, halls, days=1)
        assert copies(halls) == []
        later(world, halls, days=1)
        assert len(copies(halls)) == 1


def test_a_card_that_has_gone_takes_nothing_away_and_nobody_looks_for_ever(
    halls: Halls, world: World
) -> None:
    later(world, halls, minutes=1)
    forget_cards(world)
    (sent,) = halls.rows("requesting", dispatches)
    later(world, halls, days=6)
    assert (known(halls), cards(halls)) == (["created"], 1)

    def looks() -> list[str]:
        rows = halls.rows("requesting", jobs)
        return [row["arguments"]["dispatch"] for row in rows if row["kind"] == "track"]

    assert sent["id"] in looks()
    later(world, halls, days=84)
    assert sent["id"] not in looks()


def forget_cards(world: World) -> None:
    """Clear away all deliveries and their process cards, as an operator does after a while."""
    with sqlite3.connect(world.folder / "intermediary" / "intermediary.sqlite3") as database:
        database.execute("DELETE FROM attachment")
        database.execute("DELETE FROM delivery")
