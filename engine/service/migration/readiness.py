"""Readiness as one actor sees it: what could go electronically, what is in the way, what to open next."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from engine.actor import Actor
from engine.clock import local_day
from engine.errors import RefusedError
from engine.exchange.decision import POST, Relation
from engine.exchange.ports import Mailbox, split_channel
from engine.migration.readiness import Cell, Gain, Grade, Obstacle, Readiness, Single, Tally
from engine.migration.register import Key, Volume
from engine.migration.rule_book import RuleBook
from engine.migration.scope import Scope
from engine.service.exchanges.blockers import Judge, load_boxes
from engine.service.exchanges.rules import load_rules
from engine.service.migration.figures import used_channels
from engine.service.migration.needs import load_needs
from engine.service.migration.register import Wish as RegisterWish
from engine.service.migration.register import load_register
from engine.service.migration.remarks import Remarks
from engine.service.migration.steps import ANY, load_steps
from engine.service.migration.what_if import Assuming, read_mailbox

if TYPE_CHECKING:
    from engine.service.installation import Installation

MATRICES = ("recipient", "sender", "step")
SINGLY = "relation"
VOLUME_OF = timedelta(days=365)
"""Figures of so long count."""


class ReadinessRefusedError(RefusedError):
    """This cannot be asked."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked."""

    scope: Scope = ANY
    channels: Sequence[str] = ()
    """Only these; default every channel on which anybody has or had a mailbox, and the post."""
    by: str = "recipient"
    """One of ``MATRICES``, or ``SINGLY`` for every relation by itself in place of a matrix."""
    what_if: Sequence[str] = ()
    """Mailboxes to assume together, e.g. ``mailbox 10045114 xdomea+ego_mail form=none``."""
    ranking: int = 10
    """How many mailboxes worth opening and relations worth switching are named."""


@dataclass
class Switchable:
    """Relations to one recipient that are ready on a channel and still go by post."""

    recipient: str
    channel: str
    relations: int = 0
    volume: int = 0
    paper: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """The answer."""

    channels: Sequence[str]
    matrix: Mapping[str, Mapping[str, Tally]]
    obstacles: Sequence[Obstacle]
    relations: int
    electronic: int
    """Relations that some channel but the post can carry."""
    volume: int
    electronic_volume: int
    names: Mapping[str, str]
    what_if: Gain | None = None
    worth_opening: Sequence[Gain] = field(default_factory=tuple)
    worth_switching: Sequence[Switchable] = field(default_factory=tuple)
    singles: Sequence[Single] = field(default_factory=tuple)
    """Every relation with every channel, where that was asked for."""


def readiness(app: "Installation", actor: Actor, wish: Wish) -> Report:
    """Hold every relation of the scope against every channel; nothing is changed, nobody outside is asked.

    Raises SenderUnknownError, AuthorityUnknownError, ProcedureUnknownError, StepUnknownError,
    ScopeRefusedError, UnknownChannelError, WhatIfRefusedError, ReadinessRefusedError, RoleMissingError.
    """
    if wish.by not in (*MATRICES, SINGLY):
        raise ReadinessRefusedError(f"no matrix by {wish.by!r}", hint=f"by {', '.join((*MATRICES, SINGLY))}")
    now = app.clock.now()
    with app.read() as tx:
        return _Look(app, tx, actor, wish, now).report()


class _Look:
    """One look at a scope."""

    def __init__(self, app: "Installation", tx: Connection, actor: Actor, wish: Wish, now: datetime) -> None:
        self.app, self.tx, self.wish, self.now = app, tx, wish, now
        self.today = local_day(now)
        since = local_day(now - VOLUME_OF)
        self.register, _, self.authorities = load_register(app, tx, actor, RegisterWish(wish.scope, since))
        self.assumed = [read_mailbox(app, tx, text, self.today) for text in wish.what_if]
        self.boxes = load_boxes(tx)
        self.judge = Judge(app.adapters, self.boxes)
        self.base = self._readiness()

    def _readiness(self) -> Readiness:
        known = {(each.step.procedure, each.step.element): each for each in load_steps(self.app, self.tx)}
        steps = [known[step.procedure, step.element] for step in self.register.steps if not step.retired]
        needs = load_needs(self.tx, self.register.senders, steps, self.now)
        used = used_channels(self.tx, self.register.senders)
        return Readiness(
            [(each.step, need) for each, need in zip(steps, needs, strict=True)],
            self.register.senders,
            self.register.recipients,
            self._channels(),
            self.register.volumes,
            self.judge.blockers,
            self.today,
            Remarks(self.tx, self.boxes, used, self.now).look,
        )

    def _channels(self) -> list[str]:
        for channel in self.wish.channels:
            try:
                split_channel(channel)
            except ValueError as error:
                raise ReadinessRefusedError(str(error), hint="a channel is payload+carrier") from error
            self.app.adapters.channel(channel)
        if self.wish.channels:
            return sorted(set(self.wish.channels))
        return sorted({POST, *self.boxes.channels(), *(each.channel for each in self.assumed)})

    def report(self) -> Report:
        """Put everything together."""
        base = self.base
        relations = electronic = volume = electronic_volume = 0
        for cell in base.cells():
            steps, figures = len(base.groups[cell[0]].steps), base.volume(cell).total
            relations += steps
            volume += figures
            if base.goes_electronically(cell):
                electronic += steps
                electronic_volume += figures
        return Report(
            base.channels,
            {} if self.wish.by == SINGLY else base.matrix(self.wish.by),
            base.obstacles(),
            relations,
            electronic,
            volume,
            electronic_volume,
            {key: each.name for key, each in self.authorities.items()},
            self._what_if(),
            self._worth_opening(),
            self._worth_switching(),
            base.singles() if self.wish.by == SINGLY else (),
        )

    def _what_if(self) -> Gain | None:
        if not self.assumed:
            return None
        return self.base.gain(self.assumed, Assuming(self.judge, self.boxes, self.assumed).blockers)

    def _worth_opening(self) -> list[Gain]:
        gains = [
            self.base.gain([box], Assuming(self.judge, self.boxes, [box]).blockers)
            for box in self._openable()
        ]
        worth = [gain for gain in gains if gain.relations]
        if any(gain.volume for gain in worth):
            worth = [gain for gain in worth if gain.volume]
        worth.sort(key=lambda gain: (-gain.volume, -gain.relations, gain.mailboxes[0].authority_id))
        return worth[: self.wish.ranking]

    def _openable(self) -> Iterator[Mailbox]:
        """Yield a mailbox with usual terms for everybody and every electronic channel it has not opened."""
        owners = sorted({*self.register.senders, *self.register.recipients})
        for channel in self.base.channels:
            if channel == POST or not self.wish.ranking:
                continue
            for owner in owners:
                if self.boxes.open(owner, channel, self.today) is None:
                    yield Mailbox(owner, channel, "(assumed)", self.today)

    def _worth_switching(self) -> list[Switchable]:
        found: dict[tuple[str, str], Switchable] = {}
        books = {sender: RuleBook(load_rules(self.tx, sender)) for sender in self.register.senders}
        place = {
            (step.procedure, step.element): number
            for number, each in enumerate(self.base.groups)
            for step in each.steps
        }
        for key, volume in self.register.volumes.items():
            number = place.get(key[:2])
            if number is None or not self._intends_post(books, key):
                continue
            channel = self._best((number, key[2], key[3]))
            if channel is not None:
                one = found.setdefault((key[3], channel), Switchable(key[3], channel))
                _count(one, volume)
        worth = sorted(found.values(), key=lambda one: (-one.volume, one.recipient, one.channel))
        return worth[: self.wish.ranking]

    def _intends_post(self, books: Mapping[str, RuleBook], key: Key) -> bool:
        district = self.authorities[key[3]].district if key[3] in self.authorities else None
        standing = books[key[2]].standing(Relation(*key, district), self.now)
        return standing.channel == POST and not standing.pilots

    def _best(self, cell: Cell) -> str | None:
        """Return the ready channel of the best evidence level."""
        if cell[2] not in self.authorities:
            return None
        verdicts = zip(self.base.channels, self.base.verdicts(cell), strict=True)
        ready = [
            channel for channel, verdict in verdicts if channel != POST and verdict.grade is not Grade.BLOCKED
        ]
        level = {channel: self.app.adapters.channel(channel)[0].level.value for channel in ready}
        return max(ready, key=lambda channel: level[channel], default=None)


def _count(one: Switchable, volume: Volume) -> None:
    one.relations += 1
    one.volume += volume.total
    one.paper += volume.paper
