"""An arrival's files in the store, and what proves how they came."""

from collections.abc import Mapping
from mimetypes import guess_type
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select

from engine.documents import Blob
from engine.exchange.abilities import OnDisk
from engine.exchange.ports import Part
from engine.service.arrivals import filing
from engine.store.tables import arrival_parts

if TYPE_CHECKING:
    from engine.service.installation import Installation


def add_parts(app: "Installation", tx: Connection, authority_id: str, arrival_id: str, parts: Any) -> None:
    """Store an arrival's files as they came."""
    for position, part in enumerate(parts):
        with part.path.open("rb") as source:
            blob = app.documents.put(source)
        _add_part(tx, authority_id, arrival_id, position, blob, part.name, part.media_type, part.role)


def keep_proofs(
    app: "Installation",
    tx: Connection,
    authority_id: str,
    arrival_id: str,
    first: int,
    proofs: Mapping[str, bytes],
) -> None:
    """Store what a carrier or scanner says of an arrival beside its files: evidence, but no part of it."""
    files = proofs.files if isinstance(proofs, OnDisk) else {}
    for position, name in enumerate(proofs, start=first):
        media_type = guess_type(name)[0] or "application/octet-stream"
        if name in files:
            with files[name].open("rb") as source:
                blob = app.documents.put(source)
        else:
            blob = app.documents.put_bytes(proofs[name])
        _add_part(tx, authority_id, arrival_id, position, blob, name, media_type, filing.PROOF)


def _add_part(
    tx: Connection,
    authority_id: str,
    arrival_id: str,
    position: int,
    blob: Blob,
    name: str,
    media_type: str,
    role: str,
) -> None:
    tx.execute(
        insert(arrival_parts).values(
            arrival_id=arrival_id,
            position=position,
            authority_id=authority_id,
            sha256=blob.sha256,
            size=blob.size,
            name=name,
            media_type=media_type,
            role=role,
        )
    )


def parts_of(
    app: "Installation", tx: Connection, arrival_id: str, *, proofs: bool = False
) -> tuple[Part, ...]:
    """Return an arrival's stored files, on demand with what proves how they came."""
    rows = tx.execute(
        select(arrival_parts)
        .where(arrival_parts.c.arrival_id == arrival_id)
        .order_by(arrival_parts.c.position)
    ).mappings()
    return tuple(
        Part(row["name"], row["media_type"], app.documents.local_path(row["sha256"]), row["role"])
        for row in rows
        if proofs or row["role"] != filing.PROOF
    )
