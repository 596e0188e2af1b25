"""What a carrier prepared, frozen in the store and brought back for the hand-over."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select

from engine.exchange.ports import Part, Prepared
from engine.service.exchanges.mailbox_json import mailbox_from_json, mailbox_to_json
from engine.store.tables import dispatch_parts

if TYPE_CHECKING:
    from engine.service.installation import Installation


def store_prepared(
    app: "Installation", tx: Connection, dispatch: Mapping[str, Any], prepared: Prepared
) -> dict[str, Any]:
    """Store the parts' bytes and rows; return the columns of the dispatch that belong to it."""
    add_parts(app, tx, dispatch, prepared.parts)
    return columns_of(prepared)


def add_parts(
    app: "Installation",
    tx: Connection,
    dispatch: Mapping[str, Any],
    parts: Sequence[Part],
    *,
    first: int = 0,
) -> None:
    """Store the bytes and rows of parts from position ``first`` on."""
    for position, part in enumerate(parts, start=first):
        with part.path.open("rb") as source:
            blob = app.documents.put(source)
        tx.execute(
            insert(dispatch_parts).values(
                dispatch_id=dispatch["id"],
                position=position,
                authority_id=dispatch["authority_id"],
                sha256=blob.sha256,
                size=blob.size,
                name=part.name,
                media_type=part.media_type,
                role=part.role,
            )
        )


def columns_of(prepared: Prepared) -> dict[str, Any]:
    """Return the columns of a dispatch that say what its carrier prepared."""
    return {
        "carrier_reference": prepared.carrier_reference,
        "prepared": {
            "sender": mailbox_to_json(prepared.sender) if prepared.sender else None,
            "recipient": mailbox_to_json(prepared.recipient),
            "details": dict(prepared.details),
        },
    }


def load_prepared(
    app: "Installation", tx: Connection, dispatch: Mapping[str, Any], *, parts: bool = True
) -> Prepared:
    """Return what ``store_prepared`` froze; on demand without the parts, which may lie far away."""
    query = (
        select(dispatch_parts)
        .where(dispatch_parts.c.dispatch_id == dispatch["id"])
        .order_by(dispatch_parts.c.position)
    )
    rows = tx.execute(query).mappings().all() if parts else []
    kept = dispatch["prepared"]
    return Prepared(
        dispatch_id=dispatch["id"],
        carrier_reference=dispatch["carrier_reference"],
        parts=tuple(
            Part(row["name"], row["media_type"], app.documents.local_path(row["sha256"]), row["role"])
            for row in rows
        ),
        sender=mailbox_from_json(kept["sender"]) if kept["sender"] else None,
        recipient=mailbox_from_json(kept["recipient"]),
        details=kept["details"],
    )
