"""JSON schemas of the files in a procedure package."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def schema(name: str) -> dict[str, Any]:
    """Return the shipped schema ``name`` (``procedure``, ``message`` or ``scenario``)."""
    loaded: dict[str, Any] = json.loads(files(__package__).joinpath(f"{name}.schema.json").read_bytes())
    return loaded
