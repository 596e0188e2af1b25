"""Channel rules of a sender, as the store keeps them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, or_, select

from engine.exchange.decision import Relation, Rule
from engine.store.tables import channel_rules

_SCOPE = ("procedure_key", "element_id", "recipient_id", "district_id")
_OF_RULE = (*Rule.__dataclass_fields__,)


def load_rules(tx: Connection, authority_id: str, relation: Relation | None = None) -> list[Rule]:
    """Return the channel rules of the sending authority, ended and planned ones included.

    With ``relation`` only those whose scope holds it: a sender may have thousands.
    """
    query = select(*(channel_rules.c[name] for name in _OF_RULE)).where(
        channel_rules.c.authority_id == authority_id
    )
    if relation is not None:
        for name in _SCOPE:
            column, value = channel_rules.c[name], getattr(relation, name)
            open_ = column.is_(None)
            query = query.where(open_ if value is None else or_(open_, column == value))
    return [rule_of(row) for row in tx.execute(query).mappings()]


def rule_of(row: Mapping[Any, Any]) -> Rule:
    """Return a row as a rule."""
    return Rule(**{name: row[name] for name in _OF_RULE})
