"""What keeps a message from going out by eGo-MAIL, with the reason."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.exchange.ports import FormClass, HandedOver, Part, Rejected, Requirements
from tests.contracts.samples import HOMBURG, NOON, REQUEST, SAARBRUECKEN, Envelopes
from tests.ego_mail.conftest import World, pem
from tests.osci.pki import Authority

SMALL = Requirements(REQUEST, FormClass.NONE, 1000, ("application/pdf",), NOON.date())


def codes(world: World, requirements: Requirements = SMALL, **changes: object) -> list[str]:
    carrier = world.carrier(SAARBRUECKEN)
    recipient = world.mailbox(HOMBURG, **changes)
    return [each.code for each in carrier.check(world.mailbox(SAARBRUECKEN), recipient, requirements)]


def test_nothing_stands_in_the_way_of_a_small_pdf(world: World) -> None:
    assert codes(world) == []
    assert codes(world, replace(SMALL, form=FormClass.CONFIDENTIAL)) == []
    assert codes(world, form_classes=(FormClass.WRITTEN,)) == ["form-class"]


def test_size_and_format_are_the_mailbox_s(world: World) -> None:
    large = replace(SMALL, total_bytes=30_000_001)
    assert codes(world, large) == ["too-large"]
    assert codes(world, replace(SMALL, total_bytes=30_000_000)) == []
    assert codes(world, large, settings={"limit": "file"}) == []
    halves = replace(large, sizes=(30_000_000, 1))
    assert codes(world, halves) == ["too-large"]
    assert codes(world, halves, settings={"limit": "file"}) == []
    assert codes(world, replace(halves, separable=True)) == []
    one = replace(large, sizes=(1, 30_000_001), separable=True)
    assert codes(world, one) == ["too-large"]
    assert codes(world, one, settings={"limit": "file"}) == ["too-large"]
    assert codes(world, replace(SMALL, media_types=("video/mp4",))) == ["format"]


def test_certificates_must_be_valid_and_trusted(world: World) -> None:
    stranger = Authority("Another CA").party("Stranger")
    assert codes(world, settings={"certificate": pem(stranger.cipher)}) == ["certificate-untrusted"]
    assert codes(world, settings={"certificate": pem(world.keys(HOMBURG).signature)}) == ["certificate-usage"]
    world.clock.turn(timedelta(days=400))
    assert set(codes(world)) == {"certificate-expired"}


@pytest.mark.parametrize("settings", [{"certificate": "no PEM"}, {"limit": "month"}, {"certificate": None}])
def test_settings_that_cannot_be_used_are_said(world: World, settings: dict[str, object]) -> None:
    assert codes(world, settings=settings) == ["bad-settings"]


def test_an_authority_without_keys_or_password_is_not_ready(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = world.carrier(HOMBURG)
    blockers = other.check(world.mailbox(SAARBRUECKEN), world.mailbox(HOMBURG), SMALL)
    assert [(each.side, each.code) for each in blockers] == [("sender", "bad-settings")]
    monkeypatch.delenv("TEST_KEY_PASSWORD")
    assert codes(world) == ["bad-settings"]
    assert not world.carrier(SAARBRUECKEN).health().ok


@pytest.mark.parametrize("limit", ["message", "file"])
@pytest.mark.parametrize(("size", "goes"), [(1000, True), (1001, False)])
def test_the_real_sizes_decide_when_it_is_prepared(
    world: World, tmp_path: Path, limit: str, size: int, goes: bool
) -> None:
    parts = []
    for number in range(2):
        path = tmp_path / f"{number}.pdf"
        path.write_bytes(b"x" * size)
        parts.append(Part(path.name, "application/pdf", path, "document"))
    carrier = world.carrier(SAARBRUECKEN)
    recipient = world.mailbox(HOMBURG, max_bytes=1000, settings={"limit": limit})
    prepared = carrier.prepare(Envelopes().new(), parts, world.mailbox(SAARBRUECKEN), recipient)
    outcome = carrier.transmit(prepared)
    assert isinstance(outcome, HandedOver if goes else Rejected)
    if isinstance(outcome, Rejected):
        assert (outcome.blockers[0].code, outcome.retry) == ("too-large", False)


def test_health_warns_of_certificates_that_end(world: World) -> None:
    assert world.carrier(SAARBRUECKEN).health().message == "ready, 1 mailboxes with keys"
    world.clock.turn(timedelta(days=330))
    health = world.carrier(SAARBRUECKEN).health()
    assert health.ok
    assert "ends in" in health.message
    world.clock.turn(timedelta(days=100))
    assert not world.carrier(SAARBRUECKEN).health().ok
