"""Two town halls that reach each other through a running intermediary alone, as their settings files say."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from adapters.ego_mail.commands import ego_mail
from engine.clock import TurnedClock
from engine.definitions.package import load_package
from engine.exchange.ports import Party
from engine.service import directory, tasks
from engine.service.cases import show_case, start_case
from engine.service.installation import open_installation
from engine.service.migration.switching import Switch, switch
from engine.service.trial import Side, open_sides
from engine.service.work import run_until_idle
from engine.store.tables import arrival_parts, arrivals, dispatches, evidence, facts
from processes.bpmn import shipped
from tests.contracts.samples import HOMBURG, SAARBRUECKEN
from tests.ego_mail.conftest import CHANNEL, World, pem

PARTIES = {"requesting": SAARBRUECKEN, "enforcing": HOMBURG}
REQUEST = {
    "empfaenger": HOMBURG.authority_id,
    "vollstreckungsersuchen": {
        "schuldner": {"name": "Muster", "strasse": "Talstraße 1", "plz": "66424", "ort": "Homburg"},
        "forderung": {
            "grund": "Hundesteuer 2025",
            "aktenzeichen": "H 2025/9",
            "bescheid_vom": "2025-01-15",
            "faellig_seit": "2025-02-15",
            "hauptforderung": 96,
        },
        "vollstreckbarkeit": {"erklaert": True, "mahnung_vom": "2025-03-20"},
        "zahlung": {"iban": "DE02120300000000202051", "verwendungszweck": "H 2025/9"},
    },
}
REFUSAL = {"pruefung": {"annahme": "nein", "grund": "Die Schuldnerin ist nach Neunkirchen verzogen."}}


@dataclass
class Halls:
    sides: dict[str, Side]

    def work(self) -> None:
        while not all(run_until_idle(side.app).nothing for side in self.sides.values()):
            pass

    def complete(self, role: str, name: str, data: dict[str, Any]) -> None:
        side = self.sides[role]
        task = next(t for t in tasks.list_tasks(side.app, side.actor) if t.name == name)
        tasks.complete_task(side.app, side.actor, task.id, data)
        self.work()

    def rows(self, role: str, table: Any) -> list[dict[str, Any]]:
        with self.sides[role].app.read() as tx:
            return [dict(row) for row in tx.execute(select(table)).mappings()]


def configure(world: World, side: Side, party: Party) -> Side:
    """Write the carrier's table into the settings file and open the installation with it."""
    home, keys = side.app.settings.home, world.home(party)
    own = world.settings(party, trust=str(keys / "trust"), tls_ca=str(keys / "trust" / "ca.pem"))
    table = {**own, "senders": str(keys / "senders")}
    lines = ["[adapters.ego_mail]"]
    lines += [f'{key} = "{value}"' for key, value in table.items() if isinstance(value, str)]
    lines = [line.replace('= "osci-', f'= "{keys}/osci-') for line in lines]
    lines += ["timeout = 20", f"[adapters.ego_mail.keys.{party.authority_id}]"]
    lines += [f'signature = "{keys}/signature.p12"', f'cipher = "{keys}/cipher.p12"']
    lines += ['password_env = "TEST_KEY_PASSWORD"']
    with (home / "dienstweg.toml").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    side.app.close()
    app = open_installation(home, clock=world.clock)
    return Side(app, app.actor("clerk"), side.role)


@pytest.fixture
def halls(world: World, tmp_path: Path) -> Iterator[Halls]:
    package = next(load_package(folder) for folder in shipped() if folder.name == "vollstreckungshilfe")
    clock: TurnedClock = world.clock
    roles = {role: party.authority_id for role, party in PARTIES.items()}
    made = open_sides(tmp_path / "halls", package, roles, "letter+post", clock)
    sides = {role: configure(world, side, PARTIES[role]) for role, side in made.items()}
    for side in sides.values():
        for party in PARTIES.values():
            directory.add_mailbox(side.app, side.actor, world.mailbox(party))
        switch(side.app, side.actor, Switch(CHANNEL, reason="test"))
    yield Halls(sides)
    for side in sides.values():
        side.app.close()


def test_a_request_and_its_answer_travel_through_the_intermediary(halls: Halls) -> None:
    requesting = halls.sides["requesting"]
    case = start_case(requesting.app, requesting.actor, "vollstreckungshilfe")
    halls.complete("requesting", "Ersuchen erfassen", copy.deepcopy(REQUEST))
    halls.complete("enforcing", "Ersuchen prüfen", REFUSAL)
    halls.complete(
        "requesting",
        "Antwort auswerten",
        {"auswertung": {"weiteres": "erneut", "vermerk": "Ersuchen an Neunkirchen richten."}},
    )
    assert show_case(requesting.app, requesting.actor, case.id).case.status == "ended"

    (arrival,) = [row for row in halls.rows("enforcing", arrivals) if row["message_type"]]
    assert (arrival["channel"], arrival["sender_id"]) == (CHANNEL, SAARBRUECKEN.authority_id)
    assert arrival["assurance"] == "signature"
    assert not arrival["remarks"]
    proofs = {row["name"] for row in halls.rows("enforcing", arrival_parts) if row["role"] == "evidence"}
    assert {"process-card.xml", "Nachricht.osci", "Anschreiben.txt"} <= proofs

    sent = [row for row in halls.rows("requesting", dispatches) if row["purpose"] == "message"]
    assert [row["state"] for row in sent] == ["handed_over"]
    assert [row["kind"] for row in halls.rows("requesting", facts) if row["dispatch_id"]][:1] == ["created"]
    assert {row["name"] for row in halls.rows("requesting", evidence)} >= {"receipt.xml", "process-card.xml"}


def test_the_own_mailbox_is_tried_from_the_command_line(halls: Halls, world: World) -> None:
    def check() -> tuple[int, list[dict[str, Any]]]:
        result = CliRunner().invoke(ego_mail, ["check", "--json"], obj=halls.sides["requesting"])
        return result.exit_code, json.loads(result.stdout)

    status, (report,) = check()
    assert status == 0
    assert report == {
        "authority_id": SAARBRUECKEN.authority_id,
        "address": world.uri,
        "ok": True,
        "faults": [],
        "warnings": [],
    }
    world.clock.turn(timedelta(days=400))
    status, (report,) = check()
    assert status == 6
    assert any("expired" in fault for fault in report["faults"])
    assert len(report["warnings"]) == 3


def test_a_partner_s_terms_are_written_down(world: World, tmp_path: Path) -> None:
    file = tmp_path / "partner.pem"
    file.write_text(pem(world.keys(HOMBURG).cipher))
    result = CliRunner().invoke(ego_mail, ["terms", str(file), "--limit", "file", "--version", "3.1.0"])
    settings = json.loads(result.stdout)
    assert settings == {"certificate": file.read_text(), "limit": "file", "versions": ["3.1.0"]}
