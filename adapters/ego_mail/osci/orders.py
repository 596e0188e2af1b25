"""The message kinds and where each keeps its order or answer, as one table.

Sources: one schema a kind in OSCI 1.2 (``GetMessageId.xsd`` … ``ResponseToExitDialog.xsd``).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.cards import ProcessCard, read_card, read_message_id, write_card
from adapters.ego_mail.osci.errors import MalformedMessageError
from adapters.ego_mail.osci.feedback import Feedback, read_feedback, write_feedback
from adapters.ego_mail.osci.selection import Rule, read_limit, read_rule, write_limit, write_rule


class Kind(StrEnum):
    """All message kinds this library speaks; the value names the kind's schema."""

    GET_MESSAGE_ID = "GetMessageId"
    STORE_DELIVERY = "StoreDelivery"
    FORWARD_DELIVERY = "ForwardDelivery"
    MEDIATE_DELIVERY = "MediateDelivery"
    INIT_DIALOG = "InitDialog"
    FETCH_DELIVERY = "FetchDelivery"
    FETCH_PROCESS_CARD = "FetchProcessCard"
    EXIT_DIALOG = "ExitDialog"
    ACCEPT_DELIVERY = "AcceptDelivery"
    PROCESS_DELIVERY = "ProcessDelivery"
    RESPONSE_TO_GET_MESSAGE_ID = "ResponseToGetMessageId"
    RESPONSE_TO_STORE_DELIVERY = "ResponseToStoreDelivery"
    RESPONSE_TO_FORWARD_DELIVERY = "ResponseToForwardDelivery"
    RESPONSE_TO_MEDIATE_DELIVERY = "ResponseToMediateDelivery"
    RESPONSE_TO_INIT_DIALOG = "ResponseToInitDialog"
    RESPONSE_TO_FETCH_DELIVERY = "ResponseToFetchDelivery"
    RESPONSE_TO_FETCH_PROCESS_CARD = "ResponseToFetchProcessCard"
    RESPONSE_TO_EXIT_DIALOG = "ResponseToExitDialog"
    RESPONSE_TO_ACCEPT_DELIVERY = "ResponseToAcceptDelivery"
    RESPONSE_TO_PROCESS_DELIVERY = "ResponseToProcessDelivery"

    @property
    def is_answer(self) -> bool:
        """Answers are signed by the supplier, orders by the client."""
        return self.value.startswith("ResponseTo")

    @property
    def answer(self) -> "Kind":
        """The kind that answers this order."""
        return Kind(f"ResponseTo{self.value}")

    @property
    def with_content(self) -> bool:
        """Whether the body is a content package (or empty)."""
        return self in _WITH_CONTENT


_WITH_CONTENT = {
    Kind.STORE_DELIVERY,
    Kind.FORWARD_DELIVERY,
    Kind.MEDIATE_DELIVERY,
    Kind.ACCEPT_DELIVERY,
    Kind.PROCESS_DELIVERY,
    Kind.RESPONSE_TO_FETCH_DELIVERY,
    Kind.RESPONSE_TO_MEDIATE_DELIVERY,
    Kind.RESPONSE_TO_PROCESS_DELIVERY,
}


@dataclass(frozen=True, slots=True)
class Order:
    """What an order or answer says, over all kinds; each kind uses the fields its schema knows."""

    message_id: str | None = None
    """base64 without white space, as it travels."""
    subject: str | None = None
    receiver: str | None = None
    """URI of a passive recipient."""
    rule: Rule | None = None
    limit: int | None = None
    feedback: tuple[Feedback, ...] = ()
    card: ProcessCard | None = None
    cards: tuple[ProcessCard, ...] = ()
    reply_card: ProcessCard | None = None
    reply_message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """Where a kind's order stands and how it is written and read."""

    element: str
    in_body: bool
    write: Callable[[xml.Element, Order], None]
    read: Callable[[xml.Element, Order], Order]


def _nothing(_element: xml.Element, _order: Order) -> None:
    return


def _keep(_element: xml.Element, order: Order) -> Order:
    return order


def _write_delivery(element: xml.Element, order: Order) -> None:
    if order.receiver is not None:
        xml.child(element, xml.OSCI, "ContentReceiver", None, URI=order.receiver)
    if order.message_id is None:
        raise MalformedMessageError("a delivery needs a MessageId", hint="ask the intermediary for one")
    xml.child(element, xml.OSCI, "MessageId", order.message_id)
    if order.subject is not None:
        xml.child(element, xml.OSCI, "Subject", order.subject)


def _read_delivery(element: xml.Element, order: Order) -> Order:
    receiver = xml.maybe(element, xml.OSCI, "ContentReceiver")
    message_id = xml.maybe(element, xml.OSCI, "MessageId")
    return replace(
        order,
        receiver=None if receiver is None else xml.attribute(receiver, "URI"),
        message_id=None if message_id is None else read_message_id(message_id),
        subject=_subject(element),
    )


def _subject(element: xml.Element) -> str | None:
    node = xml.maybe(element, xml.OSCI, "Subject")
    return None if node is None else node.text or ""


def _write_fetch(element: xml.Element, order: Order) -> None:
    write_rule(element, order.rule)


def _read_fetch(element: xml.Element, order: Order) -> Order:
    return replace(order, rule=read_rule(element))


def _write_fetch_cards(element: xml.Element, order: Order) -> None:
    write_rule(element, order.rule)
    write_limit(element, order.limit)


def _read_fetch_cards(element: xml.Element, order: Order) -> Order:
    return replace(order, rule=read_rule(element), limit=read_limit(element))


def _write_passive(element: xml.Element, order: Order) -> None:
    if order.reply_message_id is not None:
        xml.child(element, xml.OSCI, "MessageIdResponse", order.reply_message_id)
    if order.card is not None:
        write_card(element, order.card)


def _read_passive(element: xml.Element, order: Order) -> Order:
    bundle = xml.maybe(element, xml.OSCI, "ProcessCardBundle")
    reply = xml.maybe(element, xml.OSCI, "MessageIdResponse")
    card = None if bundle is None else read_card(bundle)
    return replace(
        order,
        card=card,
        message_id=None if card is None else card.message_id,
        subject=None if card is None else card.subject,
        reply_message_id=None if reply is None else read_message_id(reply),
    )


def _write_answer(element: xml.Element, order: Order) -> None:
    write_feedback(element, order.feedback)


def _read_answer(element: xml.Element, order: Order) -> Order:
    return replace(order, feedback=read_feedback(element))


def _write_id_answer(element: xml.Element, order: Order) -> None:
    write_feedback(element, order.feedback)
    if order.message_id is not None:
        xml.child(element, xml.OSCI, "MessageId", order.message_id)


def _read_id_answer(element: xml.Element, order: Order) -> Order:
    node = xml.maybe(element, xml.OSCI, "MessageId")
    return replace(
        order,
        feedback=read_feedback(element),
        message_id=None if node is None else read_message_id(node),
    )


def _write_card_answer(element: xml.Element, order: Order) -> None:
    write_feedback(element, order.feedback)
    if order.card is not None:
        write_card(element, order.card)


def _read_card_answer(element: xml.Element, order: Order) -> Order:
    bundle = xml.maybe(element, xml.OSCI, "ProcessCardBundle")
    card = None if bundle is None else read_card(bundle)
    message_id = None if card is None else card.message_id
    return replace(order, feedback=read_feedback(element), card=card, message_id=message_id)


def _write_fetch_answer(element: xml.Element, order: Order) -> None:
    write_feedback(element, order.feedback)
    write_rule(xml.child(element, xml.OSCI, "fetchDelivery"), order.rule)
    if order.card is not None:
        write_card(element, order.card)


def _read_fetch_answer(element: xml.Element, order: Order) -> Order:
    asked = xml.one(element, xml.OSCI, "fetchDelivery")
    return replace(_read_card_answer(element, order), rule=read_rule(asked))


def _write_cards_answer(element: xml.Element, order: Order) -> None:
    write_feedback(element, order.feedback)
    _write_fetch_cards(xml.child(element, xml.OSCI, "fetchProcessCard"), order)
    for card in order.cards:
        write_card(element, card)


def _read_cards_answer(element: xml.Element, order: Order) -> Order:
    order = _read_fetch_cards(xml.one(element, xml.OSCI, "fetchProcessCard"), order)
    bundles = element.findall(xml.q(xml.OSCI, "ProcessCardBundle"))
    return replace(
        order, feedback=read_feedback(element), cards=tuple(read_card(bundle) for bundle in bundles)
    )


def _write_mediate_answer(element: xml.Element, order: Order) -> None:
    write_feedback(element, order.feedback)
    if order.card is not None:
        write_card(element, order.card, "RequestProcessCardBundle")
    if order.reply_card is not None:
        write_card(element, order.reply_card, "ReplyProcessCardBundle")


def _read_mediate_answer(element: xml.Element, order: Order) -> Order:
    request = xml.maybe(element, xml.OSCI, "RequestProcessCardBundle")
    reply = xml.maybe(element, xml.OSCI, "ReplyProcessCardBundle")
    card = None if request is None else read_card(request)
    return replace(
        order,
        feedback=read_feedback(element),
        card=card,
        message_id=None if card is None else card.message_id,
        reply_card=None if reply is None else read_card(reply),
    )


def _write_process_answer(element: xml.Element, order: Order) -> None:
    _write_id_answer(element, order)
    if order.subject is not None:
        xml.child(element, xml.OSCI, "Subject", order.subject)


def _read_process_answer(element: xml.Element, order: Order) -> Order:
    return replace(_read_id_answer(element, order), subject=_subject(element))


def _header(
    element: str,
    write: Callable[[xml.Element, Order], None],
    read: Callable[[xml.Element, Order], Order],
) -> Shape:
    return Shape(element, False, write, read)


def _body(
    element: str,
    write: Callable[[xml.Element, Order], None],
    read: Callable[[xml.Element, Order], Order],
) -> Shape:
    return Shape(element, True, write, read)


SHAPES: dict[Kind, Shape] = {
    Kind.GET_MESSAGE_ID: _body("getMessageId", _nothing, _keep),
    Kind.STORE_DELIVERY: _header("storeDelivery", _write_delivery, _read_delivery),
    Kind.FORWARD_DELIVERY: _header("forwardDelivery", _write_delivery, _read_delivery),
    Kind.MEDIATE_DELIVERY: _header("mediateDelivery", _write_delivery, _read_delivery),
    Kind.INIT_DIALOG: _body("initDialog", _nothing, _keep),
    Kind.FETCH_DELIVERY: _header("fetchDelivery", _write_fetch, _read_fetch),
    Kind.FETCH_PROCESS_CARD: _body("fetchProcessCard", _write_fetch_cards, _read_fetch_cards),
    Kind.EXIT_DIALOG: _body("exitDialog", _nothing, _keep),
    Kind.ACCEPT_DELIVERY: _header("acceptDelivery", _write_passive, _read_passive),
    Kind.PROCESS_DELIVERY: _header("processDelivery", _write_passive, _read_passive),
    Kind.RESPONSE_TO_GET_MESSAGE_ID: _body("responseToGetMessageId", _write_id_answer, _read_id_answer),
    Kind.RESPONSE_TO_STORE_DELIVERY: _header(
        "responseToStoreDelivery", _write_card_answer, _read_card_answer
    ),
    Kind.RESPONSE_TO_FORWARD_DELIVERY: _header(
        "responseToForwardDelivery", _write_card_answer, _read_card_answer
    ),
    Kind.RESPONSE_TO_MEDIATE_DELIVERY: _header(
        "responseToMediateDelivery", _write_mediate_answer, _read_mediate_answer
    ),
    Kind.RESPONSE_TO_INIT_DIALOG: _body("responseToInitDialog", _write_answer, _read_answer),
    Kind.RESPONSE_TO_FETCH_DELIVERY: _header(
        "responseToFetchDelivery", _write_fetch_answer, _read_fetch_answer
    ),
    Kind.RESPONSE_TO_FETCH_PROCESS_CARD: _body(
        "responseToFetchProcessCard", _write_cards_answer, _read_cards_answer
    ),
    Kind.RESPONSE_TO_EXIT_DIALOG: _body("responseToExitDialog", _write_answer, _read_answer),
    Kind.RESPONSE_TO_ACCEPT_DELIVERY: _header("responseToAcceptDelivery", _write_answer, _read_answer),
    Kind.RESPONSE_TO_PROCESS_DELIVERY: _header(
        "responseToProcessDelivery", _write_process_answer, _read_process_answer
    ),
}
