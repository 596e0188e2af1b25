"""Reading authorities from a CSV file that an admin keeps."""

import csv
from collections.abc import Mapping
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

from engine.errors import RefusedError

_PLAIN = ("name", "official_name", "kind", "district_id")
_DATES = ("valid_from", "valid_until")
_CONTACT = ("phone", "email")
KNOWN = frozenset({"id", "address", *_PLAIN, *_DATES, *_CONTACT})


class DirectoryFileRefusedError(RefusedError):
    """The file of authorities cannot be used."""


def read_authorities(file: Path) -> list[dict[str, Any]]:
    """Read authorities: a header line, then one line each; ``address`` lines are parted by ``|`` or line
    breaks.

    Raises DirectoryFileRefusedError naming line and column; nothing is read then.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DirectoryFileRefusedError(f"cannot be read: {error}", where=str(file)) from error
    reader = csv.DictReader(StringIO(text, newline=""), strict=True)
    columns = set(reader.fieldnames or ())
    if "id" not in columns or columns - KNOWN:
        wrong = ", ".join(sorted(columns - KNOWN)) or "id is missing"
        raise DirectoryFileRefusedError(
            f"wrong columns: {wrong}", where=str(file), hint=f"known are: {', '.join(sorted(KNOWN))}"
        )
    return [_row(row, f"{file}:{number}") for number, row in enumerate(reader, start=2)]


def _row(row: Mapping[str, str | None], where: str) -> dict[str, Any]:
    key = (row.get("id") or "").strip()
    if not key:
        raise DirectoryFileRefusedError("id is empty", where=where)
    values: dict[str, Any] = {"id": key}
    for name in _PLAIN:
        if row.get(name):
            values[name] = str(row[name]).strip()
    for name in _DATES:
        if row.get(name):
            try:
                values[name] = date.fromisoformat(str(row[name]).strip())
            except ValueError as error:
                raise DirectoryFileRefusedError(
                    f"{name} is {row[name]!r}", where=where, hint="write YYYY-MM-DD"
                ) from error
    if row.get("address"):
        lines = str(row["address"]).replace("|", "\n").splitlines()
        values["address"] = [line.strip() for line in lines if line.strip()]
    contact = {name: str(row[name]).strip() for name in _CONTACT if row.get(name)}
    if contact:
        values["contact"] = contact
    return values
