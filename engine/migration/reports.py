"""Signed reports of an installation's months: written, read and checked. Pure; no personal data in them.

A report is one JSON document. Its signature (Ed25519, RFC 8032) is over the document without the member
``signature``, as JSON with sorted keys, no blanks and only ASCII.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from engine.errors import RefusedError
from engine.migration.ledger import (
    ARRIVAL,
    DEADLINES,
    DIMENSIONS,
    DURATIONS,
    HELD,
    OPEN,
    SENT,
    SPLITS,
    SUMS,
    UNKNOWN,
    WITHDRAWN,
    Key,
)

FORMAT = "dienstweg-ledger/2"
_SINCE_2 = ("deadlines", "notified", "presumed")
"""Columns that reports of format 1 have not: nothing of the sort is known there."""
MAX_BYTES = 200_000_000
_COLUMNS = (*DIMENSIONS, *SPLITS, *SUMS, *DURATIONS)
_FORMATS = {
    "dienstweg-ledger/1": tuple(name for name in _COLUMNS if name not in _SINCE_2),
    FORMAT: _COLUMNS,
}
_MEMBERS = ("format", "installation", "key", "senders", "made_at", "months", "columns", "rows", "signature")
_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""What steers a terminal, or what no database keeps."""
_MINUTES = re.compile(r"[0-9]{1,8}(?: [0-9]{1,8})*")
_YEARS = (2000, 2999)
_STATES = (SENT, OPEN, HELD, UNKNOWN, WITHDRAWN, ARRIVAL, *DEADLINES)
_LENGTHS = {
    "authority_id": 64,
    "procedure_key": 80,
    "element_id": 200,
    "recipient_id": 64,
    "intended_channel": 80,
    "channel": 80,
    "level": 1,
    "state": 16,
    "fallback": 40,
}


class ReportRefusedError(RefusedError):
    """This report cannot be taken."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report whose signature fits its own key; whether that key is trusted is another matter."""

    installation: str
    """The installation's code."""
    key: str
    """Public key, 64 hex digits."""
    senders: Mapping[str, str]
    """Key and name of every authority reported of."""
    made_at: datetime
    months: tuple[str, ...]
    """Months that the report covers, with or without figures."""
    rows: Mapping[Key, Mapping[str, Any]]
    digest: str

    @property
    def fingerprint(self) -> str:
        """The key as people compare it."""
        return fingerprint(self.key)


def fingerprint(key: str) -> str:
    """Return a public key's fingerprint: 32 hex digits of its SHA-256, in groups of four."""
    digest = hashlib.sha256(bytes.fromhex(key)).hexdigest()[:32]
    return " ".join(digest[begun : begun + 4] for begun in range(0, 32, 4))


def public_key(private: Ed25519PrivateKey) -> str:
    """Return the public half as hex."""
    return private.public_key().public_bytes_raw().hex()


def write_report(
    private: Ed25519PrivateKey,
    installation: str,
    senders: Mapping[str, str],
    made_at: datetime,
    months: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
) -> str:
    """Return the signed report as JSON text."""
    document = {
        "format": FORMAT,
        "installation": installation,
        "key": public_key(private),
        "senders": dict(sorted(senders.items())),
        "made_at": made_at.isoformat(),
        "months": sorted(months),
        "columns": list(_COLUMNS),
        "rows": sorted([row[name] for name in _COLUMNS] for row in rows),
    }
    signature = private.sign(_canonical(document)).hex()
    return json.dumps({**document, "signature": signature}, ensure_ascii=False, indent=None) + "\n"


def read_report(content: bytes) -> Report:
    """Return a report whose form and signature are right; raise ReportRefusedError for any other."""
    document = _parsed(content)
    signature = document["signature"]
    canonical = _canonical({name: value for name, value in document.items() if name != "signature"})
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(document["key"]))
        key.verify(bytes.fromhex(signature), canonical)
    except (InvalidSignature, ValueError, TypeError) as error:
        raise ReportRefusedError(
            "the signature does not fit: the file was changed after it was signed",
            hint="ask the partner to export again and to send it unchanged",
        ) from error
    if not _is_text(document["installation"]):
        raise ReportRefusedError("the installation's code is no text")
    made_at = _instant(document["made_at"])
    months = _months(document["months"])
    senders = _senders(document["senders"])
    rows = _rows(document, senders, months)
    digest = hashlib.sha256(canonical).hexdigest()
    return Report(document["installation"][:40], document["key"], senders, made_at, months, rows, digest)


def _is_text(value: Any) -> bool:
    """Tell whether a value of the file can be shown and kept: anybody can sign a file."""
    return isinstance(value, str) and _UNSHOWN.search(value) is None


def _canonical(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _parsed(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_BYTES:
        raise ReportRefusedError(f"the file has more than {MAX_BYTES} bytes: no report is that large")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ReportRefusedError(
            "the file is no whole JSON document", hint="it may be cut off: copy it again"
        ) from error
    if not isinstance(document, dict) or not str(document.get("format", "")).startswith("dienstweg-ledger/"):
        raise ReportRefusedError(
            "the file is no report of a ledger", hint="'migration ledger export' makes one"
        )
    columns = _FORMATS.get(document["format"]) if isinstance(document["format"], str) else None
    if columns is None:
        raise ReportRefusedError(
            f"the report has format {document['format']!r}, this program reads {' and '.join(_FORMATS)}",
            hint="it comes from a newer Dienstweg: update this installation",
        )
    if sorted(document) != sorted(_MEMBERS) or document["columns"] != list(columns):
        raise ReportRefusedError("the report lacks something, or has something that it should not")
    return document


def _instant(value: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ReportRefusedError(f"made_at is {value!r}, no instant") from error
    if instant.tzinfo is None:
        raise ReportRefusedError("made_at has no time zone")
    if not _YEARS[0] <= instant.year <= _YEARS[1]:
        raise ReportRefusedError(f"made_at is {value!r}, in no year of this program")
    return instant


def _months(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(m, str) and _MONTH.fullmatch(m) for m in value):
        raise ReportRefusedError("the months are no list of months YYYY-MM")
    if len(set(value)) != len(value):
        raise ReportRefusedError("a month is named twice")
    if not all(_YEARS[0] <= int(month[:4]) <= _YEARS[1] for month in value):
        raise ReportRefusedError("a month is in no year of this program")
    return tuple(value)


def _senders(value: Any) -> dict[str, str]:
    good = isinstance(value, dict) and all(_is_text(name) for pair in value.items() for name in pair)
    if not good or not value:
        raise ReportRefusedError("the report does not say of whom it is")
    return {str(key)[:64]: name[:200] for key, name in value.items()}


def _rows(
    document: Mapping[str, Any], senders: Mapping[str, str], months: Sequence[str]
) -> dict[Key, dict[str, Any]]:
    if not isinstance(document["rows"], list):
        raise ReportRefusedError("the rows are no list")
    covered, found = set(months), {}
    columns = document["columns"]
    for number, values in enumerate(document["rows"], start=1):
        if not isinstance(values, list) or len(values) != len(columns):
            raise ReportRefusedError(f"row {number} has not {len(columns)} values")
        row = {**dict.fromkeys(_SINCE_2, 0), **dict(zip(columns, values, strict=True))}
        fault = _fault(row, senders, covered)
        if fault is not None:
            raise ReportRefusedError(f"row {number}: {fault}")
        key = tuple(row[name] for name in (*DIMENSIONS, *SPLITS))
        if key in found:
            raise ReportRefusedError(f"row {number} is there twice")
        durations = {name: [int(m) for m in (row[name] or "").split()] for name in DURATIONS}
        found[key] = {**{name: row[name] for name in SUMS}, **durations}
    return found


def _fault(row: Mapping[str, Any], senders: Mapping[str, str], months: set[str]) -> str | None:
    """Return what is wrong with a row; None where all is well."""
    for name, length in _LENGTHS.items():
        if not _is_text(row[name]) or len(row[name]) > length:
            return f"{name} is no text of up to {length} characters"
    if row["authority_id"] not in senders:
        return f"{row['authority_id']} is none of the report's senders"
    if not isinstance(row["month"], str) or row["month"] not in months:
        return f"{row['month']!r} is none of the report's months"
    if row["state"] not in _STATES or row["level"] not in ("", "A", "B", "C", "D"):
        return "state or level is none that there is"
    for name in SUMS:
        if isinstance(row[name], bool) or not isinstance(row[name], int) or not 0 <= row[name] < 1 << 40:
            return f"{name} is no count"
    for name in DURATIONS:
        if row[name] is not None and not (isinstance(row[name], str) and _MINUTES.fullmatch(row[name])):
            return f"{name} are no minutes"
        if row[name] is not None and len(row[name].split()) > row["exchanges"]:
            return f"{name} are more than there are exchanges"
    whole = max(row["receipts"], row["answered"], row["posted"], row["spared"]) <= row["exchanges"]
    if not (whole and row["presumed"] <= row["notified"] <= row["deadlines"]):
        return "a part is more than the whole"
    return None
