"""Which message of a case a deadline hangs on. What is not certain stays open: nothing is guessed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, select

from engine.definitions.model import Node, NodeKind
from engine.runtime import api
from engine.service.deadlines.rows import Kept
from engine.store.prepared import Prepared
from engine.store.tables import arrivals, exchanges, subscriptions

_SENT = Prepared(
    select(exchanges.c.id, exchanges.c.key, exchanges.c.element_id, exchanges.c.created_at).where(
        exchanges.c.case_id == bindparam("case")
    )
)
_AWAITED = Prepared(
    select(subscriptions.c.answers).where(
        subscriptions.c.case_id == bindparam("case"),
        subscriptions.c.element_id == bindparam("element"),
        subscriptions.c.instance == bindparam("instance"),
        subscriptions.c.answers.is_not(None),
    )
)
_BEGAN = Prepared(
    select(arrivals.c.id).where(arrivals.c.case_id == bindparam("case"), arrivals.c.status == "started")
)


def bind(tx: Connection, kept: Kept, nodes: Mapping[str, Node]) -> Kept:
    """Return the deadline with the exchange or arrival it hangs on, where that is certain.

    In this order: the send, or message start, that the model names; the send whose answer the timer's host
    waits for; the only step of the case that has sent, or else the arrival the case began with.
    """
    if kept.basis == "fixed":
        return kept
    sent = _SENT.all(tx, case=kept.case_id)
    began = _BEGAN.first(tx, case=kept.case_id)
    node = nodes.get(kept.element_id)
    if kept.send_element is not None:
        named = nodes.get(kept.send_element)
        if named is not None and named.kind is NodeKind.START_EVENT:
            return kept if began is None else replace(kept, arrival_id=began.id)
        found = _newest([row for row in sent if row.element_id == kept.send_element], kept.instance)
        return replace(kept, exchange_id=found)
    if node is not None and node.attached_to is not None:
        awaited = _AWAITED.first(tx, case=kept.case_id, element=node.attached_to, instance=kept.instance)
        if awaited is not None:
            exact = next((row.id for row in sent if row.key == awaited.answers), None)
            return replace(kept, exchange_id=exact)
    if began is not None and not sent:
        return replace(kept, arrival_id=began.id)
    if began is None and len({row.element_id for row in sent}) == 1:
        return replace(kept, exchange_id=_newest(sent, kept.instance))
    return kept


def host_task(item: api.OpenItem, node: Node, result: api.Advance) -> str | None:
    """Return the task that a boundary timer sits on; both open in the same advance."""
    for other in result.opened:
        same = other.element_id == node.attached_to and other.instance == item.instance
        if same and other.kind is api.ItemKind.TASK and other.scope == item.scope:
            return other.id
    return None


def _newest(rows: Sequence[Any], instance: str) -> str | None:
    """Return the latest round of the same instance; of a send outside of it the latest round there."""
    for wanted in (instance, ""):
        own = [row for row in rows if _place(row.key)[0] == wanted]
        if own:
            newest: str = max(own, key=lambda row: _place(row.key)[1]).id
            return newest
    return None


def _place(key: str) -> tuple[str, int]:
    """Return instance and round of an exchange's key, ``element#instance#round``."""
    _, instance, number = key.rsplit("#", 2)
    return instance, int(number)
