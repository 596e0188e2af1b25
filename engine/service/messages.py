"""Messages and signals inside one authority: one message, one receiver; early ones wait."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from engine.runtime import api
from engine.service.advance import lock_case, move, move_locked
from engine.service.message_buffer import is_known, keep, meeting, settle
from engine.service.starting import begin, choose_by_signal, start_by_message
from engine.store.locks import lock_name
from engine.store.tables import cases, message_buffer, subscriptions
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

SYSTEM = "system"


def fits(bound: Mapping[str, Any], carried: Mapping[str, Any]) -> bool:
    """Tell whether a wait bound to ``bound`` takes a message that carries ``carried``.

    A wait that is not bound yet takes any; otherwise every property both know must be equal.
    """
    return all(carried[name] == value for name, value in bound.items() if name in carried)


def handle_match_buffer(app: "Installation", tx: Connection, job: Job) -> None:
    """Give the oldest fitting early message to a wait that opened after it came."""
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
        if _takes(wait, row["correlation"]) and settle(tx, row["id"], "delivered"):
            command = api.DeliverMessage(wait["id"], row["name"], row["payload"])
            move_locked(app, tx, locked, command, SYSTEM)
            return


def _takes(wait: Mapping[str, Any], carried: Mapping[str, Any]) -> bool:
    """An answer goes only to the wait for it; other messages never do."""
    if wait["answers"] is not None or "answers" in carried:
        return (carried.get("case"), carried.get("answers")) == (wait["case_id"], wait["answers"])
    return fits(wait["correlation"], carried)


def handle_message(app: "Installation", tx: Connection, job: Job) -> None:
    """Deliver a thrown message to exactly one wait, else begin a case, else keep it for later."""
    arguments = job.arguments
    if is_known(tx, job.authority_id, arguments["origin"]):
        return
    if _deliver(app, tx, job):
        return
    # A wait that opens now looks for early messages first: nobody may miss the other.
    lock_name(tx, meeting(job.authority_id, arguments["name"]))
    if any(_fitting(tx, job)):
        app.queue.enqueue(tx, "message", arguments, authority_id=job.authority_id, key=arguments["origin"])
        return
    started = start_by_message(app, tx, job.authority_id, arguments["name"], arguments["payload"], by=SYSTEM)
    _keep_thrown(app, tx, job, "waiting" if started is None else "delivered")


def _deliver(app: "Installation", tx: Connection, job: Job) -> bool:
    """Give the message to the first wait that takes it and is still open under its case's lock."""
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


def handle_signal(app: "Installation", tx: Connection, job: Job) -> None:
    """Enqueue a thrown signal for every other case of the authority that waits for it; begin new ones."""
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
    still = [
        wait
        for wait in _waits(tx, job.authority_id, "signal", job.arguments["name"])
        if wait["case_id"] == job.arguments["case"]
    ]
    if still:
        command = api.DeliverSignal(job.arguments["name"], job.arguments["payload"])
        move(app, tx, job.arguments["case"], command, SYSTEM)


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


def _keep_thrown(app: "Installation", tx: Connection, job: Job, status: str) -> None:
    a = job.arguments
    keep(app, tx, job.authority_id, a["name"], a["correlation"], a["payload"], a["origin"], status)
