import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from lxml import etree

from engine.definitions.checker.check import check_model
from engine.definitions.checker.rule import CheckContext
from engine.definitions.letters import render_body, render_subject
from engine.definitions.message_types import check_data
from engine.definitions.package import ProcedurePackage, build_package, load_package
from engine.definitions.scenarios import Scenario, read_scenarios
from engine.exchange.ports import Envelope, FormClass, Party
from processes.bpmn import shipped
from tests.processes.stage import Stage

KEY = "vollstreckungshilfe"
PACKAGE = load_package(next(folder for folder in shipped() if folder.name == KEY))
SCENARIOS = read_scenarios(PACKAGE)

SAARBRUECKEN = Party("10041100", "Landeshauptstadt Saarbrücken")
HOMBURG = Party("10045114", "Kreisstadt Homburg")
REQUEST: Mapping[str, Any] = {
    "schuldner": {
        "name": "Muster & Söhne {{ 7*7 }} #strong[x]",
        "strasse": "Talstraße 1",
        "plz": "66424",
        "ort": "Homburg",
    },
    "forderung": {
        "grund": "Grundsteuer B 2025",
        "aktenzeichen": "K 2025/4711",
        "bescheid_vom": "2025-01-15",
        "faellig_seit": "2025-02-15",
        "hauptforderung": 1420.5,
        "nebenforderungen": 12,
    },
    "vollstreckbarkeit": {"erklaert": True, "mahnung_vom": "2025-03-20"},
    "zahlung": {"iban": "DE02120300000000202051", "verwendungszweck": "K 2025/4711"},
}
ANSWER: Mapping[str, Any] = {
    "ergebnis": "teilweise",
    "anzahl_versuche": 2,
    "gezahlt": 200,
    "ausgezahlt_am": "2026-04-14",
    "bericht": "Mehr war nicht zu holen.",
    "versuche": [
        {"datum": "2026-03-16", "art": "sachpfaendung", "ergebnis": "teilweise", "betrag": 200},
        {
            "datum": "2026-04-13",
            "art": "vermoegensauskunft",
            "ergebnis": "erfolglos",
            "vermerk": "kein Konto",
        },
    ],
}


def envelope(key: str, data: Mapping[str, Any], **more: Any) -> Envelope:
    values: dict[str, Any] = {
        "exchange_id": "e",
        "dispatch_id": "d",
        "installation": "SB",
        "message_type": PACKAGE.message_types[key],
        "sender": SAARBRUECKEN,
        "recipient": HOMBURG,
        "own_reference": "SB-VOLL-2026-00001",
        "partner_reference": None,
        "subject": "",
        "data": check_data(PACKAGE.message_types[key], data),
        "documents": [],
        "form": FormClass.CONFIDENTIAL,
        "created": datetime(2026, 3, 1, 23, 30, tzinfo=UTC),
    }
    return Envelope(**{**values, **more})


@pytest.mark.parametrize("channel", ["letter+post", "xdomea+folder"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=[s.file for s in SCENARIOS])
def test_both_sides_do_what_the_scenario_tells(scenario: Scenario, channel: str) -> None:
    Stage(PACKAGE, scenario, channel).play()


def test_every_scenario_plays_on_paper_and_electronically() -> None:
    assert all({"letter+post", "xdomea+folder"} <= set(scenario.channels) for scenario in SCENARIOS)
    assert any("document+folder" in scenario.channels for scenario in SCENARIOS)


def test_the_checker_has_nothing_to_say() -> None:
    context = CheckContext(
        message_types=frozenset(PACKAGE.message_types),
        forms=frozenset(PACKAGE.forms),
        decisions=frozenset(PACKAGE.decisions),
    )
    for name, content in PACKAGE.models.items():
        assert check_model(content, name, context=context).findings == ()


def test_everything_drawn_has_a_shape() -> None:
    tree = etree.fromstring(PACKAGE.models[f"{KEY}.bpmn"])
    model, shapes = (
        "{http://www.omg.org/spec/BPMN/20100524/MODEL}",
        "{http://www.omg.org/spec/BPMN/20100524/DI}",
    )
    drawn = [str(item.get("bpmnElement")) for item in tree.iter(f"{shapes}BPMNShape", f"{shapes}BPMNEdge")]
    kinds = ("Task", "Event", "Gateway", "task", "subProcess", "sequenceFlow", "messageFlow", "participant")
    told = [
        str(item.get("id"))
        for item in tree.iter(f"{model}*")
        if isinstance(item.tag, str) and item.tag.endswith(kinds)
    ]
    assert sorted(drawn) == sorted(told)


def test_roles_name_executable_processes() -> None:
    assert {role.title for role in PACKAGE.roles.values()} == {"Ersuchende Behörde", "Vollstreckungsbehörde"}
    assert PACKAGE.role_of("Process_Vollstreckungsbehoerde") == PACKAGE.roles["enforcing"]


def test_the_package_comes_back_from_its_files() -> None:
    again: ProcedurePackage = build_package(PACKAGE.files)
    assert again == PACKAGE


def test_request_letter_reads_well() -> None:
    text = render_body(envelope("vollstreckungsersuchen", REQUEST, answer_due=date(2026, 6, 2)))
    assert "Muster & Söhne {{ 7*7 }} #strong[x], Talstraße 1, 66424 Homburg" in text
    assert "Insgesamt: 1.432,50\N{NO-BREAK SPACE}€" in text
    assert "möglichst bis zum 02.06.2026" in text
    assert "Wir erklären, dass die Forderung vollstreckbar ist" in text
    assert "\n\n\n" not in text.replace("\n \n", "\n\n")


def test_answer_letter_tells_each_attempt() -> None:
    text = render_body(envelope("vollstreckungsantwort", ANSWER, partner_reference="SB-VOLL-2026-00001"))
    assert "16.03.2026, Pfändung beweglicher Sachen: teilweise, 200,00\N{NO-BREAK SPACE}€" in text
    assert "13.04.2026, Vermögensauskunft: erfolglos – kein Konto" in text
    assert "geben wir hiermit an Sie zurück" in text


def test_refusal_and_reminder_letters() -> None:
    refusal = {"ergebnis": "abgelehnt", "anzahl_versuche": 0, "bericht": "Nicht zuständig."}
    text = render_body(envelope("vollstreckungsantwort", refusal))
    assert "Nicht zuständig." in text
    assert "Aufsichtsbehörde" in text
    assert "unser Zeichen SB-VOLL-2026-00001, liegt uns" in render_body(envelope("erinnerung", {}))


def test_subject_is_one_line() -> None:
    subject = render_subject(
        PACKAGE.message_types["vollstreckungsersuchen"],
        {**REQUEST, "schuldner": {"name": "Muster\n\n", "vorname": "Erika"}},
        sender=SAARBRUECKEN,
        recipient=HOMBURG,
        own_reference="SB-1",
        partner_reference=None,
        on=date(2026, 3, 2),
    )
    assert subject == "Vollstreckungsersuchen gegen Muster , Erika – Grundsteuer B 2025"


def test_forms_and_schemas_are_tidy_json() -> None:
    for path, content in PACKAGE.files.items():
        if path.endswith((".form", ".json")):
            assert content.decode() == json.dumps(json.loads(content), ensure_ascii=False, indent=2) + "\n"
