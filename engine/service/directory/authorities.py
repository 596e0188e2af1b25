"""Authorities: municipalities, districts and Land bodies, and which of them this installation works for."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, insert, or_, select, update

from engine.actor import Actor, Role
from engine.directory.seed import shipped_authorities
from engine.errors import NotFoundError
from engine.exchange.ports import Party
from engine.service.access import require
from engine.service.auditing import write_down
from engine.store.tables import authorities

if TYPE_CHECKING:
    from engine.service.installation import Installation


class AuthorityUnknownError(NotFoundError):
    """No authority of this key."""


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


def load_authorities(tx: Connection, keys: Collection[str] | None = None) -> dict[str, Authority]:
    """Return the authorities of these keys, or all, by key."""
    query = select(authorities).order_by(authorities.c.id)
    if keys is not None:
        query = query.where(authorities.c.id.in_(sorted(keys)))
    return {row["id"]: _authority(row) for row in tx.execute(query).mappings()}


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
        write_down(app, tx, actor.authority_id, actor.person_id, "authority.import", {"count": len(rows)})
    return len(rows)
