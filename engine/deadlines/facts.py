"""From dated facts of an exchange to what the law derives from them, or why nothing can be derived yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from engine.deadlines.calendars import Calendar
from engine.deadlines.computing import Request, Settings, explain
from engine.deadlines.errors import NoFictionError
from engine.deadlines.explanation import Explanation
from engine.deadlines.iso import Period, zone_of
from engine.deadlines.rules import START_TEXTS, CalendarOf, Channel, How, Rule, Rules
from engine.deadlines.text import Text

FACTS_OF_START: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "given": (),
        "posted": ("posted",),
        "sent": ("sent", "created", "forwarded"),
        "provided": ("provided",),
        "notice-sent": ("notice-sent",),
        "retrieved": ("retrieved",),
        "published": ("published",),
        "received": ("received", "imported"),
        "acknowledged": ("acknowledged",),
        "notified": ("notified",),
        "served": ("acknowledged", "received"),
        "benefit-ended": ("benefit-ended",),
        "known": ("known",),
        "created": ("created",),
    }
)
"""Which facts of an exchange can be a rule's start; the earliest counts.

``created`` and ``forwarded`` of a process card say that an intermediary took the message: it was sent. They
never prove arrival. ``imported`` (the partner's system confirmed the import) does. ``acknowledged`` is dated
with the date on the return slip or acknowledgement, not with its arrival here.
"""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, when, and the evidence for it (an id in the store; None: only asserted)."""

    kind: str
    at: datetime
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deadline is to be computed by, before its start is known.

    ``start`` is a day or instant that a person or the model names; it stands in the place of facts.
    """

    rule: str
    period: Period | None = None
    fiction: str | None = None
    channel: Channel | None = None
    abroad: bool = False
    start: date | datetime | None = None


@dataclass(frozen=True, slots=True)
class Derived:
    """What follows from the facts: a computed deadline, or why there is none yet."""

    explanation: Explanation | None
    evidence: tuple[str, ...] = ()
    missing: Text | None = None


def derive(
    rules: Rules,
    plan: Plan,
    facts: Iterable[Fact],
    calendar: Calendar,
    settings: Settings | None = None,
    *,
    recipient: Calendar | None = None,
) -> Derived:
    """Return the deadline that the facts lead to, or what is missing for it.

    A letter that came back and is not proved to have arrived starts nothing; where it was sent again, only
    that sending and what followed it count. A deadline at whose end the law grants something
    (``Rule.deemed``) needs evidence of arrival, not the fact alone.

    Raises:
        RefusedError: the plan does not fit its rules (see ``explain``).
    """
    rule = rules.get(plan.rule)
    starter = rules.get(plan.fiction) if plan.fiction is not None else rule
    zone = (recipient or calendar).zone if starter.calendar is CalendarOf.RECIPIENT else calendar.zone
    known, returned = _since_return(list(facts), zone)
    received = _earliest(known, FACTS_OF_START["received"])
    start, started_by = _start(starter, plan, known, zone)
    if start is None:
        return Derived(None, missing=_missing(starter, plan.channel, started_by))
    if started_by is not None and returned is not None and received is None:
        return Derived(None, _evidence(returned), _NOT_ARRIVED)
    if rule.deemed and (started_by is None or started_by.evidence is None):
        return Derived(None, missing=_NO_PROOF)
    slip = _earliest(known, ("acknowledged",)) if starter.receipt_decides else None
    begun = _day(start, zone) if isinstance(start, datetime) else start
    if slip is not None and _day(slip.at, zone) < begun:
        return Derived(None, _evidence(started_by, slip), _BEFORE_SENDING)
    proof = slip or _receipt(starter, known)
    if proof is not None and _day(proof.at, zone) < begun:
        proof = None  # it cannot be of this sending, and an earlier receipt would change nothing
    request = Request(
        rule=plan.rule,
        start=start,
        period=plan.period,
        fiction=plan.fiction,
        channel=plan.channel,
        abroad=plan.abroad,
        received=_day(proof.at, zone) if proof is not None and proof is not slip else None,
        acknowledged=_day(slip.at, zone) if slip is not None else None,
    )
    try:
        found = explain(rules, request, calendar, settings, recipient=recipient)
    except NoFictionError as error:
        return _without_fiction(rules, plan, received, calendar, settings, error)
    return Derived(found, _evidence(started_by, proof))


def _since_return(facts: Sequence[Fact], zone: str) -> tuple[Sequence[Fact], Fact | None]:
    """Return the facts that count after the last return, and that return where nothing was sent since.

    A sending on the day of the return is a new one only where there is an earlier one that can have come
    back. A return after two sendings may be of either: neither starts anything.
    """
    returns = [fact for fact in facts if fact.kind == "returned"]
    returned = max(returns, key=lambda fact: fact.at, default=None)
    if returned is None:
        return facts, None
    back = _day(returned.at, zone)
    arrived = _earliest(facts, FACTS_OF_START["received"])
    sendings = [_day(fact.at, zone) for fact in facts if fact.kind in _SENDINGS]
    again = any(day < back for day in sendings) and any(day >= back for day in sendings)
    if not again or (arrived is not None and _day(arrived.at, zone) <= back):
        return facts, returned
    return [fact for fact in facts if _day(fact.at, zone) >= back], None


_SENDINGS = ("posted", "sent")
_NOT_ARRIVED = Text(
    "Die Sendung kam zurück und ein Zugang ist nicht nachgewiesen: es läuft keine Frist.",
    "It came back and no arrival is proved: no deadline runs.",
)
_BEFORE_SENDING = Text(
    "Die Empfangsbestätigung trägt ein früheres Datum als die Absendung: eines von beiden ist falsch.",
    "The acknowledgement is dated before the sending: one of the two is wrong.",
)
_NO_PROOF = Text(
    "Ohne Nachweis des Eingangs gilt nichts als erteilt: die Frist ist nicht scharf.",
    "Without proof of arrival nothing is deemed granted: the deadline is not armed.",
)


def _without_fiction(
    rules: Rules,
    plan: Plan,
    received: Fact | None,
    calendar: Calendar,
    settings: Settings | None,
    error: NoFictionError,
) -> Derived:
    """Compute from the proved receipt where the law presumes nothing."""
    text = Text("Keine Fiktion für diesen Weg: es zählt der nachgewiesene Zugang.", f"{error.message}.")
    rule = rules.get(plan.rule)
    follows = rule.then if plan.fiction is None else rule.id
    if received is None or follows is None or (plan.fiction is None and plan.period is None):
        return Derived(None, missing=text)
    request = Request(follows, _day(received.at, calendar.zone), plan.period)
    return Derived(explain(rules, request, calendar, settings), _evidence(received))


def _start(
    rule: Rule, plan: Plan, facts: Sequence[Fact], zone: str
) -> tuple[date | datetime | None, Fact | None]:
    """Return the start and the fact it comes from; newer versions of the rule are asked first.

    A fact without a start means: no version of the rule was in force on its day.
    """
    if plan.start is not None:
        return plan.start, None
    fact = None
    for version in reversed(rule.versions):
        fact = _earliest(facts, FACTS_OF_START[rule.start_of(version, plan.channel)])
        if fact is not None and version.in_force(_day(fact.at, zone)):
            return (fact.at if rule.how is How.HOURS else _day(fact.at, zone)), fact
    return None, fact


def _receipt(rule: Rule, facts: Sequence[Fact]) -> Fact | None:
    """Return the fact that can displace the rule's presumption where it is later."""
    return _earliest(facts, ("received",)) if is_displaceable(rule) else None


def is_displaceable(rule: Rule) -> bool:
    """Tell whether no or a later receipt displaces what the rule presumes: not so by retrieval, say."""
    return rule.how is How.NOTIFICATION and not any(
        start in ("retrieved", "published", "provided") for start in rule.starts.values()
    )


def _missing(rule: Rule, channel: Channel | None, outside: Fact | None) -> Text:
    if outside is not None:
        return Text(
            f"{rule.id} galt am {outside.at:%d.%m.%Y} nicht.",
            f"{rule.id} was not in force on {outside.at:%Y-%m-%d}.",
        )
    start = START_TEXTS[rule.start_of(rule.versions[-1], channel)]
    return Text(f"Es fehlt: {start.de}.", f"Missing: {start.en}.")


def _earliest(facts: Iterable[Fact], kinds: Sequence[str]) -> Fact | None:
    return min((fact for fact in facts if fact.kind in kinds), key=lambda fact: fact.at, default=None)


def _evidence(*facts: Fact | None) -> tuple[str, ...]:
    found = [fact.evidence for fact in facts if fact is not None and fact.evidence is not None]
    return tuple(dict.fromkeys(found))


def _day(instant: datetime, zone: str) -> date:
    return instant.astimezone(zone_of(zone)).date()
