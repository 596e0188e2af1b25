"""Shadow sends: a marked test beside a real send, which it neither delays nor changes.

The rows of ``shadow_sends`` and a dispatch without exchange (purpose ``shadow``) are all there is of one: no
fact, no deadline, no entry in the case. What goes wrong is the shadow's result, never an incident.
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update

from engine.clock import local_day
from engine.deadlines.iso import add_period, parse_period
from engine.errors import DienstwegError
from engine.exchange.decision import SHADOW, shadows
from engine.exchange.ports import (
    Document,
    Envelope,
    FormClass,
    Mailbox,
    Prepared,
    Requirements,
    total_size,
)
from engine.migration.shadow import OPEN, State, digests
from engine.migration.synthetic import make_up, make_up_document
from engine.service.directory.authorities import find_authority
from engine.service.directory.mailboxes import find_mailbox
from engine.service.exchanges.blockers import Judge, load_boxes
from engine.service.exchanges.parts import store_prepared
from engine.service.exchanges.rules import load_rules
from engine.service.exchanges.sending import build_envelope, deliver, relation_of
from engine.service.migration.consents import has_consent
from engine.store.tables import (
    arrival_parts,
    arrivals,
    channel_rules,
    dispatch_parts,
    dispatches,
    exchanges,
    shadow_sends,
)
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

JOB, END, HAND_OVER = "shadow", "shadow-end", "test"
"""Kinds of jobs: prepare a shadow and send it; stop waiting, or purge; hand over what is prepared."""
REAL, SYNTHETIC = "real", "synthetic"
_BEGUN = ("prepared", "sending")


def accompany(app: "Installation", tx: Connection, exchange: RowMapping, dispatch: Mapping[str, Any]) -> None:
    """Enqueue the shadows of a real send that was just prepared: once an exchange and channel.

    Only to mailboxes that take tests, never for written form, and not on the channel that carries it anyway.
    """
    if exchange["form"] == FormClass.WRITTEN.value or dispatch["number"] != 1 or not _any(tx, exchange):
        return
    now = app.clock.now()
    relation = relation_of(exchange, find_authority(tx, exchange["recipient_id"]))
    for rule in shadows(load_rules(tx, exchange["authority_id"], relation), relation, now):
        box = find_mailbox(tx, exchange["recipient_id"], rule.channel, local_day(now))
        if rule.channel == dispatch["channel"] or box is None or not box.accepts_test:
            continue
        shadow_id = str(app.ids.new())
        tx.execute(
            insert(shadow_sends).values(
                id=shadow_id,
                authority_id=exchange["authority_id"],
                exchange_id=exchange["id"],
                rule_id=rule.id,
                procedure_key=exchange["procedure_key"],
                element_id=exchange["element_id"],
                recipient_id=exchange["recipient_id"],
                message_type=exchange["message_type"],
                channel=rule.channel,
                state=State.QUEUED.value,
                content=SYNTHETIC,
                test_exchange=str(app.ids.new()),
                created_at=now,
            )
        )
        app.queue.enqueue(
            tx, JOB, {"shadow": shadow_id}, authority_id=exchange["authority_id"], key=f"{JOB}:{shadow_id}"
        )


def _any(tx: Connection, exchange: RowMapping) -> bool:
    """Tell cheaply whether the sender has a shadow rule at all."""
    query = select(channel_rules.c.id).where(
        channel_rules.c.authority_id == exchange["authority_id"], channel_rules.c.stage == SHADOW
    )
    return tx.execute(query.limit(1)).first() is not None


# --- sending ---------------------------------------------------------------------------------------------


def handle_shadow(app: "Installation", job: Job) -> None:
    """Prepare a shadow and hand it over, or go on where an earlier attempt was cut off."""
    shadow_id = job.arguments["shadow"]
    with app.read() as tx:
        row = tx.execute(select(shadow_sends).where(shadow_sends.c.id == shadow_id)).mappings().one()
    if row["state"] == State.QUEUED.value:
        try:
            _prepare(app, row)
        except DienstwegError as error:
            with app.write() as tx:
                _failed(app, tx, shadow_id, str(error))
            return
    with app.read() as tx:
        dispatch = tx.execute(
            select(dispatches)
            .join(shadow_sends, shadow_sends.c.dispatch_id == dispatches.c.id)
            .where(shadow_sends.c.id == shadow_id)
        )
        found = dispatch.mappings().one_or_none()
    if found is not None and found["state"] in _BEGUN:
        deliver(app, dict(found))


def handle_test(app: "Installation", job: Job) -> None:
    """Hand a prepared test over once more, or go on where that was cut off."""
    query = select(dispatches).where(dispatches.c.id == job.arguments["dispatch"])
    with app.read() as tx:
        row = tx.execute(query).mappings().one()
    if row["state"] in _BEGUN:
        deliver(app, dict(row))


def gave_up(app: "Installation", tx: Connection, job: Job, reason: str) -> None:
    """Note that a job about a test failed for good: a result of the test, no incident."""
    if "shadow" in job.arguments:
        _failed(app, tx, job.arguments["shadow"], reason)
    elif "dispatch" in job.arguments:
        gone = dispatches.c.id == job.arguments["dispatch"]
        tx.execute(update(dispatches).where(gone).values(state="failed", reason=reason))
        went(app, tx, job.arguments["dispatch"])


def _prepare(app: "Installation", row: RowMapping) -> None:
    """Build, freeze and record a shadow; what takes long happens outside of any transaction.

    Raises what building or preparing raises, and BlockedError where the channel is not ready for a test.
    """
    dispatch_id = str(app.ids.new())
    now = app.clock.now()
    with app.read() as tx:
        envelope, content = _envelope(app, tx, row, dispatch_id)
        sender, recipient = _mailboxes(app, tx, row, envelope)
    payload, carrier = app.adapters.channel(row["channel"])
    with TemporaryDirectory() as folder:
        parts = payload.build(envelope, recipient, Path(folder))
        prepared = carrier.prepare(envelope, parts, sender, recipient)
        written = digests(
            envelope.message_type.key, envelope.message_type.version, envelope.data, envelope.documents
        )
        with app.write() as tx:
            dispatch = {"id": dispatch_id, "authority_id": row["authority_id"], "channel": row["channel"]}
            note_test(app, tx, dispatch, prepared, SHADOW, level=payload.level.value)
            tx.execute(
                update(shadow_sends)
                .where(shadow_sends.c.id == row["id"])
                .values(state=State.PREPARED.value, dispatch_id=dispatch_id, content=content, sent=written)
            )
            due = add_period(now, parse_period(app.settings.migration.test_wait))
            _later(app, tx, row["authority_id"], {"shadow": row["id"], "then": "wait"}, due)


def note_test(
    app: "Installation",
    tx: Connection,
    dispatch: Mapping[str, Any],
    prepared: Prepared,
    purpose: str,
    *,
    level: str,
    arrival_id: str | None = None,
) -> None:
    """Write the dispatch of a test, frozen; it has no exchange and counts nowhere."""
    frozen = store_prepared(app, tx, dispatch, prepared)
    tx.execute(
        insert(dispatches).values(
            **dispatch,
            **frozen,
            exchange_id=None,
            arrival_id=arrival_id,
            purpose=purpose,
            number=1,
            state="prepared",
            intended_channel=dispatch["channel"],
            decision={},
            level=level,
            copy=False,
            test=True,
            created_at=app.clock.now(),
            attempts=0,
        )
    )


class BlockedError(DienstwegError):
    """The channel cannot carry a test now."""


def _mailboxes(
    app: "Installation", tx: Connection, row: RowMapping, envelope: Envelope
) -> tuple[Mailbox, Mailbox]:
    """Return own and recipient's mailbox; raise BlockedError where one is closed or a test cannot go."""
    today = local_day(app.clock.now())
    sender, recipient, channel = row["authority_id"], row["recipient_id"], row["channel"]
    boxes = load_boxes(tx, {sender, recipient})
    wanted = Requirements(
        message_type=envelope.message_type,
        form=envelope.form,
        total_bytes=total_size(envelope.documents),
        media_types=tuple(document.media_type for document in envelope.documents),
        on=today,
        test=True,
    )
    own, theirs = boxes.open(sender, channel, today), boxes.open(recipient, channel, today)
    blockers = Judge(app.adapters, boxes).blockers(channel, sender, recipient, wanted)
    if blockers:
        raise BlockedError("; ".join(f"{each.message} [{each.code}]" for each in blockers))
    if own is None:
        raise BlockedError(f"no own mailbox on {channel} for the receipt")
    if theirs is None or not theirs.accepts_test:
        raise BlockedError(f"the recipient's mailbox on {channel} takes no tests")
    return own, theirs


def _envelope(app: "Installation", tx: Connection, row: RowMapping, dispatch_id: str) -> tuple[Envelope, str]:
    """Return what the test says: made-up content, or the real one where both authorities agreed."""
    exchange = tx.execute(select(exchanges).where(exchanges.c.id == row["exchange_id"])).mappings().one()
    real = build_envelope(app, tx, exchange, dispatch_id)
    agreed = has_consent(tx, row["authority_id"], row["recipient_id"], local_day(app.clock.now()))
    if agreed:
        subject, data, documents = real.subject, real.data, real.documents
    else:
        source = random.Random(app.ids.token(16))
        subject = real.message_type.title
        data = make_up(real.message_type.schema, real.data, source)
        documents = _made_up(real.documents)
    envelope = Envelope(
        exchange_id=row["test_exchange"],
        dispatch_id=dispatch_id,
        installation=real.installation,
        message_type=real.message_type,
        sender=real.sender,
        recipient=real.recipient,
        own_reference=f"TEST-{row['test_exchange'][:8]}",
        partner_reference=None,
        subject=subject,
        data=data,
        documents=documents,
        form=real.form,
        created=app.clock.now(),
        test=True,
    )
    return envelope, REAL if agreed else SYNTHETIC


def _made_up(documents: Sequence[Document]) -> list[Document]:
    return [
        make_up_document(number, document.name, document.media_type, document.size)
        for number, document in enumerate(documents, 1)
    ]


# --- what became of it -----------------------------------------------------------------------------------

_OF_DISPATCH: Mapping[str, State] = {
    "handed_over": State.SENT,
    "outcome_unknown": State.UNKNOWN,
    "failed": State.FAILED,
}


def went(app: "Installation", tx: Connection, dispatch_id: str) -> None:
    """Take over into the shadow what its dispatch came to; a receipt that was faster stays."""
    dispatch = tx.execute(select(dispatches).where(dispatches.c.id == dispatch_id)).mappings().one()
    state = _OF_DISPATCH.get(dispatch["state"])
    if state is None:
        return
    waiting = (State.PREPARED.value, State.UNKNOWN.value)
    tx.execute(
        update(shadow_sends)
        .where(shadow_sends.c.dispatch_id == dispatch_id, shadow_sends.c.state.in_(waiting))
        .values(state=state.value, handed_over_at=dispatch["handed_over_at"], reason=dispatch["reason"])
    )
    if state is State.FAILED:
        shadow_id = tx.scalar(select(shadow_sends.c.id).where(shadow_sends.c.dispatch_id == dispatch_id))
        if shadow_id is not None:
            keep(app, tx, dispatch["authority_id"], {"shadow": shadow_id})


def _failed(app: "Installation", tx: Connection, shadow_id: str, reason: str) -> None:
    open_ = [state.value for state in OPEN]
    tx.execute(
        update(shadow_sends)
        .where(shadow_sends.c.id == shadow_id, shadow_sends.c.state.in_(open_))
        .values(state=State.FAILED.value, reason=reason)
    )


def keep(app: "Installation", tx: Connection, authority_id: str, what: Mapping[str, str]) -> None:
    """Enqueue the purge of a test's content after the time it is kept."""
    due = add_period(app.clock.now(), parse_period(app.settings.migration.test_keep))
    _later(app, tx, authority_id, {**what, "then": "purge"}, due)


def _later(
    app: "Installation", tx: Connection, authority_id: str, arguments: Mapping[str, str], due: Any
) -> None:
    key = ":".join([END, *arguments.values()])
    app.queue.enqueue(tx, END, arguments, authority_id=authority_id, key=key, due=due)


def handle_end(app: "Installation", tx: Connection, job: Job) -> None:
    """Stop waiting for a test's receipt, or purge what is left of a test that went out or came in."""
    arrival_id, shadow_id = job.arguments.get("arrival"), job.arguments.get("shadow")
    now = app.clock.now()
    if arrival_id is not None:
        tx.execute(delete(arrival_parts).where(arrival_parts.c.arrival_id == arrival_id))
        tx.execute(update(arrivals).where(arrivals.c.id == arrival_id).values(references=[], remarks=[]))
        return
    row = tx.execute(select(shadow_sends).where(shadow_sends.c.id == shadow_id)).mappings().one()
    if job.arguments["then"] == "wait":
        if row["state"] in [state.value for state in OPEN]:
            reason = row["reason"] or "no receipt came"
            _end(tx, row, state=State.NO_RECEIPT.value, reason=reason)
            keep(app, tx, row["authority_id"], {"shadow": row["id"]})
        return
    if row["dispatch_id"] is not None:
        tx.execute(delete(dispatch_parts).where(dispatch_parts.c.dispatch_id == row["dispatch_id"]))
        tx.execute(update(dispatches).where(dispatches.c.id == row["dispatch_id"]).values(prepared=None))
    _end(tx, row, purged_at=now)


def _end(tx: Connection, row: RowMapping, **values: Any) -> None:
    tx.execute(update(shadow_sends).where(shadow_sends.c.id == row["id"]).values(**values))
