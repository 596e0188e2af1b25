"""The power is cut at each point of each dialog: the delivery arrives once, and the sender learns of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from adapters.ego_mail.carrier import EgoMailCarrier
from adapters.ego_mail.osci.errors import OutcomeUnknownError
from adapters.ego_mail.osci.http import HttpTransport
from engine.exchange.ports import HandedOver, Outcome, Prepared, Rejected, Unknown
from tests.contracts.carrier_contract import plain_parts
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, Envelopes
from tests.ego_mail.conftest import World

EXCHANGE = HttpTransport.exchange


class PowerCut(BaseException):
    """The process ends here."""


@dataclass
class Wire:
    """Cuts one order: before it leaves, or after it was carried out but before its answer came."""

    at: int
    after: bool
    error: Callable[[], BaseException] = PowerCut
    passed: int = 0
    cut: bool = False

    def exchange(self, transport: HttpTransport, *args: Any, **more: Any) -> Any:
        self.passed += 1
        mine = self.passed == self.at
        if mine and not self.after:
            self.cut = True
            raise self.error()
        answer = EXCHANGE(transport, *args, **more)
        if mine:
            self.cut = True
            answer.close()
            raise self.error()
        return answer

    def install(self, patch: pytest.MonkeyPatch) -> "Wire":
        patch.setattr(HttpTransport, "exchange", lambda *args, **more: self.exchange(*args, **more))
        return self


@dataclass
class Course:
    """One message from prepare to acknowledgement, begun again wherever it is cut."""

    world: World
    folder: Path
    kept: dict[str, bytes] = field(default_factory=dict)

    def again(self, action: Callable[[EgoMailCarrier], Any], party: Any) -> Any:
        while True:
            try:
                return action(self.world.carrier(party))
            except PowerCut:
                continue

    def prepare(self) -> Prepared:
        envelope = Envelopes().new()
        parts = plain_parts(envelope, self.folder)
        boxes = self.world.mailbox(SAARBRUECKEN), self.world.mailbox(HOMBURG)
        return self.again(lambda carrier: carrier.prepare(envelope, parts, *boxes), SAARBRUECKEN)

    def deliver(self, prepared: Prepared) -> Outcome:
        begun = False

        def attempt(carrier: EgoMailCarrier) -> Outcome:
            nonlocal begun
            outcome = carrier.resolve(prepared) if begun else Rejected("new", retry=True)
            begun = True
            if isinstance(outcome, Rejected) and outcome.retry:
                outcome = carrier.transmit(prepared)
            return outcome

        return self.again(attempt, SAARBRUECKEN)

    def receive(self) -> None:
        def attempt(carrier: EgoMailCarrier) -> None:
            for incoming in carrier.collect(self.world.mailbox(HOMBURG)):
                known = self.kept.setdefault(incoming.carrier_reference, incoming.parts[0].path.read_bytes())
                assert known == incoming.parts[0].path.read_bytes()
                incoming.acknowledge()

        self.again(attempt, HOMBURG)


def play(world: World, folder: Path, patch: pytest.MonkeyPatch, wire: Wire) -> None:
    """Bring one message all the way with the power cut once; it arrives once, and the sender sees that."""
    wire.install(patch)
    course = Course(world, folder)
    prepared = course.prepare()
    assert isinstance(course.deliver(prepared), HandedOver)
    course.receive()
    course.receive()
    assert list(course.kept.values()) == [prepared.parts[0].path.read_bytes()]
    card = course.again(lambda carrier: carrier.resolve(prepared), SAARBRUECKEN)
    assert isinstance(card, HandedOver)
    assert set(card.facts) == {"created", "forwarded", "received"}


@pytest.mark.parametrize("point", [1, 2, 7, 8], ids=["id", "store", "fetch", "exit"])
def test_an_order_that_was_carried_out_before_the_cut_counts_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: int
) -> None:
    wire = Wire(point, after=True)
    play(world, tmp_path, monkeypatch, wire)
    assert wire.cut


@pytest.mark.long
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_cut_at_each_point_it_arrives_once(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    for point in count(1):
        wire = Wire(point, after)
        play(world, tmp_path, monkeypatch, wire)
        if not wire.cut:
            break
    # Id, store, three orders to see what waits, to fetch it, to look again and for the card.
    assert point == 2 + 4 * 3 + 1


def lost() -> BaseException:
    return OutcomeUnknownError("the connection broke")


def test_a_lost_answer_is_made_up_for_by_the_process_card(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course(world, tmp_path)
    prepared = course.prepare()
    Wire(1, after=True, error=lost).install(monkeypatch)
    outcome = world.carrier(SAARBRUECKEN).transmit(prepared)
    assert isinstance(outcome, HandedOver)
    assert set(outcome.facts) == {"created"}
    assert b"ProcessCard" in outcome.evidence["process-card.xml"]


def test_without_answer_and_card_the_outcome_is_unknown_and_nothing_is_sent_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course(world, tmp_path)
    prepared = course.prepare()
    wire = Wire(1, after=False, error=lost).install(monkeypatch)
    outcome = world.carrier(SAARBRUECKEN).transmit(prepared)
    assert isinstance(outcome, Unknown)
    assert wire.passed == 4  # the order, and three for a card that is not there
    course.receive()
    assert course.kept == {}


def test_long_after_a_missing_card_proves_nothing(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Course(world, tmp_path)
    prepared = course.prepare()
    Wire(1, after=False).install(monkeypatch)
    with pytest.raises(PowerCut):
        world.carrier(SAARBRUECKEN).transmit(prepared)
    assert isinstance(world.carrier(SAARBRUECKEN).resolve(prepared), Rejected)
    world.clock.turn(timedelta(days=2))
    assert isinstance(world.carrier(SAARBRUECKEN).resolve(prepared), Unknown)
    (begun,) = world.home(SAARBRUECKEN).rglob("*.begun")
    begun.write_text("")  # what a power failure can leave of it
    assert isinstance(world.carrier(SAARBRUECKEN).resolve(prepared), Unknown)


def test_the_same_bytes_sent_twice_are_stored_once(world: World, tmp_path: Path) -> None:
    course = Course(world, tmp_path)
    prepared = course.prepare()
    path = world.home(SAARBRUECKEN) / "ego_mail" / "outgoing" / prepared.details["osci"]["path"]
    kept = path.read_bytes()
    assert isinstance(world.carrier(SAARBRUECKEN).transmit(prepared), HandedOver)
    path.write_bytes(kept)
    assert isinstance(world.carrier(SAARBRUECKEN).transmit(prepared), HandedOver)
    course.receive()
    assert len(course.kept) == 1


def test_changed_bytes_do_not_leave(world: World, tmp_path: Path) -> None:
    prepared = Course(world, tmp_path).prepare()
    path = world.home(SAARBRUECKEN) / "ego_mail" / "outgoing" / prepared.details["osci"]["path"]
    path.write_bytes(path.read_bytes() + b" ")
    outcome = world.carrier(SAARBRUECKEN).transmit(prepared)
    assert isinstance(outcome, Rejected)
    assert outcome.blockers[0].code == "prepared-missing"
