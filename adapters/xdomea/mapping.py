"""The xdomea mapping of a message type, which analysts write: ``docs/reference/xdomea.md``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from adapters.xdomea.errors import MappingError
from adapters.xdomea.versions import KINDS
from engine.exchange.ports import MessageType

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
    kind = KINDS.get(mapping.message)
    if kind is None or kind.confirms:
        sendable = [code for code, each in KINDS.items() if not each.confirms]
        raise MappingError(
            f"message {mapping.message!r} cannot be sent", where=where, hint=f"known: {sendable}"
        )
    if mapping.object not in OBJECTS:
        raise MappingError(f"object {mapping.object!r}", where=where, hint=f"known: {list(OBJECTS)}")
    for name, allowed in (("file", METADATA_KEYS), ("record", METADATA_KEYS), ("document", DOCUMENT_KEYS)):
        unknown = set(getattr(mapping, name)) - set(allowed)
        if unknown:
            raise MappingError(
                f"{name}: unknown {sorted(unknown)}", where=where, hint=f"known: {list(allowed)}"
            )
    wanted = {"0201": "route", "0203": "route", "0502": "appraisals"}.get(mapping.message)
    if wanted and getattr(mapping, wanted) is None:
        raise MappingError(f"message {mapping.message} needs {wanted!r}", where=where)
    return mapping


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


class Templates:
    """Fills the templates of mappings, in a sandbox; an undefined name is an error."""

    def __init__(self) -> None:
        """Start without any context."""
        self._environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)

    def fill(self, template: str, context: Mapping[str, Any], where: str) -> str:
        """Return ``template`` filled from ``context``; raise MappingError that names the place."""
        try:
            return self._environment.from_string(template).render(context).strip()
        except (TemplateError, TypeError, ValueError) as error:
            raise MappingError(f"the template fails: {error}", where=where) from error

    def fill_all(
        self, templates: Mapping[str, str], context: Mapping[str, Any], where: str
    ) -> dict[str, str]:
        """Fill several templates; those that come out empty are left out."""
        filled = {key: self.fill(value, context, f"{where}.{key}") for key, value in templates.items()}
        return {key: value for key, value in filled.items() if value}


def data_list(data: Mapping[str, Any], name: str | None, where: str) -> list[Mapping[str, Any]]:
    """Return the list of objects under ``name`` in ``data``; raise MappingError where there is none."""
    value = data.get(name) if name else None
    if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
        raise MappingError(f"the data have no list of objects called {name!r}", where=where)
    return value
