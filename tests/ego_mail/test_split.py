"""A dispatch that is too large for one message: several messages, one unit, joined where it arrives."""

import copy
from datetime import timedelta
from itertools import count, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from adapters.ego_mail.letters import metadata_of
from adapters.ego_mail.osci.client import Delivery
from adapters.ego_mail.osci.content import Container, Data, Sealed
from adapters.ego_mail.osci.metadata import write_metadata
from adapters.ego_mail.outgoing import CARDS_KEPT
from adapters.ego_mail.pieces import JoinedIncoming
from adapters.ego_mail.splitting import split
from engine.exchange.ports import FormClass, HandedOver, Part, Prepared, Rejected, Unknown
from engine.exchange.signers import ROLE
from engine.service import files, tasks
from engine.service.cases import start_case
from engine.service.exchanges.sending import decide_channel
from engine.service.work import run_until_idle
from engine.store.tables import arrival_parts, arrivals, dispatches, exchanges, facts, jobs
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, Envelopes
from tests.ego_mail.conftest import World
from tests.ego_mail.halls import open_halls
from tests.ego_mail.test_arrivals import foreign
from tests.ego_mail.test_crashes import Course, Wire, lost
from tests.enforcement import REQUEST

NAMES = ["Brief.pdf", "Anlage_1.pdf", "Anlage_2.pdf"]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), min_size=1, max_size=12))
def test_no_message_is_above_the_limit_and_signatures_stay_with_their_file(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("split")
    parts = []
    for number, (size, signatures) in enumerate(wanted):
        name = f"{number}.pdf"
        names = [(name, "attachment", size)]
        names += [(f"{name}{'' if it == 0 else '.2'}.p7s", ROLE, 1) for it in range(signatures)]
        for each, role, length in names:
            (folder / each).write_bytes(b"x" * length)
            parts.append(Part(each, "application/pdf", folder / each, role))
    messages = split(parts, 10)
    sent = [part for message in messages for part in message]
    assert sorted(part.name for part in sent) == sorted(part.name for part in parts)
    assert [it.name for it in sent if it.role != ROLE] == [it.name for it in parts if it.role != ROLE]
    for message in messages:
        own = [part for part in message if part.role != ROLE]
        assert sum(part.path.stat().st_size for part in message) <= 10 or len(own) == 1
        for part in message:
            assert part.role != ROLE or any(part.name.startswith(f"{it.name}.") for it in own)
    for before, after in pairwise(messages):
        first = [it for it in after if it is after[0] or it.name.startswith(f"{after[0].name}.")]
        assert sum(it.path.stat().st_size for it in [*before, *first]) > 10


class Split(Course):
    """A course whose message needs three."""

    def prepare(self) -> Prepared:
        parts = []
        for name in NAMES:
            path = self.folder / name
            path.write_bytes(name.encode() * 60)
            parts.append(Part(name, "application/pdf", path, "attachment"))
        boxes = self.world.mailbox(SAARBRUECKEN), self.world.mailbox(HOMBURG, max_bytes=1000)
        envelope = Envelopes().new(form=FormClass.CONFIDENTIAL)
        return self.again(lambda carrier: carrier.prepare(envelope, parts, *boxes), SAARBRUECKEN)

    def receive(self) -> None:
        def attempt(carrier: object) -> None:
            for incoming in carrier.collect(self.world.mailbox(HOMBURG)):  # type: ignore[attr-defined]
                assert isinstance(incoming, JoinedIncoming)
                assert incoming.unsuitable is None
                content = b"".join(part.path.read_bytes() for part in incoming.parts)
                assert self.kept.setdefault(incoming.carrier_reference, content) == content
                assert [part.name for part in incoming.parts] == NAMES
                incoming.acknowledge()

        self.again(attempt, HOMBURG)


def test_three_messages_arrive_as_one_and_prove_what_is_true_of_all(world: World, tmp_path: Path) -> None:
    course = Split(world, tmp_path)
    prepared = course.prepare()
    assert len(prepared.details["further"]) == 2
    carrier = world.carrier(SAARBRUECKEN)
    outcome = carrier.transmit(prepared)
    assert isinstance(outcome, HandedOver)
    assert set(outcome.facts) == {"created"}
    assert {"receipt.xml", "2-receipt.xml", "3-process-card.xml"} <= set(outcome.evidence)
    seen = carrier.track(prepared)
    assert seen is not None
    assert not seen.final
    (incoming,) = world.carrier(HOMBURG).collect(world.mailbox(HOMBURG))
    assert incoming.sender_id == SAARBRUECKEN.authority_id
    cover = incoming.evidence["2-Anschreiben.txt"].decode()
    assert "Teil 2 von 3" in cover
    assert "Anlage_1.pdf" in cover
    incoming.acknowledge()
    assert list(world.carrier(HOMBURG).collect(world.mailbox(HOMBURG))) == []
    seen = carrier.track(prepared)
    assert seen is not None
    assert seen.final
    assert set(seen.facts) == {"created", "forwarded", "received"}


def play(course: Split, patch: pytest.MonkeyPatch, wire: Wire) -> None:
    wire.install(patch)
    prepared = course.prepare()
    assert isinstance(course.deliver(prepared), HandedOver)
    course.receive()
    course.receive()
    assert list(course.kept.values()) == [b"".join(name.encode() * 60 for name in NAMES)]
    card = course.again(lambda carrier: carrier.resolve(prepared), SAARBRUECKEN)
    assert isinstance(card, HandedOver)
    assert set(card.facts) == {"created", "forwarded", "received"}


@pytest.mark.parametrize("point", [5])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_cut_between_the_messages_is_made_up_for_and_doubles_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: int, after: bool
) -> None:
    wire = Wire(point, after)
    play(Split(world, tmp_path), monkeypatch, wire)
    assert wire.cut


@pytest.mark.long
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_cut_at_each_point_it_arrives_once_and_whole(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    for point in count(1):
        wire = Wire(point, after)
        play(Split(world, tmp_path), monkeypatch, wire)
        if not wire.cut:
            break
    # Ids and messages; looking, fetching to see what it is, then all; exits; looking again; a card for each.
    assert point == 2 * 3 + 3 + 2 * 3 + 2 * 3 + 3 + 3 + 3 * 3 + 1


def test_a_lost_answer_without_a_card_leaves_the_whole_to_a_clerk(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Split(world, tmp_path)
    prepared = course.prepare()
    with monkeypatch.context() as patch:
        Wire(2, after=False, error=lost).install(patch)
        outcome = world.carrier(SAARBRUECKEN).transmit(prepared)
    assert isinstance(outcome, Unknown)
    assert "part 2 of 3" in outcome.reason
    resolved = world.carrier(SAARBRUECKEN).resolve(prepared)
    assert isinstance(resolved, Rejected)
    assert resolved.retry
    world.clock.turn(CARDS_KEPT + timedelta(hours=1))
    assert isinstance(world.carrier(SAARBRUECKEN).resolve(prepared), Unknown)


def test_what_stays_incomplete_waits_and_then_goes_to_a_clerk(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = Split(world, tmp_path).prepare()
    with monkeypatch.context() as patch:
        Wire(3, after=False, error=lost).install(patch)
        assert isinstance(world.carrier(SAARBRUECKEN).transmit(prepared), Unknown)
    for _ in range(2):
        assert list(world.carrier(HOMBURG).collect(world.mailbox(HOMBURG))) == []
    world.clock.turn(timedelta(hours=25))
    (incoming,) = world.carrier(HOMBURG).collect(world.mailbox(HOMBURG))
    assert incoming.unsuitable == "Teil 3 von 3 ist nicht angekommen"
    assert [part.name for part in incoming.parts] == NAMES[:2]
    incoming.tell_sender(incoming.unsuitable)
    incoming.acknowledge()
    assert list(world.carrier(HOMBURG).collect(world.mailbox(HOMBURG))) == []
    (notice,) = world.carrier(SAARBRUECKEN).collect(world.mailbox(SAARBRUECKEN))
    assert "Teil 3 von 3" in notice.parts[0].path.read_text()


def test_the_sender_of_several_messages_that_cannot_be_opened_is_told_once(world: World) -> None:
    keys, other = world.keys(SAARBRUECKEN), world.pki.authority.party("Other")
    envelope = Envelopes().new()
    for place in ((1, 3), (2, 3), (3, 3)):
        reader = world.keys(HOMBURG) if place[0] == 1 else other
        sealed = Sealed(Container([Data(b"Guten Tag")], [keys.signer]), [reader.cipher])
        header = write_metadata(metadata_of(envelope, 9, place))
        delivery = Delivery([sealed], world.keys(HOMBURG).cipher, f"Teil {place[0]}", [header])
        foreign(world, keys).store(delivery, world.folder)
    (incoming,) = world.carrier(HOMBURG).collect(world.mailbox(HOMBURG))
    assert isinstance(incoming, JoinedIncoming)
    assert incoming.unsuitable
    incoming.tell_sender(incoming.unsuitable)
    incoming.acknowledge()
    (notice,) = world.carrier(SAARBRUECKEN).collect(world.mailbox(SAARBRUECKEN))
    assert incoming.unsuitable in notice.parts[0].path.read_text()


def test_what_a_crash_left_over_after_storing_is_only_acknowledged(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Split(world, tmp_path)
    assert isinstance(course.deliver(course.prepare()), HandedOver)
    carrier = world.carrier(HOMBURG)
    (incoming,) = carrier.collect(world.mailbox(HOMBURG))
    assert isinstance(incoming, JoinedIncoming)
    incoming.notes.stored(piece.carrier_reference for _, piece in incoming.pieces)
    incoming.pieces[0][1].acknowledge()
    world.clock.turn(timedelta(hours=25))
    assert list(world.carrier(HOMBURG).collect(world.mailbox(HOMBURG))) == []
    assert list(world.carrier(HOMBURG).collect(world.mailbox(HOMBURG))) == []


@pytest.mark.parametrize(("channel", "electronic"), [("document+ego_mail", True), ("xdomea+ego_mail", False)])
def test_letters_are_split_and_containers_are_not(
    world: World, tmp_path: Path, channel: str, electronic: bool
) -> None:
    with open_halls(world, tmp_path / "halls", channel=channel, max_bytes=60_000) as halls:
        side = halls.sides["requesting"]
        case = start_case(side.app, side.actor, "vollstreckungshilfe")
        for name in ("Bescheid.pdf", "Mahnung.pdf"):
            (tmp_path / name).write_bytes(b"%PDF-1.7 " + name.encode() * 3_900)
            files.add_document(side.app, side.actor, case.id, tmp_path / name, role="vollstreckungstitel")
        halls.complete("requesting", "Ersuchen erfassen", copy.deepcopy(REQUEST))
        if not electronic:
            (sent,) = halls.rows("requesting", exchanges)
            with side.app.read() as tx:
                seen = decide_channel(side.app, tx, sent).considered[0]
            assert (seen.channel, seen.verdict) == (channel, "not ready")
            assert any("[too-large]" in reason for reason in seen.reasons)
            return
        (dispatch,) = [row for row in halls.rows("requesting", dispatches) if row["purpose"] == "message"]
        assert (dispatch["channel"], dispatch["state"]) == (channel, "handed_over")
        assert len(dispatch["prepared"]["details"]["further"]) == 2
        (arrival,) = halls.rows("enforcing", arrivals)
        assert (arrival["status"], arrival["assurance"]) == ("started", "signature")
        names = {row["name"] for row in halls.rows("enforcing", arrival_parts)}
        assert {"Anlage_1_Bescheid.pdf", "Anlage_2_Mahnung.pdf", "Nachrichtendaten.json"} <= names
        kinds = [row["kind"] for row in halls.rows("requesting", facts) if row["dispatch_id"]]
        assert kinds.count("created") == 1


def test_a_note_that_a_crash_cut_short_is_made_anew(world: World, tmp_path: Path) -> None:
    course = Split(world, tmp_path)
    assert isinstance(course.deliver(course.prepare()), HandedOver)
    mailbox = world.mailbox(HOMBURG)
    (first,) = world.carrier(HOMBURG).collect(mailbox)
    notes = list(world.home(HOMBURG).rglob("pieces/*.json"))
    assert len(notes) == 3
    for note in notes:
        note.write_text("")
    (second,) = world.carrier(HOMBURG).collect(mailbox)
    assert first.carrier_reference == second.carrier_reference
    second.acknowledge()


def test_messages_taken_in_the_same_instant_are_both_noticed(world: World, tmp_path: Path) -> None:
    with open_halls(world, tmp_path / "halls", channel="document+ego_mail", max_bytes=60_000) as halls:
        side = halls.sides["requesting"]
        case = start_case(side.app, side.actor, "vollstreckungshilfe")
        for name in ("Bescheid.pdf", "Mahnung.pdf"):
            (tmp_path / name).write_bytes(b"%PDF-1.7 " + name.encode() * 3_900)
            files.add_document(side.app, side.actor, case.id, tmp_path / name, role="vollstreckungstitel")
        task = tasks.list_tasks(side.app, side.actor)[0]
        tasks.complete_task(side.app, side.actor, task.id, copy.deepcopy(REQUEST))
        run_until_idle(side.app)
        (joined,) = world.carrier(HOMBURG).collect(world.mailbox(HOMBURG, channel="document+ego_mail"))
        assert isinstance(joined, JoinedIncoming)
        world.clock.turn(timedelta(minutes=2))
        for _, piece in joined.pieces:
            piece.acknowledge()
            with side.app.write() as tx:
                tx.execute(update(jobs).where(jobs.c.kind == "track").values(due_at=world.clock.now()))
            run_until_idle(side.app)
        kinds = [row["kind"] for row in halls.rows("requesting", facts) if row["dispatch_id"]]
        assert sorted(kinds) == ["created", "forwarded", "received"]
