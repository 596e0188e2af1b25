"""The press: one reused compiler that sets letters and returns PDF."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from adapters.letter.codes import Printed
from adapters.letter.errors import LetterUnprintableError
from adapters.letter.pdfs import page_count

ARCHIVE = ("a-2b", "ua-1")
"""PDF/A-2b and PDF/UA-1 at once: what a letter is unless PDF files are appended to it."""
PLAIN = ("1.7",)
"""Tagged PDF without a claim: the compiler embeds no foreign PDF in an archive file."""

_GUESSES = 512


class Press:
    """Sets letters. One compiler with its fonts is kept; calls from several threads take turns."""

    def __init__(self) -> None:
        """Load the fonts that come with the compiler and, as a last resort, the machine's."""
        self._compiler = typst.Compiler(font_paths=_fonts())
        self._layout = (files("adapters.letter") / "layout.typ").read_bytes()
        self._turn = threading.Lock()
        self._guesses: dict[str, int] = {}

    def print(
        self,
        data: Mapping[str, Any],
        codes: Callable[[int], Sequence[tuple[str, Printed]]],
        *,
        kind: str,
        root: Path,
        at: datetime,
        standards: Sequence[str] = ARCHIVE,
    ) -> bytes:
        """Set one letter and return its PDF.

        ``codes`` gives label and code of every sheet once the number of sheets is known. It is guessed from
        the last letter of the same ``kind``; a wrong guess costs a second run. ``root`` holds the pictures
        and attachments that ``data`` names, ``at`` becomes the file's date.

        Raises LetterUnprintableError where the compiler refuses, e.g. for want of a glyph.
        """
        sheets = self._guesses.get(kind, 1)
        for _ in range(4):
            printed = [{"label": label, "text": c.text, "svg": c.svg} for label, c in codes(sheets)]
            pdf = self._compile({**data, "codes": printed}, root, at, standards)
            found = page_count(pdf)
            if found == sheets:
                self._remember(kind, found)
                return pdf
            sheets = found
        raise LetterUnprintableError(
            "the number of pages does not settle", hint="shorten the letter's footer"
        )

    def _compile(self, data: Mapping[str, Any], root: Path, at: datetime, standards: Sequence[str]) -> bytes:
        with self._turn:
            try:
                pdf = self._compiler.compile(
                    self._layout,
                    root=root,
                    format="pdf",
                    sys_inputs={"letter": json.dumps(data, ensure_ascii=False)},
                    pdf_standards=list(standards),  # type: ignore[arg-type]
                    timestamp=int(at.timestamp()),
                )
            except typst.TypstError as error:
                raise LetterUnprintableError(
                    f"the letter cannot be set: {error.message}",
                    hint="; ".join(error.hints) or "look at the characters and attachments named",
                ) from error
        if not isinstance(pdf, bytes):
            raise LetterUnprintableError("the compiler gave no PDF")
        return pdf

    def _remember(self, kind: str, sheets: int) -> None:
        if len(self._guesses) >= _GUESSES:
            self._guesses.clear()
        self._guesses[kind] = sheets


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=True)
