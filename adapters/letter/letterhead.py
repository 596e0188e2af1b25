"""Whose letter it is: logo, fonts and footer, from ``[adapters.letter]`` in ``dienstweg.toml``.

``[adapters.letter]`` holds ``logo`` (path of a PNG, JPEG or SVG), ``fonts`` (list of family names) and
``footer`` (up to four columns, each a list of lines). A table ``[adapters.letter.authority.<id>]`` holds the
same for one authority and wins.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.letter.body import one_line
from adapters.letter.errors import LetterheadRefusedError
from engine.exchange.ports import Party

DEFAULT_FONTS = ("Libertinus Serif", "DejaVu Serif")
LOGO_TYPES = (".png", ".jpg", ".jpeg", ".svg")
MAX_COLUMNS, MAX_LINES = 4, 4

_KEYS = frozenset({"logo", "fonts", "footer"})


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What an authority's letters look like."""

    logo: Path | None = None
    fonts: tuple[str, ...] = DEFAULT_FONTS
    footer: tuple[tuple[str, ...], ...] | None = None
    """Columns of lines; None: made from the sender's address and contact."""


def read_letterhead(settings: Mapping[str, Any], authority_id: str, home: Path) -> Letterhead:
    """Read the letterhead of one authority; relative paths start at ``home``.

    Raises LetterheadRefusedError that names the faulty setting.
    """
    own = settings.get("authority", {}).get(authority_id, {})
    values = {key: value for key, value in settings.items() if key != "authority"} | dict(own)
    unknown = sorted(set(values) - _KEYS)
    if unknown:
        raise LetterheadRefusedError(
            f"unknown setting {unknown[0]!r}", where="[adapters.letter]", hint="known: footer, fonts, logo"
        )
    fonts = values.get("fonts")
    return Letterhead(
        logo=_logo(values.get("logo"), home),
        fonts=(*_texts(fonts, "fonts"), *DEFAULT_FONTS) if fonts is not None else DEFAULT_FONTS,
        footer=_footer(values.get("footer")),
    )


def footer_of(head: Letterhead, sender: Party) -> list[list[str]]:
    """Return the footer's columns, from the settings or from what is known of the sender."""
    if head.footer is not None:
        return [list(column) for column in head.footer]
    address = [one_line(line) for line in (sender.name, *sender.address) if one_line(line)][:MAX_LINES]
    names = (("phone", "Telefon"), ("email", "E-Mail"))
    contact = [f"{label} {one_line(sender.contact[key])}" for key, label in names if sender.contact.get(key)]
    return [column for column in (address, contact) if column]


def _logo(value: object, home: Path) -> Path | None:
    if value is None:
        return None
    path = home / str(value)
    if path.suffix.lower() not in LOGO_TYPES or not path.is_file():
        raise LetterheadRefusedError(
            f"logo {value!r} is no picture that can be read",
            where="[adapters.letter]",
            hint=f"a file with the ending {', '.join(LOGO_TYPES)}",
        )
    return path


def _footer(value: object) -> tuple[tuple[str, ...], ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MAX_COLUMNS:
        raise LetterheadRefusedError(
            "footer is no list of at most four columns",
            where="[adapters.letter]",
            hint='[["line", "line"], …]',
        )
    columns = tuple(_texts(column, "footer") for column in value)
    if any(len(column) > MAX_LINES for column in columns):
        raise LetterheadRefusedError(f"footer has more than {MAX_LINES} lines", where="[adapters.letter]")
    return columns


def _texts(value: object, name: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise LetterheadRefusedError(f"{name} is no list of texts", where="[adapters.letter]")
    return tuple(one_line(item) for item in value)
