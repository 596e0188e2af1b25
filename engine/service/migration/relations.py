"""Relations that sent something: what the rules claim today, what really went, why some are on paper."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from engine.exchange.decision import LIVE, PILOT, POST, Relation
from engine.migration.kpis import Relations
from engine.migration.ledger import PAPER
from engine.migration.reasons import Reasons, Why, for_relation
from engine.migration.rule_book import RuleBook, Standing
from engine.migration.status import COLUMNS, NOWHERE
from engine.service.exchanges.rules import load_rules
from engine.service.migration.reading import RELATION, Sent

Key = tuple[str, str, str, str]
"""Sender, procedure, step and recipient."""
Group = tuple[str, ...]
_Kind = tuple[str | None, str | None]
"""Procedure and step, or recipient and district, as far as a rule names them."""


class _Claims:
    """What the rules of one sender say today: ``live``, ``pilot``, or ``A`` for paper.

    A procedure, step, recipient or district that no rule of the sender names is like any other such one.
    """

    def __init__(
        self,
        tx: Connection,
        sender: str,
        now: datetime,
        district_of: Callable[[str], str | None],
    ) -> None:
        self._sender = sender
        self._now = now
        self._district_of = district_of
        rules = load_rules(tx, sender)
        self._book = RuleBook(rules)
        self._named = {name for rule in rules for name in rule.scope}
        self._kinds: dict[str, _Kind] = {}
        self._steps: dict[_Kind, dict[_Kind, str]] = {}

    def of(self, procedure: str, step: str, recipient: str) -> str:
        kind = self._kinds.get(recipient)
        if kind is None:
            kind = self._kinds[recipient] = self._kind(recipient)
        claims = self._steps.setdefault((self._if_named(procedure), self._if_named(step)), {})
        claim = claims.get(kind)
        if claim is None:
            asked = Relation(procedure, step, self._sender, recipient, self._district_of(recipient))
            claim = claims[kind] = _claim(self._book.standing(asked, self._now))
        return claim

    def _kind(self, recipient: str) -> _Kind:
        return (self._if_named(recipient), self._if_named(self._district_of(recipient)))

    def _if_named(self, key: str | None) -> str | None:
        return key if key in self._named else None


def _claim(said: Standing) -> str:
    """Return what is claimed where this stands; pilots carry a share of the cases."""
    if said.channel != POST:
        return LIVE
    return PILOT if any(rule.channel != POST for rule in said.pilots) else PAPER


def count_relations(
    tx: Connection,
    sent: Sent,
    by: Sequence[str],
    own: Sequence[str],
    district_of: Callable[[str], str | None],
    now: datetime,
) -> dict[Group, Relations]:
    """Count relations by group; ``by`` is without month, so each relation is in exactly one."""
    books = {sender: _Claims(tx, sender, now, district_of) for sender in own}
    claims = [
        books[sender].of(procedure, step, recipient) if sender in books else None
        for sender, procedure, step, recipient in sent
    ]
    papers = [paper > 0 for _, paper in sent.values()]
    alike = Counter(zip(_groups(sent, by, district_of), claims, papers, strict=True))
    found: dict[Group, Relations] = {}
    for (group, claim, paper), n in alike.items():
        counted = found.setdefault(group, Relations())
        counted.n += n
        counted.paper += n * paper
        counted.electronic += n * (not paper)
        if claim is not None:
            counted.ruled += n
            counted.claimed += n * (claim == LIVE)
            counted.pilot += n * (claim == PILOT)
    return found


def _groups(sent: Sent, by: Sequence[str], district_of: Callable[[str], str | None]) -> Iterable[Group]:
    """Return the group of each relation, in their order."""
    columns = []
    for name in by:
        place = RELATION.index(COLUMNS[name])
        column = [relation[place] for relation in sent]
        columns.append([district_of(key) or NOWHERE for key in column] if name == "district" else column)
    return zip(*columns, strict=True) if columns else [()] * len(sent)


def why_on_paper(sent: Sent, own: Sequence[str], reasons: Reasons) -> dict[Why, int]:
    """Count own relations that still send on paper by why they do; every reason is named."""
    mine = set(own)
    alike = Counter(
        (relation[0], relation[1], relation[2], relation[3] in reasons.reachable)
        for relation, (_, paper) in sent.items()
        if paper and relation[0] in mine
    )
    found = dict.fromkeys(Why, 0)
    for (sender, procedure, step, reachable), n in alike.items():
        found[for_relation(reasons.of_step(sender, procedure, step), has_channel=reachable)] += n
    return found
