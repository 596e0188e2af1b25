"""``migration revert``: what was before a switch holds again. Nothing is rewritten: rules end, copies begin.

A rule of the same scope that the reverted one had replaced is put in force again as a copy that names it,
with its share, its conditions and its age (which decides between rules of equal width). A rule that has not
begun yet never begins, and what it would have ended goes on.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, select

from engine.actor import Actor, Role
from engine.deadlines.iso import local_text
from engine.errors import NotFoundError, RefusedError
from engine.exchange.decision import Rule, ScopeKey
from engine.migration.switching import ender_of
from engine.service.access import require
from engine.service.exchanges.rules import rule_of
from engine.service.migration import watching
from engine.service.migration.consequences import find_consequences
from engine.service.migration.effects import Books, find_effects
from engine.service.migration.rule_rows import (
    REVERT,
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
from engine.service.migration.switching import RuleLine, Switched, rule_line, scope_json
from engine.service.numbers import known_as
from engine.store.tables import channel_rules, rule_changes

if TYPE_CHECKING:
    from engine.service.installation import Installation


class RuleUnknownError(NotFoundError):
    """There is no such rule or switch."""


class RevertRefusedError(RefusedError):
    """This cannot be taken back."""


def revert(
    app: "Installation", actor: Actor, key: str | None, reason: str, *, dry_run: bool = False
) -> Switched:
    """Take back a rule, or a whole switch, named by its number; None: the last switch not taken back yet.

    A dry run needs no reason. Raises RuleUnknownError, RevertRefusedError (no reason; what is not in force
    any more is not taken back), RoleMissingError.
    """
    require(actor, Role.ADMIN, Role.INSTALLATION)
    reason = reason if dry_run else said(reason, RevertRefusedError)
    with app.read() if dry_run else app.write() as tx:
        mine = senders(tx, actor)
        if not dry_run:
            lock_rules(tx, mine)
        now = app.clock.now()
        rows, undoes = _named(tx, mine, key)
        standing = [
            row
            for row in rows
            if row["valid_until"] is None or row["valid_until"] > max(now, row["valid_from"])
        ]
        if not standing:
            raise RevertRefusedError(
                f"nothing of it is in force any more: {_ended_text(tx, rows)}",
                hint="'dienstweg migration rules' shows what is",
            )
        act = Act(str(app.ids.new()), now, actor.person_id, REVERT, reason, undoes=undoes)
        return take_back(app, tx, standing, act, dry_run=dry_run)


@dataclass
class _Undoing:
    """What taking back one sender's rules writes."""

    cancelled: list[RowMapping] = field(default_factory=list)
    ended: list[RowMapping] = field(default_factory=list)
    prolonged: list[tuple[RowMapping, Rule | None]] = field(default_factory=list)
    """Rules that go on after all, each with the planned rule that will end it."""
    copies: list[tuple[Rule, Rule | None, RowMapping]] = field(default_factory=list)
    """Rules put in force again, each with the planned rule that will end it and the one it restores.

    A stage that another rule of the scope holds now is left to it.
    """


def take_back(
    app: "Installation", tx: Connection, rows: Sequence[RowMapping], act: Act, *, dry_run: bool = False
) -> Switched:
    """End these rules, which are in force or planned, and restore what they replaced. Locks are held."""
    by_sender: dict[str, list[RowMapping]] = {}
    for row in rows:
        by_sender.setdefault(row["authority_id"], []).append(row)
    before = load_books(tx, list(by_sender), act.at)
    undoing = {sender: _undo(app, tx, mine, before[sender], act.at) for sender, mine in by_sender.items()}
    at = act.at if any(each.ended for each in undoing.values()) else min(row["valid_from"] for row in rows)
    books = {sender: _books(before[sender], each) for sender, each in undoing.items()}
    effects = find_effects(app, tx, books, at)
    consequences = find_consequences(app, tx, effects)
    if not dry_run:
        _write(app, tx, act, undoing, {sender: len(mine) for sender, mine in by_sender.items()}, effects)
    restored: list[RuleLine] = [
        rule_line(sender, rule, (), row["revert_if"])
        for sender, each in undoing.items()
        for rule, row in (
            *((copy, old) for copy, _, old in each.copies),
            *((rule_of(row), row) for row, _ in each.prolonged),
        )
    ]
    ended = [rule_line(row["authority_id"], rule_of(row)) for row in rows]
    return Switched(None if dry_run else act.id, restored, ended, effects, consequences, act.at)


def _undo(
    app: "Installation", tx: Connection, rows: Sequence[RowMapping], before: Sequence[Rule], now: datetime
) -> _Undoing:
    """Say what taking back one sender's rules writes; ``before`` are its rules in force and planned."""
    found = _Undoing()
    made = making_changes(tx, [row["id"] for row in rows])
    query = select(channel_rules).where(
        channel_rules.c.ended_by.in_(sorted({change for change in made.values() if change is not None}))
    )
    gone = {row["id"] for row in rows}
    earlier: dict[tuple[str, ScopeKey], list[RowMapping]] = defaultdict(list)
    for old in tx.execute(query).mappings():
        if old["id"] not in gone:
            earlier[old["ended_by"], rule_of(old).scope].append(old)
    kept: dict[ScopeKey, list[Rule]] = defaultdict(list)
    for other in before:
        if other.id not in gone:
            kept[other.scope].append(other)
    for row in rows:
        rule = rule_of(row)
        same_scope = kept[rule.scope]
        change = made[row["id"]]
        replaced = earlier[change, rule.scope] if change is not None else []
        if rule.valid_from > now:
            found.cancelled.append(row)
            found.prolonged += [
                (old, ender_of(rule_of(old), same_scope)) for old in replaced if old["valid_until"] > now
            ]
            continue
        found.ended.append(row)
        taken = {other.stage for other in same_scope if other.valid_from <= now}
        found.copies += [
            _copy(app, old, same_scope, now) for old in replaced if rule_of(old).stage not in taken
        ]
    return found


def _copy(
    app: "Installation", old: RowMapping, same_scope: Sequence[Rule], now: datetime
) -> tuple[Rule, Rule | None, RowMapping]:
    """Return ``old`` as it is put in force again, and the planned rule that will end it."""
    copy = replace(rule_of(old), id=str(app.ids.new()), valid_from=now, valid_until=None)
    ender = ender_of(copy, same_scope)
    return replace(copy, valid_until=ender.valid_from) if ender else copy, ender, old


def _books(before: Sequence[Rule], undoing: _Undoing) -> Books:
    gone = {row["id"] for row in (*undoing.ended, *undoing.cancelled)}
    longer = {row["id"]: ender.valid_from if ender else None for row, ender in undoing.prolonged}
    kept = [
        replace(rule, valid_until=longer[rule.id]) if rule.id in longer else rule
        for rule in before
        if rule.id not in gone
    ]
    copies = [copy for copy, _, _ in undoing.copies]
    touched = [rule for rule in before if rule.id in gone]
    return Books(before, [*kept, *copies], [*touched, *copies])


def _write(
    app: "Installation",
    tx: Connection,
    act: Act,
    undoing: dict[str, _Undoing],
    counts: dict[str, int],
    effects: Any,
) -> None:
    about: dict[str, dict[str, Any]] = {}
    changes = {sender: str(app.ids.new()) for sender in undoing}
    for sender, each in undoing.items():
        change = changes[sender]
        ending: list[tuple[str, datetime | None, str | None]] = [
            *((row["id"], row["valid_from"], change) for row in each.cancelled),
            *((row["id"], act.at, change) for row in each.ended),
        ]
        enders = [ender.id for _, ender in each.prolonged if ender is not None]
        enders += [ender.id for _, ender, _ in each.copies if ender is not None]
        made = making_changes(tx, set(enders))
        ending += [
            (row["id"], ender.valid_from if ender else None, made[ender.id] if ender else None)
            for row, ender in each.prolonged
        ]
        end_rules(tx, ending)
        more = {
            copy.id: {
                "restores": old["id"],
                "revert_if": old["revert_if"],
                "ended_by": made[ender.id] if ender else None,
            }
            for copy, ender, old in each.copies
        }
        add_rules(tx, [(sender, copy) for copy, _, _ in each.copies], changes, act, more)
        for copy, _, old in each.copies:
            if old["revert_if"]:
                watching.begin(app, tx, sender, copy.id, act.at)
        first = (each.ended or each.cancelled)[0]
        again = next((copy for copy, _, _ in each.copies), None)
        about[sender] = {
            "scope": [scope_json(rule_of(row)) for row in (*each.ended, *each.cancelled)][:50],
            "channel": again.channel if again else first["channel"],
            "stage": again.stage if again else "ended",
            "share": again.share if again else first["share"],
            "effective": act.at,
            "effects": {"rules": counts[sender], **effects.of(sender).counts()},
        }
    note_changes(app, tx, act, changes, about)


def _named(tx: Connection, mine: Sequence[str], key: str | None) -> tuple[Sequence[RowMapping], str | None]:
    """Return the rules that are meant, and the act they belong to where a whole switch is meant."""
    if key is None:
        act_id = _last(tx, mine)
        return _of_act(tx, mine, act_id), act_id
    own = channel_rules.c.authority_id.in_(mine)
    rules = (
        tx.execute(select(channel_rules).where(own, known_as(channel_rules.c.id, key)).limit(2))
        .mappings()
        .all()
    )
    if len(rules) == 1:
        return rules, None
    acts = set(
        tx.scalars(
            select(rule_changes.c.act_id).where(
                rule_changes.c.authority_id.in_(mine), known_as(rule_changes.c.act_id, key)
            )
        )
    )
    if rules or len(acts) != 1:
        raise RuleUnknownError(
            f"no rule or switch {key!r}",
            hint="'dienstweg migration rules' and 'dienstweg migration history' show them",
        )
    (act_id,) = acts
    return _of_act(tx, mine, act_id), act_id


def _of_act(tx: Connection, mine: Sequence[str], act_id: str) -> Sequence[RowMapping]:
    query = (
        select(channel_rules)
        .join(rule_changes, rule_changes.c.id == channel_rules.c.change_id)
        .where(channel_rules.c.authority_id.in_(mine), rule_changes.c.act_id == act_id)
    )
    return tx.execute(query.order_by(channel_rules.c.authority_id, channel_rules.c.id)).mappings().all()


def _last(tx: Connection, mine: Sequence[str]) -> str:
    undone = select(rule_changes.c.undoes).where(rule_changes.c.undoes.is_not(None))
    found: str | None = tx.scalar(
        select(rule_changes.c.act_id)
        .join(channel_rules, channel_rules.c.change_id == rule_changes.c.id)
        .where(
            rule_changes.c.authority_id.in_(mine),
            rule_changes.c.kind == SWITCH,
            rule_changes.c.act_id.not_in(undone),
            channel_rules.c.ended_by.is_(None),
        )
        .order_by(rule_changes.c.at.desc(), rule_changes.c.id.desc())
        .limit(1)
    )
    if found is None:
        raise RuleUnknownError(
            "every switch has been taken back or replaced",
            hint="'dienstweg migration rules' shows what is in force; take a rule back by its number",
        )
    return found


def _ended_text(tx: Connection, rows: Sequence[RowMapping]) -> str:
    texts = []
    for row in rows[:3]:
        by = tx.execute(
            select(rule_changes.c.by, rule_changes.c.kind).where(rule_changes.c.id == row["ended_by"])
        ).first()
        when = local_text(row["valid_until"]) if row["valid_until"] else "?"
        texts.append(f"rule {row['id'][:8]} ended {when}" + (f" ({by.kind} by {by.by})" if by else ""))
    return "; ".join(texts) or "it made no rule"
