"""Confirming that a print run was posted: one dated fact a letter, through the tasks that wait for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from adapters.post.carrier import CONFIRM_POSTING
from adapters.post.runs import Plan
from engine.service.tasks import TaskClaimedError, TaskDoneError, complete_task, list_tasks, show_task

if TYPE_CHECKING:
    from engine.actor import Actor
    from engine.service.installation import Installation

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What came of confirming a run."""

    confirmed: tuple[str, ...]
    """Dispatches confirmed by this call."""
    before: tuple[str, ...]
    """Dispatches that no open task waits for: confirmed before, or not visible to this person."""
    claimed: tuple[str, ...]
    """Dispatches whose task a colleague has claimed; nothing was changed there."""


def confirm_run(app: "Installation", actor: "Actor", plan: Plan, posted_on: date | None) -> Confirmed:
    """Record that all letters of a run were posted on a day; repeating it changes nothing.

    Raises the service's PostingRefusedError for a day that cannot be.
    """
    waiting = waiting_dispatches(app, actor)
    done, before, claimed = [], [], []
    for it in plan.letters:
        task = waiting.get(it.letter.dispatch)
        if task is None:
            before.append(it.letter.dispatch)
            continue
        data = {} if posted_on is None else {"posted_on": posted_on.isoformat()}
        try:
            complete_task(app, actor, task, data)
        except TaskDoneError:
            before.append(it.letter.dispatch)
        except TaskClaimedError:
            claimed.append(it.letter.dispatch)
        else:
            done.append(it.letter.dispatch)
    return Confirmed(tuple(done), tuple(before), tuple(claimed))


def waiting_dispatches(app: "Installation", actor: "Actor") -> dict[str, str]:
    """Return dispatch → task of every letter that was handed over and waits for its posting."""
    return dict(_waiting(app, actor))


def _waiting(app: "Installation", actor: "Actor") -> Iterator[tuple[str, str]]:
    """Yield dispatch and task of every letter that waits for its posting."""
    offset = 0
    while lines := list_tasks(app, actor, limit=_PAGE, offset=offset):
        for line in lines:
            if line.kind == CONFIRM_POSTING:
                yield str(show_task(app, actor, line.id).data["dispatch"]), line.id
        offset += _PAGE
