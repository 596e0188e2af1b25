"""Who sent an arrival, how it reads, and that nothing is dropped that cannot be opened."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.ego_mail.osci.client import Client, Delivery, Identity, Intermediary
from adapters.ego_mail.osci.content import AttachedFile, Container, Data, Sealed
from adapters.ego_mail.osci.dialog import Dialog
from adapters.ego_mail.osci.http import HttpTransport
from adapters.ego_mail.osci.metadata import find_metadata
from adapters.ego_mail.osci.streams import BytesBlob
from adapters.ego_mail.osci.trust import TrustStore
from adapters.ego_mail.settings import Configuration
from engine.exchange.file_names import safe_names
from engine.exchange.ports import Assurance, HandedOver, Incoming, Part
from engine.identifiers import RandomIds
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, Envelopes
from tests.ego_mail.conftest import World, pem
from tests.osci.pki import Authority
from tests.osci.pki import Party as Keys


def foreign(world: World, keys: Keys) -> Client:
    """Another program's client."""
    office = Configuration(world.home(HOMBURG), world.settings(HOMBURG)).office(HOMBURG.authority_id)
    return Client(
        Intermediary(world.uri, world.pki.operator.cipher, world.pki.operator.signature),
        Identity(keys.signer, keys.decrypter),
        HttpTransport(timeout=20, tls=office.tls),
        trust=TrustStore([world.pki.authority.certificate]),
        clock=world.clock,
        ids=RandomIds(),
    )


def send(world: World, keys: Keys, *items: object) -> None:
    addressee = world.keys(HOMBURG).cipher
    foreign(world, keys).store(Delivery(items, addressee, "Guten Tag"), world.folder)  # type: ignore[arg-type]


def sealed(world: World, *contents: object, signers: Sequence[object] = ()) -> Sealed:
    return Sealed(Container(contents, signers), [world.keys(HOMBURG).cipher])  # type: ignore[arg-type]


def arrived(world: World) -> Incoming:
    (incoming,) = world.carrier(HOMBURG).collect(world.mailbox(HOMBURG))
    return incoming


def remarks(incoming: Incoming) -> str:
    return incoming.evidence.get("Hinweise.txt", b"").decode()


def test_a_partner_s_mail_arrives_with_its_text_and_files(world: World) -> None:
    keys = world.keys(SAARBRUECKEN)
    text = Data(b"Sehr geehrte Damen und Herren")
    file = AttachedFile("Plan.pdf", BytesBlob(b"%PDF-1.7"), "application/pdf")
    send(world, keys, sealed(world, text, file, signers=[keys.signer]))
    incoming = arrived(world)
    assert (incoming.sender_id, incoming.assurance) == (SAARBRUECKEN.authority_id, Assurance.SIGNATURE)
    assert [part.name for part in incoming.parts] == ["Plan.pdf", "Nachricht-1.txt"]
    assert incoming.parts[1].path.read_bytes() == b"Sehr geehrte Damen und Herren"
    assert not remarks(incoming)
    assert b"ContentPackage" in incoming.evidence["Nachricht.osci"]


def test_without_content_signature_only_the_way_here_speaks_for_the_sender(world: World) -> None:
    send(world, world.keys(SAARBRUECKEN), sealed(world, Data(b"Hallo")))
    incoming = arrived(world)
    assert (incoming.sender_id, incoming.assurance) == (SAARBRUECKEN.authority_id, Assurance.TRANSPORT)
    assert "nicht (durchgehend) signiert" in remarks(incoming)


def test_one_signed_container_does_not_vouch_for_another(world: World) -> None:
    keys = world.keys(SAARBRUECKEN)
    stranger = world.pki.authority.party("Stranger")
    signed = sealed(world, Data(b"signed"), signers=[keys.signer])
    send(world, stranger, signed, sealed(world, Data(b"slipped in")))
    incoming = arrived(world)
    assert (incoming.sender_id, incoming.assurance) == (None, Assurance.NONE)


def test_an_unknown_sender_is_nobody_but_is_not_dropped(world: World) -> None:
    stranger = world.pki.authority.party("Stranger")
    send(world, stranger, sealed(world, Data(b"Hallo"), signers=[stranger.signer]))
    incoming = arrived(world)
    assert (incoming.sender_id, incoming.assurance) == (None, Assurance.NONE)
    assert "Unbekannter Absender: CN=Stranger Signature" in remarks(incoming)
    assert incoming.parts[0].path.read_bytes() == b"Hallo"


def test_what_is_sealed_for_somebody_else_comes_as_it_is(world: World) -> None:
    keys = world.keys(SAARBRUECKEN)
    other = world.pki.authority.party("Other")
    send(world, keys, Sealed(Container([Data(b"secret")], [keys.signer]), [other.cipher]))
    incoming = arrived(world)
    assert [(part.name, part.role) for part in incoming.parts] == [("Nachricht.osci", "unreadable")]
    assert "kann nicht geöffnet werden" in remarks(incoming)
    assert incoming.assurance is Assurance.TRANSPORT
    incoming.acknowledge()
    assert list(world.carrier(HOMBURG).collect(world.mailbox(HOMBURG))) == []


def test_our_own_message_reads_well_elsewhere(world: World, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"%PDF-1.7")
    part = Part("Bescheid Nr. 1.pdf", "application/pdf", tmp_path / "x", "document")
    envelope = replace(Envelopes().new(), partner_reference="HOM 7/26", answer_to="an-exchange")
    carrier = world.carrier(SAARBRUECKEN)
    boxes = world.mailbox(SAARBRUECKEN), world.mailbox(HOMBURG)
    outcome = carrier.transmit(carrier.prepare(envelope, [part], *boxes))
    assert isinstance(outcome, HandedOver)
    with Dialog(foreign(world, world.keys(HOMBURG))) as dialog:
        fetched = dialog.fetch()
        assert fetched is not None
        with fetched, fetched.open() as package:
            text = package.data()[0].data.decode()
            assert [file.name for file in package.files()] == ["Bescheid_Nr._1.pdf"]
            assert [container.was_sealed for container in package.containers] == [True]
        metadata = find_metadata(fetched.headers)
        assert fetched.card.subject == "Vollstreckungsersuchen, 20.3-4711/26"
    for wanted in ("Betreff: Vollstreckung Müller", "Ihr Zeichen: HOM 7/26", "1. Bescheid Nr. 1.pdf"):
        assert wanted in text
    assert metadata is not None
    assert metadata.message_type.code == "ersuchen"
    assert metadata.properties["exchange"] == envelope.exchange_id
    assert metadata.responder_reference == "HOM 7/26"
    assert metadata.in_reply_to == ("an-exchange",)
    # What the intermediary can read names no person.
    assert "Müller" not in f"{metadata} {fetched.card.subject}"


@pytest.mark.parametrize(
    "names", [["a b.pdf", "a_b.pdf"], ["../../etc/x", ".", "", "x" * 400 + ".pdf"], ["Ä.pdf"]]
)
def test_names_travel_and_stay_apart(names: list[str]) -> None:
    safe = safe_names(names)
    assert len({each.casefold() for each in safe}) == len(names)
    for each in safe:
        assert "/" not in each
        assert " " not in each
        assert 0 < len(each) < 150


def test_a_changed_trust_makes_a_known_sender_nobody(world: World) -> None:
    keys = world.keys(SAARBRUECKEN)
    send(world, keys, sealed(world, Data(b"Hallo"), signers=[keys.signer]))
    home = world.home(HOMBURG)
    (home / "trust2").mkdir()
    (home / "trust2" / "osci.pem").write_text(pem(world.pki.operator.signature))
    carrier = world.carrier(HOMBURG, trust="trust2")
    (incoming,) = carrier.collect(world.mailbox(HOMBURG))
    assert incoming.assurance is Assurance.NONE
    assert "nicht vertrauenswürdig" in remarks(incoming)


def test_the_sender_of_what_cannot_be_opened_is_told_once(world: World) -> None:
    keys = world.keys(SAARBRUECKEN)
    other = world.pki.authority.party("Other")
    send(world, keys, Sealed(Container([Data(b"secret")], [keys.signer]), [other.cipher]))
    assert list(world.carrier(SAARBRUECKEN).collect(world.mailbox(SAARBRUECKEN))) == []
    incoming = arrived(world)
    incoming.acknowledge()
    incoming.acknowledge()
    (notice,) = world.carrier(SAARBRUECKEN).collect(world.mailbox(SAARBRUECKEN))
    assert (notice.sender_id, notice.assurance) == (HOMBURG.authority_id, Assurance.SIGNATURE)
    text = notice.parts[0].path.read_text(encoding="utf-8")
    assert "encrypted for somebody else" in text
    assert "höchstens 30000000 Byte" in text
    assert "application/pdf" in text


def test_a_sender_who_cannot_be_told_holds_nothing_up(world: World, caplog: pytest.LogCaptureFixture) -> None:
    stranger = Authority("Another CA").party("Stranger")
    world.service.settings = replace(world.service.settings, trust=None)
    addressee = world.keys(HOMBURG).cipher
    item = Sealed(Container([Data(b"secret")]), [stranger.cipher])
    client = foreign(world, stranger)
    client.settings = replace(client.settings, check_readers=False)
    client.store(Delivery([item], addressee, "Guten Tag"), world.folder)
    arrived(world).acknowledge()
    assert "could not be told" in caplog.text
    assert list(world.carrier(HOMBURG).collect(world.mailbox(HOMBURG))) == []
