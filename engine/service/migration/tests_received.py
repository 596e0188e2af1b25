"""Tests that arrive: filed without case or deadline, answered with digests; and the answers to own tests."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, select, update

from engine.clock import local_day
from engine.exchange.ports import Assurance, Envelope, FormClass, Mailbox, Prepared, Reading
from engine.migration.shadow import OPEN, PROBE, RECEIPT, State, compare, digests
from engine.service.directory.authorities import find_authority
from engine.service.directory.mailboxes import find_mailbox
from engine.service.migration.shadow import HAND_OVER, keep, note_test
from engine.store.tables import arrivals, dispatches, shadow_sends

if TYPE_CHECKING:
    from engine.service.installation import Installation

TEST = "test"
"""Status of an arrival that is a test, or about one."""
ANSWER = "test-receipt"
"""Purpose of the dispatch that brings digests back."""
_LATE = (*OPEN, State.NO_RECEIPT, State.RECEIVED)
"""States in which what the receiver says still counts."""


def is_test(tx: Connection, arrival: RowMapping, reading: Reading) -> bool:
    """Tell whether an arrival is a test, or confirms an own one without repeating the mark."""
    if reading.test:
        return True
    return reading.confirmation is not None and _confirmed(tx, arrival, reading) is not None


def take(app: "Installation", arrival: RowMapping, reading: Reading) -> None:
    """File an arrival that is a test: no case, no deadline, nothing for a clerk, content purged later.

    What a receiver reports of an own test is compared. Any other test is answered with digests, where the own
    mailbox takes tests and its sender has one on the same channel.
    """
    answer = _answer_to(app, arrival, reading)
    with app.write() as tx:
        state = select(arrivals.c.status).where(arrivals.c.id == arrival["id"]).with_for_update()
        if tx.scalar(state) != "new":
            return
        if reading.confirmation is not None:
            reason = _note_confirmation(app, tx, arrival, reading)
        elif reading.message_type == RECEIPT.key:
            reason = _note_receipt(app, tx, arrival, reading)
        elif isinstance(answer, str):
            reason = answer
        else:
            reason = _reply(app, tx, arrival, answer)
        sender = arrival["sender_id"] or reading.sender_id
        tx.execute(
            update(arrivals)
            .where(arrivals.c.id == arrival["id"])
            .values(
                status=TEST,
                test=True,
                reason=reason,
                message_type=reading.message_type,
                message_version=reading.version,
                claimed_sender_id=sender,
            )
        )
        keep(app, tx, arrival["authority_id"], {"arrival": arrival["id"]})


# --- answering a test ------------------------------------------------------------------------------------


def _answer_to(app: "Installation", arrival: RowMapping, reading: Reading) -> tuple[Prepared, str, str] | str:
    """Prepare the digest receipt of a test, outside of any transaction; text: why there is none."""
    if reading.confirmation is not None or reading.message_type == RECEIPT.key:
        return "about an own test"
    with app.read() as tx:
        found = _way_back(app, tx, arrival, reading)
        if isinstance(found, str):
            return found
        own, back = found
        dispatch_id = str(app.ids.new())
        envelope = _receipt(app, tx, arrival, reading, back, dispatch_id)
    payload, carrier = app.adapters.channel(arrival["channel"])
    with TemporaryDirectory() as place:
        parts = payload.build(envelope, back, Path(place))
        prepared = carrier.prepare(envelope, parts, own, back)
        kept = _in_store(app, prepared)
    return kept, dispatch_id, payload.level.value


def _in_store(app: "Installation", prepared: Prepared) -> Prepared:
    """Return what was prepared with its files in the document store, from where they can be frozen."""
    parts = []
    for part in prepared.parts:
        with part.path.open("rb") as source:
            blob = app.documents.put(source)
        parts.append(replace(part, path=app.documents.local_path(blob.sha256)))
    return replace(prepared, parts=tuple(parts))


def _way_back(
    app: "Installation", tx: Connection, arrival: RowMapping, reading: Reading
) -> tuple[Mailbox, Mailbox] | str:
    today = local_day(app.clock.now())
    channel = arrival["channel"]
    own = find_mailbox(tx, arrival["authority_id"], channel, today)
    if own is None or not own.accepts_test:
        return "not answered: the own mailbox takes no tests"
    sender = arrival["sender_id"] or reading.sender_id
    back = find_mailbox(tx, sender, channel, today) if sender else None
    if back is None:
        return f"not answered: {sender or 'an unknown sender'} has no open mailbox on {channel}"
    if not reading.sender_exchange:
        return "not answered: the test does not say which one it is"
    return own, back


def _receipt(
    app: "Installation",
    tx: Connection,
    arrival: RowMapping,
    reading: Reading,
    back: Mailbox,
    dispatch_id: str,
) -> Envelope:
    found = digests(reading.message_type, reading.version, reading.data, reading.documents)
    return Envelope(
        exchange_id=dispatch_id,
        dispatch_id=dispatch_id,
        installation=app.settings.code,
        message_type=RECEIPT,
        sender=find_authority(tx, arrival["authority_id"]).party(),
        recipient=find_authority(tx, back.authority_id).party(),
        own_reference=f"TEST-{dispatch_id[:8]}",
        partner_reference=reading.sender_reference,
        subject=RECEIPT.title,
        data={PROBE: str(reading.sender_exchange), **found},
        documents=(),
        form=FormClass.NONE,
        created=app.clock.now(),
        answer_to=reading.sender_exchange,
        test=True,
    )


def _reply(
    app: "Installation", tx: Connection, arrival: RowMapping, answer: tuple[Prepared, str, str]
) -> str:
    prepared, dispatch_id, level = answer
    sent = select(dispatches.c.id).where(
        dispatches.c.arrival_id == arrival["id"], dispatches.c.purpose == ANSWER
    )
    if tx.execute(sent).first() is None:
        dispatch = {
            "id": dispatch_id,
            "authority_id": arrival["authority_id"],
            "channel": arrival["channel"],
        }
        note_test(app, tx, dispatch, prepared, ANSWER, level=level, arrival_id=arrival["id"])
        app.queue.enqueue(
            tx,
            HAND_OVER,
            {"dispatch": dispatch_id},
            authority_id=arrival["authority_id"],
            key=f"{HAND_OVER}:{dispatch_id}",
        )
    return "answered with digests"


# --- answers to own tests --------------------------------------------------------------------------------


def _note_receipt(app: "Installation", tx: Connection, arrival: RowMapping, reading: Reading) -> str:
    """Compare what the receiver read with what was sent."""
    found = _own(tx, arrival, [str(reading.data.get(PROBE))])
    if found is None:
        return "about no test that was sent from here"
    if not _from(arrival, reading, found["recipient_id"]):
        return f"not from {found['recipient_id']}, whom the test was sent to"
    reported = {key: value for key, value in reading.data.items() if key != PROBE}
    differences = compare(found["sent"] or {}, reported)
    state = State.DIFFERENT if differences else State.EQUAL
    _conclude(app, tx, found, state, None, reported, differences)
    return f"test {found['id'][:8]}: {state.value}"


def _note_confirmation(app: "Installation", tx: Connection, arrival: RowMapping, reading: Reading) -> str:
    """Note the standard's own confirmation of a test; a digest receipt says more and is waited for."""
    found = _confirmed(tx, arrival, reading)
    if found is None or reading.confirmation is None:
        return "confirms no test that was sent from here"
    if not _from(arrival, reading, found["recipient_id"]):
        return f"not from {found['recipient_id']}, whom the test was sent to"
    if reading.confirmation.kind == "rejected":
        reason = f"refused by the recipient: {reading.confirmation.reason or 'no reason given'}"
        _conclude(app, tx, found, State.FAILED, reason, None, None)
        return reason
    values = {"state": State.RECEIVED.value} if found["state"] == State.NO_RECEIPT.value else {}
    told = "the recipient's system confirmed it"
    tx.execute(
        update(shadow_sends)
        .where(shadow_sends.c.id == found["id"], shadow_sends.c.compared_at.is_(None))
        .values(reason=told, **values)
    )
    return f"test {found['id'][:8]}: {told}"


def _conclude(
    app: "Installation",
    tx: Connection,
    found: RowMapping,
    state: State,
    reason: str | None,
    reported: Mapping[str, Any] | None,
    differences: Sequence[str] | None,
) -> None:
    """Write a shadow's result, once; what was compared stays compared."""
    if found["state"] not in [each.value for each in _LATE]:
        return
    tx.execute(
        update(shadow_sends)
        .where(shadow_sends.c.id == found["id"])
        .values(
            state=state.value,
            reason=reason,
            reported=reported,
            differences=differences,
            compared_at=app.clock.now(),
        )
    )
    keep(app, tx, found["authority_id"], {"shadow": found["id"]})


def _confirmed(tx: Connection, arrival: RowMapping, reading: Reading) -> RowMapping | None:
    return _own(tx, arrival, [reference.value for reference in reading.references])


def _own(tx: Connection, arrival: RowMapping, named: Sequence[str]) -> RowMapping | None:
    query = select(shadow_sends).where(
        shadow_sends.c.authority_id == arrival["authority_id"],
        shadow_sends.c.test_exchange.in_(named) | shadow_sends.c.dispatch_id.in_(named),
    )
    return tx.execute(query.limit(1)).mappings().first()


def _from(arrival: RowMapping, reading: Reading, expected: str) -> bool:
    """Tell whether it comes from whom it should; an authenticated sender is believed before the content."""
    known = arrival["assurance"] != Assurance.NONE.value and arrival["sender_id"]
    return (known or reading.sender_id) == expected
