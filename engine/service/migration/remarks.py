"""What should be known of a channel between two authorities though it keeps nothing from being sent."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection

from engine.clock import local_day
from engine.exchange.decision import POST
from engine.exchange.ports import Blocker, Mailbox
from engine.service.exchanges.blockers import Boxes
from engine.service.mailbox_health import MailboxHealth, health_of

SOON = timedelta(weeks=8)
CARRIER = "carrier"
"""What is found where a carrier can only say of itself that it works: nobody looked at the mailbox."""


class Remarks:
    """Last looks at mailboxes, ends that come near, and what was never tried."""

    def __init__(self, tx: Connection, boxes: Boxes, used: set[tuple[str, str, str]], now: datetime) -> None:
        """Read what was seen of all mailboxes; ``used`` holds sender, recipient and channel of what went."""
        self._boxes = boxes
        self._used = used
        self._now = now
        self._today = local_day(now)
        self._health: dict[tuple[str, str, str], MailboxHealth] = {
            (each.authority_id, each.channel, each.address): each for each in health_of(tx).values()
        }
        self._known: dict[tuple[str, str, str], tuple[Blocker, ...]] = {}

    def look(self, channel: str, sender: str, recipient: str) -> list[Blocker]:
        """Return the remarks on a channel from ``sender`` to ``recipient``."""
        found = [*self._of("sender", sender, channel), *self._of("recipient", recipient, channel)]
        if channel != POST and not self._tried(channel, sender, recipient):
            found.append(Blocker("untested", "channel", "nothing was ever sent, tried or looked at here"))
        return found

    def _tried(self, channel: str, sender: str, recipient: str) -> bool:
        if (sender, recipient, channel) in self._used:
            return True
        box = self._boxes.open(recipient, channel, self._today)
        health = self._seen(box)
        if health is None or health.checked_at is None or not health.ok:
            return False
        return any(each.code != CARRIER for each in health.findings)

    def _seen(self, box: Mailbox | None) -> MailboxHealth | None:
        return self._health.get((box.authority_id, box.channel, box.address)) if box is not None else None

    def _of(self, side: str, authority: str, channel: str) -> tuple[Blocker, ...]:
        key = (side, authority, channel)
        if key not in self._known:
            box = self._boxes.open(authority, channel, self._today)
            self._known[key] = tuple(self._of_box(side, box)) if box is not None else ()
        return self._known[key]

    def _of_box(self, side: str, box: Mailbox) -> Iterator[Blocker]:
        if box.valid_until is not None and box.valid_until <= self._today + SOON:
            yield Blocker("closes-soon", side, f"the mailbox closes after {box.valid_until}")
        health = self._seen(box)
        if health is None or health.checked_at is None:
            return
        for each in health.findings:
            if each.fault:
                day = local_day(health.checked_at)
                yield Blocker("ill", side, f"on {day} it did not work: {each.message}")
            elif each.until is not None and each.until <= self._now + SOON:
                yield Blocker("ends-soon", side, f"{each.message}, ends on {local_day(each.until)}")
