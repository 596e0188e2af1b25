"""Writing a case's story: history rows and the chain that makes tampering visible, always together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from engine.exchange.chain import commit_to, next_link
from engine.identifiers import IdSource
from engine.store.prepared import Prepared, insert_into
from engine.store.tables import case_states, chain, history

SALT_BYTES = 16

_MINE = (case_states.c.case_id == bindparam("case"), case_states.c.sequence == bindparam("before"))
_LINKED: dict[str, Any] = {"sequence": bindparam("after"), "chain_head": bindparam("hash")}
_BEGIN = insert_into(case_states)
_NOTE = Prepared(update(case_states).where(*_MINE).values(**_LINKED))
_MOVE = Prepared(
    update(case_states)
    .where(*_MINE)
    .values(**_LINKED, document=bindparam("document"), result=bindparam("result"))
)
_INSERT_HISTORY = insert_into(history)
_INSERT_LINK = insert_into(chain)
_READ_HEAD = Prepared(
    select(case_states.c.authority_id, case_states.c.sequence, case_states.c.chain_head)
    .where(case_states.c.case_id == bindparam("case"))
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to a case."""

    at: datetime
    actor: str
    kind: str
    """``advance``, ``evidence``, ``fact``, ``correction`` …"""
    command: Mapping[str, Any]
    steps: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """Where a case's story stands."""

    case_id: str
    authority_id: str
    sequence: int
    chain_head: str


def subject_of(case_id: str, sequence: int, entry: Entry) -> dict[str, Any]:
    """Return what the chain entry commits to."""
    return {
        "case": case_id,
        "sequence": sequence,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "kind": entry.kind,
        "command": entry.command,
        "steps": list(entry.steps),
    }


def append(
    tx: Connection,
    ids: IdSource,
    head: Head,
    entry: Entry,
    document: str | None = None,
    result: Mapping[str, Any] | None = None,
) -> Head:
    """Add ``entry`` to the case's story and, with ``document``, replace the case document and its result.

    The first entry brings the document of a new case.
    Raises CaseChangedError where the story has moved on since ``head`` was read.
    """
    sequence = head.sequence + 1
    salt = ids.token(SALT_BYTES).hex()
    commitment = commit_to(salt, subject_of(head.case_id, sequence, entry))
    link = next_link(head.chain_head, sequence, entry.kind, commitment)
    where = {"case": head.case_id, "before": head.sequence, "after": sequence, "hash": link.hash}
    row = {"case_id": head.case_id, "authority_id": head.authority_id, "sequence": sequence}
    row |= {"kind": entry.kind}
    told = {"at": entry.at, "actor": entry.actor, "command": entry.command, "steps": entry.steps}
    linked = {"commitment": commitment, "previous": link.previous, "hash": link.hash}
    # Whoever read the same head has written this sequence before us: the history's key refuses ours then.
    _INSERT_HISTORY.run(tx, **row, **told, salt=salt)
    _INSERT_LINK.run(tx, **row, **linked)
    if head.sequence == 0:
        mine = {"case_id": head.case_id, "authority_id": head.authority_id, "sequence": sequence}
        _BEGIN.run(tx, **mine, document=document, chain_head=link.hash, result=result)
    elif document is None:
        _NOTE.run(tx, **where)
    else:
        _MOVE.run(tx, **where, document=document, result=result)
    return Head(head.case_id, head.authority_id, sequence, link.hash)


def read_head(tx: Connection, case_id: str) -> Head:
    """Read, and on PostgreSQL lock, where a case's story stands."""
    row = _READ_HEAD.first(tx, case=case_id)
    if row is None:
        raise RuntimeError(f"case {case_id} has no story")
    return Head(case_id, row.authority_id, row.sequence, row.chain_head)


def note(tx: Connection, ids: IdSource, case_id: str, entry: Entry) -> None:
    """Add an entry that does not move the case: evidence, a fact, a remark."""
    append(tx, ids, read_head(tx, case_id), entry)
