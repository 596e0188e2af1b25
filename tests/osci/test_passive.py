"""Our passive recipient behind our intermediary: AcceptDelivery and ProcessDelivery."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from adapters.ego_mail.osci.client import Delivery, Identity
from adapters.ego_mail.osci.content import AttachedFile, Container, Data, Sealed
from adapters.ego_mail.osci.dialog import Dialog
from adapters.ego_mail.osci.errors import FeedbackError, MalformedMessageError, SoapFaultError
from adapters.ego_mail.osci.orders import Kind
from adapters.ego_mail.osci.passive import Arrived, PassiveRecipient, Reply
from adapters.ego_mail.osci.selection import ById
from adapters.ego_mail.osci.streams import BytesBlob, Spool
from engine.identifiers import RandomIds
from tests.osci.conftest import Office
from tests.osci.pki import Party

pytestmark = pytest.mark.parametrize("service", [{"forward_to": ("http://127.0.0.1:",)}], indirect=True)


@contextmanager
def listening(recipient: PassiveRecipient) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            spool = Spool()
            spool.write(self.rfile.read(int(self.headers["Content-Length"])))
            answer = recipient.handle(spool)
            self.send_response(200)
            self.send_header("Content-Length", str(answer.outgoing.size))
            self.end_headers()
            for piece in answer.outgoing.chunks():
                self.wfile.write(piece)
            answer.close()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def recipient_for(office: Office, party: Party, handler) -> PassiveRecipient:
    return PassiveRecipient(
        Identity(party.signer, party.decrypter),
        handler,
        trust=office.trust,
        clock=office.clock,
        ids=RandomIds(),
        intermediary_signature=office.operator.signature,
    )


def delivery(alice: Party, bob: Party, uri: str) -> Delivery:
    files = AttachedFile("plan.pdf", BytesBlob(b"%PDF" * 5000), "application/pdf")
    item = Sealed(Container([Data(b"question"), files], [alice.signer]), [bob.cipher])
    return Delivery([item], bob.cipher, "Frage", receiver=uri)


def forward(office: Office, alice: Party, bob: Party, uri: str, path: Path):
    client = office.client(alice)
    prepared = client.prepare(
        delivery(alice, bob, uri), client.message_id(), path, kind=Kind.FORWARD_DELIVERY
    )
    return client.transmit(prepared)


def test_a_forwarded_delivery_is_accepted_at_once(
    office: Office, alice: Party, bob: Party, tmp_path: Path
) -> None:
    seen = []

    def handler(arrived: Arrived) -> Reply:
        with arrived.open() as package:
            seen.append((package.data()[0].data, package.files()[0].blob.open().read()))
        assert arrived.card is not None
        seen.append((arrived.message_id, arrived.card.subject, arrived.wants_answer))
        assert b"acceptDelivery" in b"".join(arrived.raw())
        return Reply()

    with listening(recipient_for(office, bob, handler)) as uri:
        receipt = forward(office, alice, bob, uri, tmp_path / "out")
    assert seen == [(b"question", b"%PDF" * 5000), (receipt.message_id, "Frage", False)]
    assert receipt.card is not None
    assert receipt.card.reception is not None
    with Dialog(office.client(alice)) as dialog:
        (card,) = dialog.process_cards(ById(receipt.message_id)).cards
        assert card.reception == receipt.card.reception


def test_a_mediated_delivery_brings_its_answer_back(
    office: Office, alice: Party, bob: Party, tmp_path: Path
) -> None:
    def handler(arrived: Arrived) -> Reply:
        assert arrived.wants_answer
        assert arrived.originator_cipher == alice.cipher
        answer = Container([Data(b"answer"), AttachedFile("reply.bin", BytesBlob(b"r" * 1000))], [bob.signer])
        sealed = Sealed(answer, [arrived.originator_cipher])
        return Reply(items=[sealed], message_id=arrived.reply_message_id, subject="Antwort")

    with listening(recipient_for(office, bob, handler)) as uri:
        client = office.client(alice)
        with Dialog(client) as dialog:
            answer = dialog.mediate(delivery(alice, bob, uri), client.message_id())
            with answer, answer.open() as package:
                assert package.data()[0].data == b"answer"
                assert package.files()[0].blob.open().read() == b"r" * 1000
                assert package.containers[0].signatures[0].certificate == bob.signature
                assert answer.card.subject == "Antwort"


def test_a_mediated_delivery_without_content_in_the_answer(office: Office, alice: Party, bob: Party) -> None:
    client = office.client(alice)
    with listening(recipient_for(office, bob, lambda _arrived: Reply())) as uri, Dialog(client) as dialog:
        with pytest.raises(FeedbackError) as caught:
            dialog.mediate(delivery(alice, bob, uri), client.message_id())
        assert caught.value.codes == ("9806",)


def test_a_handler_that_cannot_read_it_says_so(
    office: Office, alice: Party, bob: Party, tmp_path: Path
) -> None:
    def handler(_arrived: Arrived) -> Reply:
        raise MalformedMessageError("unreadable")

    with (
        listening(recipient_for(office, bob, handler)) as uri,
        pytest.raises(FeedbackError, match="9805"),
    ):
        forward(office, alice, bob, uri, tmp_path / "out")


def test_a_recipient_with_another_key_answers_with_a_fault(
    office: Office, alice: Party, bob: Party, carol: Party, tmp_path: Path
) -> None:
    with (
        listening(recipient_for(office, carol, lambda _arrived: Reply())) as uri,
        pytest.raises(FeedbackError, match="9810"),
    ):
        forward(office, alice, bob, uri, tmp_path / "out")


def test_nobody_is_called_whom_the_operator_did_not_allow(
    office: Office, alice: Party, bob: Party, tmp_path: Path
) -> None:
    with pytest.raises(FeedbackError, match="9809"):
        forward(office, alice, bob, "http://localhost:1/", tmp_path / "out")


def test_an_unreachable_recipient(office: Office, alice: Party, bob: Party, tmp_path: Path) -> None:
    with pytest.raises(FeedbackError, match="9809"):
        forward(office, alice, bob, "http://127.0.0.1:1/", tmp_path / "out")


def test_an_intermediary_with_another_certificate_is_refused(
    office: Office, alice: Party, bob: Party, carol: Party, tmp_path: Path
) -> None:
    called = []
    recipient = PassiveRecipient(
        Identity(bob.signer, bob.decrypter),
        lambda arrived: called.append(arrived) or Reply(),
        trust=office.trust,
        clock=office.clock,
        ids=RandomIds(),
        intermediary_signature=carol.signature,
    )
    with listening(recipient) as uri, pytest.raises(FeedbackError, match="9805"):
        forward(office, alice, bob, uri, tmp_path / "out")
    assert called == []


def test_a_mediation_needs_a_dialog(office: Office, alice: Party, bob: Party, tmp_path: Path) -> None:
    client = office.client(alice)
    prepared = client.prepare(
        delivery(alice, bob, "http://127.0.0.1:1/"),
        client.message_id(),
        tmp_path / "out",
        kind=Kind.MEDIATE_DELIVERY,
    )
    with pytest.raises(SoapFaultError) as caught:
        client.transmit(prepared)
    assert caught.value.code == "9802"
