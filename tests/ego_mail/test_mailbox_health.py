"""Mailboxes are tried before anything depends on them, on demand and by the work loop."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli.mailbox
from engine.actor import Actor, Role
from engine.errors import NotAllowedError, NotFoundError
from engine.service import mailbox_health, troubles
from engine.service.arrivals import receiving
from engine.service.directory.mailboxes import add_mailbox, end_mailbox
from engine.service.mailbox_health import check_mailboxes, check_overdue, health_of
from engine.service.work import run_until_idle
from engine.store.tables import incidents
from tests.contracts.samples import HOMBURG, SAARBRUECKEN
from tests.ego_mail.conftest import CHANNEL, World
from tests.ego_mail.halls import Halls, open_halls

OWN, PARTNER = SAARBRUECKEN.authority_id, HOMBURG.authority_id


@pytest.fixture
def halls(world: World, tmp_path: Path) -> Iterator[Halls]:
    with open_halls(world, tmp_path / "halls") as halls:
        yield halls


def check(halls: Halls, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    side = halls.sides["requesting"]
    result = CliRunner().invoke(cli.mailbox.app, ["check", *arguments, "--json"], obj=side)
    return result.exit_code, json.loads(result.stdout)


def told(halls: Halls) -> list[dict[str, Any]]:
    rows = halls.rows("requesting", incidents)
    return [row for row in rows if row["kind"] == mailbox_health.KIND and row["status"] == "open"]


def test_mailboxes_are_tried_from_the_command_line(halls: Halls, world: World) -> None:
    status, found = check(halls)
    own, partner = found
    assert status == 0
    assert (own["authority_id"], own["own"], own["ok"]) == (OWN, True, True)
    assert (partner["authority_id"], partner["own"], partner["ok"]) == (PARTNER, False, True)
    assert [each["code"] for each in own["findings"]] == ["scanner", *["certificate"] * 4, "dialog"]
    assert [each["code"] for each in partner["findings"]] == ["certificate"] * 3
    assert own["ends"] == world.keys(SAARBRUECKEN).cipher.not_valid_after_utc.isoformat()

    status, (one,) = check(halls, PARTNER, CHANNEL)
    assert (status, one["authority_id"]) == (0, PARTNER)
    shown = CliRunner().invoke(cli.mailbox.app, ["check"], obj=halls.sides["requesting"]).stdout
    assert f"{OWN} (own)  {CHANNEL}  works  {world.uri}" in shown


def test_an_intermediary_that_does_not_answer_is_a_fault(halls: Halls, world: World) -> None:
    side = halls.sides["requesting"]
    end_mailbox(side.app, side.actor, OWN, CHANNEL, world.clock.now().date() - timedelta(days=1))
    changed = world.mailbox(SAARBRUECKEN, address="https://127.0.0.1:1/", settings=operator(world))
    add_mailbox(side.app, side.actor, changed)
    status, found = check(halls, OWN)
    assert (status, found[0]["ok"]) == (6, False)
    assert [each["code"] for each in found[0]["findings"] if each["fault"]] == ["dialog"]
    (incident,) = told(halls)
    assert "127.0.0.1:1" in incident["message"]


def operator(world: World) -> dict[str, str]:
    from tests.ego_mail.conftest import pem

    return {"intermediary_cipher": pem(world.pki.operator.cipher)}


def test_the_work_loop_looks_once_a_day_and_tells_before_a_certificate_ends(
    halls: Halls, world: World
) -> None:
    side = halls.sides["requesting"]
    run_until_idle(side.app)
    assert check_overdue(side.app) == 0
    with side.app.read() as tx:
        before = health_of(tx)
    assert {each.ok for each in before.values()} == {True}
    ends = world.keys(SAARBRUECKEN).cipher.not_valid_after_utc
    assert {each.ends for each in before.values()} == {ends}

    world.clock.turn(ends - world.clock.now() - timedelta(days=31))
    run_until_idle(side.app)
    assert told(halls) == []
    world.clock.turn(timedelta(hours=23))
    assert check_overdue(side.app) == 0
    world.clock.turn(timedelta(hours=2))
    run_until_idle(side.app)
    assert {row["authority_id"] for row in told(halls)} == {OWN}
    assert len(told(halls)) == 2
    assert all(f"ends on {ends.date().isoformat()}" in row["message"] for row in told(halls))
    world.clock.turn(timedelta(days=1))
    run_until_idle(side.app)
    assert len(told(halls)) == 2
    with side.app.read() as tx:
        assert {each.ok for each in health_of(tx, authority=OWN).values()} == {True}

    end_mailbox(side.app, side.actor, PARTNER, CHANNEL, world.clock.now().date() - timedelta(days=1))
    incident = next(row for row in told(halls) if PARTNER in row["message"])
    troubles.resolve(side.app, side.actor, incident["id"], "ended")
    world.clock.turn(timedelta(days=2))
    run_until_idle(side.app)
    (own,) = told(halls)
    assert "own cipher certificate" in own["message"]


def test_an_incident_closes_when_a_later_look_finds_it_mended(halls: Halls, world: World) -> None:
    side = halls.sides["requesting"]
    usual = world.service.settings
    world.service.settings = replace(usual, max_message_bytes=10)
    run_until_idle(side.app)
    world.service.settings = usual
    (own,) = told(halls)
    assert OWN in own["message"]
    troubles.retry(side.app, side.actor, own["id"], "the line is mended")
    run_until_idle(side.app)
    assert told(halls) == []
    with side.app.read() as tx:
        assert all(each.ok for each in health_of(tx).values())


def test_only_admins_look_and_unknown_mailboxes_are_told(halls: Halls) -> None:
    side = halls.sides["requesting"]
    with pytest.raises(NotAllowedError):
        check_mailboxes(side.app, Actor("clerk", OWN, frozenset({Role.CLERK})))
    with pytest.raises(NotFoundError, match="no open mailbox of Homburg on letter"):
        check_mailboxes(side.app, side.actor, authority="Homburg", channel="letter+post")


@pytest.mark.parametrize(
    ("shown", "is_open"), [((11, 22, 30), False), ((11, 23, 30), True), ((12, 23, 30), False)]
)
def test_a_mailbox_opens_and_ends_on_local_days(
    halls: Halls, world: World, shown: tuple[int, int, int], is_open: bool
) -> None:
    side = halls.sides["requesting"]
    end_mailbox(side.app, side.actor, OWN, CHANNEL, date(2026, 3, 5))
    day = date(2026, 3, 12)
    box = world.mailbox(SAARBRUECKEN, valid_from=day, valid_until=day, address="https://127.0.0.1:1/")
    add_mailbox(side.app, side.actor, replace(box, settings={**box.settings, **operator(world)}))
    at, hour, minute = shown
    world.clock.set(datetime(2026, 3, at, hour, minute, tzinfo=UTC))
    assert (OWN in {each.authority_id for each in check_mailboxes(side.app, side.actor)}) is is_open
    receiving.collect_all(side.app)
    kinds = {row["kind"] for row in halls.rows("requesting", incidents)}
    assert ("mailbox" in kinds) is is_open, "only an open mailbox is asked, and does not answer"


def test_a_mailbox_that_names_another_cipher_certificate_than_the_own_does_not_work(
    halls: Halls, world: World
) -> None:
    side = halls.sides["requesting"]
    end_mailbox(side.app, side.actor, OWN, CHANNEL, world.clock.now().date() - timedelta(days=1))
    other = world.mailbox(HOMBURG).settings["certificate"]
    add_mailbox(side.app, side.actor, world.mailbox(SAARBRUECKEN, settings={"certificate": other}))
    status, found = check(halls, OWN)
    assert status == 6
    assert [each["code"] for each in found[0]["findings"] if each["fault"]] == ["other-key"]
