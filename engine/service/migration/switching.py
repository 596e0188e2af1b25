"""``migration switch``: putting channel rules in force for relations, and listing them.

A rule belongs to the sender: a switch over several senders writes one rule each (and one a relation where a
list names them), all in one transaction. A dry run computes the same and writes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from engine.actor import Actor, Role
from engine.exchange.decision import Rule
from engine.migration.scope import Scope
from engine.migration.switching import Change, PlannedRuleError, PlannedRulesError, plan
from engine.service.access import require
from engine.service.directory.authorities import find_authority
from engine.service.migration import watching
from engine.service.migration.consequences import Consequence, find_consequences
from engine.service.migration.effects import Books, Effects, find_effects
from engine.service.migration.grounds import Grounds
from engine.service.migration.rule_rows import (
    SWITCH,
    Act,
    add_rules,
    end_rules,
    load_books,
    lock_rules,
    making_changes,
    note_changes,
)
from engine.service.migration.said import said
from engine.service.migration.scope import senders
from engine.service.migration.wishes import (
    ListRefusedError,
    Switch,
    SwitchRefusedError,
    Wish,
    check,
    read_relations,
)
from engine.store.tables import channel_rules, rule_changes

if TYPE_CHECKING:
    from engine.service.installation import Installation

__all__ = [
    "ListRefusedError",
    "RuleLine",
    "Switch",
    "SwitchRefusedError",
    "Switched",
    "list_rules",
    "preview",
    "read_relations",
    "switch",
]


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule that an act puts in force, and what it replaces there."""

    id: str
    sender_id: str
    procedure_key: str | None
    element_id: str | None
    recipient_id: str | None
    district_id: str | None
    channel: str
    stage: str
    share: int
    valid_from: datetime
    replaces: tuple[str, ...]
    """In words, e.g. ``6946116c xdomea+folder pilot 10 %``."""
    revert_if: tuple[str, ...] = ()
    """When it takes itself back."""


@dataclass(frozen=True, slots=True)
class Switched:
    """What an act on rules did, or in a dry run would do."""

    act_id: str | None
    """None: a dry run, nothing was written."""
    rules: Sequence[RuleLine]
    ended: Sequence[RuleLine]
    """Rules that an act ended without a new one of its own scope: reverts have them."""
    effects: Effects
    consequences: Sequence[Consequence]
    at: datetime
    """When it was done or looked at; rules that begin later are planned."""


def switch(app: "Installation", actor: Actor, wanted: Switch) -> Switched:
    """Put channel rules in force for the senders of the scope; return what that did.

    No model is touched, no case restarted; exchanges not yet sent are decided by the new rule when they are
    sent, those prepared already go as prepared. Nothing is written where anything is refused, or where
    no reason is given.

    Raises SwitchRefusedError, ListRefusedError, PlannedRuleError, PlannedRulesError, ConditionRefusedError,
    InvalidInstantError, UnknownChannelError, SenderUnknownError, AuthorityUnknownError, ScopeRefusedError,
    RoleMissingError.
    """
    require(actor, Role.ADMIN, Role.INSTALLATION)
    with app.write() as tx:
        lock_rules(tx, senders(tx, actor))
        # Not before: what somebody else has switched meanwhile is not planned for later.
        now = app.clock.now()
        wish = check(app, tx, actor, wanted, now)
        planned = _plan(app, tx, wish, now)
        found = _foreseen(app, tx, wish, planned)
        reason = said(wish.reason, SwitchRefusedError)
        act = Act(str(app.ids.new()), now, actor.person_id, SWITCH, reason)
        _write(app, tx, act, wish, planned, found)
    return _told(act.id, now, wish, planned, found)


def preview(app: "Installation", actor: Actor, wanted: Switch) -> Switched:
    """Return what ``switch`` would do now; nothing is written, so no reason is needed.

    Raises what ``switch`` raises.
    """
    require(actor, Role.ADMIN, Role.INSTALLATION, Role.AUDITOR, Role.ANALYST)
    now = app.clock.now()
    with app.read() as tx:
        wish = check(app, tx, actor, wanted, now)
        planned = _plan(app, tx, wish, now)
        return _told(None, now, wish, planned, _foreseen(app, tx, wish, planned))


@dataclass(frozen=True, slots=True)
class _Planned:
    """The rules of each sender before, and the changes of each."""

    before: Mapping[str, Sequence[Rule]]
    changes: Mapping[str, Sequence[Change]]


@dataclass(frozen=True, slots=True)
class _Foreseen:
    effects: Effects
    consequences: Sequence[Consequence]


def _plan(app: "Installation", tx: Connection, wish: Wish, now: datetime) -> _Planned:
    before = load_books(tx, list(wish.by_sender), now)
    changes: dict[str, list[Change]] = {}
    refused: list[PlannedRuleError] = []
    for sender, scopes in wish.by_sender.items():
        by_scope: dict[Any, list[Rule]] = {}
        for rule in before[sender]:
            by_scope.setdefault(rule.scope, []).append(rule)
        for scope in scopes:
            new = _rule(str(app.ids.new()), wish, scope, now)
            try:
                changes.setdefault(sender, []).append(plan(new, by_scope.get(new.scope, ()), now))
            except PlannedRuleError as error:
                refused.append(error)
    _refuse(tx, refused)
    return _Planned(before, changes)


def _refuse(tx: Connection, refused: Sequence[PlannedRuleError]) -> None:
    """Refuse to step before planned rules; several are named by the switches that planned them."""
    if len(refused) == 1:
        raise refused[0]
    if refused:
        made = making_changes(tx, [error.rule.id for error in refused])
        changes = sorted({change for change in made.values() if change is not None})
        acts = tx.scalars(select(rule_changes.c.act_id).where(rule_changes.c.id.in_(changes)).distinct())
        numbers = [act[:8] for act in sorted(acts)]
        more = f", and {len(numbers) - _NAMED} switches more" if len(numbers) > _NAMED else ""
        raise PlannedRulesError(
            f"{len(refused)} rules are planned for the same scopes, the first: {refused[0].message}",
            hint=f"take back first what planned them: dienstweg migration revert {numbers[0]}"
            + "".join(f", {number}" for number in numbers[1:_NAMED])
            + more,
        )


_NAMED = 5


def _rule(rule_id: str, wish: Wish, scope: Scope, now: datetime) -> Rule:
    return Rule(
        id=rule_id,
        channel=wish.channel,
        stage=wish.stage,
        share=wish.share,
        valid_from=wish.effective,
        created_at=now,
        procedure_key=scope.procedure,
        element_id=scope.step,
        recipient_id=scope.recipient,
        district_id=scope.district,
    )


def _foreseen(app: "Installation", tx: Connection, wish: Wish, planned: _Planned) -> _Foreseen:
    books = {}
    for sender, changes in planned.changes.items():
        replaced = {rule.id for change in changes for rule in change.replaced}
        kept = [rule for rule in planned.before[sender] if rule.id not in replaced]
        new = [change.new for change in changes]
        books[sender] = Books(planned.before[sender], [*kept, *new], new)
    effects = find_effects(app, tx, books, wish.effective)
    return _Foreseen(effects, find_consequences(app, tx, effects))


def _write(
    app: "Installation", tx: Connection, act: Act, wish: Wish, planned: _Planned, found: _Foreseen
) -> None:
    change_ids = {sender: str(app.ids.new()) for sender in planned.changes}
    flat = [(sender, change) for sender, changes in planned.changes.items() for change in changes]
    ended = [
        (rule.id, change.new.valid_from, change_ids[sender])
        for sender, change in flat
        for rule in change.replaced
    ]
    texts = [condition.text for condition in wish.conditions]
    made = making_changes(tx, {change.ender.id for _, change in flat if change.ender is not None})
    enders = {change.new.id: made[change.ender.id] for _, change in flat if change.ender is not None}
    end_rules(tx, ended)
    add_rules(
        tx,
        [(sender, change.new) for sender, change in flat],
        change_ids,
        act,
        {
            change.new.id: {"revert_if": texts or None, "ended_by": enders.get(change.new.id)}
            for _, change in flat
        },
    )
    about = {
        sender: {
            "scope": [scope_json(change.new) for change in changes][:_KEPT_SCOPES],
            "channel": wish.channel,
            "stage": wish.stage,
            "share": wish.share,
            "effective": wish.effective,
            "effects": {"rules": len(changes), **found.effects.of(sender).counts()},
        }
        for sender, changes in planned.changes.items()
    }
    note_changes(app, tx, act, change_ids, about)
    if wish.conditions:
        for sender, change in flat:
            watching.begin(app, tx, sender, change.new.id, wish.effective)


_KEPT_SCOPES = 50
"""As many scopes of a long list stand in the history; the rules name them all."""


def scope_json(rule: Rule) -> dict[str, str | None]:
    """Return a rule's scope by field."""
    return dict(zip(("procedure", "step", "recipient", "district"), rule.scope, strict=True))


def _told(act_id: str | None, at: datetime, wish: Wish, planned: _Planned, found: _Foreseen) -> Switched:
    conditions = [condition.text for condition in wish.conditions]
    lines = [
        rule_line(sender, change.new, change.replaced, conditions)
        for sender, changes in planned.changes.items()
        for change in changes
    ]
    return Switched(act_id, lines, (), found.effects, found.consequences, at)


def rule_line(
    sender: str, rule: Rule, replaced: Sequence[Rule] = (), revert_if: Sequence[str] | None = ()
) -> RuleLine:
    """Return a rule as acts show it."""
    from engine.migration.switching import stage_text

    return RuleLine(
        rule.id,
        sender,
        *rule.scope,
        rule.channel,
        rule.stage,
        rule.share,
        rule.valid_from,
        tuple(f"{old.id[:8]} {old.channel} {stage_text(old.stage, old.share)}" for old in replaced),
        tuple(revert_if or ()),
    )


def list_rules(app: "Installation", actor: Actor, *, everything: bool = True) -> Sequence[dict[str, Any]]:
    """Return the channel rules of the senders that the actor may see, newest first.

    ``everything=False`` leaves out those that have ended. ``closed`` says of a rule in force or planned that
    names a recipient why nothing reaches it there, on the day it begins or today. Raises RoleMissingError.
    """
    now = app.clock.now()
    with app.read() as tx:
        query = select(channel_rules).where(channel_rules.c.authority_id.in_(senders(tx, actor)))
        if not everything:
            until = channel_rules.c.valid_until
            query = query.where(until.is_(None) | ((until > now) & (until > channel_rules.c.valid_from)))
        query = query.order_by(channel_rules.c.created_at.desc(), channel_rules.c.id)
        rows = tx.execute(query).mappings().all()
        closed = _Closed(app, tx, now)
        return [{**row, "closed": closed.why(row)} for row in rows]


class _Closed:
    """Says why nothing reaches the recipients that rules name."""

    def __init__(self, app: "Installation", tx: Connection, now: datetime) -> None:
        self._app, self._tx, self._now = app, tx, now
        self._days: dict[date, Grounds] = {}

    def why(self, row: Mapping[Any, Any]) -> str | None:
        begins, until = max(row["valid_from"], self._now), row["valid_until"]
        if row["recipient_id"] is None or (until is not None and until <= begins):
            return None
        grounds = Grounds.on(self._app, self._tx, begins)
        grounds = self._days.setdefault(grounds.day, grounds)
        return grounds.why_closed(row["recipient_id"], row["channel"])


def rules_naming(app: "Installation", actor: Actor, recipient: str, channel: str) -> int:
    """Return how many rules in force or planned, of senders the actor may see, name this mailbox.

    Raises AuthorityUnknownError, RoleMissingError.
    """
    with app.read() as tx:
        key = find_authority(tx, recipient).id
    rules = list_rules(app, actor, everything=False)
    return sum((rule["recipient_id"], rule["channel"]) == (key, channel) for rule in rules)
