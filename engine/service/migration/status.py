"""The migration's status, read from the ledger's months and, where cells are marked, from their rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, or_, select

from engine.actor import Actor, Role
from engine.exchange.decision import POST, Relation, Rule, in_force
from engine.migration.kpis import Relations
from engine.migration.ledger import (
    PAPER,
    month_of,
)
from engine.migration.status import (
    COLUMNS,
    NOWHERE,
    Line,
    Question,
    Reached,
    Reported,
    Status,
    checked_dimensions,
    checked_month,
    lines,
    total_of,
    why_paper,
)
from engine.service.exchanges.rules import load_rules
from engine.service.exchanges.sending import local_day
from engine.service.migration.reading import Found, reading
from engine.service.migration.scope import districts, resolve, senders
from engine.service.migration.steps import load_reasons
from engine.store.tables import authorities, ledger_partners, ledger_reports, mailboxes

if TYPE_CHECKING:
    from engine.service.installation import Installation

_CHUNK = 500
_RELATION = ("authority_id", "procedure_key", "element_id", "recipient_id")


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
        asked = replace(
            asked, scope=scope, by=by, since=checked_month(asked.since), until=checked_month(asked.until)
        )
        visible = [scope.sender] if scope.sender else sorted({*own, *foreign})
        district_of = districts(tx)
        names = {row.id: row.name for row in tx.execute(select(authorities.c.id, authorities.c.name))}
        book = reading(tx, asked, visible, district_of, list(names))
        found = lines(book.rows(), by, district_of)
        relations = book.relations()
        claims = _claims(tx, relations, own, now)
        total = total_of(found)
        total.relations = _count_relations(relations, claims, lambda _: ()).get((), Relations())
        if "month" not in by:
            _add_relations(found, relations, claims, by, district_of)
        reasons = load_reasons(app, tx, own)
        still = [reasons.of(r[1], r[2], r[0], r[3]) for r in relations if r[0] in own and relations[r][1]]
        return Status(
            question=asked,
            on=local_day(now),
            total=total,
            lines=found,
            coverage=_coverage(tx, local_day(now), relations),
            why_paper=why_paper(still),
            names=names,
            reported=(*_own_reported(tx, own, visible, month_of(now)), *partners),
        )


# --- Relations: what the rules claim, and what really went ----------------------------------------------

Claims = dict[tuple[str, str, str, str], str]
"""Relation of an own sender → what its rules say today: ``live``, ``pilot``, or ``A`` for paper."""


def _claims(tx: Connection, relations: Found, own: Sequence[str], now: datetime) -> Claims:
    """Return what is in force today for each relation of an own sender: live, pilot or paper."""
    rules: dict[tuple[str, str | None, str | None], list[Rule]] = {}
    named: dict[str, set[str | None]] = {}
    for sender in own:
        named[sender] = set()
        for rule in load_rules(tx, sender):
            rules.setdefault((sender, rule.procedure_key, rule.recipient_id), []).append(rule)
            named[sender].update((rule.element_id, rule.recipient_id, rule.district_id))
    district_of = districts(tx)
    found: Claims = {}
    # A step, recipient or district that no rule of the sender names is like any other that none names.
    alike: dict[tuple[str | None, ...], str] = {}
    for relation in relations:
        sender, procedure, step, recipient = relation
        special = named.get(sender)
        if special is None:
            continue
        district = district_of(recipient)
        kind = (sender, procedure, *(one if one in special else None for one in (step, recipient, district)))
        if kind not in alike:
            fitting = [
                *rules.get((sender, procedure, recipient), ()),
                *rules.get((sender, procedure, None), ()),
                *rules.get((sender, None, recipient), ()),
                *rules.get((sender, None, None), ()),
            ]
            asked = Relation(procedure, step, sender, recipient, district)
            alike[kind] = _claim(in_force(fitting, asked, now)) if fitting else PAPER
        found[relation] = alike[kind]
    return found


def _claim(speaking: Sequence[Rule]) -> str:
    """The narrowest live rule decides; pilots before it carry a share of the cases."""
    pilot = False
    for rule in speaking:
        if rule.stage == "live":
            return "live" if rule.channel != POST else "pilot" if pilot else PAPER
        pilot = pilot or (rule.stage == "pilot" and rule.channel != POST)
    return "pilot" if pilot else PAPER


def _count_relations(
    relations: Found, claims: Claims, key: Callable[[tuple[str, str, str, str]], tuple[str, ...]]
) -> dict[tuple[str, ...], Relations]:
    """Count relations by group."""
    found: dict[tuple[str, ...], Relations] = {}
    for relation, (_, paper) in relations.items():
        group = key(relation)
        counted = found.get(group)
        if counted is None:
            counted = found[group] = Relations()
        counted.n += 1
        if paper:
            counted.paper += 1
        else:
            counted.electronic += 1
        claim = claims.get(relation)
        if claim is not None:
            counted.ruled += 1
            counted.claimed += claim == "live"
            counted.pilot += claim == "pilot"
    return found


def _add_relations(
    found: Sequence[Line],
    relations: Found,
    claims: Claims,
    by: tuple[str, ...],
    district_of: Callable[[str], str | None],
) -> None:
    places = [(_RELATION.index(COLUMNS[name]), name == "district") for name in by]

    def group(relation: tuple[str, str, str, str]) -> tuple[str, ...]:
        return tuple(
            (district_of(relation[place]) or NOWHERE) if district else relation[place]
            for place, district in places
        )

    counted = _count_relations(relations, claims, group)
    for line in found:
        line.figures.relations = counted.get(tuple(line.key.values())) or Relations()


# --- Who is reached, who reported -----------------------------------------------------------------------


def _coverage(tx: Connection, on: date, relations: Found) -> tuple[Reached, ...]:
    """Return how many municipalities, districts and Land bodies are reached electronically."""
    opened = set(
        tx.scalars(
            select(mailboxes.c.authority_id).where(
                mailboxes.c.channel != POST,
                mailboxes.c.valid_from <= on,
                or_(mailboxes.c.valid_until.is_(None), mailboxes.c.valid_until >= on),
            )
        )
    )
    receiving = {relation[3] for relation, (n, paper) in relations.items() if n > paper}
    rows = tx.execute(
        select(authorities.c.id, authorities.c.kind)
        .where(
            authorities.c.valid_from <= on,
            or_(authorities.c.valid_until.is_(None), authorities.c.valid_until >= on),
        )
        .order_by(authorities.c.id)
    )
    kinds: dict[str, list[str]] = {"municipality": [], "district": [], "land": []}
    for row in rows:
        kinds.setdefault(row.kind, []).append(row.id)
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
