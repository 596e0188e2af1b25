"""How a dispatch looks as an OSCI message: a text people can read, the files, and the metadata header."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from adapters.ego_mail.osci.content import AttachedFile, Container, Data, Sealed
from adapters.ego_mail.osci.keys import Signer
from adapters.ego_mail.osci.metadata import Code, MessageMetaData, PartyIdentifier
from adapters.ego_mail.osci.streams import FileBlob
from engine.exchange.file_names import safe_names
from engine.exchange.ports import Envelope, FormClass, Part, Party
from engine.exchange.signers import ROLE

SERVICE = "urn:dienstweg:exchange"
TYPES = "urn:dienstweg:message-types"
NOTICE = "notice"


Place = tuple[int, int]
"""Number of a message and how many there are of one dispatch."""


def places(count: int) -> list[Place | None]:
    """Return the place of each message of a dispatch; one that is alone has none."""
    return [None] if count == 1 else [(number, count) for number in range(1, count + 1)]


def subject_line(envelope: Envelope, place: Place | None = None) -> str:
    """Return the subject. The intermediary sees it, so it names no person and no matter."""
    said = f"{envelope.message_type.title}, {envelope.own_reference}".rstrip(", ")
    return f"{said}, Teil {place[0]} von {place[1]}" if place else said


def cover_text(envelope: Envelope, parts: Sequence[Part], place: Place | None = None) -> str:
    """Write what a clerk without Dienstweg reads first; it travels encrypted with the files."""
    lines = [
        envelope.message_type.title,
        f"Betreff: {envelope.subject}",
        "",
        f"Von: {_party(envelope.sender)}",
        f"An: {_party(envelope.recipient)}",
        f"Datum: {envelope.created.date():%d.%m.%Y}",
        f"Unser Zeichen: {envelope.own_reference}",
    ]
    if place is not None:
        lines[1:1] = [
            f"Teil {place[0]} von {place[1]}: Die Anlagen verteilen sich auf {place[1]} Nachrichten, "
            "weil sie für eine zu groß sind."
        ]
    if envelope.partner_reference:
        lines.append(f"Ihr Zeichen: {envelope.partner_reference}")
    if envelope.answer_due is not None:
        lines.append(f"Antwort erbeten bis: {envelope.answer_due:%d.%m.%Y}")
    if envelope.copy:
        lines.append("Dies ist eine Kopie einer früheren Sendung.")
    if envelope.test:
        lines.append("TESTNACHRICHT: bitte nicht bearbeiten.")
    files = [part.name for part in parts if part.role != ROLE]
    lines += ["", "Anlagen:", *(f"  {number}. {name}" for number, name in enumerate(files, start=1))]
    signatures = [part.name for part in parts if part.role == ROLE]
    if signatures:
        lines += ["", "Elektronische Signaturen der Anlagen:", *(f"  {name}" for name in signatures)]
        lines.append(
            "Die Erklärung steht in den signierten Anlagen; dieser Begleittext ist kein Teil von ihr."
        )
    lines += ["", "Bitte geben Sie in Ihrer Antwort unser Zeichen an."]
    lines.append(f"Vorgangsnummer: {envelope.exchange_id}")
    contact = ", ".join(envelope.sender.contact[key] for key in _CONTACTS if key in envelope.sender.contact)
    if contact:
        lines.append(f"Rückfragen: {contact}")
    return "\n".join(lines) + "\n"


_CONTACTS = ("person", "phone", "email")


def _party(party: Party) -> str:
    return f"{party.name}, {party.unit}" if party.unit else party.name


def metadata_of(envelope: Envelope, size: int, place: Place | None = None) -> MessageMetaData:
    """Return the header that says what the message is about; the intermediary can read it."""
    kind = envelope.message_type
    properties = {"exchange": envelope.exchange_id, "installation": envelope.installation}
    if envelope.form is not FormClass.NONE:
        properties["form"] = envelope.form.value
    if place is not None:
        properties |= {"dispatch": envelope.dispatch_id, "part": str(place[0]), "parts": str(place[1])}
    return MessageMetaData(
        author=_identifier(envelope.sender),
        reader=_identifier(envelope.recipient),
        message_id=UUID(envelope.dispatch_id).urn,
        service=SERVICE,
        business_scenario=kind.title,
        message_type=Code(kind.key, TYPES, kind.version, kind.title),
        payload_schema=f"{TYPES}:{kind.key}:{kind.version}",
        subject=subject_line(envelope, place),
        in_reply_to=[envelope.answer_to] if envelope.answer_to else [],
        requester_reference=envelope.own_reference or None,
        responder_reference=envelope.partner_reference,
        origin=envelope.created,
        properties=properties,
        size=size,
        test=envelope.test,
    )


def _identifier(party: Party) -> PartyIdentifier:
    return PartyIdentifier(f"ags:{party.authority_id}", "xoev", party.name)


def letter(text: str, parts: Sequence[Part], signers: Sequence[Signer], readers: Sequence[Any]) -> Sealed:
    """Put text and files into one container that is signed by all ``signers`` and sealed for ``readers``."""
    names = safe_names(part.name for part in parts)
    files = [
        AttachedFile(name, FileBlob(part.path), part.media_type)
        for name, part in zip(names, parts, strict=True)
    ]
    return Sealed(Container([Data(text.encode()), *files], signers), readers)


def notice_text(own: str, reason: str, terms: Mapping[str, str]) -> str:
    """Tell a sender that a message could not be processed, with our technical conditions (§ 3a(4) VwVfG)."""
    return "\n".join(
        [
            "Ihre Nachricht konnte nicht verarbeitet werden",
            "",
            f"Die Nachricht an {own} ist eingegangen, kann hier aber nicht gelesen werden:",
            f"  {reason}",
            "",
            "Technische Rahmenbedingungen dieses Zugangs:",
            *(f"  {key}: {value}" for key, value in terms.items()),
            "",
            "Bitte senden Sie die Nachricht in dieser Form noch einmal.",
            "",
        ]
    )
