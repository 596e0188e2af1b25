"""Figures from CSV files as spreadsheets write them in Germany."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from engine.migration.volume_rows import (
    FIELDS,
    ColumnMap,
    MappingRefusedError,
    Progress,
    Row,
    Tally,
    VolumeFileRefusedError,
    count_of,
    has_short_year,
    month_of,
)

MAX_BYTES = 100_000_000
COLUMNS = (*FIELDS, "month", "count")
GERMAN = {
    "verfahren": "procedure",
    "schritt": "step",
    "absender": "sender",
    "von": "sender",
    "empfänger": "recipient",
    "empfaenger": "recipient",
    "an": "recipient",
    "kanal": "channel",
    "monat": "month",
    "anzahl": "count",
    "n": "count",
}
"""Headings that are understood beside the fields' names."""


def read_csv(path: Path, mapping: ColumnMap, tally: Tally, progress: Progress) -> Iterator[Row]:
    """Yield the rows of a CSV file; what cannot be understood is a fault of ``tally``, with its line.

    Semicolons, commas or tabs, or what a first line ``sep=;`` says; UTF-8 (with or without byte order mark),
    UTF-16 with one, else Windows-1252. The first line names the columns. What is assumed is a note of
    ``tally``. Raises VolumeFileRefusedError, MappingRefusedError.
    """
    text = _text(path, progress)
    delimiter, said = delimiter_of(text, path.name)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        if said:
            next(reader)
            tally.note(f"columns are parted by {delimiter!r}, as the first line says")
        heading = next(reader, [])
        places = _places(heading, mapping, tally)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                row = _row(reader.line_num, cells, places, mapping, tally)
                if row is not None:
                    yield row
    except csv.Error as error:
        raise VolumeFileRefusedError(
            f"line {reader.line_num}: {error}", where=path.name, hint="save it as CSV again"
        ) from error


def _text(path: Path, progress: Progress) -> str:
    with path.open("rb") as source:
        raw = source.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise VolumeFileRefusedError(
            f"the file is larger than {MAX_BYTES} bytes", where=path.name, hint="split it by month"
        )
    progress(len(raw))
    return text_of(raw, path.name)


def text_of(raw: bytes, name: str) -> str:
    """Return the text of a file as spreadsheets save it; raises VolumeFileRefusedError for what is none."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            return _decoded(raw, encoding, name)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = _decoded(raw, "cp1252", name)
    if "\0" in text:
        raise VolumeFileRefusedError("the file is no text", where=name, hint="save it as CSV")
    return text


def _decoded(raw: bytes, encoding: str, name: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise VolumeFileRefusedError(
            f"byte {error.start} is no {encoding}", where=name, hint="save it as 'CSV UTF-8'"
        ) from error


_SEP = re.compile(r'"?sep=(?P<mark>[^\r\n]?)"?[;,\t]*', re.IGNORECASE)
_MARKS = ";,\t|"


def delimiter_of(text: str, name: str) -> tuple[str, bool]:
    """Return what parts columns, and whether a first line ``sep=;`` says so, which holds no data itself.

    Raises VolumeFileRefusedError where such a line names something that parts no columns.
    """
    first = text[:_LONGEST_LINE].removeprefix("\ufeff").partition("\n")[0].rstrip("\r")
    found = _SEP.fullmatch(first)
    if found is None:
        return max(";,\t", key=first.count), False
    if not found["mark"] or found["mark"] not in _MARKS:
        raise VolumeFileRefusedError(
            f"line 1: {first!r} names nothing that parts columns",
            where=name,
            hint="write sep=; or leave the line out",
        )
    return found["mark"], True


_LONGEST_LINE = 1 << 16


def _places(heading: list[str], mapping: ColumnMap, tally: Tally) -> Mapping[str, int]:
    """Return where each field stands in a line."""
    names = [cell.strip().lower() for cell in heading]
    wanted = {column.strip().lower(): name for name, column in mapping.columns.items()}
    missing = sorted(set(wanted) - set(names))
    if missing:
        raise MappingRefusedError(
            f"there is no column {missing[0]!r}", hint=f"columns are: {', '.join(heading) or 'none'}"
        )
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        meant = wanted.get(name) or (name if name in COLUMNS else GERMAN.get(name))
        if meant is None or (meant in mapping.columns and name not in wanted):
            tally.notes.append(f"column {heading[place].strip()!r} is not used")
        elif meant in places:
            raise MappingRefusedError(f"two columns give {meant}", hint="map one of them with --map")
        else:
            places[meant] = place
    lacking = [
        name
        for name in ("procedure", "step", "recipient", "month", "count")
        if name not in places and name not in mapping.constants
    ]
    if lacking:
        raise MappingRefusedError(
            f"no column gives {', '.join(lacking)}",
            hint=f"columns are: {', '.join(heading) or 'none'}; name them with --map FIELD=COLUMN or --set",
        )
    return places


def _row(
    line: int, cells: list[str], places: Mapping[str, int], mapping: ColumnMap, tally: Tally
) -> Row | None:
    def raw(name: str) -> str:
        place = places.get(name)
        return cells[place] if place is not None and place < len(cells) else ""

    texts = {name: mapping.text(name, raw(name)) for name in COLUMNS}
    month, count = month_of(texts["month"]), count_of(texts["count"])
    if month is None:
        short = "with the whole year: " if has_short_year(texts["month"]) else ""
        tally.fault(line, "month", f"{texts['month']!r} is no month: write {short}2026-03")
    elif count is None:
        tally.fault(line, "count", f"{texts['count']!r} is no whole number")
    else:
        if has_short_year(texts["month"]):
            tally.note("years of two digits are read as 20xx, e.g. 26 as 2026")
        return Row(line, month, {name: texts[name] for name in FIELDS}, count) if count else None
    return None
