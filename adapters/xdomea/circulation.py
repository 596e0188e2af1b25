"""Routes through several authorities: the standard's own routing slip (Geschaeftsgang)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from adapters.xdomea.contacts import Contact
from adapters.xdomea.errors import MappingError
from adapters.xdomea.model import Circulation, Handling, Order, Step
from adapters.xdomea.nodes import Code
from engine.exchange.routes import Status


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
