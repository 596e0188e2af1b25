"""Shadow sends through a running intermediary: marked, answered with digests, without effect."""

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.service.cases import list_cases, start_case
from engine.service.directory.mailboxes import add_mailbox
from engine.service.migration.shadow_results import list_shadows
from engine.service.migration.switching import Switch, switch
from engine.service.troubles import list_incidents
from engine.store.tables import arrivals, dispatches
from tests.ego_mail.conftest import World
from tests.ego_mail.halls import PARTIES, Halls, open_halls
from tests.enforcement import REQUEST


@pytest.fixture
def halls(world: World, tmp_path: Path) -> Iterator[Halls]:
    with open_halls(world, tmp_path / "halls") as halls:
        yield halls


@pytest.mark.parametrize("payload", ["xdomea", "document"])
def test_a_shadow_passes_the_intermediary_and_comes_back_equal(
    halls: Halls, world: World, payload: str
) -> None:
    channel = f"{payload}+ego_mail"
    requesting, enforcing = halls.sides["requesting"], halls.sides["enforcing"]
    for side in halls.sides.values():
        for party in PARTIES.values():
            box = replace(world.mailbox(party), channel=channel, accepts_test=True)
            add_mailbox(side.app, side.actor, replace(box, valid_from=world.clock.now().date()))
    switch(requesting.app, requesting.actor, Switch("letter+post", reason="paper"))
    switch(requesting.app, requesting.actor, Switch(channel, stage="shadow", reason="try"))
    start_case(requesting.app, requesting.actor, "vollstreckungshilfe")
    halls.complete("requesting", "Ersuchen erfassen", copy.deepcopy(REQUEST))
    halls.work()

    (line,) = list_shadows(requesting.app, requesting.actor)
    assert (line.channel, line.state, line.differences, line.reason) == (channel, "equal", [], None)
    real = [row for row in halls.rows("requesting", dispatches) if row["purpose"] == "message"]
    assert [(row["channel"], row["test"]) for row in real] == [("letter+post", False)]
    (arrival,) = halls.rows("enforcing", arrivals)
    assert (arrival["status"], arrival["test"], arrival["case_id"]) == ("test", True, None)
    assert list_cases(enforcing.app, enforcing.actor) == []
    for side in halls.sides.values():
        assert list_incidents(side.app, side.actor) == []
