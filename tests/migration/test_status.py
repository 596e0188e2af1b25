"""Status against a brute-force count of random histories: every exchange once, sums match at every level."""

import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import combinations
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from benchmarks._bench import APPROVE, package
from engine.clock import TurnedClock
from engine.exchange.decision import Decision
from engine.exchange.ports import HandedOver, Rejected, Unknown
from engine.migration.durations import Minutes, times
from engine.migration.kpis import Figures, Money
from engine.migration.ledger import DURATIONS, SUMS, counts
from engine.migration.scope import Scope
from engine.migration.status import (
    COLUMNS,
    Question,
    StatusRefusedError,
    checked_dimensions,
    checked_month,
    checked_months,
)
from engine.service.cases import start_case
from engine.service.directory.authorities import seed_authorities
from engine.service.directory.people import add_person
from engine.service.exchanges import outcomes, recording
from engine.service.installation import create_installation, open_installation
from engine.service.migration import ledger
from engine.service.migration.ledger_deadlines import touch_deadline
from engine.service.migration.status import status
from engine.service.procedures import deploy
from engine.store.tables import deadlines, dispatches, exchanges, facts
from tests.checking import sandbox

START = datetime(2026, 1, 30, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
OWN = ("10041100", "10045114")
RECIPIENTS = ("10041100", "10045114", "10045115", "10045", "10")
POST, FOLDER, MAIL = "letter+post", "xdomea+folder", "document+ego_mail"
LEVELS = {POST: "A", FOLDER: "C", MAIL: "B"}
NO_MAILBOX = {
    "considered": [
        {"channel": MAIL, "verdict": "not ready", "reasons": ["rule", "recipient: none open [no-mailbox]"]},
        {"channel": FOLDER, "verdict": "failed before", "reasons": ["rule", "it failed"]},
    ]
}

sends = st.fixed_dictionaries(
    {
        "channel": st.sampled_from([POST, FOLDER, MAIL]),
        "intended": st.sampled_from([POST, FOLDER, MAIL]),
        "outcome": st.sampled_from(["handed", "handed", "handed", "unknown", "refused", "none"]),
        "copy": st.sampled_from([False, True, False]),
        "test": st.sampled_from([False, False, False, True]),
        "postage": st.none() | st.integers(0, 500),
        "after": st.integers(0, 200_000),
    }
)
ENDS = ["unarmed", "armed", "fired", "met", "cancelled"]
running = st.fixed_dictionaries(
    {
        "rule": st.sampled_from(["baugb-36-2", "vwvfg-31", "gone"]),
        "basis": st.sampled_from(["arrival", "notification-fiction"]),
        "notified": st.sampled_from([None, "2026-02-05", "2026-02-09"]),
        "state": st.sampled_from(ENDS),
        "settled": st.sampled_from([-1, 0, 1]),
        "late": st.booleans(),
        "bound": st.sampled_from(["exchange", "later", "nothing"]),
        "folded": st.booleans(),
    }
)
histories = st.lists(
    st.fixed_dictionaries(
        {
            "sender": st.sampled_from(OWN),
            "procedure": st.sampled_from(["p", "q"]),
            "step": st.sampled_from(["ask", "answer"]),
            "recipient": st.sampled_from(RECIPIENTS),
            "created": st.integers(0, 75 * 24 * 60),
            "sends": st.lists(sends, min_size=1, max_size=3) | st.just([]),
            "facts": st.lists(
                st.tuples(
                    st.sampled_from(["received", "imported", "posted", "rejected", "forwarded"]),
                    st.integers(0, 300_000),
                    st.booleans(),
                    st.booleans(),
                    st.booleans(),
                ),
                max_size=3,
            ),
            "answered": st.none() | st.integers(0, 3_000_000),
            "held": st.booleans(),
            "deadlines": st.lists(running, max_size=2),
        }
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """An installation of two authorities with one case each, to be copied for every history."""
    home = tmp_path_factory.mktemp("template") / "home"
    roles = ["admin", "clerk", "installation"]

    def prepare(app):
        seed_authorities(app, OWN)
        add_person(app, person_id="ego", name="E", authority=OWN[0], roles=roles, by=None)

    create_installation(home, "TWO", prepare=prepare)
    app = open_installation(home, clock=TurnedClock(START))
    by = app.actor("ego")
    add_person(app, person_id="hom", name="H", authority=OWN[1], roles=["admin", "clerk"], by=by)
    deploy(app, by, package("approve", APPROVE), sandbox=sandbox())
    cases = {
        actor.authority_id: start_case(app, actor, "approve", {"amount": 1}).id
        for actor in (by, app.actor("hom"))
    }
    app.close()
    return home, cases


def play(app, cases, history, folds):
    """Let a history happen through the services that record it in earnest."""
    for number, told in enumerate(history):
        created = START + timedelta(minutes=told["created"])
        app.clock.set(created)
        exchange_id = f"{number:04d}-{app.ids.new()}"
        with app.write() as tx:
            tx.execute(
                insert(exchanges).values(
                    id=exchange_id,
                    authority_id=told["sender"],
                    case_id=cases[told["sender"]],
                    key=exchange_id,
                    code_key=exchange_id[:40],
                    procedure_key=told["procedure"],
                    element_id=told["step"],
                    message_type="m",
                    message_version="1",
                    recipient_id=told["recipient"],
                    form="none",
                    subject="s",
                    data={},
                    fallback="post",
                    created_at=created,
                    status="open",
                )
            )
            ledger.touch(app, tx, exchange_id)
        for position, sent in enumerate(told["sends"], start=1):
            send(app, exchange_id, told["sender"], position, sent, created)
        with app.write() as tx:
            row = tx.execute(select(exchanges).where(exchanges.c.id == exchange_id)).mappings().one()
            if told["held"]:
                outcomes.hold(app, tx, row, NOTHING_READY)
            tests = [
                d.id
                for d in tx.execute(
                    select(dispatches.c.id).where(
                        dispatches.c.exchange_id == exchange_id, dispatches.c.test.is_(True)
                    )
                )
            ]
            mine = f"1-{exchange_id}"[:60] if told["sends"] else None
            for kind, after, of_test, of_first, _ in told["facts"]:
                dispatch = tests[0] if of_test and tests else mine if of_first else None
                at = created + timedelta(seconds=after)
                outcomes.add_fact(app, tx, row, dispatch, kind, at, "test", "system")
            if told["answered"] is not None:
                at = created + timedelta(seconds=told["answered"])
                outcomes.answered(app, tx, row, {"received_at": at, "id": "a", "channel": POST}, "system")
        withdraw(app, exchange_id, told)
        for place, deadline in enumerate(told["deadlines"]):
            run(
                app,
                f"{number}-{place}",
                exchange_id,
                cases[told["sender"]],
                told["sender"],
                deadline,
                created,
            )
        if number in folds:
            ledger.fold(app)


def send(app, exchange_id, sender, position, sent, created):
    dispatch_id = f"{position}-{exchange_id}"[:60]
    with app.write() as tx:
        tx.execute(
            insert(dispatches).values(
                id=dispatch_id,
                authority_id=sender,
                exchange_id=exchange_id,
                purpose="message",
                number=position,
                channel=sent["channel"],
                state="sending",
                intended_channel=sent["intended"],
                decision=NO_MAILBOX,
                level=LEVELS[sent["channel"]],
                copy=sent["copy"],
                test=sent["test"],
                created_at=created,
                attempts=3,
                prepared={"recipient": PREPARED},
                postage_cents=sent["postage"],
            )
        )
        outcome = {
            "handed": HandedOver(created + timedelta(seconds=sent["after"])),
            "unknown": Unknown("cut"),
            "refused": Rejected("no"),
        }.get(sent["outcome"])
        if outcome is not None:
            outcomes.record(app, tx, dispatch_id, outcome)
        ledger.touch(app, tx, exchange_id)  # as who books postage does


def run(app, key, exchange_id, case_id, sender, told, opened):
    """Open a deadline, unarmed; then let become of it what the history says."""
    due = None if told["state"] == "unarmed" else opened + timedelta(days=30)
    explanation = {"notification": told["notified"], "stages": [{"end": "2026-02-05"}]}
    revisions = [{"outcome": "armed", "explanation": explanation if told["basis"] != "arrival" else None}]
    late = {"notification": "2026-02-05", "stages": [{"end": "2026-02-05"}]}
    if told["late"]:
        revisions.append({"outcome": "late-revision", "explanation": late})
    revisions.append({"outcome": "settled", "explanation": None})
    ended = told["state"] in ("fired", "met", "cancelled")
    with app.write() as tx:
        tx.execute(
            insert(deadlines).values(
                id=key,
                authority_id=sender,
                case_id=case_id,
                item_id=key,
                drives="timer",
                element_id="t",
                instance="",
                rule=told["rule"],
                basis=told["basis"],
                exchange_id=exchange_id if told["bound"] == "exchange" else None,
                state="unarmed",
                revision=0,
                opened_at=opened,
                watch_until=opened,
                revisions=[],
                remind_before=[],
            )
        )
        touch_deadline(app, tx, key)
    if told["folded"]:
        ledger.fold(app)
    with app.write() as tx:
        tx.execute(
            update(deadlines)
            .where(deadlines.c.id == key)
            .values(
                exchange_id=None if told["bound"] == "nothing" else exchange_id,
                state=told["state"],
                due_at=due,
                settled_at=(due or opened) + timedelta(seconds=told["settled"]) if ended else None,
                revisions=revisions,
            )
        )
        touch_deadline(app, tx, key)


PREPARED = {
    "authority_id": OWN[0],
    "channel": POST,
    "address": "x",
    "valid_from": "2026-01-01",
    "valid_until": None,
    "formats": [],
    "max_bytes": None,
    "form_classes": [],
    "accepts_test": False,
    "settings": {},
}
NOTHING_READY = Decision(None, POST, None)


def withdraw(app, exchange_id, told):
    """Withdraw the facts that the history calls wrong."""
    with app.read() as tx:
        rows = tx.execute(select(facts.c.id, facts.c.kind).where(facts.c.exchange_id == exchange_id)).all()
    wrong = {kind for kind, _, _, _, withdrawn in told["facts"] if withdrawn}
    actor = app.actor("ego" if told["sender"] == OWN[0] else "hom")
    for row in rows:
        if row.kind in wrong:
            recording.withdraw_fact(app, actor, row.id, "wrong")


def brute(app):
    """Count from the tables of what happened, in the simplest way there is."""
    with app.read() as tx:
        everything = tx.execute(select(exchanges)).mappings().all()
        sent_ = tx.execute(select(dispatches).order_by(dispatches.c.number)).mappings().all()
        told = tx.execute(select(facts).where(facts.c.withdrawn_at.is_(None))).mappings().all()
    found = []
    for exchange in everything:
        real = [d for d in sent_ if d["exchange_id"] == exchange["id"] and not d["test"]]
        tests = {d["id"] for d in sent_ if d["exchange_id"] == exchange["id"] and d["test"]}
        gone = [d for d in real if d["state"] == "handed_over"]
        known = [f for f in told if f["exchange_id"] == exchange["id"] and f["dispatch_id"] not in tests]
        meant = last = ([d for d in gone if not d["copy"]] or gone or [None])[-1]
        letters = [d for d in gone if d["copy"] and d["channel"] == POST]
        if letters and meant["channel"] != POST:
            sure = [f for f in known if f["dispatch_id"] == meant["id"]]
            sure += [
                f
                for f in known
                if f["dispatch_id"] is None and f["at"] < min(d["handed_over_at"] for d in letters[:1])
            ]
            refused = any(f["kind"] == "rejected" and f["dispatch_id"] for f in sure)
            if refused or not any(f["kind"] in ("received", "imported") for f in sure):
                last = letters[-1]
        receipts = [f["at"] for f in known if f["kind"] in ("received", "imported")]
        found.append(
            {
                "procedure": exchange["procedure_key"],
                "step": exchange["element_id"],
                "sender": exchange["authority_id"],
                "recipient": exchange["recipient_id"],
                "district": {"10": "–", "10045": "10045"}.get(
                    exchange["recipient_id"], exchange["recipient_id"][:5]
                ),
                "month": exchange["created_at"].astimezone(BERLIN).isoformat()[:7],
                "level": last["level"] if last else None,
                "claimed": bool(last) and meant["intended_channel"] != POST,
                "fallback": last is not meant or (bool(last) and last["channel"] != last["intended_channel"]),
                "confirmed": bool(last and receipts),
                "answered": exchange["answered_at"] is not None,
                "rejected": any(f["kind"] == "rejected" for f in known),
                "postage": [d["postage_cents"] for d in real if d["postage_cents"] is not None],
                "transport": max(0, int((min(receipts) - last["handed_over_at"]).total_seconds() / 60))
                if last and receipts
                else None,
                "lead": int((exchange["answered_at"] - exchange["created_at"]).total_seconds() / 60)
                if last and exchange["answered_at"]
                else None,
            }
        )
    return found


def brute_deadlines(app):
    """Count deadlines in the simplest way there is."""
    with app.read() as tx:
        everything = tx.execute(select(deadlines)).mappings().all()
        known = {row["id"]: row for row in tx.execute(select(exchanges)).mappings()}
    found = []
    for deadline in everything:
        exchange = known.get(deadline["exchange_id"])
        recipient = exchange["recipient_id"] if exchange else ""
        late = deadline["settled_at"] and deadline["due_at"] and deadline["settled_at"] >= deadline["due_at"]
        told = [r["explanation"] for r in deadline["revisions"] if r["outcome"] == "armed"]
        notified = told[0]["notification"] if told and told[0] and deadline["state"] != "unarmed" else None
        became = {
            "unarmed": "unarmed",
            "armed": "running",
            "met": "met",
            "fired": "deemed" if deadline["rule"] == "baugb-36-2" else "passed",
            "cancelled": "passed" if late else "dropped",
        }
        found.append(
            {
                "procedure": exchange["procedure_key"] if exchange else "approve",
                "step": exchange["element_id"] if exchange else "",
                "sender": deadline["authority_id"],
                "recipient": recipient,
                "district": {"": "–", "10": "–", "10045": "10045"}.get(recipient, recipient[:5]),
                "month": (exchange or {"created_at": deadline["opened_at"]})["created_at"]
                .astimezone(BERLIN)
                .isoformat()[:7],
                "became": became[deadline["state"]],
                "notified": notified is not None,
                "presumed": notified == "2026-02-05",
            }
        )
    return found


def deadlines_of(rows):
    """What a group of brute-force deadlines comes to."""
    return {
        "became": Counter(r["became"] for r in rows),
        "presumed": (sum(r["presumed"] for r in rows), sum(r["notified"] for r in rows)),
    }


def deadlines_in(figures):
    share = figures.presumed
    return {"became": +figures.deadlines, "presumed": (share.count, share.n)}


def expected(rows):
    """What a group of brute-force rows comes to."""
    sent_rows = [r for r in rows if r["level"]]

    def durations(name, *, paper):
        return Counter(r[name] for r in sent_rows if r[name] is not None and (r["level"] == "A") == paper)

    return {
        "exchanges": len(rows),
        "sent": len(sent_rows),
        "levels": dict(Counter(r["level"] for r in sent_rows)),
        "claimed": sum(r["claimed"] for r in rows),
        "fallbacks": sum(r["fallback"] for r in rows),
        "confirmed": sum(r["confirmed"] for r in rows),
        "answered": sum(r["answered"] for r in rows),
        "rejected": sum(r["rejected"] for r in rows),
        "postage": (sum(sum(r["postage"]) for r in rows), sum(bool(r["postage"]) for r in rows)),
        "times": [durations(name, paper=paper) for name in ("transport", "lead") for paper in (True, False)],
    }


def actual(figures):
    return {
        "exchanges": figures.exchanges,
        "sent": figures.sent,
        "levels": figures.by_level,
        "claimed": figures.claimed.count,
        "fallbacks": figures.fallbacks,
        "confirmed": figures.confirmed.count,
        "answered": figures.answered.count,
        "rejected": figures.rejected.count,
        "postage": (figures.postage.cents, figures.postage.n),
        "times": [
            figures.transports["paper"],
            figures.transports["electronic"],
            figures.leads["paper"],
            figures.leads["electronic"],
        ],
    }


DIMENSIONS = [by for size in range(4) for by in combinations(COLUMNS, size)]


@settings(max_examples=20)
@given(histories, st.sets(st.integers(0, 11)), st.data())
def test_every_exchange_counts_once_and_the_sums_match_at_every_level(template, history, folds, data):
    home, cases = template
    copy = home.parent / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(home, copy)
    app = open_installation(copy, clock=TurnedClock(START))
    try:
        play(app, cases, history, folds)
        counted, due = brute(app), brute_deadlines(app)
        with app.read() as tx:
            assert list(ledger.check(tx)) == []
        actor = app.actor("ego")
        for by in data.draw(st.lists(st.sampled_from(DIMENSIONS), min_size=3, max_size=3)):
            found = status(app, actor, Question(by=by))
            assert actual(found.total) == expected(counted)
            assert deadlines_in(found.total) == deadlines_of(due)
            groups = {tuple(line.key[name] for name in found.question.by): line for line in found.lines}
            assert sum(line.figures.exchanges for line in found.lines) == len(counted)
            for key, line in groups.items():
                mine = [r for r in counted if tuple(r[name] for name in found.question.by) == key]
                assert actual(line.figures) == expected(mine)
                mine = [r for r in due if all(r[name] == line.key[name] for name in line.key)]
                assert deadlines_in(line.figures) == deadlines_of(mine)
        scope = data.draw(
            st.builds(
                Scope,
                procedure=st.none() | st.just("p"),
                step=st.none() | st.just("ask"),
                sender=st.none() | st.sampled_from(OWN),
                recipient=st.none() | st.sampled_from(RECIPIENTS),
                district=st.none() | st.just("10045"),
            )
        )
        since = data.draw(st.none() | st.just("2026-03"))

        def within(rows):
            named = ("procedure", "step", "sender", "recipient", "district")
            return [
                r
                for r in rows
                if all(getattr(scope, name) in (None, r[name]) for name in named)
                and (since is None or r["month"] >= since)
            ]

        narrow = status(app, actor, Question(scope=scope, since=since)).total
        assert actual(narrow) == expected(within(counted))
        assert deadlines_in(narrow) == deadlines_of(within(due))
        own = [r for r in counted if r["sender"] == OWN[1]]
        assert actual(status(app, app.actor("hom"), Question()).total) == expected(own)
        before = status(app, actor).total
        ledger.fold(app)
        after = status(app, actor).total
        assert (actual(after), deadlines_in(after)) == (actual(before), deadlines_of(due))
        with app.read() as tx:
            assert list(ledger.check(tx)) == []
        for by in ((), ("step",), ("month",), ("sender", "recipient"), ("district",), ("step", "recipient")):
            for line in (found := status(app, actor, Question(by=by))).lines:
                mine = [r for r in counted if all(r[name] == line.key[name] for name in line.key)]
                assert actual(line.figures) == expected(mine)
                mine = [r for r in due if all(r[name] == line.key[name] for name in line.key)]
                assert deadlines_in(line.figures) == deadlines_of(mine)
            assert actual(found.total) == expected(counted)
            assert deadlines_in(found.total) == deadlines_of(due)
    finally:
        app.close()


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=60))
def test_median_and_p90_are_the_smallest_that_half_and_nine_tenths_do_not_exceed(minutes):
    found = times(Counter(minutes))
    for value, percent in ((found.median, 50), (found.p90, 90)):
        assert 100 * sum(m <= value for m in minutes) >= percent * len(minutes)
        assert 100 * sum(m < value for m in minutes) < percent * len(minutes)
    assert found.n == len(minutes)


@given(st.lists(st.lists(st.integers(0, 500), min_size=1)), st.booleans())
def test_few_minutes_are_sorted_and_many_counted_to_the_same_figures(texts, many):
    minutes = Minutes([" ".join(map(str, text)) for text in texts])
    if many:
        minutes.texts *= 20_000 // (sum(map(len, texts)) or 1) + 1
    assert minutes.times() == times(minutes.counted())
    minutes.taken = minutes.texts[:1]
    assert minutes.times() == times(minutes.counted())


def test_nothing_has_no_figure():
    empty = Figures()
    assert (empty.electronic.percent, times({}).median, empty.exchanges) == (None, None, 0)


def test_questions_that_make_no_sense_are_refused():
    assert checked_dimensions(["step", "month", "step"]) == ("procedure", "step", "month")
    assert checked_month("2026-11-28") == checked_month("2026-11") == "2026-11"
    with pytest.raises(StatusRefusedError, match="by 'colour'"):
        checked_dimensions(["colour"])
    for wrong in ("2026-13", "gestern", "2026"):
        with pytest.raises(StatusRefusedError, match="no month"):
            checked_month(wrong)
    assert checked_months("2026-10", "2026-11-01") == ("2026-10", "2026-11")
    assert checked_months(None, "2026-11") == (None, "2026-11")
    with pytest.raises(StatusRefusedError, match="2026-12 comes after 2026-11"):
        checked_months("2026-12-01", "2026-11-30")


def test_postage_is_never_known_of_more_than_had_a_letter():
    row = dict.fromkeys((*SUMS, *DURATIONS), 0) | {"exchanges": 1, "posted": 1, "postage_cents": 95}
    named = {"channel": MAIL, "intended_channel": MAIL, "fallback": "", "month": "2026-01"}
    figures = Figures()
    figures.add({**row, **named, "state": "sent", "level": "B"})  # with a copy by post beside it
    assert figures.postage == Money(95, 1, 1)
    figures.add({**row, **named, "state": "sent", "level": "A", "posted": 0, "postage_cents": 0})
    assert figures.postage == Money(95, 1, 2)


def dispatch(channel, *, copy=False, state="handed_over", hour=1):
    at = START.replace(hour=hour)
    level = LEVELS[channel]
    return SimpleNamespace(
        id=str(hour), channel=channel, copy=copy, level=level, state=state, handed_over_at=at
    )


def fact(kind, of=None, hour=5):
    return SimpleNamespace(kind=kind, dispatch_id=of and of.id, at=START.replace(hour=hour))


def test_an_exchange_counts_by_its_original_and_by_a_copy_only_where_nobody_knows_of_the_original():
    original, letter = dispatch(FOLDER), dispatch(POST, copy=True, hour=4)
    assert counts([original], []) == (original, original)
    assert counts([dispatch(FOLDER, state="failed"), original], []) == (original, original)
    assert counts([dispatch(FOLDER, state="outcome_unknown"), letter], []) == (letter, letter)
    assert counts([dispatch(FOLDER, state="failed")], []) == (None, None)
    paper, file = dispatch(POST), dispatch(FOLDER, copy=True, hour=4)
    assert counts([paper, file], []) == (
        paper,
        paper,
    )  # posting proves nothing, and nothing becomes electronic


def test_a_letter_that_had_to_follow_is_what_went_unless_the_original_is_proved_to_have_arrived():
    original, letter = dispatch(MAIL), dispatch(POST, copy=True, hour=4)
    both = [original, letter]
    assert counts(both, []) == (letter, original)
    assert counts(both, [fact("received", letter)]) == (letter, original)
    assert counts(both, [fact("received")]) == (letter, original)  # told later, of whichever of the two
    assert counts(both, [fact("forwarded", original)]) == (letter, original)
    assert counts(both, [fact("received", hour=3)]) == (original, original)
    assert counts(both, [fact("received", original)]) == (original, original)
    refused = [fact("received", original), fact("rejected", original)]
    assert counts(both, refused) == (letter, original)
