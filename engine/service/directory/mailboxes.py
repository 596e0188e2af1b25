"""Mailboxes: an authority's opened access on one channel, from when until when."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, insert, or_, select, update

from engine.actor import Actor, Role
from engine.errors import NotFoundError, RefusedError
from engine.exchange.ports import FormClass, Mailbox, split_channel
from engine.service.access import require
from engine.service.auditing import write_down
from engine.service.directory.authorities import find_authority
from engine.service.directory.terms import check_terms
from engine.store.tables import authorities, mailboxes

if TYPE_CHECKING:
    from engine.service.installation import Installation


class MailboxRefusedError(RefusedError):
    """This mailbox cannot be recorded."""


class MailboxUnknownError(NotFoundError):
    """There is no such mailbox."""


def add_mailbox(app: "Installation", actor: Actor, mailbox: Mailbox) -> str:
    """Record an opened access of an authority; return its id.

    Raises AuthorityUnknownError, MailboxRefusedError, TermRefusedError, RoleMissingError,
    UnknownChannelError.
    """
    require(actor, Role.ADMIN)
    check_mailbox(app, mailbox)
    with app.write() as tx:
        return record_mailbox(app, tx, actor, mailbox)


def record_mailbox(app: "Installation", tx: Connection, actor: Actor, mailbox: Mailbox) -> str:
    """Write the row of a mailbox that ``check_mailbox`` has let pass; return its id."""
    mailbox_id = str(app.ids.new())
    owner = find_authority(tx, mailbox.authority_id)
    tx.execute(
        insert(mailboxes).values(
            id=mailbox_id,
            authority_id=owner.id,
            channel=mailbox.channel,
            address=mailbox.address,
            valid_from=mailbox.valid_from,
            valid_until=mailbox.valid_until,
            formats=list(mailbox.formats),
            max_bytes=mailbox.max_bytes,
            form_classes=[form.value for form in mailbox.form_classes],
            accepts_test=mailbox.accepts_test,
            settings=dict(mailbox.settings),
        )
    )
    write_down(
        app,
        tx,
        actor.authority_id,
        actor.person_id,
        "mailbox.add",
        {"authority": owner.id, "channel": mailbox.channel},
    )
    return mailbox_id


def replace_mailboxes(app: "Installation", actor: Actor, wanted: Sequence[Mailbox]) -> None:
    """Record mailboxes, and end what their authorities had open on those channels the day before they open.

    All of them or none. What was sent stays as it was sent. Raises what ``add_mailbox`` raises.
    """
    require(actor, Role.ADMIN)
    for mailbox in wanted:
        check_mailbox(app, mailbox)
    with app.write() as tx:
        for mailbox in wanted:
            owner = find_authority(tx, mailbox.authority_id)
            _end(tx, owner.id, mailbox.channel, mailbox.valid_from - timedelta(days=1))
            record_mailbox(app, tx, actor, mailbox)


def end_mailbox(app: "Installation", actor: Actor, authority: str, channel: str, last: date) -> int:
    """End an authority's open mailboxes on ``channel``: ``last`` is their last open day; return how many.

    What was sent stays as it was sent. Raises AuthorityUnknownError, MailboxUnknownError, RoleMissingError.
    """
    require(actor, Role.ADMIN)
    with app.write() as tx:
        owner = find_authority(tx, authority)
        ended = _end(tx, owner.id, channel, last)
        if not ended:
            raise MailboxUnknownError(
                f"{owner.name} has no open mailbox on {channel}", hint="'dienstweg mailbox list' shows them"
            )
        write_down(
            app,
            tx,
            actor.authority_id,
            actor.person_id,
            "mailbox.end",
            {"authority": owner.id, "channel": channel},
        )
    return ended


def _end(tx: Connection, authority_id: str, channel: str, last: date) -> int:
    return tx.execute(
        update(mailboxes)
        .where(
            mailboxes.c.authority_id == authority_id,
            mailboxes.c.channel == channel,
            or_(mailboxes.c.valid_until.is_(None), mailboxes.c.valid_until > last),
        )
        .values(valid_until=last)
    ).rowcount


def check_mailbox(app: "Installation", mailbox: Mailbox) -> None:
    """Refuse a mailbox that cannot be used; raise MailboxRefusedError, TermRefusedError."""
    try:
        split_channel(mailbox.channel)
    except ValueError as error:
        raise MailboxRefusedError(
            f"{mailbox.channel!r} is no channel", hint="a channel is payload+carrier, e.g. xdomea+folder"
        ) from error
    app.adapters.channel(mailbox.channel)
    check_terms(mailbox.settings)
    if not mailbox.address.strip():
        raise MailboxRefusedError("a mailbox needs an address")
    if mailbox.valid_until is not None and mailbox.valid_until < mailbox.valid_from:
        raise MailboxRefusedError("a mailbox cannot end before it opens")


def mailbox_from_row(row: RowMapping) -> Mailbox:
    """Return the mailbox that a row of ``mailboxes`` is."""
    return Mailbox(
        authority_id=row["authority_id"],
        channel=row["channel"],
        address=row["address"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        formats=tuple(row["formats"]),
        max_bytes=row["max_bytes"],
        form_classes=tuple(FormClass(form) for form in row["form_classes"]),
        accepts_test=row["accepts_test"],
        settings=row["settings"],
    )


def list_mailboxes(app: "Installation", actor: Actor, *, authority: str | None = None) -> list[Mailbox]:
    """Return recorded mailboxes, of one authority or of all."""
    with app.read() as tx:
        query = select(mailboxes).order_by(mailboxes.c.authority_id, mailboxes.c.channel)
        if authority:
            query = query.where(mailboxes.c.authority_id == find_authority(tx, authority).id)
        return [mailbox_from_row(row) for row in tx.execute(query).mappings()]


def load_mailboxes(tx: Connection, owners: Collection[str] | None = None) -> list[Mailbox]:
    """Return the mailboxes of these authorities, or of all: open, ended and future ones."""
    query = select(mailboxes).order_by(mailboxes.c.authority_id, mailboxes.c.channel, mailboxes.c.id)
    if owners is not None:
        query = query.where(mailboxes.c.authority_id.in_(sorted(owners)))
    return [mailbox_from_row(row) for row in tx.execute(query).mappings()]


def find_mailbox(tx: Connection, authority_id: str, channel: str, on: date) -> Mailbox | None:
    """Return the authority's mailbox on ``channel`` that is open on that day, the latest opened first."""
    row = (
        tx.execute(
            select(mailboxes)
            .where(
                mailboxes.c.authority_id == authority_id,
                mailboxes.c.channel == channel,
                mailboxes.c.valid_from <= on,
                or_(mailboxes.c.valid_until.is_(None), mailboxes.c.valid_until >= on),
            )
            .order_by(mailboxes.c.valid_from.desc(), mailboxes.c.id)
            .limit(1)
        )
        .mappings()
        .first()
    )
    return mailbox_from_row(row) if row is not None else None


def own_mailboxes(tx: Connection, on: date) -> list[Mailbox]:
    """Return the mailboxes of this installation's authorities that are open on that day."""
    rows = tx.execute(
        select(mailboxes)
        .join(authorities, authorities.c.id == mailboxes.c.authority_id)
        .where(
            authorities.c.own.is_(True),
            mailboxes.c.valid_from <= on,
            or_(mailboxes.c.valid_until.is_(None), mailboxes.c.valid_until >= on),
        )
        .order_by(mailboxes.c.authority_id, mailboxes.c.channel)
    ).mappings()
    return [mailbox_from_row(row) for row in rows]
