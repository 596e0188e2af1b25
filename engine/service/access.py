"""Who may do what: turning a login into an actor, and asking for a role."""

from sqlalchemy import Connection, select

from engine.actor import Actor, Role
from engine.errors import NotAllowedError, NotFoundError
from engine.store.tables import people


class PersonUnknownError(NotFoundError):
    """No active person of this name."""


class RoleMissingError(NotAllowedError):
    """The person does not hold the role that this needs."""


def load_actor(connection: Connection, person_id: str) -> Actor:
    """Return the actor that ``person_id`` is; raise PersonUnknownError for unknown or inactive people."""
    row = connection.execute(select(people).where(people.c.id == person_id)).mappings().first()
    if row is None or not row["active"]:
        raise PersonUnknownError(
            f"no active person {person_id!r}", hint="'dienstweg person list' shows who there is"
        )
    return Actor(
        person_id=row["id"],
        authority_id=row["authority_id"],
        roles=frozenset(Role(role) for role in row["roles"]),
        units=frozenset(row["units"]),
    )


def require(actor: Actor, *roles: Role) -> None:
    """Raise RoleMissingError unless ``actor`` holds one of ``roles``."""
    if not any(actor.has(role) for role in roles):
        wanted = " or ".join(roles)
        raise RoleMissingError(
            f"{actor.person_id} is not {wanted}", hint="ask an admin of your authority for the role"
        )
