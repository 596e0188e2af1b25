"""Putting a channel in force: what a new rule replaces, and what it may not. Pure; instants in UTC."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from engine.deadlines.iso import local_text
from engine.errors import ConflictError
from engine.exchange.decision import LIVE, PILOT, Rule


class PlannedRuleError(ConflictError):
    """Another rule of the same scope is planned for a later day."""

    def __init__(self, rule: Rule) -> None:
        """Keep the planned ``rule``."""
        self.rule = rule
        super().__init__(
            f"rule {rule.id[:8]} ({rule.channel}, {rule.stage}) is planned for the same scope from "
            f"{local_text(rule.valid_from)}",
            hint=f"take it back first: dienstweg migration revert {rule.id[:8]}",
        )


class PlannedRulesError(ConflictError):
    """Several rules of the same scopes are planned for a later day."""


@dataclass(frozen=True, slots=True)
class Change:
    """What putting one rule in force does to the sender's rules."""

    new: Rule
    replaced: tuple[Rule, ...]
    """Rules of the same scope that end where the new one begins; each as it stood before."""
    ender: Rule | None = None
    """A rule planned before that will take the new one's place: it ends there."""


def ends(new: Rule, other: Rule) -> bool:
    """Tell whether ``new`` takes the place of ``other``, a rule of the same scope.

    Live takes over from everything but a shadow on another channel. A pilot stands before the live rule,
    whose channel the other cases keep, and so takes the place of a pilot only; a shadow carries nothing and
    takes the place of a shadow.
    """
    if new.stage == LIVE:
        return other.stage in (LIVE, PILOT) or other.channel == new.channel
    return other.stage == new.stage


def plan(new: Rule, same_scope: Iterable[Rule], now: datetime) -> Change:
    """Return what ``new`` replaces among the rules of its scope.

    At every instant a scope has at most one rule a stage: a rule in force ends exactly where the new one
    begins. Raises PlannedRuleError where a rule that the new one would replace is planned to begin at or
    after the new one's begin.
    """
    known = list(same_scope)
    replaced = []
    for rule in known:
        if rule.valid_until is not None and rule.valid_until <= max(rule.valid_from, new.valid_from):
            continue
        if not ends(new, rule):
            continue
        if rule.valid_from > now and rule.valid_from >= new.valid_from:
            raise PlannedRuleError(rule)
        replaced.append(rule)
    ender = ender_of(new, known)
    return Change(replace(new, valid_until=ender.valid_from) if ender else new, tuple(replaced), ender)


def ender_of(rule: Rule, same_scope: Iterable[Rule]) -> Rule | None:
    """Return the first planned rule of the same scope that will take the place of ``rule``."""
    coming = [
        other
        for other in same_scope
        if other.id != rule.id
        and other.valid_from > rule.valid_from
        and (other.valid_until is None or other.valid_until > other.valid_from)
        and ends(other, rule)
    ]
    return min(coming, key=lambda other: other.valid_from, default=None)


def stage_text(stage: str, share: int) -> str:
    """Return a stage in words, e.g. ``pilot 10 %``."""
    return f"{stage} {share} %" if stage == PILOT else stage
