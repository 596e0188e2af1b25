"""A letter before anything is sent: for those who write templates."""

import io
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, BinaryIO

from adapters.letter.codes import print_partner_reference
from adapters.letter.errors import StepUnknownError
from adapters.letter.payload import LetterPayload
from adapters.letter.pdfs import page_count, render_page
from engine.clock import Clock
from engine.definitions.letters import TemplateFault, check_template, render_subject
from engine.definitions.message_types import check_data
from engine.definitions.model import walk
from engine.definitions.package import ProcedurePackage, load_package
from engine.definitions.reader import read_model
from engine.errors import RefusedError
from engine.exchange.codes import parse_code
from engine.exchange.ports import AdapterContext, Envelope, FormClass, Mailbox, MessageType, Party
from engine.identifiers import IdSource
from processes.bpmn import shipped

INSTALLATION = "VORSCHAU"
"""Codes of previews name no installation and are sealed with a secret that is thrown away."""
SENDER = Party(
    "muster",
    "Stadt Musterstadt",
    "Kämmerei",
    ("Rathausplatz 1", "66000 Musterstadt"),
    {"person": "Frau Muster", "phone": "0000 000-0", "email": "kaemmerei@musterstadt.example"},
)
RECIPIENT = Party(
    "beispiel", "Gemeinde Beispielhausen", "Bürgeramt", ("Dorfstraße 2", "66001 Beispielhausen")
)
_DPI = 150


class TemplateRefusedError(RefusedError):
    """The template is faulty."""


@dataclass(frozen=True, slots=True)
class FileDocument:
    """A file on disk as an attachment."""

    path: Path

    @property
    def name(self) -> str:
        """File name."""
        return self.path.name

    @property
    def media_type(self) -> str:
        """Guessed from the name."""
        return mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"

    @property
    def sha256(self) -> str:
        """Hex digest of the content."""
        return sha256(self.path.read_bytes()).hexdigest()

    @property
    def size(self) -> int:
        """Size in bytes."""
        return self.path.stat().st_size

    def open(self) -> BinaryIO:
        """Open the file."""
        return self.path.open("rb")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a preview shall show beside the template."""

    data: Mapping[str, Any] | None = None
    """None: made up from the schema."""
    attachments: Sequence[Path] = ()
    answer_due: date | None = None
    answer_to: str | None = None
    test: bool = False
    sender: Party = SENDER
    recipient: Party = RECIPIENT


def find_message_type(procedure: str, step: str | None) -> MessageType:
    """Return the message type of a step.

    ``procedure`` is a shipped procedure's key, a package's folder, or a template file; ``step`` a sending
    element's id or a message type's key, not needed for a template file or where there is only one.
    Raises StepUnknownError, TemplateRefusedError, PackageRefusedError, PackageMissingError.
    """
    path = Path(procedure)
    if path.is_file():
        return _plain_template(path)
    package = load_package(_package_folder(procedure))
    types = package.message_types
    if step is None and len(types) == 1:
        return next(iter(types.values()))
    steps = dict(_steps(package))
    found = types.get(step or "") or types.get(steps.get(step or "", ""))
    if found is None:
        known = ", ".join([*sorted(types), *sorted(steps)])
        raise StepUnknownError(
            f"no step or message type {step!r}", where=package.key, hint=f"known are: {known}"
        )
    return found


def preview(
    message_type: MessageType,
    wish: Wish,
    settings: Mapping[str, Any],
    folder: Path,
    clock: Clock,
    ids: IdSource,
) -> Path:
    """Set a letter of ``message_type`` into ``folder``; return the PDF.

    Raises what ``LetterPayload.build`` raises, MessageDataRefusedError for data that does not fit, and
    CodeUnreadableError for a partner's code that is none.
    """
    if wish.answer_to is not None and print_partner_reference(wish.answer_to) is None:
        parse_code(wish.answer_to)  # says what is wrong with it
    data = sample(message_type.schema) if wish.data is None else check_data(message_type, wish.data)
    now = clock.now()
    subject = render_subject(
        message_type,
        data,
        sender=wish.sender,
        recipient=wish.recipient,
        own_reference="MU-2026-000001",
        partner_reference=None,
        on=now.date(),
    )
    context = AdapterContext(INSTALLATION, folder, settings, clock, ids, ids.token(32))
    envelope = Envelope(
        exchange_id=str(ids.new()),
        dispatch_id=str(ids.new()),
        installation=INSTALLATION,
        message_type=message_type,
        sender=wish.sender,
        recipient=wish.recipient,
        own_reference="MU-2026-000001",
        partner_reference=None,
        subject=subject,
        data=data,
        documents=[FileDocument(path) for path in wish.attachments],
        form=message_type.form,
        created=now,
        answer_to=wish.answer_to,
        answer_due=wish.answer_due,
        test=wish.test,
    )
    box = Mailbox(wish.recipient.authority_id, "letter+post", "\n".join(wish.recipient.address), now.date())
    return LetterPayload(context).build(envelope, box, folder)[0].path


def pictures(pdf: Path) -> Iterator[bytes]:
    """Yield every page of a PDF as PNG at 150 dpi."""
    for index in range(page_count(pdf)):
        target = io.BytesIO()
        render_page(pdf, index, _DPI).save(target, "PNG")
        yield target.getvalue()


def sample(schema: Mapping[str, Any], name: str = "", root: Mapping[str, Any] | None = None) -> Any:
    """Make up data that fits a schema's shape: examples where it gives some, else placeholders."""
    root = schema if root is None else root
    if "$ref" in schema:
        return sample(root.get("$defs", {}).get(str(schema["$ref"]).rsplit("/", 1)[-1], {}), name, root)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        return {key: sample(part, key, root) for key, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [sample(schema.get("items", {}), name, root)]
    if kind in ("number", "integer"):
        return schema.get("minimum", 100)
    if kind == "boolean":
        return True
    if schema.get("format") == "date":
        return "2026-01-31"
    return f"‹{schema.get('title', name)}›"


def _plain_template(path: Path) -> MessageType:
    text = path.read_text(encoding="utf-8")
    try:
        check_template(text)
    except TemplateFault as fault:
        raise TemplateRefusedError(
            fault.message,
            where=f"{path.name}, line {fault.line}" if fault.line else path.name,
            hint=fault.hint,
        ) from fault
    return MessageType(path.stem, "0", path.stem, {"type": "object"}, form=FormClass.NONE, template=text)


def _package_folder(procedure: str) -> Path | Traversable:
    if not Path(procedure).is_dir():
        for folder in shipped():
            if folder.name == procedure:
                return folder
    return Path(procedure)


def _steps(package: ProcedurePackage) -> Iterator[tuple[str, str]]:
    """Yield element id and message type of every sending step."""
    for file, content in package.models.items():
        for process in read_model(content, file).processes:
            for _, node in walk(process.scope):
                if "recipient" in node.attributes and node.attributes.get("message"):
                    yield node.id, node.attributes["message"]
