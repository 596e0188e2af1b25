"""Message types: the contract between partners, read from a package and held against data.

A message's data is one object. In a case it lies in the variable named like the message type (hyphens become
underscores): what is sent is read from there, what arrives is put there. See
``docs/reference/procedure-package.md``.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.definitions.patterns import PatternFault, bounded
from engine.definitions.schema_faults import KNOWN_FORMATS, Fault, Path, faults, faults_of_schema
from engine.errors import RefusedError
from engine.exchange.ports import MessageType

ARRIVAL = "eingang"
"""Reserved name inside a received message's variable: who sent it, when, by which reference."""

MAX_DATA_DEPTH = 20
MAX_DATA_BYTES = 1_000_000

_KEYWORDS = frozenset(
    {
        "$schema",
        "$id",
        "$defs",
        "$ref",
        "$comment",
        "title",
        "description",
        "examples",
        "default",
        "type",
        "enum",
        "const",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minLength",
        "maxLength",
        "pattern",
        "format",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "minProperties",
        "maxProperties",
        "dependentRequired",
    }
)
_SUBSCHEMAS = ("items", "not", "if", "then", "else", "additionalProperties")
_SUBSCHEMA_LISTS = ("allOf", "anyOf", "oneOf")
_SUBSCHEMA_MAPS = ("properties", "$defs")


class MessageDataRefusedError(RefusedError):
    """The data does not fit the message type."""

    def __init__(self, message_type: MessageType, found: Sequence[Fault]) -> None:
        """Keep every fault; the message lists them all."""
        self.faults = tuple(found)
        listed = "; ".join(str(fault) for fault in found)
        super().__init__(
            f"the data does not fit: {listed}",
            where=f"message type {message_type.key} {message_type.version} ({message_type.title})",
            hint="mend the fields named and try again",
        )


def variable_name(message_key: str) -> str:
    """Return the case variable that holds the data of message type ``message_key``."""
    return message_key.replace("-", "_")


def check_data(message_type: MessageType, data: Any) -> dict[str, Any]:
    """Return ``data`` where it fits the message type's schema.

    Raises:
        MessageDataRefusedError: lists every field that does not fit.
    """
    fault = _oversize(data)
    found = [fault] if fault else faults(message_type.schema, data)
    if found:
        raise MessageDataRefusedError(message_type, found)
    return dict(data)


def outgoing_data(message_type: MessageType, visible: Mapping[str, Any]) -> dict[str, Any]:
    """Take the message's data out of what an element sees, and check it.

    A message type that requires nothing (a reminder, say) may go without its variable.

    Raises:
        MessageDataRefusedError: the variable is missing or does not fit.
    """
    name = variable_name(message_type.key)
    value = visible.get(name)
    if value is None and not message_type.schema.get("required"):
        value = {}
    if not isinstance(value, Mapping):
        missing = Fault(
            (name,),
            message_type.title,
            "is not set in the case",
            "fehlt im Vorgang",
            f"let a form or script before the send set {name}",
        )
        raise MessageDataRefusedError(message_type, [missing])
    return check_data(message_type, {key: item for key, item in value.items() if key != ARRIVAL})


def incoming_data(
    message_type: MessageType, data: Mapping[str, Any], arrival: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a received message adds to a case: its variable, with ``arrival`` under ``eingang``.

    ``arrival`` holds JSON: ``absender`` (key of the sending authority), ``name``, ``aktenzeichen`` (the
    partner's file reference), ``datum`` (day of receipt), ``kanal`` and whatever else the exchange knows.

    Raises:
        MessageDataRefusedError: the data does not fit the schema.
    """
    checked = check_data(message_type, data)
    return {variable_name(message_type.key): {**checked, ARRIVAL: dict(arrival)}}


def fingerprint(message_type: MessageType) -> str:
    """Return a hex SHA-256 over everything the partners agreed on; two contents may not share a version."""
    content = {
        "key": message_type.key,
        "version": message_type.version,
        "title": message_type.title,
        "schema": message_type.schema,
        "answers": list(message_type.answers),
        "reminds": list(message_type.reminds),
        "form": message_type.form.value,
        "subject": message_type.subject,
        "template": message_type.template,
        "registration": message_type.registration_form,
        "mappings": message_type.mappings,
        "documents": [dict(document) for document in message_type.documents],
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def judge_schema(schema: Mapping[str, Any]) -> Iterator[tuple[Path, str, str]]:
    """Yield path, fault and hint for everything in a message type's schema that we do not carry out."""
    broken = faults_of_schema(schema)
    if broken:
        yield from ((fault.path, fault.message, fault.hint) for fault in broken)
        return
    if schema.get("type") != "object":
        yield (), "does not describe an object", 'write "type": "object"'
    if schema.get("additionalProperties") is not False:
        yield (), "lets unknown fields pass", 'write "additionalProperties": false'
    if ARRIVAL in schema.get("properties", {}):
        yield ("properties", ARRIVAL), "is a reserved name", "choose another name"
    defined = schema.get("$defs", {})
    yield from _judge(schema, (), frozenset(defined), 0)
    yield from _cycles(defined)


def _judge(schema: Any, path: Path, defined: frozenset[str], depth: int) -> Iterator[tuple[Path, str, str]]:
    if not isinstance(schema, Mapping):
        return
    if depth > MAX_DATA_DEPTH:
        yield path, f"is nested deeper than {MAX_DATA_DEPTH} levels", "flatten the data"
        return
    for word in sorted(set(schema) - _KEYWORDS):
        yield (
            (*path, word),
            "is no keyword that is carried out here",
            "remove it or use one from the reference",
        )
    if "$ref" in schema and _target(schema["$ref"]) not in defined:
        yield (*path, "$ref"), "points outside this schema", "use #/$defs/NAME of the same file"
    if "format" in schema and schema["format"] not in KNOWN_FORMATS:
        yield (*path, "format"), "is not checked here", "one of " + ", ".join(KNOWN_FORMATS)
    if "pattern" in schema:
        try:
            bounded(schema["pattern"])
        except PatternFault as error:
            yield (*path, "pattern"), str(error), "write a simpler pattern"
    for word in _SUBSCHEMAS:
        yield from _judge(schema.get(word), (*path, word), defined, depth + 1)
    for word in _SUBSCHEMA_LISTS:
        for index, child in enumerate(schema.get(word, ())):
            yield from _judge(child, (*path, word, index), defined, depth + 1)
    for word in _SUBSCHEMA_MAPS:
        for name, child in schema.get(word, {}).items():
            yield from _judge(child, (*path, word, name), defined, depth + 1)


def _target(reference: str) -> str | None:
    prefix = "#/$defs/"
    return reference[len(prefix) :] if reference.startswith(prefix) else None


def _cycles(defined: Mapping[str, Any]) -> Iterator[tuple[Path, str, str]]:
    """Yield definitions that lead back to themselves; validating them might never end."""
    uses = {name: _references(body) for name, body in defined.items()}
    for name in defined:
        reached: set[str] = set()
        open_names = set(uses[name])
        while open_names:
            current = open_names.pop()
            if current not in reached:
                reached.add(current)
                open_names |= uses.get(current, set())
        if name in reached:
            yield ("$defs", name), "refers to itself", "write the levels out"


def _references(body: Any) -> set[str]:
    if isinstance(body, Mapping):
        found = {_target(body["$ref"]) or ""} if isinstance(body.get("$ref"), str) else set()
        return found.union(*(_references(child) for child in body.values()))
    if isinstance(body, list):
        return set().union(*(_references(child) for child in body))
    return set()


def _oversize(data: Any) -> Fault | None:
    """Refuse data too deep or too large to be validated safely."""
    level: list[Any] = [data]
    for _ in range(MAX_DATA_DEPTH + 1):
        level = [
            child
            for item in level
            if isinstance(item, (Mapping, list))
            for child in (item.values() if isinstance(item, Mapping) else item)
        ]
        if not level:
            break
    else:
        return Fault((), None, f"is nested deeper than {MAX_DATA_DEPTH} levels", "ist zu tief", "flatten it")
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        return Fault(
            (), None, f"is not JSON: {error}", "ist kein JSON", "use text, numbers, lists and objects"
        )
    if len(text.encode()) > MAX_DATA_BYTES:
        return Fault((), None, f"is larger than {MAX_DATA_BYTES} bytes", "ist zu groß", "send a document")
    return None
