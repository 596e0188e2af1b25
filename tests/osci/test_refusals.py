"""Everything that must be refused, and that the refusal says which of the cases it is."""

import copy
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from adapters.ego_mail.osci import wire, xml
from adapters.ego_mail.osci.algorithms import STRICT
from adapters.ego_mail.osci.client import Client, Delivery, Identity, Intermediary
from adapters.ego_mail.osci.content import AttachedFile, Container, Data, Sealed
from adapters.ego_mail.osci.dialog import Dialog
from adapters.ego_mail.osci.envelope import verify_message
from adapters.ego_mail.osci.errors import (
    CertificateExpiredError,
    CertificateSwappedError,
    CertificateUntrustedError,
    CertificateUsageError,
    ConversationMismatchError,
    DecryptionError,
    DigestMismatchError,
    FeedbackError,
    HttpStatusError,
    LimitExceededError,
    MalformedMessageError,
    NotAllSignedError,
    OutcomeUnknownError,
    ReplayedChallengeError,
    SequenceMismatchError,
    SignatureInvalidError,
    SignatureMissingError,
    SignatureWrappingError,
    SoapFaultError,
    TruncatedAttachmentError,
    UnencryptedAnswerError,
    UnreachableError,
    WrongRecipientError,
    WrongReferenceError,
    definitely_not_done,
)
from adapters.ego_mail.osci.feedback import Feedback
from adapters.ego_mail.osci.signature import Covered, sign
from adapters.ego_mail.osci.streams import BytesBlob, Spool
from adapters.ego_mail.osci.trust import TrustStore, Use
from engine.identifiers import RandomIds
from tests.osci.conftest import Office
from tests.osci.messages import change_xml, opened, read, replace_once, spool_of, stored, substitute
from tests.osci.pki import NOW, Authority, Party

FILE = AttachedFile("plan.pdf", BytesBlob(b"%PDF-1.7" * 1000), "application/pdf")


@pytest.fixture
def message(alice: Party, bob: Party) -> bytes:
    plain = Container([Data(b"<plain/>"), FILE], [alice.signer])
    secret = Sealed(Container([Data(b"<secret/>")], [alice.signer]), [bob.cipher])
    return stored(alice, bob, [plain, secret])


def verify(data: bytes) -> None:
    with read(data) as incoming:
        verify_message(incoming.message, incoming.parts, STRICT)


def test_the_untouched_message_stands(message: bytes, bob: Party) -> None:
    verify(message)
    with read(message) as incoming, opened(incoming, bob.decrypter) as package:
        assert {each.data for each in package.data()} == {b"<plain/>", b"<secret/>"}


def renamed(body: xml.Element) -> xml.Element:
    """A copy with identifiers of its own."""
    evil = copy.deepcopy(body)
    for node in evil.iter():
        if node.get("Id"):
            node.set("Id", f"evil-{node.get('Id')}")
    evil.set("Id", "evil")
    return evil


# --- transport signature -------------------------------------------------------------------------


def test_wrapping_a_second_body(message: bytes) -> None:
    def wrap(root: xml.Element) -> None:
        root.append(renamed(root[1]))

    with pytest.raises(SignatureWrappingError, match="one header and one body"):
        read(change_xml(message, wrap))


def test_wrapping_the_signed_body_away_under_a_doubled_identifier(message: bytes) -> None:
    def wrap(root: xml.Element) -> None:
        evil = copy.deepcopy(root[1])
        holder = xml.child(root[0], "urn:evil", "Wrapper", None, Id="wrapper")
        holder.append(root[1])
        root.append(evil)

    with pytest.raises(SignatureWrappingError, match="occurs twice"):
        read(change_xml(message, wrap))


def test_moving_the_signed_body_into_a_header_does_not_help(message: bytes) -> None:
    def wrap(root: xml.Element) -> None:
        evil = renamed(root[1])
        holder = xml.child(root[0], "urn:evil", "Wrapper", None, Id="wrapper")
        holder.append(root[1])
        root.append(evil)

    with pytest.raises(NotAllSignedError, match="#evil"):
        verify(change_xml(message, wrap))


def test_two_storedelivery_headers(message: bytes) -> None:
    def double(root: xml.Element) -> None:
        node = root[0].find(xml.q(xml.OSCI, "storeDelivery"))
        twin = copy.deepcopy(node)
        twin.set("Id", "twin")
        root[0].append(twin)

    with pytest.raises(SignatureWrappingError, match="2 storeDelivery"):
        read(change_xml(message, double))


def test_an_unsigned_extra_header(message: bytes) -> None:
    def add(root: xml.Element) -> None:
        xml.child(root[0], "urn:extra", "Extra", "x", Id="extra")

    with pytest.raises(NotAllSignedError, match="#extra"):
        verify(change_xml(message, add))


def test_an_unsigned_extra_attachment(message: bytes) -> None:
    boundary = message.split(b"boundary=")[1].split(b";")[0]
    extra = b"\r\n--" + boundary + b"\r\nContent-Type: a/b\r\nContent-ID: <evil.exe>\r\n\r\nMZ"
    with pytest.raises(NotAllSignedError, match=r"cid:evil\.exe"):
        verify(replace_once(message, b"\r\n--" + boundary + b"--", extra + b"\r\n--" + boundary + b"--"))


def test_a_reference_to_something_else(message: bytes) -> None:
    with pytest.raises(SignatureInvalidError):
        verify(message.replace(b'URI="#body"', b'URI="#content1"'))


def test_a_signed_reference_to_what_is_not_there(alice: Party, bob: Party) -> None:
    data = stored(alice, bob, [Container([Data(b"x"), FILE])])
    start = data.index(b"\r\n--MIME", data.index(b"</soap:Envelope>"))
    end = data.index(b"\r\n--MIME", start + 10)
    with pytest.raises(WrongReferenceError, match=r"cid:plan\.pdf"):
        verify(data[:start] + data[end:])


def test_a_changed_header(message: bytes) -> None:
    with pytest.raises(DigestMismatchError, match="#storedelivery"):
        verify(replace_once(message, b"<osci:Subject>Test<", b"<osci:Subject>Tost<"))


def test_a_changed_attachment(message: bytes) -> None:
    at = message.rindex(b"%PDF-1.7")
    with pytest.raises(DigestMismatchError, match=r"cid:plan\.pdf"):
        verify(message[:at] + b"%XDF" + message[at + 4 :])


def test_a_changed_signature_value(message: bytes) -> None:
    at = message.index(b"<ds:SignatureValue>") + 25
    other = b"A" if message[at : at + 1] != b"A" else b"B"
    with pytest.raises(SignatureInvalidError):
        verify(message[:at] + other + message[at + 1 :])


def test_a_swapped_certificate(message: bytes, alice: Party, carol: Party) -> None:
    def pem(certificate: x509.Certificate) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding

        return xml.encode64(certificate.public_bytes(Encoding.DER)).encode()

    swapped = message.replace(pem(alice.signature), pem(carol.signature))
    with pytest.raises(SignatureInvalidError):
        verify(swapped)


def test_a_signature_by_the_wrong_role(message: bytes) -> None:
    def point_elsewhere(root: xml.Element) -> None:
        method = root.find(f".//{xml.q(xml.OSCI, 'ClientSignature')}//{xml.q(xml.DS, 'RetrievalMethod')}")
        certificate = root.find(f".//{xml.q(xml.OSCI, 'CipherCertificateAddressee')}")
        assert method is not None
        assert certificate is not None
        method.set("URI", f"#{certificate.get('Id')}")

    with pytest.raises(CertificateSwappedError, match="CipherCertificateAddressee"):
        verify(change_xml(message, point_elsewhere))


def test_no_signature(message: bytes) -> None:
    def strip(root: xml.Element) -> None:
        root[0].remove(root[0].find(xml.q(xml.OSCI, "ClientSignature")))

    with pytest.raises(SignatureMissingError):
        verify(change_xml(message, strip))


# --- content signature and encryption ------------------------------------------------------------


def test_a_changed_content(message: bytes) -> None:
    changed = replace_once(message, b">PHBsYWluLz4=<", b">PGV2aWwvPiA=<")
    with read(changed) as incoming, pytest.raises(DigestMismatchError, match="content signature"):
        opened(incoming)


def test_a_content_added_to_a_signed_container(message: bytes) -> None:
    def add(root: xml.Element) -> None:
        container = root.find(f".//{xml.q(xml.OSCI, 'ContentContainer')}")
        assert container is not None
        content = xml.child(container, xml.OSCI, "Content")
        xml.child(content, xml.OSCI, "Base64Content", "AAAA", Id="smuggled")

    with read(change_xml(message, add)) as incoming, pytest.raises(NotAllSignedError, match="#smuggled"):
        opened(incoming)


def test_a_content_taken_out_of_a_signed_container(message: bytes) -> None:
    def take(root: xml.Element) -> None:
        container = root.find(f".//{xml.q(xml.OSCI, 'ContentContainer')}")
        assert container is not None
        container.remove(container.find(xml.q(xml.OSCI, "Content")))

    with read(change_xml(message, take)) as incoming, pytest.raises(WrongReferenceError):
        opened(incoming)


def test_a_content_signature_without_the_transform_that_belongs_there(message: bytes) -> None:
    def swap(root: xml.Element) -> None:
        for node in root.iterfind(f".//{xml.q(xml.OSCI, 'Body')}//{xml.q(xml.DS, 'Transform')}"):
            node.set("Algorithm", "http://www.w3.org/2000/09/xmldsig#enveloped-signature")

    body = message.index(b"<soap:Body")
    changed = message[:body] + message[body:].replace(
        b"http://www.w3.org/2000/09/xmldsig#base64",
        b"http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        1,
    )
    with read(changed) as incoming, pytest.raises(SignatureInvalidError):
        opened(incoming)


def test_the_wrong_recipient(message: bytes, alice: Party, bob: Party, carol: Party) -> None:
    sealed_only = stored(alice, bob, [Sealed(Container([Data(b"x")]), [bob.cipher])])
    with read(sealed_only) as incoming, pytest.raises(WrongRecipientError, match="somebody else"):
        opened(incoming, carol.decrypter)
    encrypted = stored(alice, bob, [Container([Data(b"x")])], encrypt=True)
    with pytest.raises(WrongRecipientError, match="another certificate"):
        read(encrypted, carol.decrypter)


def test_changed_cipher_text(alice: Party, bob: Party) -> None:
    encrypted = stored(alice, bob, [Container([Data(b"x")])], encrypt=True)
    at = len(encrypted) - 200
    changed = encrypted[:at] + bytes([encrypted[at] ^ 1]) + encrypted[at + 1 :]
    with pytest.raises(DecryptionError, match="changed"):
        read(changed, bob.decrypter)


def test_changed_cipher_text_of_an_attachment(alice: Party, bob: Party) -> None:
    data = stored(alice, bob, [Sealed(Container([FILE]), [bob.cipher])])
    at = data.rindex(b"\r\n\r\n") + 50
    changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    with read(changed) as incoming, pytest.raises(DecryptionError, match="changed"):
        opened(incoming, bob.decrypter)


# --- form ----------------------------------------------------------------------------------------


def test_a_truncated_attachment(message: bytes) -> None:
    with pytest.raises(TruncatedAttachmentError):
        read(message[:-3000])


def test_an_attachment_shorter_than_announced(message: bytes) -> None:
    at = message.rindex(b"%PDF-1.7%PDF-1.7")
    with pytest.raises(TruncatedAttachmentError, match="8000 bytes announced, 7992 arrived"):
        read(message[:at] + message[at + 8 :])


def test_an_attachment_longer_than_announced(message: bytes) -> None:
    at = message.rindex(b"%PDF-1.7%PDF-1.7")
    with pytest.raises(MalformedMessageError, match="8000 bytes announced, 8001 arrived"):
        read(message[:at] + b"!" + message[at:])


def test_a_missing_attachment(alice: Party, bob: Party) -> None:
    data = stored(alice, bob, [Container([FILE])])
    with (
        read(data.replace(b"Content-ID: <plan.pdf>", b"Content-ID: <other.pdf>")) as incoming,
        pytest.raises(TruncatedAttachmentError, match=r"plan\.pdf"),
    ):
        opened(incoming)


def test_a_document_type_declaration(message: bytes) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>'
    with pytest.raises(MalformedMessageError, match="document type"):
        read(replace_once(message, b"<soap:Envelope", bomb + b"<soap:Envelope"))


def test_another_encoding_cannot_hide_a_declaration(message: bytes) -> None:
    hidden = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x []><x/>'.encode("utf-16")
    start = message.index(b"<?xml")
    end = message.index(b"</soap:Envelope>") + len(b"</soap:Envelope>")
    with pytest.raises(MalformedMessageError):
        read(message[:start] + hidden + message[end:])


def test_a_message_over_the_limit(message: bytes, bob: Party) -> None:
    with pytest.raises(LimitExceededError, match="XML part"):
        wire.read(spool_of(message), [], limits=wire.Limits(xml=1000))
    with Spool(limit=10) as spool, pytest.raises(LimitExceededError):
        spool.write(b"x" * 11)


def test_elements_without_end_of_depth(message: bytes) -> None:
    deep = b"<a>" * 300 + b"</a>" * 300
    with pytest.raises(MalformedMessageError, match="deeper"):
        read(replace_once(message, b"<osci:Subject>Test<", b"<osci:Subject>" + deep + b"<"))


@pytest.mark.parametrize("name", ["with blank.pdf", 'quote".pdf', "a>b", "", "osci@message"])
def test_names_that_cannot_travel(alice: Party, bob: Party, name: str) -> None:
    with pytest.raises(MalformedMessageError, match="cannot travel"):
        stored(alice, bob, [Container([AttachedFile(name, BytesBlob(b""))])])


def test_two_attachments_of_one_name(alice: Party, bob: Party) -> None:
    with pytest.raises(MalformedMessageError, match="two attachments"):
        stored(alice, bob, [Container([FILE, FILE])])


# --- answers -------------------------------------------------------------------------------------


class Between:
    """Stands between client and intermediary: records, replaces, breaks."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.answers: list[bytes] = []
        self.orders: list[bytes] = []
        self.play: bytes | None = None

    def exchange(self, uri: str, message: wire.Outgoing, *, limit: int | None = None) -> Spool:
        self.orders.append(b"".join(message.chunks()))
        if self.play is not None:
            return spool_of(self.play)
        spool = self.office.transport.exchange(uri, message, limit=limit)
        self.answers.append(spool.read_at(0, spool.size))
        return spool


def client_through(between: Between, party: Party, **changes) -> Client:
    between.office.transport, kept = between, between.office.transport  # type: ignore[assignment]
    client = between.office.client(party, **changes)
    between.office.transport = kept
    return client


def test_a_replayed_answer(office: Office, alice: Party) -> None:
    between = Between(office)
    client = client_through(between, alice)
    client.message_id()
    between.play = between.answers[0]
    with pytest.raises(ReplayedChallengeError):
        client.message_id()


def test_a_replayed_order_in_a_dialog(office: Office, alice: Party, bob: Party, tmp_path: Path) -> None:
    between = Between(office)
    office.client(alice).store(Delivery([Container([Data(b"x")])], bob.cipher), tmp_path)
    with Dialog(client_through(between, bob)) as dialog:
        fetched = dialog.fetch()
        assert fetched is not None
        fetched.close()
        replayed = wire.Outgoing(len(between.orders[1]), lambda: iter([between.orders[1]]))
        spool = office.transport.exchange(office.uri, replayed)
        with pytest.raises(SoapFaultError) as caught:
            wire.read(spool, [bob.decrypter])
        assert caught.value.code == "9400"


@pytest.mark.parametrize("service", [{"allow_unencrypted": True}], indirect=True)
def test_answers_from_another_step_or_conversation(office: Office, bob: Party) -> None:
    between = Between(office)
    client = client_through(between, bob, encrypt=False, require_signed_answers=False)

    class Forging(Between):
        changes: tuple[bytes, bytes] = (b"", b"")

        def exchange(self, uri: str, message: wire.Outgoing, *, limit: int | None = None) -> Spool:
            with super().exchange(uri, message, limit=limit) as spool:
                data = spool.read_at(0, spool.size)
            # Unsigned on purpose: this is about the dialog's thread alone.
            data = substitute(data, rb"(?s)<osci:SupplierSignature.*?</osci:SupplierSignature>", b"")
            return spool_of(substitute(data, *self.changes))

    for pattern, new, error in (
        (rb'SequenceNumber="0"', b'SequenceNumber="7"', SequenceMismatchError),
        (rb'ConversationId="\d+"', b'ConversationId="1"', ConversationMismatchError),
        (rb"<osci:Response>[^<]*", b"<osci:Response>b2xk", ReplayedChallengeError),
    ):
        forging = Forging(office)
        forging.changes = (pattern, new)
        dialog = Dialog(client)
        dialog.__enter__()
        client._transport = forging
        with pytest.raises(error):
            dialog.process_cards()
        client._transport = office.transport


@pytest.mark.parametrize("service", [{"allow_unencrypted": True}], indirect=True)
def test_an_unencrypted_answer_to_an_encrypted_order(office: Office, alice: Party) -> None:
    between = Between(office)
    plain = client_through(between, alice, encrypt=False)
    plain.message_id()
    between.play = between.answers[0]
    with pytest.raises(UnencryptedAnswerError):
        client_through(between, alice).message_id()


def test_an_answer_signed_by_somebody_else(office: Office, alice: Party, carol: Party) -> None:
    office.operator = Party(carol.signer, office.operator.decrypter, carol.signing_key, carol.cipher_key)
    with pytest.raises(CertificateSwappedError, match="CN=Intermediary Signature"):
        office.client(alice).message_id()


def unpinned(office: Office, alice: Party, trust: TrustStore) -> Client:
    return Client(
        Intermediary(office.uri, office.operator.cipher),
        Identity(alice.signer, alice.decrypter),
        office.transport,
        trust=trust,
        clock=office.clock,
        ids=RandomIds(),
    )


def test_an_answer_from_an_untrusted_intermediary(office: Office, alice: Party) -> None:
    with pytest.raises(CertificateUntrustedError, match="trust store"):
        unpinned(office, alice, TrustStore([Authority("Other CA").certificate])).message_id()
    with pytest.raises(CertificateUntrustedError):
        unpinned(office, alice, TrustStore()).message_id()


def test_an_answer_from_a_trusted_intermediary_without_pinning(office: Office, alice: Party, trust) -> None:
    assert unpinned(office, alice, trust).message_id()


def test_an_expired_intermediary(office: Office, alice: Party) -> None:
    office.clock.turn(timedelta(days=400))
    with pytest.raises(CertificateExpiredError, match="expired on"):
        office.client(alice).message_id()


def test_an_expired_addressee_and_one_who_cannot_be_encrypted_for(
    office: Office, authority: Authority, alice: Party, tmp_path: Path
) -> None:
    old = authority.party("Old", begins=timedelta(days=-90), ends=timedelta(days=-1))
    client = office.client(alice)
    with pytest.raises(CertificateExpiredError, match="Old Cipher"):
        client.store(Delivery([Container([Data(b"x")])], old.cipher), tmp_path)
    with pytest.raises(CertificateUsageError, match="encryption"):
        client.store(Delivery([Container([Data(b"x")])], alice.signature), tmp_path)


def test_an_order_with_an_untrusted_certificate(office: Office, alice: Party, tmp_path: Path) -> None:
    stranger = Authority("Other CA").party("Stranger")
    to_stranger = Delivery([Container([Data(b"x")])], stranger.cipher)
    with pytest.raises(CertificateUntrustedError, match="Stranger Cipher"):
        office.client(alice).store(to_stranger, tmp_path)
    with pytest.raises(FeedbackError) as caught:
        office.client(alice, check_readers=False).store(to_stranger, tmp_path)
    assert caught.value.codes == ("9706",)
    with pytest.raises(FeedbackError) as caught:
        office.client(stranger).message_id()
    assert caught.value.codes == ("9501", "9700")


def test_readers_inside_inner_seals_are_checked_too(
    office: Office, alice: Party, bob: Party, tmp_path: Path
) -> None:
    stranger = Authority("Other CA").party("Stranger")
    inner = Container([Data(b"x")], sealed=[Sealed(Container([Data(b"y")]), [stranger.cipher])])
    outer = Sealed(Container([inner]), [bob.cipher])
    with pytest.raises(CertificateUntrustedError, match="Stranger Cipher"):
        office.client(alice).store(Delivery([outer], bob.cipher), tmp_path)


def test_content_signers_are_checked_against_a_trust_store(
    message: bytes, bob: Party, trust: TrustStore
) -> None:
    with read(message) as incoming, opened(incoming, bob.decrypter) as package:
        package.check_signers(trust, NOW)
        with pytest.raises(CertificateUntrustedError):
            package.check_signers(TrustStore(), NOW)
        with pytest.raises(CertificateExpiredError):
            package.check_signers(trust, NOW + timedelta(days=400))


def test_a_signed_content_without_identifier_is_not_taken_for_signed(alice: Party, bob: Party) -> None:
    """A signer who refers to nothing must not make unsigned content look signed."""

    class Careless:
        certificate = alice.signature
        algorithm = alice.signer.algorithm

        def sign(self, data: bytes) -> bytes:
            return alice.signer.sign(data)

    data = stored(alice, bob, [Container([Container([Data(b"inner")])])])

    def forge(root: xml.Element) -> None:
        container = root.find(f".//{xml.q(xml.OSCI, 'ContentContainer')}")
        assert container is not None
        del container[0].attrib["Id"]
        empty = Covered("#", None, lambda _kind: b"")
        certificate = root.find(f".//{xml.q(xml.OSCI, 'SignatureCertificateOriginator')}")
        assert certificate is not None
        container.insert(0, sign(container, [empty], Careless(), certificate.get("Id") or ""))

    with (
        read(change_xml(data, forge)) as incoming,
        pytest.raises(MalformedMessageError, match="no identifier"),
    ):
        opened(incoming)


def test_which_errors_leave_the_outcome_open() -> None:
    def refused(*codes: str) -> FeedbackError:
        return FeedbackError([Feedback.of(code) for code in codes])

    sure = [UnreachableError(), HttpStatusError(413, "too large"), refused("9803"), refused("9601", "3707")]
    open_ended = [OutcomeUnknownError(), refused("9801"), SignatureInvalidError(), ReplayedChallengeError()]
    assert all(definitely_not_done(error) for error in sure)
    assert not any(definitely_not_done(error) for error in open_ended)
    assert definitely_not_done(SoapFaultError("9400", "", server=False))
    assert not definitely_not_done(SoapFaultError("9000", "", server=True))


def test_nothing_sent_and_outcome_unknown_are_two_things(
    office: Office, alice: Party, tmp_path: Path
) -> None:
    import socket
    import threading

    client = office.client(alice)
    client.intermediary = Intermediary("http://127.0.0.1:1/", office.operator.cipher)
    with pytest.raises(UnreachableError):
        client.message_id()

    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            connection, _ = listener.accept()
            connection.recv(100)
            connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        port = listener.getsockname()[1]
        client.intermediary = Intermediary(f"http://127.0.0.1:{port}/", office.operator.cipher)
        with pytest.raises(OutcomeUnknownError, match="connection broke"):
            client.message_id()
        thread.join()


def test_trust_store_and_usage(authority: Authority, alice: Party, trust: TrustStore) -> None:
    trust.check(alice.signature, Use.SIGNATURE, NOW)
    with pytest.raises(CertificateUsageError, match="signatures"):
        trust.check(alice.cipher, Use.SIGNATURE, NOW)
    with pytest.raises(CertificateExpiredError, match="valid only from"):
        trust.check(alice.signature, Use.SIGNATURE, NOW - timedelta(days=60))
    pinned = TrustStore(pinned=[alice.signature])
    pinned.check(alice.signature, Use.SIGNATURE, NOW)
    assert pinned.knows_issuer(alice.signature, NOW)
    assert not pinned.knows_issuer(alice.cipher, NOW)
