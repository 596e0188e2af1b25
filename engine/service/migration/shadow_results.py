"""Shadow sends as admins see them: each one, and what they say about a channel. Metadata only."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, select

from engine.actor import Actor
from engine.errors import NotFoundError
from engine.migration.scope import Scope
from engine.migration.shadow import State
from engine.service.migration.scope import resolve, scope_senders, senders
from engine.service.numbers import known_as
from engine.store.tables import authorities, shadow_sends

if TYPE_CHECKING:
    from engine.service.installation import Installation

PAGE = 100


class ShadowUnknownError(NotFoundError):
    """There is no such shadow send."""


@dataclass(frozen=True, slots=True)
class ShadowLine:
    """One shadow send."""

    id: str
    sender_id: str
    recipient_id: str
    procedure_key: str
    element_id: str
    message_type: str
    channel: str
    state: str
    content: str
    """``synthetic`` or ``real``."""
    exchange_id: str
    """The real exchange beside which it went."""
    created_at: datetime
    handed_over_at: datetime | None
    compared_at: datetime | None
    purged_at: datetime | None
    reason: str | None
    differences: list[str] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the shadow sends of one relation and channel came to."""

    procedure_key: str
    element_id: str
    sender_id: str
    recipient_id: str
    channel: str
    n: int
    equal: int
    different: int
    received: int
    """Confirmed by a system that reports no digests."""
    without_receipt: int
    failed: int
    waiting: int
    differences: dict[str, int]
    """Each difference or failure and how often it came."""

    @property
    def verdict(self) -> str:
        """What an admin can conclude."""
        bad = self.different + self.failed + self.without_receipt
        if bad:
            return "look at the differences first" if self.different else "does not work yet"
        if self.equal:
            return "ready for a pilot"
        return "arrives, content not compared" if self.received else "no result yet"


_LINE = [
    shadow_sends.c[{"sender_id": "authority_id"}.get(name, name)] for name in ShadowLine.__dataclass_fields__
]


def list_shadows(
    app: "Installation",
    actor: Actor,
    *,
    scope: Scope | None = None,
    state: str | None = None,
    limit: int = PAGE,
) -> list[ShadowLine]:
    """Return the shadow sends of the senders that the actor may see, newest first.

    Raises what resolving a scope raises.
    """
    with app.read() as tx:
        query = select(*_LINE).order_by(shadow_sends.c.created_at.desc(), shadow_sends.c.id).limit(limit)
        if state is not None:
            query = query.where(shadow_sends.c.state == state)
        return [ShadowLine(*row) for row in tx.execute(_within(tx, actor, scope or Scope(), query))]


def _within(tx: Any, actor: Actor, scope: Scope, query: Select[Any]) -> Select[Any]:
    found = resolve(tx, actor, scope)
    query = query.where(shadow_sends.c.authority_id.in_(scope_senders(tx, actor, found)))
    if found.procedure is not None:
        query = query.where(shadow_sends.c.procedure_key == found.procedure)
    if found.step is not None:
        query = query.where(shadow_sends.c.element_id == found.step)
    if found.recipient is not None:
        query = query.where(shadow_sends.c.recipient_id == found.recipient)
    if found.district is not None:
        inside = select(authorities.c.id).where(
            (authorities.c.district_id == found.district) | (authorities.c.id == found.district)
        )
        query = query.where(shadow_sends.c.recipient_id.in_(inside))
    return query


def show_shadow(app: "Installation", actor: Actor, key: str) -> dict[str, Any]:
    """Return one shadow send with the digests of both sides; raise ShadowUnknownError."""
    with app.read() as tx:
        query = select(shadow_sends).where(
            shadow_sends.c.authority_id.in_(senders(tx, actor)), known_as(shadow_sends.c.id, key)
        )
        rows = tx.execute(query.limit(2)).mappings().all()
    if len(rows) != 1:
        raise ShadowUnknownError(
            f"no shadow send {key!r}", hint="'dienstweg migration shadow list' shows them"
        )
    return dict(rows[0])


def list_comparisons(app: "Installation", actor: Actor, scope: Scope | None = None) -> list[Comparison]:
    """Sum shadow sends up by relation and channel; every one counts once.

    Raises what resolving a scope raises.
    """
    keys = [
        shadow_sends.c[name]
        for name in ("procedure_key", "element_id", "authority_id", "recipient_id", "channel")
    ]
    told = (shadow_sends.c.state, shadow_sends.c.differences, shadow_sends.c.reason)
    with app.read() as tx:
        query = select(*keys, *told, func.count()).group_by(*keys, *told).order_by(*keys)
        rows = tx.execute(_within(tx, actor, scope or Scope(), query)).all()
    grouped: dict[tuple[str, str, str, str, str], list[Any]] = {}
    for row in rows:
        grouped.setdefault((row[0], row[1], row[2], row[3], row[4]), []).append(row[5:])
    return [_comparison(key, counted) for key, counted in grouped.items()]


def _comparison(key: tuple[str, str, str, str, str], counted: list[Any]) -> Comparison:
    states: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for state, differences, reason, n in counted:
        states[state] += n
        if state == State.DIFFERENT.value:
            reasons.update(dict.fromkeys(differences or (), n))
        elif state in (State.FAILED.value, State.NO_RECEIPT.value) and reason:
            reasons[reason] += n
    total = sum(states.values())
    done = (State.EQUAL, State.DIFFERENT, State.RECEIVED, State.NO_RECEIPT, State.FAILED)
    equal, different, received, without_receipt, failed = (states[state.value] for state in done)
    return Comparison(
        *key,
        n=total,
        equal=equal,
        different=different,
        received=received,
        without_receipt=without_receipt,
        failed=failed,
        waiting=total - equal - different - received - without_receipt - failed,
        differences=dict(reasons.most_common()),
    )
