"""From one town hall to the other: what is sent, what arrives, what each side knows of it."""

import json
import zipfile
from datetime import timedelta

import pytest

from engine.exchange.codes import make_code
from engine.exchange.ports import Mailbox
from engine.service.arrivals import registering
from engine.service.cases import list_cases, show_case
from engine.service.directory.mailboxes import add_mailbox
from engine.service.exchanges.listing import explain_exchange, list_exchanges, show_exchange
from engine.service.exchanges.outbox import SendRefusedError
from engine.service.migration.status import status
from engine.service.migration.switching import Switch, list_rules, switch
from engine.service.troubles import list_incidents, retry
from engine.service.verifying import verify_installation
from engine.service.work import run_until_idle
from tests.service.conftest import HOMBURG, REFUSAL, SAARBRUECKEN, XDOMEA

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
on_both = pytest.mark.parametrize("database", BOTH, indirect=True)


def only(found):
    assert len(found) == 1, found
    return found[0]


def sent_by(side):
    """Return the figures of the one relation on which the side has sent something."""
    return only([line.figures for line in status(side.app, side.actor).lines if line.figures.exchanges])


@on_both
def test_an_electronic_request_is_confirmed_answered_and_closed(electronic):
    case = electronic.request()
    electronic.work()
    electronic.complete(electronic.hom, "Ersuchen prüfen", REFUSAL)
    electronic.work()
    electronic.complete(electronic.sb, "Antwort auswerten", {"auswertung": {"weiteres": "stundung"}})

    sent = only(list_exchanges(electronic.sb.app, electronic.sb.actor))
    shown = show_exchange(electronic.sb.app, electronic.sb.actor, sent.id)
    assert shown["status"] == "answered"
    assert {"received", "answered"} <= {fact["kind"] for fact in shown["facts"]}
    assert only(shown["dispatches"])["channel"] == XDOMEA
    assert show_case(electronic.sb.app, electronic.sb.actor, case.id).case.status == "ended"
    partner = only(list_cases(electronic.hom.app, electronic.hom.actor))
    assert partner.partner_reference == case.own_reference
    assert list_cases(electronic.sb.app, electronic.sb.actor, text=partner.own_reference)[0].id == case.id
    for side in electronic.sides.values():
        assert verify_installation(side.app).faults == ()
        assert list_incidents(side.app, side.actor) == []


def test_the_same_container_twice_has_no_second_effect(electronic):
    electronic.request()
    electronic.work()
    inbox = electronic.mailbox_folder(HOMBURG, SAARBRUECKEN)
    (container,) = (inbox / "processed").glob("*0101.zip")
    (inbox / container.name).write_bytes(container.read_bytes())
    electronic.work()
    assert len(list_cases(electronic.hom.app, electronic.hom.actor)) == 1


@on_both
def test_paper_and_container_of_one_exchange_are_one(electronic):
    electronic.request()
    electronic.work()
    sent = only(list_exchanges(electronic.sb.app, electronic.sb.actor))
    code = make_code(electronic.sb.app.settings.code, sent.id, electronic.sb.app.secret).text
    data = show_exchange(electronic.sb.app, electronic.sb.actor, sent.id)["data"]
    copy = registering.PaperArrival("vollstreckungsersuchen", SAARBRUECKEN, data, codes=(code,))
    line = registering.register(electronic.hom.app, electronic.hom.actor, copy)
    assert line.status == "duplicate"
    assert len(list_cases(electronic.hom.app, electronic.hom.actor)) == 1


def test_switching_moves_new_sends_and_leaves_sent_ones(halls):
    halls.request()
    halls.work()
    halls.go_electronic()
    halls.request()
    halls.work()
    levels = sent_by(halls.sb).by_level
    assert levels == {"A": 1, "C": 1}
    assert only(list_rules(halls.sb.app, halls.sb.actor))["channel"] == XDOMEA


def test_switching_back_ends_the_rule_it_replaces(electronic):
    switch(electronic.sb.app, electronic.sb.actor, Switch("letter+post", reason="back"))
    electronic.request()
    electronic.work()
    assert sent_by(electronic.sb).by_level == {"A": 1}
    in_force = [r for r in list_rules(electronic.sb.app, electronic.sb.actor) if r["valid_until"] is None]
    assert only(in_force)["channel"] == "letter+post"


def test_a_vanished_folder_falls_back_to_post_and_says_so(electronic):
    electronic.mailbox_folder(HOMBURG, SAARBRUECKEN).rmdir()
    electronic.request()
    electronic.work()
    sent = only(list_exchanges(electronic.sb.app, electronic.sb.actor))
    reasons = json.dumps(explain_exchange(electronic.sb.app, electronic.sb.actor, sent.id), default=str)
    assert "no-folder" in reasons
    line = sent_by(electronic.sb)
    assert (line.by_level, line.fallbacks) == ({"A": 1}, 1)


@on_both
def test_what_no_channel_carries_is_held_as_an_incident_and_goes_later(halls, monkeypatch):
    payload = halls.sb.app.adapters.payload("letter")
    from engine.exchange.ports import Blocker

    blocked = [Blocker("no-paper", "sender", "the printer is on fire")]
    with monkeypatch.context() as patch:
        patch.setattr(type(payload), "check", lambda *_: blocked)
        halls.request()
        halls.work()
        incident = only(list_incidents(halls.sb.app, halls.sb.actor))
        assert "the printer is on fire" in incident.message
    retry(halls.sb.app, halls.sb.actor, incident.id, "put out")
    halls.work()
    assert sent_by(halls.sb).by_level == {"A": 1}


@on_both
def test_the_reminder_goes_when_no_answer_came_in_time(halls):
    halls.request()
    halls.work()
    halls.turn(days=100)
    sent = [e.message_type for e in list_exchanges(halls.sb.app, halls.sb.actor)]
    assert sorted(sent) == ["erinnerung", "vollstreckungsersuchen"]


def test_an_answer_from_somebody_else_waits_for_a_clerk(electronic):
    """The answer's container lies in another authority's sub-folder: a clerk must look first."""
    electronic.request()
    electronic.work()
    electronic.complete(electronic.hom, "Ersuchen prüfen", REFUSAL)
    true_place = electronic.mailbox_folder(SAARBRUECKEN, HOMBURG)
    neighbour = electronic.mailbox_folder(SAARBRUECKEN, "10043114")
    neighbour.mkdir()
    run_until_idle(electronic.hom.app)
    (container,) = true_place.glob("*0101.zip")
    container.rename(neighbour / container.name)
    electronic.work()

    arrival = only(registering.list_arrivals(electronic.sb.app, electronic.sb.actor))
    assert arrival.status == "unconfirmed"
    waiting = show_case(
        electronic.sb.app,
        electronic.sb.actor,
        only(list_exchanges(electronic.sb.app, electronic.sb.actor)).case_id,
    )
    assert waiting.tasks == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("nonsense.zip", b"this is no zip"),
        ("58f74fed-f3d8-4b57-8819-d423612086b6_Information.Information.0101.zip", b"PK\x03\x04 broken"),
        ("notes.odt", b"hello"),
    ],
)
def test_what_cannot_be_read_goes_to_a_clerk_and_is_never_lost(electronic, name, content):
    (electronic.mailbox_folder(HOMBURG, SAARBRUECKEN) / name).write_bytes(content)
    electronic.turn(minutes=10)
    electronic.turn(minutes=10)
    arrival = only(registering.list_arrivals(electronic.hom.app, electronic.hom.actor))
    assert arrival.status == "unreadable"
    shown = registering.show_arrival(electronic.hom.app, electronic.hom.actor, arrival.id)
    files = [part for part in shown["parts"] if part["role"] != "evidence"]
    assert only(files)["name"] == name
    assert list_cases(electronic.hom.app, electronic.hom.actor) == []


def test_a_container_that_lies_about_its_name_is_refused(electronic):
    electronic.request()
    run_until_idle(electronic.sb.app)
    inbox = electronic.mailbox_folder(HOMBURG, SAARBRUECKEN)
    (container,) = inbox.glob("*0101.zip")
    container.rename(inbox / f"{'0' * 8}-0000-4000-8000-{'0' * 12}_Information.Information.0101.zip")
    electronic.turn(minutes=10)
    assert only(registering.list_arrivals(electronic.hom.app, electronic.hom.actor)).status == "unreadable"
    assert list_cases(electronic.hom.app, electronic.hom.actor) == []


def test_a_mailbox_that_opens_tomorrow_carries_nothing_today(halls):
    tomorrow = (halls.clock.now() + timedelta(days=1)).date()
    halls.mailbox_folder(HOMBURG, SAARBRUECKEN).mkdir(parents=True)
    mailbox = Mailbox(HOMBURG, XDOMEA, str(halls.folder / "exchange" / HOMBURG), tomorrow)
    add_mailbox(halls.sb.app, halls.sb.actor, mailbox)
    switch(halls.sb.app, halls.sb.actor, Switch(XDOMEA, procedure="vollstreckungshilfe", reason="go"))
    halls.request()
    halls.work()
    assert sent_by(halls.sb).fallbacks == 1


def test_a_container_whose_header_lacks_what_every_schema_asks_is_refused(electronic):
    electronic.request()
    run_until_idle(electronic.sb.app)
    (container,) = electronic.mailbox_folder(HOMBURG, SAARBRUECKEN).glob("*0101.zip")
    with zipfile.ZipFile(container) as source:
        files = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(container, "w") as target:
        for name, content in files.items():
            target.writestr(name, content.replace(b"xdomea:Nachrichtentyp>", b"xdomea:Nachrichtenty>"))
    electronic.turn(minutes=10)
    arrival = only(registering.list_arrivals(electronic.hom.app, electronic.hom.actor))
    assert arrival.status == "unreadable"
    assert "Nachrichtentyp" in (arrival.reason or "")
    assert list_cases(electronic.hom.app, electronic.hom.actor) == []


def test_a_request_that_names_another_sender_than_its_folder_waits_for_a_clerk(electronic):
    electronic.request()
    run_until_idle(electronic.sb.app)
    (container,) = electronic.mailbox_folder(HOMBURG, SAARBRUECKEN).glob("*0101.zip")
    neighbour = electronic.mailbox_folder(HOMBURG, "10045117")
    neighbour.mkdir()
    container.rename(neighbour / container.name)
    electronic.turn(minutes=10)
    arrival = only(registering.list_arrivals(electronic.hom.app, electronic.hom.actor))
    assert arrival.status == "unconfirmed"
    assert "10045117" in (arrival.reason or "")
    assert SAARBRUECKEN in (arrival.reason or "")
    assert list_cases(electronic.hom.app, electronic.hom.actor) == []


def test_an_authority_does_not_write_to_itself(halls):
    with pytest.raises(SendRefusedError, match="itself"):
        halls.request(empfaenger=SAARBRUECKEN)
    assert list_exchanges(halls.sb.app, halls.sb.actor) == []
