"""Selection rules of FetchDelivery and FetchProcessCard (order.xsd, FetchProcessCard.xsd)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.cards import format_time, parse_time, read_message_id
from adapters.ego_mail.osci.errors import MalformedMessageError


class Side(StrEnum):
    """Whose process cards are meant: of messages to the client, or from it."""

    ADDRESSEE = "Addressee"
    ORIGINATOR = "Originator"


@dataclass(frozen=True, slots=True)
class ById:
    """Exactly these messages; FetchDelivery takes one, FetchProcessCard any number."""

    message_ids: tuple[str, ...]

    def __init__(self, *message_ids: str) -> None:
        """Name at least one MessageId."""
        object.__setattr__(self, "message_ids", message_ids)


@dataclass(frozen=True, slots=True)
class ByReception:
    """What the intermediary took in at or after ``since``."""

    since: datetime
    side: Side | None = None
    """Process cards only."""
    not_received: bool = False
    """Process cards only: those without a reception timestamp."""


@dataclass(frozen=True, slots=True)
class ByModification:
    """Process cards changed at or after ``since``."""

    since: datetime
    side: Side | None = None
    not_received: bool = False


Rule = ById | ByReception | ByModification


def write_rule(parent: xml.Element, rule: Rule | None) -> None:
    """Append a SelectionRule; None means no rule."""
    if rule is None:
        return
    holder = xml.child(parent, xml.OSCI, "SelectionRule")
    if isinstance(rule, ById):
        for message_id in rule.message_ids:
            xml.child(holder, xml.OSCI, "MessageId", message_id)
        return
    name = "ReceptionOfDelivery" if isinstance(rule, ByReception) else "RecentModification"
    node = xml.child(holder, xml.OSCI, name, format_time(rule.since))
    if rule.not_received:
        node.set("NoReception", "true")
    if rule.side is not None:
        node.set("Role", rule.side.value)


def read_rule(parent: xml.Element) -> Rule | None:
    """Read the SelectionRule below ``parent``; raise MalformedMessageError."""
    holder = xml.maybe(parent, xml.OSCI, "SelectionRule")
    if holder is None:
        return None
    nodes = list(xml.children(holder))
    names = {xml.local(node) for node in nodes}
    if names == {"MessageId"}:
        return ById(*(read_message_id(node) for node in nodes))
    if len(nodes) != 1:
        raise MalformedMessageError("a selection rule names ids, or one date")
    node = nodes[0]
    since = parse_time(xml.text_of(node))
    role = node.get("Role")
    if role not in {None, *Side}:
        raise MalformedMessageError(f"unknown role {role!r} in a selection rule")
    side = None if role is None else Side(role)
    not_received = node.get("NoReception") in {"true", "1"}
    if names == {"ReceptionOfDelivery"}:
        return ByReception(since, side, not_received)
    if names == {"RecentModification"}:
        return ByModification(since, side, not_received)
    raise MalformedMessageError(f"unknown selection rule {xml.local(node)}")


def write_limit(parent: xml.Element, limit: int | None) -> None:
    """Append the greatest number of process cards wanted."""
    if limit is not None:
        xml.child(parent, xml.OSCI, "Quantity", None, Limit=str(limit))


def read_limit(parent: xml.Element) -> int | None:
    """Read the limit below ``parent``; raise MalformedMessageError."""
    node = xml.maybe(parent, xml.OSCI, "Quantity")
    if node is None:
        return None
    value = xml.attribute(node, "Limit")
    if not value.isascii() or not value.isdigit() or not int(value[:9]) >= 1:
        raise MalformedMessageError("the limit of process cards is no positive number")
    return int(value[:9])
