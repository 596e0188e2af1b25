"""Letters of form ``written``: signed by hand before they go (wet signature, paragraph 126 BGB).

The dispatch waits (``awaiting_signature``) with its bytes frozen. A clerk prints exactly these, has them
signed, and completes the task; the send job then hands the dispatch over.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from engine.actor import Actor
from engine.errors import RefusedError
from engine.exchange.ports import Carrier, FormClass
from engine.service.stories import Entry, note
from engine.store.tables import cases, dispatch_parts, dispatches, exchanges, tasks

if TYPE_CHECKING:
    from engine.service.installation import Installation

SIGN = "sign"
AWAITING = "awaiting_signature"
TASK_NAME = "Brief drucken und unterschreiben lassen, dann Aufgabe abschließen"


class SigningRefusedError(RefusedError):
    """The signature cannot be confirmed like this."""


def state_of(exchange: RowMapping, carrier: Carrier) -> str:
    """Return in which state a new dispatch of the exchange begins."""
    written = exchange["form"] == FormClass.WRITTEN.value
    return AWAITING if written and not carrier.describe().electronic else "prepared"


def ask(app: "Installation", tx: Connection, exchange: RowMapping, dispatch_id: str) -> None:
    """Open the task of having a letter signed."""
    tx.execute(
        insert(tasks).values(
            id=str(app.ids.new()),
            authority_id=exchange["authority_id"],
            case_id=exchange["case_id"],
            unit_id=tx.scalar(select(cases.c.unit_id).where(cases.c.id == exchange["case_id"])),
            kind=SIGN,
            element_id=exchange["element_id"],
            instance="",
            name=TASK_NAME,
            subject_id=dispatch_id,
            status="open",
            opened_at=app.clock.now(),
        )
    )


def complete(
    app: "Installation", tx: Connection, task: Mapping[str, Any], actor: Actor, data: Mapping[str, Any]
) -> None:
    """Note that the letter is signed, by ``signed_by`` in ``data`` or who completes the task; let it go.

    Raises SigningRefusedError.
    """
    unknown = sorted(set(data) - {"signed_by"})
    if unknown:
        raise SigningRefusedError(f"{unknown[0]!r} is not asked here", hint="give signed_by or nothing")
    signed_by = data.get("signed_by", actor.person_id)
    if not isinstance(signed_by, str) or not signed_by.strip():
        raise SigningRefusedError(f"signed_by is {signed_by!r}", hint="give the name of who signed")
    dispatch = tx.execute(select(dispatches).where(dispatches.c.id == task["subject_id"])).mappings().one()
    if dispatch["state"] != AWAITING:
        raise SigningRefusedError(f"the letter waits for no signature: it is {dispatch['state']}")
    exchange = tx.execute(select(exchanges).where(exchanges.c.id == dispatch["exchange_id"])).mappings().one()
    tx.execute(update(dispatches).where(dispatches.c.id == dispatch["id"]).values(state="prepared"))
    command = {"signed": dispatch["id"], "signed_by": signed_by, "exchange": exchange["id"]}
    note(tx, app.ids, exchange["case_id"], Entry(app.clock.now(), actor.person_id, "signature", command))
    app.queue.enqueue(
        tx,
        "send",
        {"exchange": exchange["id"]},
        authority_id=exchange["authority_id"],
        key=f"send:{exchange['id']}",
    )


def letter_of(app: "Installation", dispatch_id: str) -> tuple[str, Path]:
    """Return name and place of the letter's frozen bytes: what is printed for the signature."""
    query = select(dispatch_parts.c.name, dispatch_parts.c.sha256).where(
        dispatch_parts.c.dispatch_id == dispatch_id
    )
    with app.read() as tx:
        row = tx.execute(query.order_by(dispatch_parts.c.position).limit(1)).one()
    return row.name, app.documents.local_path(row.sha256)
