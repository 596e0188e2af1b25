"""Deadlines as tables show them."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from cli.show import ZONE, short, table

if TYPE_CHECKING:
    from engine.service.deadlines.listing import DeadlineLine

_LIGHTS = {"grey": "○ grau", "green": "● grün", "yellow": "● gelb", "red": "● rot", "done": "✓ erledigt"}
_STATES = {
    "unarmed": "läuft noch nicht",
    "armed": "läuft",
    "fired": "abgelaufen",
    "met": "gewahrt",
    "cancelled": "entfallen",
}
_BASES = {
    "arrival": "Eingang",
    "receipt": "Empfangsbekenntnis",
    "notification-fiction": "Bekanntgabefiktion",
    "fixed": "gesetzter Beginn",
}


def light_text(light: str | None) -> str | None:
    """Return a traffic light with its colour in words."""
    return _LIGHTS.get(light, light) if light is not None else None


def last_day(due: datetime | None) -> date | datetime | None:
    """Return the last day of something due at 24:00, else the moment itself."""
    if due is None:
        return None
    local = due.astimezone(ZONE)
    if local.hour or local.minute or local.second:
        return due
    return (local - timedelta(microseconds=1)).date()


def brief(line: "DeadlineLine | None", otherwise: str | None = None) -> tuple[str | None, str | None]:
    """Return rule and end of a deadline, and its light, for lists of other things.

    ``otherwise`` is the light of what is due without a legal deadline.
    """
    if line is None:
        return None, light_text(otherwise)
    end = f"{line.end:%d.%m.%Y}" if line.end else _STATES[line.state]
    return f"{end} ({line.rule})", light_text(line.light)


def deadline_table(lines: "Iterable[DeadlineLine]", *, cases: bool = False) -> None:
    """Print deadlines; without any nothing is printed, unless whole ``cases`` were asked for."""
    rows = [
        (
            short(line.id),
            *((line.own_reference,) if cases else ()),
            f"{line.title} ({line.rule})",
            _BASES.get(line.basis, line.basis),
            line.source,
            _STATES.get(line.state, line.state),
            light_text(line.light),
            last_day(line.due_at) if line.due_at else line.end,
            _remark(line),
        )
        for line in lines
    ]
    if rows or cases:
        columns = ["Nummer", *(["Aktenzeichen"] if cases else []), "Frist", "Grundlage", "Quelle", "Stand"]
        table([*columns, "Ampel", "Ende", "Hinweis"], rows, "Fristen (deadlines)")


def _remark(line: "DeadlineLine") -> str | None:
    if line.state == "unarmed":
        watched = line.watch_until.astimezone(ZONE)
        return f"{line.missing or ''} Beobachtet bis {watched:%d.%m.%Y}.".strip()
    return f"Folge: {line.effect}" if line.effect else None
