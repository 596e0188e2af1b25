"""Tasks: listing, claiming, completing. The first to complete wins; the second reads who and when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select, update

from engine.actor import Actor, Role
from engine.clock import LOCAL_ZONE
from engine.definitions.forms import Form, typed_submission, validate_submission
from engine.errors import ConflictError, NotFoundError, RefusedError
from engine.runtime import api
from engine.runtime.peek import read_item
from engine.service import advance
from engine.service.access import require
from engine.service.advance import Locked, lock_case, move_locked, read_case
from engine.service.exchanges import posting
from engine.service.inbox import LINE, TaskLine, list_tasks
from engine.service.numbers import known_as
from engine.store.prepared import Prepared
from engine.store.scope import sees, visible_to
from engine.store.tables import cases, people, tasks

if TYPE_CHECKING:
    from engine.service.installation import Installation

__all__ = [
    "TaskClaimedError",
    "TaskDataRefusedError",
    "TaskDoneError",
    "TaskLine",
    "TaskUnknownError",
    "TaskView",
    "claim_task",
    "complete_task",
    "list_tasks",
    "show_task",
    "typed_data",
]


class TaskUnknownError(NotFoundError):
    """There is no such task."""


class TaskDoneError(ConflictError):
    """Somebody else has finished this task already."""


class TaskClaimedError(ConflictError):
    """Somebody else is at work on this task."""


class TaskDataRefusedError(RefusedError):
    """This task takes no such data."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task with its form and the data its case shows there."""

    task: TaskLine
    form: Form | None
    data: Mapping[str, Any]


_SHOW_LINE = Prepared(
    select(*LINE).join(cases, cases.c.id == tasks.c.case_id).where(tasks.c.id == bindparam("task"))
)
_FIND = Prepared(select(tasks).where(tasks.c.id == bindparam("task")))
_HOLD = Prepared(select(tasks).where(tasks.c.id == bindparam("task")).with_for_update())


def show_task(app: "Installation", actor: Actor, key: str) -> TaskView:
    """Return a task with form and data; raise TaskUnknownError."""
    with app.read() as tx:
        row = _find(tx, actor, key)
        line = _line(tx, row["id"])
        if row["kind"] != "form":
            return TaskView(line, None, posting.about(tx, row))
        locked = read_case(tx, row["case_id"])
        return TaskView(line, _form(app, tx, locked, row), _data(app, tx, locked, row))


def claim_task(app: "Installation", actor: Actor, key: str, *, release: bool = False) -> TaskLine:
    """Take a task, or give it back; raise TaskClaimedError where a colleague has it."""
    require(actor, Role.CLERK)
    with app.write() as tx:
        row = _reread(tx, _find(tx, actor, key), _HOLD)
        _refuse_done(tx, row)
        if row["claimed_by"] not in (None, actor.person_id):
            raise TaskClaimedError(
                f"{_name(tx, row['claimed_by'])} has been at work on it since {_clock(row['claimed_at'])}",
                hint="ask them to give it back",
            )
        values = (
            {"claimed_by": None, "claimed_at": None}
            if release
            else {"claimed_by": actor.person_id, "claimed_at": app.clock.now()}
        )
        tx.execute(update(tasks).where(tasks.c.id == row["id"]).values(**values))
        return _line(tx, row["id"])


def typed_data(
    app: "Installation", actor: Actor, key: str, texts: Mapping[str, str | list[str]]
) -> dict[str, Any]:
    """Turn what a person typed into a task's fields into data: German dates, numbers, yes and no.

    Raises TaskUnknownError, TaskDataRefusedError for a task without a form, FormRefusedError.
    """
    form = show_task(app, actor, key).form
    if form is None:
        raise TaskDataRefusedError("this task has no form", hint="complete it without data or with --data")
    return typed_submission(form, texts)


def complete_task(
    app: "Installation",
    actor: Actor,
    key: str,
    data: Mapping[str, Any] | None = None,
    files: Sequence[Path] = (),
) -> TaskLine:
    """Complete a task with the form's data; the case moves on in the same transaction.

    ``files`` are what a task of kind *sign* asks for: signatures that were made elsewhere.

    Raises TaskUnknownError, TaskDoneError (who and when), TaskClaimedError, FormRefusedError listing every
    faulty field, and what the case's next steps refuse; nothing is changed then.
    """
    require(actor, Role.CLERK)
    with app.write() as tx:
        row, locked = _lock(tx, actor, key)
        _refuse_done(tx, row)
        if row["claimed_by"] not in (None, actor.person_id):
            raise TaskClaimedError(
                f"{_name(tx, row['claimed_by'])} has been at work on it since {_clock(row['claimed_at'])}"
            )
        if row["kind"] != "form":
            posting.complete(app, tx, row, actor, data or {}, files)
        elif files:
            raise TaskDataRefusedError("this task asks for no files", hint="add them with 'document add'")
        else:
            form = _form(app, tx, locked, row)
            if form is None:
                accepted: Mapping[str, Any] = dict(data or {})
            else:
                accepted = validate_submission(form, data or {}, _data(app, tx, locked, row))
            move_locked(app, tx, locked, api.CompleteTask(row["id"], accepted), actor.person_id)
        line = _SHOW_LINE.send(tx, task=row["id"])
    return TaskLine(*line.all()[0])


def _lock(tx: Connection, actor: Actor, key: str) -> tuple[Mapping[str, Any], Locked]:
    """Return a task and its case, which nobody else moves any more.

    The case is locked before the task is judged: a colleague's completion is waited for, then seen.
    """
    case, task = advance.send_lock(tx, key, actor.authority_id), _FIND.send(tx, task=key).first()
    if task is not None and sees(actor, task):
        return task._asdict(), advance.locked(case, task.case_id)
    row = _find(tx, actor, key)
    locked = lock_case(tx, row["case_id"])
    return _reread(tx, row), locked


def _find(tx: Connection, actor: Actor, key: str) -> Mapping[str, Any]:
    found = _FIND.first(tx, task=key)
    if found is not None and sees(actor, found):
        return dict(found._asdict())
    begun = select(tasks).where(visible_to(actor, tasks), known_as(tasks.c.id, key))
    rows = tx.execute(begun.limit(2)).mappings().all()
    if len(rows) > 1:
        raise TaskUnknownError(
            f"several tasks begin with {key!r}", hint="give the whole number, dot included"
        )
    if not rows:
        raise TaskUnknownError(f"no task {key!r}", hint="'dienstweg task list' shows open tasks")
    return dict(rows[0])


def _reread(tx: Connection, row: Mapping[str, Any], how: Prepared = _FIND) -> Mapping[str, Any]:
    """Return the task as it is now that whoever was faster has committed."""
    found = how.first(tx, task=row["id"])
    return row if found is None else dict(found._asdict())


def _refuse_done(tx: Connection, row: Mapping[str, Any]) -> None:
    if row["status"] == "completed":
        raise TaskDoneError(
            f"{_name(tx, row['closed_by'])} finished this task at {_clock(row['closed_at'])}",
            where=row["name"],
        )
    if row["status"] != "open":
        raise TaskDoneError(
            f"the case went on without this task at {_clock(row['closed_at'])}", where=row["name"]
        )


def _name(tx: Connection, person_id: str | None) -> str:
    if person_id is None:
        return "the system"
    return tx.scalar(select(people.c.name).where(people.c.id == person_id)) or person_id


def _clock(at: datetime | None) -> str:
    return at.astimezone(LOCAL_ZONE).strftime("%H:%M on %d.%m.%Y") if at else "an unknown time"


def _line(tx: Connection, task_id: str) -> TaskLine:
    row = _SHOW_LINE.first(tx, task=task_id)
    if row is None:
        raise TaskUnknownError(f"no task {task_id}")
    return TaskLine(*row)


def _form(app: "Installation", tx: Connection, locked: Locked, row: Mapping[str, Any]) -> Form | None:
    if row["form"] is None:
        return None
    return app.programs.package(tx, locked.case.version_id).forms.get(row["form"])


def _data(app: "Installation", tx: Connection, locked: Locked, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the data that the case shows at this task; only here the case document is read."""
    program = app.programs.program(tx, locked.case.version_id, locked.case.process_id)
    item = read_item(program, locked.document, row["id"])
    return item.data if item is not None else {}
