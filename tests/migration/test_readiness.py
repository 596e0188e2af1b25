"""Readiness says what the send job would do; what stands in the way, what mailboxes would bring."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from engine.exchange.decision import POST
from engine.exchange.ports import Blocker, FormClass, Mailbox, MessageType
from engine.exchange.registry import UnknownChannelError
from engine.migration.readiness import Need, Readiness
from engine.migration.register import Step, Volume
from engine.migration.scope import Scope
from engine.service.access import RoleMissingError
from engine.service.cases import start_case
from engine.service.directory.authorities import AuthorityUnknownError, import_authorities
from engine.service.directory.mailboxes import add_mailbox
from engine.service.exchanges.sending import decide_channel
from engine.service.migration.probing import probe
from engine.service.migration.readiness import ReadinessRefusedError, Wish, readiness
from engine.service.migration.scope import SenderUnknownError
from engine.service.migration.switching import switch
from engine.service.migration.what_if import WhatIfRefusedError
from engine.service.migration.wishes import Switch
from engine.store.tables import channel_rules, exchange_documents, exchanges, ledger, ledger_marks, mailboxes
from tests.migration.many_halls import HELP, HOMBURG, KIRKEL, NOON, SAARBRUECKEN, make, sent

FOLDER, EGO = "xdomea+folder", "xdomea+ego_mail"
TODAY = NOON.date()
BOX = Mailbox(HOMBURG, FOLDER, "", date(2026, 1, 1), settings={"senders": "subfolders"})
ONE = Scope(HELP, "Send_Ersuchen", SAARBRUECKEN, HOMBURG)


@pytest.fixture
def app(tmp_path):
    opened = make(tmp_path / "home")
    address = {"address": ["Am Forum 5", "66424 Homburg"]}
    import_authorities(opened, opened.actor("ego"), [{"id": HOMBURG, **address}])
    yield opened
    opened.close()


@pytest.fixture
def share(tmp_path):
    for owner in (HOMBURG, KIRKEL):
        (tmp_path / "share" / owner / SAARBRUECKEN).mkdir(parents=True)
    return tmp_path / "share"


def opened(app, share, owner=HOMBURG, channel=FOLDER, **changes):
    box = replace(BOX, authority_id=owner, channel=channel, address=str(share / owner), **changes)
    add_mailbox(app, app.actor("ego"), box)
    return box


def asked(app, scope=ONE, person="sb", **more):
    return readiness(app, app.actor(person), Wish(scope, **more))


def tally(app, channel=FOLDER, **more):
    (cells,) = asked(app, **more).matrix.values()
    return cells[channel]


# The same as the send job

days = st.sampled_from([date(2025, 1, 1), TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=1), None])
boxes = st.fixed_dictionaries(
    {
        "channel": st.sampled_from([FOLDER, FOLDER, FOLDER, EGO, "letter+folder"]),
        "place": st.sampled_from(["there", "there", "gone"]),
        "valid_from": days.filter(bool),
        "valid_until": days,
        "formats": st.sampled_from([("application/pdf",), ("image/png",), ()]),
        "max_bytes": st.none() | st.sampled_from([0, 999, 1000, 1001]),
        "form_classes": st.sets(st.sampled_from(list(FormClass)), min_size=1).map(tuple),
        "settings": st.sampled_from(
            [{"senders": "subfolders"}, {"versions": ["3.1.0"]}, {"versions": ["9.9"]}, {"certificate": "x"}]
        ),
        "owner": st.sampled_from([HOMBURG, HOMBURG, SAARBRUECKEN]),
    }
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(boxes, max_size=3),
    st.sampled_from(list(FormClass)),
    st.sampled_from([(), (1000,), (400, 600)]),
    st.sampled_from(["application/pdf", "image/png", "video/mp4"]),
    st.sampled_from([FOLDER, EGO, "letter+folder", POST]),
)
def test_ready_is_what_the_send_job_would_take(app, share, found, form, sizes, media_type, channel):
    if not hasattr(app, "case"):
        app.case = start_case(app, app.actor("clerk"), HELP).id
    with app.write() as tx:
        for table in (mailboxes, exchanges, exchange_documents, channel_rules, ledger, ledger_marks):
            tx.execute(delete(table))
        for number, each in enumerate(found):
            place = share if each["place"] == "there" else share / "gone"
            row = {
                name: each[name] for name in ("channel", "valid_from", "valid_until", "max_bytes", "settings")
            }
            tx.execute(
                insert(mailboxes).values(
                    id=str(number),
                    authority_id=each["owner"],
                    address=str(place / each["owner"]),
                    formats=list(each["formats"]),
                    form_classes=[one.value for one in each["form_classes"]],
                    accepts_test=False,
                    **row,
                )
            )
        tx.execute(
            insert(channel_rules).values(
                id="rule",
                authority_id=SAARBRUECKEN,
                channel=channel,
                stage="live",
                share=100,
                valid_from=NOON - timedelta(days=1),
                created_at=NOON - timedelta(days=1),
                created_by="x",
                reason="x",
            )
        )
    # The step's form is confidential; the exchange of the send job is made to ask the same.
    kinds = {"sizes": sizes, "media_type": media_type, "form": form.value}
    exchange_id = sent(app, SAARBRUECKEN, HOMBURG, case_id=app.case, **kinds)
    with app.read() as tx:
        exchange = tx.execute(select(exchanges).where(exchanges.c.id == exchange_id)).mappings().one()
        decision = decide_channel(app, tx, exchange)
    told = _with_form(app, form, channel)
    assert (told.ready == told.relations) == (decision.channel == channel), decision
    if decision.channel != channel:
        reasons = " ".join(reason for one in decision.considered for reason in one.reasons)
        assert all(f"[{code}]" in reasons for _, code in told.codes)


def _with_form(app, form, channel):
    """Ask readiness as if the step had that form: in the model it is confidential."""
    from engine.service.migration import readiness as module

    class Look(module._Look):
        def _readiness(self):
            found = super()._readiness()
            (one,) = found.groups
            need = replace(one.need, form=form)
            wanted = [(one.steps[0], need)]
            return Readiness(
                wanted, found.senders, found.recipients, found.channels, found.volumes, found._check, found.on
            )

    with app.read() as tx:
        wish = Wish(ONE, channels=[channel])
        (cells,) = Look(app, tx, app.actor("sb"), wish, app.clock.now()).report().matrix.values()
    return cells[channel]


# Counting

TYPE = MessageType("m", "1", "M", {"type": "object"})
P = Step("p", "", "", "", "m", "none", "post")


@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.integers(0, 1), st.none() | st.sampled_from("xyz")),
        unique_by=lambda one: one[0],
        min_size=1,
    ),
    st.sets(st.sampled_from("xyz"), min_size=1).map(sorted),
    st.sets(st.sampled_from("xyzw")).map(sorted),
    st.sets(
        st.tuples(st.sampled_from("xyz"), st.sampled_from("xyzw"), st.sampled_from("12"), st.integers(0, 1))
    ),
    st.dictionaries(
        st.tuples(st.just("p"), st.sampled_from("abcd"), st.sampled_from("xyz"), st.sampled_from("xyzw")),
        st.builds(Volume, st.integers(0, 5), st.integers(0, 5)),
    ),
)
def test_groups_count_like_relations_one_by_one(steps, senders, recipients, shut, volumes):
    needs = [Need(TYPE, FormClass.NONE, number) for number in (0, 1)]
    named = [(replace(P, element=name, constant=constant), needs[which]) for name, which, constant in steps]

    def check(channel, sender, recipient, requirements):
        closed = (sender, recipient, channel, requirements.total_bytes) in shut
        return [Blocker("shut", "recipient", "shut")] if closed else []

    found = Readiness(named, senders, recipients, ["1", "2"], volumes, check, TODAY)
    expected = {}
    for step, need in named:
        for sender in senders:
            for recipient in [step.constant] if step.constant else recipients:
                if recipient == sender:
                    continue
                for channel in "12":
                    ready = not check(channel, sender, recipient, need.requirements(TODAY))
                    volume = volumes.get(("p", step.element, sender, recipient), Volume()).total
                    for by, key in (
                        ("recipient", recipient),
                        ("sender", sender),
                        ("step", f"p {step.element}"),
                    ):
                        cell = expected.setdefault((by, key, channel), Counter())
                        cell.update(relations=1, volume=volume, ready=ready, ready_volume=volume * ready)
    told = {
        (by, key, channel): Counter(
            relations=one.relations, volume=one.volume, ready=one.ready, ready_volume=one.ready_volume
        )
        for by in ("recipient", "sender", "step")
        for key, cells in found.matrix(by).items()
        for channel, one in cells.items()
    }
    assert told == expected
    for recipient in "xyzw":
        box = Mailbox(recipient, "1", "", TODAY)
        gain = found.gain([box], lambda *_: [])
        lost = [
            cell for cell in found.cells() if recipient in cell[1:] and not found.goes_electronically(cell)
        ]
        assert gain.relations == sum(len(found.groups[cell[0]].steps) for cell in lost)


# Blockers, one by one


@pytest.mark.parametrize(
    ("changes", "blocker"),
    [
        ({}, None),
        ({"valid_from": date(2027, 1, 1)}, ("recipient", "not-yet")),
        ({"valid_until": date(2026, 11, 1)}, ("recipient", "ended")),
        ({"form_classes": (FormClass.NONE,)}, ("recipient", "form-class")),
        ({"max_bytes": 999}, ("recipient", "too-large")),
        ({"settings": {"senders": "subfolders", "versions": ["9.9"]}}, ("recipient", "no-common-version")),
        ({"channel": EGO}, ("sender", "no-mailbox")),
    ],
)
def test_every_blocker_is_named_with_its_side(app, share, changes, blocker):
    sent(app, SAARBRUECKEN, HOMBURG, sizes=[600, 400])
    box = opened(app, share, **changes)
    one = tally(app, box.channel)
    assert list(one.codes) == ([blocker] if blocker else [])
    assert one.ready == (0 if blocker else 1)
    assert (one.volume, one.relations) == (1, 1)


def test_who_has_no_mailbox_needs_a_sub_folder_all_the_same(app, share):
    opened(app, share, settings={"senders": "subfolders", "versions": ["3.1.0"]})
    assert not tally(app).codes
    (share / HOMBURG / SAARBRUECKEN).rmdir()
    assert [code for _, code in tally(app).codes] == ["no-folder"]


def test_formats_are_those_of_the_usual_exchanges(app, share):
    for _ in range(30):
        sent(app, SAARBRUECKEN, HOMBURG, sizes=[1], media_type="application/pdf")
    sent(app, SAARBRUECKEN, HOMBURG, sizes=[1], media_type="video/mp4")
    assert tally(app, POST).ready == 1
    sent(app, SAARBRUECKEN, HOMBURG, sizes=[1], media_type="video/mp4")
    assert list(tally(app, POST).codes) == [("channel", "format")]


def test_the_largest_of_the_past_make_it_partly_ready(app, share):
    for size in [*[100] * 30, 5_000]:
        sent(app, SAARBRUECKEN, HOMBURG, sizes=[size])
    opened(app, share, max_bytes=1_000)
    one = tally(app)
    assert (one.ready, one.partly) == (1, 1)
    (too_large,) = [each for each in asked(app).obstacles if each.code == "too-large"]
    assert "5000 bytes" in too_large.message


def test_what_is_older_than_a_year_says_nothing_of_sizes(app, share):
    sent(app, SAARBRUECKEN, HOMBURG, sizes=[5_000], at=NOON - timedelta(days=400))
    opened(app, share, max_bytes=1_000)
    assert (tally(app).ready, tally(app).partly, tally(app).volume) == (1, 0, 0)


def test_untested_until_something_went_or_was_looked_at(app, share):
    opened(app, share)
    assert list(tally(app).remarks) == ["untested"]
    seen = probe(app, app.actor("sb"), ONE, 60)
    assert [(each.authority_id, each.ok) for each in seen.looked] == [(HOMBURG, True)]
    assert list(tally(app).remarks) == []
    (share / HOMBURG / SAARBRUECKEN).rmdir()
    (share / HOMBURG).rename(share / "away")
    probe(app, app.actor("sb"), ONE, 60)
    assert list(tally(app).codes) == [("recipient", "no-folder")]
    (share / "away").rename(share / HOMBURG)
    (share / HOMBURG / SAARBRUECKEN).mkdir()
    assert set(tally(app).remarks) == {"ill", "untested"}
    went(app)
    assert set(tally(app).remarks) == {"ill"}


def went(app):
    """Write into the ledger that something went."""
    row = dict.fromkeys(ledger.c.keys())
    row.update(
        exchange_id="x",
        authority_id=SAARBRUECKEN,
        procedure_key=HELP,
        element_id="Send_Ersuchen",
        recipient_id=HOMBURG,
        month="2026-11",
        cell=1,
        state="sent",
        channel=FOLDER,
        level="C",
        created_at=NOON,
        rejected=False,
        copies=0,
        failed=0,
    )
    with app.write() as tx:
        tx.execute(insert(ledger).values(**row))
        tx.execute(insert(ledger_marks).values(id="m", authority_id=SAARBRUECKEN, cell=1, month="2026-11"))


def test_no_probe_begins_after_its_time(app, share):
    opened(app, share)
    assert probe(app, app.actor("sb"), ONE, 0).left == 1


def test_a_mailbox_that_closes_soon_is_remarked(app, share):
    opened(app, share, valid_until=TODAY + timedelta(days=10))
    assert set(tally(app).remarks) == {"untested", "closes-soon"}


# What if, and what next


@pytest.fixture
def used(app):
    for recipient, times in ((HOMBURG, 3), (KIRKEL, 5)):
        for _ in range(times):
            sent(app, SAARBRUECKEN, recipient)
    return app


def test_an_assumed_mailbox_brings_its_relations_and_figures(used, share):
    wide = Scope(HELP, sender=SAARBRUECKEN)
    gain = asked(used, wide, what_if=["mailbox Homburg xdomea+folder"]).what_if
    assert (gain.relations, gain.volume) == (3, 3)
    both = ["mailbox Homburg xdomea+folder", "mailbox 10045115 xdomea+folder form=none"]
    gain = asked(used, wide, what_if=both).what_if
    assert (gain.relations, gain.volume) == (4, 3)
    assert [(side, code, count) for (side, code, _), count in gain.still.items()] == [
        ("recipient", "form-class", 2)
    ]
    opened(used, share)
    assert asked(used, wide, what_if=["mailbox Homburg xdomea+folder"]).what_if.relations == 0


@pytest.mark.parametrize(
    ("terms", "still"),
    [
        ("form=none,confidential max-bytes=30000000", set()),
        ("max-bytes=10", {"too-large"}),
        ("formats=image/png", {"format"}),
        ("form=none", {"form-class"}),
        ("""versions='["9.9"]'""", {"no-common-version"}),
    ],
)
def test_only_what_is_said_of_an_assumed_mailbox_counts_against_it(app, share, terms, still):
    sent(app, SAARBRUECKEN, HOMBURG, sizes=[600, 400])
    for channel in (FOLDER, EGO):
        own = f"mailbox Saarbrücken {channel}"
        gain = asked(app, what_if=[f"mailbox Homburg {channel} {terms}", own]).what_if
        assert {code for _, code, _ in gain.still} == still, channel
        assert gain.relations == (0 if still else 1)
    alone = asked(app, what_if=[f"mailbox Homburg {EGO}"]).what_if
    assert {(side, code) for side, code, _ in alone.still} == {("sender", "no-mailbox")}


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("", WhatIfRefusedError, "says no mailbox"),
        ("box 1 2", WhatIfRefusedError, "mailbox 10045114"),
        ("mailbox Homburg telegram", WhatIfRefusedError, "payload"),
        ("mailbox Homburg xdomea+pigeon", UnknownChannelError, "pigeon"),
        ("mailbox Entenhausen xdomea+folder", AuthorityUnknownError, "Entenhausen"),
        ("mailbox Homburg xdomea+folder form=loud", WhatIfRefusedError, "form classes"),
        ("mailbox Homburg xdomea+folder max-bytes=viel", WhatIfRefusedError, "number of bytes"),
        ("mailbox Homburg xdomea+folder max-bytes=-1", WhatIfRefusedError, "number of bytes"),
        ("mailbox Homburg xdomea+folder nonsense", WhatIfRefusedError, "NAME=VALUE"),
        ("mailbox 'Homburg xdomea+folder", WhatIfRefusedError, "quotation"),
    ],
)
def test_a_bad_what_if_says_how_to_write_it(app, text, error, said):
    with pytest.raises(error) as caught:
        asked(app, what_if=[text])
    assert said in str(caught.value)


def test_what_moves_most_comes_first_and_what_is_ready_is_worth_switching(used, share):
    opened(used, share, owner=SAARBRUECKEN, channel="letter+folder")
    report = asked(used, Scope(sender=SAARBRUECKEN), channels=[FOLDER])
    assert [(gain.mailboxes[0].authority_id, gain.volume) for gain in report.worth_opening] == [
        (KIRKEL, 5),
        (HOMBURG, 3),
    ]
    opened(used, share)
    report = asked(used, Scope(sender=SAARBRUECKEN))
    assert [(one.recipient, one.channel, one.volume) for one in report.worth_switching] == [
        (HOMBURG, FOLDER, 3)
    ]
    assert KIRKEL in [gain.mailboxes[0].authority_id for gain in report.worth_opening]
    switch(used, used.actor("sb"), Switch(FOLDER, recipient=HOMBURG, reason="x"))
    used.clock.turn(timedelta(minutes=1))
    assert asked(used, Scope(sender=SAARBRUECKEN)).worth_switching == []


# Who sees what, bad questions, both databases


def test_figures_and_senders_of_others_are_not_shown(used, share):
    opened(used, share)
    report = asked(used, Scope(), "hom")
    assert report.volume == 0
    assert SAARBRUECKEN in report.matrix
    assert HOMBURG not in report.matrix
    assert asked(used, Scope(), "ego").volume == 8
    for person, sender in (("hom", SAARBRUECKEN), ("sb", HOMBURG), ("ego", KIRKEL), ("sb", "nobody")):
        with pytest.raises(SenderUnknownError):
            asked(used, Scope(sender=sender), person)
        with pytest.raises(SenderUnknownError):
            probe(used, used.actor("sb"), Scope(sender="nobody"), 1)
    for person in ("clerk",):
        with pytest.raises(RoleMissingError):
            asked(used, Scope(), person)
        with pytest.raises(RoleMissingError):
            probe(used, used.actor(person), Scope(), 1)


def test_what_cannot_be_asked(app):
    with pytest.raises(ReadinessRefusedError, match="by recipient, sender, step"):
        asked(app, by="colour")
    with pytest.raises(ReadinessRefusedError, match="payload"):
        asked(app, channels=["telegram"])
    with pytest.raises(UnknownChannelError):
        asked(app, channels=["letter+pigeon"])


@pytest.mark.postgres
def test_the_same_on_postgresql(tmp_path, share, postgres):
    reports = []
    for url in ("", postgres.fresh()):
        one = make(tmp_path / f"home{bool(url)}", database_url=url)
        for size in (100, 100, 900):
            sent(one, SAARBRUECKEN, HOMBURG, sizes=[size], at=datetime(2026, 10, 31, 23, 30, tzinfo=UTC))
        opened(one, share, max_bytes=500)
        report = asked(one, Scope(), "ego", what_if=["mailbox Kirkel xdomea+folder"])
        reports.append((report.matrix, report.obstacles, report.worth_switching, report.what_if))
        one.close()
    assert reports[0] == reports[1]
    assert reports[0][0][HOMBURG][FOLDER].codes["recipient", "too-large"] == 1
