"""Which mailbox counts on a day, and why none does."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from engine.exchange.decision import POST
from engine.exchange.ports import Blocker, FormClass, Mailbox, MessageType, Requirements
from engine.service.directory.mailboxes import end_mailbox
from engine.service.exchanges.blockers import Boxes, Judge, load_boxes
from engine.service.exchanges.sending import decide_channel
from engine.store.tables import exchanges
from tests.service.conftest import HOMBURG, NOON, SAARBRUECKEN, XDOMEA

TODAY = NOON.date()
BOX = Mailbox(HOMBURG, XDOMEA, "nowhere", date(2026, 1, 1))
TYPE = MessageType("brief", "1.0", "Brief", {"type": "object"})


@pytest.mark.parametrize(
    ("boxes", "code"),
    [
        ([], "no-mailbox"),
        ([replace(BOX, valid_from=date(2026, 4, 1))], "not-yet"),
        ([replace(BOX, valid_until=date(2026, 3, 1))], "ended"),
        ([replace(BOX, valid_until=date(2026, 3, 1)), replace(BOX, valid_from=date(2026, 5, 1))], "not-yet"),
    ],
)
def test_without_an_open_mailbox_it_is_said_since_when_or_from_when(boxes, code):
    found = Boxes(boxes, {}).receiving(HOMBURG, XDOMEA, TODAY)
    assert isinstance(found, Blocker)
    assert (found.code, found.side) == (code, "recipient")
    assert code == "no-mailbox" or "2026-0" in found.message


def test_the_latest_opened_of_several_counts_and_an_assumed_one_stands_in_for_all():
    newer = replace(BOX, address="newer", valid_from=date(2026, 2, 1))
    boxes = Boxes([BOX, newer, replace(BOX, valid_until=date(2026, 1, 2))], {})
    assert boxes.open(HOMBURG, XDOMEA, TODAY) == newer
    assumed = replace(BOX, address="assumed")
    assert boxes.assuming([assumed]).receiving(HOMBURG, XDOMEA, TODAY) == assumed
    assert boxes.assuming([]).receiving(HOMBURG, XDOMEA, TODAY) == newer


def test_everybody_has_a_letter_box(halls):
    with halls.sb.app.read() as tx:
        boxes = load_boxes(tx)
        found = boxes.receiving(HOMBURG, POST, TODAY)
        assert isinstance(found, Mailbox)
        assert found.form_classes == tuple(FormClass)
        assert "66000 Musterstadt" in found.address
        needs = Requirements(TYPE, FormClass.WRITTEN, 0, (), TODAY)
        judge = Judge(halls.sb.app.adapters, boxes)
        assert judge.blockers(POST, SAARBRUECKEN, HOMBURG, needs) == []
        other = next(key for key in boxes.authorities if key not in (SAARBRUECKEN, HOMBURG))
        assert [b.code for b in judge.blockers(POST, SAARBRUECKEN, other, needs)] == ["no-address"]
        assert [b.code for b in judge.blockers("telegram+wire", SAARBRUECKEN, HOMBURG, needs)] == [
            "no-adapter"
        ]


def test_the_send_job_says_that_a_mailbox_has_ended(electronic):
    app, actor = electronic.sb.app, electronic.sb.actor
    end_mailbox(app, actor, HOMBURG, XDOMEA, TODAY)
    electronic.turn(days=1)
    electronic.request()
    with app.read() as tx:
        exchange = tx.execute(select(exchanges)).mappings().one()
        decision = decide_channel(app, tx, exchange, [])
    assert decision.channel == POST
    assert any("[ended]" in reason for reason in decision.considered[0].reasons)
