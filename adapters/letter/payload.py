"""The payload: an envelope becomes one PDF, a scan becomes references."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from adapters.letter.attachments import PDF, PRINTABLE, Enclosure, embeds_pdf, enclose
from adapters.letter.codes import Printed, label, print_code, sheet_codes
from adapters.letter.contents import compose, reminded_code, wants_answer_sheet
from adapters.letter.errors import LetterUnprintableError
from adapters.letter.letterhead import read_letterhead
from adapters.letter.press import ARCHIVE, PLAIN, Press
from adapters.letter.reading import looks_like_letter, read_letter
from adapters.letter.terms import read_terms
from engine.exchange.codes import Code, Kind, make_code
from engine.exchange.ports import (
    AdapterContext,
    Blocker,
    Envelope,
    EvidenceLevel,
    Mailbox,
    Part,
    Party,
    Reading,
    Requirements,
)

ROLE = "letter"


class LetterPayload:
    """Letters on paper."""

    name = "letter"
    level = EvidenceLevel.A

    def __init__(self, context: AdapterContext) -> None:
        """Keep what the installation lends; the compiler is made at the first letter."""
        self._context = context
        self._press: Press | None = None

    @property
    def press(self) -> Press:
        """The compiler, made when first needed."""
        if self._press is None:
            self._press = Press()
        return self._press

    def check(self, recipient: Mailbox, requirements: Requirements) -> list[Blocker]:
        """Return why this message type cannot become a letter, e.g. documents no printer takes."""
        blockers = []
        for media_type in requirements.media_types:
            if media_type not in PRINTABLE:
                text = f"{media_type} cannot be printed; PDF, PNG and JPEG can"
                blockers.append(Blocker("format", "channel", text))
        try:
            read_terms(requirements.message_type)
        except LetterUnprintableError as error:
            blockers.append(Blocker("mapping", "sender", error.message))
        return blockers

    def build(self, envelope: Envelope, recipient: Mailbox, folder: Path) -> tuple[Part, ...]:
        """Set the letter with its attachments and answer sheet as one PDF.

        Raises LetterUnprintableError, AttachmentUnprintableError, LetterheadRefusedError,
        TooManyPagesError or the template's LetterRefusedError.
        """
        workshop = folder / "workshop"
        workshop.mkdir(parents=True, exist_ok=True)
        try:
            pdf = self._print(envelope, recipient, workshop)
        finally:
            shutil.rmtree(workshop)
        code = self._code(envelope, Kind.LETTER)
        path = folder / f"Brief_{code.text.rsplit('-', 2)[0]}.pdf"
        path.write_bytes(pdf)
        return (Part(path.name, PDF, path, ROLE),)

    def read(self, parts: Sequence[Part], folder: Path) -> Reading:
        """Find the codes on a letter's pages; a clerk registers what the letter says.

        Raises UnreadableError where a part is neither PDF nor picture.
        """
        return read_letter(parts, self._context.installation, self._context.secret)

    def recognises(self, parts: Sequence[Part]) -> bool:
        """Tell whether there is a scan, or a letter of an installation like this one."""
        return any(looks_like_letter(part) for part in parts)

    def confirm(self, reading: Reading, parts: Sequence[Part], own: Party, folder: Path) -> tuple[Part, ...]:
        """Return (): nobody confirms a letter by a letter."""
        return ()

    def complain(self, parts: Sequence[Part], reason: str, own: Party, folder: Path) -> tuple[Part, ...]:
        """Return (): an unreadable letter is a clerk's matter."""
        return ()

    def _print(self, envelope: Envelope, recipient: Mailbox, workshop: Path) -> bytes:
        terms = read_terms(envelope.message_type)
        head = read_letterhead(self._context.settings, envelope.sender.authority_id, self._context.home)
        enclosures = enclose(envelope.documents, workshop)
        logo = None
        if head.logo is not None:
            logo = f"/logo{head.logo.suffix.lower()}"
            shutil.copyfile(head.logo, workshop / logo[1:])
        code = self._code(envelope, Kind.LETTER)
        answer = self._code(envelope, Kind.ANSWER) if wants_answer_sheet(envelope, terms) else None

        def codes(sheets: int) -> list[tuple[str, Printed]]:
            return [(label(it), print_code(it)) for it in sheet_codes(code, answer, sheets)]

        return self.press.print(
            compose(
                envelope,
                recipient,
                head,
                terms,
                enclosures,
                logo,
                reminded_code(envelope, self._context.secret),
            ),
            codes,
            kind=f"{envelope.message_type.key}/{_sheets(enclosures)}/{answer is not None}",
            root=workshop,
            at=envelope.created,
            standards=PLAIN if embeds_pdf(enclosures) else ARCHIVE,
        )

    def _code(self, envelope: Envelope, kind: Kind) -> Code:
        return make_code(envelope.installation, envelope.exchange_id, self._context.secret, kind)


def _sheets(enclosures: Sequence[Enclosure]) -> int:
    return sum(len(it.sheets) for it in enclosures)
