"""Builds the message of an exchange from its envelope and the mapping of its message type."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from adapters.xdomea import carriage, circulation, formats, names, text
from adapters.xdomea.carriage import Carried, CarriedFile
from adapters.xdomea.contacts import Contact
from adapters.xdomea.errors import MappingError
from adapters.xdomea.mapping import XdomeaMapping, data_list, fill, fill_all, required, texts
from adapters.xdomea.message import Appraisal, ChangedStep, Message, System
from adapters.xdomea.model import (
    Circulation,
    Disposal,
    Document,
    File,
    FiledObject,
    FilingUnit,
    Format,
    Metadata,
    Record,
    Version,
)
from adapters.xdomea.nodes import Code, Node
from adapters.xdomea.parties import contact_of
from adapters.xdomea.versions import KINDS, Family, family, header_code
from engine.clock import LOCAL_ZONE
from engine.definitions import letters
from engine.exchange.ports import Document as CaseDocument
from engine.exchange.ports import Envelope

PRODUCT = "Dienstweg"
ELECTRONIC = "001"
CONTINUING = ("0502", "0503")
"""Messages that belong to the process of the message they answer: offer, appraisal and transfer are one."""
TEST_MARK = "[TEST] "
TEST_NOTE = "TESTNACHRICHT - nicht bearbeiten. "


@dataclass(frozen=True, slots=True)
class Composed:
    """A message, and which case document lies under which file name."""

    message: Message
    files: Sequence[tuple[str, CaseDocument]]


def process_id(exchange_id: str) -> str:
    """Return the ProzessID of an exchange: its own id where that is a UUID, else one derived from it."""
    if names.IS_UUID.fullmatch(exchange_id):
        return exchange_id.lower()
    return str(uuid5(NAMESPACE_URL, f"{carriage.KEY}:exchange:{exchange_id}"))


def compose(envelope: Envelope, mapping: XdomeaMapping, version: str) -> Composed:
    """Build the message in ``version``; raise MappingError where mapping and data do not fit."""
    return _Composer(envelope, mapping, version).compose()


def fit(node: Node, of: Family) -> None:
    """Rewrite every text below ``node`` so that versions of family ``of`` can carry it."""
    for each in fields(node):
        value = getattr(node, each.name)
        if isinstance(value, str):
            setattr(node, each.name, text.fitted(value, of))
        elif isinstance(value, Node):
            fit(value, of)
        elif isinstance(value, list):
            for position, item in enumerate(value):
                if isinstance(item, Node):
                    fit(item, of)
                elif isinstance(item, str):
                    value[position] = text.fitted(item, of)


class _Composer:
    def __init__(self, envelope: Envelope, mapping: XdomeaMapping, version: str) -> None:
        self._envelope = envelope
        self._mapping = mapping
        self._version = version
        self._family = family(version)
        self._created = envelope.created.astimezone(LOCAL_ZONE)
        self._files: list[tuple[str, CaseDocument]] = []
        self._digests: dict[str, int] = {}
        # The same matter and the same document keep their ids over all exchanges of a case.
        matter = f"{envelope.sender.authority_id}:{envelope.own_reference or envelope.exchange_id}"
        self._matter = uuid5(NAMESPACE_URL, f"{carriage.KEY}:matter:{matter}")

    def compose(self) -> Composed:
        message = self._header()
        documents = self._envelope.documents
        where = self._where
        match self._mapping.message:
            case "0201":
                message.main_documents = [self._document(each) for each in documents]
                if not documents:
                    raise MappingError("a route (0201) needs at least one document", where=where)
                message.circulation = self._route(message)
            case "0203":
                message.changed_circulation = self._route(message)
                message.changed_steps = self._changes()
            case "0502":
                message.appraisals = self._appraisals()
            case "0501":
                message.letters = [self._document(each) for each in documents]
                message.objects = self._objects([])
            case _:
                message.objects = self._objects(documents)
        fit(message, self._family)
        return Composed(message, self._files)

    @property
    def _where(self) -> str:
        return f"message type {self._envelope.message_type.key}, xdomea mapping"

    def _context(self, **more: Any) -> dict[str, Any]:
        return {**letters.context(self._envelope), "subject": self._envelope.subject, **more}

    def _header(self) -> Message:
        envelope = self._envelope
        code = self._mapping.message
        process = self._process()
        note = self._mapping.note and fill(self._mapping.note, self._context(), f"{self._where}.note")
        note = note or envelope.message_type.title
        receipt = self._mapping.receipt
        routed = code == "0201"
        imported = code in ("0401", "0503")
        # Up to 2.4 there is no receipt for 0401 and 0503, and a changed route is never confirmed.
        confirmable = code in ("0101", "0501", "0502") or (imported and self._family is not Family.V2)
        return Message(
            version=self._version,
            element=KINDS[code].element,
            process_id=process,
            type=Code(header_code(code)),
            created=envelope.created.isoformat(timespec="seconds").replace("+00:00", "Z"),
            sender=contact_of(envelope.sender, self._family),
            recipient=contact_of(envelope.recipient, self._family),
            system=System(instance=envelope.installation, product=PRODUCT),
            note=(TEST_NOTE if envelope.test else "") + note,
            extensions=[carriage.message_extension(self._carried(), envelope.data, self._family)],
            receipt_wanted=receipt if confirmable else None,
            import_wanted=True if imported else None,
            archive_mark_wanted=False if code == "0503" else None,
            receipt_to_initiator=receipt if routed else None,
            receipt_to_predecessor=receipt if routed else None,
        )

    def _process(self) -> str:
        if self._mapping.process is None:
            answered = names.parse(f"{self._envelope.answer_to}.zip")
            if answered is not None and self._mapping.message in CONTINUING:
                return answered.process_id.lower()
            return process_id(self._envelope.exchange_id)
        where = f"{self._where}.process"
        filled = fill(self._mapping.process, self._context(), where)
        if not names.IS_UUID.fullmatch(filled):
            raise MappingError(f"{filled!r} is no UUID", where=where)
        return filled.lower()

    def _carried(self) -> Carried:
        envelope = self._envelope
        return Carried(
            exchange=envelope.exchange_id,
            dispatch=envelope.dispatch_id,
            message_type=envelope.message_type.key,
            message_version=envelope.message_type.version,
            sender=envelope.sender.authority_id,
            recipient=envelope.recipient.authority_id,
            sender_reference=envelope.own_reference or None,
            recipient_reference=envelope.partner_reference,
            answers=envelope.answer_to,
            reminds=envelope.reminds,
            answer_due=envelope.answer_due.isoformat() if envelope.answer_due else None,
            form=envelope.form.value,
            test="1" if envelope.test else None,
            copy="1" if envelope.copy else None,
        )

    def _objects(self, documents: Sequence[CaseDocument]) -> list[FiledObject]:
        mapping = self._mapping
        if mapping.objects is not None:
            return self._listed(documents)
        built = [self._document(document) for document in documents]
        if mapping.object == "documents":
            if not built:
                raise MappingError("there is no document to send", where=self._where)
            return list(built)
        record = self._record(self._filled("record"), built, f"{self._matter}:record")
        if mapping.object == "record":
            return [record]
        return [self._file(self._filled("file"), [record], [], f"{self._matter}:file")]

    def _listed(self, documents: Sequence[CaseDocument]) -> list[FiledObject]:
        """Build the objects that the data list; a document that none of them names joins the first."""
        items = data_list(self._envelope.data, self._mapping.objects, self._where)
        if not items:
            raise MappingError(f"{self._mapping.objects!r} is an empty list", where=self._where)
        named = {name for item in items for name in self._document_names(item)}
        rest = [document for document in documents if document.name not in named]
        by_name = {document.name: document for document in documents}
        missing = sorted(named - set(by_name))
        if missing:
            raise MappingError(f"the exchange has no documents {missing}", where=self._where)
        return [self._item(item, by_name, rest if not place else []) for place, item in enumerate(items)]

    def _item(
        self, item: Mapping[str, Any], by_name: Mapping[str, CaseDocument], rest: Sequence[CaseDocument]
    ) -> File | Record:
        own = [by_name[name] for name in texts(item, "documents", self._where)]
        built = [self._document(document) for document in (*own, *rest)]
        values = {key: str(value) for key, value in item.items() if isinstance(value, str | int)}
        seed = f"{self._matter}:{item.get('reference', '')}:{item.get('subject', '')}"
        if item.get("kind", "file") == "record":
            return self._record(values, built, seed, item.get("id"))
        children = [self._item({"kind": "record", **child}, by_name, []) for child in self._children(item)]
        records = [child for child in children if isinstance(child, Record)]
        return self._file(values, records, built, seed, item.get("id"))

    def _children(self, item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return data_list(item, "records", self._where) if "records" in item else []

    def _document_names(self, item: Mapping[str, Any]) -> list[str]:
        nested = [name for child in self._children(item) for name in self._document_names(child)]
        return [*texts(item, "documents", self._where), *nested]

    def _filled(self, name: str) -> dict[str, str]:
        templates: Mapping[str, str] = getattr(self._mapping, name)
        defaults = {"subject": self._envelope.subject, "reference": self._envelope.own_reference}
        return defaults | fill_all(templates, self._context(), f"{self._where}.{name}")

    def _record(
        self, values: Mapping[str, str], documents: list[Document], seed: str, own_id: str | None = None
    ) -> Record:
        return Record(
            id=_object_id(own_id, seed),
            metadata=self._metadata(values),
            disposal=self._disposal(values),
            file_subject=values.get("file_subject"),
            type=values.get("type"),
            begin=values.get("begin"),
            end=values.get("end"),
            documents=documents,
        )

    def _file(
        self,
        values: Mapping[str, str],
        records: list[Record],
        documents: list[Document],
        seed: str,
        own_id: str | None = None,
    ) -> File:
        metadata = self._metadata(values)
        if self._family is Family.V2 and records and documents:
            # Up to 2.4 a file holds either documents or records; loose documents get a record of their own.
            loose = Record(id=_object_id(None, f"{seed}:loose"), metadata=metadata, documents=documents)
            records, documents = [*records, loose], []
        return File(
            id=_object_id(own_id, seed),
            metadata=metadata,
            disposal=self._disposal(values),
            type=values.get("type"),
            begin=values.get("begin"),
            end=values.get("end"),
            documents=documents,
            records=records,
        )

    def _metadata(self, values: Mapping[str, str]) -> Metadata:
        subject = values.get("subject")
        unit = None
        if "filing_reference" in values or "filing_content" in values:
            unit = FilingUnit(reference=values.get("filing_reference"), content=values.get("filing_content"))
        return Metadata(
            subject=f"{TEST_MARK}{subject}" if subject and self._envelope.test else subject,
            reference=values.get("reference") or None,
            lead_unit=values.get("lead_unit"),
            keeping_unit=values.get("keeping_unit"),
            confidentiality=_code(values.get("confidentiality")),
            note=values.get("note"),
            medium=Code(values.get("medium", ELECTRONIC)),
            filing_unit=unit,
        )

    def _disposal(self, values: Mapping[str, str]) -> Disposal | None:
        if "retention_years" not in values and "decision" not in values:
            return None
        return Disposal(retention_years=values.get("retention_years"), decision=_code(values.get("decision")))

    def _document(self, document: CaseDocument) -> Document:
        # The same content twice in one message is two documents.
        occurrence = self._digests.get(document.sha256, 0)
        self._digests[document.sha256] = occurrence + 1
        document_id = uuid5(self._matter, f"{document.sha256}:{occurrence}")
        file_name = names.primary(str(uuid5(document_id, "file")), document.name)
        self._files.append((file_name, document))
        context = self._context(document=document, position=len(self._files))
        values = {
            "subject": document.name,
            "foreign_reference": self._envelope.partner_reference or "",
            "dated": self._created.date().isoformat(),
        }
        values |= fill_all(self._mapping.document, context, f"{self._where}.document")
        return Document(
            id=str(document_id),
            number_in_parent=str(len(self._files)),
            metadata=self._metadata(values),
            foreign_reference=values["foreign_reference"] or None,
            received_on=values.get("received_on"),
            sent_on=values.get("sent_on"),
            dated=values["dated"],
            about=values.get("about"),
            here=values.get("here"),
            editor=values.get("editor"),
            type=values.get("type"),
            versions=[Version(number="1", formats=[self._format(document, file_name)])],
            extensions=[
                carriage.file_extension(
                    CarriedFile(name=document.name, media_type=document.media_type, sha256=document.sha256),
                    self._family,
                )
            ],
        )

    def _format(self, document: CaseDocument, file_name: str) -> Format:
        code, other = formats.code_of(document.name, self._family)
        return Format(
            format=code,
            other_format=other,
            format_version="unbekannt",
            file_name=file_name,
            original_name=document.name,
        )

    def _route(self, message: Message) -> Circulation:
        name = self._mapping.route or ""
        route = self._envelope.data.get(name)
        if not isinstance(route, Mapping):
            raise MappingError(f"the data have no route called {name!r}", where=self._where)
        built = circulation.build(
            route, process_id(self._envelope.exchange_id), message.sender or Contact(), self._created
        )
        # The next one on the way needs the route's id and the numbers of its steps. The id is that of the
        # exchange that began the route: whoever closes it brings it back to the one who waits.
        data = {**self._envelope.data, name: circulation.as_data(built)}
        message.extensions = [carriage.message_extension(self._carried(), data, self._family)]
        return built

    def _changes(self) -> list[ChangedStep]:
        items = data_list(self._envelope.data, self._mapping.changes, self._where)
        if not items:
            raise MappingError("a changed route (0203) needs its changes", where=self._where)
        changes = []
        for item in items:
            skipped = bool(item.get("skipped"))
            changes.append(
                ChangedStep(
                    number=required(item, "number", self._where),
                    new=None if skipped else True,
                    skipped=skipped or None,
                )
            )
        return changes

    def _appraisals(self) -> list[Appraisal]:
        items = data_list(self._envelope.data, self._mapping.appraisals, self._where)
        if not items:
            raise MappingError("an appraisal (0502) needs at least one decision", where=self._where)
        return [
            Appraisal(
                object_id=required(item, "id", self._where),
                decision=Code(required(item, "decision", self._where)),
            )
            for item in items
        ]


def _object_id(own: str | None, seed: str) -> str:
    if own is not None:
        if not names.IS_UUID.fullmatch(str(own)):
            raise MappingError(f"the id {own!r} is no UUID", where="objects")
        return str(own).lower()
    return str(uuid5(NAMESPACE_URL, f"{carriage.KEY}:object:{seed}"))


def _code(value: str | None) -> Code | None:
    return Code(value) if value else None
