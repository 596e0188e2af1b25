"""Printed codes as DataMatrix pictures, and what a DataMatrix on a page says."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import zxingcpp

from engine.exchange.codes import Code, CodeUnreadableError, Kind, parse_code
from engine.exchange.ports import Reference

CODE_PREFIX = "DW1:"
"""What a DataMatrix of ours begins with, before the code without hyphens."""
EXCHANGE_PREFIX = "DWX:"
"""Before the id of a partner's exchange that came electronically and has no printed code."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Printed:
    """A code as text and as an SVG picture of one unit a module, without quiet zone."""

    text: str
    svg: str


def print_code(code: Code) -> Printed:
    """Draw a code."""
    return Printed(code.text, _svg(CODE_PREFIX + code.compact))


def print_partner_reference(value: str) -> Printed | None:
    """Draw what a partner gave as the id of its message, so that it finds it on our answer.

    A printed code and a UUID can be drawn; for anything else None is returned.
    """
    try:
        return print_code(parse_code(value))
    except CodeUnreadableError:
        lowered = value.lower()
        return Printed(value, _svg(EXCHANGE_PREFIX + lowered.upper())) if _UUID.fullmatch(lowered) else None


def understand(content: str) -> Code | Reference | None:
    """Return the code or exchange reference that a DataMatrix holds; None where it is not ours."""
    if content.startswith(EXCHANGE_PREFIX):
        value = content.removeprefix(EXCHANGE_PREFIX).lower()
        return Reference("exchange", value) if _UUID.fullmatch(value) else None
    if not content.startswith(CODE_PREFIX):
        return None
    try:
        return parse_code(content.removeprefix(CODE_PREFIX))
    except CodeUnreadableError:
        return None


def sheet_codes(letter: Code, answer: Code | None, sheets: int) -> Sequence[Code]:
    """Return the code of every sheet of a letter of ``sheets``, the answer sheet being the last.

    Raises TooManyPagesError above 1023 pages.
    """
    pages = sheets - (answer is not None)
    numbered = [letter.on(page, pages) for page in range(1, pages + 1)]
    return [*numbered, answer.on(1, 1)] if answer is not None else numbered


def label(code: Code) -> str:
    """Return what stands beside a code, in German."""
    return "Antwortblatt" if code.kind is Kind.ANSWER else f"Seite {code.page} von {code.pages}"


def _svg(content: str) -> str:
    barcode = zxingcpp.create_barcode(content, zxingcpp.BarcodeFormat.DataMatrix, force_square=True)
    # The picture offers Python's buffer protocol, which its type stub does not say.
    image: Any = zxingcpp.write_barcode_to_image(barcode, scale=1, add_quiet_zones=False)
    view: Any = memoryview(image)
    modules: list[list[int]] = view.tolist()
    height, width = len(modules), len(modules[0])
    dark = [[value < 128 for value in row] for row in modules]
    path = "".join(_runs(row, cells) for row, cells in enumerate(dark))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" shape-rendering="crispEdges"><path d="{path}"/></svg>'
    )


def _runs(row: int, cells: list[bool]) -> str:
    """Draw one row's dark modules, neighbours in one rectangle."""
    drawn, column = "", 0
    while column < len(cells):
        start = column
        while column < len(cells) and cells[column]:
            column += 1
        if column > start:
            drawn += f"M{start} {row}h{column - start}v1h-{column - start}z"
        column += 1
    return drawn
