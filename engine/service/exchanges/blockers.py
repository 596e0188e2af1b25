"""What stands in the way of a channel between two authorities.

The send job decides by it and the migration's readiness is made of it, so that they cannot drift apart.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import Connection

from engine.exchange.abilities import Separable
from engine.exchange.decision import POST
from engine.exchange.ports import Blocker, Carrier, FormClass, Mailbox, Payload, Requirements
from engine.exchange.registry import Adapters, UnknownChannelError
from engine.exchange.written import ways
from engine.service.directory.authorities import Authority, load_authorities
from engine.service.directory.mailboxes import load_mailboxes


class Boxes:
    """Mailboxes of some authorities, ended and future ones included. Everybody has a letter box."""

    def __init__(self, mailboxes: Iterable[Mailbox], authorities: Mapping[str, Authority]) -> None:
        """Keep ``mailboxes`` by authority and channel; ``authorities`` gives addresses for letters."""
        self.authorities = authorities
        self._found: dict[tuple[str, str], list[Mailbox]] = {}
        self._letter_boxes: dict[str, Mailbox] = {}
        for mailbox in mailboxes:
            self._found.setdefault((mailbox.authority_id, mailbox.channel), []).append(mailbox)

    def channels(self) -> set[str]:
        """Return every channel on which anybody ever had a mailbox."""
        return {channel for _, channel in self._found}

    def channels_of(self, authority_id: str, on: date) -> list[str]:
        """Return the channels on which an authority has a mailbox open on that day."""
        recorded = {channel for owner, channel in self._found if owner == authority_id}
        return sorted(channel for channel in recorded if self.open(authority_id, channel, on))

    def open(self, authority_id: str, channel: str, on: date) -> Mailbox | None:
        """Return the recorded mailbox that is open on that day, the latest opened first."""
        recorded = self._found.get((authority_id, channel), [])
        return max(
            (box for box in recorded if box.valid_from <= on and not _ended(box, on)),
            key=lambda box: box.valid_from,
            default=None,
        )

    def receiving(self, authority_id: str, channel: str, on: date) -> Mailbox | Blocker:
        """Return where ``channel`` reaches an authority on that day, or why it does not."""
        found = self.open(authority_id, channel, on)
        if found is not None:
            return found
        if channel == POST and authority_id in self.authorities:
            return self._letter_box(authority_id)
        recorded = self._found.get((authority_id, channel), [])
        coming = [box.valid_from for box in recorded if box.valid_from > on]
        if coming:
            return Blocker("not-yet", "recipient", f"the mailbox on {channel} opens on {min(coming)}")
        ends = [box.valid_until for box in recorded if box.valid_until is not None]
        if ends:
            return Blocker("ended", "recipient", f"the mailbox on {channel} ended on {max(ends)}")
        return Blocker("no-mailbox", "recipient", f"no open mailbox on {channel}")

    def assuming(self, mailboxes: Iterable[Mailbox]) -> "Boxes":
        """Return these mailboxes with others in place of the same authority's on the same channel."""
        assumed = list(mailboxes)
        instead = {(box.authority_id, box.channel) for box in assumed}
        kept = [box for key, boxes in self._found.items() if key not in instead for box in boxes]
        return Boxes([*kept, *assumed], self.authorities)

    def _letter_box(self, authority_id: str) -> Mailbox:
        if authority_id not in self._letter_boxes:
            self._letter_boxes[authority_id] = letter_box(self.authorities[authority_id])
        return self._letter_boxes[authority_id]


def _ended(mailbox: Mailbox, on: date) -> bool:
    return mailbox.valid_until is not None and mailbox.valid_until < on


def letter_box(authority: Authority) -> Mailbox:
    """Return the letter box that everybody has, recorded as a mailbox or not."""
    return Mailbox(
        authority_id=authority.id,
        channel=POST,
        address="\n".join((authority.official_name, *authority.address)),
        valid_from=authority.valid_from,
        form_classes=tuple(FormClass),
    )


def load_boxes(tx: Connection, authority_ids: Collection[str] | None = None) -> Boxes:
    """Return the mailboxes of these authorities, or of all."""
    return Boxes(load_mailboxes(tx, authority_ids), load_authorities(tx, authority_ids))


class Judge:
    """Asks payload and carrier; what was asked once is remembered, so keep it for one look only.

    A carrier's answer does not depend on the message type, a payload's not on the sender, and what is not too
    large leaves no smaller one behind (``engine.exchange.ports``): thousands of relations need few questions.
    """

    def __init__(self, adapters: Adapters, boxes: Boxes) -> None:
        """Judge between the owners of ``boxes``."""
        self.boxes = boxes
        self._adapters = adapters
        self._channels: dict[str, tuple[Payload, Carrier] | Blocker] = {}
        self._known: dict[tuple[Any, ...], Sequence[Blocker]] = {}
        self._passed: dict[tuple[Any, ...], int] = {}
        self._receiving: dict[tuple[str, str, date], Mailbox | Blocker] = {}
        self._sending: dict[tuple[str, str, date], Mailbox | None] = {}
        self._separable: dict[str, bool] = {}

    def assuming(self, boxes: Boxes) -> "Judge":
        """Return a judge over other mailboxes."""
        return Judge(self._adapters, boxes)

    def blockers(
        self, channel: str, sender_id: str, recipient_id: str, requirements: Requirements
    ) -> list[Blocker]:
        """Return what keeps ``channel`` from carrying this; an empty list means ready."""
        halves = self._halves(channel)
        if isinstance(halves, Blocker):
            return [halves]
        payload, carrier = halves
        to = (recipient_id, channel, requirements.on)
        if to not in self._receiving:
            self._receiving[to] = self.boxes.receiving(*to)
        recipient = self._receiving[to]
        if isinstance(recipient, Blocker):
            return [recipient]
        if requirements.form not in recipient.form_classes:
            form = requirements.form.value
            return [Blocker("form-class", "recipient", f"form {form} is not accepted there")]
        at = (sender_id, channel, requirements.on)
        if at not in self._sending:
            self._sending[at] = self.boxes.open(*at)
        sender = self._sending[at]
        kind = (requirements.form, requirements.media_types, requirements.on, requirements.test)
        if channel not in self._separable:
            self._separable[channel] = isinstance(payload, Separable) and payload.separable
        separable = self._separable[channel]
        wanted = requirements.message_type
        return [
            *self._ask(
                ("payload", channel, id(recipient), wanted.key, wanted.version, kind),
                requirements.total_bytes,
                lambda: payload.check(recipient, requirements),
            ),
            *self._ask(
                ("carrier", channel, sender_id, id(sender), id(recipient), kind, requirements.sizes),
                requirements.total_bytes,
                lambda: carrier.check(
                    sender, recipient, replace(requirements, separable=separable, sender_id=sender_id)
                ),
            ),
            *self._ask(
                ("written", channel, id(sender), id(recipient), kind),
                0,
                lambda: self._written(carrier, sender, recipient, requirements),
            ),
        ]

    def _written(
        self, carrier: Carrier, sender: Mailbox | None, recipient: Mailbox, requirements: Requirements
    ) -> Sequence[Blocker]:
        """Return why nothing can satisfy the written form; on paper it is signed by hand."""
        if requirements.form is not FormClass.WRITTEN or not carrier.describe().electronic or sender is None:
            return ()
        return ways(carrier, sender, recipient, requirements.on, self._adapters.signers()).blockers

    def _halves(self, channel: str) -> tuple[Payload, Carrier] | Blocker:
        if channel not in self._channels:
            try:
                self._channels[channel] = self._adapters.channel(channel)
            except UnknownChannelError as error:
                self._channels[channel] = Blocker("no-adapter", "sender", str(error))
        return self._channels[channel]

    def _ask(
        self, about: tuple[Any, ...], size: int, check: Callable[[], Sequence[Blocker]]
    ) -> Sequence[Blocker]:
        if size <= self._passed.get(about, -1):
            return ()
        key = (about, size)
        if key not in self._known:
            self._known[key] = check()
            if not self._known[key]:
                self._passed[about] = max(size, self._passed.get(about, -1))
        return self._known[key]
