from datetime import UTC, date, datetime
from typing import Any

import pytest
from lxml import etree

from engine.definitions.checker.check import check_model
from engine.definitions.checker.rule import CheckContext
from engine.definitions.letters import render_body, render_subject
from engine.definitions.message_types import check_data
from engine.definitions.package import load_package
from engine.definitions.scenarios import Scenario, read_scenarios
from engine.exchange.ports import Envelope, FormClass, Party
from processes.bpmn import shipped
from tests.processes.stage import Stage

KEY = "jugendamt-fallabgabe"
PACKAGE = load_package(next(folder for folder in shipped() if folder.name == KEY))
SCENARIOS = read_scenarios(PACKAGE)
HANDOVER: dict[str, Any] = {
    "kind": {"name": "Muster", "vorname": "Mia", "geburtsdatum": "2015-06-01"},
    "leistung": {"art": "eingliederung", "beginn": "2024-05-01", "hilfeplanung": True},
    "zustaendigkeit": {"seit": "2026-02-15", "grund": "Umzug der Eltern {{ 7*7 }}"},
    "ansprechperson": {"name": "Jutta Groß", "telefon": "0681 000"},
    "beteiligung": True,
}


def envelope(key: str, data: dict[str, Any], **more: Any) -> Envelope:
    message_type = PACKAGE.message_types[key]
    values: dict[str, Any] = {
        "exchange_id": "e",
        "dispatch_id": "d",
        "installation": "RV",
        "message_type": message_type,
        "sender": Party("10041", "Regionalverband Saarbrücken"),
        "recipient": Party("10045", "Saarpfalz-Kreis"),
        "own_reference": "RV-JUGE-2026-00001",
        "partner_reference": None,
        "subject": "",
        "data": check_data(message_type, data),
        "documents": [],
        "form": FormClass.CONFIDENTIAL,
        "created": datetime(2026, 3, 2, 9, tzinfo=UTC),
    }
    return Envelope(**{**values, **more})


@pytest.mark.parametrize("channel", ["letter+post", "xdomea+folder"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=[s.file for s in SCENARIOS])
def test_both_sides_do_what_the_scenario_tells(scenario: Scenario, channel: str) -> None:
    Stage(PACKAGE, scenario, channel).play()


def test_the_checker_has_nothing_to_say() -> None:
    context = CheckContext(message_types=frozenset(PACKAGE.message_types), forms=frozenset(PACKAGE.forms))
    for name, content in PACKAGE.models.items():
        assert check_model(content, name, context=context).findings == ()


def test_everything_drawn_has_a_shape() -> None:
    tree = etree.fromstring(PACKAGE.models[f"{KEY}.bpmn"])
    model, shapes = "http://www.omg.org/spec/BPMN/20100524/MODEL", "http://www.omg.org/spec/BPMN/20100524/DI"
    drawn = [str(i.get("bpmnElement")) for i in tree.iter(f"{{{shapes}}}BPMNShape", f"{{{shapes}}}BPMNEdge")]
    kinds = ("Task", "Event", "Gateway", "subProcess", "sequenceFlow", "messageFlow", "participant")
    told = [str(i.get("id")) for i in tree.iter(f"{{{model}}}*") if str(i.tag).endswith(kinds)]
    assert sorted(drawn) == sorted(told)


def test_social_data_are_sent_confidentially_only() -> None:
    assert {each.form for each in PACKAGE.message_types.values()} == {FormClass.CONFIDENTIAL}
    tree = etree.fromstring(PACKAGE.models[f"{KEY}.bpmn"])
    sends = tree.findall(".//{*}sendTask")
    assert [send.get("{urn:dienstweg:bpmn:1}form") for send in sends] == ["confidential"] * 3


def test_letters_read_well() -> None:
    body = render_body(envelope("fallabgabe", HANDOVER, answer_due=date(2026, 3, 16)))
    assert "Muster, Mia, geboren am 01.06.2015" in body
    assert "Umzug der Eltern {{ 7*7 }}" in body
    assert "in dem die Fallverantwortung übergeben wird" in body
    assert "unverzüglich, möglichst bis zum 16.03.2026, mit" in body
    accepted = {"ergebnis": "uebernommen", "fortsetzung_ab": "2026-04-01", "fallfuehrung": "Peter Klein"}
    body = render_body(envelope("fallabgabe-antwort", accepted, partner_reference="RV-JUGE-2026-00001"))
    assert "ab dem 01.04.2026 fort" in body
    refused = envelope("fallabgabe-antwort", {"ergebnis": "abgelehnt", "grund": "Zweibrücken ist zuständig."})
    assert "Zweibrücken ist zuständig." in render_body(refused)
    subject = render_subject(
        PACKAGE.message_types["fallabgabe-antwort"],
        refused.data,
        sender=refused.sender,
        recipient=refused.recipient,
        own_reference=refused.own_reference,
        partner_reference=None,
        on=date(2026, 3, 2),
    )
    assert subject == "Ablehnung der Fallübernahme"
