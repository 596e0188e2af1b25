"""What satisfies the written form, by law and by the terms of a mailbox: a dated table with sources."""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files

import yaml

from engine.errors import EnvironmentFaultError
from engine.exchange.parcels import Mailbox

SETTING = "substitutes"
"""Setting of a mailbox: the substitutes that its owner takes."""
DEFAULT = ("qualified-signature",)
"""What eGo-MAIL's published terms ask for, where a mailbox names nothing."""
SIGNATURE, SEAL = "qualified-signature", "qualified-seal"


class SubstituteUnknownError(EnvironmentFaultError):
    """A mailbox names a substitute that the table does not have."""


@dataclass(frozen=True, slots=True)
class Substitute:
    """One way to satisfy the written form."""

    key: str
    title: str
    medium: str
    """``paper`` or ``electronic``."""
    made_by: str
    """``hand``, ``person``, ``authority`` or ``mailbox``."""
    valid_from: date
    source: str
    valid_until: date | None = None

    def holds(self, on: date) -> bool:
        """Tell whether the law knows it on that day."""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)


@lru_cache(maxsize=1)
def table() -> tuple[Substitute, ...]:
    """Return the whole table, ``substitutes.yaml`` beside this module."""
    text = (files("engine.exchange") / "substitutes.yaml").read_text(encoding="utf-8")
    return tuple(Substitute(**entry) for entry in yaml.safe_load(text))


def admissible(mailbox: Mailbox, on: date) -> tuple[str, ...]:
    """Return the electronic substitutes that law knows on that day and the mailbox takes.

    Raises SubstituteUnknownError where the mailbox names one that nobody knows.
    """
    wanted = mailbox.settings.get(SETTING, DEFAULT)
    known = {each.key: each for each in table() if each.medium == "electronic"}
    names = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]
    for name in names:
        if name not in known:
            raise SubstituteUnknownError(
                f"{SETTING}: {name!r} is not known",
                where=f"mailbox of {mailbox.authority_id}",
                hint=f"known are: {', '.join(known)}",
            )
    return tuple(name for name in names if known[name].holds(on))
