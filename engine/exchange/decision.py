"""Which channel carries an exchange, and why not each other one. Pure: the caller brings rules and checks."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.exchange.ports import Blocker

POST = "letter+post"
"""The channel that every authority can be reached by, and the default."""
SHADOW, PILOT, LIVE = "shadow", "pilot", "live"
STAGES = (PILOT, LIVE, SHADOW)
"""In the order in which rules of one scope are asked."""

ScopeKey = tuple[str | None, str | None, str | None, str | None]
"""Procedure, step, recipient and district of a rule; None means any."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A channel rule of the sender; None in a scope field means any."""

    id: str
    channel: str
    stage: str
    share: int
    valid_from: datetime
    created_at: datetime
    valid_until: datetime | None = None
    procedure_key: str | None = None
    element_id: str | None = None
    recipient_id: str | None = None
    district_id: str | None = None
    """The recipient's district."""

    @property
    def scope(self) -> ScopeKey:
        """What the rule speaks about; two rules of one scope speak about the same relations."""
        return (self.procedure_key, self.element_id, self.recipient_id, self.district_id)

    @property
    def width(self) -> int:
        """How much is left open; narrower rules go before wider ones.

        Procedure, step and recipient weigh the same; a district is less open than any recipient.
        """
        open_fields = [self.procedure_key, self.element_id, self.recipient_id].count(None)
        return 2 * open_fields - (self.district_id is not None)


@dataclass(frozen=True, slots=True)
class Relation:
    """Procedure, step, sender and recipient: what a rule can be about."""

    procedure_key: str
    element_id: str
    sender_id: str
    recipient_id: str
    district_id: str | None = None
    """The recipient's district; it follows from the recipient."""


@dataclass(frozen=True, slots=True)
class Considered:
    """One channel that was looked at, and what came of it."""

    channel: str
    verdict: str
    """``chosen``, ``not ready``, ``not in force`` …"""
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome: a channel or none, what the rules intended, and every reason."""

    channel: str | None
    intended: str
    rule_id: str | None
    considered: tuple[Considered, ...] = field(default=())

    @property
    def fell_back(self) -> bool:
        """True where another channel was taken than the rules intended."""
        return self.channel is not None and self.channel != self.intended


def in_force(rules: Sequence[Rule], relation: Relation, now: datetime) -> list[Rule]:
    """Return the rules that speak of ``relation`` now: narrowest first, newest first among equals."""
    fitting = [
        rule
        for rule in rules
        if rule.valid_from <= now
        and (rule.valid_until is None or now < rule.valid_until)
        and rule.procedure_key in (None, relation.procedure_key)
        and rule.element_id in (None, relation.element_id)
        and rule.recipient_id in (None, relation.recipient_id)
        and rule.district_id in (None, relation.district_id)
    ]
    return sorted(fitting, key=_order)


def _order(rule: Rule) -> tuple[object, ...]:
    """Order rules that speak of one relation; at one instant one scope has one rule a stage."""
    scope = tuple(field or "" for field in rule.scope)
    return rule.width, -rule.created_at.timestamp(), scope, STAGES.index(rule.stage)


def takes_part(rule: Rule, case_id: str) -> bool:
    """Tell whether a case belongs to a pilot's share: stable per case, spread evenly over cases.

    The place of a case follows from the rule's scope, not from the rule: a later rule with a larger share
    keeps everybody whom the smaller one had.
    """
    if rule.stage != PILOT:
        return rule.stage == LIVE
    scope = "|".join(field or "*" for field in rule.scope)
    digest = hashlib.sha256(f"{scope}:{case_id}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 100 < rule.share


def shadows(rules: Sequence[Rule], relation: Relation, now: datetime) -> list[Rule]:
    """Return the shadow rules that speak of ``relation`` now, one a channel: the narrowest."""
    found: dict[str, Rule] = {}
    for rule in in_force(rules, relation, now):
        if rule.stage == SHADOW:
            found.setdefault(rule.channel, rule)
    return list(found.values())


def decide(
    rules: Sequence[Rule],
    relation: Relation,
    case_id: str,
    fallback: str,
    now: datetime,
    check: Callable[[str], Sequence[Blocker]],
    excluded: Sequence[str] = (),
    known: Sequence[str] = (),
) -> Decision:
    """Choose the channel for one exchange, and say of every other ``known`` one why it was not taken.

    The first rule in force whose share the case belongs to names the intended channel; without one it is
    the post. A channel that ``check`` finds not ready, or that was tried and failed (``excluded``), gives
    way to the post if ``fallback`` is ``post``; with ``hold`` nothing is sent and the exchange is held.
    """
    decision = _decide(rules, relation, case_id, fallback, now, check, excluded)
    seen = {one.channel for one in decision.considered}
    others = tuple(_not_asked_for(channel, check) for channel in sorted({*known, POST} - seen))
    return replace(decision, considered=(*decision.considered, *others))


def decide_by_hand(channel: str, reason: str, check: Callable[[str], Sequence[Blocker]]) -> Decision:
    """Take the channel that a clerk has named, if it is ready; no rule is asked."""
    verdict = _look_at(channel, reason, check, ())
    return Decision(channel if verdict.verdict == "chosen" else None, channel, None, (verdict,))


def _not_asked_for(channel: str, check: Callable[[str], Sequence[Blocker]]) -> Considered:
    blockers = check(channel)
    reasons = [f"{b.side}: {b.message} [{b.code}]" for b in blockers] or ["it would be ready"]
    return Considered(channel, "not asked for", ("no rule in force asks for it", *reasons))


def _decide(
    rules: Sequence[Rule],
    relation: Relation,
    case_id: str,
    fallback: str,
    now: datetime,
    check: Callable[[str], Sequence[Blocker]],
    excluded: Sequence[str],
) -> Decision:
    considered: list[Considered] = []
    chosen: Rule | None = None
    for rule in in_force(rules, relation, now):
        if chosen is None and takes_part(rule, case_id):
            chosen = rule
        else:
            considered.append(Considered(rule.channel, "not in force", (_why_not(rule, chosen),)))
    intended = chosen.channel if chosen else POST
    reason = f"rule {chosen.id[:8]} ({chosen.stage})" if chosen else "no rule: the post is the default"
    verdict = _look_at(intended, reason, check, excluded)
    considered.insert(0, verdict)
    if verdict.verdict == "chosen":
        return Decision(intended, intended, chosen.id if chosen else None, tuple(considered))
    if fallback == "post" and intended != POST:
        second = _look_at(POST, f"fallback from {intended}", check, excluded)
        considered.insert(1, second)
        if second.verdict == "chosen":
            return Decision(POST, intended, chosen.id if chosen else None, tuple(considered))
    return Decision(None, intended, chosen.id if chosen else None, tuple(considered))


def _look_at(
    channel: str, reason: str, check: Callable[[str], Sequence[Blocker]], excluded: Sequence[str]
) -> Considered:
    if channel in excluded:
        return Considered(channel, "failed before", (reason, "a dispatch on this channel definitely failed"))
    blockers = check(channel)
    if blockers:
        return Considered(
            channel, "not ready", (reason, *(f"{b.side}: {b.message} [{b.code}]" for b in blockers))
        )
    return Considered(channel, "chosen", (reason, "mailbox, form, format and size fit"))


def _why_not(rule: Rule, chosen: Rule | None) -> str:
    if chosen is not None:
        return f"rule {rule.id[:8]} is overruled by {chosen.id[:8]} (narrower or newer)"
    if rule.stage == PILOT:
        return f"rule {rule.id[:8]}: this case is not among the pilot's {rule.share} %"
    return f"rule {rule.id[:8]}: stage {rule.stage} carries no real exchanges"
