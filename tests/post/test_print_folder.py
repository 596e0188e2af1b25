"""The print folder after a crash at any point, and the carrier's answers from it."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.post import create, files
from adapters.post.errors import NothingToPostError, PostSettingsRefusedError
from adapters.post.settings import read_settings
from engine.clock import TurnedClock
from engine.exchange.ports import FormClass, HandedOver, Part, Prepared, Rejected, Unknown
from tests.contracts.samples import HOMBURG, Envelopes, context, mailbox, requirements
from tests.letter.rig import blank_pdf

BOX = mailbox(HOMBURG, "letter+post", "Kreisstadt Homburg\nAm Forum 5\n66424 Homburg")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def prepare(home: Path, role: str = "letter", pages: int = 2) -> Prepared:
    path = home / "Brief_SB.pdf"
    path.write_bytes(blank_pdf(pages))
    part = Part(path.name, "application/pdf", path, role)
    return create(context(home)).prepare(Envelopes().new(), [part], None, BOX)


class Crash(Exception):
    """The process dies here."""


def steps_of_laying() -> list[str]:
    return ["copied", "noted", "named"]


@pytest.mark.parametrize("step", steps_of_laying())
def test_a_crash_while_laying_is_resolved_without_doubles(
    home: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    prepared = prepare(home)
    carrier = create(context(home))
    order: list[str] = []

    def dying(name: str, real: Callable[..., None]) -> Callable[..., None]:
        def act(*arguments: object) -> None:
            real(*arguments)
            order.append(name)
            if name == step:
                raise Crash

        return act

    module = "adapters.post.print_folder"
    monkeypatch.setattr(f"{module}.copy_synced", dying("copied", files.copy_synced))
    monkeypatch.setattr(f"{module}.write_atomically", dying("noted", files.write_atomically))
    monkeypatch.setattr(f"{module}.settle", dying("named", files.settle))
    with pytest.raises(Crash):
        carrier.transmit(prepared)
    assert order[-1] == step
    monkeypatch.undo()
    outcome = create(context(home)).resolve(prepared)
    if step == "named":
        assert isinstance(outcome, HandedOver)
    else:
        assert isinstance(outcome, Rejected)
        assert outcome.retry
        assert isinstance(create(context(home)).transmit(prepared), HandedOver)
    letters = list((home / "print" / "10041100").glob("*.pdf"))
    assert len(letters) == 1
    assert letters[0].read_bytes() == prepared.parts[0].path.read_bytes()


def test_a_letter_taken_by_hand_is_not_laid_again(home: Path) -> None:
    prepared = prepare(home)
    carrier = create(context(home))
    carrier.transmit(prepared)
    (home / "print" / prepared.carrier_reference).unlink()
    outcome = carrier.resolve(prepared)
    assert isinstance(outcome, Unknown)
    assert "taken out" in outcome.reason


def test_a_letter_that_a_run_took_was_handed_over(home: Path) -> None:
    prepared = prepare(home)
    carrier = create(context(home))
    carrier.transmit(prepared)
    letter = home / "print" / prepared.carrier_reference
    target = letter.parent / "runs" / "2026-03-02-01" / "letters" / letter.name
    target.parent.mkdir(parents=True)
    letter.replace(target)
    assert isinstance(carrier.resolve(prepared), HandedOver)
    assert isinstance(carrier.transmit(prepared), HandedOver)
    assert not letter.exists()


def test_handing_over_asks_for_a_posting(home: Path) -> None:
    outcome = create(context(home)).transmit(prepare(home))
    assert isinstance(outcome, HandedOver)
    assert outcome.task == "confirm-posting"
    assert outcome.facts == {}


def test_what_a_run_needs_is_noted(home: Path) -> None:
    prepared = prepare(home)
    create(context(home)).transmit(prepared)
    (note,) = (home / "print" / "10041100" / ".noted").iterdir()
    noted = json.loads(note.read_text())
    assert noted["pages"] == 2
    assert noted["dispatch"] == prepared.dispatch_id
    assert noted["recipient"] == ["Kreisstadt Homburg", "Vollstreckung", "Am Forum 5", "66424 Homburg"]


def test_a_read_only_print_folder_is_said_and_can_be_tried_again(home: Path) -> None:
    prepared = prepare(home)
    (home / "print").write_text("in the way")
    outcome = create(context(home)).transmit(prepared)
    assert isinstance(outcome, Rejected)
    assert outcome.retry
    assert outcome.blockers[0].code == "unwritable"
    assert not create(context(home)).health().ok


def test_health_tells_that_the_tariffs_end(home: Path) -> None:
    clock = TurnedClock(datetime(2026, 3, 2, 11, tzinfo=UTC))
    carrier = create(context(home, clock=clock))
    assert "31.12.2026" not in carrier.health().message
    clock.set(datetime(2026, 12, 1, 11, tzinfo=UTC))
    told = carrier.health()
    assert told.ok
    assert "can be written" in told.message
    assert "31.12.2026" in told.message


@pytest.mark.parametrize("address", ["", "Homburg", "Am Forum 5\nHomburg", "\n\n66424 Homburg"])
def test_without_a_postal_address_nothing_goes(home: Path, address: str) -> None:
    asked = requirements(Envelopes().new())
    blockers = create(context(home)).check(None, replace(BOX, address=address), asked)
    assert [(blocker.code, blocker.side) for blocker in blockers] == [("no-address", "recipient")]


def test_a_form_the_recipient_does_not_take_is_a_blocker(home: Path) -> None:
    asked = replace(requirements(Envelopes().new()), form=FormClass.WRITTEN)
    assert [b.code for b in create(context(home)).check(None, BOX, asked)] == ["form-class"]


def test_only_one_letter_goes_into_an_envelope(home: Path) -> None:
    with pytest.raises(NothingToPostError):
        prepare(home, role="container")
    broken = home / "x.pdf"
    broken.write_bytes(b"no pdf")
    with pytest.raises(NothingToPostError, match="no PDF"):
        create(context(home)).prepare(
            Envelopes().new(), [Part("x.pdf", "application/pdf", broken, "letter")], None, BOX
        )


@pytest.mark.parametrize("values", [{"printer": "x"}, {"print_folder": 3}, {"duplex": "yes"}])
def test_faulty_settings_are_refused(home: Path, values: dict[str, object]) -> None:
    with pytest.raises(PostSettingsRefusedError):
        read_settings(values, home)
