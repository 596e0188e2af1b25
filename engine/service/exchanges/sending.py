"""The send job: decide the channel, freeze the bytes, hand over, record. Never twice, never silently.

Three transactions with the outside world between them: (1) decision, parts and carrier ids are committed
(``prepared``); (2) the dispatch is marked ``sending``; the carrier is called; (3) the outcome is recorded.
A process that dies in between finds the dispatch as it left it and asks the carrier (``resolve``).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from engine.clock import local_day
from engine.documents import StoredDocument
from engine.exchange.decision import POST, Decision, Relation, Rule, decide, decide_by_hand
from engine.exchange.ports import (
    Blocker,
    Envelope,
    FormClass,
    Mailbox,
    Rejected,
    Requirements,
    split_channel,
    total_size,
)
from engine.service.directory.authorities import Authority, find_authority
from engine.service.directory.mailboxes import find_mailbox
from engine.service.exchanges import outcomes, signing
from engine.service.exchanges.blockers import Judge, letter_box, load_boxes
from engine.service.exchanges.parts import columns_of, load_prepared, store_prepared
from engine.service.exchanges.rules import load_rules
from engine.service.migration.spared import note_spared, price_letter
from engine.service.stories import read_head
from engine.store.tables import (
    arrivals,
    cases,
    dispatches,
    exchange_documents,
    exchanges,
)
from engine.work.ports import Job

if TYPE_CHECKING:
    from engine.service.installation import Installation

BEGUN = ("prepared", "sending")


def handle_send(app: "Installation", job: Job) -> None:
    """Bring one exchange on its way, or go on where an earlier attempt was cut off."""
    from engine.service.migration import shadow

    exchange_id = job.arguments["exchange"]
    with app.write() as tx:
        _lock_case_of(tx, exchange_id)
        exchange = _exchange(tx, exchange_id)
        latest = _latest_dispatch(tx, exchange_id)
        asked = bool(job.arguments.get("copy")) and latest is not None and not latest["copy"]
        if exchange["status"] in ("withdrawn", "held") or (_settled(latest) and not asked):
            return
        if latest is None or latest["state"] == "failed" or asked:
            failed = _failed_channels(tx, exchange_id)
            copy = asked or (latest is not None and latest["copy"])
            latest = _prepare(app, tx, exchange, failed, copy=copy)
            if latest is None:
                return
            shadow.accompany(app, tx, exchange, latest)
        if latest["state"] == "prepared" and signing.is_signed(latest):
            latest = _assemble(app, tx, exchange, latest)
            if latest is None:
                return
    app.probe("prepared")
    if latest["state"] == signing.AWAITING:
        return
    deliver(app, latest)


def _settled(latest: Mapping[str, Any] | None) -> bool:
    return latest is not None and latest["state"] in ("handed_over", "outcome_unknown")


def deliver(app: "Installation", dispatch: Mapping[str, Any]) -> None:
    """Hand a prepared dispatch to its carrier, or find out what an interrupted hand-over came to."""
    _, carrier_name = split_channel(dispatch["channel"])
    carrier = app.adapters.carrier(carrier_name)
    with app.read() as tx:
        prepared = load_prepared(app, tx, dispatch)
    letter = price_letter(app, dispatch)
    if dispatch["state"] == "sending":
        outcome = carrier.resolve(prepared)
        if outcomes.did_not_go(outcome):
            outcome = carrier.transmit(prepared)
    else:
        with app.write() as tx:
            marked = tx.execute(
                update(dispatches)
                .where(dispatches.c.id == dispatch["id"], dispatches.c.state == "prepared")
                .values(state="sending", attempts=dispatches.c.attempts + 1)
            )
        if marked.rowcount != 1:
            return  # another worker has it in its hands; its own job sees to it
        app.probe("sending")
        outcome = carrier.transmit(prepared)
    app.probe("transmitted")
    with app.write() as tx:
        outcomes.record(app, tx, dispatch["id"], outcome)
        note_spared(tx, dispatch["exchange_id"], outcome, letter)
    app.probe("recorded")


def _lock_case_of(tx: Connection, exchange_id: str) -> None:
    """Lock the exchange's case first: whoever holds a case may want its exchanges, never the other way."""
    read_head(tx, tx.execute(select(exchanges.c.case_id).where(exchanges.c.id == exchange_id)).scalar_one())


def _exchange(tx: Connection, exchange_id: str) -> RowMapping:
    return (
        tx.execute(select(exchanges).where(exchanges.c.id == exchange_id).with_for_update()).mappings().one()
    )


def _latest_dispatch(tx: Connection, exchange_id: str) -> Mapping[str, Any] | None:
    row = (
        tx.execute(
            select(dispatches)
            .where(dispatches.c.exchange_id == exchange_id)
            .order_by(dispatches.c.number.desc())
            .limit(1)
        )
        .mappings()
        .one_or_none()
    )
    return dict(row) if row is not None else None


def _failed_channels(tx: Connection, exchange_id: str) -> list[str]:
    rows = tx.execute(
        select(dispatches.c.channel).where(
            dispatches.c.exchange_id == exchange_id, dispatches.c.state == "failed"
        )
    )
    return [row.channel for row in rows]


def _prepare(
    app: "Installation", tx: Connection, exchange: RowMapping, failed: list[str], *, copy: bool
) -> Mapping[str, Any] | None:
    """Decide, build, freeze and record a dispatch; without a channel the exchange is held for a clerk.

    A copy, for which a clerk has asked, goes by post and nowhere else.
    """
    now = app.clock.now()
    decision = decide_channel(app, tx, exchange, failed, at=now, by_hand=POST if copy else None)
    if decision.channel is None:
        outcomes.hold(app, tx, exchange, decision, copy=copy)
        return None
    earlier = select(dispatches.c.id).where(dispatches.c.exchange_id == exchange["id"])
    number = 1 + len(tx.execute(earlier).all())
    owner = {"authority_id": exchange["authority_id"]}
    dispatch_id = str(app.ids.new())
    envelope = build_envelope(app, tx, exchange, dispatch_id, copy=copy)
    payload, carrier = app.adapters.channel(decision.channel)
    today = local_day(now)
    sender = find_mailbox(tx, exchange["authority_id"], decision.channel, today)
    recipient = recipient_mailbox(tx, exchange["recipient_id"], decision.channel, today)
    if recipient is None:
        raise RuntimeError("the decision chose a channel without a mailbox")
    written = exchange["form"] == FormClass.WRITTEN.value
    plan = signing.plan(app, carrier, sender, recipient) if written else signing.Plan.NOTHING
    with TemporaryDirectory() as folder:
        parts = payload.build(envelope, recipient, Path(folder))
        if plan is signing.Plan.FILES:
            prepared = signing.unsigned(envelope, parts, carrier, sender, recipient)
        else:
            prepared = carrier.prepare(envelope, parts, sender, recipient)
        frozen = store_prepared(app, tx, {"id": dispatch_id, **owner}, prepared)
    row: dict[str, Any] = {
        "id": dispatch_id,
        **owner,
        **frozen,
        "exchange_id": exchange["id"],
        "arrival_id": None,
        "purpose": "message",
        "number": number,
        "channel": decision.channel,
        "state": "prepared" if plan is signing.Plan.NOTHING else signing.AWAITING,
        "intended_channel": decision.intended,
        "decision": asdict(decision),
        "level": payload.level.value,
        "copy": copy,
        "test": False,
        "created_at": now,
        "attempts": 0,
        "rule_id": decision.rule_id,
    }
    tx.execute(insert(dispatches).values(**row))
    if row["state"] == signing.AWAITING:
        signing.ask(app, tx, exchange, dispatch_id, plan)
    return row


def _assemble(
    app: "Installation", tx: Connection, exchange: RowMapping, dispatch: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """Let the carrier prepare what was signed; None where the channel is not ready any more.

    The terms are looked at again: days may have passed since the files were frozen.
    """
    now, channel = app.clock.now(), dispatch["channel"]
    today = local_day(now)
    decision = decide_channel(app, tx, exchange, at=now, by_hand=channel, why="signed for it")
    recipient = recipient_mailbox(tx, exchange["recipient_id"], channel, today)
    if decision.channel is None or recipient is None:
        reasons = [reason for seen in decision.considered for reason in seen.reasons]
        outcomes.record(app, tx, dispatch["id"], Rejected("; ".join(reasons)))
        return None
    _, carrier = app.adapters.channel(channel)
    envelope = build_envelope(app, tx, exchange, dispatch["id"], copy=dispatch["copy"])
    parts = load_prepared(app, tx, dispatch).parts
    sender = find_mailbox(tx, exchange["authority_id"], channel, today)
    ready = columns_of(carrier.prepare(envelope, parts, sender, recipient))
    app.probe("assembled")
    tx.execute(update(dispatches).where(dispatches.c.id == dispatch["id"]).values(**ready))
    return {**dispatch, **ready}


def exchange_files(app: "Installation", tx: Connection, exchange_id: str) -> list[StoredDocument]:
    """Return the documents that travel with an exchange, in order."""
    rows = tx.execute(
        select(exchange_documents)
        .where(exchange_documents.c.exchange_id == exchange_id)
        .order_by(exchange_documents.c.position)
    ).mappings()
    return [
        StoredDocument(row["name"], row["media_type"], row["sha256"], row["size"], app.documents)
        for row in rows
    ]


def decide_channel(
    app: "Installation",
    tx: Connection,
    exchange: Mapping[Any, Any],
    failed: Sequence[str] | None = None,
    *,
    rules: Sequence[Rule] | None = None,
    at: datetime | None = None,
    by_hand: str | None = None,
    why: str = "a clerk asked for a copy",
) -> Decision:
    """Decide by rules, law, mailboxes and the adapters' own checks; nothing is changed.

    Everything is decided for one instant, ``at`` (UTC; now, by this process's clock). ``failed`` are channels
    that were tried (None: look them up), ``rules`` those of the sender (None: as they are stored).
    ``by_hand`` is a channel that is given, and ``why``: then no rule is asked.
    """
    at = at or app.clock.now()
    case = tx.execute(select(cases).where(cases.c.id == exchange["case_id"])).mappings().one()
    message_type = app.programs.message_type(tx, case["version_id"], exchange["message_type"])
    files = exchange_files(app, tx, exchange["id"])
    today = local_day(at)
    requirements = Requirements(
        message_type=message_type,
        form=FormClass(exchange["form"]),
        total_bytes=total_size(files),
        media_types=tuple(file.media_type for file in files),
        on=today,
        sizes=tuple(file.size for file in files),
    )
    sender, recipient = exchange["authority_id"], exchange["recipient_id"]
    boxes = load_boxes(tx, {sender, recipient})
    judge = Judge(app.adapters, boxes)

    def check(channel: str) -> list[Blocker]:
        return judge.blockers(channel, sender, recipient, requirements)

    if by_hand is not None:
        return decide_by_hand(by_hand, why, check)
    relation = relation_of(exchange, boxes.authorities[recipient])
    return decide(
        load_rules(tx, sender, relation) if rules is None else rules,
        relation,
        exchange["case_id"],
        exchange["fallback"],
        at,
        check,
        _failed_channels(tx, exchange["id"]) if failed is None else failed,
        boxes.channels_of(recipient, today),
    )


def relation_of(exchange: Mapping[Any, Any], recipient: Authority) -> Relation:
    """Return the relation an exchange belongs to, with the recipient's district."""
    return Relation(
        exchange["procedure_key"],
        exchange["element_id"],
        exchange["authority_id"],
        exchange["recipient_id"],
        recipient.district,
    )


def recipient_mailbox(tx: Connection, authority_id: str, channel: str, on: date) -> Mailbox | None:
    """Return the recipient's mailbox; everybody has a letter box, recorded as a mailbox or not."""
    found = find_mailbox(tx, authority_id, channel, on)
    if found is not None or channel != POST:
        return found
    return letter_box(find_authority(tx, authority_id))


def build_envelope(
    app: "Installation", tx: Connection, exchange: RowMapping, dispatch_id: str, *, copy: bool = False
) -> Envelope:
    """Gather what a payload needs to know of an exchange."""
    case = tx.execute(select(cases).where(cases.c.id == exchange["case_id"])).mappings().one()
    own_answer_to = None
    if exchange["own_answer_to"]:
        own_answer_to = tx.scalar(
            select(arrivals.c.exchange_id).where(arrivals.c.id == exchange["own_answer_to"])
        )
    return Envelope(
        exchange_id=exchange["id"],
        dispatch_id=dispatch_id,
        installation=app.settings.code,
        message_type=app.programs.message_type(tx, case["version_id"], exchange["message_type"]),
        sender=find_authority(tx, exchange["authority_id"]).party(),
        recipient=find_authority(tx, exchange["recipient_id"]).party(),
        own_reference=case["own_reference"],
        partner_reference=case["partner_reference"],
        subject=exchange["subject"],
        data=exchange["data"],
        documents=exchange_files(app, tx, exchange["id"]),
        form=FormClass(exchange["form"]),
        created=exchange["created_at"],
        answer_to=exchange["answer_to"],
        own_answer_to=own_answer_to,
        reminds=exchange["reminds"],
        answer_due=exchange["answer_due"],
        copy=copy,
    )
