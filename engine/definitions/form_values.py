"""One value against one form field."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.definitions.form_files import Field
from engine.definitions.patterns import MAX_INPUT, bounded
from engine.definitions.schema_faults import EMAIL, is_date, shown

MAX_TEXT = 20_000
"""Longest text, in characters, where a form sets no limit of its own."""

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d(Z|[+-]\d{2}:\d{2})?")
_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})T([01]\d|2[0-3]):[0-5]\d(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?"
)
_KINDS = {
    "email": (EMAIL, "an e-mail address", "eine E-Mail-Adresse"),
    "phone": (re.compile(r"\+?[0-9][0-9 ()/-]{2,30}"), "a phone number", "eine Telefonnummer"),
}


class ValueFault(ValueError):
    """A value that does not fit its field: in English, in German, and how to mend it."""

    def __init__(self, message: str, message_de: str, hint: str) -> None:
        """Keep the three texts."""
        self.message, self.message_de, self.hint = message, message_de, hint
        super().__init__(message)


def is_empty(field: Field, value: Any) -> bool:
    """Tell whether ``value`` counts as not filled in; an unchecked box does."""
    return value is None or value in ("", []) or (field.type == "checkbox" and value is False)


def check_value(field: Field, value: Any) -> Any:
    """Return ``value``, not empty, as it is stored.

    Raises:
        ValueFault: wrong type, not one of the choices, or beyond a limit.
    """
    if field.type == "number":
        return _number(field, value)
    if field.type == "checkbox":
        if not isinstance(value, bool):
            raise ValueFault(
                f"must be true or false, not {shown(value)}", "muss ja oder nein sein", "true or false"
            )
        return value
    if field.type == "checklist":
        return _choices(field, value)
    if not isinstance(value, str):
        raise ValueFault(f"must be text, not {shown(value)}", "muss Text sein", "write it in quotes")
    if field.type in ("radio", "select"):
        return _choice(field, value)
    if field.type == "datetime":
        return _moment(field, value)
    return _text(field, value)


def _number(field: Field, value: Any) -> Any:
    textual = field.as_text and isinstance(value, str)
    if isinstance(value, bool) or not (textual or isinstance(value, (int, float))):
        raise ValueFault(f"must be a number, not {shown(value)}", "muss eine Zahl sein", "for example 12.5")
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueFault(f"{shown(value)} is no number", "ist keine Zahl", "for example 12.5")
    if field.minimum is not None and number < field.minimum:
        raise ValueFault(
            f"must be at least {field.minimum}",
            f"muss mindestens {field.minimum} sein",
            "give a larger number",
        )
    if field.maximum is not None and number > field.maximum:
        raise ValueFault(
            f"must be at most {field.maximum}",
            f"darf höchstens {field.maximum} sein",
            "give a smaller number",
        )
    exponent = number.normalize().as_tuple().exponent
    digits = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    if field.decimal_digits is not None and digits > field.decimal_digits:
        raise ValueFault(
            f"has more than {field.decimal_digits} decimal digits",
            f"hat mehr als {field.decimal_digits} Nachkommastellen",
            "round it",
        )
    return str(value) if field.as_text else value


def _choice(field: Field, value: str) -> str:
    known = [option for option, _ in field.options]
    if value not in known:
        raise ValueFault(
            f"{shown(value)} is not offered", "steht nicht zur Auswahl", "one of " + ", ".join(known)
        )
    return value


def _choices(field: Field, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ValueFault(f"must be a list of texts, not {shown(value)}", "muss eine Liste sein", '["a", "b"]')
    if len(set(value)) != len(value):
        raise ValueFault("names a choice twice", "nennt eine Auswahl doppelt", "name each once")
    return [_choice(field, entry) for entry in value]


def _moment(field: Field, value: str) -> str:
    if field.subtype == "date":
        fits, like, german = is_date(value), "2026-01-31", "ist kein gültiges Datum"
    elif field.subtype == "time":
        fits, like, german = bool(_TIME.fullmatch(value)), "14:30", "ist keine gültige Uhrzeit"
    else:
        match = _DATE_TIME.fullmatch(value)
        fits, like = bool(match and is_date(match[1])), "2026-01-31T14:30"
        german = "ist kein gültiger Zeitpunkt"
    if not fits:
        raise ValueFault(f"{shown(value)} is no valid {field.subtype}", german, f"like {like}")
    return value


def _text(field: Field, value: str) -> str:
    limit = field.max_length if field.max_length is not None else MAX_TEXT
    if field.pattern:
        limit = min(limit, MAX_INPUT)
    if len(value) > limit:
        raise ValueFault(f"has more than {limit} characters", f"hat mehr als {limit} Zeichen", "shorten it")
    if field.min_length is not None and len(value) < field.min_length:
        raise ValueFault(
            f"has fewer than {field.min_length} characters",
            f"hat weniger als {field.min_length} Zeichen",
            "write more",
        )
    if field.type == "textfield" and any(ord(char) < 32 for char in value):
        raise ValueFault("has line breaks or control characters", "enthält Zeilenumbrüche", "write one line")
    if any(ord(char) < 32 and char not in "\n\r\t" for char in value):
        raise ValueFault("has control characters", "enthält Steuerzeichen", "remove them")
    if field.pattern and not bounded(field.pattern).search(value):
        said = field.pattern_message or f"must have the form {field.pattern}"
        raise ValueFault(said, field.pattern_message or "hat nicht die verlangte Form", "mend the value")
    if field.validation in _KINDS:
        pattern, english, german = _KINDS[field.validation]
        if not pattern.fullmatch(value):
            raise ValueFault(f"is not {english}", f"ist nicht {german}", "mend the value")
    return value


_TRUE = frozenset({"true", "ja", "on", "1", "x"})
_FALSE = frozenset({"false", "nein", "off", "0", ""})


def from_text(field: Field, text: str | list[str]) -> Any:
    """Turn what a person typed into the value of ``field``; what cannot be one stays text.

    Dates may be written ``31.01.2026``, numbers ``1.234,56``. ``check_value`` judges the result.
    """
    if field.type == "checklist":
        entries = text if isinstance(text, list) else text.split(",")
        return [entry.strip() for entry in entries if entry.strip()]
    one = text[-1] if isinstance(text, list) and text else text
    if not isinstance(one, str):
        return None
    stripped = one.strip()
    if field.type == "checkbox":
        word = stripped.lower()
        return True if word in _TRUE else False if word in _FALSE else one
    if not stripped:
        return None
    if field.type == "number":
        return _typed_number(field, stripped)
    if field.type == "datetime" and field.subtype == "date":
        match = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})", stripped)
        return f"{match[3]}-{int(match[2]):02}-{int(match[1]):02}" if match else stripped
    return one.replace("\r\n", "\n") if field.type == "textarea" else stripped


def _typed_number(field: Field, text: str) -> Any:
    """Read ``1.234,56`` and ``1234.56``; ``1.234`` could mean both and stays text."""
    if re.fullmatch(r"[+-]?(\d{1,3}(\.\d{3}){1,6}|\d{1,18}),\d{1,9}", text):
        text = text.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[+-]?\d{1,3}(\.\d{3}){2,6}", text):
        text = text.replace(".", "")
    elif not re.fullmatch(r"[+-]?\d{1,18}(\.\d{1,2}|\.\d{4,9})?", text):
        return text
    if field.as_text:
        return text
    return float(text) if "." in text else int(text)


def lookup(data: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """Return the value at ``path``, or None where it does not exist."""
    value: Any = data
    for part in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value
