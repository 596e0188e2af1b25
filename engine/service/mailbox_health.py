"""Whether mailboxes work: looked at on demand and once a day, kept for the migration's readiness.

Own mailboxes are tried as they are used; partners' are held against their terms and certificates. What will
soon end, or does not work, is one open incident until a later look finds it mended.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from engine.actor import Actor, Role
from engine.clock import local_day
from engine.errors import DienstwegError
from engine.exchange.abilities import ChecksMailboxes, Finding
from engine.exchange.ports import Mailbox, split_channel
from engine.service.access import require
from engine.service.arrivals import scanning
from engine.service.directory.authorities import find_authority
from engine.service.directory.mailboxes import MailboxUnknownError, mailbox_from_row
from engine.store.database import upsert
from engine.store.locks import only_one
from engine.store.prepared import Prepared
from engine.store.tables import authorities, incidents, mailbox_health, mailboxes

if TYPE_CHECKING:
    from engine.service.installation import Installation

KIND = "mailbox-health"
SYSTEM = "system"
MENDED = "a later look found nothing any more"

_OPEN_ON = (
    mailboxes.c.valid_from <= bindparam("today"),
    or_(mailboxes.c.valid_until.is_(None), mailboxes.c.valid_until >= bindparam("today")),
)
_OVERDUE = Prepared(
    select(mailboxes.c.id)
    .outerjoin(mailbox_health, mailbox_health.c.mailbox_id == mailboxes.c.id)
    .where(
        *_OPEN_ON,
        or_(mailbox_health.c.checked_at.is_(None), mailbox_health.c.checked_at <= bindparam("before")),
    )
)


@dataclass(frozen=True, slots=True)
class MailboxHealth:
    """A mailbox with what the last look at it found."""

    mailbox_id: str
    authority_id: str
    channel: str
    address: str
    own: bool
    checked_at: datetime | None = None
    """None: nobody has looked yet; then ``ok`` says nothing."""
    ok: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def ends(self) -> datetime | None:
        """The instant (UTC) at which the first of its certificates ends, where one is known."""
        return min((each.until for each in self.findings if each.until is not None), default=None)


@dataclass(frozen=True, slots=True)
class _Seen:
    """An open mailbox and the own one on the same channel that looks at it."""

    id: str
    mailbox: Mailbox
    own: bool
    viewer: Mailbox | None
    told: tuple[str, ...]
    """Own authorities that have to know of its faults."""


def check_mailboxes(
    app: "Installation", actor: Actor, *, authority: str | None = None, channel: str | None = None
) -> list[MailboxHealth]:
    """Look at all open mailboxes now, or those of one authority or channel; keep and return what was found.

    Raises RoleMissingError, AuthorityUnknownError, and MailboxUnknownError where none is open.
    """
    require(actor, Role.ADMIN)
    with app.read() as tx:
        key = find_authority(tx, authority).id if authority else None
        wanted = [
            seen
            for seen in _open_mailboxes(app, tx)
            if key in (None, seen.mailbox.authority_id) and channel in (None, seen.mailbox.channel)
        ]
    if not wanted and (authority or channel):
        raise MailboxUnknownError(
            f"no open mailbox{f' of {authority}' if authority else ''}{f' on {channel}' if channel else ''}",
            hint="'dienstweg mailbox list' shows them",
        )
    return [_look(app, seen) for seen in wanted]


def check_overdue(app: "Installation") -> int:
    """Look at the mailboxes nobody has looked at for a day (a setting); return how many that were.

    One process at a time.
    """
    now = app.clock.now()
    before = now - timedelta(hours=app.settings.mailboxes.check_hours)
    with app.read() as tx:
        overdue = {row.id for row in _OVERDUE.all(tx, today=local_day(now), before=before)}
        due = [seen for seen in _open_mailboxes(app, tx) if seen.id in overdue] if overdue else []
    if not due:
        return 0
    with only_one(app.database, "mailbox-health") as mine:
        return len([_look(app, seen) for seen in due]) if mine else 0


def health_of(tx: Connection, *, authority: str | None = None) -> dict[str, MailboxHealth]:
    """Return the last look at every recorded mailbox, by the mailbox's id; of one authority, or of all."""
    query = (
        select(
            mailboxes.c.id,
            mailboxes.c.authority_id,
            mailboxes.c.channel,
            mailboxes.c.address,
            authorities.c.own,
            mailbox_health.c.checked_at,
            mailbox_health.c.ok,
            mailbox_health.c.findings,
        )
        .join(authorities, authorities.c.id == mailboxes.c.authority_id)
        .outerjoin(mailbox_health, mailbox_health.c.mailbox_id == mailboxes.c.id)
        .order_by(mailboxes.c.authority_id, mailboxes.c.channel, mailboxes.c.id)
    )
    if authority is not None:
        query = query.where(mailboxes.c.authority_id == authority)
    return {row.id: _health(row) for row in tx.execute(query)}


def forget(tx: Connection, mailbox_id: str) -> None:
    """Drop what is known of a mailbox, so that the next round looks again."""
    tx.execute(delete(mailbox_health).where(mailbox_health.c.mailbox_id == mailbox_id))


def _health(row: Any) -> MailboxHealth:
    return MailboxHealth(
        row.id,
        row.authority_id,
        row.channel,
        row.address,
        row.own,
        row.checked_at,
        bool(row.ok),
        tuple(_finding(each) for each in row.findings or ()),
    )


def _finding(data: Mapping[str, Any]) -> Finding:
    until = data["until"]
    return Finding(
        data["code"], data["message"], data["fault"], datetime.fromisoformat(until) if until else None
    )


def _open_mailboxes(app: "Installation", tx: Connection) -> list[_Seen]:
    """Return every open mailbox, own ones first, each with who looks at it."""
    query = (
        select(mailboxes, authorities.c.own)
        .join(authorities, authorities.c.id == mailboxes.c.authority_id)
        .where(*_OPEN_ON)
        .order_by(authorities.c.own.desc(), mailboxes.c.authority_id, mailboxes.c.channel, mailboxes.c.id)
    )
    rows = tx.execute(query, {"today": local_day(app.clock.now())}).mappings().all()
    own: dict[str, list[Mailbox]] = {}
    for row in rows:
        if row["own"]:
            own.setdefault(row["channel"], []).append(mailbox_from_row(row))
    return [_seen(row, own.get(row["channel"], [])) for row in rows]


def _seen(row: Any, viewers: Sequence[Mailbox]) -> _Seen:
    mailbox = mailbox_from_row(row)
    if row["own"]:
        return _Seen(row["id"], mailbox, True, mailbox, (mailbox.authority_id,))
    told = tuple(dict.fromkeys(each.authority_id for each in viewers))
    return _Seen(row["id"], mailbox, False, viewers[0] if viewers else None, told)


def _look(app: "Installation", seen: _Seen) -> MailboxHealth:
    """Look at one mailbox, outside of any transaction, and keep what was found."""
    findings = tuple(_findings(app, seen))
    health = MailboxHealth(
        seen.id,
        seen.mailbox.authority_id,
        seen.mailbox.channel,
        seen.mailbox.address,
        seen.own,
        app.clock.now(),
        not any(each.fault for each in findings),
        findings,
    )
    with app.write() as tx:
        _keep(tx, health)
        for authority_id in seen.told:
            _tell(app, tx, authority_id, health)
    return health


def _findings(app: "Installation", seen: _Seen) -> Iterator[Finding]:
    if seen.own:
        yield from scanning.findings(app)
    try:
        carrier = app.adapters.carrier(split_channel(seen.mailbox.channel)[1])
        if isinstance(carrier, ChecksMailboxes):
            yield from carrier.check_mailbox(seen.mailbox, seen.viewer)
        else:
            health = carrier.health()
            yield Finding("carrier", health.message, not health.ok)
    except DienstwegError as error:
        yield Finding("carrier", str(error), fault=True)


def _keep(tx: Connection, health: MailboxHealth) -> None:
    values = {
        "checked_at": health.checked_at,
        "ok": health.ok,
        "findings": [
            {**asdict(each), "until": each.until.isoformat() if each.until else None}
            for each in health.findings
        ],
    }
    tx.execute(
        upsert(tx, mailbox_health)
        .values(mailbox_id=health.mailbox_id, authority_id=health.authority_id, **values)
        .on_conflict_do_update(index_elements=["mailbox_id"], set_=values)
    )


def _tell(app: "Installation", tx: Connection, authority_id: str, health: MailboxHealth) -> None:
    """Open, keep up to date or close the mailbox's incident."""
    text = "; ".join(_worries(app, health))
    where = (
        incidents.c.authority_id == authority_id,
        incidents.c.kind == KIND,
        incidents.c.subject_id == health.mailbox_id,
        incidents.c.status == "open",
    )
    known = tx.execute(select(incidents.c.id, incidents.c.message).where(*where)).first()
    message = f"mailbox of {health.authority_id} on {health.channel}: {text}"
    if not text:
        closed = {"status": "closed", "closed_at": app.clock.now(), "closed_by": SYSTEM, "resolution": MENDED}
        tx.execute(update(incidents).where(*where).values(**closed))
    elif known is None:
        tx.execute(
            insert(incidents).values(
                id=str(app.ids.new()),
                authority_id=authority_id,
                kind=KIND,
                subject_id=health.mailbox_id,
                message=message,
                status="open",
                opened_at=app.clock.now(),
            )
        )
    elif known.message != message:
        tx.execute(update(incidents).where(incidents.c.id == known.id).values(message=message))


def _worries(app: "Installation", health: MailboxHealth) -> Iterator[str]:
    """Yield what somebody has to see to: faults, and what ends within the days that the settings name."""
    soon = app.clock.now() + timedelta(days=app.settings.mailboxes.warn_days)
    for each in health.findings:
        if each.fault:
            yield each.message
        elif each.until is not None and each.until <= soon:
            yield f"{each.message} (ends on {local_day(each.until).isoformat()})"
