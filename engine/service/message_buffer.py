"""Messages that came before anybody waited for them: kept for a while, then a clerk is told."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select, update

from engine.runtime import api
from engine.store.database import upsert
from engine.store.locks import share_name
from engine.store.prepared import Prepared
from engine.store.tables import incidents, message_buffer

if TYPE_CHECKING:
    from engine.service.installation import Installation

LIFETIME = timedelta(days=30)
"""How long a message nobody waits for is kept before a clerk is told."""
_EXPIRED = Prepared(
    select(message_buffer).where(
        message_buffer.c.status == "waiting", message_buffer.c.expires_at <= bindparam("now")
    )
)


def look_in_buffer(
    app: "Installation", tx: Connection, authority_id: str, case_id: str, item: api.OpenItem
) -> None:
    """Enqueue delivery where an early message already waits for the wait that just opened."""
    if item.answers is None:
        share_name(tx, meeting(authority_id, item.event))
    early = tx.execute(
        select(message_buffer.c.id)
        .where(
            message_buffer.c.authority_id == authority_id,
            message_buffer.c.name == item.event,
            message_buffer.c.status == "waiting",
        )
        .limit(1)
    ).first()
    if early is not None:
        app.queue.enqueue(
            tx, "match-buffer", {"case": case_id, "item": item.id}, authority_id=authority_id, key=item.id
        )


def buffer_answer(
    app: "Installation",
    tx: Connection,
    *,
    authority_id: str,
    case_id: str,
    answers: str,
    name: str,
    payload: Mapping[str, Any],
    origin: str,
) -> None:
    """Keep an answer that came before its case waits for it."""
    carried = {"case": case_id, "answers": answers}
    keep(app, tx, authority_id, name, carried, payload, origin, "waiting")


def keep(
    app: "Installation",
    tx: Connection,
    authority_id: str,
    name: str,
    correlation: Mapping[str, Any],
    payload: Mapping[str, Any],
    origin: str,
    status: str,
) -> None:
    """Keep a message in the buffer with what becomes of it; one of the same origin is kept once."""
    now = app.clock.now()
    tx.execute(
        upsert(tx, message_buffer)
        .values(
            id=str(app.ids.new()),
            authority_id=authority_id,
            name=name,
            correlation=dict(correlation),
            payload=dict(payload),
            origin=origin,
            arrived_at=now,
            expires_at=now + LIFETIME,
            status=status,
        )
        .on_conflict_do_nothing(index_elements=["authority_id", "origin"])
    )


def is_known(tx: Connection, authority_id: str, origin: str) -> bool:
    """Tell whether a message of this origin has come before."""
    found = select(message_buffer.c.id).where(
        message_buffer.c.authority_id == authority_id, message_buffer.c.origin == origin
    )
    return tx.execute(found).first() is not None


def settle(tx: Connection, message_id: str, status: str) -> bool:
    """Mark a waiting message; return False where somebody else has taken it."""
    mine = (message_buffer.c.id == message_id, message_buffer.c.status == "waiting")
    return tx.execute(update(message_buffer).where(*mine).values(status=status)).rowcount == 1


def expire_buffer(app: "Installation") -> int:
    """Turn messages that waited out their lifetime into incidents; return how many."""
    now = app.clock.now()
    with app.read() as tx:
        if _EXPIRED.first(tx, now=now) is None:
            return 0
    with app.write() as tx:
        expired = [row._asdict() for row in _EXPIRED.all(tx, now=now)]
        for row in expired:
            if not settle(tx, row["id"], "expired"):
                continue
            tx.execute(
                insert(incidents).values(
                    id=str(app.ids.new()),
                    authority_id=row["authority_id"],
                    kind="message",
                    subject_id=row["id"],
                    message=f"nobody took message {row['name']!r} from {row['origin']}",
                    status="open",
                    opened_at=now,
                )
            )
    return len(expired)


def meeting(authority_id: str, name: str | None) -> str:
    """Return the lock at which a message of this name and those who begin to wait for it meet."""
    return f"message:{authority_id}:{name}"
