"""What is printed: from an envelope to the data that the layout sets."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any, BinaryIO

from babel.dates import format_date

from adapters.letter.address import address_lines
from adapters.letter.attachments import Enclosure, embeds_pdf
from adapters.letter.body import one_line, read_body, shield
from adapters.letter.codes import Printed, print_code, print_partner_reference
from adapters.letter.errors import LetterUnprintableError
from adapters.letter.letterhead import Letterhead, footer_of
from adapters.letter.terms import REMARKS, LetterTerms
from engine.clock import local_day
from engine.definitions.letters import render_body
from engine.exchange.codes import Kind, make_code
from engine.exchange.ports import Document, Envelope, FormClass, Mailbox, Party

MAX_ADDRESS_LINES = 11

_ANSWER_FIELDS = (
    ("Ihr Zeichen", 12),
    ("Ort, Datum", 12),
    ("Auskunft erteilt, Telefon", 12),
    ("Antwort (weitere Blätter und Anlagen bitte dahinter heften)", 66),
    ("Unterschrift, Dienstsiegel", 20),
)
TEST_BANNER = {"word": "TEST", "sentence": "Testnachricht ohne rechtliche Wirkung. Bitte nicht bearbeiten."}
NO_ARCHIVE = (
    "Ohne PDF/A-Kennzeichnung, weil PDF-Dateien angefügt sind. Die Anlagen liegen unverändert mit ihren "
    "Prüfsummen beim Absender."
)
"""What the file's own description says of a letter with appended PDF files (docs/decisions/0081)."""
COPY_BANNER = {
    "word": "ZWEITSCHRIFT",
    "sentence": "Zweitschrift. Diese Nachricht ist Ihnen schon auf anderem Weg zugegangen oder unterwegs.",
}


@dataclass(frozen=True, slots=True)
class _Named:
    """A document under the name the template may print."""

    document: Document
    name: str

    @property
    def media_type(self) -> str:
        return self.document.media_type

    @property
    def sha256(self) -> str:
        return self.document.sha256

    @property
    def size(self) -> int:
        return self.document.size

    def open(self) -> BinaryIO:
        return self.document.open()


def compose(
    envelope: Envelope,
    recipient: Mailbox | None,
    head: Letterhead,
    terms: LetterTerms,
    enclosures: Sequence[Enclosure],
    logo: str | None,
    reminded: Printed | None = None,
) -> dict[str, Any]:
    """Return the layout's data but for the codes of the sheets; ``reminded`` is an earlier letter's code.

    Raises the template's LetterRefusedError, or LetterUnprintableError for an address that does not fit.
    """
    sender, partner = envelope.sender, envelope.recipient
    address = address_lines(partner, recipient)
    if len(address) > MAX_ADDRESS_LINES:
        raise LetterUnprintableError(
            f"the address of {partner.name} has {len(address)} lines",
            hint=f"the window of an envelope shows at most {MAX_ADDRESS_LINES}",
        )
    subject = one_line(envelope.subject) or one_line(envelope.message_type.title)
    with_sheet = wants_answer_sheet(envelope, terms)
    return {
        "title": subject,
        "author": one_line(sender.name),
        "description": NO_ARCHIVE if embeds_pdf(enclosures) else None,
        "fonts": list(head.fonts),
        "logo": logo,
        "sender": {"name": one_line(sender.name), "unit": one_line(sender.unit) if sender.unit else None},
        "footer": footer_of(head, sender),
        "running": f"An {one_line(partner.name)} · {_unbroken(f'Unser Zeichen {envelope.own_reference}')}",
        "return_line": " · ".join(_party_lines(sender)),
        "remarks": [REMARKS[terms.registered]] if terms.registered in REMARKS else [],
        "address": address,
        "information": _information(envelope),
        "codes_named": _codes_named(envelope, reminded),
        "banner": TEST_BANNER if envelope.test else COPY_BANNER if envelope.copy else None,
        "subject": subject,
        "body": read_body(_body(_shielded(envelope))),
        "signature": envelope.form is FormClass.WRITTEN,
        "enclosures": [{"name": it.name, "note": it.note} for it in enclosures],
        "answer_line": _answer_line(envelope, with_sheet),
        "attachments": [asdict(sheet) for it in enclosures for sheet in it.sheets],
        "answer_sheet": _answer_sheet(envelope) if with_sheet else None,
    }


def wants_answer_sheet(envelope: Envelope, terms: LetterTerms) -> bool:
    """Tell whether an answer sheet goes with the letter."""
    return terms.answer_sheet if terms.answer_sheet is not None else envelope.answer_due is not None


def reminded_code(envelope: Envelope, secret: bytes) -> Printed | None:
    """Return the code of the own letter that this one reminds of."""
    if not envelope.reminds:
        return None
    return print_code(make_code(envelope.installation, envelope.reminds, secret, Kind.LETTER).whole())


def german_day(day: date) -> str:
    """Write a day as ``12. Januar 2026``."""
    return str(format_date(day, "d. MMMM yyyy", locale="de_DE"))


def _shielded(envelope: Envelope) -> Envelope:
    """Return the envelope with texts that cannot form structure in the letter's body."""
    return replace(
        envelope,
        data=shield(envelope.data),
        sender=_shielded_party(envelope.sender),
        recipient=_shielded_party(envelope.recipient),
        own_reference=shield(envelope.own_reference),
        partner_reference=shield(envelope.partner_reference),
        documents=[_Named(document, shield(one_line(document.name))) for document in envelope.documents],
    )


def _body(envelope: Envelope) -> str:
    """Return the template's text; a message type without one is written as a list of its fields."""
    if envelope.message_type.template is not None:
        return render_body(envelope)
    fields = envelope.message_type.schema.get("properties", {})
    rows = [
        f"| {fields.get(name, {}).get('title', name)} | {_field(value)} |"
        for name, value in envelope.data.items()
        if value not in (None, "")
    ]
    return "\n\n".join(("Sehr geehrte Damen und Herren,", "\n".join(rows), "Mit freundlichen Grüßen"))


def _field(value: object) -> str:
    """Write a value of the data for people; whole objects and lists part by part."""
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_field(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return "; ".join(_field(item) for item in value)
    return "–" if value is None else str(value)


def _shielded_party(party: Party) -> Party:
    return replace(
        party,
        name=shield(party.name),
        unit=shield(party.unit),
        address=tuple(shield(line) for line in party.address),
        contact=shield(party.contact),
    )


def _information(envelope: Envelope) -> list[dict[str, Any]]:
    contact = envelope.sender.contact
    day = local_day(envelope.created)
    rows = [
        ("Ihr Zeichen", envelope.partner_reference),
        ("Unser Zeichen", envelope.own_reference),
        ("Auskunft erteilt", contact.get("person")),
        ("Telefon", contact.get("phone")),
        ("E-Mail", contact.get("email")),
        ("Datum", german_day(day)),
    ]
    found: list[dict[str, Any]] = [
        {"label": name, "value": one_line(value)} for name, value in rows if value and one_line(value)
    ]
    if envelope.answer_due is not None:
        found.append({"label": "Antwort bis", "value": german_day(envelope.answer_due), "strong": True})
    return found


def _codes_named(envelope: Envelope, reminded: Printed | None) -> list[dict[str, str]]:
    """Return the codes beside the information block: of what is answered, and of what is reminded of."""
    answered = print_partner_reference(envelope.answer_to) if envelope.answer_to else None
    named = (("Ihr Code", answered), ("Erinnert an", reminded))
    return [{"label": label, "text": it.text, "svg": it.svg} for label, it in named if it is not None]


def _answer_line(envelope: Envelope, with_sheet: bool) -> str | None:
    if envelope.answer_due is None and not with_sheet:
        return None
    until = f" bis zum {german_day(envelope.answer_due)}" if envelope.answer_due else ""
    by = "legen Sie der Antwort das Antwortblatt bei oder nennen Sie" if with_sheet else "nennen Sie darin"
    return (
        f"Bitte antworten Sie{until}. Damit die Antwort gleich den richtigen Vorgang erreicht, {by} "
        f"unser Zeichen {one_line(envelope.own_reference)} und den Code"
    )


def _answer_sheet(envelope: Envelope) -> dict[str, Any]:
    own = Party(
        envelope.sender.authority_id, envelope.sender.name, envelope.sender.unit, envelope.sender.address
    )
    rows = [
        ("Zu Ihrem Zeichen", envelope.own_reference),
        ("Antwort bis", german_day(envelope.answer_due) if envelope.answer_due else None),
    ]
    return {
        "title": f"Antwort: {one_line(envelope.subject) or one_line(envelope.message_type.title)}",
        "return_line": " · ".join(_party_lines(envelope.recipient)),
        "address": address_lines(own, None),
        "information": [{"label": label, "value": one_line(value)} for label, value in rows if value],
        "hint": "Dieses Blatt führt Ihre Antwort zum richtigen Vorgang. Bitte legen Sie es obenauf.",
        "fields": _ANSWER_FIELDS,
    }


def _unbroken(text: str) -> str:
    """Return one line that is not parted at its blanks."""
    return one_line(text).replace(" ", "\u00a0")


def _party_lines(party: Party) -> list[str]:
    return [one_line(line) for line in (party.name, *party.address) if one_line(line)]
