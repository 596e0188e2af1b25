"""Facts about an exchange that a clerk knows: a letter came back, a slip names a day, somebody telephoned.

A clerk's fact is vouched for: a note for the file, or the scan that is handed in, becomes evidence of the
case. It proves as a receipt does, and the deadlines that hang on the exchange are derived anew at once.
"""

from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, func, or_, select, update

from engine.actor import Actor, Role
from engine.clock import LOCAL_ZONE, local_day
from engine.deadlines.iso import typed_instant
from engine.errors import ConflictError, NotFoundError, RefusedError
from engine.service.access import require
from engine.service.advance import lock_case
from engine.service.deadlines import course as deadline_course
from engine.service.exchanges import outcomes
from engine.service.exchanges.listing import find_exchange
from engine.service.migration import ledger
from engine.service.stories import Entry, note
from engine.store.scope import visible_to
from engine.store.tables import cases, exchanges, facts

if TYPE_CHECKING:
    from engine.service.installation import Installation

KINDS = (
    *("created", "forwarded", "received", "imported", "posted", "sent", "returned", "provided"),
    *("notice-sent", "retrieved", "published", "acknowledged", "notified", "known"),
)
"""What can be recorded; the rules of deadlines name these as starts."""
_BEFORE_THE_MESSAGE = ("created", "published", "notified", "known")
"""What may have happened before the message was made here."""


class FactRefusedError(RefusedError):
    """The fact cannot be recorded like this."""


class FactKnownError(ConflictError):
    """The fact has been recorded already."""


class FactUnknownError(NotFoundError):
    """There is no such fact."""


@dataclass(frozen=True, slots=True)
class FactLine:
    """A dated fact about an exchange."""

    id: str
    exchange_id: str
    kind: str
    at: datetime
    source: str
    recorded_at: datetime
    recorded_by: str
    evidence_id: str | None
    reason: str | None
    withdrawn_at: datetime | None
    withdrawn_by: str | None


_LINE = [facts.c[name] for name in FactLine.__dataclass_fields__]


def record_fact(
    app: "Installation",
    actor: Actor,
    exchange: str,
    kind: str,
    at: date | datetime,
    reason: str,
    *,
    file: Path | None = None,
) -> FactLine:
    """Record what a clerk knows of an exchange; ``file`` is a scan of the proof.

    ``at`` is a day or an instant; of a day noon is kept. Raises ExchangeUnknownError, RoleMissingError,
    FactRefusedError (unknown kind, no reason, a day to come or before the message, an unreadable file),
    FactKnownError, InvalidInstantError (a local time that a change of clocks skips or repeats).
    """
    require(actor, Role.CLERK)
    if kind not in KINDS:
        raise FactRefusedError(f"{kind!r} is no kind of fact", hint="one of " + ", ".join(KINDS))
    if not reason.strip():
        raise FactRefusedError("a reason is needed", hint="say how you know, in a sentence")
    now = app.clock.now()
    instant = _instant(at, now)
    scan = _read(file) if file is not None else None
    with app.write() as tx:
        row = find_exchange(tx, actor, exchange)
        lock_case(tx, row["case_id"])
        refuse_before_sending(tx, row, kind, instant)
        _refuse_known(tx, row, kind, instant)
        if file is not None and scan is not None:
            proof = outcomes.add_evidence(app, tx, row, None, "scan", file.name, scan, actor.person_id)
        else:
            written = _note(row, kind, instant, reason, actor, now)
            proof = outcomes.add_evidence(app, tx, row, None, "note", "Vermerk.txt", written, actor.person_id)
        outcomes.add_fact(
            app, tx, row, None, kind, instant, "clerk", actor.person_id, evidence_id=proof, reason=reason
        )
        return FactLine(*tx.execute(select(*_LINE).where(facts.c.evidence_id == proof)).one())


def withdraw_fact(app: "Installation", actor: Actor, key: str, reason: str) -> FactLine:
    """Take a fact out of account that turned out wrong; it stays in the story, with who and why.

    Raises FactUnknownError, RoleMissingError, FactRefusedError (no reason), FactKnownError (it was
    withdrawn before).
    """
    require(actor, Role.CLERK)
    if not reason.strip():
        raise FactRefusedError("a reason is needed", hint="say why it is wrong, in a sentence")
    now = app.clock.now()
    with app.write() as tx:
        row = _find(tx, actor, key)
        exchange = find_exchange(tx, actor, row["exchange_id"])
        lock_case(tx, exchange["case_id"])
        if row["withdrawn_at"] is not None:
            raise FactKnownError(f"fact {row['id'][:8]} was withdrawn by {row['withdrawn_by']}")
        changed = {"withdrawn_at": now, "withdrawn_by": actor.person_id}
        tx.execute(update(facts).where(facts.c.id == row["id"]).values(**changed))
        command = {"fact": row["kind"], "withdrawn": row["id"], "exchange": exchange["id"], "reason": reason}
        note(tx, app.ids, exchange["case_id"], Entry(now, actor.person_id, "fact", command))
        told = deadline_course.told(row["kind"], row["at"], reason)
        deadline_course.facts_changed(app, tx, exchange["id"], f"withdrawn: {told}", actor.person_id)
        ledger.touch(app, tx, exchange["id"])
        return FactLine(*tx.execute(select(*_LINE).where(facts.c.id == row["id"])).one())


def _find(tx: Connection, actor: Actor, key: str) -> RowMapping:
    query = (
        select(facts)
        .join(exchanges, exchanges.c.id == facts.c.exchange_id)
        .join(cases, cases.c.id == exchanges.c.case_id)
        .where(
            visible_to(actor, facts),
            visible_to(actor, cases),
            or_(facts.c.id == key, facts.c.id.startswith(key)),
        )
        .limit(2)
    )
    rows = tx.execute(query).mappings().all()
    if len(rows) != 1 or len(key) < 6:
        raise FactUnknownError(f"no fact {key!r}", hint="'dienstweg exchange show' lists an exchange's facts")
    return rows[0]


def _instant(at: date | datetime, now: datetime) -> datetime:
    """Return the instant of a fact: as given, or noon of the day, but never one to come."""
    if isinstance(at, datetime):
        instant = typed_instant(at)
    elif at == local_day(now):
        instant = now
    else:
        instant = datetime.combine(at, time(12), LOCAL_ZONE)
    if instant > now:
        raise FactRefusedError(f"{at.isoformat()} has not come yet", hint="record it when it has happened")
    return instant


def _read(file: Path) -> bytes:
    try:
        content = file.read_bytes()
    except OSError as error:
        raise FactRefusedError(f"cannot read {file}: {error.strerror}") from error
    if not content:
        raise FactRefusedError(f"{file} is empty", hint="scan it again")
    return content


def refuse_before_sending(tx: Connection, exchange: RowMapping, kind: str, at: datetime) -> None:
    """Refuse what would have happened to a message before there was one: a slip of the pen, as a rule.

    Raises FactRefusedError.
    """
    if kind in _BEFORE_THE_MESSAGE:
        return
    day, begun = local_day(at), exchange["created_at"].astimezone(LOCAL_ZONE).date()
    what = "the message was made"
    if kind not in ("posted", "sent"):
        left = select(func.min(facts.c.at)).where(
            facts.c.exchange_id == exchange["id"],
            facts.c.kind.in_(("posted", "sent")),
            facts.c.withdrawn_at.is_(None),
        )
        posted = tx.scalar(left)
        if posted is not None:
            begun, what = local_day(posted), "it was posted or sent"
    if day < begun:
        raise FactRefusedError(
            f"{day} lies before {begun}, when {what}",
            where=exchange["subject"],
            hint="is the year right? a wrong earlier fact is taken back with 'dienstweg fact withdraw'",
        )


def _refuse_known(tx: Connection, exchange: RowMapping, kind: str, at: datetime) -> None:
    known = select(facts.c.recorded_by).where(
        facts.c.exchange_id == exchange["id"],
        facts.c.kind == kind,
        facts.c.at == at,
        facts.c.withdrawn_at.is_(None),
        facts.c.evidence_id.is_not(None),
    )
    by = tx.scalar(known.limit(1))
    if by is not None:
        raise FactKnownError(f"{by} has recorded this already", where=exchange["subject"])


def _note(exchange: RowMapping, kind: str, at: datetime, reason: str, actor: Actor, now: datetime) -> bytes:
    """Return a clerk's note for the file."""
    local = "%d.%m.%Y %H:%M"
    lines = (
        f"Vermerk vom {now.astimezone(LOCAL_ZONE).strftime(local)}",
        f"Austausch: {exchange['subject']} ({exchange['id']})",
        f"Tatsache: {kind} am {at.astimezone(LOCAL_ZONE).strftime(local)}",
        f"Grund: {reason}",
        f"Festgehalten von: {actor.person_id}",
    )
    return ("\n".join(lines) + "\n").encode()
