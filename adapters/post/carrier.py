"""The carrier: letters out through the print folder, scans in from the scanner's folder."""

import os
import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from adapters.letter.address import address_lines
from adapters.letter.pdfs import PdfUnreadableError, ends_with_answer_sheet, page_count
from adapters.letter.terms import read_terms
from adapters.post.errors import (
    NothingToPostError,
    PostSettingsRefusedError,
    PrintRunDamagedError,
    TariffMissingError,
)
from adapters.post.print_folder import Found, PrintFolder, folder_name
from adapters.post.runs import postage_of, product_name
from adapters.post.scanner_folder import ScannerFolder
from adapters.post.settings import read_settings
from adapters.post.tariffs import ending, postage, read_tariffs
from engine.clock import local_day
from engine.exchange.abilities import Costs
from engine.exchange.ports import (
    AdapterContext,
    Assurance,
    Blocker,
    CarrierDescription,
    Document,
    Envelope,
    FormClass,
    HandedOver,
    Health,
    Incoming,
    Mailbox,
    MessageType,
    Outcome,
    Part,
    Prepared,
    Rejected,
    Requirements,
    Unknown,
)

CONFIRM_POSTING = "confirm-posting"

_ROLE = "letter"
_POSTCODE = re.compile(r"(?:D-)?\d{5}\s+\S")


class PostCarrier:
    """The post: a letter is laid into the print folder; a person prints and posts it."""

    def __init__(self, context: AdapterContext) -> None:
        """Read the settings ``[adapters.post]``; raises PostSettingsRefusedError for unusable ones."""
        self._context = context
        self._settings = read_settings(context.settings, context.home)
        self._folder = PrintFolder(self._settings.print_folder)
        self._scanner = ScannerFolder(self._settings, context)

    def describe(self) -> CarrierDescription:
        """Say what the post is."""
        return CarrierDescription(
            name="post",
            title="Briefpost",
            electronic=False,
            authenticates=Assurance.NONE,
            encrypts=False,
            roles=(_ROLE,),
        )

    def check(self, sender: Mailbox | None, recipient: Mailbox, requirements: Requirements) -> list[Blocker]:
        """Return why no letter can go: no postal address, or a form the recipient does not take."""
        lines = [line.strip() for line in recipient.address.splitlines() if line.strip()]
        blockers = []
        if len(lines) < 2 or not any(_POSTCODE.match(line) for line in lines):
            text = "no postal address: at least two lines, one with a postcode of five digits and the town"
            blockers.append(Blocker("no-address", "recipient", text))
        if requirements.form not in recipient.form_classes:
            text = f"letters of form {requirements.form.value} are not accepted there"
            blockers.append(Blocker("form-class", "recipient", text))
        return blockers

    def prepare(
        self, envelope: Envelope, parts: Sequence[Part], sender: Mailbox | None, recipient: Mailbox
    ) -> Prepared:
        """Name the letter's file; raise NothingToPostError unless one part has the role letter."""
        letters = [part for part in parts if part.role == _ROLE]
        if len(letters) != 1:
            raise NothingToPostError(f"{len(letters)} parts of role {_ROLE!r}, one is needed")
        letter = letters[0]
        authority = envelope.sender.authority_id
        day = envelope.created.date().isoformat()
        name = f"{day}_{folder_name(Path(letter.name).stem)}_{envelope.dispatch_id[:8]}.pdf"
        return Prepared(
            dispatch_id=envelope.dispatch_id,
            carrier_reference=f"{folder_name(authority)}/{name}",
            parts=(letter,),
            sender=sender,
            recipient=recipient,
            details={
                "dispatch": envelope.dispatch_id,
                "recipient": address_lines(envelope.recipient, recipient),
                "reference": envelope.own_reference,
                "pages": _pages(letter.path),
                "answer_sheet": ends_with_answer_sheet(letter.path),
                "registered": read_terms(envelope.message_type).registered.value,
                # Signed by hand before it gets here: what is posted is that sheet, no new print.
                "original": envelope.form is FormClass.WRITTEN,
            },
        )

    def transmit(self, prepared: Prepared) -> Outcome:
        """Lay the letter into the print folder; a clerk confirms later that it was posted."""
        try:
            self._folder.lay(prepared.carrier_reference, prepared.parts[0].path, prepared.details)
        except OSError as error:
            reason = f"cannot write to the print folder {self._folder.root}: {error.strerror}"
            return Rejected(reason, (Blocker("unwritable", "sender", reason),), retry=True)
        return HandedOver(self._context.clock.now(), task=CONFIRM_POSTING)

    def resolve(self, prepared: Prepared) -> Outcome:
        """Look whether the letter lies in the print folder, or lay there once."""
        found = self._folder.find(prepared.carrier_reference)
        if found is Found.THERE:
            return HandedOver(self._folder.laid_at(prepared.carrier_reference), task=CONFIRM_POSTING)
        if found is Found.TAKEN:
            return Unknown(
                f"the letter {prepared.carrier_reference} lay in the print folder and was taken out: "
                "printed, or removed"
            )
        return Rejected("the letter was not laid into the print folder", retry=True)

    def costs(self, carrier_reference: str, on: date) -> Costs | None:
        """Return pages and postage of a letter by the tariffs of ``on``."""
        authority, _, name = carrier_reference.partition("/")
        try:
            letter = self._folder.noted(authority, name)
        except PrintRunDamagedError:
            return None
        try:
            tariffs = read_tariffs(self._settings.tariffs)
            cost = postage_of(letter, tariffs, on, duplex=self._settings.duplex)
        except TariffMissingError:
            return Costs(letter.pages)
        return Costs(letter.pages, cost.cents, product_name(cost.product, letter))

    def price(self, message_type: MessageType, documents: Sequence[Document], on: date) -> int | None:
        """Return what a letter would have cost: one sheet and the pages of its documents.

        None where the tariffs know no price, or a document's pages cannot be counted.
        """
        try:
            pages = 1 + sum(map(_pages_of, documents))
            registered = read_terms(message_type).registered.value
            tariffs = read_tariffs(self._settings.tariffs)
            return postage(tariffs, pages, registered, on, duplex=self._settings.duplex).cents
        except (TariffMissingError, PdfUnreadableError):
            return None

    def collect(self, mailbox: Mailbox) -> Iterator[Incoming]:
        """Yield the documents in the authority's scanner folder; nothing where none is set up."""
        return self._scanner.collect(mailbox)

    def health(self) -> Health:
        """Say whether the print folder can be written, and whether the tariffs end soon."""
        root = self._folder.root
        existing = next(folder for folder in (root, *root.parents) if folder.exists())
        ok = existing.is_dir() and os.access(existing, os.W_OK)
        text = f"print folder {root} " + ("can be written" if ok else "cannot be written")
        now = self._context.clock.now()
        try:
            tariffs = read_tariffs(self._settings.tariffs)
        except PostSettingsRefusedError as error:
            return Health(False, str(error), now)
        warning = ending(tariffs, local_day(now), self._settings.tariffs)
        return Health(ok, f"{text}. {warning}" if warning else text, now)


def _pages_of(document: Document) -> int:
    """Return a document's pages; what is no PDF would at least fill one."""
    if document.media_type != "application/pdf":
        return 1
    with document.open() as content:
        return page_count(content.read())


def _pages(path: Path) -> int:
    try:
        return page_count(path)
    except PdfUnreadableError as error:
        raise NothingToPostError("the letter is no PDF", where=path.name) from error
