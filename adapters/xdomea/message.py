"""A message: its header, what it carries, what it answers."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from adapters.xdomea.contacts import Contact
from adapters.xdomea.model import (
    Circulation,
    Document,
    Extension,
    FiledObject,
    FilingUnit,
    Format,
    documents_of,
    documents_of_circulation,
    formats_of,
)
from adapters.xdomea.nodes import Code, Kept, Node
from adapters.xdomea.versions import KINDS, MessageKind


@dataclass(slots=True, kw_only=True)
class PlanUnit(FilingUnit):
    """A unit of a filing plan."""

    decision: Code | None = None
    own_decision: str | None = None
    valid_from: str | None = None
    valid_until: str | None = None
    disused: bool | None = None
    retention_years: str | None = None
    retention_unlimited: bool | None = None
    units: list["PlanUnit"] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class FilingPlan(Node):
    """A filing plan (Aktenplan)."""

    title: str | None = None
    type: str | None = None
    version: str | None = None
    units: list[PlanUnit] = field(default_factory=list)
    valid_from: str | None = None
    valid_until: str | None = None
    files: list[Format] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Appraisal(Node):
    """The archive's decision on one object."""

    object_id: str | None = None
    decision: Code | None = None
    own_decision: str | None = None


@dataclass(slots=True, kw_only=True)
class ArchiveMark(Node):
    """The archive's mark for one object, up to 2.4."""

    object_id: str | None = None
    mark: str | None = None


@dataclass(slots=True, kw_only=True)
class ImportResult(Node):
    """Whether the import succeeded: of one object from 3.0 on, of the whole message before."""

    object_id: str | None = None
    succeeded: bool | None = None
    errors: list[str] = field(default_factory=list)
    error_codes: list[Code] = field(default_factory=list)
    archive_mark: str | None = None
    archive_marks: list[ArchiveMark] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ChangedStep(Node):
    """A step that a participant added or skipped."""

    number: str | None = None
    new: bool | None = None
    skipped: bool | None = None


@dataclass(slots=True, kw_only=True)
class System(Node):
    """The software that wrote the message."""

    instance: str | None = None
    product: str | None = None
    version: str | None = None


@dataclass(slots=True, kw_only=True)
class Message(Node):
    """An xdomea message in any version; lists that its type does not use are empty."""

    version: str
    """Version of the standard, e.g. ``3.1.0``."""
    element: str
    """Local name of the root element, e.g. ``Information.Information.0101``."""

    process_id: str | None = None
    message_id: str | None = None
    type: Code | None = None
    created: str | None = None
    sender: Contact | None = None
    recipient: Contact | None = None
    system: System | None = None
    instance: str | None = None
    note: str | None = None
    extensions: list[Extension] = field(default_factory=list)
    further_recipients: list[Contact] = field(default_factory=list)
    import_wanted: bool | None = None
    archive_mark_wanted: bool | None = None
    receipt_wanted: bool | None = None
    receipt_to_initiator: bool | None = None
    receipt_to_predecessor: bool | None = None

    answers_message: str | None = None
    sequence: str | None = None
    sequence_total: str | None = None
    letters: list[Document] = field(default_factory=list)
    """Anschreiben."""
    objects: list[FiledObject] = field(default_factory=list)
    """Schriftgutobjekte."""
    main_documents: list[Document] = field(default_factory=list)
    """Hauptobjekt of a route."""
    circulation: Circulation | None = None
    changed_circulation: Circulation | None = None
    changed_steps: list[ChangedStep] = field(default_factory=list)
    annexes: list[FiledObject] = field(default_factory=list)
    appraisals: list[Appraisal] = field(default_factory=list)
    handed_over: list[ImportResult] = field(default_factory=list)
    """Import results of a file handed over (0402)."""
    transferred: list[ImportResult] = field(default_factory=list)
    """Import results of a disposal (0506)."""
    result: ImportResult | None = None
    """Import result of the whole message (2.x, 4.0)."""
    filing_plans: list[FilingPlan] = field(default_factory=list)

    @property
    def code(self) -> str:
        """Type of the message by its root element, e.g. ``0101``; a header may say otherwise."""
        return self.element.rpartition(".")[2]

    @property
    def kind(self) -> MessageKind | None:
        """What the message type means, None where it is not understood."""
        return KINDS.get(self.code)

    @property
    def results(self) -> list[ImportResult]:
        """All import results, whichever version wrote them."""
        whole = [self.result] if self.result else []
        return [*whole, *self.handed_over, *self.transferred]

    def documents(self) -> Iterator[Document]:
        """Yield every document at any depth, in the order of the message."""
        for item in (*self.letters, *self.objects, *self.main_documents, *self.annexes):
            yield from documents_of(item)
        for circulation in (self.circulation, self.changed_circulation):
            if circulation is not None:
                yield from documents_of_circulation(circulation)

    def formats(self) -> Iterator[Format]:
        """Yield every file the message speaks of."""
        for document in self.documents():
            yield from formats_of(document)
        for plan in self.filing_plans:
            yield from plan.files


def kept_in(node: Node, path: str = "") -> Iterator[tuple[str, Kept]]:
    """Yield every part below ``node`` that was not understood, with the way to it; empty ones say nothing."""
    for part in node.kept:
        if not part.empty:
            yield f"{path}/{part.within}".rstrip("/"), part
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        if isinstance(value, Node):
            yield from kept_in(value, f"{path}/{name}")
        elif isinstance(value, list):
            for number, item in enumerate(value, 1):
                if isinstance(item, Node):
                    yield from kept_in(item, f"{path}/{name}[{number}]")
