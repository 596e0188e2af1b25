"""Switching relations on real databases: what changes and stays, when it begins, how it is taken back."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from engine.actor import Actor, Role
from engine.clock import TurnedClock
from engine.definitions.package import load_package
from engine.exchange.decision import LIVE, PILOT, POST, SHADOW, Relation, Rule, decide, takes_part
from engine.exchange.ports import Mailbox
from engine.migration.switching import PlannedRuleError
from engine.service.directory.authorities import list_authorities
from engine.service.directory.mailboxes import add_mailbox, end_mailbox
from engine.service.exchanges.listing import list_exchanges, show_exchange
from engine.service.exchanges.rules import load_rules
from engine.service.exchanges.sending import handle_send
from engine.service.installation import open_installation
from engine.service.migration.history import list_changes
from engine.service.migration.reverting import RevertRefusedError, RuleUnknownError, revert
from engine.service.migration.rule_rows import load_books
from engine.service.migration.switching import (
    ListRefusedError,
    Switch,
    SwitchRefusedError,
    list_rules,
    preview,
    read_relations,
    switch,
)
from engine.service.migration.watching import JOB
from engine.service.procedures import deploy
from engine.service.troubles import list_incidents
from engine.service.work import run_until_idle
from engine.store.tables import (
    authorities,
    cases,
    channel_rules,
    dispatches,
    exchanges,
    facts,
    mailboxes,
    rule_changes,
)
from engine.work.ports import Job
from tests.service.conftest import HOMBURG, NOON, REFUSAL, SAARBRUECKEN, XDOMEA

BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
on_both = pytest.mark.parametrize("database", BOTH, indirect=True)
PROCEDURE, STEP = "vollstreckungshilfe", "Send_Ersuchen"
NEUNKIRCHEN, ST_INGBERT = "10043114", "10045117"


def only(found):
    assert len(found) == 1, found
    return found[0]


@pytest.fixture
def opened(halls):
    """Both halls have mailboxes for each other, and everything goes by post still."""
    halls.go_electronic()
    for side in halls.sides.values():
        revert(side.app, side.actor, None, "not yet")
    halls.turn(seconds=1)
    return halls


def sides_channel(halls):
    sent = list_exchanges(halls.sb.app, halls.sb.actor)
    return [show_exchange(halls.sb.app, halls.sb.actor, one.id)["dispatches"] for one in sent]


def intended(app, case_id="c", at=None, recipient=HOMBURG, district="10045"):
    relation = Relation(PROCEDURE, STEP, SAARBRUECKEN, recipient, district)
    with app.read() as tx:
        rules = load_rules(tx, SAARBRUECKEN, relation)
    return decide(rules, relation, case_id, "post", at or app.clock.now(), lambda _: []).intended


# --- dry run and effects --------------------------------------------------------------------------------


@on_both
def test_a_dry_run_says_what_the_switch_then_does(opened):
    app, actor = opened.sb.app, opened.sb.actor
    opened.request()
    opened.work()
    sent = only(list_exchanges(app, actor))
    wanted = Switch(XDOMEA, procedure=PROCEDURE, reason="ready")
    before = list_rules(app, actor)
    foreseen = preview(app, actor, wanted)
    assert list_rules(app, actor) == before
    done = switch(app, actor, wanted)
    assert foreseen.act_id is None
    assert foreseen.effects.counts() == done.effects.counts()
    assert foreseen.consequences == done.consequences

    mine = {(e.relation.element_id, e.relation.recipient_id): e for e in done.effects.relations}
    assert mine[STEP, HOMBURG].verdict == "changes"
    assert mine[STEP, NEUNKIRCHEN].verdict == "stays"
    assert "no open mailbox" in mine[STEP, NEUNKIRCHEN].reason
    assert len(mine) == 3 * (len(list_authorities(app, actor)) - 1)
    exchange = only(done.effects.exchanges)
    assert (exchange.exchange_id, exchange.verdict, exchange.reason) == (sent.id, "stays", "already sent")
    assert only(done.effects.cases).verdict == "changes"
    proofs = only(done.consequences)
    assert "a clerk confirms the posting" in proofs.before
    assert "xdomea receipt" in proofs.after


def test_an_unsent_exchange_is_decided_by_the_new_rule_and_nothing_goes_twice(opened):
    app, actor = opened.sb.app, opened.sb.actor
    case = opened.request()  # its send job waits
    done = switch(app, actor, Switch(XDOMEA, reason="now"))
    effect = only(done.effects.exchanges)
    assert (effect.verdict, effect.before, effect.after) == ("changes", POST, XDOMEA)
    opened.work()
    dispatch = only(only(sides_channel(opened)))
    assert (dispatch["channel"], dispatch["rule_id"]) == (XDOMEA, only(done.rules).id)
    with app.read() as tx:
        assert tx.scalar(select(cases.c.version_id).where(cases.c.id == case.id)) is not None
    assert len(list(opened.mailbox_folder(HOMBURG, SAARBRUECKEN).rglob("*0101.zip"))) == 1


@on_both
def test_the_last_message_of_a_case_that_has_ended_is_foreseen_while_it_has_yet_to_go(opened):
    switch(opened.sb.app, opened.sb.actor, Switch(XDOMEA, reason="go"))
    opened.request()
    opened.work()
    hom = opened.hom
    switch(hom.app, hom.actor, Switch(XDOMEA, reason="go"))
    opened.complete(hom, "Ersuchen prüfen", REFUSAL)
    answer = only(list_exchanges(hom.app, hom.actor))  # the case has ended with it; its send job waits
    with hom.app.read() as tx:
        assert tx.scalar(select(cases.c.status)) == "ended"
    back = Switch(POST, recipient=SAARBRUECKEN, reason="back")
    effect = only(preview(hom.app, hom.actor, back).effects.exchanges)
    assert (effect.exchange_id, effect.verdict) == (answer.id, "changes")
    assert (effect.before, effect.after) == (XDOMEA, POST)
    switch(hom.app, hom.actor, back)
    opened.work()
    assert [d["channel"] for d in show_exchange(hom.app, hom.actor, answer.id)["dispatches"]] == [POST]
    # Once it has gone nobody waits for it any more.
    assert preview(hom.app, hom.actor, Switch(XDOMEA)).effects.exchanges == []


def test_what_is_held_is_not_foreseen_to_go_before_a_later_switch(opened):
    app, actor = opened.sb.app, opened.sb.actor
    opened.request()
    with app.write() as tx:
        tx.execute(update(exchanges).values(status="held"))
    later = Switch(XDOMEA, effective=NOON + timedelta(days=3))
    effect = only(preview(app, actor, later).effects.exchanges)
    assert (effect.verdict, effect.reason) == ("stays", "held: decided anew when its incident is retried")


def test_a_case_that_is_in_the_pilot_already_is_not_moved_by_more_of_it(opened):
    app, actor = opened.sb.app, opened.sb.actor
    with app.write() as tx:
        tx.execute(update(mailboxes).values(accepts_test=True))
    case = opened.request()
    named = {"procedure": PROCEDURE, "recipient": HOMBURG, "reason": "try"}
    switch(app, actor, Switch(XDOMEA, stage=SHADOW, **named))
    place = next(share for share in range(1, 100) if _in_pilot(case.id, share))
    opened.turn(seconds=1)
    if place > 1:
        less = preview(app, actor, Switch(XDOMEA, stage=PILOT, share=place - 1, **named))
        assert only(less.effects.cases).reason == "not among the pilot's share"
    first = switch(app, actor, Switch(XDOMEA, stage=PILOT, share=place, **named))
    assert only(first.effects.cases).verdict == "changes"
    opened.turn(seconds=1)
    # Its exchanges had no tests beside them any more: the end of the shadow changes nothing for it.
    for more in (Switch(XDOMEA, stage=PILOT, share=99, **named), Switch(XDOMEA, **named)):
        effect = only(preview(app, actor, more).effects.cases)
        assert (effect.verdict, effect.reason) == ("stays", "it is so already")


def _in_pilot(case_id, share):
    rule = Rule("r", XDOMEA, PILOT, share, NOON, NOON, procedure_key=PROCEDURE, recipient_id=HOMBURG)
    return takes_part(rule, case_id)


def test_what_is_prepared_goes_as_prepared(opened):
    app, actor = opened.sb.app, opened.sb.actor
    switch(app, actor, Switch(XDOMEA, reason="electronic"))

    class Cut(Exception):
        pass

    def cut(point):
        if point == "prepared":
            raise Cut

    opened.request()
    app.probe = cut
    exchange = only(list_exchanges(app, actor))
    job = Job("j", SAARBRUECKEN, "send", {"exchange": exchange.id}, 0)
    with pytest.raises(Cut):
        handle_send(app, job)
    app.probe = lambda _point: None
    done = switch(app, actor, Switch(POST, reason="back to paper"))
    effect = only(done.effects.exchanges)
    assert (effect.verdict, effect.after) == ("stays", XDOMEA)
    assert "goes as prepared" in effect.reason
    opened.work()
    assert [(d["channel"], d["state"]) for d in only(sides_channel(opened))] == [(XDOMEA, "handed_over")]


def test_a_narrower_rule_overrules_and_the_dry_run_says_so(opened):
    app, actor = opened.sb.app, opened.sb.actor
    switch(app, actor, Switch(XDOMEA, procedure=PROCEDURE, recipient=HOMBURG, reason="go"))
    done = preview(app, actor, Switch(POST))
    reasons = {e.relation.recipient_id: e.reason for e in done.effects.relations}
    assert "overruled" in reasons[HOMBURG]
    assert "overruled" not in reasons[NEUNKIRCHEN]


# --- scopes ---------------------------------------------------------------------------------------------


def test_a_district_is_the_recipients(opened):
    app, actor = opened.sb.app, opened.sb.actor
    done = switch(app, actor, Switch(XDOMEA, district="10045", reason="go"))
    assert {e.relation.district_id for e in done.effects.relations} == {"10045"}
    assert intended(app) == XDOMEA
    assert intended(app, recipient=NEUNKIRCHEN, district="10043") == POST
    opened.request()
    opened.work()
    assert only(only(sides_channel(opened)))["channel"] == XDOMEA


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        (Switch(XDOMEA, recipient=NEUNKIRCHEN), "no open mailbox"),
        (Switch(XDOMEA, district=HOMBURG), "no district"),
        (Switch(XDOMEA, recipient=HOMBURG, district="10041"), "does not lie in"),
        (Switch(XDOMEA, sender=HOMBURG), "no sender"),
        (Switch(XDOMEA, effective=NOON - timedelta(days=1)), "in the past"),
        (Switch(POST, stage=SHADOW), "print and post"),
        (Switch(XDOMEA, stage=SHADOW, recipient=HOMBURG), "takes no tests"),
        (Switch(XDOMEA, revert_if=["often"]), "no condition"),
        (Switch(POST, revert_if=["no-receipt>5%/P3D"]), "proves arrival"),
    ],
)
def test_what_cannot_be_switched_is_refused_with_the_reason(opened, wanted, word):
    before = list_rules(opened.sb.app, opened.sb.actor)
    with pytest.raises(Exception, match=word) as caught:
        switch(opened.sb.app, opened.sb.actor, wanted)
    assert getattr(caught.value, "hint", None) or "lie in" in str(caught.value)
    assert list_rules(opened.sb.app, opened.sb.actor) == before


def test_a_mailbox_must_be_open_on_the_effective_day(opened):
    app, actor = opened.sb.app, opened.sb.actor
    folder = str(opened.folder / "exchange" / HOMBURG)
    opens = NOON.date() + timedelta(days=10)
    add_mailbox(app, actor, Mailbox(ST_INGBERT, XDOMEA, folder, opens))
    for day, word in ((5, "opens on"), (12, None)):
        begins = NOON + timedelta(days=day)
        wanted = Switch(XDOMEA, recipient=ST_INGBERT, effective=begins, reason="go")
        if word:
            with pytest.raises(SwitchRefusedError, match=word):
                switch(app, actor, wanted)
        else:
            switch(app, actor, wanted)
    end_mailbox(app, actor, ST_INGBERT, XDOMEA, opens + timedelta(days=5))
    with pytest.raises(SwitchRefusedError, match="ended on"):
        switch(app, actor, Switch(XDOMEA, recipient=ST_INGBERT, effective=NOON + timedelta(days=20)))


def test_a_list_names_its_faults_by_line_and_switches_all_or_nothing(opened):
    app, actor = opened.sb.app, opened.sb.actor
    text = f"procedure;step;recipient\n{PROCEDURE};{STEP};Homburg\n{PROCEDURE};Send_Erinnerung;{HOMBURG}\n"
    good = Switch(XDOMEA, relations=read_relations(text.encode(), "a.csv"), reason="go")
    done = switch(app, actor, good)
    assert [line.element_id for line in done.rules] == [STEP, "Send_Erinnerung"]
    assert only(list_changes(app, actor, limit=1)).effects["rules"] == 2
    with pytest.raises(ListRefusedError, match=r"line 3.*line 4"):
        read_relations(
            f"procedure,step,recipient\n{PROCEDURE},{STEP},x\n{PROCEDURE},{STEP},x\n,a,b\n".encode(), "b.csv"
        )
    before = list_rules(app, actor)
    bad = read_relations(f"{text}{PROCEDURE};{STEP};{NEUNKIRCHEN}\nnothing;x;{HOMBURG}\n".encode(), "c.csv")
    with pytest.raises(ListRefusedError, match=r"relation 3.*no open mailbox.*relation 4.*not deployed"):
        switch(app, actor, Switch(XDOMEA, relations=bad))
    assert list_rules(app, actor) == before


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_list_is_read_as_spreadsheets_save_it(encoding):
    text = f"procedure;step;recipient\n{PROCEDURE};{STEP};Völklingen\n"
    assert only(read_relations(text.encode(encoding), "excel.csv")).recipient == "Völklingen"


def test_a_list_may_begin_with_excels_line_and_still_names_the_right_lines():
    text = f"sep=;\r\nprocedure;step;recipient\r\n{PROCEDURE};{STEP};Homburg\r\n"
    assert only(read_relations(text.encode("utf-8-sig"), "excel.csv")).recipient == "Homburg"
    german = f"Verfahren;Schritt;Absender;Empfänger;Anzahl\n{PROCEDURE};{STEP};;Homburg;7\n;;;;\n"
    assert only(read_relations(german.encode("cp1252"), "excel.csv")).recipient == "Homburg"
    for bad, word in (
        ("procedure;step;an;recipient\n", "two columns give recipient"),
        (f'procedure;step;recipient\n"{PROCEDURE};x;y\n', "save it as CSV again"),
        (f"procedure;step;recipient\n{'x' * 200_000};y;z\n", "save it as CSV again"),
        ("procedure;step\n", "Empfänger"),
    ):
        with pytest.raises(ListRefusedError, match=word):
            read_relations(bad.encode(), "bad.csv")
    with pytest.raises(ListRefusedError, match=r"line 4: step is empty"):
        read_relations(f"{text}{PROCEDURE};;Homburg\r\n".encode(), "excel.csv")


def test_a_switch_towards_the_only_sender_itself_is_refused(opened):
    app, actor = opened.sb.app, opened.sb.actor
    before = list_rules(app, actor)
    with pytest.raises(SwitchRefusedError, match="does not write to itself"):
        switch(app, actor, Switch("letter+post", recipient=SAARBRUECKEN, reason="by mistake"))
    listed = read_relations(
        f"procedure,step,recipient\n{PROCEDURE},{STEP},{SAARBRUECKEN}\n".encode(), "d.csv"
    )
    with pytest.raises(ListRefusedError, match=r"relation 1.*does not write to itself"):
        switch(app, actor, Switch("letter+post", relations=listed))
    assert list_rules(app, actor) == before


@on_both
def test_who_runs_the_installation_switches_every_sender_in_one_act(opened):
    app = opened.sb.app
    with app.write() as tx:
        tx.execute(update(authorities).where(authorities.c.id == HOMBURG).values(own=True))
    runs = Actor("runs", SAARBRUECKEN, frozenset({Role.INSTALLATION}))
    done = switch(app, runs, Switch(XDOMEA, reason="everybody"))
    assert [line.sender_id for line in done.rules] == [SAARBRUECKEN, HOMBURG]
    assert {line.act_id for line in list_changes(app, runs, limit=2)} == {done.act_id}
    mine = Actor("mine", HOMBURG, frozenset({Role.ADMIN}))
    assert only(list_rules(app, mine))["authority_id"] == HOMBURG
    with pytest.raises(RuleUnknownError):
        revert(app, mine, next(line.id for line in done.rules if line.sender_id == SAARBRUECKEN), "no")
    assert len(revert(app, runs, done.act_id, "back").ended) == 2
    assert list_rules(app, mine, everything=False) == []


# --- time -----------------------------------------------------------------------------------------------


def test_a_planned_switch_begins_on_time_and_can_be_taken_back_before(opened):
    app, actor = opened.sb.app, opened.sb.actor
    switch(app, actor, Switch(POST, procedure=PROCEDURE, reason="explicitly"))
    begins = NOON + timedelta(days=3)
    opened.request()
    done = switch(app, actor, Switch(XDOMEA, procedure=PROCEDURE, effective=begins, reason="later"))
    assert "before the change" in only(done.effects.exchanges).reason
    assert (intended(app), intended(app, at=begins)) == (POST, XDOMEA)
    with pytest.raises(PlannedRuleError, match="planned"):
        switch(app, actor, Switch(XDOMEA, procedure=PROCEDURE))
    revert(app, actor, only(done.rules).id, "not yet")
    assert intended(app, at=begins) == POST
    assert only(list_rules(app, actor, everything=False))["channel"] == POST


@on_both
def test_who_waited_for_another_switch_does_not_take_it_for_a_planned_one(opened):
    app, actor = opened.sb.app, opened.sb.actor
    named = {"procedure": PROCEDURE, "recipient": HOMBURG}
    other = Thread(target=lambda: switch(app, actor, Switch(XDOMEA, reason="the other", **named)))

    class Late(TurnedClock):
        """When it is looked at first, somebody else switches a little later, if nothing hinders that."""

        def now(self):
            seen = super().now()
            if other.ident is None:
                self.turn(timedelta(seconds=1))
                other.start()
                other.join(0.5)
            return seen

    app.clock = Late(app.clock.now())
    mine = switch(app, actor, Switch(POST, reason="mine", **named))
    other.join()
    first = only(mine.rules)
    assert {rule["id"] for rule in list_rules(app, actor, everything=False)}.isdisjoint({first.id})
    _no_overlap(app)


@on_both
def test_workers_whose_clocks_differ_neither_double_nor_lose(opened):
    app, actor = opened.sb.app, opened.sb.actor
    begins = NOON + timedelta(minutes=1)
    switch(app, actor, Switch(XDOMEA, effective=begins, reason="later"))
    for _ in range(4):
        opened.request()
    ids = [one.id for one in list_exchanges(app, actor)]
    workers = [
        open_installation(app.settings.home, clock=TurnedClock(begins + timedelta(seconds=s)))
        for s in (-3, 3)
    ]
    for place, exchange in enumerate(ids):
        job = Job("j", SAARBRUECKEN, "send", {"exchange": exchange}, 0)
        order = workers if place % 2 else workers[::-1]
        for worker in order:
            handle_send(worker, job)
    opened.clock.turn(timedelta(minutes=2))
    opened.work()
    sent = {one: only(show_exchange(app, actor, one)["dispatches"]) for one in ids}
    late = {exchange for place, exchange in enumerate(ids) if place % 2 == 0}
    assert {exchange for exchange, d in sent.items() if d["channel"] == XDOMEA} == late
    assert {d["state"] for d in sent.values()} == {"handed_over"}
    for worker in workers:
        worker.close()


@on_both
def test_a_clock_that_steps_back_before_a_rule_began_asks_the_earlier_one_again(opened):
    """Nothing is lost, doubled or stuck: until the clock comes round, what was before holds."""
    app, actor = opened.sb.app, opened.sb.actor
    switch(app, actor, Switch(POST, procedure=PROCEDURE, reason="as ever"))
    begins = NOON + timedelta(hours=1)
    planned = switch(app, actor, Switch(XDOMEA, procedure=PROCEDURE, effective=begins, reason="planned"))
    opened.turn(hours=1, minutes=5)
    opened.request()
    opened.work()
    opened.clock.turn(timedelta(minutes=-10))
    opened.request()
    opened.work()
    assert intended(app) == POST
    sent = [only(each) for each in sides_channel(opened)]
    assert {d["channel"]: d["state"] for d in sent} == {XDOMEA: "handed_over", POST: "handed_over"}
    with pytest.raises(PlannedRuleError, match=r"planned .* from 2026-03-02T13:00\+01:00"):
        switch(app, actor, Switch(POST, procedure=PROCEDURE, reason="stay"))
    assert _no_overlap(app)

    opened.turn(minutes=15)
    assert intended(app) == XDOMEA
    opened.request()
    opened.work()
    assert sorted(only(each)["channel"] for each in sides_channel(opened)) == [POST, XDOMEA, XDOMEA]

    opened.clock.turn(timedelta(minutes=-15))
    revert(app, actor, only(planned.rules).id, "not at all, then")
    assert (intended(app), intended(app, at=begins + timedelta(hours=1))) == (POST, POST)
    assert _no_overlap(app)


# --- revert and history ---------------------------------------------------------------------------------


@on_both
def test_a_revert_puts_back_what_was_and_the_history_says_why(opened):
    app, actor = opened.sb.app, opened.sb.actor
    switch(app, actor, Switch(POST, reason="as ever"))
    switch(app, actor, Switch(XDOMEA, stage=PILOT, share=40, reason="try"))
    opened.clock.turn(timedelta(minutes=1))
    live = switch(app, actor, Switch(XDOMEA, reason="live"))
    replaced = {text.split(" ", 1)[1] for text in only(live.rules).replaces}
    assert replaced == {f"{POST} live", f"{XDOMEA} pilot 40 %"}
    opened.clock.turn(timedelta(hours=1))
    done = revert(app, actor, None, "the partner asked for it")
    assert {(line.channel, line.stage, line.share) for line in done.rules} == {
        (POST, LIVE, 100),
        (XDOMEA, PILOT, 40),
    }
    newest, before = list_changes(app, actor, limit=2)
    assert (newest.kind, newest.undoes, newest.reason) == ("revert", live.act_id, "the partner asked for it")
    assert (before.kind, before.stage, before.automatic) == ("switch", LIVE, False)
    assert newest.effects["relations"]
    with pytest.raises(RevertRefusedError, match="any more"):
        revert(app, actor, only(live.rules).id, "again")
    with pytest.raises(RevertRefusedError, match="reason"):
        revert(app, actor, None, " ")


@pytest.mark.parametrize("reason", ["", "  \t", "\n", "\u200b\u00a0\u2060"])
def test_a_switch_and_a_revert_need_a_reason_that_can_be_read(opened, reason):
    app, actor = opened.sb.app, opened.sb.actor
    wanted = Switch(XDOMEA, procedure=PROCEDURE, reason=reason)
    assert preview(app, actor, wanted).rules
    before = list_rules(app, actor)
    with pytest.raises(SwitchRefusedError, match="a reason is needed"):
        switch(app, actor, wanted)
    assert list_rules(app, actor) == before
    made = switch(app, actor, replace(wanted, reason=" agreed "))
    assert list_changes(app, actor, limit=1)[0].reason == "agreed"
    assert revert(app, actor, made.act_id, reason, dry_run=True).ended
    with pytest.raises(RevertRefusedError, match="a reason is needed"):
        revert(app, actor, made.act_id, reason)
    assert len(list_rules(app, actor)) == len(before) + 1


# --- taking back by itself ------------------------------------------------------------------------------


def sent_under(app, rule_id, outcomes):
    """Write what many sends under a rule came to; the decisions themselves are tested elsewhere."""
    with app.write() as tx:
        template = dict(tx.execute(select(dispatches).limit(1)).mappings().one())
        exchange = dict(tx.execute(select(exchanges).limit(1)).mappings().one())
        known = len(tx.execute(select(dispatches.c.id)).all())
        for place, state in enumerate(outcomes, known):
            own = {"id": f"e{place}", "key": f"k{place}", "code_key": f"c{place}"}
            tx.execute(insert(exchanges).values(**{**exchange, **own}))
            row = {
                **template,
                "id": f"d{place}",
                "exchange_id": f"e{place}",
                "number": 1,
                "state": state,
                "rule_id": rule_id,
                "channel": XDOMEA,
                "created_at": NOON + timedelta(seconds=place),
                "carrier_reference": f"r{place}",
                "handed_over_at": NOON if state == "handed_over" else None,
            }
            tx.execute(insert(dispatches).values(**row))
            if state == "handed_over":
                proof = {"id": f"f{place}", "kind": "received", "at": NOON, "source": "test"}
                tx.execute(
                    insert(facts).values(
                        **proof,
                        authority_id=SAARBRUECKEN,
                        exchange_id=f"e{place}",
                        dispatch_id=f"d{place}",
                        recorded_at=NOON,
                        recorded_by="test",
                    )
                )


@on_both
def test_a_rule_whose_sends_fail_is_taken_back_with_its_figures(opened):
    app, actor = opened.sb.app, opened.sb.actor
    switch(app, actor, Switch(POST, reason="as ever"))
    opened.request()
    opened.work()
    done = switch(
        app, actor, Switch(XDOMEA, reason="go", revert_if=["failures>5%/20", "no-receipt>50%/P1D/5"])
    )
    rule_id = only(done.rules).id
    sent_under(app, rule_id, ["failed"] * 2 + ["handed_over"] * 17)
    opened.turn(minutes=11)
    assert intended(app) == XDOMEA  # 19 are too few
    sent_under(app, rule_id, ["handed_over"])
    opened.turn(minutes=5)
    assert intended(app) == XDOMEA  # not looked at again yet
    opened.turn(minutes=6)
    assert intended(app) == POST
    newest = list_changes(app, actor)[0]
    assert (newest.automatic, newest.by, newest.kind) == (True, "system", "revert")
    assert newest.figures == {"condition": "failures>5%/20", "n": 20, "bad": 2, "percent": 10.0}
    incident = only([i for i in list_incidents(app, actor) if i.kind == "rule-reverted"])
    assert "2 of 20 (10.0 %)" in incident.message
    opened.turn(days=1)
    assert len([i for i in list_incidents(app, actor, everything=True) if i.kind == "rule-reverted"]) == 1


def test_missing_receipts_take_a_rule_back_and_a_restored_rule_keeps_its_watch(opened):
    app, actor = opened.sb.app, opened.sb.actor
    opened.request()
    opened.work()
    first = switch(app, actor, Switch(XDOMEA, reason="go", revert_if=["no-receipt>10%/P3D/5"]))
    switch(app, actor, Switch(POST, reason="paper for a day"))
    revert(app, actor, None, "and back")
    restored = only(list_rules(app, actor, everything=False))
    assert restored["restores"] == only(first.rules).id
    sent_under(app, restored["id"], ["handed_over"] * 5)
    with app.write() as tx:
        tx.execute(delete(facts).where(facts.c.id.in_(["f1", "f2", "f3"])))
    opened.turn(days=2)
    assert intended(app) == XDOMEA
    opened.turn(days=2)
    assert intended(app) == POST
    assert list_rules(app, actor, everything=False) == []
    assert "no-receipt>10%/P3D/5: " in list_changes(app, actor)[0].reason


def test_a_watch_ends_with_its_rule(opened):
    app, actor = opened.sb.app, opened.sb.actor
    switch(app, actor, Switch(XDOMEA, revert_if=["failures>5%"], reason="go"))
    revert(app, actor, None, "no")
    opened.turn(hours=1)
    with app.read() as tx:
        from engine.store.tables import jobs

        assert tx.execute(select(jobs.c.id).where(jobs.c.kind == JOB)).all() == []


# --- random sequences against an oracle -----------------------------------------------------------------

SCOPES = {
    "all": {},
    "procedure": {"procedure": PROCEDURE},
    "district": {"district": "10045"},
    "one": {"procedure": PROCEDURE, "recipient": HOMBURG},
}
WIDTH = {"one": 2, "procedure": 4, "district": 5, "all": 6}
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("switch"),
            st.sampled_from(sorted(SCOPES)),
            st.sampled_from([POST, XDOMEA]),
            st.sampled_from([LIVE, LIVE, PILOT]),
            st.sampled_from([20, 50, 80]),
            st.sampled_from([0, 0, 0, 2, 5]),
        ),
        st.tuples(st.just("revert"), st.integers(0, 30)),
        st.tuples(st.just("time"), st.integers(1, 4)),
    ),
    min_size=1,
    max_size=14,
)


class Oracle:
    """What should hold, told by keeping for every scope and stage what is in force, and what it displaced."""

    def __init__(self):
        self.now = 0
        self.slots = {}
        self.pending = []
        self.made = 0

    @staticmethod
    def takes(new, stage):
        return stage in (LIVE, PILOT) if new == LIVE else stage == new

    def switch(self, scope, channel, stage, share, delay):
        begin = self.now + delay
        for other in self.pending:
            if other["scope"] == scope and self.takes(stage, other["stage"]) and other["begin"] >= begin:
                return None
        self.made += 1
        entry = {"scope": scope, "channel": channel, "stage": stage, "share": share, "begin": begin}
        entry |= {"age": self.made, "saved": []}
        self.pending.append(entry)
        self.settle()
        return entry

    def settle(self):
        for entry in sorted(self.pending, key=lambda e: (e["begin"], e["age"])):
            if entry["begin"] <= self.now:
                self.pending.remove(entry)
                for stage in (LIVE, PILOT):
                    if self.takes(entry["stage"], stage) and (entry["scope"], stage) in self.slots:
                        entry["saved"].append(self.slots.pop((entry["scope"], stage)))
                self.slots[entry["scope"], entry["stage"]] = entry

    def revert(self, entry):
        if entry in self.pending:
            self.pending.remove(entry)
            return True
        if self.slots.get((entry["scope"], entry["stage"])) is not entry:
            return False
        del self.slots[entry["scope"], entry["stage"]]
        for old in entry["saved"]:
            self.slots.setdefault((old["scope"], old["stage"]), old)
        return True

    def channel(self, case):
        ranked = sorted(self.slots.values(), key=lambda e: (WIDTH[e["scope"]], -e["age"]))
        for entry in ranked:
            if entry["stage"] == LIVE or in_share(entry, case):
                return entry["channel"]
        return POST


def in_share(entry, case):
    from engine.exchange.decision import Rule

    scope = SCOPES[entry["scope"]]
    rule = Rule(
        "x", "y", PILOT, entry["share"], NOON, NOON, None, scope.get("procedure"), None,
        scope.get("recipient"), scope.get("district"),
    )  # fmt: skip
    return takes_part(rule, case)


def alive(app, entry_rules, entry):
    """Return the rule that stands for an oracle's entry now: the one made, or the newest that restores it."""
    with app.read() as tx:
        rows = {row.id: row for row in tx.execute(select(channel_rules.c.id, channel_rules.c.restores))}
    wanted = entry_rules[entry["age"]]
    found = [wanted]
    while True:
        copies = [row.id for row in rows.values() if row.restores == found[-1]]
        if not copies:
            return found
        found += copies


def test_any_sequence_of_switches_and_reverts_decides_as_an_oracle_does(opened):
    app, actor, clock = opened.sb.app, opened.sb.actor, opened.clock
    start = [clock.now()]

    @settings(max_examples=40)
    @given(STEPS)
    def play(steps):
        with app.write() as tx:
            tx.execute(delete(channel_rules))
            tx.execute(delete(rule_changes))
        start[0] += timedelta(days=30)
        oracle, entries, rules = Oracle(), [], {}
        for ticks, step in enumerate(steps, 1):
            clock.set(start[0] + timedelta(hours=oracle.now, seconds=ticks))
            if step[0] == "switch":
                _, scope, channel, stage, share, delay = step
                share = 100 if stage == LIVE else share
                effective = start[0] + timedelta(hours=oracle.now + delay) if delay else None
                more = SCOPES[scope]
                wanted = Switch(channel, stage=stage, share=share, effective=effective, reason="go", **more)
                entry = oracle.switch(scope, channel, stage, share, delay)
                if entry is None:
                    with pytest.raises(PlannedRuleError):
                        switch(app, actor, wanted)
                else:
                    rules[entry["age"]] = only(switch(app, actor, wanted).rules).id
                    entries.append(entry)
            elif step[0] == "revert" and entries:
                entry = entries[step[1] % len(entries)]
                current = alive(app, rules, entry)[-1]
                if oracle.revert(entry):
                    revert(app, actor, current, "oracle")
                else:
                    with pytest.raises(RevertRefusedError):
                        revert(app, actor, current, "oracle")
            elif step[0] == "time":
                oracle.now += step[1]
                oracle.settle()
                clock.set(start[0] + timedelta(hours=oracle.now, seconds=ticks))
            for case in ("case-1", "case-2", "case-3"):
                assert intended(app, case) == oracle.channel(case), (step, case)
            assert _no_overlap(app)

    play()


def _no_overlap(app):
    """At every instant a scope has at most one rule a stage."""
    with app.read() as tx:
        rules = load_books(tx, [SAARBRUECKEN], app.clock.now())[SAARBRUECKEN]
    far = datetime(2100, 1, 1, tzinfo=UTC)
    spans = {}
    for rule in rules:
        spans.setdefault((rule.scope, rule.stage), []).append((rule.valid_from, rule.valid_until or far))
    for found in spans.values():
        found.sort()
        assert all(first[1] <= second[0] for first, second in pairwise(found)), found
    return True


def test_a_list_of_many_relations_is_one_act(opened):
    app, actor = opened.sb.app, opened.sb.actor
    with app.read() as tx:
        everybody = [row.id for row in tx.execute(select(authorities.c.id)) if row.id != SAARBRUECKEN]
    folder = str(opened.folder / "exchange" / HOMBURG)
    for authority in everybody:
        if authority != HOMBURG:
            add_mailbox(app, actor, Mailbox(authority, XDOMEA, folder, NOON.date()))
    lines = [f"{PROCEDURE},{step},{one}" for one in everybody for step in (STEP, "Send_Erinnerung")]
    random.Random(1).shuffle(lines)
    scopes = read_relations("\n".join(["procedure,step,recipient", *lines]).encode(), "all.csv")
    done = switch(app, actor, Switch(XDOMEA, relations=scopes, reason="go"))
    assert len(done.rules) == len(lines)
    counted = {}
    for effect in done.effects.relations:
        counted[effect.verdict] = counted.get(effect.verdict, 0) + 1
    assert sum(counted.values()) == len(lines)
    assert run_until_idle(app).jobs == 0


def test_the_deadlines_of_a_model_are_told_for_both_channels(opened):
    app, actor = opened.sb.app, opened.sb.actor
    deploy(app, actor, load_package(Path(__file__).parent / "packages" / "einvernehmen"))
    done = preview(app, actor, Switch(XDOMEA, procedure="einvernehmen", recipient=HOMBURG))
    told = [each for each in done.consequences if each.about.startswith("baugb-36-2")]
    assert told, done.consequences
    for each in told:
        assert (each.before_channel, each.after_channel) == (POST, XDOMEA)
        assert "nothing is deemed granted" in each.before
        assert "xdomea receipt" in each.after
        assert "nothing is deemed granted" not in each.after
    same = Switch(POST, procedure="einvernehmen", recipient=HOMBURG)
    assert preview(app, actor, same).consequences == []
