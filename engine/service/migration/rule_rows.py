"""Writing channel rules and the changes that made or ended them. The caller holds the senders' locks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select, update

from engine.exchange.decision import Rule
from engine.service.exchanges.rules import rule_of
from engine.store.locks import lock_name
from engine.store.tables import audit, channel_rules, rule_changes

if TYPE_CHECKING:
    from engine.service.installation import Installation

SWITCH, REVERT = "switch", "revert"


@dataclass(frozen=True, slots=True)
class Act:
    """One act over one or several senders: who does what, when and why."""

    id: str
    at: datetime
    by: str
    kind: str
    reason: str
    automatic: bool = False
    undoes: str | None = None
    figures: Mapping[str, Any] | None = None


def lock_rules(tx: Connection, senders: Iterable[str]) -> None:
    """Wait until nobody else changes the rules of these senders."""
    for sender in sorted(senders):
        lock_name(tx, f"rules:{sender}")


def load_books(tx: Connection, senders: Sequence[str], at: datetime) -> dict[str, list[Rule]]:
    """Return the rules of each sender that are in force at ``at`` or planned for later.

    A planned rule that was taken back ends where it begins: it is neither.
    """
    found: dict[str, list[Rule]] = {sender: [] for sender in senders}
    until = channel_rules.c.valid_until
    rows = tx.execute(
        select(channel_rules).where(
            channel_rules.c.authority_id.in_(list(senders)),
            until.is_(None) | ((until > at) & (until > channel_rules.c.valid_from)),
        )
    ).mappings()
    for row in rows:
        found[row["authority_id"]].append(rule_of(row))
    return found


def add_rules(
    tx: Connection,
    rules: Sequence[tuple[str, Rule]],
    changes: Mapping[str, str],
    act: Act,
    more: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write new rules, given with their sender; ``more`` holds further columns by rule id."""
    if not rules:
        return
    empty = dict.fromkeys(("restores", "revert_if", "ended_by"))
    rows = [
        {
            **asdict(rule),
            "authority_id": sender,
            "created_by": act.by,
            "reason": act.reason,
            "change_id": changes[sender],
            **empty,
            **more.get(rule.id, {}),
        }
        for sender, rule in rules
    ]
    tx.execute(insert(channel_rules), rows)


_END = (
    update(channel_rules)
    .where(channel_rules.c.id == bindparam("rule"))
    .values(
        valid_until=bindparam("until", type_=channel_rules.c.valid_until.type),
        ended_by=bindparam("change"),
    )
)


def making_changes(tx: Connection, rule_ids: Iterable[str]) -> dict[str, str | None]:
    """Return the change that made each rule; for one put in force again, that which made it first."""
    found: dict[str, str | None] = {}
    names = {rule_id: rule_id for rule_id in rule_ids}
    query = select(channel_rules.c.id, channel_rules.c.change_id, channel_rules.c.restores)
    while names:
        wanted = iter(sorted(set(names.values())))
        known: dict[str, Any] = {}
        while some := list(islice(wanted, _AT_ONCE)):
            known |= {row.id: row for row in tx.execute(query.where(channel_rules.c.id.in_(some)))}
        found |= {rule_id: known[name].change_id for rule_id, name in names.items()}
        names = {
            rule_id: known[name].restores
            for rule_id, name in names.items()
            if known[name].restores is not None
        }
    return found


_AT_ONCE = 10_000
"""PostgreSQL takes 65,535 values in one statement."""


def end_rules(tx: Connection, ended: Sequence[tuple[str, datetime | None, str | None]]) -> None:
    """Say when rules end and by what change, given by id; None and None: they go on."""
    if ended:
        rows = [{"rule": rule_id, "until": until, "change": change} for rule_id, until, change in ended]
        tx.execute(_END, rows)


def note_changes(
    app: "Installation",
    tx: Connection,
    act: Act,
    changes: Mapping[str, str],
    about: Mapping[str, Mapping[str, Any]],
) -> None:
    """Write the history row and the audit row of an act for each sender; ``about`` fills the columns."""
    rows = [
        {
            "id": changes[sender],
            "authority_id": sender,
            "act_id": act.id,
            "at": act.at,
            "by": act.by,
            "kind": act.kind,
            "automatic": act.automatic,
            "undoes": act.undoes,
            "reason": act.reason,
            "figures": dict(act.figures) if act.figures is not None else None,
            **values,
        }
        for sender, values in about.items()
    ]
    tx.execute(insert(rule_changes), rows)
    tx.execute(
        insert(audit),
        [
            {
                "id": str(app.ids.new()),
                "authority_id": row["authority_id"],
                "at": act.at,
                "actor": act.by,
                "action": f"migration.{act.kind}",
                "details": {
                    name: row[name]
                    for name in ("id", "scope", "channel", "stage", "share", "reason", "automatic", "figures")
                },
            }
            for row in rows
        ],
    )
