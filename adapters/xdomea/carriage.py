"""What of an exchange travels in ``AnwendungsspezifischeErweiterung``, and how it is read again.

Structured fields under our own key, the same in every version, readable in any system that shows custom
fields: a group *Austausch* with the identity of the exchange, a group *Daten* with the message's data. Each
document has its name, media type and digest in an extension of its own.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from adapters.xdomea import text
from adapters.xdomea.errors import DamagedFieldsError
from adapters.xdomea.model import CustomField, Document, Extension, FieldGroup
from adapters.xdomea.versions import Family

KEY = "urn:dienstweg:xdomea:1"
"""Kennung of our extensions."""
IDENTITY = "Austausch"
DATA = "Daten"
JSON = "JSON"
"""Description of a field whose value is JSON text; other values are plain text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The identity of an exchange as its message carries it; every value is text or absent."""

    exchange: str | None = None
    dispatch: str | None = None
    message_type: str | None = None
    message_version: str | None = None
    sender: str | None = None
    recipient: str | None = None
    sender_reference: str | None = None
    recipient_reference: str | None = None
    answers: str | None = None
    reminds: str | None = None
    answer_due: str | None = None
    form: str | None = None
    test: str | None = None
    copy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedFile:
    """What we say about one file beyond the standard."""

    name: str | None = None
    media_type: str | None = None
    sha256: str | None = None


def message_extension(carried: Carried, data: Mapping[str, Any] | None, family: Family) -> Extension:
    """Build the extension of a header; ``data`` None for messages without data of their own."""
    groups = [_group(IDENTITY, "Identität des Austauschs", _texts(carried), family)]
    if data is not None:
        groups.append(_group(DATA, "Daten der Nachricht", data, family))
    return _extension(groups, [])


def file_extension(carried: CarriedFile, family: Family) -> Extension:
    """Build the extension of a document."""
    return _extension([], [_field(name, value, family) for name, value in _texts(carried).items()])


def read_message(extensions: list[Extension]) -> tuple[Carried, dict[str, Any] | None] | None:
    """Read the extension of a header; None where the message is not from a Dienstweg installation.

    Raises DamagedFieldsError where a field marked as JSON holds none.
    """
    ours = _ours(extensions)
    if ours is None:
        return None
    groups = {group.name: group for group in ours.groups}
    identity = _values(groups[IDENTITY].fields) if IDENTITY in groups else {}
    known = {each.name for each in fields(Carried)}
    carried = Carried(**{name: str(value) for name, value in identity.items() if name in known})
    return carried, _values(groups[DATA].fields) if DATA in groups else None


def read_file(document: Document) -> CarriedFile:
    """Read the extension of a document; empty where there is none of ours."""
    ours = _ours(document.extensions)
    values = _values(ours.fields) if ours else {}
    known = {each.name for each in fields(CarriedFile)}
    return CarriedFile(**{name: str(value) for name, value in values.items() if name in known})


def due(carried: Carried) -> date | None:
    """Return the day until which an answer is asked for."""
    return date.fromisoformat(carried.answer_due) if carried.answer_due else None


def _extension(groups: list[FieldGroup], own: list[CustomField]) -> Extension:
    return Extension(key=KEY, name="Dienstweg", version="1", groups=groups, fields=own)


def _ours(extensions: list[Extension]) -> Extension | None:
    return next((extension for extension in extensions if extension.key == KEY), None)


def _texts(carried: Carried | CarriedFile) -> dict[str, str]:
    values = ((each.name, getattr(carried, each.name)) for each in fields(carried))
    return {name: value for name, value in values if value is not None}


def _group(name: str, description: str, values: Mapping[str, Any], family: Family) -> FieldGroup:
    return FieldGroup(
        name=name,
        description=description,
        fields=[_field(key, value, family) for key, value in values.items()],
    )


def _field(name: str, value: Any, family: Family) -> CustomField:
    # Names of data fields may hold any character; they travel as inside a JSON text.
    plain_name = _json(name, family)[1:-1]
    if isinstance(value, str) and text.fits(value, family):
        return CustomField(name=plain_name, value=value)
    return CustomField(name=plain_name, description=JSON, value=_json(value, family))


def _json(value: Any, family: Family) -> str:
    """Write JSON with plain letters where the version carries them, else escaped."""
    plain = json.dumps(value, allow_nan=False, ensure_ascii=False)
    return plain if text.fits(plain, family) else json.dumps(value, allow_nan=False)


def _values(own: list[CustomField]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for each in own:
        name = _loaded(f'"{each.name or ""}"', each)
        values[name] = _loaded(each.value or "", each) if each.description == JSON else each.value or ""
    return values


def _loaded(json_text: str, of: CustomField) -> Any:
    try:
        return json.loads(json_text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise DamagedFieldsError(f"the field {of.name!r} holds no JSON: {error}", where=KEY) from error


def _no_number(constant: str) -> Any:
    raise ValueError(f"{constant} is no number")
