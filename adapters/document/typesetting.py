"""The letter as a PDF for the screen: the letter's own layout, without window, fold marks and attachments.

The code stays at the foot of every page, so that a copy which is printed, signed and sent back by post still
finds its case.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from adapters.letter.attachments import Enclosure
from adapters.letter.codes import Printed, label, print_code, sheet_codes
from adapters.letter.contents import compose, reminded_code
from adapters.letter.letterhead import read_letterhead
from adapters.letter.press import ARCHIVE, Press
from adapters.letter.terms import LetterTerms
from engine.exchange.codes import Kind, make_code
from engine.exchange.ports import AdapterContext, Envelope, FormClass

_NO_SHEET = LetterTerms(answer_sheet=False)
_SIGNED = (
    "Dieses Schreiben ist elektronisch signiert oder gesiegelt und ersetzt die Schriftform (§ 3a VwVfG). "
    "Es trägt keine Unterschrift von Hand."
)


class Typesetter:
    """Sets letters for the screen; the compiler is made at the first one."""

    def __init__(self, context: AdapterContext) -> None:
        """Use the letterhead of ``[adapters.letter]``."""
        self._context = context
        self._press: Press | None = None

    def set(self, envelope: Envelope, enclosures: Sequence[Enclosure], workshop: Path) -> bytes:
        """Return the PDF of one letter; ``workshop`` is an empty folder.

        Raises LetterUnprintableError, LetterheadRefusedError, TooManyPagesError or the template's
        LetterRefusedError.
        """
        settings = self._context.others.get("letter", {})
        head = read_letterhead(settings, envelope.sender.authority_id, self._context.home)
        logo = None
        if head.logo is not None:
            logo = f"/logo{head.logo.suffix.lower()}"
            shutil.copyfile(head.logo, workshop / logo[1:])
        secret = self._context.secret
        code = make_code(envelope.installation, envelope.exchange_id, secret, Kind.LETTER)

        def codes(sheets: int) -> list[tuple[str, Printed]]:
            return [(label(it), print_code(it)) for it in sheet_codes(code, None, sheets)]

        reminded = reminded_code(envelope, secret)
        data = compose(envelope, None, head, _NO_SHEET, enclosures, logo, reminded)
        written = envelope.form is FormClass.WRITTEN
        self._press = self._press or Press()
        return self._press.print(
            {**data, "signature": False, "electronic": {"note": _SIGNED if written else None}},
            codes,
            kind=f"document/{envelope.message_type.key}",
            root=workshop,
            at=envelope.created,
            standards=ARCHIVE,
        )
