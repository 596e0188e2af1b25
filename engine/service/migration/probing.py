"""Live looks at the mailboxes of a scope before readiness is told, bounded in time."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.actor import Actor, Role
from engine.clock import local_day
from engine.migration.scope import Scope
from engine.service.access import require
from engine.service.directory.mailboxes import MailboxUnknownError
from engine.service.exchanges.blockers import load_boxes
from engine.service.mailbox_health import MailboxHealth, check_mailboxes
from engine.service.migration.scope import districts, resolve, scope_senders

if TYPE_CHECKING:
    from engine.service.installation import Installation


@dataclass(frozen=True, slots=True)
class Probe:
    """What was looked at, and how many mailboxes there was no time for."""

    looked: list[MailboxHealth]
    left: int


def probe(app: "Installation", actor: Actor, scope: Scope, seconds: float) -> Probe:
    """Look at the open mailboxes of the scope's senders and recipients, own ones first.

    No look begins after so many ``seconds``; one that has begun ends by its carrier's own timeout. What is
    found is kept and shows in readiness. Raises what resolving the scope raises, and RoleMissingError.
    """
    require(actor, Role.ADMIN)
    ends = time.monotonic() + seconds
    looked: list[MailboxHealth] = []
    left = 0
    for authority, channel in _wanted(app, actor, scope):
        if time.monotonic() >= ends:
            left += 1
            continue
        try:
            looked += check_mailboxes(app, actor, authority=authority, channel=channel)
        except MailboxUnknownError:
            continue  # it was ended meanwhile
    return Probe(looked, left)


def _wanted(app: "Installation", actor: Actor, scope: Scope) -> Iterator[tuple[str, str]]:
    with app.read() as tx:
        scope = resolve(tx, actor, scope)
        senders = scope_senders(tx, actor, scope)
        district_of = districts(tx)
        boxes = load_boxes(tx)
    today = local_day(app.clock.now())
    recipients = [
        key
        for key in boxes.authorities
        if scope.recipient in (None, key) and scope.district in (None, district_of(key))
    ]
    for authority in dict.fromkeys((*senders, *recipients)):
        for channel in boxes.channels_of(authority, today):
            yield authority, channel
