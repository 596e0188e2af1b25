"""One OSCI message as SOAP envelope: written and signed, read and verified."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.algorithms import AlgorithmPolicy
from adapters.ego_mail.osci.errors import (
    MalformedMessageError,
    SignatureMissingError,
    SignatureWrappingError,
    SoapFaultError,
)
from adapters.ego_mail.osci.feedback import text_for
from adapters.ego_mail.osci.keys import Signer
from adapters.ego_mail.osci.mime import OutPart, Part
from adapters.ego_mail.osci.orders import SHAPES, Kind, Order
from adapters.ego_mail.osci.roles import (
    ADDRESSEE_SIGNATURE,
    INTERMEDIARY_SIGNATURE,
    ORIGINATOR_SIGNATURE,
    Certificates,
    read_block,
    write_blocks,
)
from adapters.ego_mail.osci.signature import Covered, VerifiedSignature, read_signature, sign, verify

XML_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\r\n\r\n'
ENCRYPTED = "MessageEncrypted"

_FEATURES = {
    # Names and versions as the reference library announces what it can read.
    "DisableBase64": "1.2.0",
    "OAEPEncryption": "1.6.0",
    "SHA3HashAlgo": "1.6.3",
    "GCMPaddingModus": "1.7.0",
    "Support96Bit12ByteIV": "1.9.0",
}
_CLIENT, _SUPPLIER = "ClientSignature", "SupplierSignature"
_SIGNER_ROLES: dict[Kind, tuple[str, ...]] = {
    Kind.ACCEPT_DELIVERY: (INTERMEDIARY_SIGNATURE,),
    Kind.PROCESS_DELIVERY: (INTERMEDIARY_SIGNATURE,),
    Kind.RESPONSE_TO_ACCEPT_DELIVERY: (ADDRESSEE_SIGNATURE,),
    Kind.RESPONSE_TO_PROCESS_DELIVERY: (ADDRESSEE_SIGNATURE, ORIGINATOR_SIGNATURE),
}


def signer_roles(kind: Kind) -> tuple[str, ...]:
    """Say in which role the signer of a message of this kind appears among its certificates."""
    default = INTERMEDIARY_SIGNATURE if kind.is_answer else ORIGINATOR_SIGNATURE
    return _SIGNER_ROLES.get(kind, (default,))


@dataclass(frozen=True, slots=True)
class ControlBlock:
    """The dialog's thread: what we ask (challenge), what we answer (response), which dialog and step."""

    challenge: str | None = None
    response: str | None = None
    conversation_id: str | None = None
    sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it is written."""

    kind: Kind
    control: ControlBlock
    order: Order
    certificates: Certificates = field(default_factory=Certificates)
    package: xml.Element | None = None
    parts: Sequence[OutPart] = ()
    headers: Sequence[xml.Element] = ()
    """Further SOAP header blocks, each with an ``Id``, e.g. MessageMetaData."""
    languages: str = "de"
    announce: bool = True
    """Send a FeatureDescription with orders."""
    cryptographic_times: frozenset[str] = frozenset()
    """``creation`` and/or ``reception`` where a proven timestamp is wanted."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message as read; nothing in it is believed before ``verify_message``."""

    kind: Kind
    control: ControlBlock
    order: Order
    certificates: Certificates
    package: xml.Element | None
    headers: Sequence[xml.Element]
    signature: xml.Element | None
    languages: str
    cryptographic_times: frozenset[str]
    features: Mapping[str, str]
    blocks: Sequence[xml.Element]
    """Everything a signature must cover: all header blocks but the signature, and the body."""


# --- writing -------------------------------------------------------------------------------------


def write_message(draft: Draft, signer: Signer | None) -> bytes:
    """Return the XML part; signed where there is a signer, whose certificate the draft must carry."""
    envelope = _envelope(f"soap{draft.kind.value}.xsd")
    header = xml.child(envelope, xml.SOAP, "Header")
    for element in (*_leading_blocks(draft), *write_blocks(draft.certificates)):
        header.append(element)
    if draft.announce and not draft.kind.is_answer:
        header.append(_features_block())
    for element in draft.headers:
        header.append(element)
    body = xml.child(envelope, xml.SOAP, "Body", None, Id="body")
    _fill_body(draft, body)
    xml.check_unique_ids(envelope)
    if signer is not None:
        _sign(draft, envelope, header, body, signer)
    return XML_DECLARATION + xml.canonical(envelope)


def _envelope(schema: str) -> xml.Element:
    envelope = xml.block(xml.SOAP, "Envelope")
    # Receivers recognise the kind of message by exactly this text.
    location = f"{xml.SOAP} {schema} {xml.DS} oscisig.xsd {xml.XENC} oscienc.xsd"
    envelope.set(xml.q(xml.XSI, "schemaLocation"), location)
    return envelope


def _leading_blocks(draft: Draft) -> list[xml.Element]:
    blocks = [_control_block(draft.control)]
    if not draft.kind.is_answer:
        languages = xml.header_block(xml.OSCI, "DesiredLanguages", "desiredlanguages")
        languages.set("LanguagesList", draft.languages)
        blocks.append(languages)
    if draft.kind in {Kind.STORE_DELIVERY, Kind.FORWARD_DELIVERY, Kind.MEDIATE_DELIVERY}:
        blocks += [_quality(service, draft) for service in ("creation", "reception")]
    shape = SHAPES[draft.kind]
    if not shape.in_body:
        element = xml.header_block(xml.OSCI, shape.element, shape.element.lower())
        shape.write(element, draft.order)
        blocks.append(element)
    return blocks


def _control_block(control: ControlBlock) -> xml.Element:
    element = xml.header_block(xml.OSCI, "ControlBlock", "controlblock")
    if control.conversation_id is not None:
        element.set("ConversationId", control.conversation_id)
    if control.sequence is not None:
        element.set("SequenceNumber", str(control.sequence))
    if control.response is not None:
        xml.child(element, xml.OSCI, "Response", control.response)
    if control.challenge is not None:
        xml.child(element, xml.OSCI, "Challenge", control.challenge)
    return element


def _quality(service: str, draft: Draft) -> xml.Element:
    element = xml.header_block(xml.OSCI, "QualityOfTimestamp", f"qualityoftimestamp_{service}")
    element.set("Service", service)
    element.set("Quality", "cryptographic" if service in draft.cryptographic_times else "plain")
    return element


def _features_block() -> xml.Element:
    element = xml.block(xml.OSCI_2017, "FeatureDescription", {"Id": "featuredescription"})
    supported = xml.child(element, xml.OSCI_2017, "SupportedFeatures")
    for key, version in _FEATURES.items():
        xml.child(supported, xml.OSCI_2017, "Feature", None, Key=key, Version=version)
    return element


def _fill_body(draft: Draft, body: xml.Element) -> None:
    shape = SHAPES[draft.kind]
    if shape.in_body:
        shape.write(xml.child(body, xml.OSCI, shape.element), draft.order)
    elif draft.package is not None:
        body.append(draft.package)


def _sign(
    draft: Draft, envelope: xml.Element, header: xml.Element, body: xml.Element, signer: Signer
) -> None:
    roles = signer_roles(draft.kind)
    entry = next(
        (each for each in draft.certificates.entries
         if each.role in roles and each.certificate == signer.certificate),
        None,
    )  # fmt: skip
    if entry is None:
        raise MalformedMessageError(f"the signer's certificate is missing as {' or '.join(roles)}")
    covered = [Covered.element(element) for element in (*xml.children(header), body)]
    covered += [Covered.attachment(part.content_id, part.blob) for part in draft.parts]
    name = _SUPPLIER if draft.kind.is_answer else _CLIENT
    holder = xml.header_block(xml.OSCI, name, name.lower())
    header.insert(1, holder)
    sign(holder, covered, signer, entry.identifier)


def write_fault(code: str, *, server: bool, language: str = "de") -> bytes:
    """Return the XML part of a SOAP fault; it carries no schema location and is never encrypted."""
    envelope = xml.block(xml.SOAP, "Envelope")
    fault = xml.child(xml.child(envelope, xml.SOAP, "Body"), xml.SOAP, "Fault")
    for name, text in (
        ("faultcode", "soap:Server" if server else "soap:Client"),
        ("faultstring", text_for(code, language)),
    ):
        xml.plain_child(fault, name).text = text
    xml.child(xml.plain_child(fault, "detail"), xml.OSCI, "Code", code)
    return XML_DECLARATION + xml.canonical(envelope)


# --- reading -------------------------------------------------------------------------------------


def schema_kind(root: xml.Element) -> str | None:
    """Return the schema's name without ``soap`` and ``.xsd``; None where the envelope names none."""
    if (xml.namespace_of(root), xml.local(root)) != (xml.SOAP, "Envelope"):
        raise MalformedMessageError("the XML part is no SOAP envelope")
    location = root.get(xml.q(xml.XSI, "schemaLocation"))
    if location is None:
        return None
    words = location.split()
    schemas = dict(zip(words[::2], words[1::2], strict=False))
    name = schemas.get(xml.SOAP, "").rsplit("/", 1)[-1]
    if not name.startswith("soap") or not name.endswith(".xsd"):
        raise MalformedMessageError("the envelope does not say which kind of message it is")
    return name.removeprefix("soap").removesuffix(".xsd")


def raise_fault(root: xml.Element) -> None:
    """Raise SoapFaultError where the envelope holds a fault, MalformedMessageError otherwise."""
    body = xml.one(root, xml.SOAP, "Body")
    fault = xml.maybe(body, xml.SOAP, "Fault")
    if fault is None:
        raise MalformedMessageError("the envelope does not say which kind of message it is")
    faultcode = fault.findtext("faultcode") or ""
    code = fault.findtext(f".//{xml.q(xml.OSCI, 'Code')}") or ""
    text = fault.findtext("faultstring") or text_for(code.strip())
    raise SoapFaultError(code.strip()[:8], text.strip()[:500], server=faultcode.endswith("Server"))


def read_message(root: xml.Element) -> Message:
    """Read an unencrypted envelope; raise MalformedMessageError, SignatureWrappingError, SoapFaultError."""
    name = schema_kind(root)
    if name is None or name == "MessageFault":
        raise_fault(root)
    try:
        kind = Kind(name or "")
    except ValueError as error:
        raise MalformedMessageError(f"message kind {name!r} is not supported") from error
    xml.check_unique_ids(root)
    if [xml.local(node) for node in xml.children(root)] != ["Header", "Body"]:
        raise SignatureWrappingError("an envelope holds one header and one body")
    header, body = xml.one(root, xml.SOAP, "Header"), xml.one(root, xml.SOAP, "Body")
    known, custom = _sort_blocks(header)
    shape = SHAPES[kind]
    holder = _single(known, shape.element) if not shape.in_body else xml.one(body, xml.OSCI, shape.element)
    certificates = [
        entry
        for block_name in ("IntermediaryCertificates", "NonIntermediaryCertificates")
        for element in known.get(block_name, [])
        for entry in read_block(element)
    ]
    return Message(
        kind=kind,
        control=_read_control(_single(known, "ControlBlock")),
        order=shape.read(holder, Order()),
        certificates=Certificates.of(certificates),
        package=_package(kind, body),
        headers=tuple(custom),
        signature=_signature_block(kind, known),
        languages=_languages(known),
        cryptographic_times=_cryptographic_times(known),
        features=_read_features(known),
        blocks=(*_unsigned(header), body),
    )


def _sort_blocks(header: xml.Element) -> tuple[dict[str, list[xml.Element]], list[xml.Element]]:
    known: dict[str, list[xml.Element]] = {}
    custom: list[xml.Element] = []
    for node in xml.children(header):
        if xml.namespace_of(node) == xml.OSCI or xml.local(node) == "FeatureDescription":
            known.setdefault(xml.local(node), []).append(node)
        else:
            custom.append(node)
    for name, nodes in known.items():
        if len(nodes) > (2 if name == "QualityOfTimestamp" else 1):
            raise SignatureWrappingError(f"the header holds {len(nodes)} {name}")
    return known, custom


def _single(known: Mapping[str, list[xml.Element]], name: str) -> xml.Element:
    nodes = known.get(name, [])
    if len(nodes) != 1:
        raise MalformedMessageError(f"the header needs one {name}, found {len(nodes)}")
    return nodes[0]


def _unsigned(header: xml.Element) -> list[xml.Element]:
    return [
        node
        for node in xml.children(header)
        if not (xml.namespace_of(node) == xml.OSCI and xml.local(node) in {_CLIENT, _SUPPLIER})
    ]


def _package(kind: Kind, body: xml.Element) -> xml.Element | None:
    nodes = list(xml.children(body))
    if not kind.with_content:
        if len(nodes) > 1:
            raise SignatureWrappingError("the body holds more than its order")
        return None
    if not nodes:
        return None
    if len(nodes) > 1:
        raise SignatureWrappingError("the body holds more than its content package")
    return xml.one(body, xml.OSCI, "ContentPackage")


def _signature_block(kind: Kind, known: Mapping[str, list[xml.Element]]) -> xml.Element | None:
    name, other = (_SUPPLIER, _CLIENT) if kind.is_answer else (_CLIENT, _SUPPLIER)
    if other in known:
        raise SignatureWrappingError(f"{kind.value} must not carry a {other}")
    return None if name not in known else xml.one(_single(known, name), xml.DS, "Signature")


def _read_control(element: xml.Element) -> ControlBlock:
    challenge = xml.maybe(element, xml.OSCI, "Challenge")
    response = xml.maybe(element, xml.OSCI, "Response")
    sequence = element.get("SequenceNumber")
    if sequence is not None and not (sequence.isascii() and sequence.isdigit() and len(sequence) < 10):
        raise MalformedMessageError("the sequence number is no number")
    return ControlBlock(
        challenge=None if challenge is None else xml.text_of(challenge),
        response=None if response is None else xml.text_of(response),
        conversation_id=element.get("ConversationId"),
        sequence=None if sequence is None else int(sequence),
    )


def _languages(known: Mapping[str, list[xml.Element]]) -> str:
    nodes = known.get("DesiredLanguages", [])
    return nodes[0].get("LanguagesList") or "de" if nodes else "de"


def _cryptographic_times(known: Mapping[str, list[xml.Element]]) -> frozenset[str]:
    return frozenset(
        node.get("Service") or ""
        for node in known.get("QualityOfTimestamp", [])
        if node.get("Quality") == "cryptographic"
    )


def _read_features(known: Mapping[str, list[xml.Element]]) -> dict[str, str]:
    return {
        feature.get("Key") or "": feature.get("Version") or ""
        for element in known.get("FeatureDescription", [])
        for feature in element.iter(xml.q(xml.OSCI_2017, "Feature"))
    }


def verify_message(message: Message, parts: Sequence[Part], policy: AlgorithmPolicy) -> VerifiedSignature:
    """Check the transport signature over all blocks, the body and all attachments.

    Raises SignatureMissingError, and SignatureError with its subclasses. Whether the certificate is the
    expected and a trusted one is the caller's question.
    """
    if message.signature is None:
        raise SignatureMissingError(f"{message.kind.value} is not signed")
    signature = read_signature(message.signature)
    entry = message.certificates.resolve(signature.certificate_id, signer_roles(message.kind))
    covered = [Covered.element(element) for element in message.blocks]
    covered += [Covered.attachment(part.content_id, part.blob) for part in parts]
    where = f"transport signature of {message.kind.value}"
    return verify(signature, covered, entry.certificate, policy, where=where)
