"""Looking again at what was handed over: how far it has come, until reception is proved or nobody waits.

Each look is a job. It comes soon at first and less often the older the dispatch gets, and once just before
the term ends within which reception is to be proved. What a carrier proves is stored as it came whenever it
has changed; a look that finds nothing any more takes nothing away.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, select

from engine.errors import DienstwegError
from engine.exchange.abilities import Tracked, TracksDelivery
from engine.exchange.ports import split_channel
from engine.service.exchanges.parts import load_prepared
from engine.service.stories import read_head
from engine.store.tables import dispatches, evidence, exchanges, facts
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

SYSTEM = "system"
SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=6)
"""Between two looks: as long as the dispatch is old, within these bounds."""
TRACKED_FOR = timedelta(days=90)
"""After so long without reception nobody looks any more."""
_BEFORE_TERM = timedelta(minutes=1)

_log = logging.getLogger("dienstweg.work")


def handle_track(app: "Installation", job: Job) -> None:
    """Ask the carrier how far a dispatch has come, keep what has changed, and plan the next look."""
    with app.read() as tx:
        dispatch = _dispatch(tx, job.arguments["dispatch"])
        carrier = app.adapters.carrier(split_channel(dispatch["channel"])[1])
        if dispatch["state"] != "handed_over" or not isinstance(carrier, TracksDelivery):
            return
        prepared = load_prepared(app, tx, dict(dispatch), parts=False)
    try:
        seen = carrier.track(prepared)
    except DienstwegError as error:
        _log.warning("dispatch %s cannot be looked at now: %s", dispatch["id"], error)
        seen = None
    app.probe("tracked")
    with app.write() as tx:
        exchange = _exchange(tx, dispatch["exchange_id"])
        read_head(tx, exchange["case_id"])  # cases are locked before their exchanges, everywhere
        if seen is not None:
            _keep(app, tx, exchange, dispatch, seen)
        if seen is None or not seen.final:
            _again(app, tx, dispatch["authority_id"], job.arguments)


def begin(
    app: "Installation", tx: Connection, dispatch: RowMapping, handed_over: datetime, term: datetime
) -> None:
    """Plan the first look at a dispatch, just handed over, whose reception is to be proved by ``term``."""
    arguments = {"dispatch": dispatch["id"], "since": handed_over.isoformat(), "term": term.isoformat()}
    _again(app, tx, dispatch["authority_id"], arguments)


def _again(app: "Installation", tx: Connection, authority_id: str, arguments: Mapping[str, Any]) -> None:
    now = app.clock.now()
    age = now - datetime.fromisoformat(arguments["since"])
    if age >= TRACKED_FOR:
        return
    due = now + min(max(age, SHORTEST), LONGEST)
    before_term = datetime.fromisoformat(arguments["term"]) - _BEFORE_TERM
    if now < before_term < due:
        due = before_term
    app.queue.enqueue(
        tx,
        "track",
        arguments,
        authority_id=authority_id,
        key=f"track:{arguments['dispatch']}",
        due=due,
    )


def _keep(
    app: "Installation", tx: Connection, exchange: RowMapping, dispatch: RowMapping, seen: Tracked
) -> None:
    """Store what proves something new, and the facts with it."""
    from engine.service.exchanges import outcomes

    first, content = next(iter(seen.evidence.items()))
    same = _latest(tx, dispatch["id"], first) == sha256(content).hexdigest()
    # Of several messages, another one's card may have changed in the same instant as the first.
    if same and set(seen.facts) <= _facts(tx, dispatch["id"]):
        return
    kept = [
        outcomes.add_evidence(app, tx, exchange, dispatch["id"], "receipt", name, proof)
        for name, proof in seen.evidence.items()
    ]
    for kind, at in seen.facts.items():
        outcomes.add_fact(
            app, tx, exchange, dispatch["id"], kind, at, dispatch["channel"], SYSTEM, evidence_id=kept[0]
        )


def _latest(tx: Connection, dispatch_id: str, name: str) -> str | None:
    """Return the digest of what was last stored under ``name``."""
    query = select(evidence.c.sha256).where(evidence.c.dispatch_id == dispatch_id, evidence.c.name == name)
    found: str | None = tx.scalar(query.order_by(evidence.c.at.desc(), evidence.c.id.desc()).limit(1))
    return found


def _facts(tx: Connection, dispatch_id: str) -> set[str]:
    return set(tx.scalars(select(facts.c.kind).where(facts.c.dispatch_id == dispatch_id)))


def _dispatch(tx: Connection, dispatch_id: str) -> RowMapping:
    return tx.execute(select(dispatches).where(dispatches.c.id == dispatch_id)).mappings().one()


def _exchange(tx: Connection, exchange_id: str) -> RowMapping:
    return tx.execute(select(exchanges).where(exchanges.c.id == exchange_id)).mappings().one()
