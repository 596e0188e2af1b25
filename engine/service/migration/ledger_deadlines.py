"""Booking deadlines in the transaction of what changed them: how each ended, what the law presumed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select

from engine.deadlines.rules_reading import load_rules
from engine.migration.ledger import deadline_entry
from engine.service.migration.marks import mark, written
from engine.store.prepared import Prepared
from engine.store.tables import arrivals, cases, deadlines, exchanges, ledger_deadlines

if TYPE_CHECKING:
    from engine.service.installation import Installation

_HISTORY = (
    select(
        *(
            deadlines.c[name]
            for name in (
                *("id", "authority_id", "exchange_id", "arrival_id", "rule", "basis"),
                *("state", "due_at", "opened_at", "settled_at", "revisions"),
            )
        ),
        cases.c.procedure_key.label("case_procedure"),
        exchanges.c.procedure_key,
        exchanges.c.element_id,
        exchanges.c.recipient_id,
        exchanges.c.created_at,
        arrivals.c.sender_id,
        arrivals.c.claimed_sender_id,
        arrivals.c.received_at,
    )
    .join(cases, cases.c.id == deadlines.c.case_id, isouter=True)
    .join(exchanges, exchanges.c.id == deadlines.c.exchange_id, isouter=True)
    .join(arrivals, arrivals.c.id == deadlines.c.arrival_id, isouter=True)
)
_READ = Prepared(_HISTORY.where(deadlines.c.id == bindparam("deadline")))
_BOOKED = Prepared(select(ledger_deadlines).where(ledger_deadlines.c.deadline_id == bindparam("deadline")))
_WRITE = written(ledger_deadlines, "deadline_id")


def touch_deadline(app: "Installation", tx: Connection, deadline_id: str) -> None:
    """Bring the ledger's row of a deadline up to date; the caller holds the deadline's case."""
    row = _entry(_READ.first(tx, deadline=deadline_id))
    earlier = _BOOKED.first(tx, deadline=deadline_id)
    if earlier is not None and earlier._asdict() == row:
        return
    _WRITE[tx.dialect.name].run(tx, **row)
    mark(app, tx, row)
    if earlier is not None and earlier.cell != row["cell"]:
        mark(app, tx, earlier._asdict())  # what it hangs on has only now been found


def computed_deadlines(tx: Connection) -> Iterator[dict[str, Any]]:
    """Yield every deadline's ledger row, computed from deadlines and what they hang on alone."""
    for row in tx.execute(_HISTORY.order_by(deadlines.c.id)).all():
        yield _entry(row)


def _entry(row: Any) -> dict[str, Any]:
    rule = load_rules().rules.get(row.rule)  # one that is no longer in the file grants nothing
    return deadline_entry(row, deemed=rule is not None and rule.deemed)
