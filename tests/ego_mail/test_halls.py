"""A case between two town halls whose messages all travel through the intermediary."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.ego_mail.commands import ego_mail
from engine.service.cases import show_case, start_case
from engine.store.tables import arrival_parts, arrivals, dispatches, evidence, facts
from tests.contracts.samples import HOMBURG, SAARBRUECKEN
from tests.ego_mail.conftest import CHANNEL, World, pem
from tests.ego_mail.halls import REFUSAL, Halls, open_halls
from tests.enforcement import REQUEST


@pytest.fixture
def halls(world: World, tmp_path: Path) -> Iterator[Halls]:
    with open_halls(world, tmp_path / "halls") as halls:
        yield halls


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


def test_a_partner_s_terms_are_written_down(world: World, tmp_path: Path) -> None:
    file = tmp_path / "partner.pem"
    file.write_text(pem(world.keys(HOMBURG).cipher))
    result = CliRunner().invoke(ego_mail, ["terms", str(file), "--limit", "file", "--version", "3.1.0"])
    settings = json.loads(result.stdout)
    assert settings == {"certificate": file.read_text(), "limit": "file", "versions": ["3.1.0"]}
