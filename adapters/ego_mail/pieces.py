"""A dispatch that came in several messages: kept waiting at the intermediary until all of them are there.

None is acknowledged before the whole is stored, so nothing is lost and no sender is told of a reception that
was half a one. What is not complete after a day goes to a clerk as it is, and its sender is told.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from adapters.ego_mail.evidence import JoinedEvidence
from engine.exchange.abilities import ReportsBack
from engine.exchange.ports import Assurance, Incoming, Mailbox, Part

PATIENCE = timedelta(days=1)
"""How long the rest of a dispatch is waited for."""
MOST = 200
_ORDER = (Assurance.NONE, Assurance.TRANSPORT, Assurance.SIGNATURE)


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of which dispatch a message is."""

    group: str
    """Digest over sender, dispatch and number of parts: nobody else's message joins it."""
    number: int
    of: int


def place_of(properties: Mapping[str, str], sender: str | None) -> Place | None:
    """Read a message's place from its metadata; None where it is a whole one."""
    try:
        number, of = int(properties.get("part", "1")), int(properties.get("parts", "1"))
    except ValueError:
        return None
    dispatch = properties.get("dispatch", "")
    if not (1 <= number <= of and 1 < of <= MOST and dispatch and sender):
        return None
    group = hashlib.sha256(f"{sender}\n{dispatch}\n{of}".encode()).hexdigest()[:32]
    return Place(group, number, of)


class Notes:
    """What is known of messages that wait for others, by MessageId; and which of them are stored."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, which is made when it is first needed."""
        self._folder = folder

    def known(self, message_id: str) -> Place | None:
        """Return the place that was noted for a message."""
        path = self._folder / f"{_name(message_id)}.json"
        if not path.exists():
            return None
        try:
            return Place(**json.loads(path.read_text(encoding="ascii")))
        except (ValueError, TypeError):
            return None  # The power failed while it was written: the message says it again.

    def keep(self, message_id: str, place: Place) -> None:
        """Note a message's place, so that it is not fetched again before the others are there."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{_name(message_id)}.json"
        temporary = path.with_suffix(".part")
        temporary.write_text(json.dumps(asdict(place)), encoding="ascii")
        temporary.replace(path)

    def forget(self, message_id: str) -> None:
        """Forget a message that was acknowledged."""
        for ending in ("json", "stored"):
            (self._folder / f"{_name(message_id)}.{ending}").unlink(missing_ok=True)

    def is_stored(self, message_id: str) -> bool:
        """Tell whether a message was stored with its dispatch: it need only be acknowledged."""
        return (self._folder / f"{_name(message_id)}.stored").exists()

    def stored(self, message_ids: Iterable[str]) -> None:
        """Note that messages were stored, before the first of them is acknowledged."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for message_id in message_ids:
            (self._folder / f"{_name(message_id)}.stored").touch()


def ready(places: Mapping[str, Place], since: Mapping[str, datetime], now: datetime) -> list[str]:
    """Return the groups that are complete, or have waited long enough; both maps are by MessageId."""
    groups: dict[str, list[str]] = {}
    for message_id, place in places.items():
        groups.setdefault(place.group, []).append(message_id)
    return [
        group
        for group, members in groups.items()
        if missing(places[each] for each in members) == []
        or now - min(since[each] for each in members) > PATIENCE
    ]


def missing(places: Iterable[Place]) -> list[int]:
    """Return the numbers of a dispatch's messages that are not there."""
    there = list(places)
    return sorted(set(range(1, there[0].of + 1)) - {each.number for each in there})


class Piece(Incoming, ReportsBack, Protocol):
    """One message of several."""

    def send_notice(self) -> None:
        """Send what the sender is to be told, if anything. Safe to repeat."""
        ...


@dataclass(slots=True)
class JoinedIncoming:
    """Several messages as the one dispatch they are."""

    pieces: Sequence[tuple[Place, Piece]]
    notes: Notes = field(repr=False)

    @property
    def carrier_reference(self) -> str:
        """The same for the same messages."""
        return f"parts:{_name(' '.join(sorted(piece.carrier_reference for _, piece in self.pieces)))}"

    @property
    def mailbox(self) -> Mailbox:
        """The own mailbox they came to."""
        return self.pieces[0][1].mailbox

    @property
    def received(self) -> datetime:
        """When the last one came within reach."""
        return max(piece.received for _, piece in self.pieces)

    @property
    def sender_id(self) -> str | None:
        """The sender; the same for all, else they would not belong together."""
        return self.pieces[0][1].sender_id

    @property
    def assurance(self) -> Assurance:
        """The least of all."""
        return min((piece.assurance for _, piece in self.pieces), key=_ORDER.index)

    @property
    def parts(self) -> Sequence[Part]:
        """The files of all."""
        return [part for _, piece in self.pieces for part in piece.parts]

    @property
    def evidence(self) -> Mapping[str, bytes]:
        """The receipts of all, named by the message's number."""
        return JoinedEvidence({place.number: piece.evidence for place, piece in self.pieces})

    @property
    def unsuitable(self) -> str | None:
        """Why it cannot be processed: a message of it, or one that did not come."""
        absent = missing(place for place, _ in self.pieces)
        if absent:
            numbers, of = ", ".join(map(str, absent)), self.pieces[0][0].of
            return f"Teil {numbers} von {of} ist nicht angekommen"
        return next((piece.unsuitable for _, piece in self.pieces if piece.unsuitable), None)

    def tell_sender(self, reason: str) -> None:
        """Have the sender told once, whichever of the messages is at fault."""
        self.pieces[0][1].tell_sender(reason)

    def acknowledge(self) -> None:
        """Acknowledge every message; what a crash leaves over is acknowledged at the next look."""
        # Before any is noted as stored: from then on they are only acknowledged, and nobody tells any more.
        self.pieces[0][1].send_notice()
        self.notes.stored(piece.carrier_reference for _, piece in self.pieces)
        for _, piece in self.pieces:
            piece.acknowledge()
            self.notes.forget(piece.carrier_reference)


def _name(message_id: str) -> str:
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]
