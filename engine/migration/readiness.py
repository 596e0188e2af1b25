"""What could go electronically: every relation held against every channel, counted once for many.

Relations of one sender and recipient whose steps ask the same of a channel are judged together. A verdict
is what the send job would find (``engine.service.blockers``); remarks never keep anything from being sent.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from engine.exchange.decision import POST
from engine.exchange.parcels import Blocker, FormClass, Mailbox, MessageType, Requirements
from engine.migration.register import NOTHING, Key, Step, Volume


class Grade(StrEnum):
    """How far a channel can carry a relation."""

    READY = "ready"
    PARTLY = "partly"
    """Usual exchanges can go, the largest of the past could not."""
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Need:
    """What the exchanges of a step ask of a channel, by what they were like so far."""

    message_type: MessageType
    form: FormClass
    usual_bytes: int = 0
    """95 of 100 past exchanges were not larger (documents together)."""
    largest_bytes: int = 0
    media_types: tuple[str, ...] = ()
    seen: int = 0
    """How many past exchanges say so; 0: the message type's required documents do."""

    @property
    def key(self) -> tuple[object, ...]:
        """Needs of one key ask the same."""
        wanted = self.message_type
        sizes = (self.usual_bytes, self.largest_bytes, self.media_types)
        return wanted.key, wanted.version, self.form, *sizes

    def requirements(self, on: date, *, largest: bool = False) -> Requirements:
        """Return what a usual exchange asks of a channel on that day, or one like the largest."""
        size = self.largest_bytes if largest else self.usual_bytes
        return Requirements(self.message_type, self.form, size, self.media_types, on)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a channel can do for a relation, and what stands in its way."""

    grade: Grade
    blockers: tuple[Blocker, ...] = ()
    """Of usual exchanges; of the largest ones where these alone are blocked."""
    remarks: tuple[Blocker, ...] = ()
    """What does not keep anything from being sent, but should be known: untested, ill, soon to end."""


@dataclass(frozen=True, slots=True)
class Group:
    """Steps that ask the same of a channel and have the same recipients."""

    need: Need
    steps: tuple[Step, ...]
    constant: str | None


def group(steps: Iterable[tuple[Step, Need]]) -> list[Group]:
    """Put steps together that are judged alike."""
    found: dict[tuple[object, ...], list[tuple[Step, Need]]] = {}
    for step, need in steps:
        found.setdefault((need.key, step.constant), []).append((step, need))
    return [
        Group(same[0][1], tuple(step for step, _ in same), same[0][0].constant) for same in found.values()
    ]


@dataclass
class Tally:
    """Relations and their figures in one field of a matrix."""

    relations: int = 0
    ready: int = 0
    partly: int = 0
    volume: int = 0
    ready_volume: int = 0
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Side and code of blockers → relations."""
    remarks: Counter[str] = field(default_factory=Counter)

    def add(self, verdict: Verdict, relations: int, volume: int) -> None:
        """Count relations that got one verdict."""
        self.relations += relations
        self.volume += volume
        if verdict.grade is not Grade.BLOCKED:
            self.ready += relations
            self.ready_volume += volume
            self.partly += relations if verdict.grade is Grade.PARTLY else 0
        for blocker in {(each.side, each.code) for each in verdict.blockers}:
            self.codes[blocker] += relations
        for code in {each.code for each in verdict.remarks}:
            self.remarks[code] += relations


@dataclass
class Obstacle:
    """One thing that stands in the way of many relations; who has to act is its side."""

    channel: str
    side: str
    code: str
    message: str
    authority: str
    """Whose it is: the sender's or the recipient's key; empty where it is the channel's."""
    blocks: bool
    """False: a remark."""
    relations: int = 0
    volume: int = 0
    steps: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Gain:
    """What assumed mailboxes would bring."""

    mailboxes: tuple[Mailbox, ...]
    relations: int
    """Relations that no electronic channel can carry today, and this one could."""
    volume: int
    paper: int
    """How many of ``volume`` are known to have been on paper."""
    still: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Side, code and message of what would stand in the way all the same → relations."""


Check = Callable[[str, str, str, Requirements], Sequence[Blocker]]
"""Channel, sender, recipient, requirements → what stands in the way."""
Look = Callable[[str, str, str], Sequence[Blocker]]
"""Channel, sender, recipient → remarks."""
Cell = tuple[int, str, str]
"""Place of a group, sender, recipient."""


def no_remarks(_channel: str, _sender: str, _recipient: str) -> Sequence[Blocker]:
    """Return no remarks."""
    return ()


class Readiness:
    """All relations within a scope against some channels."""

    def __init__(
        self,
        steps: Iterable[tuple[Step, Need]],
        senders: Sequence[str],
        recipients: Sequence[str],
        channels: Sequence[str],
        volumes: Mapping[Key, Volume],
        check: Check,
        on: date,
        look: Look = no_remarks,
    ) -> None:
        """Judge on the day ``on``; ``recipients`` are those of steps without a constant one."""
        self.groups = group(steps)
        self.senders = senders
        self.recipients = recipients
        self.channels = channels
        self.volumes = volumes
        self.on = on
        self._check = check
        self._look = look
        self._known: dict[tuple[int, str, str, str], Verdict] = {}
        self._volumes = self._by_cell()

    def _by_cell(self) -> Mapping[Cell, Volume]:
        place = {
            (step.procedure, step.element): number
            for number, each in enumerate(self.groups)
            for step in each.steps
        }
        found: dict[Cell, Volume] = {}
        for (procedure, element, sender, recipient), volume in self.volumes.items():
            number = place.get((procedure, element))
            if number is not None:
                cell = (number, sender, recipient)
                found[cell] = found.get(cell, NOTHING) + volume
        return found

    def verdict(self, place: int, sender: str, recipient: str, channel: str) -> Verdict:
        """Return what ``channel`` can do for a group of relations."""
        key = (place, sender, recipient, channel)
        if key not in self._known:
            self._known[key] = self._judged(self.groups[place].need, sender, recipient, channel)
        return self._known[key]

    def _judged(self, need: Need, sender: str, recipient: str, channel: str) -> Verdict:
        blockers = tuple(self._check(channel, sender, recipient, need.requirements(self.on)))
        if blockers:
            return Verdict(Grade.BLOCKED, blockers)
        remarks = tuple(self._look(channel, sender, recipient))
        if need.largest_bytes > need.usual_bytes:
            largest = tuple(self._check(channel, sender, recipient, need.requirements(self.on, largest=True)))
            if largest:
                return Verdict(Grade.PARTLY, largest, remarks)
        return Verdict(Grade.READY, (), remarks)

    def cells(self) -> Iterator[Cell]:
        """Yield every group of relations between two authorities."""
        for place, each in enumerate(self.groups):
            recipients = self.recipients if each.constant is None else (each.constant,)
            for sender in self.senders:
                for recipient in recipients:
                    if recipient != sender:
                        yield place, sender, recipient

    def volume(self, cell: Cell) -> Volume:
        """Return the figures of a group of relations."""
        return self._volumes.get(cell, NOTHING)

    def matrix(self, by: str) -> dict[str, dict[str, Tally]]:
        """Return a tally for each channel, by ``recipient``, ``sender`` or ``step``."""
        found: dict[str, dict[str, Tally]] = {}
        for cell in self.cells():
            place, sender, recipient = cell
            steps = self.groups[place].steps
            for channel in self.channels:
                verdict = self.verdict(place, sender, recipient, channel)
                if by == "step":
                    for step in steps:
                        key = (step.procedure, step.element, sender, recipient)
                        row = found.setdefault(f"{step.procedure} {step.element}", {})
                        total = self.volumes.get(key, NOTHING).total
                        row.setdefault(channel, Tally()).add(verdict, 1, total)
                else:
                    row = found.setdefault(recipient if by == "recipient" else sender, {})
                    row.setdefault(channel, Tally()).add(verdict, len(steps), self.volume(cell).total)
        return found

    def obstacles(self) -> list[Obstacle]:
        """Return what stands in the way, and what should be known: the post last, most figures first."""
        found: dict[tuple[str, str, str, str, str, bool], Obstacle] = {}
        for cell in self.cells():
            place, sender, recipient = cell
            owners = {"sender": sender, "recipient": recipient}
            steps = self.groups[place].steps
            for channel in self.channels:
                verdict = self.verdict(place, sender, recipient, channel)
                for blocks, seen in ((True, verdict.blockers), (False, verdict.remarks)):
                    for each in seen:
                        owner = owners.get(each.side, "")
                        key = (channel, each.side, each.code, each.message, owner, blocks)
                        one = found.setdefault(key, Obstacle(*key))
                        one.relations += len(steps)
                        one.volume += self.volume(cell).total
                        one.steps.update(f"{step.procedure} {step.element}" for step in steps)
        return sorted(
            found.values(),
            key=lambda one: (
                one.channel == POST,
                *(-one.volume, -one.relations),
                *(one.channel, one.side, one.authority, one.code, one.message),
            ),
        )

    def goes_electronically(self, cell: Cell) -> bool:
        """Tell whether any channel but the post could carry usual exchanges."""
        return any(
            self.verdict(*cell, channel).grade is not Grade.BLOCKED
            for channel in self.channels
            if channel != POST
        )

    def gain(self, mailboxes: Sequence[Mailbox], check: Check) -> Gain:
        """Return what ``mailboxes`` would bring together; ``check`` judges as if they were open."""
        relations, volume = 0, NOTHING
        still: Counter[tuple[str, str, str]] = Counter()
        for cell in self._touched({each.authority_id for each in mailboxes}):
            place, sender, recipient = cell
            if self.goes_electronically(cell):
                continue
            steps = len(self.groups[place].steps)
            needed = self.groups[place].need.requirements(self.on)
            found = [
                check(each.channel, sender, recipient, needed)
                for each in mailboxes
                if each.authority_id in (sender, recipient)
            ]
            if all(found):
                still.update({(b.side, b.code, b.message): steps for one in found for b in one})
                continue
            relations += steps
            volume += self.volume(cell)
        return Gain(tuple(mailboxes), relations, volume.total, volume.paper, still)

    def _touched(self, authorities: set[str]) -> Iterator[Cell]:
        """Yield every cell that one of ``authorities`` has a part in, once."""
        for place, each in enumerate(self.groups):
            recipients = self.recipients if each.constant is None else (each.constant,)
            for sender in self.senders:
                among = recipients if sender in authorities else authorities.intersection(recipients)
                for recipient in among:
                    if recipient != sender:
                        yield place, sender, recipient
