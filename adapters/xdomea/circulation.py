"""Routes through several authorities: the standard's own routing slip (Geschaeftsgang)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from adapters.xdomea.contacts import Contact
from adapters.xdomea.errors import MappingError
from adapters.xdomea.model import Circulation, Handling, Order, Step
from adapters.xdomea.nodes import Code


class Status(StrEnum):
    """Status of a step, by the list ``beteiligungsstatus``."""

    FUTURE = "001"
    CURRENT = "002"
    DONE = "003"
    SKIPPED = "004"


def build(route: Mapping[str, Any], route_id: str, author: Contact, at: datetime) -> Circulation:
    """Build a route from data (``id`` and ``steps``); ``at`` is local time.

    A route keeps its id on the whole way; ``route_id`` is for one that begins. Raises MappingError where the
    data are no route or a step names nobody.
    """
    steps = route.get("steps")
    if not isinstance(steps, list) or not steps:
        raise MappingError("the route has no steps", where="route")
    built = [_step(number, item, author, at) for number, item in enumerate(steps, 1)]
    if not any("status" in item for item in steps):
        built[0].status = Code(Status.CURRENT)
    return Circulation(id=str(route.get("id") or route_id), steps=built)


def as_data(circulation: Circulation) -> dict[str, Any]:
    """Return a route as data, in the form that ``build`` takes."""
    return {"id": circulation.id, "steps": [_step_data(step) for step in circulation.steps]}


def advance_data(route: Mapping[str, Any], done: Mapping[str, Any]) -> dict[str, Any]:
    """Close the current step of a route in data form with ``done`` (``by``, ``on``, ``at``, ``remark``).

    The next future step becomes current; ``next_of`` then tells who is to get the route.
    """
    turn = next((item for item in route["steps"] if item.get("status") == Status.CURRENT), None)
    if turn is None:
        raise MappingError("the route has no current step", where=f"route {route.get('id')}")
    passed = False
    steps = []
    for item in route["steps"]:
        if item is turn:
            steps.append({**item, "status": Status.DONE.value, "done": dict(done)})
        elif not passed and item.get("status") == Status.FUTURE:
            steps.append({**item, "status": Status.CURRENT.value})
            passed = True
        else:
            steps.append(dict(item))
    return {**route, "steps": steps}


def next_of(route: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the current step of a route in data form; None: it goes back to its initiator."""
    return next((item for item in route["steps"] if item.get("status") == Status.CURRENT), None)


def skip_data(route: Mapping[str, Any], number: str) -> dict[str, Any]:
    """Skip the future step ``number`` of a route in data form; a 0203 tells the others."""
    if not any(
        item.get("number") == number and item.get("status") == Status.FUTURE for item in route["steps"]
    ):
        raise MappingError(f"the route has no future step {number!r}", where=f"route {route.get('id')}")
    steps = [
        {**item, "status": Status.SKIPPED.value} if item.get("number") == number else dict(item)
        for item in route["steps"]
    ]
    return {**route, "steps": steps}


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
    if not isinstance(done, Mapping) or not done.get("on"):
        raise MappingError(
            f"the step of {item['name']} is done, but not when", where="route", hint="give 'on'"
        )
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
