"""The MessageMetaData header (OSCI/XTA 2, ``OSCI_MessageMetaData_V2.02.xsd``) as a SOAP header block."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.cards import format_time, parse_time
from adapters.ego_mail.osci.errors import MalformedMessageError

META = "http://www.osci.eu/ws/2014/10/transport"
WSA = "http://www.w3.org/2005/08/addressing"
IDENTIFIER = "MetaData"


@dataclass(frozen=True, slots=True)
class PartyIdentifier:
    """A logical address, e.g. ``ags:10041100`` with ``type`` ``xoev``."""

    value: str
    type: str
    name: str | None = None
    category: str | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """A value of a code list."""

    code: str
    list_uri: str
    list_version: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class MessageMetaData:
    """What a message is about, for systems on the way that cannot see its content."""

    author: PartyIdentifier
    reader: PartyIdentifier
    message_id: str
    """A URI, e.g. ``urn:uuid:…``."""
    service: str
    """The service's URI (XÖV: Dienste-URI)."""
    business_scenario: Code | str
    message_type: Code
    payload_schema: str
    subject: str | None = None
    in_reply_to: Sequence[str] = ()
    requester_reference: str | None = None
    """The sender's file reference."""
    responder_reference: str | None = None
    """The recipient's file reference."""
    origin: datetime | None = None
    initial_send: datetime | None = None
    properties: Mapping[str, str] = field(default_factory=dict)
    """Key (of the code list ``properties_list``) to value."""
    properties_list: tuple[str, str] = ("urn:dienstweg:osci:properties", "1")
    size: int | None = None
    test: bool = False


def write_metadata(data: MessageMetaData) -> xml.Element:
    """Return the header block."""
    nsmap = {**xml.NSMAP, "oscimeta": META, "wsa": WSA}
    root = xml.root(META, "MessageMetaData", nsmap)
    root.set("Id", IDENTIFIER)
    if data.test:
        root.set("TestMsg", "true")
    times = xml.child(root, META, "DeliveryAttributes")
    for name, instant in (("Origin", data.origin), ("InitialSend", data.initial_send)):
        if instant is not None:
            xml.child(times, META, name, format_time(instant))
    for holder, role, party in (
        ("Originators", "Author", data.author),
        ("Destinations", "Reader", data.reader),
    ):
        _write_party(xml.child(xml.child(root, META, holder), META, role), party)
    _write_identification(root, data)
    _write_qualifier(root, data)
    if data.properties:
        holder_element = xml.child(root, META, "MessageProperties")
        for key, value in data.properties.items():
            node = xml.child(holder_element, META, "Property")
            _write_code(xml.child(node, META, "Key"), Code(key, *data.properties_list))
            xml.child(node, META, "Value", value)
    if data.size is not None:
        xml.child(root, META, "MsgSize", str(data.size))
    return root


def _write_party(element: xml.Element, party: PartyIdentifier) -> None:
    node = xml.child(element, META, "Identifier", party.value, type=party.type)
    if party.name is not None:
        node.set("name", party.name)
    if party.category is not None:
        node.set("category", party.category)


def _write_identification(root: xml.Element, data: MessageMetaData) -> None:
    node = xml.child(root, META, "MsgIdentification")
    xml.child(node, WSA, "MessageID", data.message_id)
    for earlier in data.in_reply_to:
        xml.child(node, META, "In-Reply-To", earlier)
    if data.requester_reference is None and data.responder_reference is None:
        return
    references = xml.child(node, META, "ProcessRef")
    for name, value in (
        ("Requester", data.requester_reference),
        ("Responder", data.responder_reference),
    ):
        if value is not None:
            xml.child(references, META, name, value)


def _write_qualifier(root: xml.Element, data: MessageMetaData) -> None:
    node = xml.child(root, META, "Qualifier")
    if data.subject is not None:
        xml.child(node, META, "Subject", data.subject)
    xml.child(node, META, "Service", data.service)
    scenario = xml.child(node, META, "BusinessScenario")
    if isinstance(data.business_scenario, Code):
        _write_code(xml.child(scenario, META, "Defined"), data.business_scenario)
    else:
        xml.child(scenario, META, "Undefined", data.business_scenario)
    kind = xml.child(node, META, "MessageType", None, payloadSchema=data.payload_schema)
    _write_code(kind, data.message_type)


def _write_code(element: xml.Element, code: Code) -> None:
    element.set("listURI", code.list_uri)
    element.set("listVersionID", code.list_version)
    xml.plain_child(element, "code").text = code.code
    if code.name is not None:
        xml.plain_child(element, "name").text = code.name


def find_metadata(headers: Sequence[xml.Element]) -> MessageMetaData | None:
    """Return the MessageMetaData among a message's further headers; raise MalformedMessageError."""
    for element in headers:
        if (xml.namespace_of(element), xml.local(element)) == (META, "MessageMetaData"):
            return read_metadata(element)
    return None


def read_metadata(root: xml.Element) -> MessageMetaData:
    """Read the block; raise MalformedMessageError."""
    times = xml.one(root, META, "DeliveryAttributes")
    identification = xml.one(root, META, "MsgIdentification")
    references = xml.maybe(identification, META, "ProcessRef")
    qualifier = xml.one(root, META, "Qualifier")
    scenario = xml.one(qualifier, META, "BusinessScenario")
    defined = xml.maybe(scenario, META, "Defined")
    kind = xml.one(qualifier, META, "MessageType")
    size = _text(root, "MsgSize")
    return MessageMetaData(
        author=_read_party(xml.one(xml.one(root, META, "Originators"), META, "Author")),
        reader=_read_party(xml.one(xml.one(root, META, "Destinations"), META, "Reader")),
        message_id=xml.text_of(xml.one(identification, WSA, "MessageID")),
        service=xml.text_of(xml.one(qualifier, META, "Service")),
        business_scenario=(_text(scenario, "Undefined") or "") if defined is None else _read_code(defined),
        message_type=_read_code(kind),
        payload_schema=xml.attribute(kind, "payloadSchema"),
        subject=_text(qualifier, "Subject"),
        in_reply_to=tuple(xml.text_of(node) for node in identification.findall(xml.q(META, "In-Reply-To"))),
        requester_reference=None if references is None else _text(references, "Requester"),
        responder_reference=None if references is None else _text(references, "Responder"),
        origin=_time(times, "Origin"),
        initial_send=_time(times, "InitialSend"),
        properties=_read_properties(root),
        size=int(size) if size and size.isascii() and size.isdigit() and len(size) < 19 else None,
        test=root.get("TestMsg") in {"true", "1"},
    )


def _text(parent: xml.Element, name: str) -> str | None:
    node = xml.maybe(parent, META, name)
    return None if node is None else xml.text_of(node)


def _time(parent: xml.Element, name: str) -> datetime | None:
    text = _text(parent, name)
    return None if text is None else parse_time(text)


def _read_party(element: xml.Element) -> PartyIdentifier:
    node = xml.one(element, META, "Identifier")
    return PartyIdentifier(
        xml.text_of(node), xml.attribute(node, "type"), node.get("name"), node.get("category")
    )


def _read_code(element: xml.Element) -> Code:
    code = element.find("code")
    name = element.find("name")
    if code is None:
        raise MalformedMessageError(f"{xml.local(element)} holds no code")
    return Code(
        xml.text_of(code),
        element.get("listURI") or "",
        element.get("listVersionID") or "",
        None if name is None else xml.text_of(name),
    )


def _read_properties(root: xml.Element) -> dict[str, str]:
    holder = xml.maybe(root, META, "MessageProperties")
    found: dict[str, str] = {}
    for node in () if holder is None else holder.findall(xml.q(META, "Property")):
        found[_read_code(xml.one(node, META, "Key")).code] = _text(node, "Value") or ""
    return found
