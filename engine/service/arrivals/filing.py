"""Putting an arrival into a case: its files become documents and evidence of the case."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from engine.documents import Blob
from engine.exchange.ports import Reading
from engine.service.stories import Entry, note
from engine.store.tables import arrival_parts, arrivals, case_documents, cases, evidence

if TYPE_CHECKING:
    from engine.service.installation import Installation

RECEIVED, LETTER = "received", "letter"
"""Roles of documents that came in; a letter is none of those that a model sends on as ``received``."""
PROOF = "evidence"
"""Role of a stored part that says how an arrival came (a scan's record, a delivery receipt)."""


def file_arrival(
    app: "Installation",
    tx: Connection,
    arrival_id: str,
    case: RowMapping,
    exchange_id: str | None,
    by: str,
    reading: Reading,
) -> None:
    """Keep an arrival with its case: the files as evidence as they came, and what clerks read as documents.

    Where the payload unpacked none, the files themselves are the documents.
    """
    keep_as_evidence(app, tx, arrival_id, case["id"], exchange_id, "arrival")
    for role, found in ((LETTER, reading.letters), (RECEIVED, reading.documents)):
        for document in found:
            with document.open() as source:
                blob = app.documents.put(source)
            _add(app, tx, case, by, document.name, document.media_type, blob, role)
    if not (reading.letters or reading.documents):
        for part in _parts(tx, arrival_id):
            if part["role"] == PROOF:
                continue
            blob = Blob(part["sha256"], part["size"])
            _add(app, tx, case, by, part["name"], part["media_type"], blob, RECEIVED)


def _add(
    app: "Installation",
    tx: Connection,
    case: RowMapping,
    by: str,
    name: str,
    media_type: str,
    blob: Blob,
    role: str,
) -> None:
    tx.execute(
        insert(case_documents).values(
            id=str(app.ids.new()),
            authority_id=case["authority_id"],
            case_id=case["id"],
            sha256=blob.sha256,
            name=name,
            media_type=media_type,
            size=blob.size,
            role=role,
            added_at=app.clock.now(),
            added_by=by,
        )
    )


def keep_as_evidence(
    app: "Installation",
    tx: Connection,
    arrival_id: str,
    case_id: str,
    exchange_id: str | None,
    kind: str,
) -> str | None:
    """Write the arrival's files down as evidence and commit to them in the case's chain.

    Returns the id of the first file's evidence, None where the arrival has no file.
    """
    now = app.clock.now()
    first: str | None = None
    arrival = tx.execute(select(arrivals).where(arrivals.c.id == arrival_id)).mappings().one()
    listed: list[dict[str, Any]] = []
    for part in _parts(tx, arrival_id):
        evidence_id = str(app.ids.new())
        first = first or evidence_id
        tx.execute(
            insert(evidence).values(
                id=evidence_id,
                authority_id=part["authority_id"],
                case_id=case_id,
                exchange_id=exchange_id,
                arrival_id=arrival_id,
                kind=kind,
                name=part["name"],
                sha256=part["sha256"],
                size=part["size"],
                at=now,
            )
        )
        listed.append({"name": part["name"], "sha256": part["sha256"]})
    command = {
        "evidence": kind,
        "arrival": arrival_id,
        "channel": arrival["channel"],
        "message": arrival["message_type"],
        "files": listed,
    }
    note(tx, app.ids, case_id, Entry(now, arrival["registered_by"], "evidence", command))
    return first


def learn_partner(tx: Connection, case: RowMapping, partner_id: str | None, reference: str | None) -> None:
    """Keep the partner and its file reference once they are known."""
    changed = {}
    if case["partner_id"] is None and partner_id is not None:
        changed["partner_id"] = partner_id
    if case["partner_reference"] is None and reference:
        changed["partner_reference"] = reference
    if changed:
        tx.execute(update(cases).where(cases.c.id == case["id"]).values(**changed))


def _parts(tx: Connection, arrival_id: str) -> list[RowMapping]:
    rows = tx.execute(
        select(arrival_parts)
        .where(arrival_parts.c.arrival_id == arrival_id)
        .order_by(arrival_parts.c.position)
    )
    return list(rows.mappings())
