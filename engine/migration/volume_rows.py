"""Figures from files, one row each: what readers of CSV and event logs bring, and what texts mean."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from engine.errors import RefusedError

FIELDS = ("procedure", "step", "sender", "recipient", "channel")
"""What a row says in words; each can be given by the file or for the whole file."""
UNKNOWN = "?"
"""The level of a channel that nobody explained."""
MAX_DISTINCT = 2_000
"""Most texts of one field that are told apart; more mean that the wrong column is mapped."""

Progress = Callable[[int], None]
"""Told how many bytes of the file were read since the last call."""


class VolumeFileRefusedError(RefusedError):
    """The file cannot be read as figures."""


class MappingRefusedError(RefusedError):
    """The mapping does not say what it should."""


@dataclass(frozen=True, slots=True)
class Row:
    """Some exchanges of one relation and month, in the words of the file."""

    line: int
    month: str
    """``2026-03``."""
    texts: Mapping[str, str]
    """Field of ``FIELDS`` → text; an empty one is missing."""
    count: int = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that could not be understood."""

    line: int
    field: str
    message: str


@dataclass
class Tally:
    """What a reader saw beside the rows it gave."""

    faults: list[Fault] = field(default_factory=list)
    """The first ``KEPT`` of them."""
    fault_count: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    """What was rightly passed over → how often, e.g. activities that send nothing."""
    notes: list[str] = field(default_factory=list)
    unclear: dict[str, int] = field(default_factory=dict)
    """Channels that nobody explained, the first ``KEPT`` of them → exchanges; the empty text where none is
    given."""

    KEPT = 1_000

    def unexplained(self, channel: str, count: int) -> None:
        """Count exchanges whose channel is not understood."""
        if channel in self.unclear or len(self.unclear) < self.KEPT:
            self.unclear[channel] = self.unclear.get(channel, 0) + count

    def note(self, text: str) -> None:
        """Keep something worth knowing, once."""
        if text not in self.notes:
            self.notes.append(text)

    def fault(self, line: int, name: str, message: str) -> None:
        """Keep a fault."""
        self.fault_count += 1
        if len(self.faults) < self.KEPT:
            self.faults.append(Fault(line, name, message))

    def leave_out(self, what: str) -> None:
        """Count something that is passed over; raises MappingRefusedError where it is never the same."""
        if what not in self.left_out and len(self.left_out) >= MAX_DISTINCT:
            raise MappingRefusedError(
                f"more than {MAX_DISTINCT} different steps", hint="map step to the name of the activity"
            )
        self.left_out[what] = self.left_out.get(what, 0) + 1


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """How a file's columns or attributes become fields."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """Field → column or attribute."""
    constants: Mapping[str, str] = field(default_factory=dict)
    """Field → text for the whole file."""
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Field → text of the file → what it stands for."""

    def __post_init__(self) -> None:
        """Refuse fields that do not exist; raises MappingRefusedError."""
        known = {*FIELDS, "month", "count", "case", "time"}
        unknown = sorted({*self.columns, *self.constants, *self.values} - known)
        if unknown:
            raise MappingRefusedError(
                f"there is no field {unknown[0]!r}", hint=f"fields are: {', '.join(sorted(known))}"
            )

    def text(self, name: str, found: str | None) -> str:
        """Return the text of a field: the file's, translated, else the constant, else nothing."""
        raw = (found or "").strip()
        if not raw:
            return self.constants.get(name, "")
        return self.values.get(name, {}).get(raw, raw)

    def to_json(self) -> dict[str, Any]:
        """Return the mapping as it is kept with an import."""
        values = {name: dict(texts) for name, texts in self.values.items()}
        return {"columns": dict(self.columns), "constants": dict(self.constants), "values": values}


_LEVELS = {
    "A": "post brief briefpost papier fax telefax bote einschreiben letter paper mail-paper letter+post",
    "B": "e-mail email mail internet web portal online de-mail document+ego_mail ego-mail egomail bebpo pdf",
    "C": "xdomea xta xöv xoev fit-connect xdomea+folder xdomea+ego_mail strukturiert",
    "D": "abruf registerabruf",
}
_LEVEL_OF = {word: level for level, words in _LEVELS.items() for word in words.split()}


def level_of(channel: str) -> str:
    """Return the evidence level of a channel's text: a level itself, or a common word; else ``UNKNOWN``."""
    text = channel.strip()
    return text if text in _LEVELS else _LEVEL_OF.get(text.lower(), UNKNOWN)


_MONTHS = ("jan", "feb", "mrz", "apr", "mai", "jun", "jul", "aug", "sep", "okt", "nov", "dez")
_SAME = {"mär": "mrz", "mar": "mrz", "may": "mai", "oct": "okt", "dec": "dez"}
_TIME = r"([T ]\d{1,2}:\d{2}(:\d{2})?)?"
_FORMS = (
    re.compile(r"(?P<year>\d{4})-(?P<month>\d{1,2})(-(?P<day>\d{1,2})" + _TIME + ")?"),
    re.compile(r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4}|\d{2})" + _TIME),
    re.compile(r"(?P<month>\d{1,2})\.(?P<year>\d{4})"),
    re.compile(r"(?P<month>\d{1,2})/(?P<year>\d{4})"),
    re.compile(r"(?P<name>[a-zäA-ZÄ]{3})[a-zä]*\.?[ -](?P<year>\d{4}|\d{2})"),
)
_LATEST_SHORT = 89
"""A year of two digits up to this lies in this century; 90 to 99 may be either, and are not guessed."""


def month_of(text: str) -> str | None:
    """Return ``2026-03`` for ``2026-03``, ``03.2026``, ``15.03.26``, ``3/2026`` or Excel's ``Mrz 26``.

    A year of two digits is 20xx up to 89; a time of day behind a day is passed over.
    """
    for form in _FORMS:
        found = form.fullmatch(text.strip())
        if found is None:
            continue
        parts = found.groupdict()
        year = int(parts["year"])
        if len(parts["year"]) == 2:
            if year > _LATEST_SHORT:
                return None
            year += 2000
        name = (parts.get("name") or "").lower()
        name = _SAME.get(name, name)
        month = _MONTHS.index(name) + 1 if name in _MONTHS else int(parts.get("month") or 0)
        known = _is_day(year, month, int(parts.get("day") or 1))
        return f"{year:04d}-{month:02d}" if known else None
    return None


def _is_day(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return _YEARS[0] <= year <= _YEARS[1]


_YEARS = (1990, 2100)


def has_short_year(text: str) -> bool:
    """Tell whether a month is written with a year of two digits."""
    found = (form.fullmatch(text.strip()) for form in _FORMS)
    return any(len(each["year"]) == len("26") for each in found if each is not None)


_COUNT = re.compile(r"\d{1,9}|\d{1,3}([.\u00a0\u202f ]\d{3}){1,2}")


def count_of(text: str) -> int | None:
    """Return a whole number, with points or spaces between thousands as German spreadsheets write it."""
    if not _COUNT.fullmatch(text.strip()):
        return None
    return int(re.sub(r"\D", "", text))
