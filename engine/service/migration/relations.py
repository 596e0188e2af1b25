"""Relations that sent something: what the rules claim today, what really went, why some are on paper."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from engine.exchange.decision import POST, Relation, Rule, in_force
from engine.migration.kpis import Relations
from engine.migration.ledger import PAPER
from engine.migration.reasons import Reasons, Why, for_relation
from engine.migration.status import COLUMNS, NOWHERE
from engine.service.exchanges.rules import load_rules
from engine.service.migration.reading import RELATION, Sent

LIVE, PILOT = "live", "pilot"
Key = tuple[str, str, str, str]
"""Sender, procedure, step and recipient."""
Group = tuple[str, ...]
_Kind = tuple[str | None, str | None]
"""Recipient and district, as far as a rule names them."""


class _Claims:
    """What the rules of one sender say today: ``live``, ``pilot``, or ``A`` for paper.

    A step, recipient or district that no rule of the sender names is like any other that none names.
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
        self._rules = load_rules(tx, sender)
        self._named = {
            name for rule in self._rules for name in (rule.element_id, rule.recipient_id, rule.district_id)
        }
        self._kinds: dict[str, _Kind] = {}
        self._steps: dict[tuple[str, str | None], dict[_Kind, str]] = {}

    def of(self, procedure: str, step: str, recipient: str) -> str:
        kind = self._kinds.get(recipient)
        if kind is None:
            kind = self._kinds[recipient] = self._kind(recipient)
        claims = self._steps.setdefault((procedure, step if step in self._named else None), {})
        claim = claims.get(kind)
        if claim is None:
            asked = Relation(procedure, step, self._sender, recipient, self._district_of(recipient))
            claim = claims[kind] = _claim(in_force(self._rules, asked, self._now))
        return claim

    def _kind(self, recipient: str) -> _Kind:
        district = self._district_of(recipient)
        return (
            recipient if recipient in self._named else None,
            district if district in self._named else None,
        )


def _claim(speaking: Sequence[Rule]) -> str:
    """The narrowest live rule decides; pilots before it carry a share of the cases."""
    pilot = False
    for rule in speaking:
        if rule.stage == LIVE:
            return LIVE if rule.channel != POST else PILOT if pilot else PAPER
        pilot = pilot or (rule.stage == PILOT and rule.channel != POST)
    return PILOT if pilot else PAPER


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
