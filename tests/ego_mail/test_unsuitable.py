"""What cannot be processed is shown to a clerk and reported to its sender, never read, filed or dropped."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli.arrival
import cli.mailbox
from adapters.clamd.scanner import Clamd
from adapters.ego_mail.letters import metadata_of
from adapters.ego_mail.notices import Notice
from adapters.ego_mail.osci.client import Delivery
from adapters.ego_mail.osci.content import AttachedFile, Data
from adapters.ego_mail.osci.dialog import Dialog
from adapters.ego_mail.osci.metadata import write_metadata
from adapters.ego_mail.osci.streams import BytesBlob
from engine.service import mailbox_health
from engine.service.arrivals import assigning, receiving
from engine.service.arrivals.handing_out import export_arrival
from engine.service.arrivals.registering import list_arrivals
from engine.service.directory.mailboxes import add_mailbox
from engine.service.work import run_until_idle
from engine.store.tables import arrival_parts, arrivals, dispatches, incidents
from tests.clamd.conftest import EICAR, small_clamd
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, Envelopes
from tests.ego_mail.conftest import World
from tests.ego_mail.halls import Halls, open_halls
from tests.ego_mail.test_arrivals import foreign, sealed, send

__all__ = ["small_clamd"]


@pytest.fixture
def halls(world: World, tmp_path: Path) -> Iterator[Halls]:
    with open_halls(world, tmp_path / "halls") as halls:
        yield halls


def scanned(halls: Halls, address: tuple[str, int]) -> None:
    app = halls.sides["enforcing"].app
    app.settings.scanners[:] = ["clamd"]
    app.adapters.add_scanner("clamd", Clamd(address, 5))


def mail(world: World, name: str, content: bytes, media_type: str) -> None:
    keys = world.keys(SAARBRUECKEN)
    file = AttachedFile(name, BytesBlob(content), media_type)
    send(world, keys, sealed(world, Data(b"Guten Tag"), file, signers=[keys.signer]))


def notices(world: World) -> list[str]:
    """Return what the sender is told, as its own client would see it."""
    found = []
    for incoming in world.carrier(SAARBRUECKEN).collect(world.mailbox(SAARBRUECKEN)):
        found += [part.path.read_text(encoding="utf-8") for part in incoming.parts]
        incoming.acknowledge()
    return found


def test_malware_is_kept_from_everybody_and_its_sender_is_told(
    halls: Halls, world: World, small_clamd: Any, tmp_path: Path
) -> None:
    side = halls.sides["enforcing"]
    scanned(halls, small_clamd.server_address)
    mail(world, "Bescheid.pdf", b"%PDF-1.7 " + EICAR, "application/pdf")
    mail(world, "Plan.pdf", b"%PDF-1.7", "application/pdf")
    run_until_idle(side.app)
    run_until_idle(side.app)
    infected, clean = sorted(halls.rows("enforcing", arrivals), key=lambda row: row["status"] != "infected")
    assert infected["status"] == "infected"
    assert infected["reason"] == "clamd found malware in Bescheid.pdf: Eicar-Test"
    assert (infected["message_type"], infected["case_id"]) == (None, None)
    assert clean["status"] not in ("infected", "new")
    # The other one is clean, but no PDF that can be read.
    (text,) = [each for each in notices(world) if "Plan.pdf" not in each]
    assert "Eicar-Test" in text
    assert "höchstens 30000000 Byte" in text

    assert infected["id"] in [line.id for line in list_arrivals(side.app, side.actor)]
    decision = assigning.Decision(sender=SAARBRUECKEN.authority_id)
    with pytest.raises(assigning.ArrivalInfectedError, match="Eicar-Test"):
        assigning.assign(side.app, side.actor, infected["id"], decision)
    with pytest.raises(assigning.ArrivalInfectedError, match="Eicar-Test"):
        export_arrival(side.app, side.actor, infected["id"], tmp_path / "infected")
    line = assigning.reject(side.app, side.actor, infected["id"], "sender telephoned")
    assert line.status == "rejected"
    with pytest.raises(assigning.ArrivalInfectedError, match="Eicar-Test"):
        export_arrival(side.app, side.actor, infected["id"], tmp_path / "infected")
    assert not (tmp_path / "infected").exists()
    assert [row["arrival_id"] for row in halls.rows("enforcing", dispatches)] == [clean["id"]]


def test_nothing_is_taken_in_while_the_scanner_does_not_answer(
    halls: Halls, world: World, small_clamd: Any
) -> None:
    side = halls.sides["enforcing"]
    scanned(halls, ("127.0.0.1", 1))
    mail(world, "Plan.pdf", b"%PDF-1.7", "application/pdf")
    run_until_idle(side.app)
    assert halls.rows("enforcing", arrivals) == []
    told = {row["kind"]: row["message"] for row in halls.rows("enforcing", incidents)}
    assert "clamd does not answer" in told["mailbox"]
    assert "clamd does not answer" in told[mailbox_health.KIND]
    scanned(halls, small_clamd.server_address)
    run_until_idle(side.app)
    assert len(halls.rows("enforcing", arrivals)) == 1
    assert [row["status"] for row in halls.rows("enforcing", incidents) if row["kind"] == "mailbox"] == [
        "closed"
    ]


def test_a_scanner_that_is_not_installed_lets_nothing_through(halls: Halls, world: World) -> None:
    side = halls.sides["enforcing"]
    side.app.settings.scanners[:] = ["unheard-of"]
    mail(world, "Plan.pdf", b"%PDF-1.7", "application/pdf")
    run_until_idle(side.app)
    assert halls.rows("enforcing", arrivals) == []
    (told,) = [row for row in halls.rows("enforcing", incidents) if row["kind"] == "mailbox"]
    assert "unheard-of" in told["message"]


def test_without_a_scanner_the_check_says_so(halls: Halls) -> None:
    shown = (
        CliRunner()
        .invoke(cli.mailbox.app, ["check", HOMBURG.authority_id], obj=halls.sides["enforcing"])
        .stdout
    )
    assert "no malware scanner is configured" in shown


def test_formats_outside_the_terms_are_reported_and_left_to_a_clerk(halls: Halls, world: World) -> None:
    side = halls.sides["enforcing"]
    mail(world, "Tabelle.xls", b"\xd0\xcf\x11\xe0", "application/vnd.ms-excel; charset=binary")
    run_until_idle(side.app)
    (row,) = halls.rows("enforcing", arrivals)
    assert row["status"] == "unreadable"
    assert row["reason"] == "Dateiformate, die dieses Postfach nicht annimmt: application/vnd.ms-excel"
    assert (row["sender_id"], row["assurance"]) == (SAARBRUECKEN.authority_id, "signature")
    listed = CliRunner().invoke(cli.arrival.app, ["list", "--json"], obj=side)
    assert f'"sender_id": "{SAARBRUECKEN.authority_id}"' in listed.stdout
    listed = CliRunner().invoke(cli.arrival.app, ["list"], obj=side, env={"COLUMNS": "250"})
    assert SAARBRUECKEN.authority_id in listed.stdout
    (text,) = notices(world)
    assert "application/vnd.ms-excel" in text
    assert "Dateiformate: application/pdf, application/zip, text/plain" in text


BROKEN = [
    ("xdomea+ego_mail", "Nachrichtendaten.json", b'{"format": 7}', "application/json"),
    ("xdomea+ego_mail", "Bescheid.pdf", b"%PDF-1.7 broken", "application/pdf"),
    ("xdomea+ego_mail", "58f74fed-f3d8-4b57-8819-d423612086b6_Information.Information.0101.zip", b"PK", ""),
    ("document+ego_mail", "Bescheid.pdf", b"%PDF-1.7 broken", "application/pdf"),
]


@pytest.mark.parametrize(("channel", "name", "content", "media_type"), BROKEN)
def test_senders_known_and_unknown_are_told_once_of_what_turns_out_unreadable(
    world: World, tmp_path: Path, channel: str, name: str, content: bytes, media_type: str
) -> None:
    stranger = world.pki.authority.party("Stranger")
    with open_halls(world, tmp_path / "halls", channel=channel) as halls:
        side = halls.sides["enforcing"]
        for keys in (world.keys(SAARBRUECKEN), stranger):
            file = AttachedFile(name, BytesBlob(content), media_type or "application/zip")
            send(world, keys, sealed(world, file, signers=[keys.signer]))
        run_until_idle(side.app)
        run_until_idle(side.app)
        found = halls.rows("enforcing", arrivals)
        assert [row["status"] for row in found] == ["unreadable"] * 2
        assert {row["sender_id"] for row in found} == {SAARBRUECKEN.authority_id, None}
        sent = [row for row in halls.rows("enforcing", dispatches) if row["purpose"] == "complaint"]
        assert {row["arrival_id"] for row in sent} == {row["id"] for row in found}
        assert [row["state"] for row in sent] == ["handed_over"] * 2
    (text,) = notices(world)
    assert name.rpartition("/")[2] in text
    with Dialog(foreign(world, stranger)) as dialog:
        fetched = dialog.fetch()
        assert fetched is not None
        with fetched, fetched.open() as package:
            told = package.data()[0].data.decode()
    assert "höchstens 30000000 Byte" in told
    assert "Dateiformate: application/pdf, application/zip, text/plain" in told
    assert name in told


def test_neither_notices_nor_tests_that_cannot_be_read_are_answered(halls: Halls, world: World) -> None:
    keys, reader = world.keys(SAARBRUECKEN), world.keys(HOMBURG).cipher
    file = AttachedFile("Bescheid.pdf", BytesBlob(b"%PDF-1.7 broken"), "application/pdf")
    notice = Notice(foreign(world, keys), world.mailbox(SAARBRUECKEN), "osci:1", reader, "broken").delivery()
    test = write_metadata(metadata_of(replace(Envelopes().new(), test=True), 9))
    for headers in (notice.headers, [test]):
        content = sealed(world, file, signers=[keys.signer])
        foreign(world, keys).store(Delivery([content], reader, "Hinweis", headers), world.folder)
    run_until_idle(halls.sides["enforcing"].app)
    assert [row["status"] for row in halls.rows("enforcing", arrivals)] == ["unreadable"] * 2
    assert notices(world) == []


def test_one_mailbox_behind_two_channels_gives_one_arrival(halls: Halls, world: World) -> None:
    side = halls.sides["enforcing"]
    letters = world.mailbox(HOMBURG, channel="document+ego_mail")
    add_mailbox(side.app, side.actor, letters)
    mail(world, "Plan.pdf", b"%PDF-1.7", "application/pdf")
    # The first acknowledgement does not get through, so the message still waits when the second one looks.
    for mailbox, new in ((letters, 1), (world.mailbox(HOMBURG), 0)):
        (incoming,) = world.carrier(HOMBURG).collect(mailbox)
        assert receiving.take_in(side.app, incoming) == new
    incoming.acknowledge()
    assert len(halls.rows("enforcing", arrivals)) == 1


def test_a_made_up_media_type_is_any_file(halls: Halls, world: World) -> None:
    mail(world, "Plan.pdf", b"%PDF-1.7", "x/" + "y" * 3000)
    run_until_idle(halls.sides["enforcing"].app)
    (arrival,) = halls.rows("enforcing", arrivals)
    assert arrival["reason"].endswith("nicht annimmt: application/octet-stream")
    assert "application/octet-stream" in {row["media_type"] for row in halls.rows("enforcing", arrival_parts)}
