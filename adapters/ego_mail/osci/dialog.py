"""Explicit dialogs: InitDialog, any number of fetches, ExitDialog."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import TracebackType

from cryptography import x509

from adapters.ego_mail.osci import checks, xml
from adapters.ego_mail.osci.cards import ProcessCard
from adapters.ego_mail.osci.client import Client, Delivery, Packed, check_feedback
from adapters.ego_mail.osci.envelope import ControlBlock
from adapters.ego_mail.osci.errors import DialogError, MalformedMessageError
from adapters.ego_mail.osci.feedback import MORE_CARDS, MORE_DELIVERIES, NO_CARD, NO_DELIVERY, Feedback
from adapters.ego_mail.osci.keys import Decrypter
from adapters.ego_mail.osci.opened import OpenedPackage, PackageReader
from adapters.ego_mail.osci.orders import Kind, Order
from adapters.ego_mail.osci.roles import ORIGINATOR_CIPHER, ORIGINATOR_SIGNATURE, Certificates
from adapters.ego_mail.osci.selection import ById, ByReception, Rule
from adapters.ego_mail.osci.streams import closed_on_error
from adapters.ego_mail.osci.wire import Incoming


class Fetched:
    """A delivery that was fetched: still closed, but its envelope is checked. A context manager."""

    def __init__(self, incoming: Incoming, client: Client) -> None:
        """Wrap a checked ResponseToFetchDelivery or ResponseToMediateDelivery."""
        self._incoming = incoming
        self._client = client
        order = incoming.message.order
        card = order.reply_card or order.card
        if card is None:
            raise MalformedMessageError("a fetched delivery comes with its process card")
        self.card: ProcessCard = card
        self.feedback: tuple[Feedback, ...] = order.feedback

    @property
    def message_id(self) -> str:
        """The delivery's MessageId."""
        return self.card.message_id

    @property
    def more(self) -> bool:
        """Whether the intermediary says that more deliveries wait."""
        return any(entry.code == MORE_DELIVERIES for entry in self.feedback)

    @property
    def certificates(self) -> Certificates:
        """All certificates the sender put into the message."""
        return self._incoming.message.certificates

    @property
    def originator_signature(self) -> x509.Certificate | None:
        """Who sent it, as the intermediary passes it on; a content signature proves more."""
        return self.certificates.get(ORIGINATOR_SIGNATURE)

    @property
    def originator_cipher(self) -> x509.Certificate | None:
        """Whom an answer can be encrypted for."""
        return self.certificates.get(ORIGINATOR_CIPHER)

    @property
    def headers(self) -> Sequence[xml.Element]:
        """Further headers, e.g. MessageMetaData."""
        return self._incoming.message.headers

    @property
    def size(self) -> int:
        """Bytes below transport encryption."""
        return self._incoming.plain.size

    def raw(self) -> Iterator[bytes]:
        """Yield the whole answer below transport encryption, for the archive."""
        with self._incoming.plain.open() as source:
            while piece := source.read(64 * 1024):
                yield piece

    def open(self, decrypters: Sequence[Decrypter] = ()) -> OpenedPackage:
        """Decrypt and verify. ``decrypters`` come on top of the client's own.

        Raises WrongRecipientError, DecryptionError, SignatureError, MalformedMessageError and subclasses.
        """
        own = self._client.identity.decrypter
        settings = self._client.settings
        return PackageReader(
            self.certificates,
            self._incoming.parts,
            [*decrypters, *([] if own is None else [own])],
            settings.policy,
            folder=settings.folder,
            max_bytes=settings.limits.message,
        ).read(self._incoming.message.package)

    def close(self) -> None:
        """Give the spools back."""
        self._incoming.close()

    def __enter__(self) -> "Fetched":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Cards:
    """Process cards that matched."""

    cards: tuple[ProcessCard, ...]
    more: bool
    raw: bytes
    """The answer's XML as it came, signature included."""


class Dialog:
    """One explicit dialog; a context manager.

    The intermediary takes the next order after a fetch as proof that the delivery arrived. So commit what was
    fetched before the next call. Left by an exception, the dialog is abandoned without ExitDialog, and the
    last delivery stays unacknowledged.
    """

    def __init__(self, client: Client) -> None:
        """Prepare a dialog over ``client``; nothing is sent yet."""
        self._client = client
        self._conversation: str | None = None
        self._challenge: str | None = None
        self._sequence = -1

    def __enter__(self) -> "Dialog":
        challenge = self._client.challenge()
        draft = self._client.draft(Kind.INIT_DIALOG, ControlBlock(challenge), Order())
        with self._client.call(draft) as incoming:
            self._follow(incoming)
        if self._conversation is None or self._challenge is None:
            raise DialogError("the intermediary opened no dialog")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self._conversation is not None:
            self.exit()

    def fetch(self, rule: ById | ByReception | None = None) -> Fetched | None:
        """Fetch one delivery: the oldest, one by id, or the oldest since a date; None where none matches."""
        if isinstance(rule, ById) and len(rule.message_ids) != 1:
            raise MalformedMessageError("FetchDelivery takes exactly one MessageId")
        incoming = self._call(Kind.FETCH_DELIVERY, Order(rule=rule), (NO_DELIVERY,))
        if any(entry.code == NO_DELIVERY for entry in incoming.message.order.feedback):
            incoming.close()
            return None
        with closed_on_error(incoming.close):
            return Fetched(incoming, self._client)

    def process_cards(self, rule: Rule | None = None, limit: int | None = None) -> Cards:
        """Fetch process cards; an empty result where none matches."""
        with self._call(Kind.FETCH_PROCESS_CARD, Order(rule=rule, limit=limit), (NO_CARD,)) as incoming:
            order = incoming.message.order
            more = any(entry.code == MORE_CARDS for entry in order.feedback)
            return Cards(order.cards, more, checks.raw_xml(incoming))

    def mediate(self, delivery: Delivery, message_id: str) -> Fetched:
        """Have a delivery brought to a passive recipient and return his answer (MediateDelivery).

        Raises FeedbackError (9805 not accepted, 9806 accepted without content, 9809/9810 failed on the way).
        """
        with self._client.packed(delivery) as packed:
            order = Order(message_id=message_id, subject=delivery.subject, receiver=delivery.receiver)
            incoming = self._call(Kind.MEDIATE_DELIVERY, order, (), packed, delivery.headers)
        with closed_on_error(incoming.close):
            return Fetched(incoming, self._client)

    def exit(self) -> None:
        """Close the dialog; what was fetched last counts as received."""
        self._call(Kind.EXIT_DIALOG, Order(), ()).close()
        self._conversation = None

    def _call(
        self,
        kind: Kind,
        order: Order,
        allowed: Sequence[str],
        packed: Packed | None = None,
        headers: Sequence[xml.Element] = (),
    ) -> Incoming:
        if self._conversation is None:
            raise DialogError("the dialog is not open")
        self._sequence += 1
        control = ControlBlock(self._client.challenge(), self._challenge, self._conversation, self._sequence)
        draft = replace(self._client.draft(kind, control, order, packed), headers=headers)
        incoming = self._client.ask(draft)
        # A refused order is a step of the dialog like any other.
        self._follow(incoming)
        with closed_on_error(incoming.close):
            check_feedback(incoming.message, allowed)
        return incoming

    def _follow(self, incoming: Incoming) -> None:
        control = incoming.message.control
        self._conversation = control.conversation_id or self._conversation
        self._challenge = control.challenge
