"""What a message that was read means for an exchange."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from adapters.xdomea import carriage, circulation, formats, names
from adapters.xdomea.carriage import Carried
from adapters.xdomea.container import Unpacked
from adapters.xdomea.mapping import XdomeaMapping, extract
from adapters.xdomea.message import Message
from adapters.xdomea.model import Document, File, FiledObject, Format, Record, documents_of, formats_of
from adapters.xdomea.parties import authority_of
from adapters.xdomea.versions import KINDS, confirmed_code
from engine.exchange.ports import Confirmation, Reading, Reference


@dataclass(frozen=True, slots=True)
class UnpackedDocument:
    """A file of a message, on local disk."""

    name: str
    media_type: str
    sha256: str
    size: int
    path: Path

    def open(self) -> BinaryIO:
        """Open the file for reading."""
        return self.path.open("rb")


def reading_of(message: Message, files: Mapping[str, Unpacked], remarks: Sequence[str]) -> Reading:
    """Say what ``message`` means; raise DamagedFieldsError where our own fields hold no JSON."""
    ours = carriage.read_message(message.extensions)
    carried, data = ours if ours else (Carried(), None)
    return Reading(
        message_type=carried.message_type,
        version=carried.message_version,
        data=data if data is not None else summary(message),
        documents=list(_documents(message, files)),
        references=list(dict.fromkeys(_references(message, carried))),
        sender_id=carried.sender or authority_of(message.sender),
        sender_exchange=carried.exchange or _identity(message),
        sender_reference=carried.sender_reference or _file_reference(message),
        confirmation=_confirmation(message),
        confirmation_wanted=confirmation_wanted(message),
        remarks=list(remarks),
        test=carried.test is not None,
    )


def _identity(message: Message) -> str | None:
    """Return what identifies a message of a partner without Dienstweg: ProzessID and type together."""
    kind = message.kind
    if message.process_id is None or (kind is not None and kind.confirms):
        return None
    # From 4.0 on a process may hold several messages of one type, each with its own id.
    return message.message_id or names.message_stem(message.process_id.lower(), message.element)


def confirmation_wanted(message: Message) -> bool:
    """Tell whether the sender asks for the standard's receipt."""
    wishes = (message.receipt_wanted, message.receipt_to_initiator, message.receipt_to_predecessor)
    return any(wishes)


def summary(message: Message) -> dict[str, Any]:
    """Return what a message says, as data: for messages whose sender has no message type of ours."""
    found: dict[str, Any] = {
        "xdomea": message.code,
        "xdomea_version": message.version,
        "process": message.process_id,
        "note": message.note,
        "created": message.created,
        "sender": message.sender.label if message.sender else None,
        "recipient": message.recipient.label if message.recipient else None,
        "objects": [_object(item) for item in message.objects],
        "letters": [_object(item) for item in message.letters],
        "main_documents": [_object(item) for item in message.main_documents],
        "annexes": [_object(item) for item in message.annexes],
        "route": circulation.as_data(message.circulation) if message.circulation else None,
        "changed_route": (
            circulation.as_data(message.changed_circulation) if message.changed_circulation else None
        ),
        "changed_steps": [
            _clean({"number": step.number, "new": step.new, "skipped": step.skipped})
            for step in message.changed_steps
        ],
        "appraisals": [
            _clean(
                {
                    "id": each.object_id,
                    "decision": each.decision.code if each.decision else each.own_decision,
                }
            )
            for each in message.appraisals
        ],
        "results": [
            _clean(
                {
                    "id": each.object_id,
                    "succeeded": each.succeeded,
                    "errors": each.errors,
                    "archive_mark": each.archive_mark,
                }
            )
            for each in message.results
        ],
    }
    return _clean(found)


def data_for(message: Message, mapping: XdomeaMapping) -> dict[str, Any]:
    """Return the data of a message from a partner without Dienstweg, as its mapping's ``read`` wants them."""
    said = summary(message)
    found = {key: extract(said, path) for key, path in mapping.read.items()}
    own = {mapping.appraisals: "appraisals", mapping.changes: "changed_steps"}
    found |= {name: said.get(key) for name, key in own.items() if name}
    if mapping.objects:
        found[mapping.objects] = [_listed(item) for item in message.objects]
    if mapping.route:
        found[mapping.route] = said.get("route") or said.get("changed_route")
    return {key: value for key, value in found.items() if value is not None}


def _listed(item: FiledObject) -> dict[str, Any]:
    """Return an object in the form in which a mapping's ``objects`` lists them."""
    said = _object(item)
    found: dict[str, Any] = {key: value for key, value in said.items() if isinstance(value, str)}
    if not isinstance(item, Document):
        found["documents"] = [_name_of(document, each) for document, each in _files_of(item.documents)]
        found["records"] = [_listed(each) for each in item.records]
    return _clean(found)


def _files_of(documents: list[Document]) -> Iterator[tuple[Document, Format]]:
    for top in documents:
        for document in documents_of(top):
            for each in formats_of(document):
                yield document, each


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, "", [])}


def _object(item: FiledObject) -> dict[str, Any]:
    metadata = item.metadata
    found: dict[str, Any] = {
        "kind": {File: "file", Record: "record"}.get(type(item), "document"),
        "id": item.id,
        "subject": metadata.subject if metadata else None,
        "reference": metadata.reference if metadata else None,
        "note": metadata.note if metadata else None,
        "type": item.type,
    }
    if isinstance(item, Document):
        found |= {
            "foreign_reference": item.foreign_reference,
            "dated": item.dated,
            "files": [each.file_name for each in formats_of(item)],
            "attachments": [_object(each) for each in item.attachments],
        }
        return _clean(found)
    disposal = item.disposal
    found |= {
        "begin": item.begin,
        "end": item.end,
        "decision": disposal.decision.code if disposal and disposal.decision else None,
        "retention_years": disposal.retention_years if disposal else None,
        "documents": [_object(each) for each in item.documents],
        "records": [_object(each) for each in item.records],
        "files": [_object(each) for each in item.files] if isinstance(item, File) else [],
    }
    return _clean(found)


def _documents(message: Message, files: Mapping[str, Unpacked]) -> Iterator[UnpackedDocument]:
    seen = set()
    for document in message.documents():
        for each in formats_of(document):
            if each.file_name and each.file_name in files and each.file_name not in seen:
                seen.add(each.file_name)
                yield _unpacked(document, each, files[each.file_name])
    for name, file in files.items():
        if name not in seen:
            yield UnpackedDocument(_shown(name), formats.media_type(name), file.sha256, file.size, file.path)


def _unpacked(document: Document, each: Format, file: Unpacked) -> UnpackedDocument:
    ours = carriage.read_file(document)
    return UnpackedDocument(
        _name_of(document, each),
        ours.media_type or formats.media_type(file.name),
        file.sha256,
        file.size,
        file.path,
    )


def _name_of(document: Document, each: Format) -> str:
    """Return the name people know a file by; a name from outside carries no path and no line break."""
    file_name = each.file_name or ""
    name = carriage.read_file(document).name or each.original_name or _shown(file_name)
    plain = " ".join(name.replace("\\", "/").rpartition("/")[2].split())
    return plain if plain.strip(". ") else file_name


def _shown(file_name: str) -> str:
    """Leave the UUID out of a primary file's name, where a subject is left."""
    rest = file_name[36:].lstrip("_")
    return rest if names.is_primary(file_name) and rest and not rest.startswith(".") else file_name


def _references(message: Message, carried: Carried) -> Iterator[Reference]:
    """Yield what tells to which exchange the message belongs, the surest first."""
    kind = message.kind
    if kind is not None and kind.confirms:
        confirmed = confirmed_code(message.code)
        if carried.answers:
            yield Reference("exchange", carried.answers)
        if message.process_id and confirmed:
            yield Reference("exchange", message.process_id.lower())
            stem = names.message_stem(message.process_id.lower(), KINDS[confirmed].element)
            yield Reference("part", f"{stem}.zip")
    elif carried.answers:
        yield Reference("exchange", carried.answers)
        if not names.IS_UUID.fullmatch(carried.answers):
            yield Reference("code", carried.answers)
    route = message.circulation or message.changed_circulation
    if route is not None and route.id:
        yield Reference("route", route.id)
    if carried.reminds:
        yield Reference("reminds", carried.reminds)
    if carried.recipient_reference:
        yield Reference("file-reference", carried.recipient_reference)
    elif not (kind and kind.confirms):
        ours = (document.foreign_reference for document in message.documents())
        yield from (Reference("file-reference", value) for value in dict.fromkeys(ours) if value)


def _file_reference(message: Message) -> str | None:
    for item in (*message.objects, *message.main_documents, *message.annexes):
        if item.metadata is not None and item.metadata.reference:
            return item.metadata.reference
    return None


def _confirmation(message: Message) -> Confirmation | None:
    kind = message.kind
    if kind is None or kind.confirms is None:
        return None
    failed = [result for result in message.results if result.succeeded is False]
    if not failed:
        return Confirmation(kind.confirms)
    reasons = [reason for result in failed for reason in result.errors]
    reasons += [code.name or code.code for result in failed for code in result.error_codes]
    text = "; ".join(dict.fromkeys(reasons)) or "no reason given"
    many = f"{len(failed)} of {len(message.results)} objects: " if len(message.results) > 1 else ""
    return Confirmation("rejected", many + text)
