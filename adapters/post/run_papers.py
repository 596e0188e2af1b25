"""The papers of a print run: separator sheets, and the posting list as PDF and CSV."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import date, datetime
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import typst

from adapters.post.joining import Joiner
from adapters.post.tariffs import euros

if TYPE_CHECKING:
    from adapters.post.runs import Planned

    Groups = Sequence[tuple[str, Sequence[Planned]]]

_COLUMNS = ("Nr.", "Empfänger", "Zeichen", "Sendungsart", "Seiten", "Gramm", "Entgelt")
_CSV = (
    "position",
    "dispatch",
    "file",
    "recipient",
    "reference",
    "product",
    "registered",
    "pages",
    "grams",
    "cents",
    "remark",
)
_LINES = 22
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Papers:
    """Writes the papers of one run."""

    def __init__(self, run: str, authority: str, day: date) -> None:
        """Name run, authority and day on every paper."""
        self._run, self._authority, self._day = run, authority, day

    @cached_property
    def _compiler(self) -> typst.Compiler:
        return typst.Compiler(font_paths=typst.Fonts(include_system_fonts=False))

    @cached_property
    def _layout(self) -> bytes:
        return (files("adapters.post") / "papers.typ").read_bytes()

    def separator(
        self, number: int, of: int, title: str, letters: Sequence["Planned"], at: datetime
    ) -> bytes:
        """Return the sheet that goes before a group of letters."""
        first, last = letters[0].position, letters[-1].position
        facts = [
            ("Stück", str(len(letters))),
            ("Nummern", f"{first} bis {last}"),
            ("Entgelt", euros(sum(it.cents or 0 for it in letters))),
            ("Drucklauf", self._run),
            ("Stapel", f"{number} von {of}"),
        ]
        return self._print({"kind": "separator", "heading": title, "facts": facts}, at)

    def write_list(self, groups: "Groups", at: datetime, target: BinaryIO, folder: Path) -> None:
        """Write the posting list for the post office, with room for date and signature, as PDF.

        It is set in pieces of one page, so that memory does not grow with the run.
        """
        letters = [it for _, group in groups for it in group]
        total = sum(it.cents or 0 for it in letters)
        totals = [f"{title}: {len(group)} Stück" for title, group in groups]
        totals.append(f"Zusammen {len(letters)} Stück, {euros(total)}")
        day = self._day.strftime("%d.%m.%Y")
        joiner, piece = Joiner(target), folder / ".list.pdf"
        for start in range(0, len(letters), _LINES):
            last = start + _LINES >= len(letters)
            data = {
                "kind": "list",
                "heading": f"Postliste {self._authority}, {day}, Drucklauf {self._run}",
                "first_page": joiner.pages + 1,
                "columns": _COLUMNS,
                "rows": [_row(it) for it in letters[start : start + _LINES]],
                "totals": totals if last else [],
            }
            piece.write_bytes(self._print(data, at))
            joiner.add(piece)
        joiner.finish()
        piece.unlink()

    def list_csv(self, groups: "Groups") -> bytes:
        """Return the posting list as CSV: UTF-8 with mark, semicolons, as office programs here read it."""
        target = io.StringIO()
        writer = csv.writer(target, delimiter=";", lineterminator="\r\n")
        writer.writerow(_CSV)
        for _, letters in groups:
            for it in letters:
                letter = it.letter
                values = (
                    it.position,
                    letter.dispatch,
                    letter.name,
                    ", ".join(letter.recipient),
                    letter.reference,
                    it.product,
                    letter.registered,
                    letter.pages,
                    "" if it.grams is None else it.grams,
                    "" if it.cents is None else it.cents,
                    it.remark,
                )
                writer.writerow([_harmless(value) for value in values])
        return target.getvalue().encode("utf-8-sig")

    def _print(self, data: dict[str, Any], at: datetime) -> bytes:
        title = f"Drucklauf {self._run}"
        pdf = self._compiler.compile(
            self._layout,
            format="pdf",
            sys_inputs={"paper": json.dumps({"title": title, **data}, ensure_ascii=False)},
            timestamp=int(at.timestamp()),
            pdf_tags=False,
        )
        if not isinstance(pdf, bytes):
            raise TypeError("the compiler gave no PDF")
        return pdf


def _row(it: "Planned") -> tuple[str, ...]:
    return (
        str(it.position),
        ", ".join(it.letter.recipient),
        it.letter.reference,
        it.title,
        str(it.letter.pages),
        "–" if it.grams is None else str(it.grams),
        "–" if it.cents is None else euros(it.cents),
    )


def _harmless(value: object) -> object:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
