"""Routes through several authorities: who is next, what is done, what is left out.

A route is data that travels with the message: ``{"id", "steps": [{"number", "status", "key", "name", …}]}``.
Only ``name`` is needed in a step; ``key`` is the authority's key. The statuses are those of the code list
``beteiligungsstatus`` that German files use: 001 future, 002 current, 003 done, 004 skipped. Nothing here
changes its arguments.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

from engine.errors import RefusedError
from engine.exchange.parcels import Reading


class RouteRefusedError(RefusedError, ValueError):
    """The route cannot be changed like this.

    A ValueError too: inside a model it is the expression's fault.
    """


class Status(StrEnum):
    """Status of a step."""

    FUTURE = "001"
    CURRENT = "002"
    DONE = "003"
    SKIPPED = "004"


def advance(route: Mapping[str, Any], done: Mapping[str, Any]) -> dict[str, Any]:
    """Close the current step with ``done`` (``by``, ``on``, ``at``, ``remark``); the next becomes current.

    Raises RouteRefusedError where no step is current, or ``done`` does not say ``on`` which day.
    """
    steps = _begun(route)
    turn = next((item for item in steps if item["status"] == Status.CURRENT), None)
    if turn is None:
        raise RouteRefusedError("the route has no current step", where=f"route {route.get('id')}")
    if not isinstance(done, Mapping) or not done.get("on"):
        raise RouteRefusedError("the step is done, but not when", hint="give the day as 'on'")
    turn.update(status=Status.DONE.value, done=dict(done))
    following = next((item for item in steps if item["status"] == Status.FUTURE), None)
    if following is not None:
        following["status"] = Status.CURRENT.value
    return {**route, "steps": steps}


def skip(route: Mapping[str, Any], number: str) -> dict[str, Any]:
    """Leave out the future step ``number``; raise RouteRefusedError where there is none."""
    steps = _begun(route)
    wanted = [item for item in steps if item["number"] == number and item["status"] == Status.FUTURE]
    if not wanted:
        raise RouteRefusedError(
            f"the route has no future step {number!r}",
            where=f"route {route.get('id')}",
            hint=f"future are: {', '.join(_numbers(steps)) or 'none'}",
        )
    wanted[0]["status"] = Status.SKIPPED.value
    return {**route, "steps": steps}


def following(route: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the current step, whose authority gets the route next; None: it goes back to its initiator."""
    return next((item for item in _begun(route) if item["status"] == Status.CURRENT), None)


def identified(route: Mapping[str, Any], exchange_id: str) -> dict[str, Any]:
    """Return the route with its id and its steps' numbers; one that has no id begins with ``exchange_id``."""
    return {**route, "id": route.get("id") or exchange_id, "steps": _begun(route)}


def participants(data: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys of all authorities that a route in ``data`` names."""
    routes = (value for value in data.values() if isinstance(value, Mapping))
    steps = (item for route in routes if isinstance(route.get("steps"), list) for item in route["steps"])
    return frozenset(str(item["key"]) for item in steps if isinstance(item, Mapping) and item.get("key"))


def may_answer(
    exchange_id: str, recipient_id: str, data: Mapping[str, Any], reading: Reading
) -> frozenset[str]:
    """Return who may answer an own exchange with what was read.

    It is the recipient; a route comes back from anybody whom our own message named in it.
    """
    recipient = frozenset({recipient_id})
    routed = any(each.kind == "route" and each.value == exchange_id for each in reading.references)
    return recipient | participants(data) if routed else recipient


def _begun(route: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the steps, numbered; a route in which no step has a status begins with its first."""
    listed = route.get("steps") if isinstance(route, Mapping) else None
    if not isinstance(listed, list) or not listed or not all(isinstance(item, Mapping) for item in listed):
        raise RouteRefusedError("the route has no steps", hint="give it a list 'steps'")
    fresh = not any("status" in item for item in listed)
    steps = [
        {**item, "number": str(item.get("number", place)), "status": item.get("status", Status.FUTURE.value)}
        for place, item in enumerate(listed, 1)
    ]
    if fresh:
        steps[0]["status"] = Status.CURRENT.value
    return steps


def _numbers(steps: Iterable[Mapping[str, Any]]) -> list[str]:
    return [str(item["number"]) for item in steps if item["status"] == Status.FUTURE]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "route_advance": advance,
    "route_skip": skip,
    "route_next": following,
}
"""What expressions of a model may call."""
