"""Showing things: tables for people, JSON for programs, one way for every command."""

import csv
import json
import os
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, TextIO
from zoneinfo import ZoneInfo

import typer

from cli.errors import CommandLineError

ZONE = ZoneInfo("Europe/Berlin")


class DataRefusedError(CommandLineError):
    """The data is no JSON object, or no KEY=VALUE."""


Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


Csv = Annotated[bool, typer.Option("--csv", help="Print CSV with semicolons instead of a table.")]


def plain(value: Any) -> Any:
    """Return ``value`` as JSON data: instants in ISO 8601 (UTC), enums by value, dataclasses as objects."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, (str, int, float, bool)) or value is None:
        return value
    return str(value)


def print_json(value: Any) -> None:
    """Print one JSON value."""
    json.dump(plain(value), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def print_written(paths: Sequence[Path], json: bool) -> None:
    """Print where files were written, a line each or as JSON."""
    if json:
        print_json([str(path) for path in paths])
        return
    for path in paths:
        typer.echo(path)


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows as CSV: UTF-8, parted by semicolons, instants in ISO 8601.

    What a spreadsheet might take for a formula gets an apostrophe in front. A file begins with a byte order
    mark, without which Excel does not know UTF-8; a program that reads a pipe gets none.
    """
    if _begins_file(sys.stdout):
        sys.stdout.write("\ufeff")
    writer = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_csv_value(value) for value in row])


def _begins_file(stream: TextIO) -> bool:
    """Tell whether what is written next is the beginning of a file on disk."""
    try:
        found = os.fstat(stream.fileno())
    except OSError:  # no stream of the operating system
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == 0


def listing(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str, *, csv: bool) -> None:
    """Print rows as CSV, or as a table for people."""
    if csv:
        print_csv(columns, rows)
    else:
        table(columns, list(rows), title)


_FORMULAS = ("=", "+", "-", "@", "\t", "\n")
"""Beginnings after which spreadsheets compute; some skip white space in front."""


def _csv_value(value: Any) -> Any:
    value = plain(value)
    if isinstance(value, list):
        value = ", ".join(str(item) for item in value)
    if not isinstance(value, str):
        return value
    value = value.replace("\r\n", "\n").replace("\r", "\n")  # a bare CR is written unquoted and ends the row
    return f"'{value}" if value.startswith(_FORMULAS) else value


def cell(value: Any) -> str:
    """Return a value as a table shows it; instants in local time."""
    if value is None or value == "":
        return "–"
    if isinstance(value, datetime):
        return value.astimezone(ZONE).strftime("%d.%m.%Y %H:%M")
    if isinstance(value, date):
        return value.strftime("%d.%m.%Y")
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(item) for item in value) or "–"
    return str(value)


def short(identifier: str | None) -> str | None:
    """Return the short number of an id; every command takes it where it is unambiguous."""
    from engine.service.numbers import number_of

    return number_of(identifier) if identifier else None


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """Print rows as a table; an empty one says so."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    drawn = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    count = 0
    for row in rows:
        drawn.add_row(*(cell(value) for value in row))
        count += 1
    console = console_()
    if count:
        console.print(drawn)
    else:
        console.print(f"{title}: keine (none)" if title else "keine (none)")


def console_() -> Any:
    """Return a console; piped output is not cut to a terminal's width."""
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 160)


def read_data(text: str | None) -> dict[str, Any]:
    """Read ``--data``: a JSON object, or ``@FILE`` holding one; raise DataRefusedError."""
    if text is None:
        return {}
    source = text
    if text.startswith("@"):
        try:
            source = Path(text[1:]).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise DataRefusedError(f"cannot read {text[1:]}: {error}") from error
    try:
        value = json.loads(source)
    except json.JSONDecodeError as error:
        raise DataRefusedError(
            f"--data is no JSON: {error.msg} (line {error.lineno}, column {error.colno})",
            hint="""write an object like '{"betrag": 120.5}', or @file.json""",
        ) from error
    if not isinstance(value, dict):
        raise DataRefusedError("--data is no JSON object", hint="write an object: {…}")
    return value


def read_pairs(pairs: Sequence[str]) -> dict[str, str]:
    """Read ``KEY=VALUE`` options; raise DataRefusedError for one without an equals sign."""
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise DataRefusedError(f"--set {pair!r} has no equals sign", hint="write KEY=VALUE")
        found[key] = value
    return found


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the fields of ``over`` put in, group by group."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def flat(data: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return nested data as dotted names with their values, as forms name their fields."""
    rows: list[tuple[str, Any]] = []
    for key, value in data.items():
        if isinstance(value, Mapping):
            rows += flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", value))
    return rows
