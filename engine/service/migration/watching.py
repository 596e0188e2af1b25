"""Rules that take themselves back: a job holds each against what was really sent under it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, insert, select

from engine.deadlines.iso import add_period, parse_period
from engine.migration.watching import Course, Figures, judge, parse_condition
from engine.service.migration.receipts import RECEIPTS
from engine.service.migration.rule_rows import REVERT, Act, lock_rules
from engine.store.tables import channel_rules, dispatches, facts, incidents
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

SYSTEM = "system"
JOB = "rule-watch"
INCIDENT = "rule-reverted"
_DEFINITE = ("handed_over", "failed")


def begin(app: "Installation", tx: Connection, sender: str, rule_id: str, begins: datetime) -> None:
    """Enqueue the first look at a rule, one interval after it begins (UTC)."""
    due = add_period(begins, parse_period(app.settings.migration.watch_every))
    # The date is part of the key: a look enqueues the next one before its own job has ended.
    app.queue.enqueue(
        tx,
        JOB,
        {"rule": rule_id},
        authority_id=sender,
        key=f"{JOB}:{rule_id}:{due.isoformat()}",
        due=due,
    )


def handle_watch(app: "Installation", tx: Connection, job: Job) -> None:
    """Look at one rule: take it back where a condition is breached, or look again later.

    A rule that has ended is not looked at again.
    """
    lock_rules(tx, [job.authority_id])
    row = (
        tx.execute(select(channel_rules).where(channel_rules.c.id == job.arguments["rule"])).mappings().one()
    )
    now = app.clock.now()
    if row["valid_until"] is not None and row["valid_until"] <= now:
        return
    breach = next((found for found in figures_of(tx, row, now) if found.breached), None)
    if breach is None:
        begin(app, tx, job.authority_id, row["id"], now)
    else:
        _take_back(app, tx, row, breach, now)


def figures_of(tx: Connection, rule: RowMapping, now: datetime) -> list[Figures]:
    """Return how each condition of a rule stands."""
    conditions = [parse_condition(text) for text in rule["revert_if"] or ()]
    if not conditions:
        return []
    courses = _courses(tx, rule, max(condition.last for condition in conditions))
    return [judge(condition, courses, now) for condition in conditions]


def _courses(tx: Connection, rule: RowMapping, last: int) -> Sequence[Course]:
    """Return what became of the exchanges sent under a rule, oldest first; tests and copies are no sends.

    As many of the newest are read as any condition looks at, and some more: the latest may still be open.
    """
    rows = (
        tx.execute(
            select(
                dispatches.c.exchange_id,
                dispatches.c.state,
                dispatches.c.channel,
                dispatches.c.handed_over_at,
            )
            .where(
                dispatches.c.rule_id == rule["id"],
                dispatches.c.purpose == "message",
                dispatches.c.copy.is_(False),
                dispatches.c.test.is_(False),
                dispatches.c.state.in_(_DEFINITE),
            )
            .order_by(dispatches.c.created_at.desc(), dispatches.c.id.desc())
            .limit(_READ * last + _MORE)
        )
        .mappings()
        .all()
    )
    by_exchange: dict[str, list[RowMapping]] = {}
    for row in reversed(rows):
        by_exchange.setdefault(row["exchange_id"], []).append(row)
    told = _told(tx, list(by_exchange))
    return [_course(rule, exchange, sent, told) for exchange, sent in by_exchange.items()]


_READ, _MORE = 4, 1000
"""An exchange has a few dispatches at most; those without receipt yet are read past."""


def _course(
    rule: RowMapping, exchange_id: str, sent: Sequence[RowMapping], told: dict[str, set[str]]
) -> Course:
    kinds = told.get(exchange_id, set())
    own = [row for row in sent if row["channel"] == rule["channel"]]
    handed = [row["handed_over_at"] for row in own if row["state"] == "handed_over"]
    failed = any(row["state"] == "failed" for row in own) or len(own) < len(sent) or "rejected" in kinds
    return Course(exchange_id, failed, min(handed, default=None), bool(kinds & set(RECEIPTS)))


def _told(tx: Connection, exchange_ids: Sequence[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for begun in range(0, len(exchange_ids), _AT_ONCE):
        rows = tx.execute(
            select(facts.c.exchange_id, facts.c.kind).where(
                facts.c.exchange_id.in_(exchange_ids[begun : begun + _AT_ONCE]),
                facts.c.kind.in_((*RECEIPTS, "rejected")),
                facts.c.withdrawn_at.is_(None),
            )
        )
        for row in rows:
            found.setdefault(row.exchange_id, set()).add(row.kind)
    return found


_AT_ONCE = 5000


def _take_back(app: "Installation", tx: Connection, row: RowMapping, breach: Figures, now: datetime) -> None:
    from engine.service.migration.reverting import take_back

    figures = {"condition": breach.condition, "n": breach.n, "bad": breach.bad, "percent": breach.percent}
    act = Act(str(app.ids.new()), now, SYSTEM, REVERT, str(breach), automatic=True, figures=figures)
    done = take_back(app, tx, [row], act)
    again = (
        ", ".join(f"{line.channel} {line.stage}" for line in done.rules)
        or "what wider rules say, else the post"
    )
    message = (
        f"rule {row['id'][:8]} ({row['channel']}, {row['stage']}) was taken back by itself: {breach}. "
        f"In force again: {again}. Look into the failures before you switch again, then close this."
    )
    tx.execute(
        insert(incidents).values(
            id=str(app.ids.new()),
            authority_id=row["authority_id"],
            kind=INCIDENT,
            subject_id=row["id"],
            message=message,
            status="open",
            opened_at=now,
        )
    )
