"""The functions that expressions of a model may call, bound to an authority and an instant."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any


def functions_for(authority_id: str, now: datetime) -> Mapping[str, Callable[..., Any]]:
    """Return the functions by name; calendars are those of ``authority_id`` (§ 193 BGB)."""
    return {}
