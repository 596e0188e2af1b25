"""JSON data against a JSON schema, with faults that a clerk or an analyst can act on."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.validators import extend

from engine.definitions.patterns import MAX_INPUT, bounded

Path = tuple[str | int, ...]

_FORMATS = FormatChecker(formats=())
"""Only the formats below; what the library would accept depends on which packages are installed."""

KNOWN_FORMATS = ("date", "date-time", "email", "uuid")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})")
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]{1,63}(\.[^@\s.]{1,63}){1,8}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_QUOTES = "write it in quotes"
_TYPES = {
    "string": ("text", "Text"),
    "number": ("a number", "eine Zahl"),
    "integer": ("a whole number", "eine ganze Zahl"),
    "boolean": ("true or false", "ja oder nein"),
    "object": ("a group of fields", "eine Gruppe von Feldern"),
    "array": ("a list", "eine Liste"),
    "null": ("empty", "leer"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One faulty field of some data."""

    path: Path
    label: str | None
    """The schema's title of the field, as people know it."""
    message: str
    message_de: str
    hint: str

    @property
    def key(self) -> str:
        """The field's path as text, e.g. ``schuldner.name``."""
        return ".".join(str(part) for part in self.path)

    def __str__(self) -> str:
        name = f"{self.label} ({self.key})" if self.label else self.key or "the data"
        return f"{name}: {self.message} ({self.hint})"


@_FORMATS.checks("date")
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or is_date(value)


@_FORMATS.checks("date-time")
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or is_date_time(value)


@_FORMATS.checks("email")
def _is_email(value: object) -> bool:
    return not isinstance(value, str) or bool(EMAIL.fullmatch(value))


@_FORMATS.checks("uuid")
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or bool(_UUID.fullmatch(value))


def is_date(text: str) -> bool:
    """Tell whether ``text`` is a calendar day as YYYY-MM-DD."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_date_time(text: str) -> bool:
    """Tell whether ``text`` is an instant with date, time and offset (RFC 3339)."""
    if not _DATE_TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Match with a bounded pattern only, and only texts that are short enough for its bound."""
    if not isinstance(instance, str):
        return
    if len(instance) > MAX_INPUT or not bounded(pattern).search(instance):
        yield ValidationError("pattern")


_Validator: Any = extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]


def faults_of_schema(schema: Any) -> list[Fault]:
    """Return what keeps ``schema`` from being a JSON schema (draft 2020-12) at all."""
    meta = Draft202012Validator(Draft202012Validator.META_SCHEMA)
    return [fault for error in meta.iter_errors(schema) for fault in _faults_of(error)]


def faults(schema: Mapping[str, Any], data: Any) -> list[Fault]:
    """Return every fault of ``data``, outer fields first; an empty list means it fits."""
    found: list[Fault] = []
    for error in _Validator(dict(schema), format_checker=_FORMATS).iter_errors(data):
        found.extend(_faults_of(error))
    unique = {(fault.path, fault.message): fault for fault in found}
    return sorted(unique.values(), key=lambda fault: ([str(part) for part in fault.path], fault.message))


def _faults_of(error: ValidationError) -> Iterator[Fault]:
    path: Path = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    label = schema.get("title") if path else None
    instance: Any = error.instance
    wanted: Any = error.validator_value
    if error.validator == "required":
        for name in (name for name in wanted if name not in instance):
            child = _child(schema, name)
            yield Fault(
                (*path, name), child.get("title"), "is missing", "fehlt", _hint(child, "add this field")
            )
    elif error.validator in ("additionalProperties", "unevaluatedProperties"):
        known = list(schema.get("properties", {}))
        for name in sorted(set(instance) - set(known), key=str):
            yield Fault((*path, name), None, "is not known", "ist unbekannt", _near(name, known))
    elif error.validator in ("anyOf", "oneOf") and error.context:
        best = best_match(error.context)
        yield from _faults_of(best) if best is not None else ()
    else:
        message, german, hint = _say(error.validator, instance, wanted)
        yield Fault(path, label, message, german, hint if hint == _QUOTES else _hint(schema, hint))


def _child(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    child = schema.get("properties", {}).get(name, {})
    return child if isinstance(child, Mapping) else {}


def _hint(schema: Mapping[str, Any], otherwise: str) -> str:
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    examples = schema.get("examples")
    return f"for example {examples[0]!r}" if examples else otherwise


def _near(name: object, known: list[str]) -> str:
    near = difflib.get_close_matches(str(name), known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return "known are " + ", ".join(known) if known else "remove it"


def _say(rule: Any, instance: Any, wanted: Any) -> tuple[str, str, str]:
    """Return what is wrong in English and German, and how to mend it."""
    if rule == "type":
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        english = " or ".join(_TYPES.get(name, (name, name))[0] for name in names)
        german = " oder ".join(_TYPES.get(name, (name, name))[1] for name in names)
        quoted = "string" in names and isinstance(instance, (int, float)) and not isinstance(instance, bool)
        hint = _QUOTES if quoted else f"give {english}"
        return f"must be {english}, not {shown(instance)}", f"muss {german} sein", hint
    if rule == "enum":
        values = ", ".join(str(value) for value in wanted)
        return f"{shown(instance)} is not allowed", "ist kein zulässiger Wert", f"one of {values}"
    if rule == "const":
        return f"must be {shown(wanted)}", f"muss {wanted} sein", f"write {shown(wanted)}"
    if rule == "format":
        examples = {
            "date": "2026-01-31",
            "date-time": "2026-01-31T08:00:00Z",
            "email": "amt@stadt.example",
            "uuid": "00000000-0000-4000-8000-000000000000",
        }
        example = examples.get(wanted, wanted)
        return f"{shown(instance)} is no valid {wanted}", "hat nicht die verlangte Form", f"like {example}"
    limits = {
        "minimum": ("must be at least", "muss mindestens betragen:"),
        "maximum": ("must be at most", "darf höchstens betragen:"),
        "exclusiveMinimum": ("must be more than", "muss größer sein als"),
        "exclusiveMaximum": ("must be less than", "muss kleiner sein als"),
        "minLength": ("has fewer characters than", "hat weniger Zeichen als"),
        "maxLength": ("has more characters than", "hat mehr Zeichen als"),
        "minItems": ("has fewer entries than", "hat weniger Einträge als"),
        "maxItems": ("has more entries than", "hat mehr Einträge als"),
    }
    if rule in limits:
        english, german = limits[rule]
        return f"{english} {wanted}", f"{german} {wanted}", "change the value"
    if rule == "pattern":
        return (
            f"{shown(instance)} does not have the form {wanted}",
            "hat nicht die verlangte Form",
            "see form",
        )
    if rule == "uniqueItems":
        return "names something twice", "enthält einen Eintrag doppelt", "remove the second one"
    return f"does not fit the rule {rule}", f"verletzt die Regel {rule}", "see the message type's schema"


def shown(value: Any) -> str:
    """Return ``value`` short enough for a message."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
