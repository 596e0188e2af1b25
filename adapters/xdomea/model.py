"""The small domain model that stands between the standard's versions and a case.

Dates, instants, numbers and codes are kept in the lexical form in which they came (XML Schema), so that what
is read can be written again unchanged. What a table of ``layout`` does not know is in ``kept``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from adapters.xdomea.contacts import Contact
from adapters.xdomea.nodes import Code, Node


@dataclass(slots=True, kw_only=True)
class FilingUnit(Node):
    """Where in the filing plan something belongs."""

    reference: str | None = None
    content: str | None = None
    short_subject: str | None = None


@dataclass(slots=True, kw_only=True)
class Metadata(Node):
    """What files, records and documents have in common."""

    subject: str | None = None
    reference: str | None = None
    """The file reference (Kennzeichen)."""
    lead_unit: str | None = None
    keeping_unit: str | None = None
    confidentiality: Code | None = None
    note: str | None = None
    medium: Code | None = None
    filing_unit: FilingUnit | None = None


@dataclass(slots=True, kw_only=True)
class Disposal(Node):
    """What the archive's appraisal needs."""

    retention_years: str | None = None
    retention_unlimited: bool | None = None
    decision: Code | None = None
    """A archive, B to be appraised, V destroy."""
    own_decision: str | None = None
    mark: str | None = None
    proposal: Code | None = None
    proposal_reason: str | None = None
    retention_end: str | None = None
    transfer_end: str | None = None


@dataclass(slots=True, kw_only=True)
class HistoryEntry(Node):
    """One change that the sender's system logged."""

    name: str | None = None
    old: str | None = None
    new: str | None = None
    actor: str | None = None
    at: str | None = None
    note: str | None = None
    action: str | None = None


@dataclass(slots=True, kw_only=True)
class CustomField(Node):
    """A named value outside the standard."""

    name: str | None = None
    description: str | None = None
    data_type: Code | None = None
    value: str | None = None


@dataclass(slots=True, kw_only=True)
class FieldGroup(Node):
    """Custom fields that belong together."""

    name: str | None = None
    description: str | None = None
    groups: list["FieldGroup"] = field(default_factory=list)
    fields: list[CustomField] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Extension(Node):
    """Custom metadata of one application (AnwendungsspezifischeErweiterung)."""

    key: str | None = None
    name: str | None = None
    description: str | None = None
    version: str | None = None
    version_date: str | None = None
    groups: list[FieldGroup] = field(default_factory=list)
    fields: list[CustomField] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Link(Node):
    """A pointer to another object."""

    id: str | None = None
    kind: Code | None = None
    reference: str | None = None
    note: str | None = None


@dataclass(slots=True, kw_only=True)
class Hash(Node):
    """A digest of a file, from 4.0 on."""

    value: str | None = None
    algorithm: Code | None = None
    other_algorithm: str | None = None


@dataclass(slots=True, kw_only=True)
class Format(Node):
    """One file of a version, with its format."""

    format: Code | None = None
    other_format: str | None = None
    format_version: str | None = None
    file_name: str | None = None
    """Name inside the container: a UUID, perhaps an underscore and a subject, an extension."""
    original_name: str | None = None
    author: str | None = None
    at: str | None = None
    changed: str | None = None
    hashes: list[Hash] = field(default_factory=list)
    signature_embedded: bool | None = None
    signature_files: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Version(Node):
    """One state of a document."""

    number: str | None = None
    formats: list[Format] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Order(Node):
    """What a participant of a route is asked to do (Verfuegung)."""

    author: Contact | None = None
    addressee: Contact | None = None
    date: str | None = None
    time: str | None = None
    order: str | None = None
    due_date: str | None = None
    due_time: str | None = None
    note: str | None = None


@dataclass(slots=True, kw_only=True)
class Handling(Node):
    """What a participant of a route did (Bearbeitung)."""

    editor: Contact | None = None
    date: str | None = None
    time: str | None = None
    remark: str | None = None
    note: str | None = None
    attachments: list["Document"] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Step(Node):
    """One participation in a route (Beteiligungsschritt)."""

    number: str | None = None
    status: Code | None = None
    """001 future, 002 current, 003 done, 004 skipped."""
    order: Order | None = None
    handling: Handling | None = None
    parallel_to: list[str] = field(default_factory=list)
    version_number: str | None = None


@dataclass(slots=True, kw_only=True)
class Circulation(Node):
    """A route through several participants (Geschaeftsgang)."""

    id: str | None = None
    number: str | None = None
    steps: list[Step] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Document(Node):
    """A document with its versions and attachments."""

    id: str | None = None
    number_in_parent: str | None = None
    metadata: Metadata | None = None
    foreign_reference: str | None = None
    received_on: str | None = None
    sent_on: str | None = None
    dated: str | None = None
    about: str | None = None
    here: str | None = None
    editor: str | None = None
    type: str | None = None
    history: list[HistoryEntry] = field(default_factory=list)
    circulations: list[Circulation] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    attachments: list["Document"] = field(default_factory=list)
    senders: list[Contact] = field(default_factory=list)
    recipients: list[Contact] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    extensions: list[Extension] = field(default_factory=list)
    attachment_number: str | None = None
    """Number as an attachment of another document."""


@dataclass(slots=True, kw_only=True)
class BundledDocument(Document):
    """A document that consists of pieces (DokumentMitSchriftstueck, from 4.0 on)."""

    pieces: list[Document] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Record(Node):
    """A matter inside a file (Vorgang)."""

    id: str | None = None
    number_in_parent: str | None = None
    context_only: bool | None = None
    metadata: Metadata | None = None
    disposal: Disposal | None = None
    file_subject: str | None = None
    type: str | None = None
    closed: bool | None = None
    closed_on: str | None = None
    begin: str | None = None
    end: str | None = None
    history: list[HistoryEntry] = field(default_factory=list)
    circulations: list[Circulation] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    records: list["Record"] = field(default_factory=list)
    """Parts (Teilvorgang)."""
    extensions: list[Extension] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class File(Node):
    """A file (Akte)."""

    id: str | None = None
    number_in_parent: str | None = None
    context_only: bool | None = None
    metadata: Metadata | None = None
    disposal: Disposal | None = None
    location: str | None = None
    type: str | None = None
    begin: str | None = None
    end: str | None = None
    history: list[HistoryEntry] = field(default_factory=list)
    circulations: list[Circulation] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    files: list["File"] = field(default_factory=list)
    """Parts (Teilakte)."""
    links: list[Link] = field(default_factory=list)
    contacts: list[Contact] = field(default_factory=list)
    closed: bool | None = None
    closed_on: str | None = None
    extensions: list[Extension] = field(default_factory=list)


FiledObject = File | Record | Document


def documents_of(item: FiledObject) -> Iterator[Document]:
    """Yield every document at any depth below ``item``, in the order of the message."""
    if isinstance(item, Document):
        yield item
        if isinstance(item, BundledDocument):
            for piece in item.pieces:
                yield from documents_of(piece)
        for attachment in item.attachments:
            yield from documents_of(attachment)
        circulations = item.circulations
    else:
        children: list[FiledObject] = [*item.documents, *item.records]
        if isinstance(item, File):
            children += item.files
        for child in children:
            yield from documents_of(child)
        circulations = item.circulations
    for circulation in circulations:
        yield from documents_of_circulation(circulation)


def documents_of_circulation(circulation: Circulation) -> Iterator[Document]:
    """Yield the documents that participants of a route attached."""
    for step in circulation.steps:
        for attachment in step.handling.attachments if step.handling else ():
            yield from documents_of(attachment)


def formats_of(document: Document) -> Iterator[Format]:
    """Yield the files of every version of ``document`` itself."""
    for version in document.versions:
        yield from version.formats
