"""Routes through several authorities: the standard's own routing slip (Geschaeftsgang)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from adapters.xdomea.contacts import Contact
from adapters.xdomea.errors import MappingError
from adapters.xdomea.message import ChangedStep
from adapters.xdomea.model import Circulation, Handling, Order, Step
from adapters.xdomea.nodes import Code


class Status(StrEnum):
    """Status of a step, by the list ``beteiligungsstatus``."""

    FUTURE = "001"
    CURRENT = "002"
    DONE = "003"
    SKIPPED = "004"


def build(route_id: str, steps: Sequence[Mapping[str, Any]], author: Contact, at: datetime) -> Circulation:
    """Build a route from data; ``at`` is local time. Raises MappingError for a step without a name."""
    built = [_step(number, item, author, at) for number, item in enumerate(steps, 1)]
    if steps and not any("status" in item for item in steps):
        built[0].status = Code(Status.CURRENT)
    return Circulation(id=route_id, steps=built)


def as_data(circulation: Circulation) -> list[dict[str, Any]]:
    """Return the steps as data, in the form that ``build`` takes."""
    return [_step_data(step) for step in circulation.steps]


def current(circulation: Circulation) -> Step | None:
    """Return the step whose turn it is."""
    return next((step for step in circulation.steps if _status(step) is Status.CURRENT), None)


def advance(circulation: Circulation, handling: Handling) -> Circulation:
    """Close the current step with ``handling`` and pass the route to the next future step.

    Returns a new route; where no step is left, none is current and the route goes back to its initiator.
    Raises MappingError where no step is current.
    """
    turn = current(circulation)
    if turn is None:
        raise MappingError("the route has no current step", where=f"route {circulation.id}")
    steps = []
    passed = False
    after_turn = False
    for step in circulation.steps:
        if step is turn:
            steps.append(replace(step, status=Code(Status.DONE), handling=handling))
            after_turn = True
        elif after_turn and not passed and _status(step) is Status.FUTURE:
            steps.append(replace(step, status=Code(Status.CURRENT)))
            passed = True
        else:
            steps.append(step)
    return replace(circulation, steps=steps)


def skip(circulation: Circulation, number: str) -> tuple[Circulation, ChangedStep]:
    """Skip the future step ``number``; return the new route and the change that a 0203 reports."""
    if not any(step.number == number and _status(step) is Status.FUTURE for step in circulation.steps):
        raise MappingError(f"the route has no future step {number!r}", where=f"route {circulation.id}")
    steps = [
        replace(step, status=Code(Status.SKIPPED)) if step.number == number else step
        for step in circulation.steps
    ]
    return replace(circulation, steps=steps), ChangedStep(number=number, skipped=True)


def _status(step: Step) -> Status | None:
    known = {status.value: status for status in Status}
    return known.get(step.status.code) if step.status else None


def _step(number: int, item: Mapping[str, Any], author: Contact, at: datetime) -> Step:
    if not item.get("name"):
        raise MappingError(f"step {number} names no authority", where="route", hint="give it a 'name'")
    return Step(
        number=str(item.get("number", number)),
        status=Code(str(item.get("status", Status.FUTURE))),
        order=Order(
            author=author,
            addressee=_contact(item),
            date=at.date().isoformat(),
            time=at.time().replace(microsecond=0).isoformat(),
            order=item.get("order"),
            due_date=item.get("due"),
            note=item.get("note"),
        ),
        handling=_handling(item),
    )


def _contact(item: Mapping[str, Any]) -> Contact:
    return Contact(
        authority_key=Code(str(item["key"])) if item.get("key") else None,
        institution=item["name"],
        unit=item.get("unit"),
    )


def _handling(item: Mapping[str, Any]) -> Handling | None:
    done = item.get("done")
    if not done:
        return None
    editor = Contact(institution=item["name"], unit=item.get("unit"), family_name=done.get("by"))
    # 2.x wants a time of day; where the clerk gave only a day, it is midnight.
    return Handling(
        editor=editor, date=done["on"], time=done.get("at", "00:00:00"), remark=done.get("remark")
    )


def _step_data(step: Step) -> dict[str, Any]:
    order = step.order or Order()
    addressee = order.addressee or Contact()
    item: dict[str, Any] = {
        "number": step.number,
        "status": step.status.code if step.status else None,
        "key": addressee.authority_key.code if addressee.authority_key else None,
        "name": addressee.institution or addressee.label,
        "unit": addressee.unit,
        "order": order.order,
        "due": order.due_date,
        "note": order.note,
    }
    if step.handling is not None:
        done = {
            "by": step.handling.editor.person or step.handling.editor.label if step.handling.editor else None,
            "on": step.handling.date,
            "at": step.handling.time,
            "remark": step.handling.remark,
        }
        item["done"] = {key: value for key, value in done.items() if value is not None}
    return {key: value for key, value in item.items() if value is not None}
