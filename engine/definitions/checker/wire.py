"""How the sandbox and its worker write a check's context down."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from engine.definitions.checker.rule import CheckContext


def context_to(context: CheckContext | None) -> dict[str, Any] | None:
    """Return the context as JSON data; None stays None."""
    if context is None:
        return None
    return {
        item.name: None if value is None else sorted(value)
        for item in fields(context)
        for value in (getattr(context, item.name),)
    }


def context_from(data: Mapping[str, Any] | None) -> CheckContext | None:
    """Return the context that ``context_to`` wrote."""
    if data is None:
        return None
    values: dict[str, Any] = {
        name: None if value is None else frozenset(value) for name, value in data.items()
    }
    return CheckContext(**values)
