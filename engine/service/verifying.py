"""Proving that nothing was changed afterwards: chains and their subjects, documents and their names."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, select

from engine.documents import DocumentMissingError
from engine.exchange.chain import GENESIS, commit_to, next_link
from engine.service.migration import ledger
from engine.service.stories import Entry, subject_of
from engine.store.tables import (
    arrival_parts,
    case_documents,
    case_states,
    dispatch_parts,
    evidence,
    exchange_documents,
    history,
)

if TYPE_CHECKING:
    from engine.service.installation import Installation

_CHUNK = 1 << 20
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
        heads = tx.execute(select(case_states.c.case_id, case_states.c.chain_head)).all()
        for case_id, head in heads:
            count, found = _verify_case(tx, case_id, head)
            entries += count
            faults.extend(found)
        digests = sorted({row.sha256 for table in _DOCUMENTS for row in tx.execute(select(table.c.sha256))})
    faults.extend(fault for digest in digests for fault in _verify_document(app, digest))
    return Verification(len(heads), entries, len(digests), exchanges, tuple(faults))


def _verify_case(tx: Connection, case_id: str, head: str) -> tuple[int, list[str]]:
    links = tx.execute(
        select(history).where(history.c.case_id == case_id).order_by(history.c.sequence)
    ).mappings()
    faults: list[str] = []
    previous, count = GENESIS, 0
    for link in links:
        count += 1
        expected = next_link(previous, count, link["kind"], link["commitment"])
        if (link["sequence"], link["previous"], link["hash"]) != (count, previous, expected.hash):
            faults.append(f"case {case_id}: entry {count} does not follow the one before it")
        faults.extend(_verify_subject(case_id, link))
        previous = link["hash"]
    if previous != head:
        faults.append(f"case {case_id}: its chain ends elsewhere than the case says")
    return count, faults


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
        with app.documents.open(digest) as content:
            found = hashlib.sha256()
            while chunk := content.read(_CHUNK):
                found.update(chunk)
    except DocumentMissingError as error:
        yield str(error)
        return
    if found.hexdigest() != digest:
        yield f"document {digest[:12]}… was changed"
