"""What every carrier must do, ours and others'.

Inherit ``CarrierContract`` in a test module and give it a fixture ``rig``::

    class TestMine(CarrierContract):
        @pytest.fixture
        def rig(self, tmp_path): return CarrierRig(...)
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from engine.exchange.ports import (
    Assurance,
    Carrier,
    Envelope,
    HandedOver,
    Incoming,
    Mailbox,
    Part,
    Prepared,
    Rejected,
    Unknown,
)
from tests.contracts.samples import Envelopes, requirements


def plain_parts(envelope: Envelope, folder: Path) -> tuple[Part, ...]:
    """Write one part of role ``container`` whose bytes tell the exchange."""
    path = folder / f"{envelope.exchange_id}.bin"
    path.write_bytes(b"message " + envelope.exchange_id.encode())
    return (Part(path.name, "application/octet-stream", path, "container"),)


@dataclass
class CarrierRig:
    """A carrier with two mailboxes, and how to treat it in the suite."""

    carrier: Carrier
    sender: Mailbox | None
    recipient: Mailbox
    work: Path
    """An empty folder for parts."""
    parts: Callable[[Envelope, Path], tuple[Part, ...]] = plain_parts
    restarted: Callable[[], Carrier] | None = None
    """Makes the carrier anew over the same data, as after a crash."""
    receiver: Carrier | None = None
    """The recipient's carrier, where it is another one than the sender's."""
    comes_back: bool = True
    """Whether the recipient's ``collect`` brings what was transmitted; a print folder does not."""
    settle: Callable[[], None] = lambda: None
    """Lets time pass until what was transmitted can be collected."""
    broken: Callable[[], AbstractContextManager[None]] | None = None
    """Makes the recipient unreachable for a while."""
    envelopes: Envelopes = field(default_factory=Envelopes)

    def prepare(self, envelope: Envelope | None = None) -> Prepared:
        envelope = envelope or self.envelopes.new()
        folder = self.work / envelope.dispatch_id
        folder.mkdir(parents=True, exist_ok=True)
        return self.carrier.prepare(envelope, self.parts(envelope, folder), self.sender, self.recipient)

    def collected(self) -> list[Incoming]:
        self.settle()
        found = list((self.receiver or self.carrier).collect(self.recipient))
        if not found:
            # Carriers may look twice before they trust what they see.
            found = list((self.receiver or self.carrier).collect(self.recipient))
        return found


def contents(parts: Sequence[Part]) -> list[bytes]:
    return sorted(part.path.read_bytes() for part in parts)


class CarrierContract:
    """The suite."""

    @pytest.fixture
    def rig(self) -> CarrierRig:
        raise NotImplementedError

    def test_describes_itself(self, rig: CarrierRig) -> None:
        described = rig.carrier.describe()
        assert described.name == rig.recipient.channel.partition("+")[2]
        assert described.title
        assert described.roles
        assert isinstance(described.authenticates, Assurance)

    def test_is_healthy(self, rig: CarrierRig) -> None:
        health = rig.carrier.health()
        assert health.ok
        assert health.checked.utcoffset() == timedelta(0)

    def test_finds_nothing_in_the_way(self, rig: CarrierRig) -> None:
        assert rig.carrier.check(rig.sender, rig.recipient, requirements(rig.envelopes.new())) == []

    def test_what_it_says_does_not_depend_on_the_message_type(self, rig: CarrierRig) -> None:
        asked = requirements(rig.envelopes.new())
        other = replace(asked.message_type, key="another", version="9", mappings={}, template=None)
        for changed in (
            asked,
            replace(asked, total_bytes=10**12),
            replace(asked, media_types=("video/mp4",)),
        ):
            answer = rig.carrier.check(rig.sender, rig.recipient, changed)
            assert (
                rig.carrier.check(rig.sender, rig.recipient, replace(changed, message_type=other)) == answer
            )

    def test_who_takes_a_large_exchange_takes_a_smaller_one(self, rig: CarrierRig) -> None:
        asked = requirements(rig.envelopes.new())
        for limit in (None, 500, 10**7):
            recipient = replace(rig.recipient, max_bytes=limit)
            found = [
                {
                    each.code
                    for each in rig.carrier.check(rig.sender, recipient, replace(asked, total_bytes=size))
                }
                for size in (0, 499, 500, 501, 10**6, 10**8)
            ]
            assert all(smaller <= larger for smaller, larger in pairwise(found))

    def test_preparing_reaches_nobody(self, rig: CarrierRig) -> None:
        prepared = rig.prepare()
        assert prepared.carrier_reference
        assert prepared.parts
        assert rig.collected() == []

    def test_what_is_prepared_can_be_stored(self, rig: CarrierRig) -> None:
        prepared = rig.prepare()
        stored = replace(prepared, details=json.loads(json.dumps(dict(prepared.details))))
        assert isinstance(rig.carrier.transmit(stored), HandedOver)

    def test_transmitting_hands_over_with_an_instant(self, rig: CarrierRig) -> None:
        outcome = rig.carrier.transmit(rig.prepare())
        assert isinstance(outcome, HandedOver)
        assert outcome.at.utcoffset() == timedelta(0)
        assert all(isinstance(value, bytes) for value in outcome.evidence.values())
        assert all(fact.utcoffset() == timedelta(0) for fact in outcome.facts.values())

    def test_after_a_crash_before_transmitting_it_did_not_go(self, rig: CarrierRig) -> None:
        prepared = rig.prepare()
        carrier = rig.restarted() if rig.restarted else rig.carrier
        outcome = carrier.resolve(prepared)
        assert isinstance(outcome, Rejected)
        assert outcome.retry
        assert isinstance(carrier.transmit(prepared), HandedOver)

    def test_after_a_crash_after_transmitting_it_went(self, rig: CarrierRig) -> None:
        prepared = rig.prepare()
        rig.carrier.transmit(prepared)
        carrier = rig.restarted() if rig.restarted else rig.carrier
        assert isinstance(carrier.resolve(prepared), HandedOver)
        if rig.comes_back:
            assert len(rig.collected()) == 1

    def test_an_unreachable_recipient_is_said_and_nothing_is_half_sent(self, rig: CarrierRig) -> None:
        if rig.broken is None:
            pytest.skip("this carrier has no recipient that could be unreachable")
        prepared = rig.prepare()
        with rig.broken():
            outcome = rig.carrier.transmit(prepared)
            assert isinstance(outcome, Rejected | Unknown)
            assert outcome.reason
        assert rig.collected() == []

    def test_collects_what_was_transmitted_until_acknowledged(self, rig: CarrierRig) -> None:
        if not rig.comes_back:
            pytest.skip("what this carrier transmits does not come back by collect")
        prepared = rig.prepare()
        rig.carrier.transmit(prepared)
        (first,) = rig.collected()
        (again,) = rig.collected()
        assert first.carrier_reference == again.carrier_reference
        assert first.received == again.received
        assert first.received.utcoffset() == timedelta(0)
        assert first.mailbox == rig.recipient
        assert contents(again.parts) == contents(prepared.parts)
        assert (first.sender_id is None) == (first.assurance is Assurance.NONE)
        again.acknowledge()
        again.acknowledge()
        assert rig.collected() == []

    def test_after_the_recipient_took_it_it_still_went(self, rig: CarrierRig) -> None:
        if not rig.comes_back:
            pytest.skip("what this carrier transmits does not come back by collect")
        prepared = rig.prepare()
        rig.carrier.transmit(prepared)
        (incoming,) = rig.collected()
        incoming.acknowledge()
        assert isinstance(rig.carrier.resolve(prepared), HandedOver)
        assert rig.collected() == []

    def test_two_messages_are_two_arrivals(self, rig: CarrierRig) -> None:
        if not rig.comes_back:
            pytest.skip("what this carrier transmits does not come back by collect")
        prepared = [rig.prepare(), rig.prepare()]
        for each in prepared:
            rig.carrier.transmit(each)
        found = rig.collected()
        assert len({incoming.carrier_reference for incoming in found}) == 2
        assert sorted(contents(incoming.parts) for incoming in found) == sorted(
            contents(each.parts) for each in prepared
        )
