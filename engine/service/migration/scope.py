"""Which senders a person may see the migration of, and what the keys of a scope stand for."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from sqlalchemy import Connection, select

from engine.actor import Actor, Role
from engine.errors import NotFoundError, RefusedError
from engine.migration.scope import Scope
from engine.service.access import require
from engine.service.directory.authorities import AuthorityUnknownError, find_authority
from engine.store.tables import authorities

DISTRICT = "district"
VIEWERS = (Role.ADMIN, Role.AUDITOR, Role.ANALYST, Role.INSTALLATION)
"""Who may look at the migration; it shows metadata, never content."""


class SenderUnknownError(NotFoundError):
    """No such sender, or not one whose migration you may see."""


class ScopeRefusedError(RefusedError):
    """This scope names something else than it should."""


def senders(tx: Connection, actor: Actor) -> list[str]:
    """Return the keys of the authorities whose sends the actor may see and act on.

    The own one; for a person who runs the installation all that it works for. Raises RoleMissingError.
    """
    require(actor, *VIEWERS)
    if not actor.has(Role.INSTALLATION):
        return [actor.authority_id]
    rows = tx.execute(select(authorities.c.id).where(authorities.c.own.is_(True)))
    return sorted({actor.authority_id, *(row.id for row in rows)})


def resolve(tx: Connection, actor: Actor, scope: Scope, also: Sequence[str] = ()) -> Scope:
    """Return ``scope`` with names turned into keys; what is open stays open.

    ``also`` are senders that may be named beside those whose sends the actor may see.

    Raises SenderUnknownError, AuthorityUnknownError, ScopeRefusedError, RoleMissingError.
    """
    return Resolver(tx, actor, also).resolve(scope)


class Resolver:
    """Turns names of scopes into keys; each name is looked up once, however many scopes name it."""

    def __init__(self, tx: Connection, actor: Actor, also: Sequence[str] = ()) -> None:
        """Take who asks; ``also`` as for ``resolve``. Raises RoleMissingError."""
        self.senders = senders(tx, actor)
        seen = [*self.senders, *also]
        self._sender = cache(lambda key: _sender(tx, key, seen))
        self._recipient = cache(lambda key: find_authority(tx, key).id)
        self._district = cache(lambda key: _district(tx, key))

    def resolve(self, scope: Scope) -> Scope:
        """Return ``scope`` with names turned into keys; raises what the function ``resolve`` raises."""
        return replace(
            scope,
            sender=self._sender(scope.sender) if scope.sender else None,
            recipient=self._recipient(scope.recipient) if scope.recipient else None,
            district=self._district(scope.district) if scope.district else None,
        )

    def senders_of(self, scope: Scope) -> list[str]:
        """Return the senders of a resolved scope: the one it names, or all that the actor may see."""
        return [scope.sender] if scope.sender else self.senders


def scope_senders(tx: Connection, actor: Actor, scope: Scope) -> list[str]:
    """Return the senders of a resolved scope: the one it names, or all that the actor may see."""
    return [scope.sender] if scope.sender else senders(tx, actor)


def districts(tx: Connection) -> Callable[[str], str | None]:
    """Return what gives an authority's district; a district lies in itself, the Land in none."""
    rows = tx.execute(select(authorities.c.id, authorities.c.district_id, authorities.c.kind))
    found = {row.id: row.id if row.kind == DISTRICT else row.district_id for row in rows}
    return found.get


def _sender(tx: Connection, key: str, seen: list[str]) -> str:
    hint = "without --sender all are meant that you may see"
    try:
        found = find_authority(tx, key).id
    except AuthorityUnknownError as error:
        raise SenderUnknownError(f"no sender {key!r}", hint=hint) from error
    if found not in seen:
        raise SenderUnknownError(f"no sender {key!r}", hint=hint)
    return found


def _district(tx: Connection, key: str) -> str:
    found = find_authority(tx, key)
    if found.kind != DISTRICT:
        raise ScopeRefusedError(
            f"{found.name} is no district", hint="name a Landkreis or the Regionalverband, e.g. 10045"
        )
    return found.id
