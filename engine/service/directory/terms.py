"""Terms that partners agree on for a mailbox, beside what its adapters want to know in its settings."""

from collections.abc import Mapping
from typing import Any

from engine.deadlines.errors import InvalidPeriodError
from engine.deadlines.iso import Period, parse_period
from engine.errors import RefusedError

TERMS = {"received": "receipt_within", "imported": "import_within"}
"""Kind of confirmation → the setting with its term."""


class TermRefusedError(RefusedError):
    """A term of a mailbox is no period."""


def check_terms(settings: Mapping[str, Any]) -> None:
    """Refuse mailbox settings whose terms are no periods; raises TermRefusedError."""
    for name in TERMS.values():
        if name in settings:
            term(settings, name)


def term(settings: Mapping[str, Any], name: str) -> Period:
    """Return the term called ``name``; raise TermRefusedError where it is no period."""
    value = settings[name]
    try:
        return parse_period(value if isinstance(value, str) else "")
    except InvalidPeriodError as error:
        raise TermRefusedError(
            f"{name} is {value!r}, no period", where="mailbox settings", hint='e.g. "P3D" for three days'
        ) from error
