"""From a template's plain text to the blocks of a letter.

Paragraphs are parted by empty lines; their lines flow together, a backslash at a line's end keeps the break.
``# `` begins a heading, ``- `` a list item, ``| left | right |`` a row; a paragraph of nothing but
``Label: value`` lines, at least two, is a block of rows as well. What comes from data never forms structure.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Block = dict[str, Any]

_BREAK = "\u2028"
"""Stands for a line break inside data."""
_SHIELD = "\u2060"
"""Word joiner, put before data that would look like structure; prints nothing."""
_STRUCTURE = re.compile(r"[\s\u2060]*[#|\-\\]")
_CONTROLS = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2066-\u2069\u202a-\u202e\ufeff\ufff0-\uffff]"
)
_ROW = re.compile(r"([^:|]{1,40}):\s+(\S.*)")


def plain(text: str) -> str:
    """Return text without control characters and direction overrides, line breaks as ``\\n``."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u0085", "\n").replace("\u2029", "\n")
    return _CONTROLS.sub("", unified.replace(_BREAK, "\n").replace("\t", " "))


def one_line(text: str) -> str:
    """Return text as one line without control characters."""
    return " ".join(plain(text).split())


def shield(value: Any) -> Any:
    """Return data whose texts cannot form structure: their line breaks stay inside the paragraph."""
    if isinstance(value, str):
        text = plain(value).strip("\n").replace("\n", _BREAK).replace("|", f"{_SHIELD}|")
        return _SHIELD + text if _STRUCTURE.match(text) else text
    if isinstance(value, Mapping):
        return {key: shield(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [shield(item) for item in value]
    return value


def read_body(text: str) -> list[Block]:
    """Read a template's text into blocks."""
    blocks: list[Block] = []
    for paragraph in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        lines = [line.strip(" \t") for line in paragraph.split("\n") if line.strip(" \t")]
        if lines:
            blocks.extend(_blocks(lines))
    return blocks


def _blocks(lines: Sequence[str]) -> list[Block]:
    labelled = [_ROW.fullmatch(line) for line in lines]
    if len(lines) > 1 and all(labelled):
        return [{"kind": "rows", "rows": [_row(m[1], m[2]) for m in labelled if m]}]
    pieces: list[tuple[str, list[str]]] = []
    for line in lines:
        kind, text = _kind(line)
        if kind == "paragraph" and pieces and pieces[-1][0] in ("paragraph", "list"):
            pieces[-1][1].append(text)  # the line flows on
        else:
            pieces.append((kind, [text]))
    blocks: list[Block] = []
    for kind, texts in pieces:
        _add(blocks, kind, texts)
    return blocks


def _add(blocks: list[Block], kind: str, texts: Sequence[str]) -> None:
    """Add a block, or join it to the list or rows before it."""
    if kind in ("paragraph", "heading"):
        blocks.append({"kind": kind, "lines": _joined(texts)})
        return
    part = "items" if kind == "list" else "rows"
    if not blocks or blocks[-1]["kind"] != kind:
        blocks.append({"kind": kind, part: []})
    blocks[-1][part].append(_joined(texts) if kind == "list" else _cells(texts[0]))


def _joined(lines: Sequence[str]) -> list[str]:
    """Let lines flow together, except after a backslash and at line breaks of data."""
    text = ""
    for line in lines:
        text += line[:-1].rstrip() + _BREAK if line.endswith("\\") else line + " "
    return [part.replace(_SHIELD, "").strip() for part in text.strip().split(_BREAK)]


def _kind(line: str) -> tuple[str, str]:
    if line.startswith("# "):
        return "heading", line[2:]
    if line.startswith("- "):
        return "list", line[2:]
    if line.startswith("|") and line.endswith("|") and len(line) > 2:
        return "rows", line[1:-1]
    return "paragraph", line


def _cells(line: str) -> list[Any]:
    left, *others = re.split(rf"(?<!{_SHIELD})\|", line)
    return _row(left, " · ".join(cell.strip() for cell in others))


def _row(left: str, right: str) -> list[Any]:
    return [" ".join(_joined([left])), _joined([right])]
