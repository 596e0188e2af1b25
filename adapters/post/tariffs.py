"""Postage by a dated table (``tariffs.csv``); the weight follows from the number of sheets."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

from adapters.post.errors import PostSettingsRefusedError, TariffMissingError

SHEET_GRAMS = 4.99
"""A4 at 80 g/m²: 0.0624 m²."""
FOLDED_SHEETS = 9
"""More sheets are not folded into a long envelope, they go flat."""
LONG_ENVELOPE_GRAMS, FLAT_ENVELOPE_GRAMS = 4.5, 20.0

WARN_BEFORE = timedelta(days=60)
"""So long before the table ends people are told: price lists are published some weeks ahead."""

_FLAT = frozenset({"gross", "maxi"})


@dataclass(frozen=True, slots=True)
class Tariff:
    """A product, or a registered variant's surcharge, in a period."""

    kind: str
    key: str
    title: str
    max_grams: int | None
    cents: int
    valid_from: date
    valid_until: date | None
    source: str

    def holds(self, on: date) -> bool:
        """Tell whether the tariff is in force on a day."""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)


@dataclass(frozen=True, slots=True)
class Postage:
    """What one letter costs."""

    product: str
    title: str
    grams: int
    cents: int


def read_tariffs(path: Path | None = None) -> tuple[Tariff, ...]:
    """Read a tariff table; without a path the one that comes with the post.

    Raises PostSettingsRefusedError with the faulty line.
    """
    try:
        text = (path or files("adapters.post") / "tariffs.csv").read_text(encoding="utf-8")
    except OSError as error:
        raise PostSettingsRefusedError(
            f"cannot read the tariffs: {error}", where="[adapters.post]"
        ) from error
    rows = csv.DictReader(io.StringIO(text))
    return tuple(_tariff(number, row, path) for number, row in enumerate(rows, start=2))


def ending(tariffs: Sequence[Tariff], on: date, path: Path | None = None) -> str | None:
    """Tell what to mend where the table has prices ending within ``WARN_BEFORE`` and none that follow.

    ``path``: the table's file; None: the one that comes with the post.
    """
    last: dict[tuple[str, str], date] = {}
    for it in tariffs:
        key = (it.kind, it.key)
        last[key] = max(last.get(key, date.min), it.valid_until or date.max)
    ends = sorted((end, key) for (_, key), end in last.items() if end <= on + WARN_BEFORE)
    if not ends:
        return None
    keys = ", ".join(key for _, key in ends)
    mend = (
        f"neue Preise in {path} nachtragen (add the new prices)"
        if path is not None
        else 'eigene Tabelle mit den neuen Preisen als tariffs = "tarife.csv" unter [adapters.post] in '
        "dienstweg.toml eintragen (name an own table with the new prices)"
    )
    return f"Die Entgelttabelle endet am {ends[0][0]:%d.%m.%Y} (tariffs end) für {keys}: {mend}"


def sheets_of(pages: int, *, duplex: bool, answer_sheet: bool = False) -> int:
    """Return how many sheets ``pages`` take; an answer sheet among them, the last page, has its own."""
    if not duplex:
        return pages
    return (pages + 1) // 2 if not answer_sheet else pages // 2 + 1


def postage(
    tariffs: Sequence[Tariff],
    pages: int,
    registered: str,
    on: date,
    *,
    duplex: bool,
    answer_sheet: bool = False,
) -> Postage:
    """Return the cheapest product that takes the letter on that day, with its registered surcharge.

    ``answer_sheet``: the last page goes on a sheet of its own.

    Raises TariffMissingError where the table has nothing for that day, weight or variant.
    """
    sheets = sheets_of(pages, duplex=duplex, answer_sheet=answer_sheet)
    in_force = [tariff for tariff in tariffs if tariff.holds(on)]
    products = sorted((t for t in in_force if t.kind == "product"), key=lambda t: t.max_grams or 0)
    if not products:
        raise TariffMissingError(
            f"no postage is known for {on.isoformat()}", hint="add the new price list to the tariff table"
        )
    surcharge, prefix = 0, ""
    if registered != "none":
        variant = next((t for t in in_force if t.kind == "registered" and t.key == registered), None)
        if variant is None:
            raise TariffMissingError(f"no surcharge is known for {registered!r} on {on.isoformat()}")
        surcharge, prefix = variant.cents, f"{variant.title}, "
    for product in products:
        grams = weight(sheets, flat=product.key in _FLAT)
        fits = product.key in _FLAT or sheets <= FOLDED_SHEETS
        if fits and grams <= (product.max_grams or 0):
            return Postage(product.key, prefix + product.title, grams, product.cents + surcharge)
    raise TariffMissingError(
        f"{sheets} sheets weigh {weight(sheets, flat=True)} g, more than any letter may", hint="send a parcel"
    )


def weight(sheets: int, *, flat: bool) -> int:
    """Return the weight in grams, envelope included, rounded up."""
    envelope = FLAT_ENVELOPE_GRAMS if flat else LONG_ENVELOPE_GRAMS
    return int(-(-(sheets * SHEET_GRAMS + envelope) // 1))


def euros(cents: int) -> str:
    """Write cents as euros, ``1,10 €``."""
    return f"{cents // 100},{cents % 100:02d} €"


def _tariff(number: int, row: dict[str, str], path: Path | None) -> Tariff:
    try:
        return Tariff(
            kind=row["kind"],
            key=row["key"],
            title=row["title"],
            max_grams=int(row["max_grams"]) if row["max_grams"] else None,
            cents=int(row["cents"]),
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
            source=row["source"],
        )
    except (KeyError, ValueError, TypeError) as error:
        raise PostSettingsRefusedError(
            f"line {number} of the tariffs is faulty: {error}",
            where=str(path or "tariffs.csv"),
            hint="kind,key,title,max_grams,cents,valid_from,valid_until,source",
        ) from error
