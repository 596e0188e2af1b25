"""The messages of a dispatch on their way: one, or several where one may not hold it all.

A dispatch stays one unit. It is handed over when the intermediary has every message of it; what a crash or a
lost answer left open is found out message by message, by MessageId and process card.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from adapters.ego_mail.facts import RECEIPT, handed_over, tracked
from adapters.ego_mail.osci.cards import ProcessCard
from adapters.ego_mail.osci.client import Client, Delivery
from adapters.ego_mail.osci.client import Prepared as OsciPrepared
from adapters.ego_mail.osci.dialog import Dialog
from adapters.ego_mail.osci.errors import (
    FeedbackError,
    HttpStatusError,
    OsciError,
    UnreachableError,
    definitely_not_done,
)
from adapters.ego_mail.osci.selection import ById
from engine.clock import Clock
from engine.errors import EnvironmentFaultError
from engine.exchange.abilities import Tracked
from engine.exchange.ports import Blocker, HandedOver, Outcome, Prepared, Rejected, Unknown

CARDS_KEPT = timedelta(days=1)
"""How long after a begun hand-over a missing process card proves that nothing was stored."""


@dataclass(frozen=True, slots=True)
class _Message:
    """One prepared message of a dispatch."""

    number: int
    of: int
    osci: Mapping[str, Any]
    sha256: str
    _stem: Path

    @property
    def path(self) -> Path:
        return self._stem.parent / str(self.osci["path"])

    @property
    def message_id(self) -> str:
        return OsciPrepared.from_json(dict(self.osci)).message_id

    @property
    def begun(self) -> Path:
        """A note that stands from the first attempt to hand it over."""
        return self._stem.with_name(f"{self._stem.name}{_suffix(self.number)}.begun")

    @property
    def named(self) -> str:
        return f"part {self.number} of {self.of}: " if self.of > 1 else ""


class Outgoing:
    """Keeps prepared bytes in a folder until the intermediary answers for them."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        """Use ``folder``, which is made when it is first needed."""
        self._folder = folder
        self._clock = clock

    def write(self, client: Client, dispatch_id: str, deliveries: Sequence[Delivery]) -> tuple[str, Any]:
        """Reserve a MessageId for each delivery and write it; return the first id, and all as JSON."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        kept: list[dict[str, Any]] = []
        for number, delivery in enumerate(deliveries, start=1):
            path = self._folder / f"{dispatch_id}{_suffix(number)}.osci"
            written = client.prepare(delivery, client.message_id(), path)
            kept.append({"osci": {**written.to_json(), "path": path.name}, "sha256": _digest(path)})
        first, *further = kept
        details = {**first, "further": further} if further else first
        return OsciPrepared.from_json(dict(first["osci"])).message_id, details

    def transmit(self, client: Client, prepared: Prepared) -> Outcome:
        """Hand every message over that is not yet; the first that does not go ends it.

        A dispatch that is not complete did not go: no recipient takes a part of it for the whole.
        """
        done: list[HandedOver] = []
        for message in self._messages(prepared):
            outcome = self._already(client, message) or self._send(client, message)
            if not isinstance(outcome, HandedOver):
                return outcome
            done.append(outcome)
        self._forget(prepared)
        return _joined(done)

    def resolve(self, client: Client, prepared: Prepared) -> Outcome:
        """Ask for the process card of every message by its MessageId.

        No card soon after means that a message was not stored; sending the same MessageId again is safe,
        since an intermediary takes each one once. Long after, the card may have been cleared away: Unknown.
        """
        done: list[HandedOver] = []
        missing = False
        for message in self._messages(prepared):
            try:
                card = _card(client, message.message_id)
            except (OsciError, EnvironmentFaultError) as error:
                return Unknown(f"{message.named}the process card could not be fetched: {error}")
            if card is not None:
                done.append(handed_over(card, self._clock.now(), {}))
                continue
            old = self._too_old(message)
            if old is not None:
                return old
            missing = True
        if missing:
            return Rejected("the intermediary has no process card: it was not stored", retry=True)
        self._forget(prepared)
        return _joined(done)

    def track(self, client: Client, prepared: Prepared) -> Tracked | None:
        """Fetch every message's card; None where one cannot be seen any more.

        A fact of the dispatch is what is a fact of all its messages. The card that changed last comes first.
        """
        found = []
        with Dialog(client) as dialog:
            for message in self._messages(prepared):
                cards = dialog.process_cards(ById(message.message_id))
                one = tracked(cards, message.message_id)
                if one is None:
                    return None
                changed = max(card.recent_modification for card in cards.cards)
                found.append((changed, message.number, one))
        newest = sorted(found, key=lambda each: each[0], reverse=True)
        evidence = {
            _named(number, name): content
            for _, number, one in newest
            for name, content in one.evidence.items()
        }
        facts = _common([one.facts for _, _, one in found])
        return Tracked(evidence, facts, all(one.final for _, _, one in found))

    def _messages(self, prepared: Prepared) -> Iterator[_Message]:
        kept: list[Mapping[str, Any]] = [prepared.details, *prepared.details.get("further", ())]
        stem = self._folder / prepared.dispatch_id
        for number, each in enumerate(kept, start=1):
            yield _Message(number, len(kept), each["osci"], each["sha256"], stem)

    def _already(self, client: Client, message: _Message) -> Outcome | None:
        """Say what came of an earlier attempt at one of several messages; None where there was none."""
        if message.of == 1 or not message.begun.exists():
            return None
        try:
            card = _card(client, message.message_id)
        except (OsciError, EnvironmentFaultError) as error:
            return Unknown(f"{message.named}the process card could not be fetched: {error}")
        return self._too_old(message) if card is None else handed_over(card, self._clock.now(), {})

    def _send(self, client: Client, message: _Message) -> Outcome:
        if not message.path.is_file() or _digest(message.path) != message.sha256:
            reason = f"{message.named}the prepared bytes are gone or were changed"
            return rejected(reason, "prepared-missing", "sender")
        temporary = message.begun.with_suffix(".part")
        temporary.write_text(self._clock.now().isoformat(), encoding="ascii")
        temporary.replace(message.begun)
        kept = OsciPrepared.from_json(dict(message.osci))
        try:
            receipt = client.transmit(OsciPrepared(message.path, kept.kind, kept.message_id, kept.challenge))
        except (OsciError, EnvironmentFaultError) as error:
            if definitely_not_done(error):
                return _not_done(error, message.named)
            return self._after_doubt(client, message, error)
        return handed_over(receipt.card, self._clock.now(), {RECEIPT: receipt.raw})

    def _after_doubt(self, client: Client, message: _Message, error: Exception) -> Outcome:
        try:
            card = _card(client, message.message_id)
        except (OsciError, EnvironmentFaultError):
            card = None
        if card is not None:
            return handed_over(card, self._clock.now(), {})
        return Unknown(f"{message.named}{error}")

    def _too_old(self, message: _Message) -> Unknown | None:
        if not message.begun.exists():
            return None
        try:
            begun = datetime.fromisoformat(message.begun.read_text(encoding="ascii"))
        except ValueError:
            return Unknown(f"{message.named}it is not known when it was begun, and there is no process card")
        if self._clock.now() - begun <= CARDS_KEPT:
            return None
        return Unknown(f"{message.named}begun at {begun.isoformat()}; there is no process card (any more)")

    def _forget(self, prepared: Prepared) -> None:
        """Forget the prepared bytes: from here on the intermediary answers for them."""
        for message in self._messages(prepared):
            message.path.unlink(missing_ok=True)
            message.begun.unlink(missing_ok=True)


def _suffix(number: int) -> str:
    return "" if number == 1 else f"-{number}"


def _named(number: int, name: str) -> str:
    return name if number == 1 else f"{number}-{name}"


def _joined(outcomes: Sequence[HandedOver]) -> HandedOver:
    if len(outcomes) == 1:
        return outcomes[0]
    evidence = {
        _named(number, name): content
        for number, each in enumerate(outcomes, start=1)
        for name, content in each.evidence.items()
    }
    return HandedOver(max(it.at for it in outcomes), evidence, _common([it.facts for it in outcomes]))


def _common(facts: Sequence[Mapping[str, datetime]]) -> dict[str, datetime]:
    """Return the facts that all have, each as of when the last one had it."""
    return {
        kind: max(each[kind] for each in facts) for kind in facts[0] if all(kind in each for each in facts)
    }


def _card(client: Client, message_id: str) -> ProcessCard | None:
    with Dialog(client) as dialog:
        found = dialog.process_cards(ById(message_id)).cards
    return next((card for card in found if card.message_id == message_id), None)


def rejected(reason: str, code: str, side: str, *, retry: bool = False) -> Rejected:
    """Say that nothing went, and why."""
    return Rejected(reason, (Blocker(code, side, reason),), retry=retry)


def _not_done(error: Exception, named: str) -> Rejected:
    if isinstance(error, UnreachableError):
        return rejected(f"{named}{error}", "unreachable", "channel", retry=True)
    if isinstance(error, HttpStatusError):
        busy = error.status in (408, 425, 429)
        return rejected(f"{named}{error}", f"http-{error.status}", "channel", retry=busy)
    code = f"osci-{error.codes[0]}" if isinstance(error, FeedbackError) and error.codes else "osci"
    return rejected(f"{named}{error}", code, "channel")


def _digest(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
