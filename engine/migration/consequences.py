"""How notification and arrival differ between two channels, for the deadlines that hang on a send. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from engine.deadlines.bases import STARTED_BY
from engine.deadlines.errors import NoFictionError
from engine.deadlines.facts import FACTS_OF_START, is_displaceable
from engine.deadlines.rules import START_TEXTS, Basis, Channel, How, Rule
from engine.definitions.model import Node
from engine.errors import RefusedError

_CALL = re.compile(
    r"\bdeadline(?:_date)?\s*\(\s*[\"'](?P<rule>[\w.-]+)[\"']\s*,\s*(?P<period>[^,()]+?)\s*,"
    r"\s*[\"'](?P<basis>arrival|receipt|notification-fiction)(?::(?P<element>[^\"']*))?[\"']\s*\)"
)
SENT = ("sent", "created", "posted", "forwarded")
BY_HAND = "only what a person records (return slip, stamp, note)"


@dataclass(frozen=True, slots=True)
class Hanging:
    """A deadline of a model that hangs on a send."""

    rule: str
    basis: str
    send_element: str
    where: str
    """The element that waits for it or is due by it."""


@dataclass(frozen=True, slots=True)
class Way:
    """A channel as deadlines see it."""

    channel: str
    law: Channel
    facts: Mapping[str, str]
    """Facts that come by themselves, each with what proves it."""


def hanging(nodes: Mapping[str, Node]) -> Iterator[Hanging]:
    """Yield the deadlines that hang on sends, from the timers and due dates of one model version.

    As for a running case: the send that is named, the one whose answer the timer's host waits for, or the
    only one there is. Where it is not certain nothing is said.
    """
    sends = [node.id for node in nodes.values() if "recipient" in node.attributes]
    for node in nodes.values():
        texts = [event.expression.text for event in node.events if event.expression is not None]
        texts += [text for text in (node.attributes.get("due"), node.assignment.get("dueDate")) if text]
        for found in (found for text in texts for found in _CALL.finditer(text)):
            host = nodes.get(node.attached_to or "")
            answers = host.attributes.get("answers") if host is not None else None
            only = sends[0] if len(sends) == 1 else None
            element = found["element"] or answers or only
            if element in sends:
                yield Hanging(found["rule"], found["basis"], element, node.name or node.id)


def course(rule: Rule, basis: str, way: Way, day: date) -> str:
    """Say when a rule starts on a channel, what proves that, and what the law presumes on ``day``."""
    try:
        start = rule.start_of(rule.version(day), way.law)
        kinds = STARTED_BY.get(Basis(basis), ()) if start == "given" else FACTS_OF_START[start]
        said = START_TEXTS["received" if start == "given" else start].en
        presumed = _presumed(rule, way, day)
    except RefusedError as error:
        return f"does not run: {error.message}"
    proofs = [way.facts[kind] for kind in kinds if kind in way.facts]
    proof = proofs[0] if proofs else "a clerk confirms the posting" if start == "posted" else BY_HAND
    parts = [f"runs from {said} ({proof})", *presumed]
    if rule.deemed and not proofs:
        parts.append("not armed without that proof: nothing is deemed granted")
    return "; ".join(parts)


def _presumed(rule: Rule, way: Way, day: date) -> list[str]:
    if rule.how is not How.NOTIFICATION:
        return []
    try:
        figure = rule.case(day, way.law, abroad=False)
    except NoFictionError:
        return ["no notification is presumed: a proved receipt counts"]
    if figure is None or figure.period is None:
        return []
    unless = ", unless not or later received" if is_displaceable(rule) else ""
    return [f"notified {figure.period} later by fiction{unless}"]


def proofs(way: Way) -> str:
    """Say what proves sending and arrival on a channel, whatever deadlines hang on it."""
    sent = [way.facts[kind] for kind in SENT if kind in way.facts]
    arrived = [way.facts[kind] for kind in ("received", "imported", "retrieved") if kind in way.facts]
    by_post = way.law is Channel.POST
    sending = sent[0] if sent else "a clerk confirms the posting" if by_post else "the hand-over here"
    return f"sent: {sending}; arrived: {'; '.join(arrived) or BY_HAND}"
