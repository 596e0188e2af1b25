"""What a deadline of a case follows from: the facts of its exchange, or the arrival its case began with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, bindparam, select

from engine.deadlines.bases import STARTED_BY
from engine.deadlines.facts import Derived, Fact, Plan, derive
from engine.deadlines.iso import zone_of
from engine.deadlines.rules import Basis, Channel, How, Rule
from engine.deadlines.rules_reading import load_rules
from engine.deadlines.text import Text
from engine.errors import RefusedError
from engine.exchange.ports import split_channel
from engine.service.deadlines.rows import Kept
from engine.store.prepared import Prepared
from engine.store.tables import arrivals, dispatches, exchanges, facts

if TYPE_CHECKING:
    from engine.service.installation import Installation

_FACTS = Prepared(
    select(facts.c.kind, facts.c.at, facts.c.evidence_id)
    .where(facts.c.exchange_id == bindparam("exchange"), facts.c.withdrawn_at.is_(None))
    .order_by(facts.c.at, facts.c.id)
)
_CHANNEL = Prepared(
    select(dispatches.c.channel)
    .where(dispatches.c.exchange_id == bindparam("exchange"), dispatches.c.state != "failed")
    .order_by(dispatches.c.number)
    .limit(1)
)
_RECIPIENT = Prepared(select(exchanges.c.recipient_id).where(exchanges.c.id == bindparam("exchange")))
_ARRIVAL = Prepared(select(arrivals.c.received_at).where(arrivals.c.id == bindparam("arrival")))

_NOT_SENT = Text("Die Nachricht ist noch nicht entstanden.", "The message has not been made yet.")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the message a deadline hangs on."""

    facts: Sequence[Fact] = ()
    channel: Channel | None = None
    recipient_id: str | None = None


def conclude(app: "Installation", tx: Connection, kept: Kept) -> Derived:
    """Return the end that the facts known now lead to, or what is missing for it.

    What the rule refuses (it was not in force, it is not about this way of sending) leaves the deadline
    unarmed and says so: nobody who records a fact is kept from it.
    """
    if kept.exchange_id is None and kept.arrival_id is None:
        return Derived(None, missing=_NOT_SENT)
    known = _known(tx, kept)
    settings = app.settings.deadlines
    calendar = settings.calendars.for_authority(kept.authority_id)
    recipient = settings.calendars.for_authority(known.recipient_id or kept.authority_id)
    rule = load_rules().get(kept.deadline.rule)
    plan, started = _plan(rule, kept, known, calendar.zone)
    try:
        found = derive(
            load_rules(), plan, known.facts, calendar, settings.open_questions, recipient=recipient
        )
    except RefusedError as error:
        return Derived(None, missing=Text(str(error), str(error)))
    if started is not None and found.explanation is not None and started.evidence is not None:
        return Derived(found.explanation, (started.evidence,))
    return found


def _plan(rule: Rule, kept: Kept, known: Known, zone: str) -> tuple[Plan, Fact | None]:
    """Return what is asked for; for a rule without a start of its own also the fact that starts it."""
    channel = known.channel if rule.how is How.NOTIFICATION else None
    plan = Plan(rule.id, kept.period, channel=channel)
    if "given" not in rule.starts.values():
        return plan, None
    kinds = STARTED_BY.get(Basis(kept.basis), ())
    started = next((fact for fact in known.facts if fact.kind in kinds), None)
    if started is None:
        return plan, None
    start = started.at if rule.how is How.HOURS else started.at.astimezone(zone_of(zone)).date()
    return Plan(rule.id, kept.period, start=start), started


def _known(tx: Connection, kept: Kept) -> Known:
    if kept.exchange_id is None:
        arrival = _ARRIVAL.first(tx, arrival=kept.arrival_id)
        here = [] if arrival is None else [Fact("received", arrival.received_at, kept.arrival_id)]
        return Known(here, recipient_id=kept.authority_id)
    found = [Fact(row.kind, row.at, row.evidence_id) for row in _FACTS.all(tx, exchange=kept.exchange_id)]
    sent = _CHANNEL.first(tx, exchange=kept.exchange_id)
    recipient = _RECIPIENT.first(tx, exchange=kept.exchange_id)
    return Known(
        found,
        None if sent is None else way_of(sent.channel),
        None if recipient is None else recipient.recipient_id,
    )


def way_of(channel: str) -> Channel:
    """Return how the law sees a channel: what a postman carries, or electronic."""
    return Channel.POST if split_channel(channel)[1] == "post" else Channel.ELECTRONIC
