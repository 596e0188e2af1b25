"""What a change of channel rules does: to relations, open cases and exchanges. Nothing is changed here.

Relations are judged by rules, mailboxes and form; exchanges that are not sent yet by everything the send job
asks as well, the adapters' own checks included.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, and_, func, or_, select

from engine.exchange.decision import Decision, Relation, Rule, takes_part
from engine.migration.ledger import SENT
from engine.migration.rule_book import RuleBook, Standing
from engine.service.exchanges.sending import decide_channel
from engine.service.exchanges.signing import AWAITING
from engine.service.migration.grounds import Grounds, Step
from engine.store.tables import cases, dispatches, exchanges, ledger

if TYPE_CHECKING:
    from engine.service.installation import Installation

CHANGES, STAYS, FALLS_BACK = "changes", "stays", "falls back"
HELD = "held back"


@dataclass(frozen=True, slots=True)
class RelationEffect:
    """What becomes of one relation."""

    relation: Relation
    verdict: str
    before: str
    after: str
    reason: str
    before_channels: tuple[str, ...]
    """What carries real exchanges before, pilots first."""
    after_channels: tuple[str, ...]
    overruled_by: str | None = None
    """The rule that has its say in place of the new one."""


@dataclass(frozen=True, slots=True)
class CaseEffect:
    """What becomes of an open case's further exchanges."""

    case_id: str
    own_reference: str
    sender_id: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExchangeEffect:
    """What becomes of an exchange that has not gone yet, or that an open case waits for an answer to."""

    exchange_id: str
    own_reference: str
    relation: Relation
    verdict: str
    before: str | None
    after: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Effects:
    """What a change of rules does, in full."""

    at: datetime
    relations: Sequence[RelationEffect] = ()
    cases: Sequence[CaseEffect] = ()
    exchanges: Sequence[ExchangeEffect] = ()

    def of(self, sender: str) -> "Effects":
        """Return what concerns one sender."""
        return Effects(
            self.at,
            [each for each in self.relations if each.relation.sender_id == sender],
            [each for each in self.cases if each.sender_id == sender],
            [each for each in self.exchanges if each.relation.sender_id == sender],
        )

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """Count by verdict and reason: ``{"relations": {"changes": {reason: n}}, …}``."""
        found: dict[str, dict[str, dict[str, int]]] = {}
        for name in ("relations", "cases", "exchanges"):
            counter = Counter((each.verdict, each.reason) for each in getattr(self, name))
            found[name] = {}
            for (verdict, reason), n in sorted(counter.items()):
                found[name].setdefault(verdict, {})[reason] = n
        return found


@dataclass(frozen=True, slots=True)
class Books:
    """A sender's rules before and after a change, and what the change touched."""

    before: Sequence[Rule]
    after: Sequence[Rule]
    touched: Sequence[Rule]
    indexed: tuple[RuleBook, RuleBook, RuleBook] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        books = RuleBook(self.before), RuleBook(self.after), RuleBook(self.touched)
        object.__setattr__(self, "indexed", books)


def find_effects(app: "Installation", tx: Connection, books: Mapping[str, Books], at: datetime) -> Effects:
    """Return what the change does from ``at`` on; ``books`` by sender."""
    grounds = Grounds.on(app, tx, at)
    relations = {
        (effect.relation.procedure_key, effect.relation.element_id, *_ends(effect.relation)): effect
        for sender, book in books.items()
        for effect in _relations(grounds, sender, book, at)
    }
    return Effects(
        at,
        list(relations.values()),
        list(_cases(tx, grounds, books, relations, at)),
        list(_exchanges(app, tx, grounds, books, at)),
    )


def _ends(relation: Relation) -> tuple[str, str]:
    return relation.sender_id, relation.recipient_id


# --- relations -------------------------------------------------------------------------------------------


def _relations(grounds: Grounds, sender: str, book: Books, at: datetime) -> Iterable[RelationEffect]:
    before, after, touched = book.indexed
    for step in grounds.steps:
        for recipient in grounds.recipients(sender):
            relation = grounds.relation(step.procedure_key, step.element_id, sender, recipient)
            spoken = touched.speaking(relation)
            if spoken:
                was, becomes = before.standing(relation, at), after.standing(relation, at)
                yield _judged(grounds, step, relation, was, becomes, [rule.id for rule in spoken])


def _judged(
    grounds: Grounds, step: Step, relation: Relation, was: Standing, becomes: Standing, new: Sequence[str]
) -> RelationEffect:
    old, now = _really(grounds, step, relation, was), _really(grounds, step, relation, becomes)

    def effect(verdict: str, reason: str, overruled_by: str | None = None) -> RelationEffect:
        said = (verdict, old.text, now.text, reason)
        return RelationEffect(relation, *said, old.channels, now.channels, overruled_by)

    if was.signature == becomes.signature:
        # What a revert takes away had its say before, what a switch makes has it afterwards.
        if becomes.rule is None or any(was.speaks(each) or becomes.speaks(each) for each in new):
            return effect(STAYS, now.obstacles or "it is so already")
        return effect(STAYS, "overruled by a narrower or newer rule", becomes.rule.id)
    if old.text == now.text:
        return effect(STAYS, now.obstacles or "it is so already")
    if now.obstacles is not None and becomes.channel not in now.channels and was.channel != becomes.channel:
        return effect(FALLS_BACK, now.obstacles)
    return effect(CHANGES, f"{old.text} → {now.text}")


@dataclass(frozen=True, slots=True)
class _Carried:
    """What will carry a relation's exchanges."""

    text: str
    channels: tuple[str, ...]
    obstacles: str | None
    """Why not all of what the rules intend."""


def _really(grounds: Grounds, step: Step, relation: Relation, standing: Standing) -> _Carried:
    reasons: list[str] = []
    parts = []
    channels = []
    for rule in standing.pilots:
        obstacle = grounds.obstacle(step, relation, rule.channel)
        if obstacle is None:
            parts.append(f"{rule.channel} {rule.share} %")
            channels.append(rule.channel)
        else:
            reasons.append(obstacle)
    base, obstacle = grounds.carried(step, relation, standing.channel)
    if obstacle is not None:
        reasons = [*(reason for reason in reasons if not obstacle.startswith(reason)), obstacle]
    parts.append(f"else {base}" if parts else base)
    channels.append(base)
    for rule in standing.shadows:
        obstacle = grounds.test_obstacle(step, relation, rule.channel)
        if obstacle is None:
            parts.append(f"shadow {rule.channel}")
        else:
            reasons.append(obstacle)
    return _Carried(", ".join(parts), tuple(dict.fromkeys(channels)), "; ".join(reasons) or None)


# --- cases -----------------------------------------------------------------------------------------------


def _cases(
    tx: Connection,
    grounds: Grounds,
    books: Mapping[str, Books],
    relations: Mapping[tuple[str, str, str, str], RelationEffect],
    at: datetime,
) -> Iterable[CaseEffect]:
    procedures = {procedure for procedure, *_ in relations}
    rows = tx.execute(
        select(
            cases.c.id,
            cases.c.authority_id,
            cases.c.own_reference,
            cases.c.procedure_key,
            cases.c.partner_id,
        )
        .where(
            cases.c.status == "open",
            cases.c.authority_id.in_(list(books)),
            cases.c.procedure_key.in_(sorted(procedures)),
        )
        .order_by(cases.c.authority_id, cases.c.started_at, cases.c.id)
    )
    for row in rows:
        verdict, reason = _of_case(grounds, books[row.authority_id], relations, row, at)
        if verdict is not None:
            yield CaseEffect(row.id, row.own_reference, row.authority_id, verdict, reason)


def _of_case(
    grounds: Grounds,
    book: Books,
    relations: Mapping[tuple[str, str, str, str], RelationEffect],
    row: Any,
    at: datetime,
) -> tuple[str | None, str]:
    """Return the verdict about a case; None where the change does not touch it."""
    procedure, sender, partner = row.procedure_key, row.authority_id, row.partner_id
    if partner is None:
        return "open", "no recipient yet: decided when it sends"
    effects = [
        effect
        for step in grounds.steps_of(procedure)
        if (effect := relations.get((procedure, step.element_id, sender, partner))) is not None
    ]
    if not effects:
        return None, ""
    moved = [effect for effect in effects if effect.verdict != STAYS]
    if not moved:
        return STAYS, effects[0].reason
    case_id: str = row.id
    left_out = False
    for effect in moved:
        was = book.indexed[0].standing(effect.relation, at)
        becomes = book.indexed[1].standing(effect.relation, at)
        if was.for_case(case_id) != becomes.for_case(case_id):
            return effect.verdict, f"{was.for_case(case_id)} → {becomes.for_case(case_id)}"
        if _tried_for(was, case_id) != _tried_for(becomes, case_id):
            return CHANGES, effect.reason
        left_out = left_out or (bool(becomes.pilots) and not _piloted(becomes, case_id))
    return STAYS, "not among the pilot's share" if left_out else "it is so already"


def _piloted(standing: Standing, case_id: str) -> bool:
    return any(takes_part(rule, case_id) for rule in standing.pilots)


def _tried_for(standing: Standing, case_id: str) -> set[str]:
    """Return the channels of a case's shadow sends: never the one that carries it for real."""
    return {rule.channel for rule in standing.shadows} - {standing.for_case(case_id)}


# --- exchanges -------------------------------------------------------------------------------------------

_KEEPS: Mapping[str, str] = {
    "handed_over": "already sent",
    "prepared": "prepared already: goes as prepared",
    "sending": "being sent now",
    "outcome_unknown": "outcome unknown: a clerk decides",
    AWAITING: "waits for its signature on paper",
}
_HELD = "held: decided anew when its incident is retried"


def _exchanges(
    app: "Installation", tx: Connection, grounds: Grounds, books: Mapping[str, Books], at: datetime
) -> Iterable[ExchangeEffect]:
    earlier = dispatches.alias()
    newest = (
        select(func.max(earlier.c.number))
        .where(earlier.c.exchange_id == exchanges.c.id)
        .correlate(exchanges)
        .scalar_subquery()
    )
    rows = tx.execute(
        select(exchanges, cases.c.own_reference, dispatches.c.state, dispatches.c.channel)
        .join(cases, cases.c.id == exchanges.c.case_id)
        .join(ledger, ledger.c.exchange_id == exchanges.c.id, isouter=True)
        .join(
            dispatches,
            and_(dispatches.c.exchange_id == exchanges.c.id, dispatches.c.number == newest),
            isouter=True,
        )
        .where(
            exchanges.c.authority_id.in_(list(books)),
            exchanges.c.status.in_(("open", "held")),
            # A case may end with its last message: nobody waits for an answer then, but it has yet to go.
            or_(cases.c.status == "open", ledger.c.state != SENT),
        )
        .order_by(exchanges.c.authority_id, exchanges.c.created_at, exchanges.c.id)
    ).mappings()
    now = app.clock.now()
    for row in rows:
        book = books[row["authority_id"]]
        relation = grounds.relation(
            row["procedure_key"], row["element_id"], row["authority_id"], row["recipient_id"]
        )
        if not book.indexed[2].speaking(relation):
            continue
        keeps = _KEEPS.get(row["state"])
        if keeps is not None:
            verdict, before, after, reason = STAYS, row["channel"], row["channel"], keeps
        elif at > now:
            verdict, before, after = STAYS, None, None
            reason = _HELD if row["status"] == "held" else "is sent before the change takes effect"
        else:
            verdict, before, after, reason = _decided(app, tx, row, book, at)
        yield ExchangeEffect(row["id"], row["own_reference"], relation, verdict, before, after, reason)


def _decided(
    app: "Installation", tx: Connection, row: Mapping[Any, Any], book: Books, at: datetime
) -> tuple[str, str | None, str | None, str]:
    """Decide an unsent exchange as the send job will, by the old rules and by the new."""
    was = decide_channel(app, tx, row, rules=book.before, at=at)
    becomes = decide_channel(app, tx, row, rules=book.after, at=at)
    verdict = STAYS if was.channel == becomes.channel else CHANGES
    reason = _why(becomes) if verdict == STAYS else f"{was.channel or HELD} → {becomes.channel or HELD}"
    if row["status"] == "held":
        reason = f"{reason}; {_HELD}"
    return verdict, was.channel, becomes.channel, reason


def _why(decision: Decision) -> str:
    """Say in a few words why an exchange keeps its channel."""
    intended = decision.considered[0]
    if decision.fell_back or decision.channel is None:
        return f"{intended.channel} {intended.verdict}: {', '.join(intended.reasons[1:])}"
    return "it is so already" if decision.rule_id else "no rule speaks of it"
