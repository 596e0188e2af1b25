"""Many rules of one sender, found by relation without looking at each."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.exchange.decision import LIVE, PILOT, POST, SHADOW, Relation, Rule, ScopeKey, in_force, takes_part


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rules intend for a relation at one instant, before any case or mailbox is looked at."""

    channel: str
    rule: Rule | None
    """The live rule that names the channel; None: the post is the default."""
    pilots: tuple[Rule, ...] = ()
    """Asked before the live rule, in this order; each takes its share of the cases."""
    shadows: tuple[Rule, ...] = ()

    @property
    def signature(self) -> tuple[object, ...]:
        """What of it decides over exchanges: equal signatures decide alike."""
        pilots = tuple((rule.scope, rule.channel, rule.share) for rule in self.pilots)
        return self.channel, pilots, tuple(sorted({rule.channel for rule in self.shadows}))

    def speaks(self, rule_id: str) -> bool:
        """Tell whether the rule has a say here, or stands behind narrower or newer ones."""
        spoken = (self.rule, *self.pilots, *self.shadows)
        return any(rule is not None and rule.id == rule_id for rule in spoken)

    def for_case(self, case_id: str) -> str:
        """Return the channel that is intended for a case."""
        return next((rule.channel for rule in self.pilots if takes_part(rule, case_id)), self.channel)

    def describe(self) -> str:
        """Return it in words, e.g. ``xdomea+folder 10 %, else letter+post``."""
        parts = [f"{rule.channel} {rule.share} %" for rule in self.pilots]
        parts.append(f"else {self.channel}" if parts else self.channel)
        also = [f"shadow {rule.channel}" for rule in self.shadows]
        return ", ".join([*parts, *also])


class RuleBook:
    """The rules of one sender, by scope."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Index ``rules``; they may be ended or planned."""
        self._standing: dict[tuple[Relation, datetime], Standing] = {}
        self._rules: dict[ScopeKey, list[Rule]] = defaultdict(list)
        for rule in rules:
            self._rules[rule.scope].append(rule)

    def speaking(self, relation: Relation) -> list[Rule]:
        """Return the rules, of whatever time, whose scope holds ``relation``."""
        found: list[Rule] = []
        for procedure in (relation.procedure_key, None):
            for step in (relation.element_id, None):
                for recipient in (relation.recipient_id, None):
                    for district in dict.fromkeys((relation.district_id, None)):
                        found += self._rules.get((procedure, step, recipient, district), ())
        return found

    def of_scope(self, scope: ScopeKey) -> Sequence[Rule]:
        """Return the rules of exactly this scope."""
        return self._rules.get(scope, ())

    def standing(self, relation: Relation, at: datetime) -> Standing:
        """Return what is intended for ``relation`` at ``at``."""
        key = (relation, at)
        if key not in self._standing:  # thousands of open cases ask for the same few relations
            self._standing[key] = standing(in_force(self.speaking(relation), relation, at))
        return self._standing[key]


def standing(asked: Sequence[Rule]) -> Standing:
    """Return what rules in force intend, given in the order in which they are asked."""
    pilots: list[Rule] = []
    shadows: list[Rule] = []
    live: Rule | None = None
    for rule in asked:
        if rule.stage == SHADOW:
            if all(other.channel != rule.channel for other in shadows):
                shadows.append(rule)
        elif live is None and rule.stage == PILOT:
            pilots.append(rule)
        elif live is None and rule.stage == LIVE:
            live = rule
    return Standing(live.channel if live else POST, live, tuple(pilots), tuple(shadows))
