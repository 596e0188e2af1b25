"""Orders a well-behaved client never sends: what the intermediary answers to them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.ego_mail.intermediary.cases import IntermediarySettings
from adapters.ego_mail.intermediary.service import IntermediaryService
from adapters.ego_mail.osci import wire, xml
from adapters.ego_mail.osci.client import Identity
from adapters.ego_mail.osci.content import Container, Data, PackageWriter
from adapters.ego_mail.osci.envelope import ControlBlock, Draft, write_message
from adapters.ego_mail.osci.errors import SoapFaultError
from adapters.ego_mail.osci.orders import Kind, Order
from adapters.ego_mail.osci.roles import (
    ADDRESSEE_CIPHER,
    ORIGINATOR_CIPHER,
    ORIGINATOR_SIGNATURE,
    CertificateBook,
)
from adapters.ego_mail.osci.selection import ById
from engine.clock import TurnedClock
from engine.identifiers import RandomIds
from tests.osci.messages import IDS, gather, spool_of
from tests.osci.pki import Party


class Desk:
    """Hands single orders to a service and reads its answers, without client and sockets."""

    def __init__(self, service: IntermediaryService, operator: Party, client: Party) -> None:
        self.service = service
        self.operator = operator
        self.client = client

    def send(self, draft: Draft, *, signer: Party | None = None, to: Party | None = None) -> wire.Incoming:
        text = write_message(draft, (signer or self.client).signer)
        outgoing = wire.plain(text, draft.parts, IDS)
        return self.raw(gather(wire.encrypted(outgoing, (to or self.operator).cipher, IDS)))

    def raw(self, data: bytes) -> wire.Incoming:
        answer = self.service.handle(spool_of(data))
        reply = gather(answer.outgoing)
        answer.close()
        return wire.read(spool_of(reply), [self.client.decrypter])

    def codes(self, draft: Draft, **changes) -> list[str]:
        with self.send(draft, **changes) as incoming:
            return [entry.code for entry in incoming.message.order.feedback]

    def fault(self, draft: Draft, **changes) -> str:
        with pytest.raises(SoapFaultError) as caught:
            self.send(draft, **changes)
        return caught.value.code

    def draft(self, kind: Kind, control: ControlBlock, order: Order | None = None, **roles: bool) -> Draft:
        book = CertificateBook()
        if roles.get("cipher", True):
            book.add(ORIGINATOR_CIPHER, self.client.cipher)
        book.add(ORIGINATOR_SIGNATURE, self.client.signature)
        return Draft(kind, control, order or Order(), book.finished())

    def delivery(self, addressee: Party | None, message_id: str | None = None) -> Draft:
        book = CertificateBook()
        book.add(ORIGINATOR_CIPHER, self.client.cipher)
        book.add(ORIGINATOR_SIGNATURE, self.client.signature)
        if addressee is not None:
            book.add(ADDRESSEE_CIPHER, addressee.cipher)
        package = PackageWriter(book, IDS).write([Container([Data(b"x")])])
        order = Order(message_id=message_id or self.message_id())
        return Draft(
            Kind.STORE_DELIVERY, ControlBlock("Yw==", sequence=0), order, book.finished(), package.element
        )

    def message_id(self) -> str:
        with self.send(self.draft(Kind.GET_MESSAGE_ID, ControlBlock("Yw==", sequence=0))) as incoming:
            return incoming.message.order.message_id or ""

    def dialog(self) -> ControlBlock:
        with self.send(self.draft(Kind.INIT_DIALOG, ControlBlock("Yw=="))) as incoming:
            return incoming.message.control


@pytest.fixture
def desk(service: IntermediaryService, operator: Party, alice: Party) -> Desk:
    return Desk(service, operator, alice)


def following(control: ControlBlock, sequence: int = 0, **changes) -> ControlBlock:
    return replace(ControlBlock("bmV3", control.challenge, control.conversation_id, sequence), **changes)


def test_a_dialog_step_by_step(desk: Desk) -> None:
    control = desk.dialog()
    assert desk.codes(desk.draft(Kind.FETCH_DELIVERY, following(control))) == ["9803"]


@pytest.mark.parametrize(
    "changes",
    [
        {"response": "b2xk"},
        {"response": None},
        {"sequence": 1},
        {"sequence": None},
        {"conversation_id": "1"},
    ],
)
def test_a_wrong_step_is_a_fault(desk: Desk, changes: dict) -> None:
    control = following(desk.dialog(), **changes)
    assert desk.fault(desk.draft(Kind.FETCH_DELIVERY, control)) == "9400"


def test_a_dialog_ends_by_itself(desk: Desk, clock: TurnedClock) -> None:
    control = desk.dialog()
    clock.turn(timedelta(hours=2))
    assert desk.fault(desk.draft(Kind.EXIT_DIALOG, following(control))) == "9400"


def test_a_step_signed_by_somebody_else(desk: Desk, bob: Party) -> None:
    control = desk.dialog()
    book = CertificateBook()
    book.add(ORIGINATOR_SIGNATURE, bob.signature)
    draft = Draft(Kind.FETCH_DELIVERY, following(control), Order(), book.finished())
    assert desk.codes(draft, signer=bob) == ["9601"]


def test_fetching_outside_a_dialog(desk: Desk) -> None:
    assert desk.fault(desk.draft(Kind.FETCH_DELIVERY, ControlBlock("Yw==", sequence=0))) == "9802"


def test_fetching_by_several_ids(desk: Desk) -> None:
    rule = ById("YQ==", "Yg==")
    draft = desk.draft(Kind.FETCH_DELIVERY, following(desk.dialog()), Order(rule=rule))
    assert desk.codes(draft) == ["9300"]


@pytest.mark.parametrize("kind", [Kind.GET_MESSAGE_ID, Kind.INIT_DIALOG])
def test_without_a_cipher_certificate_no_answer_can_be_encrypted(desk: Desk, kind: Kind) -> None:
    sequence = 0 if kind is Kind.GET_MESSAGE_ID else None
    draft = desk.draft(kind, ControlBlock("Yw==", sequence=sequence), cipher=False)
    assert desk.fault(draft) == "9500"


def test_encrypted_for_somebody_else(desk: Desk, bob: Party) -> None:
    draft = desk.draft(Kind.GET_MESSAGE_ID, ControlBlock("Yw==", sequence=0))
    assert desk.fault(draft, to=bob) == "9200"


def test_an_answer_is_no_order(desk: Desk) -> None:
    draft = desk.draft(Kind.RESPONSE_TO_EXIT_DIALOG, ControlBlock(response="Yw=="))
    from adapters.ego_mail.osci.feedback import Feedback
    from adapters.ego_mail.osci.roles import INTERMEDIARY_SIGNATURE

    book = CertificateBook()
    book.add(INTERMEDIARY_SIGNATURE, desk.client.signature)
    order = Order(feedback=(Feedback.of("0800"),))
    assert desk.fault(replace(draft, order=order, certificates=book.finished())) == "9300"


@pytest.mark.parametrize("data", [b"", b"rubbish", b"MIME-Version: 1.0\r\n\r\n"])
def test_what_is_no_message(desk: Desk, data: bytes) -> None:
    with pytest.raises(SoapFaultError) as caught:
        desk.raw(data)
    assert caught.value.code == "9100"


def test_deliveries_that_are_refused(desk: Desk, bob: Party) -> None:
    assert desk.codes(desk.delivery(None)) == ["9300"]
    assert desk.codes(replace(desk.delivery(bob), package=None)) == ["9300"]
    assert desk.codes(desk.delivery(bob, "bm90IG91cnM=")) == ["9801"]
    proven = replace(desk.delivery(bob), cryptographic_times=frozenset({"creation"}))
    assert desk.codes(proven) == ["9811"]
    poisoned = desk.delivery(bob)
    assert poisoned.package is not None
    poisoned.package[0].set("Id", "responsetofetchdelivery")
    assert desk.codes(poisoned) == ["9300"]


def test_a_delivery_without_message_id(desk: Desk, bob: Party) -> None:
    draft = desk.delivery(bob)
    text = write_message(draft, None)
    root = xml.parse(text)
    holder = root.find(f".//{xml.q(xml.OSCI, 'storeDelivery')}")
    assert holder is not None
    holder.remove(xml.one(holder, xml.OSCI, "MessageId"))
    desk.service.settings = replace(desk.service.settings, require_signature=False)
    outgoing = wire.plain(xml.canonical(root), [], IDS)
    with desk.raw(gather(wire.encrypted(outgoing, desk.operator.cipher, IDS))) as incoming:
        assert [entry.code for entry in incoming.message.order.feedback] == ["9800"]


def test_refused_deliveries_leave_no_files(desk: Desk, bob: Party, tmp_path: Path) -> None:
    from adapters.ego_mail.osci.mime import OutPart
    from adapters.ego_mail.osci.streams import BytesBlob

    parts = [OutPart("a.bin", "a/b", BytesBlob(b"x" * 10))]
    assert desk.codes(replace(desk.delivery(bob, "bm90IG91cnM="), parts=parts)) == ["9801"]
    attachments = tmp_path / "intermediary" / "attachments"
    assert list(attachments.iterdir()) == []
    assert desk.codes(replace(desk.delivery(bob), parts=parts)) == ["0800"]
    assert len(list(attachments.iterdir())) == 1


@pytest.fixture
def untrusting(tmp_path: Path, operator: Party, clock: TurnedClock) -> Iterator[IntermediaryService]:
    service = IntermediaryService(
        tmp_path / "plain",
        Identity(operator.signer, operator.decrypter),
        clock=clock,
        ids=RandomIds(),
        settings=IntermediarySettings(),
    )
    yield service
    service.close()


def test_without_a_trust_store_the_report_admits_it(
    untrusting: IntermediaryService, operator: Party, alice: Party, bob: Party
) -> None:
    desk = Desk(untrusting, operator, alice)
    with desk.send(desk.delivery(bob)) as incoming:
        order = incoming.message.order
    assert [entry.code for entry in order.feedback] == ["0800", "3707"]
    assert order.card is not None
    assert {each.math for each in order.card.inspections} == {"indeterminate"}


def test_a_busy_database_is_a_fault_of_the_server(desk: Desk) -> None:
    from sqlalchemy.exc import OperationalError

    def busy() -> None:
        raise OperationalError("BEGIN", {}, Exception("database is locked"))

    desk.service._engine.begin = busy  # type: ignore[method-assign,assignment]
    draft = desk.draft(Kind.GET_MESSAGE_ID, ControlBlock("Yw==", sequence=0))
    assert desk.fault(draft) == "9000"
