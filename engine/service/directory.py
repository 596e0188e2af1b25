"""Authorities, units, people and mailboxes. The directory is shared; acting on it needs the admin role."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, insert, or_, select, update

from engine.actor import Actor, Role
from engine.directory.seed import shipped_authorities
from engine.errors import ConflictError, NotFoundError, RefusedError
from engine.exchange.ports import FormClass, Mailbox, Party, split_channel
from engine.service.access import require
from engine.service.terms import check_terms
from engine.store.tables import audit, authorities, mailboxes, people, units

if TYPE_CHECKING:
    from engine.service.installation import Installation


class AuthorityUnknownError(NotFoundError):
    """No authority of this key."""


class MailboxRefusedError(RefusedError):
    """This mailbox cannot be recorded."""


class MailboxUnknownError(NotFoundError):
    """There is no such mailbox."""


class PersonExistsError(ConflictError):
    """There is a person of this name already."""


class PersonRefusedError(RefusedError):
    """This person cannot be recorded."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A municipality, district or Land body."""

    id: str
    name: str
    official_name: str
    kind: str
    district_id: str | None
    valid_from: date
    valid_until: date | None
    address: tuple[str, ...]
    contact: Mapping[str, str]
    own: bool

    def exists(self, on: date) -> bool:
        """Tell whether there is this authority on that day."""
        return self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)

    @property
    def district(self) -> str | None:
        """The district it lies in; a district lies in itself, the Land in none."""
        return self.id if self.kind == "district" else self.district_id

    def party(self) -> Party:
        """Return the authority as one end of an exchange."""
        return Party(self.id, self.official_name, None, self.address, self.contact)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts for an authority."""

    id: str
    authority_id: str
    name: str
    roles: tuple[str, ...]
    units: tuple[str, ...]
    active: bool


def _authority(row: RowMapping) -> Authority:
    return Authority(
        id=row["id"],
        name=row["name"],
        official_name=row["official_name"],
        kind=row["kind"],
        district_id=row["district_id"],
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        address=tuple(row["address"]),
        contact=row["contact"],
        own=row["own"],
    )


def find_authority(tx: Connection, key: str) -> Authority:
    """Return the authority with this key (AGS or own key) or exact name; raise AuthorityUnknownError."""
    rows = tx.execute(
        select(authorities).where(
            or_(authorities.c.id == key, authorities.c.name == key, authorities.c.official_name == key)
        )
    ).mappings()
    found = [_authority(row) for row in rows]
    exact = [authority for authority in found if authority.id == key]
    if exact or len(found) == 1:
        return (exact or found)[0]
    if len(found) > 1:
        keys = ", ".join(authority.id for authority in found)
        raise AuthorityUnknownError(f"{key!r} names several authorities", hint=f"use one key of: {keys}")
    raise AuthorityUnknownError(
        f"no authority {key!r}", hint="'dienstweg authority list' shows keys and names"
    )


def seed_authorities(app: "Installation", own: Iterable[str]) -> int:
    """Write the shipped authorities into an empty directory and mark those this installation works for.

    A directory that holds authorities already only gets the marks. Returns how many were written.
    Raises AuthorityUnknownError where an own key is not among them.
    """
    records = shipped_authorities()
    keys = set(own)
    missing = keys - {record.id for record in records}
    if missing:
        raise AuthorityUnknownError(
            f"no authority {sorted(missing)[0]!r}", hint="use an AGS, e.g. 10041100 for Saarbrücken"
        )
    with app.write() as tx:
        if tx.execute(select(authorities.c.id).limit(1)).first() is not None:
            tx.execute(update(authorities).values(own=authorities.c.id.in_(sorted(keys))))
            return 0
        tx.execute(
            insert(authorities),
            [
                {
                    "id": record.id,
                    "name": record.name,
                    "official_name": record.official_name,
                    "kind": record.kind,
                    "district_id": record.district_id,
                    "valid_from": record.valid_from,
                    "valid_until": record.valid_until,
                    "address": [],
                    "contact": {},
                    "own": record.id in keys,
                }
                for record in records
            ],
        )
    return len(records)


def list_authorities(app: "Installation", actor: Actor, *, text: str | None = None) -> list[Authority]:
    """Return authorities by name; ``text`` filters by a part of name or key."""
    query = select(authorities).order_by(authorities.c.name)
    if text:
        pattern = f"%{text}%"
        query = query.where(or_(authorities.c.name.ilike(pattern), authorities.c.id.like(pattern)))
    with app.read() as tx:
        return [_authority(row) for row in tx.execute(query).mappings()]


def show_authority(app: "Installation", actor: Actor, key: str) -> Authority:
    """Return one authority; raise AuthorityUnknownError."""
    with app.read() as tx:
        return find_authority(tx, key)


def import_authorities(app: "Installation", actor: Actor, rows: Sequence[Mapping[str, Any]]) -> int:
    """Add or change authorities from checked rows (key, name, address, contact …); return how many."""
    require(actor, Role.ADMIN)
    with app.write() as tx:
        for row in rows:
            key = row["id"]
            values = {name: row[name] for name in row if name != "id"}
            exists = tx.execute(select(authorities.c.id).where(authorities.c.id == key)).first()
            if exists:
                tx.execute(update(authorities).where(authorities.c.id == key).values(**values))
            else:
                defaults: dict[str, Any] = {
                    "official_name": values.get("name"),
                    "kind": "other",
                    "valid_from": app.clock.now().date(),
                    "address": [],
                    "contact": {},
                    "own": False,
                }
                tx.execute(insert(authorities).values(id=key, **{**defaults, **values}))
        _audit(app, tx, actor, "authority.import", {"count": len(rows)})
    return len(rows)


def add_person(
    app: "Installation",
    *,
    person_id: str,
    name: str,
    authority: str,
    roles: Sequence[str],
    unit_names: Sequence[str] = (),
    by: Actor | None,
) -> Person:
    """Add a person; ``by`` None is allowed only for the first person of an installation.

    An admin adds people to the own authority; who runs the installation (role ``installation``, which only
    its holders can give once there is one) to every authority it works for.

    Raises PersonExistsError, PersonRefusedError, RoleMissingError.
    """
    with app.write() as tx:
        if by is None and tx.execute(select(people.c.id).limit(1)).first() is not None:
            raise PersonRefusedError("an admin must add further people", hint="repeat with --as ADMIN")
        if by is not None:
            require(by, Role.ADMIN, Role.INSTALLATION)
        home = find_authority(tx, authority)
        _check_person(home, person_id, roles, by)
        if Role.INSTALLATION in roles and by is not None and not by.has(Role.INSTALLATION):
            _check_first_of_installation(tx)
        if tx.execute(select(people.c.id).where(people.c.id == person_id)).first():
            raise PersonExistsError(f"there is a person {person_id!r} already")
        unit_ids = [_unit(app, tx, home.id, unit) for unit in unit_names]
        person = Person(person_id, home.id, name, tuple(roles), tuple(unit_ids), True)
        tx.execute(
            insert(people).values(
                id=person_id,
                authority_id=home.id,
                name=name,
                roles=list(roles),
                units=unit_ids,
                active=True,
            )
        )
        if by is not None:
            details = {"person": person_id, "authority": home.id, "roles": list(roles)}
            _audit(app, tx, by, "person.add", details)
    return person


def _check_person(home: Authority, person_id: str, roles: Sequence[str], by: Actor | None) -> None:
    known = {role.value for role in Role}
    wrong = sorted(set(roles) - known)
    if wrong:
        raise PersonRefusedError(f"no role {wrong[0]!r}", hint=f"roles are: {', '.join(sorted(known))}")
    if not person_id.strip() or not roles:
        raise PersonRefusedError("a person needs a login and at least one role")
    if not home.own:
        raise PersonRefusedError(
            f"{home.name} is not run by this installation", hint="name one of its own authorities"
        )
    if by is not None and by.authority_id != home.id and not by.has(Role.INSTALLATION):
        raise PersonRefusedError(f"{by.person_id} is no admin of {home.name}")


def _check_first_of_installation(tx: Connection) -> None:
    """Refuse an authority's admin the role that reaches over all authorities, once somebody holds it."""
    if any(Role.INSTALLATION in row.roles for row in tx.execute(select(people.c.roles))):
        raise PersonRefusedError(
            "the role installation reaches over all authorities", hint="only who holds it can give it"
        )


def _unit(app: "Installation", tx: Connection, authority_id: str, name: str) -> str:
    """Return the id of a unit, which is made when first named."""
    found: str | None = tx.scalar(
        select(units.c.id).where(units.c.authority_id == authority_id, units.c.name == name)
    )
    if found is not None:
        return found
    unit_id = str(app.ids.new())
    tx.execute(insert(units).values(id=unit_id, authority_id=authority_id, name=name))
    return unit_id


def list_people(app: "Installation", actor: Actor) -> list[Person]:
    """Return the people of the actor's authority, by login."""
    with app.read() as tx:
        rows = tx.execute(
            select(people).where(people.c.authority_id == actor.authority_id).order_by(people.c.id)
        ).mappings()
        return [
            Person(r["id"], r["authority_id"], r["name"], tuple(r["roles"]), tuple(r["units"]), r["active"])
            for r in rows
        ]


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
    _audit(app, tx, actor, "mailbox.add", {"authority": owner.id, "channel": mailbox.channel})
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


def load_authorities(tx: Connection, keys: Collection[str] | None = None) -> dict[str, Authority]:
    """Return the authorities of these keys, or all, by key."""
    query = select(authorities).order_by(authorities.c.id)
    if keys is not None:
        query = query.where(authorities.c.id.in_(sorted(keys)))
    return {row["id"]: _authority(row) for row in tx.execute(query).mappings()}


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
        _audit(app, tx, actor, "mailbox.end", {"authority": owner.id, "channel": channel})
    return ended


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


def _audit(
    app: "Installation", tx: Connection, actor: Actor, action: str, details: Mapping[str, Any]
) -> None:
    tx.execute(
        insert(audit).values(
            id=str(app.ids.new()),
            authority_id=actor.authority_id,
            at=app.clock.now(),
            actor=actor.person_id,
            action=action,
            details=dict(details),
        )
    )
