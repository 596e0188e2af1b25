"""The migration's status, read from the ledger's months and, where cells are marked, from their rows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, or_, select

from engine.actor import Actor, Role
from engine.clock import local_day
from engine.directory.seed import SAARLAND
from engine.exchange.decision import POST
from engine.migration.kpis import Relations
from engine.migration.ledger import month_of
from engine.migration.status import (
    ELSEWHERE,
    Question,
    Reached,
    Reported,
    Status,
    checked_dimensions,
    checked_months,
    lines,
    total_of,
)
from engine.service.migration.reading import Sent, reading
from engine.service.migration.relations import count_relations, why_on_paper
from engine.service.migration.scope import districts, resolve, senders
from engine.service.migration.steps import load_reasons
from engine.store.tables import authorities, ledger_partners, ledger_reports, mailboxes

if TYPE_CHECKING:
    from engine.service.installation import Installation


def status(app: "Installation", actor: Actor, question: Question | None = None) -> Status:
    """Return what was really sent within a scope, by what the question splits it.

    Own senders as ``senders`` gives them; who runs the installation also sees what other installations have
    reported. Raises StatusRefusedError, SenderUnknownError, AuthorityUnknownError, ScopeRefusedError,
    RoleMissingError.
    """
    asked = question or Question()
    by = checked_dimensions(asked.by)
    now = app.clock.now()
    with app.read() as tx:
        own = senders(tx, actor)
        partners = _partners(tx, actor)
        foreign = sorted({sender for partner in partners for sender in partner.senders})
        scope = resolve(tx, actor, asked.scope, also=foreign)
        first, last = checked_months(asked.since, asked.until)
        asked = replace(asked, scope=scope, by=by, since=first, until=last)
        visible = [scope.sender] if scope.sender else sorted({*own, *foreign})
        district_of = districts(tx)
        names = {row.id: row.name for row in tx.execute(select(authorities.c.id, authorities.c.name))}
        book = reading(tx, asked, visible, district_of, list(names))
        found = lines(book.rows(), book.trend(), book.taken, by, district_of)
        sent = book.relations()
        grouped = by if "month" not in by else ()
        counted = count_relations(tx, sent, grouped, own, district_of, now)
        total = total_of(found)
        total.relations = sum(counted.values(), Relations())
        if "month" not in by:
            for line in found:
                line.figures.relations = counted.get(tuple(line.key.values())) or Relations()
        return Status(
            question=asked,
            on=local_day(now),
            total=total,
            lines=found,
            coverage=_coverage(tx, local_day(now), sent),
            why_paper=why_on_paper(sent, own, load_reasons(app, tx, own)),
            names=names,
            reported=(*_own_reported(tx, own, visible, month_of(now)), *partners),
        )


# --- Who is reached, who reported -----------------------------------------------------------------------

_SAARLANDS = ("municipality", "district", "land")


def _coverage(tx: Connection, on: date, sent: Sent) -> tuple[Reached, ...]:
    """Return how many of the Saarland's municipalities, districts and Land bodies are reached electronically.

    Those of other Länder, by their AGS, are counted apart: they would change what 52 is a part of.
    """
    opened = set(
        tx.scalars(
            select(mailboxes.c.authority_id).where(
                mailboxes.c.channel != POST,
                mailboxes.c.valid_from <= on,
                or_(mailboxes.c.valid_until.is_(None), mailboxes.c.valid_until >= on),
            )
        )
    )
    receiving = {relation[3] for relation, (n, paper) in sent.items() if n > paper}
    rows = tx.execute(
        select(authorities.c.id, authorities.c.kind)
        .where(
            authorities.c.valid_from <= on,
            or_(authorities.c.valid_until.is_(None), authorities.c.valid_until >= on),
        )
        .order_by(authorities.c.id)
    )
    kinds: dict[str, list[str]] = {kind: [] for kind in _SAARLANDS}
    for row in rows:
        away = row.kind in _SAARLANDS and row.id.isdigit() and not row.id.startswith(SAARLAND)
        kinds.setdefault(ELSEWHERE if away else row.kind, []).append(row.id)
    return tuple(
        Reached(
            kind,
            len(keys),
            len(opened.intersection(keys)),
            len(receiving.intersection(keys)),
            tuple(key for key in keys if key not in opened and key not in receiving),
        )
        for kind, keys in kinds.items()
    )


def _own_reported(tx: Connection, own: Sequence[str], visible: Sequence[str], month: str) -> list[Reported]:
    """Return the own senders; their figures are those of this instant."""
    mine = [sender for sender in own if sender in visible]
    named = select(authorities.c.id, authorities.c.name).where(authorities.c.id.in_(mine))
    names = {row.id: row.name for row in tx.execute(named)}
    return [Reported(names.get(key, key), (key,), month, None) for key in mine]


def _partners(tx: Connection, actor: Actor) -> list[Reported]:
    """Return the installations whose reports were taken, for who runs this one."""
    if not actor.has(Role.INSTALLATION):
        return []
    last = (
        select(
            ledger_reports.c.partner_id,
            func.max(ledger_reports.c.month).label("month"),
            func.max(ledger_reports.c.made_at).label("made_at"),
        )
        .group_by(ledger_reports.c.partner_id)
        .subquery()
    )
    rows = tx.execute(
        select(ledger_partners.c.name, ledger_partners.c.senders, last.c.month, last.c.made_at)
        .join(last, last.c.partner_id == ledger_partners.c.id, isouter=True)
        .order_by(ledger_partners.c.name)
    )
    return [Reported(row.name, tuple(row.senders), row.month, row.made_at) for row in rows]
