"""People who act for an authority: their roles and units."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, insert, select

from engine.actor import Actor, Role
from engine.errors import ConflictError, RefusedError
from engine.service.access import require
from engine.service.auditing import write_down
from engine.service.directory.authorities import Authority, find_authority
from engine.store.tables import people, units

if TYPE_CHECKING:
    from engine.service.installation import Installation


class PersonExistsError(ConflictError):
    """There is a person of this name already."""


class PersonRefusedError(RefusedError):
    """This person cannot be recorded."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts for an authority."""

    id: str
    authority_id: str
    name: str
    roles: tuple[str, ...]
    units: tuple[str, ...]
    active: bool


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
            write_down(app, tx, by.authority_id, by.person_id, "person.add", details)
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
