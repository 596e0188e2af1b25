"""A computed deadline that explains itself, in German and English."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from engine.deadlines.counting import DayGroup, DayKind
from engine.deadlines.iso import zone_of
from engine.deadlines.text import Language, Text, clock_text, day_text


class FlagKind(StrEnum):
    """How much a flag matters."""

    OPEN_QUESTION = "open-question"
    """The law leaves open what to do here, and the answers lead to different days."""
    UNCERTAIN = "uncertain"
    """This reading of the law has an uncertain point."""
    NOTE = "note"
    """A condition that the reader has to check."""


@dataclass(frozen=True, slots=True)
class Flag:
    """Something a person should know about this result."""

    kind: FlagKind
    text: Text
    question: str | None = None
    """Id of the open question."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another end that another answer to an open question leads to."""

    end: date
    end_instant: datetime
    notification: date | None
    answers: Mapping[str, str]
    """Question id → answer."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One computation: to the notification, or from it to the end."""

    rule: str
    title: Text
    source: str
    start: date | datetime
    start_text: Text
    period: str | None
    """ISO 8601 duration, or None where the stage has none."""
    groups: tuple[DayGroup, ...]
    end: date
    """The day this stage leads to, moves included."""

    @property
    def counted_days(self) -> int:
        """How many days were counted."""
        return sum(group.days for group in self.groups if group.kind is DayKind.COUNTED)

    @property
    def moved(self) -> tuple[DayGroup, ...]:
        """The days the end moved over."""
        return tuple(group for group in self.groups if group.kind is DayKind.MOVED)


@dataclass(frozen=True, slots=True)
class Explanation:
    """A deadline's end, and everything that led to it."""

    rule: str
    title: Text
    source: str
    basis: str
    start: date | datetime
    period: str | None
    stages: tuple[Stage, ...]
    notification: date | None
    """The day on which the act counts as notified or served; None where none is concerned."""
    end: date
    """The last day."""
    end_instant: datetime
    """UTC: 24:00 of the last day in the calendar's zone; for periods in hours the exact moment."""
    exact: bool
    """The end is a moment inside ``end``, not its 24:00."""
    effect: Text | None
    calendar: Text
    zone: str
    answers: Mapping[str, str]
    """How open questions were answered to arrive at ``end``."""
    alternatives: tuple[Alternative, ...]
    flags: tuple[Flag, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON data; days and instants in ISO 8601, instants in UTC."""
        return {
            "rule": self.rule,
            "title": self.title.as_json(),
            "source": self.source,
            "basis": self.basis,
            "start": self.start.isoformat(),
            "period": self.period,
            "notification": self.notification.isoformat() if self.notification else None,
            "end": self.end.isoformat(),
            "end_instant": self.end_instant.isoformat(),
            "effect": self.effect.as_json() if self.effect else None,
            "calendar": self.calendar.as_json(),
            "zone": self.zone,
            "stages": [_stage_json(stage) for stage in self.stages],
            "answers": dict(self.answers),
            "alternatives": [_alternative_json(other) for other in self.alternatives],
            "flags": [
                {"kind": flag.kind.value, "question": flag.question, "text": flag.text.as_json()}
                for flag in self.flags
            ],
        }

    def lines(self, language: Language) -> list[str]:
        """Return the explanation as lines for people."""
        words = _WORDS[language]
        out = [f"{self.title.get(language)} ({self.rule})"]
        for number, stage in enumerate(self.stages, 1):
            if len(self.stages) > 1:
                out.append(f"{number}. {stage.title.get(language)} ({stage.rule})")
            out += _stage_lines(stage, language)
        if self.notification is not None:
            out.append(f"{words['notification']}: {day_text(self.notification, language)}")
        local = self.end_instant.astimezone(zone_of(self.zone))
        end = clock_text(local, language) if self.exact else f"{day_text(self.end, language)} 24:00"
        out.append(f"{words['end']}: {end}{words['clock']}")
        if self.effect is not None:
            out.append(f"{words['effect']}: {self.effect.get(language)}")
        out.append(f"{words['calendar']}: {self.calendar.get(language)}")
        for other in self.alternatives:
            answers = ", ".join(f"{question} = {answer}" for question, answer in other.answers.items())
            moment = other.end_instant.astimezone(zone_of(self.zone))
            end = clock_text(moment, language) if self.exact else day_text(other.end, language)
            out.append(f"{words['alternative']}: {end} ({answers})")
        out += [f"{words[flag.kind.value]}: {flag.text.get(language)}" for flag in self.flags]
        return out

    def text(self, language: Language = "de") -> str:
        """Return the explanation as one text."""
        return "\n".join(self.lines(language))


_WORDS: Mapping[Language, Mapping[str, str]] = {
    "de": {
        "start": "Beginn",
        "period": "Frist",
        "source": "Quelle",
        "notification": "bekannt gegeben oder zugestellt am",
        "end": "Ende",
        "clock": " Uhr",
        "effect": "Folge",
        "calendar": "Kalender",
        "alternative": "anders gelesen",
        "open-question": "offene Frage",
        "uncertain": "unsicher",
        "note": "zu beachten",
        "not-counted": "nicht gezählt",
        "counted": "gezählt",
        "skipped": "übergangen",
        "moved": "verschoben über",
        "day": "Tag",
        "days": "Tage",
    },
    "en": {
        "start": "start",
        "period": "period",
        "source": "source",
        "notification": "notified or served on",
        "end": "end",
        "clock": "",
        "effect": "effect",
        "calendar": "calendar",
        "alternative": "read otherwise",
        "open-question": "open question",
        "uncertain": "uncertain",
        "note": "note",
        "not-counted": "not counted",
        "counted": "counted",
        "skipped": "skipped",
        "moved": "moved over",
        "day": "day",
        "days": "days",
    },
}


def _stage_lines(stage: Stage, language: Language) -> list[str]:
    words = _WORDS[language]
    start = (
        clock_text(stage.start, language)
        if isinstance(stage.start, datetime)
        else day_text(stage.start, language)
    )
    out = [f"{words['source']}: {stage.source}"]
    out.append(f"{words['start']}: {start}, {stage.start_text.get(language)}")
    if stage.period is not None:
        out.append(f"{words['period']}: {stage.period}")
    return out + [_group_line(group, language) for group in stage.groups]


def _group_line(group: DayGroup, language: Language) -> str:
    words = _WORDS[language]
    span = day_text(group.first, language)
    if group.days > 1:
        span += f" – {day_text(group.last, language)}"
    count = f"{group.days} {words['day' if group.days == 1 else 'days']}"
    return f"  {words[group.kind.value]}: {span} ({count}) – {group.reason.get(language)}; {group.source}"


def _stage_json(stage: Stage) -> dict[str, Any]:
    return {
        "rule": stage.rule,
        "source": stage.source,
        "start": stage.start.isoformat(),
        "start_text": stage.start_text.as_json(),
        "period": stage.period,
        "end": stage.end.isoformat(),
        "counted_days": stage.counted_days,
        "days": [
            {
                "kind": group.kind.value,
                "first": group.first.isoformat(),
                "last": group.last.isoformat(),
                "days": group.days,
                "reason": group.reason.as_json(),
                "source": group.source,
            }
            for group in stage.groups
        ],
    }


def _alternative_json(other: Alternative) -> dict[str, Any]:
    return {
        "end": other.end.isoformat(),
        "end_instant": other.end_instant.isoformat(),
        "notification": other.notification.isoformat() if other.notification else None,
        "answers": dict(other.answers),
    }
