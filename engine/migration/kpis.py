"""The figures of a status: every one with its n. Pure; ``docs/reference/migration.md`` defines each."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass, field
from operator import add
from typing import Any

from engine.exchange.decision import POST
from engine.migration.durations import Minutes, Times
from engine.migration.ledger import (
    ARRIVAL,
    DEADLINES,
    DEEMED,
    DROPPED,
    DURATIONS,
    MET,
    PAPER,
    PASSED,
    RUNNING,
    SENT,
    SUMS,
    UNARMED,
)

MEDIA = ("paper", "electronic")


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    n: int

    @property
    def percent(self) -> float | None:
        """In percent; None where there is nothing to be a share of."""
        return 100 * self.count / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Money:
    """Cents, and over how many exchanges they are known of how many."""

    cents: int
    n: int
    of: int


def _by_medium() -> dict[str, dict[str, Minutes]]:
    return {name: {medium: Minutes() for medium in MEDIA} for name in DURATIONS}


@dataclass(slots=True)
class Relations:
    """Relations that sent something: how many the rules make electronic, how many really were."""

    n: int = 0
    """Relations with an exchange that went."""
    claimed: int = 0
    """Of those under own rules: in force today, for all cases, is an electronic channel."""
    pilot: int = 0
    """Of those: an electronic channel is in force for a share of the cases."""
    ruled: int = 0
    """Relations whose rules are known here; those of other installations are not."""
    electronic: int = 0
    """Everything that went, went electronically."""
    paper: int = 0
    """At least one went on paper: a postal step remains."""

    def __add__(self, other: "Relations") -> "Relations":
        """Return the sum; no relation may be in both."""
        mine, others = astuple(self), astuple(other)
        return Relations(*map(add, mine, others))


@dataclass(slots=True)
class Figures:
    """What was counted of a set of exchanges and arrivals; made empty, then added to."""

    states: Counter[str] = field(default_factory=Counter)
    levels: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    intended: Counter[str] = field(default_factory=Counter)
    fallback_reasons: Counter[str] = field(default_factory=Counter)
    confirmed_count: int = 0
    answered_count: int = 0
    rejected_count: int = 0
    copies: int = 0
    failed: int = 0
    postage_cents: int = 0
    posted: int = 0
    posted_besides: int = 0
    """Of these not gone on paper: copies of what went electronically, letters of what has not gone."""
    spared_cents: int = 0
    spared: int = 0
    arrived: Counter[str] = field(default_factory=Counter)
    printed_count: int = 0
    scanned_count: int = 0
    deadlines: Counter[str] = field(default_factory=Counter)
    notified_count: int = 0
    presumed_count: int = 0
    durations: dict[str, dict[str, Minutes]] = field(default_factory=_by_medium)
    """Column of the months → medium → minutes."""
    months: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Month → exchanges sent, of these electronic."""
    relations: Relations | None = None

    def add(self, row: Mapping[str, Any]) -> None:
        """Add a month's row, or several of one key added up; where they name no month, ``add_month`` does."""
        if row["state"] == ARRIVAL:
            self._add_arrivals(row)
            return
        if row["state"] in DEADLINES:
            self.deadlines[DEADLINES[row["state"]]] += row["deadlines"]
            self.notified_count += row["notified"]
            self.presumed_count += row["presumed"]
            return
        n = row["exchanges"]
        self.states[row["state"]] += n
        self.copies += row["copies"]
        self.failed += row["failed"]
        self.rejected_count += row["rejected"]
        self.answered_count += row["answered"]
        self.confirmed_count += row["receipts"]
        self.postage_cents += row["postage_cents"]
        self.posted += row["posted"]
        self.posted_besides += row["posted"] if (row["state"], row["level"]) != (SENT, PAPER) else 0
        self.spared_cents += row["spared_cents"]
        self.spared += row["spared"]
        if row["state"] != SENT:
            return
        self.levels[row["level"]] += n
        self.channels[row["channel"]] += n
        self.intended[row["intended_channel"]] += n
        if row["fallback"]:
            self.fallback_reasons[row["fallback"]] += n
        medium = MEDIA[row["level"] != PAPER]
        for name in DURATIONS:
            if row[name]:
                self.durations[name][medium].texts.append(row[name])
        if "month" in row:
            self.add_month(row["month"], n, n * (row["level"] == PAPER))

    def add_month(self, month: str, sent: int, paper: int) -> None:
        """Add what was sent in a month, of it on paper."""
        n, electronic = self.months.get(month, (0, 0))
        self.months[month] = (n + sent, electronic + sent - paper)

    def take(self, row: Mapping[str, Any]) -> None:
        """Take a month's row off that was added among others and does not count any more."""
        nothing = dict.fromkeys(DURATIONS)
        self.add({**row, **nothing, **{name: -row[name] for name in SUMS}})
        if row["state"] == SENT:
            for name in DURATIONS:
                if row[name]:
                    self.durations[name][MEDIA[row["level"] != PAPER]].taken.append(row[name])

    def tidy(self) -> bool:
        """Forget what came to nothing; tell whether anything is left."""
        for name in COUNTERS:
            setattr(self, name, +getattr(self, name))
        self.months = {month: counts for month, counts in self.months.items() if counts[0]}
        return bool(self.states or self.arrived or self.deadlines)

    def _add_arrivals(self, row: Mapping[str, Any]) -> None:
        self.arrived[MEDIA[row["channel"] != POST]] += row["arrivals"]
        self.printed_count += row["printed"]
        self.scanned_count += row["scanned"]

    @property
    def exchanges(self) -> int:
        """Every exchange, sent or not."""
        return self.states.total()

    @property
    def sent(self) -> int:
        """Exchanges that went: the n of levels, claim, fallbacks and receipts."""
        return self.states[SENT]

    @property
    def unsent(self) -> int:
        """Exchanges that did not go, or of which it is not known."""
        return self.exchanges - self.sent

    @property
    def by_level(self) -> dict[str, int]:
        """Exchanges sent by evidence level A–D."""
        return {level: n for level, n in sorted(self.levels.items()) if n}

    @property
    def electronic(self) -> Share:
        """Sent electronically, of what was sent: what is actual."""
        return Share(self.sent - self.levels[PAPER], self.sent)

    @property
    def claimed(self) -> Share:
        """Meant to go electronically by the rules in force at the send, of what was sent."""
        return Share(self.sent - self.intended[POST], self.sent)

    @property
    def fallbacks(self) -> int:
        """Carried by another channel than the rules meant."""
        return self.fallback_reasons.total()

    @property
    def confirmed(self) -> Share:
        """Proven to have arrived, of what was sent."""
        return Share(self.confirmed_count, self.sent)

    @property
    def answered(self) -> Share:
        """Answered, of all exchanges."""
        return Share(self.answered_count, self.exchanges)

    @property
    def rejected(self) -> Share:
        """Rejected by the recipient's technique, of all exchanges."""
        return Share(self.rejected_count, self.exchanges)

    @property
    def postage(self) -> Money:
        """What letters cost; known of n exchanges, of those that went on paper or had a letter besides."""
        return Money(self.postage_cents, self.posted, self.levels[PAPER] + self.posted_besides)

    @property
    def saved(self) -> Money:
        """What letters would have cost; known of n exchanges, of those that went electronically."""
        return Money(self.spared_cents, self.spared, self.electronic.count)

    @property
    def printed(self) -> Share:
        """Electronic arrivals that were printed."""
        return Share(self.printed_count, self.arrived["electronic"])

    @property
    def scanned(self) -> Share:
        """Paper arrivals that were scanned."""
        return Share(self.scanned_count, self.arrived["paper"])

    @property
    def ended(self) -> int:
        """Deadlines that were met, or whose end passed."""
        return self.deadlines[MET] + self.deadlines[PASSED] + self.deadlines[DEEMED]

    @property
    def met(self) -> Share:
        """Deadlines by whose end what was waited for was there, of those that ended."""
        return Share(self.deadlines[MET], self.ended)

    @property
    def passed(self) -> Share:
        """Deadlines whose end passed, of those that ended."""
        return Share(self.ended - self.deadlines[MET], self.ended)

    @property
    def deemed(self) -> Share:
        """Deadlines at whose end the law granted something, of those that ended."""
        return Share(self.deadlines[DEEMED], self.ended)

    @property
    def presumed(self) -> Share:
        """Deadlines that run from a notification which the law presumes, of those that run from one."""
        return Share(self.presumed_count, self.notified_count)

    @property
    def transports(self) -> dict[str, Counter[int]]:
        """Minutes from hand-over to receipt, and how often each occurred, by medium."""
        return {medium: minutes.counted() for medium, minutes in self.durations["transports"].items()}

    @property
    def leads(self) -> dict[str, Counter[int]]:
        """Minutes from the exchange's beginning to its answer, and how often each occurred, by medium."""
        return {medium: minutes.counted() for medium, minutes in self.durations["leads"].items()}

    @property
    def transport(self) -> dict[str, Times]:
        """From hand-over to receipt, by medium."""
        return {medium: minutes.times() for medium, minutes in self.durations["transports"].items()}

    @property
    def lead(self) -> dict[str, Times]:
        """From the exchange's beginning to its answer, by medium."""
        return {medium: minutes.times() for medium, minutes in self.durations["leads"].items()}


COUNTERS = ("states", "levels", "channels", "intended", "fallback_reasons", "arrived", "deadlines")
COUNTS = (
    *("confirmed_count", "answered_count", "rejected_count", "copies", "failed"),
    *("postage_cents", "posted", "spared_cents", "spared", "printed_count", "scanned_count"),
    *("posted_besides", "notified_count", "presumed_count"),
)


def added(figures: Iterable[Figures]) -> Figures:
    """Return the sum of disjoint figures; relations are left out, they may share some."""
    total = Figures()
    for one in figures:
        for name in COUNTERS:
            getattr(total, name).update(getattr(one, name))
        for name in COUNTS:
            setattr(total, name, getattr(total, name) + getattr(one, name))
        for name, by_medium in one.durations.items():
            for medium, minutes in by_medium.items():
                total.durations[name][medium].texts += minutes.texts
                total.durations[name][medium].taken += minutes.taken
        for month, (n, electronic) in one.months.items():
            total.add_month(month, n, n - electronic)
    return total


def as_data(figures: Figures) -> dict[str, Any]:
    """Return all figures as plain data, every share and time with its n; the command line's JSON."""
    return {
        "exchanges": figures.exchanges,
        "states": _named(figures.states),
        "levels": figures.by_level,
        "channels": _named(figures.channels),
        "electronic": _share(figures.electronic),
        "claimed": _share(figures.claimed),
        "fallbacks": {
            **_share(Share(figures.fallbacks, figures.sent)),
            "reasons": _named(figures.fallback_reasons),
        },
        "confirmed": _share(figures.confirmed),
        "answered": _share(figures.answered),
        "rejected": _share(figures.rejected),
        "copies": figures.copies,
        "failed_attempts": figures.failed,
        "postage": _fields(figures.postage),
        "saved": _fields(figures.saved),
        "transport_minutes": {medium: _fields(found) for medium, found in figures.transport.items()},
        "lead_minutes": {medium: _fields(found) for medium, found in figures.lead.items()},
        "printed": _share(figures.printed),
        "scanned": _share(figures.scanned),
        "deadlines": {
            "met": _share(figures.met),
            "passed": _share(figures.passed),
            "deemed": _share(figures.deemed),
            **{name: figures.deadlines[name] for name in (RUNNING, UNARMED, DROPPED)},
        },
        "notifications_presumed": _share(figures.presumed),
        "relations": _fields(figures.relations) if figures.relations else None,
        "trend": [
            {"month": month, "n": n, "electronic": electronic}
            for month, (n, electronic) in sorted(figures.months.items())
        ],
    }


def _fields(found: Any) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__slots__}


def _named(counter: Counter[str]) -> dict[str, int]:
    return {name: n for name, n in sorted(counter.items()) if n}


def _share(share: Share) -> dict[str, Any]:
    percent = share.percent
    return {"count": share.count, "n": share.n, "percent": None if percent is None else round(percent, 1)}
