"""The inbox: open tasks, a page at a time.

Apart from ``tasks``, because listing needs neither forms nor the runtime: the command line starts sooner.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from engine.actor import Actor
from engine.store.scope import visible_to
from engine.store.tables import TASK_IS_OPEN, cases, tasks

if TYPE_CHECKING:
    from engine.service.installation import Installation

PAGE = 50


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task in a listing."""

    id: str
    case_id: str
    own_reference: str
    partner_reference: str | None
    procedure_key: str
    name: str
    kind: str
    element_id: str
    instance: str
    form: str | None
    status: str
    opened_at: datetime
    due_at: datetime | None
    claimed_by: str | None


_CASE_COLUMNS = ("own_reference", "partner_reference", "procedure_key")
LINE = [(cases if name in _CASE_COLUMNS else tasks).c[name] for name in TaskLine.__dataclass_fields__]
"""The columns of a TaskLine, in its order."""


def list_tasks(
    app: "Installation",
    actor: Actor,
    *,
    mine: bool = False,
    case: str | None = None,
    text: str | None = None,
    due_before: datetime | None = None,
    limit: int = PAGE,
    offset: int = 0,
) -> list[TaskLine]:
    """Return open tasks: those with the earliest due date first, then the oldest.

    A day ends at 24:00: what is due on it is listed with the beginning of the next day as ``due_before``.
    """
    query = (
        select(*LINE).join(cases, cases.c.id == tasks.c.case_id).where(visible_to(actor, tasks), TASK_IS_OPEN)
    )
    if mine:
        query = query.where(tasks.c.claimed_by == actor.person_id)
    if case:
        query = query.where((cases.c.id == case) | (cases.c.own_reference == case))
    if text:
        query = query.where(tasks.c.name.ilike(f"%{text}%"))
    if due_before:
        query = query.where(tasks.c.due_at <= due_before)
    query = query.order_by(tasks.c.due_at.is_(None), tasks.c.due_at, tasks.c.opened_at, tasks.c.id).limit(
        limit
    )
    with app.read() as tx:
        return [TaskLine(*row) for row in tx.execute(query.offset(offset))]
