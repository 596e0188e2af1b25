"""Messages and signals inside one authority: one message, one receiver; early ones wait."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, insert, select, update

from engine.runtime import api
from engine.store.database import upsert
from engine.store.locks import lock_name, share_name
from engine.store.prepared import Prepared
from engine.store.tables import cases, incidents, message_buffer, subscriptions
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

LIFETIME = timedelta(days=30)
"""How long a message nobody waits for is kept before a clerk is told."""
SYSTEM = "system"
_EXPIRED = Prepared(
    select(message_buffer).where(
        message_buffer.c.status == "waiting", message_buffer.c.expires_at <= bindparam("now")
    )
)


def fits(bound: Mapping[str, Any], carried: Mapping[str, Any]) -> bool:
    """Tell whether a wait bound to ``bound`` takes a message that carries ``carried``.

    A wait that is not bound yet takes any; otherwise every property both know must be equal.
    """
    return all(carried[name] == value for name, value in bound.items() if name in carried)


def look_in_buffer(
    app: "Installation", tx: Connection, authority_id: str, case_id: str, item: api.OpenItem
) -> None:
    """Enqueue delivery where an early message already waits for the wait that just opened."""
    if item.answers is None:
        share_name(tx, _meeting(authority_id, item.event))
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


def handle_match_buffer(app: "Installation", tx: Connection, job: Job) -> None:
    """Give the oldest fitting early message to a wait that opened after it came."""
    from engine.service.advance import lock_case, move_locked

    locked = lock_case(tx, job.arguments["case"])
    wait = _subscription(tx, job.arguments["item"])
    if wait is None:
        return
    rows = tx.execute(
        select(message_buffer)
        .where(
            message_buffer.c.authority_id == job.authority_id,
            message_buffer.c.name == wait["event"],
            message_buffer.c.status == "waiting",
        )
        .order_by(message_buffer.c.arrived_at, message_buffer.c.id)
    ).mappings()
    for row in rows:
        if _takes(wait, row["correlation"]) and _settle(tx, row["id"], "delivered"):
            command = api.DeliverMessage(wait["id"], row["name"], row["payload"])
            move_locked(app, tx, locked, command, SYSTEM)
            return


def _takes(wait: Mapping[str, Any], carried: Mapping[str, Any]) -> bool:
    """An answer goes only to the wait for it; other messages never do."""
    if wait["answers"] is not None or "answers" in carried:
        return (carried.get("case"), carried.get("answers")) == (wait["case_id"], wait["answers"])
    return fits(wait["correlation"], carried)


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
    _keep(app, tx, authority_id, name, carried, payload, origin, "waiting")


def handle_message(app: "Installation", tx: Connection, job: Job) -> None:
    """Deliver a thrown message to exactly one wait, else begin a case, else keep it for later."""
    from engine.service.starting import start_by_message

    arguments = job.arguments
    if _known(tx, job.authority_id, arguments["origin"]):
        return
    if _deliver(app, tx, job):
        return
    # A wait that opens now looks for early messages first: nobody may miss the other.
    lock_name(tx, _meeting(job.authority_id, arguments["name"]))
    if any(_fitting(tx, job)):
        app.queue.enqueue(tx, "message", arguments, authority_id=job.authority_id, key=arguments["origin"])
        return
    started = start_by_message(app, tx, job.authority_id, arguments["name"], arguments["payload"], by=SYSTEM)
    _keep_thrown(app, tx, job, "waiting" if started is None else "delivered")


def _deliver(app: "Installation", tx: Connection, job: Job) -> bool:
    """Give the message to the first wait that takes it and is still open under its case's lock."""
    from engine.service.advance import lock_case, move_locked

    for wait in _fitting(tx, job):
        locked = lock_case(tx, wait["case_id"])
        now = _subscription(tx, wait["id"])
        # In the meantime its conversation may have begun: it is bound then, and may not take this one.
        if locked.case.status == "open" and now is not None and _takes(now, job.arguments["correlation"]):
            _keep_thrown(app, tx, job, "delivered")
            command = api.DeliverMessage(wait["id"], job.arguments["name"], job.arguments["payload"])
            move_locked(app, tx, locked, command, SYSTEM)
            return True
    return False


def _fitting(tx: Connection, job: Job) -> Iterator[Mapping[str, Any]]:
    """Yield the waits that take a thrown message: those bound to most of what it carries, then the oldest.

    A wait whose conversation has begun comes before one that would take any message.
    """
    carried = job.arguments["correlation"]
    waits = _waits(tx, job.authority_id, "message", job.arguments["name"])
    taking = [wait for wait in waits if wait["answers"] is None and fits(wait["correlation"], carried)]
    yield from sorted(taking, key=lambda wait: -len(wait["correlation"].keys() & carried.keys()))


def _meeting(authority_id: str, name: str | None) -> str:
    return f"message:{authority_id}:{name}"


def handle_signal(app: "Installation", tx: Connection, job: Job) -> None:
    """Enqueue a thrown signal for every other case of the authority that waits for it; begin new ones."""
    from engine.service.starting import begin, choose_by_signal

    waiting = {wait["case_id"] for wait in _waits(tx, job.authority_id, "signal", job.arguments["name"])}
    for case_id in sorted(waiting - {job.arguments["from"]}):
        app.queue.enqueue(
            tx,
            "signal-case",
            {"case": case_id, "name": job.arguments["name"], "payload": job.arguments["payload"]},
            authority_id=job.authority_id,
            key=f"{job.id}:{case_id}",
        )
    for choice in choose_by_signal(app, tx, job.arguments["name"]):
        begin(app, tx, job.authority_id, choice, job.arguments["payload"], by=SYSTEM)


def handle_signal_case(app: "Installation", tx: Connection, job: Job) -> None:
    """Deliver a signal to one case; an ended case does not mind."""
    from engine.service.advance import move

    still = [
        wait
        for wait in _waits(tx, job.authority_id, "signal", job.arguments["name"])
        if wait["case_id"] == job.arguments["case"]
    ]
    if still:
        command = api.DeliverSignal(job.arguments["name"], job.arguments["payload"])
        move(app, tx, job.arguments["case"], command, SYSTEM)


def expire_buffer(app: "Installation") -> int:
    """Turn messages that waited out their lifetime into incidents; return how many."""
    now = app.clock.now()
    with app.read() as tx:
        if _EXPIRED.first(tx, now=now) is None:
            return 0
    with app.write() as tx:
        expired = [row._asdict() for row in _EXPIRED.all(tx, now=now)]
        for row in expired:
            if not _settle(tx, row["id"], "expired"):
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


def _subscription(tx: Connection, item_id: str) -> Mapping[str, Any] | None:
    row = tx.execute(select(subscriptions).where(subscriptions.c.id == item_id)).mappings().one_or_none()
    return dict(row) if row is not None else None


def _waits(tx: Connection, authority_id: str, kind: str, event: str) -> list[Mapping[str, Any]]:
    rows = tx.execute(
        select(subscriptions)
        .join(cases, cases.c.id == subscriptions.c.case_id)
        .where(
            subscriptions.c.authority_id == authority_id,
            subscriptions.c.kind == kind,
            subscriptions.c.event == event,
            cases.c.status == "open",
        )
        .order_by(subscriptions.c.opened_at, subscriptions.c.id)
    ).mappings()
    return [dict(row) for row in rows]


def _known(tx: Connection, authority_id: str, origin: str) -> bool:
    found = select(message_buffer.c.id).where(
        message_buffer.c.authority_id == authority_id, message_buffer.c.origin == origin
    )
    return tx.execute(found).first() is not None


def _settle(tx: Connection, message_id: str, status: str) -> bool:
    """Mark a waiting message; return False where somebody else has taken it."""
    mine = (message_buffer.c.id == message_id, message_buffer.c.status == "waiting")
    return tx.execute(update(message_buffer).where(*mine).values(status=status)).rowcount == 1


def _keep_thrown(app: "Installation", tx: Connection, job: Job, status: str) -> None:
    a = job.arguments
    _keep(app, tx, job.authority_id, a["name"], a["correlation"], a["payload"], a["origin"], status)


def _keep(
    app: "Installation",
    tx: Connection,
    authority_id: str,
    name: str,
    correlation: Mapping[str, Any],
    payload: Mapping[str, Any],
    origin: str,
    status: str,
) -> None:
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
