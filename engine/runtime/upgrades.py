"""Turns older case documents into the present shape, one format at a time."""

from collections.abc import Callable, Mapping
from typing import Any

from engine.runtime.errors import StateUnreadableError

STATE_FORMAT = 1
"""The shape that ``document.dump`` writes."""

UPGRADERS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""Format → what turns a document of that format into the next one. An entry is never changed again."""


def upgraded(document: dict[str, Any]) -> dict[str, Any]:
    """Return ``document`` in the present shape; raise StateUnreadableError for an unknown format."""
    number = document["state_format"]
    while number != STATE_FORMAT:
        upgrade = UPGRADERS.get(number)
        if upgrade is None:
            raise StateUnreadableError(
                f"the case document has format {number}, this version reads up to {STATE_FORMAT}",
                hint="install the version that wrote it, or a later one",
            )
        document = upgrade(document)
        number = document["state_format"]
    return document
