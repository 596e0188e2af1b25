"""The xdomea mapping of a message type, which analysts write: ``docs/reference/xdomea.md``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from adapters.xdomea.errors import MappingError
from adapters.xdomea.versions import KINDS
from engine.definitions import letters
from engine.exchange.ports import MessageType

NAMES = frozenset({*letters.NAMES, "subject"})
"""What a template can use."""
DOCUMENT_NAMES = NAMES | {"document", "position"}
"""What a template of ``document`` can use."""
OBJECTS = ("record", "file", "documents")
METADATA_KEYS = (
    "subject",
    "reference",
    "lead_unit",
    "keeping_unit",
    "note",
    "confidentiality",
    "medium",
    "type",
    "filing_reference",
    "filing_content",
    "begin",
    "end",
    "retention_years",
    "decision",
    "file_subject",
)
DOCUMENT_KEYS = (
    "subject",
    "reference",
    "note",
    "confidentiality",
    "medium",
    "type",
    "foreign_reference",
    "dated",
    "received_on",
    "sent_on",
    "about",
    "here",
    "editor",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class XdomeaMapping:
    """How one message type travels as an xdomea message."""

    message: str = "0101"
    object: str = "record"
    receipt: bool = True
    note: str | None = None
    process: str | None = None
    file: Mapping[str, str] = field(default_factory=dict)
    record: Mapping[str, str] = field(default_factory=dict)
    document: Mapping[str, str] = field(default_factory=dict)
    objects: str | None = None
    route: str | None = None
    changes: str | None = None
    appraisals: str | None = None
    read: Mapping[str, str] = field(default_factory=dict)


def mapping_of(message_type: MessageType) -> XdomeaMapping:
    """Return the checked mapping of ``message_type``; without one, a 0101 with one record.

    Raises MappingError that names the key.
    """
    return parse(message_type.mappings.get("xdomea", {}), where=f"message type {message_type.key}")


def parse(raw: Mapping[str, Any], where: str) -> XdomeaMapping:
    """Check a mapping; raise MappingError that names the key."""
    known = {each.name for each in fields(XdomeaMapping)}
    for key in raw:
        if key not in known:
            raise MappingError(
                f"unknown key {key!r} in the xdomea mapping", where=where, hint=f"known: {sorted(known)}"
            )
    mapping = XdomeaMapping(**raw)
    if not isinstance(mapping.message, str):
        raise MappingError("message is no text", where=where, hint='write codes in quotes: "0101"')
    kind = KINDS.get(mapping.message)
    if kind is None or kind.confirms:
        sendable = [code for code, each in KINDS.items() if not each.confirms]
        raise MappingError(
            f"message {mapping.message!r} cannot be sent", where=where, hint=f"known: {sendable}"
        )
    if mapping.object not in OBJECTS:
        raise MappingError(f"object {mapping.object!r}", where=where, hint=f"known: {list(OBJECTS)}")
    _check_types(mapping, where)
    for name, allowed in (("file", METADATA_KEYS), ("record", METADATA_KEYS), ("document", DOCUMENT_KEYS)):
        unknown = set(getattr(mapping, name)) - set(allowed)
        if unknown:
            raise MappingError(
                f"{name}: unknown {sorted(unknown)}", where=where, hint=f"known: {list(allowed)}"
            )
    _check_templates(mapping, where)
    wanted = {"0201": "route", "0203": "route", "0502": "appraisals"}.get(mapping.message)
    if wanted and getattr(mapping, wanted) is None:
        raise MappingError(f"message {mapping.message} needs {wanted!r}", where=where)
    return mapping


def _check_types(mapping: XdomeaMapping, where: str) -> None:
    for each in fields(XdomeaMapping):
        value = getattr(mapping, each.name)
        if each.name in ("file", "record", "document", "read"):
            if not isinstance(value, Mapping) or not all(isinstance(text, str) for text in value.values()):
                raise MappingError(f"{each.name} is no mapping of texts", where=where)
        elif each.name == "receipt":
            if not isinstance(value, bool):
                raise MappingError("receipt is neither true nor false", where=where)
        elif value is not None and not isinstance(value, str):
            raise MappingError(f"{each.name} is no text", where=where, hint='write codes in quotes: "0101"')


def _check_templates(mapping: XdomeaMapping, where: str) -> None:
    groups = {"file": mapping.file, "record": mapping.record, "document": mapping.document}
    templates = {f"{group}.{key}": text for group, texts in groups.items() for key, text in texts.items()}
    for key, text in {"note": mapping.note, "process": mapping.process, **templates}.items():
        try:
            letters.check_template(text or "", DOCUMENT_NAMES if key.startswith("document.") else NAMES)
        except letters.TemplateFault as fault:
            raise MappingError(f"{key}: {fault.message}", where=where, hint=fault.hint) from fault


def extract(data: Any, path: str) -> Any:
    """Return what ``path`` (keys and list positions from 0, joined by dots) points to; None for nothing."""
    for key in path.split("."):
        if isinstance(data, Mapping):
            data = data.get(key)
        elif isinstance(data, list) and key.isdecimal() and int(key) < len(data):
            data = data[int(key)]
        else:
            return None
    return data


def fill(template: str, context: Mapping[str, Any], where: str) -> str:
    """Fill a template by the letters' rules; raise MappingError that names the place."""
    try:
        return letters.fill(template, context, where)
    except letters.LetterRefusedError as error:
        raise MappingError(error.message, where=error.where, hint=error.hint) from error


def fill_all(templates: Mapping[str, str], context: Mapping[str, Any], where: str) -> dict[str, str]:
    """Fill several templates by the letters' rules; those that come out empty are left out."""
    filled = {key: fill(value, context, f"{where}.{key}") for key, value in templates.items()}
    return {key: value for key, value in filled.items() if value}


def required(item: Mapping[str, Any], key: str, where: str) -> str:
    """Return the text under ``key`` of a listed object; raise MappingError where there is none."""
    value = item.get(key)
    if not isinstance(value, str | int) or value == "":
        raise MappingError(f"an entry has no {key!r}", where=where)
    return str(value)


def texts(item: Mapping[str, Any], key: str, where: str) -> list[str]:
    """Return the list of texts under ``key``, empty where there is none; else raise MappingError."""
    value = item.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MappingError(f"{key!r} is no list of texts", where=where)
    return value


def data_list(data: Mapping[str, Any], name: str | None, where: str) -> list[Mapping[str, Any]]:
    """Return the list of objects under ``name`` in ``data``; raise MappingError where there is none."""
    value = data.get(name) if name else None
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise MappingError(f"the data have no list of objects called {name!r}", where=where)
    return value
