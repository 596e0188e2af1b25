"""Dates, times and durations of FEEL."""

from datetime import date, datetime, time

from engine.expressions.values import Value


def show(value: Value) -> str:
    """Return the ISO 8601 text of a date or time."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    return str(value)
