"""Messages: which ones a wait accepts, what is thrown, and how a send gets its key."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from engine.runtime.api import ItemKind, Json, Send, ThrownMessage
from engine.runtime.tokens import Token, Wait

if TYPE_CHECKING:
    from engine.runtime.case import Case
    from engine.runtime.elements.throwing import Sending

Scope = Any


# --- correlation -----------------------------------------------------------------------------------------


def bind(case: "Case", wait: Wait) -> None:
    """Set the correlation values and the send that a message wait is bound to."""
    wait.correlation = known_values(case, wait.scope, wait.event)
    answered = wait.element.attributes.get("answers")
    if answered:
        instance = wait.scope.instance if wait.token is None else wait.token.instance
        wait.answers = latest_send(wait.scope, answered, instance)


def known_values(case: "Case", scope: Scope, message: str | None) -> dict[str, Json]:
    """Return the values that the conversation of ``scope`` has fixed for the properties of ``message``."""
    found: dict[str, Json] = {}
    for key, properties in case.program.correlation.items():
        fixed = _fixed(scope, key)
        found.update({name: fixed[name] for name in fixed if message in properties[name]})
    return found


def learn(case: "Case", scope: Scope, message: str | None, payload: Mapping[str, Json]) -> dict[str, Json]:
    """Evaluate the correlation properties of ``message``; the first ones fix the conversation's values.

    BPMN 2.0.2, 8.4.2: a process instance fixes a key once. A called process is an instance of its own, and
    so, here, is each instance of an activity that repeats: a thousand letters are a thousand conversations.
    What is around them knows the first of these conversations as long as it has none itself.
    """
    values: dict[str, Json] = {}
    if message is None:
        return values
    for key, properties in case.program.correlation.items():
        found = {
            name: by_message[message].value(payload, case.services.functions)
            for name, by_message in properties.items()
            if message in by_message
        }
        values.update(found)
        if found and len(found) == len(properties):
            _fix(case, scope, key, found)
    return values


def _fix(case: "Case", scope: Scope, key: str, found: dict[str, Json]) -> None:
    home, around = _homes(scope)
    if key in _own(home) or any(_own(outer).get(key) == found for outer in around):
        return
    _own(home)[key] = found
    _bind_open(case, home)
    if not any(key in _own(outer) for outer in around):
        for outer in around:
            outer.memory.setdefault("heard", {}).setdefault(key, found)


def _bind_open(case: "Case", home: Scope) -> None:
    """Bind what listens already, too: an event that was armed before its conversation began.

    Unbound it would take the messages of other conversations (8.4.2).
    """
    for wait in _message_waits(home):
        known = known_values(case, wait.scope, wait.event)
        if known != wait.correlation:
            wait.correlation = known
            case.out.change(wait)


def _message_waits(scope: Scope) -> Iterator[Wait]:
    """Yield what waits for a message in ``scope`` and further inside."""
    pending = [scope]
    while pending:
        one = pending.pop()
        for waits in (one.waits, *(token.waits for token in one.tasks.values())):
            yield from (wait for wait in waits if wait.kind is ItemKind.MESSAGE)
        pending.extend(token.child for token in one.tasks.values() if token.child is not None)


def _fixed(scope: Scope, key: str) -> dict[str, Json]:
    home, around = _homes(scope)
    for one in (home, *around):
        if key in _own(one):
            return dict(_own(one)[key])
    return dict(home.memory.get("heard", {}).get(key, {}))


def _homes(scope: Scope) -> tuple[Scope, list[Scope]]:
    """Return the scope whose conversations count for ``scope``, and those around it, the nearest first."""
    found = []
    inner: Scope | None = scope
    while inner is not None:
        if inner.spec.outer is None or inner.owner.index is not None:
            found.append(inner)
        inner = inner.outer
    return found[0], found[1:]


def _own(home: Scope) -> dict[str, dict[str, Json]]:
    """Return the conversations that ``home`` has fixed itself."""
    if home.owner is None:
        fixed: dict[str, dict[str, Json]] = home.correlation
        return fixed
    kept: dict[str, dict[str, Json]] = home.memory.setdefault("conversations", {})
    return kept


# --- sending ---------------------------------------------------------------------------------------------


def send(case: "Case", token: Token, sending: "Sending", payload: dict[str, Json], *, mapped: bool) -> None:
    """Emit the business message or the message within the authority that ``sending`` describes."""
    element, view = token.element, case.view(token)
    place = f"{element.name}#{token.instance}"
    functions = case.services.functions
    if sending.recipient is None:
        values = learn(case, token.scope, sending.name, {**view, **payload})
        if place in token.sent:
            token.sent = token.sent - {place}
        else:
            key = _next_key(case, element.name, place)
            case.out.messages.append(ThrownMessage(key, sending.name or "", payload, values))
        return
    values = {name: formula.value(view, functions) for name, formula in sending.values.items()}
    reminds = element.attributes.get("reminds")
    if place in token.sent:
        # An admin moved the token back: what was sent stays sent, and nothing is sent twice.
        token.sent = token.sent - {place}
        return
    key = _next_key(case, element.name, place)
    reminded = latest_send(token.scope, reminds, token.instance) if reminds else None
    if element.name in case.program.answered:
        remember(token.scope, element.name, token.instance, key)
        _answer_open(case, token, key)
    case.out.sends.append(
        Send(
            key=key,
            element_id=element.name,
            instance=token.instance,
            message=element.attributes.get("message") or sending.name or "",
            attributes=element.attributes,
            values=values,
            data=payload if mapped else dict(view),
            reminds=reminded,
        )
    )


def _next_key(case: "Case", element: str, place: str) -> str:
    case.rounds[element] = case.rounds.get(element, 0) + 1
    return f"{place}#{case.rounds[element]}"


def remember(scope: Scope, element: str, instance: str, key: str) -> None:
    """Keep the key of a send for the waits and reminders that refer to it, here and further out.

    Further out only the latest one counts, so a thousand instances leave one entry there.
    """
    while scope is not None:
        scope.sent.setdefault(element, {})[instance] = key
        scope = scope.outer
        if scope is not None:
            instance = scope.instance


def _answer_open(case: "Case", token: Token, key: str) -> None:
    """Tell what listened for the answer before anything was sent which send it now waits for."""
    for wait in list(case.unanswered.values()):
        if wait.element.attributes.get("answers") != token.element.name:
            continue
        instance = wait.scope.instance if wait.token is None else wait.token.instance
        if _in_line(wait.scope, token.scope) and _related(instance, token.instance):
            del case.unanswered[wait.number]
            wait.answers = key
            case.out.change(wait)


def _in_line(left: Scope, right: Scope) -> bool:
    """Tell whether one scope lies inside the other; instances of one activity do not."""
    return _lies_in(left, right) or _lies_in(right, left)


def _lies_in(scope: Scope, outer: Scope) -> bool:
    inner: Scope | None = scope
    while inner is not None and inner is not outer:
        inner = inner.outer
    return inner is outer


def latest_send(scope: Scope, element: str, instance: str) -> str | None:
    """Return the key of the latest send of ``element`` in the same instance, else in the nearest one."""
    while scope is not None:
        sent = scope.sent.get(element)
        if sent:
            if instance in sent:
                return str(sent[instance])
            related = [key for path, key in sent.items() if _related(path, instance)]
            if related:
                return str(related[-1])
        scope = scope.outer
    return None


def _related(left: str, right: str) -> bool:
    """Tell whether one index path lies inside the other."""
    if not left or not right:
        return True
    return f"{left}/".startswith(f"{right}/") or f"{right}/".startswith(f"{left}/")
