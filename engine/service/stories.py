"""Writing a case's story: history, chained so that tampering shows, and the state it leads to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from engine.exchange.chain import commit_to, next_link
from engine.identifiers import IdSource
from engine.store.prepared import Prepared
from engine.store.tables import case_states, history

SALT_BYTES = 16

_MINE = (case_states.c.case_id == bindparam("case"), case_states.c.sequence == bindparam("before"))
_LINKED: dict[str, Any] = {"sequence": bindparam("after"), "chain_head": bindparam("hash")}
_ROWS: dict[str, Any] = {
    table.name: insert(table).values({c.name: bindparam(c.name, type_=c.type) for c in table.c})
    for table in (history, case_states)
}
_CHANGES: dict[str, Any] = {
    "begin": _ROWS["case_states"],
    "note": update(case_states).where(*_MINE).values(**_LINKED),
    "move": update(case_states)
    .where(*_MINE)
    .values(**_LINKED, document=bindparam("document"), result=bindparam("result")),
}
_ONE_BY_ONE = {name: (Prepared(_ROWS["history"]), Prepared(change)) for name, change in _CHANGES.items()}
_AT_ONCE = {
    name: (Prepared(change.add_cte(_ROWS["history"].cte("told"))),) for name, change in _CHANGES.items()
}
"""The same for PostgreSQL, where every statement is an exchange: both changes in one."""
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
    values = {
        "case_id": head.case_id,
        "authority_id": head.authority_id,
        "sequence": sequence,
        "kind": entry.kind,
        "at": entry.at,
        "actor": entry.actor,
        "command": entry.command,
        "steps": entry.steps,
        "salt": salt,
        "commitment": commitment,
        "previous": link.previous,
        "hash": link.hash,
        "chain_head": link.hash,
        "case": head.case_id,
        "before": head.sequence,
        "after": sequence,
        "document": document,
        "result": result,
    }
    change = "begin" if head.sequence == 0 else "note" if document is None else "move"
    # Whoever read the same head has written this sequence before us: the history's key refuses ours then.
    for statement in (_ONE_BY_ONE if tx.dialect.name == "sqlite" else _AT_ONCE)[change]:
        statement.run(tx, **values)
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
