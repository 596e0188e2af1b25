"""Consents to real content in tests: both authorities have to agree, each for a time."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, or_, select, update

from engine.actor import Actor, Role
from engine.clock import local_day
from engine.errors import NotFoundError, RefusedError
from engine.service.access import require
from engine.service.directory.authorities import find_authority
from engine.service.migration.said import said
from engine.service.numbers import known_as
from engine.store.tables import audit, shadow_consents

if TYPE_CHECKING:
    from engine.service.installation import Installation


class ConsentRefusedError(RefusedError):
    """This consent cannot be recorded."""


class ConsentUnknownError(NotFoundError):
    """There is no such consent."""


@dataclass(frozen=True, slots=True)
class Consent:
    """That one side agrees to real content in tests from ``sender_id`` to ``recipient_id``."""

    id: str
    sender_id: str
    recipient_id: str
    given_by: str
    """The authority that agrees: one of both."""
    person: str
    valid_until: date
    reason: str
    recorded_at: datetime
    recorded_by: str
    withdrawn_at: datetime | None


_LINE = [shadow_consents.c[name] for name in Consent.__dataclass_fields__]


def has_consent(tx: Connection, sender: str, recipient: str, on: date) -> bool:
    """Tell whether both authorities agree on that day."""
    rows = tx.execute(
        select(shadow_consents.c.given_by).where(
            shadow_consents.c.sender_id == sender,
            shadow_consents.c.recipient_id == recipient,
            shadow_consents.c.valid_until >= on,
            shadow_consents.c.withdrawn_at.is_(None),
        )
    )
    return {sender, recipient} <= {row.given_by for row in rows}


def consent(
    app: "Installation",
    actor: Actor,
    partner: str,
    *,
    person: str,
    until: date,
    reason: str,
    from_partner: bool = False,
    receiving: bool = False,
) -> Consent:
    """Record that the own authority, or with ``from_partner`` the other one, agrees; until that day included.

    It is about tests to the partner; with ``receiving`` about those that come from it. ``person`` says who
    has decided, ``reason`` where that is written. The consent of an authority that this installation works
    for is recorded by its own admin only.

    Raises ConsentRefusedError, AuthorityUnknownError, RoleMissingError.
    """
    require(actor, Role.ADMIN)
    written = said(reason, ConsentRefusedError)
    if not person.strip():
        raise ConsentRefusedError("a consent says who agreed", hint="name them with --by")
    now = app.clock.now()
    if until < local_day(now):
        raise ConsentRefusedError(f"{until.isoformat()} is over already")
    with app.write() as tx:
        other = find_authority(tx, partner)
        if other.id == actor.authority_id:
            raise ConsentRefusedError("that is your own authority", hint="name the partner")
        if from_partner and other.own:
            raise ConsentRefusedError(f"an admin of {other.name} records its consent here")
        sender, recipient = actor.authority_id, other.id
        if receiving:
            sender, recipient = recipient, sender
        made = Consent(
            id=str(app.ids.new()),
            sender_id=sender,
            recipient_id=recipient,
            given_by=other.id if from_partner else actor.authority_id,
            person=person,
            valid_until=until,
            reason=written,
            recorded_at=now,
            recorded_by=actor.person_id,
            withdrawn_at=None,
        )
        values = {name: getattr(made, name) for name in Consent.__dataclass_fields__}
        tx.execute(insert(shadow_consents).values(authority_id=actor.authority_id, **values))
        _audit(app, tx, actor, "migration.consent", made)
    return made


def withdraw_consent(app: "Installation", actor: Actor, key: str) -> Consent:
    """End a consent that the own authority recorded; tests on their way are not called back.

    Raises ConsentUnknownError, RoleMissingError.
    """
    require(actor, Role.ADMIN)
    with app.write() as tx:
        rows = tx.execute(
            select(*_LINE)
            .where(
                shadow_consents.c.authority_id == actor.authority_id,
                known_as(shadow_consents.c.id, key),
                shadow_consents.c.withdrawn_at.is_(None),
            )
            .limit(2)
        ).all()
        if len(rows) != 1:
            raise ConsentUnknownError(
                f"no consent {key!r} in force", hint="'migration shadow consents' shows them"
            )
        ended = Consent(*rows[0])
        tx.execute(
            update(shadow_consents)
            .where(shadow_consents.c.id == ended.id)
            .values(withdrawn_at=app.clock.now(), withdrawn_by=actor.person_id)
        )
        _audit(app, tx, actor, "migration.consent-withdrawn", ended)
    return ended


def list_consents(app: "Installation", actor: Actor) -> list[Consent]:
    """Return the consents about the actor's authority, withdrawn ones included, newest first."""
    mine = or_(
        shadow_consents.c.sender_id == actor.authority_id,
        shadow_consents.c.recipient_id == actor.authority_id,
    )
    query = select(*_LINE).where(mine).order_by(shadow_consents.c.recorded_at.desc(), shadow_consents.c.id)
    with app.read() as tx:
        return [Consent(*row) for row in tx.execute(query)]


def _audit(app: "Installation", tx: Connection, actor: Actor, action: str, about: Consent) -> None:
    details = {name: str(getattr(about, name)) for name in ("id", "sender_id", "recipient_id", "given_by")}
    tx.execute(
        insert(audit).values(
            id=str(app.ids.new()),
            authority_id=actor.authority_id,
            at=app.clock.now(),
            actor=actor.person_id,
            action=action,
            details={**details, "person": about.person, "until": about.valid_until.isoformat()},
        )
    )
