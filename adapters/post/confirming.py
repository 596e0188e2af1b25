"""Confirming that a print run was posted: one dated fact a letter, through the tasks that wait for it."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from adapters.post.runs import Plan, Planned, product_name
from engine.service.exchanges.posting import open_postings
from engine.service.tasks import TaskClaimedError, TaskDoneError, complete_task

if TYPE_CHECKING:
    from engine.actor import Actor
    from engine.service.installation import Installation


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
    waiting = open_postings(app, actor)
    done, before, claimed = [], [], []
    for it in plan.letters:
        task = waiting.get(it.letter.dispatch)
        if task is None:
            before.append(it.letter.dispatch)
            continue
        try:
            complete_task(app, actor, task, _told(plan, it, posted_on))
        except TaskDoneError:
            before.append(it.letter.dispatch)
        except TaskClaimedError:
            claimed.append(it.letter.dispatch)
        else:
            done.append(it.letter.dispatch)
    return Confirmed(tuple(done), tuple(before), tuple(claimed))


def _told(plan: Plan, it: Planned, posted_on: date | None) -> dict[str, Any]:
    """Return what the posting of a letter tells: its day, and what it cost where that is known."""
    told: dict[str, Any] = {"pages": it.letter.pages, "run": plan.run}
    if it.cents is not None:
        told |= {"postage_cents": it.cents, "product": product_name(it.product, it.letter)}
    if posted_on is not None:
        told["posted_on"] = posted_on.isoformat()
    return told
