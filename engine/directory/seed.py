"""The authorities that ship with Dienstweg: the Saarland, its six districts, its 52 municipalities.

Source and dates: ``docs/reference/directory.md``. The keys are those of the official municipality key (AGS):
2 digits for the Land, 5 for a district, 8 for a municipality, each beginning with its district's.
"""

import csv
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

SAARLAND = "10"
"""Key of the Land; the keys of all its districts and municipalities begin with it."""
KINDS = ("land", "district", "municipality")
COLUMNS = ("key", "name", "official_name", "kind", "district_key", "valid_from", "valid_until")
_KEY_LENGTH = {"land": 2, "district": 5, "municipality": 8}


@dataclass(frozen=True, slots=True)
class AuthorityRecord:
    """An authority as the shipped directory knows it."""

    id: str
    """AGS: 2, 5 or 8 digits by kind."""
    name: str
    official_name: str
    """As it stands in a letterhead, e.g. ``Kreisstadt Homburg``."""
    kind: str
    """One of ``KINDS``; the Regionalverband counts as a district."""
    district_id: str | None
    """AGS of the district a municipality lies in."""
    valid_from: date
    """First day of which the source speaks, not the day of foundation."""
    valid_until: date | None
    """Last day of its existence as an authority; None while it exists."""

    def __post_init__(self) -> None:
        if not is_key(self.id, self.kind):
            raise ValueError(f"{self.id!r} is no key of a {self.kind}")
        if (self.kind == "municipality") != (self.district_id is not None):
            raise ValueError(f"{self.id}: municipalities, and only they, lie in a district")
        if self.district_id is not None and not self.id.startswith(self.district_id):
            raise ValueError(f"{self.id} does not begin with its district's key {self.district_id}")


def is_key(key: str, kind: str) -> bool:
    """Tell whether ``key`` has the form of an AGS of a Saarland authority of this kind."""
    return bool(re.fullmatch(r"10[0-9]*", key, re.ASCII)) and len(key) == _KEY_LENGTH.get(kind, -1)


@cache
def shipped_authorities() -> tuple[AuthorityRecord, ...]:
    """Return the Land, the districts and the municipalities, in the order of their keys."""
    text = files(__package__).joinpath("data", "authorities.csv").read_text(encoding="utf-8")
    records = (_record(row) for row in csv.DictReader(text.splitlines(), strict=True))
    return tuple(sorted(records, key=lambda record: (len(record.id), record.id)))


def _record(row: dict[str, str]) -> AuthorityRecord:
    return AuthorityRecord(
        id=row["key"],
        name=row["name"],
        official_name=row["official_name"],
        kind=row["kind"],
        district_id=row["district_key"] or None,
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
    )
