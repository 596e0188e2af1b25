"""What could go electronically: every relation held against every channel, counted once for many.

Relations of one sender and recipient whose steps ask the same of a channel are judged together. A verdict
is what the send job would find (``engine.service.exchanges.blockers``); remarks never keep anything
from being sent.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property

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
    groups = [
        Group(same[0][1], tuple(step for step, _ in same), same[0][0].constant) for same in found.values()
    ]
    # What lets the largest pass answers for the others.
    return sorted(groups, key=lambda each: -each.need.largest_bytes)


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


@dataclass(frozen=True, slots=True)
class Single:
    """What one channel can do for one relation."""

    key: Key
    channel: str
    verdict: Verdict
    volume: int


def _wanted(need: Need, on: date) -> tuple[Requirements, Requirements]:
    """Return what usual exchanges ask, and those like the largest."""
    usual = need.requirements(on)
    return usual, need.requirements(on, largest=True) if need.largest_bytes > need.usual_bytes else usual


Check = Callable[[str, str, str, Requirements], Sequence[Blocker]]
"""Channel, sender, recipient, requirements → what stands in the way."""
Look = Callable[[str, str, str], Sequence[Blocker]]
"""Channel, sender, recipient → remarks."""
Blockers = tuple[Blocker, ...]
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
        self._known: dict[Cell, tuple[Verdict, ...]] = {}
        self._seen: dict[tuple[str, str, str], Blockers] = {}
        self._said: dict[tuple[Grade, Blockers, Blockers], Verdict] = {}
        self._volumes = self._by_cell()
        self._wanted = [_wanted(each.need, on) for each in self.groups]
        self._names = [
            frozenset(f"{step.procedure} {step.element}" for step in each.steps) for each in self.groups
        ]

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

    def verdicts(self, cell: Cell) -> tuple[Verdict, ...]:
        """Return what each channel can do for a group of relations, in the order of ``channels``."""
        if cell not in self._known:
            self._known[cell] = tuple(self._judged(cell, channel) for channel in self.channels)
        return self._known[cell]

    def _judged(self, cell: Cell, channel: str) -> Verdict:
        place, sender, recipient = cell
        usual, largest = self._wanted[place]
        blockers = tuple(self._check(channel, sender, recipient, largest))
        if not blockers:
            return self._verdict(Grade.READY, (), self._remarks(channel, sender, recipient))
        if usual is largest:
            return self._verdict(Grade.BLOCKED, blockers, ())
        of_usual = tuple(self._check(channel, sender, recipient, usual))
        if of_usual:
            return self._verdict(Grade.BLOCKED, of_usual, ())
        return self._verdict(Grade.PARTLY, blockers, self._remarks(channel, sender, recipient))

    def _remarks(self, channel: str, sender: str, recipient: str) -> tuple[Blocker, ...]:
        key = (channel, sender, recipient)
        if key not in self._seen:
            self._seen[key] = tuple(self._look(*key))
        return self._seen[key]

    def _verdict(self, grade: Grade, blockers: Blockers, remarks: Blockers) -> Verdict:
        """Return the one verdict that says so."""
        key = (grade, blockers, remarks)
        if key not in self._said:
            self._said[key] = Verdict(grade, blockers, remarks)
        return self._said[key]

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
            verdicts = self.verdicts(cell)
            for row, relations, volume in self._rows(cell, by):
                tallies = found.setdefault(row, {})
                for channel, verdict in zip(self.channels, verdicts, strict=True):
                    if channel not in tallies:
                        tallies[channel] = Tally()
                    tallies[channel].add(verdict, relations, volume)
        return found

    def _rows(self, cell: Cell, by: str) -> Iterator[tuple[str, int, int]]:
        """Yield the matrix's lines that a cell counts in, with relations and exchanges."""
        place, sender, recipient = cell
        steps = self.groups[place].steps
        if by != "step":
            yield (recipient if by == "recipient" else sender), len(steps), self.volume(cell).total
            return
        for step in steps:
            figures = self.volumes.get((step.procedure, step.element, sender, recipient), NOTHING)
            yield f"{step.procedure} {step.element}", 1, figures.total

    def singles(self) -> list[Single]:
        """Return every relation with every channel; relations with most figures first."""
        found = []
        for cell in self.cells():
            place, sender, recipient = cell
            for step in self.groups[place].steps:
                key = (step.procedure, step.element, sender, recipient)
                figures = self.volumes.get(key, NOTHING).total
                found += [
                    Single(key, channel, verdict, figures)
                    for channel, verdict in zip(self.channels, self.verdicts(cell), strict=True)
                ]
        return sorted(found, key=lambda one: (-one.volume, one.key, one.channel))

    def obstacles(self) -> list[Obstacle]:
        """Return what stands in the way, and what should be known: the post last, most figures first."""
        found: dict[tuple[str, str, str, str, str, bool], Obstacle] = {}
        for cell in self.cells():
            place, sender, recipient = cell
            owners = {"sender": sender, "recipient": recipient}
            steps = self.groups[place].steps
            for channel, verdict in zip(self.channels, self.verdicts(cell), strict=True):
                for blocks, seen in ((True, verdict.blockers), (False, verdict.remarks)):
                    for each in seen:
                        owner = owners.get(each.side, "")
                        key = (channel, each.side, each.code, each.message, owner, blocks)
                        one = found.get(key)
                        if one is None:
                            one = found[key] = Obstacle(*key)
                        one.relations += len(steps)
                        one.volume += self.volume(cell).total
                        one.steps.update(self._names[place])
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
            verdict.grade is not Grade.BLOCKED
            for channel, verdict in zip(self.channels, self.verdicts(cell), strict=True)
            if channel != POST
        )

    def gain(self, mailboxes: Sequence[Mailbox], check: Check) -> Gain:
        """Return what ``mailboxes`` would bring together; ``check`` judges as if they were open."""
        relations, volume = 0, NOTHING
        still: Counter[tuple[str, str, str]] = Counter()
        owners = {each.authority_id for each in mailboxes}
        for cell in dict.fromkeys(cell for owner in sorted(owners) for cell in self._by_post.get(owner, ())):
            place, sender, recipient = cell
            steps = len(self.groups[place].steps)
            needed = self._wanted[place][0]
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

    @cached_property
    def _by_post(self) -> Mapping[str, list[Cell]]:
        """Cells that no electronic channel can carry, by each of their authorities."""
        found: dict[str, list[Cell]] = {}
        for cell in self.cells():
            if not self.goes_electronically(cell):
                for owner in cell[1:]:
                    found.setdefault(owner, []).append(cell)
        return found
