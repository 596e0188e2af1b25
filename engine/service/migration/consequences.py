"""What a change of channel means for deadlines: from the model's deadlines and the channels' facts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from engine.clock import local_day
from engine.deadlines.rules_reading import load_rules
from engine.exchange.registry import UnknownChannelError
from engine.migration.consequences import Hanging, Way, course, hanging, proofs
from engine.service.deadlines.facts import way_of
from engine.service.migration.effects import CHANGES, FALLS_BACK, Effects
from engine.service.migration.receipts import facts_of_channel
from engine.service.programs import latest_version

if TYPE_CHECKING:
    from engine.service.installation import Installation


@dataclass(frozen=True, slots=True)
class Consequence:
    """How one thing that hangs on a step's sends differs on the new channel."""

    procedure_key: str
    element_id: str | None
    """None: every step of the procedure that moves."""
    about: str
    """A deadline's rule and where it stands, or ``proofs``."""
    before_channel: str
    before: str
    after_channel: str
    after: str


PROOFS = "proofs"


def find_consequences(app: "Installation", tx: Connection, effects: Effects) -> Sequence[Consequence]:
    """Return for every step whose channel changes what changes for its deadlines.

    Shadow sends change nothing: they start no deadline.
    """
    moved = dict.fromkeys(
        (effect.relation.procedure_key, effect.relation.element_id, old, new)
        for effect in effects.relations
        if effect.verdict in (CHANGES, FALLS_BACK)
        for old in effect.before_channels
        for new in effect.after_channels
        if old != new and new not in effect.before_channels
    )
    ways: dict[str, Way | None] = {}
    found: list[Consequence] = []
    told = set()
    for procedure, step, old, new in moved:
        for channel in (old, new):
            if channel not in ways:
                ways[channel] = _way(app, channel)
        was, becomes = ways[old], ways[new]
        if was is None or becomes is None:
            continue
        if (procedure, old, new) not in told:
            told.add((procedure, old, new))
            found.append(Consequence(procedure, None, PROOFS, old, proofs(was), new, proofs(becomes)))
        found += _of_step(app, tx, effects, procedure, step, was, becomes)
    return found


def _way(app: "Installation", channel: str) -> Way | None:
    try:
        return Way(channel, way_of(channel), facts_of_channel(app, channel))
    except (UnknownChannelError, ValueError):
        return None  # held back, or a channel whose adapter is not installed any more


def _of_step(
    app: "Installation", tx: Connection, effects: Effects, procedure: str, step: str, was: Way, becomes: Way
) -> Iterator[Consequence]:
    day = local_day(effects.at)
    nodes = app.programs.nodes(tx, latest_version(tx, procedure))
    here: list[Hanging] = [each for each in hanging(nodes) if each.send_element == step]
    for each in here:
        rule = load_rules().get(each.rule)
        yield Consequence(
            procedure,
            step,
            f"{each.rule} at {each.where}",
            was.channel,
            course(rule, each.basis, was, day),
            becomes.channel,
            course(rule, each.basis, becomes, day),
        )
