"""Process cards (OSCI: Laufzettel) with their three timestamps and the inspection report (order.xsd)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.errors import MalformedMessageError


def format_time(instant: datetime) -> str:
    """Write an aware instant as xsd:dateTime in UTC, to the millisecond."""
    text = instant.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def parse_time(text: str) -> datetime:
    """Read an xsd:dateTime; one without zone is taken as UTC. Raises MalformedMessageError."""
    try:
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MalformedMessageError(f"not a date and time: {text!r}") from error


def message_id_bytes(message_id: str) -> bytes:
    """Return the raw bytes behind a MessageId; raise MalformedMessageError."""
    raw = xml.decode64(message_id)
    if not 1 <= len(raw) <= 512:
        raise MalformedMessageError("a MessageId has 1 to 512 bytes")
    return raw


def read_message_id(element: xml.Element) -> str:
    """Read a MessageId as base64 without white space."""
    text = "".join(xml.text_of(element).split())
    message_id_bytes(text)
    return text


@dataclass(frozen=True, slots=True)
class Timestamp:
    """An instant the intermediary states (``plain``) or proves (``token`` with its algorithm)."""

    plain: datetime | None = None
    token: bytes | None = None
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """How the intermediary found one certificate."""

    at: Timestamp
    subject: str
    issuer: str
    serial: int
    kind: str
    """``advanced``, ``qualified``, ``accredited`` or ``unknown``."""
    math: str
    """``ok``, ``corrupted`` or ``indeterminate``: the issuer's signature over the certificate."""
    offline: str
    """``valid``, ``invalid`` or ``indeterminate``: its validity period."""
    online: str | None = None
    """``ok`` or ``revoked`` where the issuer was asked."""


@dataclass(frozen=True, slots=True)
class ProcessCard:
    """What the intermediary says happened to one message.

    ``creation``: it took the order. ``forwarding``: it had built the message to the recipient, which is not
    delivery. ``reception``: the recipient answered, or went on in the dialog in which it fetched.
    """

    message_id: str
    recent_modification: datetime
    creation: Timestamp | None = None
    forwarding: Timestamp | None = None
    reception: Timestamp | None = None
    subject: str | None = None
    inspections: tuple[Inspection, ...] = ()
    raw: bytes = b""
    """The bundle as it came, in C14N: the evidence to keep."""

    def with_raw(self) -> "ProcessCard":
        """Return the card with ``raw`` filled from its own XML."""
        holder = xml.block(xml.OSCI, "Holder")
        return replace(self, raw=xml.canonical(write_card(holder, self)))


_STAMPS = ("Creation", "Forwarding", "Reception")


def write_card(parent: xml.Element, card: ProcessCard, name: str = "ProcessCardBundle") -> xml.Element:
    """Append a process card bundle."""
    bundle = xml.child(parent, xml.OSCI, name)
    xml.child(bundle, xml.OSCI, "MessageId", card.message_id)
    node = xml.child(
        bundle, xml.OSCI, "ProcessCard", None, RecentModification=format_time(card.recent_modification)
    )
    for label, stamp in zip(_STAMPS, (card.creation, card.forwarding, card.reception), strict=True):
        if stamp is not None:
            _write_stamp(xml.child(node, xml.OSCI, label), stamp)
    if card.subject is not None:
        xml.child(node, xml.OSCI, "Subject", card.subject)
    report = xml.child(bundle, xml.OSCI, "InspectionReport")
    for inspection in card.inspections:
        _write_inspection(report, inspection)
    return bundle


def _write_stamp(element: xml.Element, stamp: Timestamp) -> None:
    if stamp.plain is not None:
        xml.child(element, xml.OSCI, "Plain", format_time(stamp.plain))
    else:
        node = xml.child(element, xml.OSCI, "Cryptographic", xml.encode64(stamp.token or b""))
        if stamp.algorithm is not None:
            node.set("Algorithm", stamp.algorithm)


def _write_inspection(report: xml.Element, inspection: Inspection) -> None:
    node = xml.child(report, xml.OSCI, "Inspection")
    _write_stamp(xml.child(node, xml.OSCI, "Timestamp"), inspection.at)
    xml.child(node, xml.OSCI, "X509SubjectName", inspection.subject)
    xml.child(node, xml.OSCI, "X509IssuerName", inspection.issuer)
    xml.child(node, xml.OSCI, "X509SerialNumber", str(inspection.serial))
    xml.child(node, xml.OSCI, "CertType", None, Type=inspection.kind)
    xml.child(node, xml.OSCI, "MathResult", None, Result=inspection.math)
    xml.child(node, xml.OSCI, "OfflineResult", None, Result=inspection.offline)
    if inspection.online is not None:
        xml.child(node, xml.OSCI, "OnlineResult", None, Result=inspection.online)


def read_card(bundle: xml.Element) -> ProcessCard:
    """Read a process card bundle; raise MalformedMessageError."""
    node = xml.one(bundle, xml.OSCI, "ProcessCard")
    report = xml.maybe(bundle, xml.OSCI, "InspectionReport")
    subject = xml.maybe(node, xml.OSCI, "Subject")
    creation, forwarding, reception = (_read_stamp(node, label) for label in _STAMPS)
    inspections = () if report is None else tuple(_read_inspection(each) for each in xml.children(report))
    return ProcessCard(
        message_id=read_message_id(xml.one(bundle, xml.OSCI, "MessageId")),
        recent_modification=parse_time(xml.attribute(node, "RecentModification")),
        creation=creation,
        forwarding=forwarding,
        reception=reception,
        subject=None if subject is None else subject.text or "",
        inspections=inspections,
        raw=xml.canonical(bundle),
    )


def _read_stamp(parent: xml.Element, label: str) -> Timestamp | None:
    node = xml.maybe(parent, xml.OSCI, label)
    return None if node is None else _stamp(node)


def _stamp(node: xml.Element) -> Timestamp:
    plain = xml.maybe(node, xml.OSCI, "Plain")
    if plain is not None:
        return Timestamp(plain=parse_time(xml.text_of(plain)))
    token = xml.one(node, xml.OSCI, "Cryptographic")
    return Timestamp(token=xml.decode64(xml.text_of(token)), algorithm=token.get("Algorithm"))


def _read_inspection(node: xml.Element) -> Inspection:
    online = xml.maybe(node, xml.OSCI, "OnlineResult")
    serial = xml.text_of(xml.one(node, xml.OSCI, "X509SerialNumber"))
    if not serial.lstrip("-").isdigit() or len(serial) > 60:
        raise MalformedMessageError("a certificate's serial number is no number")
    return Inspection(
        at=_stamp(xml.one(node, xml.OSCI, "Timestamp")),
        subject=xml.text_of(xml.one(node, xml.OSCI, "X509SubjectName")),
        issuer=xml.text_of(xml.one(node, xml.OSCI, "X509IssuerName")),
        serial=int(serial),
        kind=xml.attribute(xml.one(node, xml.OSCI, "CertType"), "Type"),
        math=xml.attribute(xml.one(node, xml.OSCI, "MathResult"), "Result"),
        offline=xml.attribute(xml.one(node, xml.OSCI, "OfflineResult"), "Result"),
        online=None if online is None else xml.attribute(online, "Result"),
    )
