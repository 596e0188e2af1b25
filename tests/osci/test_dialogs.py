"""Our client against our intermediary over real sockets: every dialog, both layers on and off."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from adapters.ego_mail.intermediary.service import IntermediaryService
from adapters.ego_mail.intermediary.serving import Binding, running
from adapters.ego_mail.osci.client import Delivery, Prepared
from adapters.ego_mail.osci.content import AttachedFile, Container, Data, Sealed
from adapters.ego_mail.osci.dialog import Dialog
from adapters.ego_mail.osci.errors import (
    FeedbackError,
    PreparedMissingError,
    SoapFaultError,
    WrongRecipientError,
)
from adapters.ego_mail.osci.http import HttpTransport
from adapters.ego_mail.osci.selection import ById, ByModification, ByReception, Side
from adapters.ego_mail.osci.streams import BytesBlob
from tests.osci.conftest import Office
from tests.osci.pki import NOW, Authority, Party

TEXT = "<antrag>Fräulein & Söhne > 1 < 2</antrag>".encode()
FILE = bytes(range(256)) * 700
BOTH_LAYERS = [(sign, encrypt) for sign in (True, False) for encrypt in (True, False)]


def letter(sender: Party, recipient: Party, *, sealed: bool = True, signed: bool = True) -> Delivery:
    container = Container(
        [Data(TEXT), AttachedFile("anlage.pdf", BytesBlob(FILE), "application/pdf")],
        signers=[sender.signer] if signed else [],
    )
    item = Sealed(container, [recipient.cipher]) if sealed else container
    return Delivery([item], recipient.cipher, subject="Vorgang 4711")


@pytest.mark.parametrize("service", [{"allow_unencrypted": True, "require_signature": False}], indirect=True)
@pytest.mark.parametrize(("sign", "encrypt"), BOTH_LAYERS)
@pytest.mark.parametrize(("sealed", "signed"), BOTH_LAYERS)
def test_a_delivery_arrives_as_it_was_sent(
    office: Office,
    alice: Party,
    bob: Party,
    tmp_path: Path,
    sign: bool,
    encrypt: bool,
    sealed: bool,
    signed: bool,
) -> None:
    sender = office.client(alice, sign=sign, encrypt=encrypt)
    receipt = sender.store(letter(alice, bob, sealed=sealed, signed=signed), tmp_path)
    assert [entry.code for entry in receipt.feedback] == ["0800"]
    with Dialog(office.client(bob, sign=sign, encrypt=encrypt)) as dialog:
        fetched = dialog.fetch()
        assert fetched is not None
        with fetched, fetched.open() as package:
            assert fetched.message_id == receipt.message_id
            assert [each.data for each in package.data()] == [TEXT]
            (file,) = package.files()
            assert (file.name, file.media_type, file.blob.open().read()) == (
                "anlage.pdf",
                "application/pdf",
                FILE,
            )
            signers = [each.certificate for each in package.containers[0].signatures]
            assert signers == ([alice.signature] if signed else [])
            assert package.containers[0].was_sealed is sealed


def test_all_dialogs_over_tls(
    service: IntermediaryService,
    authority: Authority,
    operator: Party,
    alice: Party,
    bob: Party,
    trust,
    clock,
    tmp_path: Path,
) -> None:
    key = rsa.generate_private_key(65537, 2048)
    days = timedelta(days=20_000)  # TLS asks the machine's clock, not ours
    certificate = authority.issue("localhost", key, sign=True, encrypt=True, ends=days, names=("127.0.0.1",))
    (tmp_path / "tls.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    root = authority.certificate.public_bytes(serialization.Encoding.PEM).decode()
    context = ssl.create_default_context(cadata=root)
    with running(service, Binding(tls_certificate=tmp_path / "tls.pem", tls_key=tmp_path / "tls.key")) as uri:
        assert uri.startswith("https://")
        office = Office(service, uri, operator, trust, clock, HttpTransport(timeout=20, tls=context))
        receipt = office.client(alice).store(letter(alice, bob), tmp_path)
        with Dialog(office.client(bob)) as dialog:
            fetched = dialog.fetch(ById(receipt.message_id))
            assert fetched is not None
            with fetched, fetched.open() as package:
                assert package.data()[0].data == TEXT
            cards = dialog.process_cards(ById(receipt.message_id))
            assert cards.cards[0].reception is not None


def test_the_process_card_tells_three_separate_facts(
    office: Office, alice: Party, bob: Party, tmp_path: Path
) -> None:
    receipt = office.client(alice).store(letter(alice, bob), tmp_path)
    assert receipt.card is not None
    assert (receipt.card.creation.plain, receipt.card.forwarding, receipt.card.reception) == (NOW, None, None)
    assert b"SupplierSignature" in receipt.raw
    office.clock.turn(timedelta(hours=1))
    with Dialog(office.client(bob)) as dialog:
        fetched = dialog.fetch()
        assert fetched is not None
        fetched.close()
        assert fetched.card.forwarding.plain == NOW + timedelta(hours=1)
        with Dialog(office.client(alice)) as asking:
            before = asking.process_cards(ById(receipt.message_id)).cards[0]
            assert before.forwarding is not None
            assert before.reception is None, "forwarding is not delivery"
        office.clock.turn(timedelta(hours=1))
    with Dialog(office.client(alice)) as asking:
        after = asking.process_cards(ById(receipt.message_id)).cards[0]
    assert after.reception.plain == NOW + timedelta(hours=2)
    assert after.recent_modification == NOW + timedelta(hours=2)
    assert {(each.math, each.offline) for each in after.inspections} == {("ok", "valid")}
    assert b"ProcessCardBundle" in after.raw


def test_an_abandoned_dialog_confirms_nothing(
    office: Office, alice: Party, bob: Party, tmp_path: Path
) -> None:
    office.client(alice).store(letter(alice, bob), tmp_path)

    class CrashError(Exception): ...

    def crash_after_fetching() -> None:
        with Dialog(office.client(bob)) as dialog:
            first = dialog.fetch()
            assert first is not None
            first.close()
            raise CrashError

    with pytest.raises(CrashError):
        crash_after_fetching()
    with Dialog(office.client(bob)) as dialog:
        again = dialog.fetch()
        assert again is not None
        again.close()
        assert dialog.fetch() is None, "the fetch confirmed the one before"


def test_several_deliveries_in_one_dialog_oldest_first(
    office: Office, alice: Party, bob: Party, tmp_path: Path
) -> None:
    sender = office.client(alice)
    sent = []
    for _ in range(3):
        sent.append(sender.store(letter(alice, bob), tmp_path).message_id)
        office.clock.turn(timedelta(minutes=10))
    with Dialog(office.client(bob)) as dialog:
        late = dialog.fetch(ByReception(NOW + timedelta(minutes=15)))
        assert late is not None
        late.close()
        assert (late.message_id, late.more) == (sent[2], True)
        got = []
        while (fetched := dialog.fetch()) is not None:
            fetched.close()
            got.append((fetched.message_id, fetched.more))
        assert got == [(sent[0], True), (sent[1], False)]
        once_more = dialog.fetch(ById(sent[0]))
        assert once_more is not None
        once_more.close()


def test_process_cards_by_every_rule(office: Office, alice: Party, bob: Party, tmp_path: Path) -> None:
    to_bob = [office.client(alice).store(letter(alice, bob), tmp_path).message_id for _ in range(3)]
    office.clock.turn(timedelta(days=1))
    back = office.client(bob).store(letter(bob, alice), tmp_path).message_id
    with Dialog(office.client(bob)) as dialog:
        fetched = dialog.fetch(ById(to_bob[0]))
        assert fetched is not None
        fetched.close()
    with Dialog(office.client(alice)) as dialog:

        def ids(rule, limit=None):
            return [card.message_id for card in dialog.process_cards(rule, limit).cards]

        assert sorted(ids(None)) == sorted([*to_bob, back])
        assert ids(ById(*to_bob[:2])) == [to_bob[1], to_bob[0]]
        assert ids(ByReception(NOW + timedelta(hours=1))) == [back]
        assert ids(ByReception(NOW, Side.ORIGINATOR, not_received=True)) == to_bob[1:]
        assert ids(ByReception(NOW, Side.ADDRESSEE)) == [back]
        assert ids(ByModification(NOW + timedelta(hours=1), Side.ORIGINATOR)) == to_bob[:1]
        assert dialog.process_cards(None, 2).more
        assert ids(ByModification(NOW + timedelta(days=9))) == []
        assert dialog.process_cards(ById("bm9uZQ==")).cards == ()


def test_nobody_sees_the_cards_or_deliveries_of_others(
    office: Office, alice: Party, bob: Party, carol: Party, tmp_path: Path
) -> None:
    receipt = office.client(alice).store(letter(alice, bob), tmp_path)
    with Dialog(office.client(carol)) as dialog:
        assert dialog.fetch() is None
        assert dialog.fetch(ById(receipt.message_id)) is None
        assert dialog.process_cards(None).cards == ()
        assert dialog.process_cards(ById(receipt.message_id)).cards == ()


def test_several_readers_and_a_reader_who_is_none(
    office: Office, alice: Party, bob: Party, carol: Party, tmp_path: Path
) -> None:
    shared = Sealed(Container([Data(b"for both")], [alice.signer]), [bob.cipher, carol.cipher])
    private = Sealed(Container([Data(b"for carol")]), [carol.cipher])
    office.client(alice).store(Delivery([shared, private], bob.cipher), tmp_path)
    with Dialog(office.client(bob)) as dialog:
        fetched = dialog.fetch()
        assert fetched is not None
        with fetched:
            with fetched.open() as package:
                assert ([each.data for each in package.data()], package.unopened) == ([b"for both"], 1)
            with fetched.open([carol.decrypter]) as package:
                assert {each.data for each in package.data()} == {b"for both", b"for carol"}
    office.client(alice).store(Delivery([private], bob.cipher), tmp_path)
    with Dialog(office.client(bob)) as dialog:
        fetched = dialog.fetch()
        assert fetched is not None
        with fetched, pytest.raises(WrongRecipientError, match="somebody else"):
            fetched.open()


def test_nested_containers_with_inner_and_outer_signature(
    office: Office, alice: Party, bob: Party, authority: Authority, tmp_path: Path
) -> None:
    ec = authority.ec_signer("Registrar")
    inner = Container([Data(b"inner"), AttachedFile("a.bin", BytesBlob(b"inner file"))], [alice.signer])
    secret = Sealed(Container([AttachedFile("b.bin", BytesBlob(b"twice sealed"))]), [bob.cipher])
    outer = Container([inner, Data(b"outer")], [ec, alice.signer], sealed=[secret])
    office.client(alice).store(Delivery([Sealed(outer, [bob.cipher])], bob.cipher), tmp_path)
    with Dialog(office.client(bob)) as dialog:
        fetched = dialog.fetch()
        assert fetched is not None
        with fetched, fetched.open() as package:
            (top,) = package.containers
            assert [each.certificate for each in top.signatures] == [ec.certificate, alice.signature]
            assert [each.data for each in package.data()] == [b"inner", b"outer"]
            assert [each.blob.open().read() for each in package.files()] == [b"inner file", b"twice sealed"]


def test_prepared_bytes_are_the_same_on_every_try(
    office: Office, alice: Party, bob: Party, tmp_path: Path
) -> None:
    client = office.client(alice)
    prepared = client.prepare(letter(alice, bob), client.message_id(), tmp_path / "out.osci")
    frozen = prepared.path.read_bytes()
    again = Prepared.from_json(prepared.to_json())
    receipt = client.transmit(again)
    assert receipt.message_id == prepared.message_id
    assert prepared.path.read_bytes() == frozen
    with pytest.raises(FeedbackError) as caught:
        client.transmit(again)
    assert caught.value.codes == ("9801",)


def test_a_prepared_file_that_is_gone(office: Office, alice: Party, bob: Party, tmp_path: Path) -> None:
    client = office.client(alice)
    prepared = client.prepare(letter(alice, bob), client.message_id(), tmp_path / "out.osci")
    prepared.path.unlink()
    with pytest.raises(PreparedMissingError, match=r"out\.osci"):
        client.transmit(prepared)


def test_a_message_id_from_elsewhere_is_refused(
    office: Office, alice: Party, bob: Party, tmp_path: Path
) -> None:
    client = office.client(alice)
    prepared = client.prepare(letter(alice, bob), "Zm9yZWlnbg==", tmp_path / "out.osci")
    with pytest.raises(FeedbackError, match="9801"):
        client.transmit(prepared)


@pytest.mark.parametrize("service", [{"max_message_bytes": 100_000}], indirect=True)
def test_the_size_limit_is_answered_not_dropped(
    office: Office, alice: Party, bob: Party, tmp_path: Path
) -> None:
    with pytest.raises(SoapFaultError) as caught:
        office.client(alice).store(letter(alice, bob), tmp_path)
    assert caught.value.code == "9904"


def test_an_unencrypted_order_is_refused_by_default(office: Office, alice: Party) -> None:
    with pytest.raises(SoapFaultError) as caught:
        office.client(alice, encrypt=False).message_id()
    assert caught.value.code == "9100"


def test_an_unsigned_order_is_refused_by_default(office: Office, alice: Party) -> None:
    with pytest.raises(FeedbackError) as caught:
        office.client(alice, sign=False).message_id()
    assert caught.value.codes == ("9600",)


@pytest.mark.parametrize("service", [{"open_to_all": False}], indirect=True)
def test_closed_mailboxes(office: Office, alice: Party, bob: Party, tmp_path: Path) -> None:
    with pytest.raises(FeedbackError, match="9811"):
        office.client(alice).store(letter(alice, bob), tmp_path)
    office.service.open_mailbox(bob.cipher)
    assert office.client(alice).store(letter(alice, bob), tmp_path).feedback[0].code == "0800"


def test_warnings_are_kept_beside_success(
    office: Office, authority: Authority, alice: Party, bob: Party, tmp_path: Path
) -> None:
    client = office.client(alice)
    late = authority.party("Late", begins=timedelta(days=-30), ends=timedelta(hours=1))
    prepared = client.prepare(letter(alice, late), client.message_id(), tmp_path / "out.osci")
    office.clock.turn(timedelta(hours=2))
    receipt = client.transmit(prepared)
    assert [entry.code for entry in receipt.feedback] == ["0800", "3705"]
    assert [str(entry) for entry in receipt.warnings] == [
        "3705 Chiffrierzertifikat des Empfängers zeitlich nicht gültig"
    ]
    assert receipt.card is not None
    assert "invalid" in {each.offline for each in receipt.card.inspections}
