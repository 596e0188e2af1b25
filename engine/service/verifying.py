"""Proving that nothing was changed afterwards: chains and their subjects, documents and their names."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, select

from engine.documents import DocumentMissingError
from engine.exchange.chain import GENESIS, commit_to, next_link
from engine.service.migration import ledger
from engine.service.stories import Entry, subject_of
from engine.store.tables import (
    arrival_parts,
    case_documents,
    case_states,
    cases,
    dispatch_parts,
    evidence,
    exchange_documents,
    exchanges,
    facts,
    history,
)

if TYPE_CHECKING:
    from engine.service.installation import Installation

_CHUNK = 1 << 20
_HEADS = select(
    case_states.c.case_id, case_states.c.authority_id, case_states.c.sequence, case_states.c.chain_head
)
_DOCUMENTS = (arrival_parts, case_documents, dispatch_parts, evidence, exchange_documents)


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification looked at and what is wrong."""

    cases: int
    entries: int
    documents: int
    exchanges: int
    """Exchanges in the ledger, compared with history."""
    faults: tuple[str, ...]


def verify_installation(app: "Installation") -> Verification:
    """Verify every case's chain, every document that rows refer to, and the ledger against history."""
    faults: list[str] = []
    entries = 0
    with app.read() as tx:
        faults.extend(ledger.check(tx))
        exchanges = ledger.entries(tx)
        heads = tx.execute(_HEADS).all()
        for head in heads:
            count, found = _verify_case(tx, head)
            entries += count
            faults.extend(found)
        faults.extend(_verify_belonging(tx))
        digests = sorted({row.sha256 for table in _DOCUMENTS for row in tx.execute(select(table.c.sha256))})
    faults.extend(fault for digest in digests for fault in _verify_document(app, digest))
    return Verification(len(heads), entries, len(digests), exchanges, tuple(faults))


def _verify_case(tx: Connection, head: Any) -> tuple[int, list[str]]:
    case_id, faults = head.case_id, list[str]()
    links = tx.execute(
        select(history).where(history.c.case_id == case_id).order_by(history.c.sequence)
    ).mappings()
    previous, count = GENESIS, 0
    told: Counter[str] = Counter()
    try:
        for link in links:
            count += 1
            expected = next_link(previous, count, link["kind"], link["commitment"])
            if (link["sequence"], link["previous"], link["hash"]) != (count, previous, expected.hash):
                faults.append(f"case {case_id}: entry {count} does not follow the one before it")
            if link["authority_id"] != head.authority_id:
                faults.append(f"case {case_id}: entry {count} is another authority's")
            faults.extend(_verify_subject(case_id, link))
            previous = link["hash"]
            told.update(_told_in(link))
    except ValueError as error:  # neither JSON nor an instant any more
        return count, [*faults, f"case {case_id}: its history cannot be read after entry {count}: {error}"]
    if (previous, count) != (head.chain_head, head.sequence):
        faults.append(f"case {case_id}: its chain ends elsewhere than the case says")
    kept = Counter(_kept_of(tx, case_id))
    faults.extend(f"case {case_id}: {thing} is missing or was changed" for thing in sorted(told - kept))
    faults.extend(f"case {case_id}: its history does not know {thing}" for thing in sorted(kept - told))
    return count, faults


def _told_in(link: RowMapping) -> Iterator[str]:
    """Yield the evidence and the facts that an entry commits to, in words."""
    command = link["command"] or {}
    if link["kind"] == "evidence" and "evidence" in command:
        for file in command.get("files", [command]):
            yield _evidence(command["evidence"], file["name"], file["sha256"])
    elif link["kind"] == "fact" and "withdrawn" in command:
        yield f"the withdrawal of fact {command['withdrawn']}"
    elif link["kind"] == "fact" and "at" in command:
        yield _fact(command["fact"], datetime.fromisoformat(command["at"]), command["exchange"])


def _kept_of(tx: Connection, case_id: str) -> Iterator[str]:
    """Yield the evidence and the facts that rows tell of a case, in the same words."""
    files = select(evidence.c.kind, evidence.c.name, evidence.c.sha256).where(evidence.c.case_id == case_id)
    for row in tx.execute(files):
        yield _evidence(row.kind, row.name, row.sha256)
    of_case = exchanges.c.id == facts.c.exchange_id, exchanges.c.case_id == case_id
    for row in tx.execute(select(facts).where(*of_case)):
        yield _fact(row.kind, row.at, row.exchange_id)
        if row.withdrawn_at is not None:
            yield f"the withdrawal of fact {row.id}"


def _evidence(kind: str, name: str, digest: str) -> str:
    return f"evidence {name} ({kind}, {digest[:12]}…)"


def _fact(kind: str, at: datetime, exchange_id: str) -> str:
    return f"fact {kind} of {at.astimezone(UTC).isoformat()} of exchange {exchange_id}"


def _verify_belonging(tx: Connection) -> Iterator[str]:
    """Yield cases that have lost their state, and histories that have lost their case."""
    stateless = select(cases.c.id).outerjoin(case_states, case_states.c.case_id == cases.c.id)
    for case_id in tx.scalars(stateless.where(case_states.c.case_id.is_(None))):
        yield f"case {case_id}: its state is missing"
    homeless = select(history.c.case_id).distinct().outerjoin(cases, cases.c.id == history.c.case_id)
    for case_id in tx.scalars(homeless.where(cases.c.id.is_(None))):
        yield f"case {case_id}: only its history is left"


def _verify_subject(case_id: str, row: RowMapping) -> Iterator[str]:
    content = ("at", "actor", "command", "steps", "salt")
    if any(row[name] is None for name in content):
        yield f"case {case_id}: history {row['sequence']} is missing"
        return
    entry = Entry(row["at"], row["actor"], row["kind"], row["command"], row["steps"])
    if commit_to(row["salt"], subject_of(case_id, row["sequence"], entry)) != row["commitment"]:
        yield f"case {case_id}: history {row['sequence']} was changed"


def _verify_document(app: "Installation", digest: str) -> Iterator[str]:
    try:
        with app.documents.original(digest) as content:
            found = hashlib.sha256()
            while chunk := content.read(_CHUNK):
                found.update(chunk)
    except DocumentMissingError as error:
        yield str(error)
        return
    if found.hexdigest() != digest:
        yield f"document {digest[:12]}… was changed"
