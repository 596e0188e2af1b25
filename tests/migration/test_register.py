"""The register: every relation once, counted against a written-out list; reasons and their history."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from engine.definitions.package import PackageRefusedError, build_package
from engine.exchange.ports import FormClass, Mailbox
from engine.migration.reasons import Reason, Reasons, Why, derived, for_relation
from engine.migration.register import Known, Register, Step, Volume
from engine.migration.scope import Scope
from engine.service.access import RoleMissingError
from engine.service.directory.mailboxes import add_mailbox
from engine.service.migration.register import Wish, overview, relations
from engine.service.migration.scope import SenderUnknownError
from engine.service.migration.steps import (
    NewReason,
    ReasonRefusedError,
    StepUnknownError,
    list_steps,
    load_reasons,
    set_reason,
    step_history,
)
from engine.service.procedures import deploy
from engine.service.programs import ProcedureUnknownError
from engine.store.tables import audit
from tests.migration.many_halls import HELP, HOMBURG, KIRKEL, SAARBRUECKEN, YOUTH, make, packages, sent

NO_REASONS = Reasons({}, {}, frozenset("xy"))


@pytest.fixture
def app(tmp_path):
    opened = make(tmp_path / "home")
    yield opened
    opened.close()


def step(name, constant=None, retired=False):
    return Step("p", name, name, "", "m", "none", "post", constant=constant, retired=retired)


steps = st.lists(
    st.builds(step, st.sampled_from("abc"), st.none() | st.sampled_from("xyz"), st.booleans()),
    unique_by=lambda each: each.element,
    max_size=3,
)
keys = st.tuples(st.just("p"), st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from("xyzw"))


@given(
    steps,
    st.lists(st.sampled_from("xyz"), unique=True, min_size=1).map(sorted),
    st.lists(st.sampled_from("xyz"), unique=True).map(sorted),
    st.dictionaries(keys, st.builds(Volume, st.integers(1, 9), st.integers(0, 9))),
    st.booleans(),
    st.integers(0, 12),
    st.integers(1, 5),
)
def test_every_relation_is_there_once_and_pages_make_up_the_whole(
    steps, senders, recipients, volumes, everybody, offset, limit
):
    register = Register(steps, senders, recipients, volumes, NO_REASONS, everybody=everybody)
    expected = []
    for each in steps:
        for sender in senders:
            if each.constant:
                found = {each.constant}
            else:
                found = {key[3] for key in volumes if key[:3] == ("p", each.element, sender)}
                if everybody and not each.retired:
                    found |= set(recipients)
            found -= {sender}  # nobody writes to itself
            expected += [(each.element, sender, recipient) for recipient in found]
    lines = list(register.lines())
    told = [(line.relation.element_id, line.relation.sender_id, line.relation.recipient_id) for line in lines]
    assert sorted(told) == sorted(expected)
    assert register.count() == len(told) == sum(line.relations for line in register.summary())
    assert list(register.lines(offset, limit)) == lines[offset : offset + limit]
    summed = sum((line.volume for line in lines), Volume())
    assert sum((line.volume for line in register.summary()), Volume()) == summed
    assert sum(sum(line.why.values()) for line in register.summary()) == len(lines)


@pytest.mark.parametrize("why", list(Why))
@pytest.mark.parametrize("has_channel", [True, False])
def test_one_reason_counts_and_the_law_goes_before_all(why, has_channel):
    found = for_relation(Reason(why, "", "set"), has_channel=has_channel)
    if why in (Why.PAPER_BOUND, Why.RELAXABLE, Why.TECHNICAL, Why.NO_CHANNEL):
        assert found == why
    else:
        assert found == (Why.NO_FORM if has_channel else Why.NO_CHANNEL)


def test_a_written_form_counts_as_relaxable_until_somebody_has_read_the_statute():
    assert derived(FormClass.WRITTEN).why is Why.RELAXABLE
    assert "§ 3a" in derived(FormClass.WRITTEN).source
    assert {derived(form).why for form in (FormClass.NONE, FormClass.CONFIDENTIAL)} == {Why.NO_FORM}


def test_all_steps_and_authorities_are_in_the_register(app):
    found = overview(app, app.actor("ego"), Wish())
    assert (found.senders, found.recipients) == (2, 59)
    assert found.relations == 6 * 2 * 58
    assert {line.step.element for line in found.steps} == {
        "Send_Ersuchen",
        "Send_Erinnerung",
        "Send_Antwort",
        "Send_Abgabe",
    }
    one = Wish(Scope(HELP, "Send_Ersuchen", SAARBRUECKEN, "Homburg"))
    (line,) = relations(app, app.actor("sb"), one).lines
    assert (line.known, line.volume, line.why) == (Known.DIRECTORY, Volume(), Why.NO_CHANNEL)
    assert relations(app, app.actor("sb"), Wish(Scope(HELP, "Send_Ersuchen", district="10045"))).total == 8


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_history_gives_figures_by_month_and_own_sends_only(tmp_path, database, request):
    url = request.getfixturevalue("postgres").fresh() if database == "postgresql" else ""
    app = make(tmp_path / "home", database_url=url)
    try:
        for month in (9, 10, 10):
            sent(app, SAARBRUECKEN, HOMBURG, at=datetime(2026, month, 3, tzinfo=UTC))
        sent(app, HOMBURG, SAARBRUECKEN, "Send_Antwort")
        sent(app, SAARBRUECKEN, "99999999", "Send_Alt")
        page = relations(app, app.actor("sb"), Wish(used=True))
        told = {(line.relation.element_id, line.relation.recipient_id): line for line in page.lines}
        assert set(told) == {("Send_Ersuchen", HOMBURG), ("Send_Alt", "99999999")}
        line = told["Send_Ersuchen", HOMBURG]
        assert (line.known, line.volume) == (Known.SEEN, Volume(own=3))
        months = page.months[HELP, "Send_Ersuchen", SAARBRUECKEN, HOMBURG]
        assert {month: volume.own for month, volume in months.items()} == {"2026-09": 1, "2026-10": 2}
        since = Wish(used=True, since=date(2026, 10, 15))
        assert overview(app, app.actor("sb"), since).volume == Volume(own=3)
        whole = overview(app, app.actor("ego"), Wish())
        assert whole.volume.own == 5
        assert whole.months == ("2026-09", "2026-11")
        retired = next(each for each in whole.steps if each.step.element == "Send_Alt")
        assert retired.step.retired
        assert retired.relations == 1
    finally:
        app.close()


def test_a_constant_recipient_is_the_only_one(app):
    package = next(each for each in packages() if each.key == HELP)
    files = {
        path: content.replace(b'dw:recipient="empfaenger"', b"""dw:recipient="'10045115'\"""")
        for path, content in package.files.items()
    }
    deploy(app, app.actor("ego"), build_package(files))
    page = relations(app, app.actor("sb"), Wish(Scope(HELP, "Send_Ersuchen")))
    (line,) = page.lines
    assert (line.known, line.relation.recipient_id) == (Known.CONSTANT, KIRKEL)
    assert relations(app, app.actor("sb"), Wish(Scope(HELP, "Send_Ersuchen", recipient=HOMBURG))).lines == []
    assert relations(app, app.actor("sb"), Wish(Scope(HELP, "Send_Ersuchen", district="10045"))).total == 1


def test_reasons_are_set_with_source_and_author_and_keep_their_history(app):
    actor = app.actor("sb")
    (before,) = list_steps(app, actor, Scope(HELP, "Send_Ersuchen"))
    assert (before.reason.why, before.reason.origin) == (Why.NO_FORM, "procedure")
    assert before.reason.as_of == date(2026, 11, 28)
    relaxed = NewReason("relaxable", "gelesen", "SVwVG § 3", "Artikel 1", date(2021, 12, 1))
    set_reason(app, actor, HELP, "Send_Ersuchen", relaxed)
    (found,) = list_steps(app, actor, Scope(HELP, "Send_Ersuchen"))
    assert (found.reason.why, found.reason.set_by, found.reason.since) == (
        Why.RELAXABLE,
        "sb",
        date(2021, 12, 1),
    )
    with app.read() as tx:
        reasons = load_reasons(app, tx, [SAARBRUECKEN, HOMBURG])
        assert tx.scalar(select(func.count()).where(audit.c.action == "migration.step")) == 1
    assert reasons.of(HELP, "Send_Ersuchen", SAARBRUECKEN, HOMBURG) is Why.RELAXABLE
    assert reasons.of(HELP, "Send_Ersuchen", HOMBURG, SAARBRUECKEN) is Why.NO_CHANNEL
    app.clock.turn(_minute())
    assert set_reason(app, actor, HELP, "Send_Ersuchen", NewReason(None, "Irrtum")).why is Why.NO_FORM
    history = step_history(app, actor, HELP, "Send_Ersuchen")
    assert [(each.note, each.reason and each.reason.why) for each in history] == [
        ("Irrtum", None),
        ("gelesen", Why.RELAXABLE),
    ]
    assert list_steps(app, actor, Scope(HELP, "Send_Ersuchen"))[0].reason == before.reason


def _minute():
    from datetime import timedelta

    return timedelta(minutes=1)


def test_an_opened_mailbox_is_a_channel_but_the_letter_box_is_none(app):
    actor = app.actor("ego")
    for channel in ("letter+post", "xdomea+folder"):
        box = Mailbox(HOMBURG, channel, "Am Forum 5\n66424 Homburg", date(2026, 1, 1))
        add_mailbox(app, actor, box)
        with app.read() as tx:
            why = load_reasons(app, tx, [SAARBRUECKEN]).of(HELP, "Send_Ersuchen", SAARBRUECKEN, HOMBURG)
        assert why is (Why.NO_CHANNEL if channel == "letter+post" else Why.NO_FORM)


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (NewReason("lazy", "x"), "paper-bound"),
        (NewReason("paper-bound", "x"), "--source"),
        (NewReason("relaxable", "x", "§ 1"), "--relief"),
        (NewReason("technical", " "), "--reason"),
    ],
)
def test_half_said_reasons_are_refused(app, new, said):
    with pytest.raises(ReasonRefusedError) as caught:
        set_reason(app, app.actor("sb"), HELP, "Send_Ersuchen", new)
    assert said in str(caught.value)


def test_others_steps_and_unknown_ones_are_not_found(app):
    good = NewReason("technical", "x")
    for actor, sender in (("hom", SAARBRUECKEN), ("sb", "Homburg"), ("sb", "nowhere")):
        with pytest.raises(SenderUnknownError):
            set_reason(app, app.actor(actor), HELP, "Send_Ersuchen", good, sender=sender)
        with pytest.raises(SenderUnknownError):
            step_history(app, app.actor(actor), HELP, "Send_Ersuchen", sender=sender)
        with pytest.raises(SenderUnknownError):
            overview(app, app.actor(actor), Wish(Scope(sender=sender)))
    with pytest.raises(RoleMissingError):
        overview(app, app.actor("clerk"), Wish())
    with pytest.raises(RoleMissingError):
        set_reason(app, app.actor("clerk"), HELP, "Send_Ersuchen", good)
    with pytest.raises(ProcedureUnknownError):
        set_reason(app, app.actor("sb"), "nothing", "Send_Ersuchen", good)
    for act in (set_reason, lambda *a: step_history(*a[:4])):
        with pytest.raises(StepUnknownError):
            act(app, app.actor("sb"), HELP, "Send_Nichts", good)
    set_reason(app, app.actor("ego"), HELP, "Send_Ersuchen", good, sender="Homburg")
    assert [each.reason.why for each in list_steps(app, app.actor("hom"), Scope(HELP, "Send_Ersuchen"))] == [
        Why.TECHNICAL
    ]
    assert list_steps(app, app.actor("sb"), Scope(HELP, "Send_Ersuchen"))[0].reason.why is Why.NO_FORM


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("format: 1\nas_of: '2026-01-01'\nsteps:\n  Send_X: {why: lazy, source: s}\n", "steps.Send_X.why"),
        ("format: 1\nas_of: '2026-01-01'\nsteps:\n  Send_X: {why: relaxable, source: s}\n", "relief"),
        ("format: 1\nas_of: gestern\nsteps:\n  Send_X: {why: no-form, source: s}\n", "as_of"),
        (
            "format: 1\nas_of: '2026-01-01'\nsteps:\n  Send_X: {why: no-form, source: s}\n",
            "no send of the model",
        ),
    ],
)
def test_a_faulty_paper_yaml_is_refused_with_its_place(app, text, said):
    package = next(each for each in packages() if each.key == YOUTH)
    with pytest.raises(PackageRefusedError) as caught:
        deploy(app, app.actor("ego"), build_package({**package.files, "paper.yaml": text.encode()}))
    assert "paper.yaml" in str(caught.value)
    assert said in str(caught.value)


def test_without_paper_yaml_the_form_class_decides(app):
    package = next(each for each in packages() if each.key == YOUTH)
    files = {path: content for path, content in package.files.items() if path != "paper.yaml"}
    path = "jugendamt-fallabgabe.bpmn"
    files[path] = files[path].replace(
        b'dw:form="confidential" dw:documents', b'dw:form="written" dw:documents'
    )
    deploy(app, app.actor("ego"), replace(build_package(files)))
    found = {each.step.element: each.reason for each in list_steps(app, app.actor("sb"), Scope(YOUTH))}
    assert (found["Send_Abgabe"].why, found["Send_Abgabe"].origin) == (Why.RELAXABLE, "form")
    assert found["Send_Antwort"].why is Why.NO_FORM
