"""The legal rules of deadlines: dated, sourced data. ``rules.yaml`` holds them, ``load_rules`` reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from engine.deadlines.errors import (
    NoFictionError,
    RuleNotInForceError,
    UnknownRuleError,
    UnsuitableStartError,
)
from engine.deadlines.iso import Period
from engine.deadlines.text import Text


class How(StrEnum):
    """How a rule arrives at its day."""

    PERIOD = "period"
    """Days, weeks, months or years by §§ 187, 188 BGB."""
    NOTIFICATION = "notification"
    """A day on which the law presumes notification; a period may follow."""
    RECEIPT = "receipt"
    """The day that a receipt names; no presumption. A period may follow."""
    WORKDAYS = "workdays"
    HOURS = "hours"
    DATE = "date"
    NEXT_MONTH_WORKDAY = "next-month-workday"
    """The first working day of the month after the start."""
    AFTER_CALENDAR_YEAR = "after-calendar-year"
    """Years after the end of the calendar year of the start."""
    PROMPTLY = "promptly"
    """Without undue delay: the law gives no figure."""


class Basis(StrEnum):
    """What has to be known before a deadline runs."""

    ARRIVAL = "arrival"
    NOTIFICATION_FICTION = "notification-fiction"
    RECEIPT = "receipt"
    FIXED = "fixed"


class Channel(StrEnum):
    """How the law sees a sending."""

    POST = "post"
    ELECTRONIC = "electronic"


class CalendarOf(StrEnum):
    """Whose holidays count (§ 193 BGB)."""

    RECIPIENT = "recipient"
    """The place where something is notified."""
    PLACE = "place"
    """The place where the declaration or performance is due."""


START_TEXTS: Mapping[str, Text] = MappingProxyType(
    {
        "given": Text("genannter Tag", "day given"),
        "posted": Text("Aufgabe zur Post", "posting"),
        "sent": Text("Absendung", "sending"),
        "provided": Text("Bereitstellung zum Abruf", "provision for retrieval"),
        "notice-sent": Text("Absendung der Benachrichtigung", "sending of the notice"),
        "retrieved": Text("Abruf", "retrieval"),
        "published": Text("ortsübliche Bekanntmachung", "publication"),
        "received": Text("Eingang", "arrival"),
        "acknowledged": Text("Datum des Empfangsbekenntnisses", "date of the acknowledgement"),
        "notified": Text("Bekanntgabe", "notification"),
        "served": Text("Zustellung", "service"),
        "benefit-ended": Text("letzter Tag der Leistung", "last day of the benefit"),
        "known": Text("Kenntnis von der Entscheidung", "knowledge of the decision"),
        "created": Text("Erstellung", "creation"),
    }
)
"""What a start can be; the keys stand in the file and name facts of an exchange where there is one."""

COUNTS_OPTIONS = ("event", "next-day")
"""Answers to: is the day after the event the first day of the period (§ 187 Abs. 2 BGB)?"""
WEEKEND_OPTIONS = ("shift", "stay")
SATURDAY_OPTIONS = ("working-day", "free")
HOUR_OPTIONS = ("exact", "full-hour")

EXTENDERS: Mapping[str, Text] = MappingProxyType(
    {
        "setting-authority": Text(
            "die Behörde, die die Frist gesetzt hat", "the authority that set the period"
        ),
        "superior-authority": Text("die übergeordnete Behörde", "the superior authority"),
        "requesting-authority": Text("die anfragende Behörde", "the requesting authority"),
        "addressee": Text("die Behörde, die sich äußern soll", "the authority that is asked"),
    }
)
"""Who can extend a deadline."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question that the law leaves open. Every answer is computed; a setting says which one is used."""

    id: str
    title: Text
    source: str
    options: Mapping[str, Text]
    default: str
    """``later``, ``earlier`` or one of the options."""

    @property
    def choices(self) -> tuple[str, ...]:
        """What a setting may say."""
        return ("later", "earlier", *self.options)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A second figure that may hold instead, under an open question."""

    question: str
    option: str
    period: Period
    otherwise: str
    """The option that the case's own figure stands for."""


@dataclass(frozen=True, slots=True)
class Case:
    """The figure for a way of sending; None matches any way. Without ``period`` the law presumes nothing."""

    period: Period | None
    channel: Channel | None = None
    abroad: bool | None = None
    doubt: Doubt | None = None

    def fits(self, channel: Channel | None, abroad: bool) -> bool:
        """Tell whether this figure is for that way of sending; an unknown channel fits every one."""
        return (self.channel is None or channel is None or self.channel is channel) and (
            self.abroad is None or self.abroad is abroad
        )


@dataclass(frozen=True, slots=True)
class Version:
    """What a rule says from ``valid_from`` to ``valid_until`` (both included; None: open)."""

    source: str
    valid_from: date | None = None
    valid_until: date | None = None
    cases: tuple[Case, ...] = ()
    """Empty where the period has to be given."""
    at_least: Period | None = None
    """The deadline lasts at least this long."""
    longer: bool = False
    """A longer period than the figure may be given."""
    workdays: int | None = None
    starts: Mapping[Channel | None, str] | None = None
    """Another start than the rule's."""

    def in_force(self, day: date) -> bool:
        """Tell whether it holds for a start on ``day``."""
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_until is None or day <= self.valid_until
        )


@dataclass(frozen=True, slots=True)
class Extension:
    """Who may extend, by what source, and how far."""

    by: tuple[str, ...]
    source: str
    retroactive: bool = False
    """It may be extended after its end."""
    add: Period | None = None
    """An extension adds at most this."""
    total: Period | None = None
    """The whole lasts at most this, from the start."""
    firm: bool = True
    """The bound is firm; otherwise going beyond it is flagged, not refused."""
    note: Text | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One legal rule."""

    id: str
    law: str
    title: Text
    how: How
    basis: Basis
    starts: Mapping[Channel | None, str]
    """The fact that starts it, by channel (None: any)."""
    weekend: str
    """``shift``, ``stay`` or a question's id."""
    calendar: CalendarOf
    versions: tuple[Version, ...]
    moves: str
    """The law's source for moving an end to the next working day."""
    counts: str = "event"
    """``event``, ``day`` or a question's id."""
    saturday: str = "free"
    """``counts``, ``free`` or a question's id."""
    then: str | None = None
    """The rule by which a period after the notification is computed."""
    procedure: str | None = None
    effect: Text | None = None
    """What happens when the end passes."""
    deemed: bool = False
    """The end grants something by law; it does so only with proof of arrival."""
    receipt_decides: bool = False
    """A receipt or return slip names the day of service instead of the presumption."""
    extension: Extension | None = None
    notes: tuple[Text, ...] = ()
    flags: tuple[Text, ...] = ()
    """What is uncertain about this reading of the law."""

    def version(self, day: date) -> Version:
        """Return what was in force for a start on ``day``; raise RuleNotInForceError."""
        for version in self.versions:
            if version.in_force(day):
                return version
        raise RuleNotInForceError(
            f"{self.id} was not in force on {day}",
            hint="in force: " + ", ".join(_span(version) for version in self.versions),
        )

    def case(self, day: date, channel: Channel | None, abroad: bool) -> Case | None:
        """Return the figure for a start on ``day``; None where the rule has no figure of its own.

        Where the figures differ by channel and none is named, that for post is taken.

        Raises:
            RuleNotInForceError: no version holds for the day.
            UnsuitableStartError: the rule is not about this way of sending.
            NoFictionError: the law presumes no notification for it.
        """
        version = self.version(day)
        if not version.cases:
            return None
        fitting = [case for case in version.cases if case.fits(channel, abroad)]
        if not fitting:
            ways = sorted({case.channel.value for case in version.cases if case.channel})
            raise UnsuitableStartError(
                f"{self.id} says nothing about sending by {channel.value if channel else 'any channel'}"
                f"{' abroad' if abroad else ''}",
                hint=f"it is about {' and '.join(ways)}" if ways else None,
            )
        fitting.sort(key=lambda case: case.channel is not Channel.POST)
        if fitting[0].period is None:
            raise NoFictionError(
                f"{version.source} presumes no notification for this way of sending",
                hint="only a proved receipt counts",
            )
        return fitting[0]

    def start_of(self, version: Version, channel: Channel | None) -> str:
        """Return the key of the fact that starts the rule."""
        starts = version.starts or self.starts
        if channel in starts:
            return starts[channel]
        return starts[None] if None in starts else next(iter(starts.values()))


def _span(version: Version) -> str:
    begin = version.valid_from.isoformat() if version.valid_from else ""
    end = version.valid_until.isoformat() if version.valid_until else ""
    return f"{begin}/{end}"


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules and open questions, by id."""

    rules: Mapping[str, Rule]
    questions: Mapping[str, Question] = field(default_factory=dict)

    def get(self, rule_id: str) -> Rule:
        """Return the rule; raise UnknownRuleError with the ids that look alike."""
        found = self.rules.get(rule_id)
        if found is None:
            from difflib import get_close_matches

            near = get_close_matches(rule_id, self.rules, n=3, cutoff=0.5)
            hint = f"did you mean {', '.join(near)}?" if near else "dienstweg deadline rules lists them"
            raise UnknownRuleError(f'there is no deadline rule "{rule_id[:60]}"', hint=hint)
        return found
