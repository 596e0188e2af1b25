"""Sentences in both languages of the screens and the documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

Language = Literal["de", "en"]

_DAYS: Mapping[Language, tuple[str, ...]] = {
    "de": ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in German and English."""

    de: str
    en: str

    def get(self, language: Language) -> str:
        """Return the sentence in ``language``."""
        return self.de if language == "de" else self.en

    def as_json(self) -> dict[str, str]:
        """Return both as JSON data."""
        return {"de": self.de, "en": self.en}


def day_text(day: date, language: Language) -> str:
    """Return a day as people write it, the weekday before it."""
    written = day.strftime("%d.%m.%Y" if language == "de" else "%Y-%m-%d")
    return f"{_DAYS[language][day.weekday()]} {written}"


def clock_text(moment: datetime, language: Language) -> str:
    """Return day and time of day of a local moment."""
    return f"{day_text(moment.date(), language)} {moment:%H:%M}"
