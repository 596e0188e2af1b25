"""Explicit dialogs as the intermediary follows them."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import Connection, delete, insert, select, update

from adapters.ego_mail.intermediary import tables
from adapters.ego_mail.intermediary.mailboxes import Owner, mark_received
from adapters.ego_mail.osci.cards import format_time
from adapters.ego_mail.osci.envelope import ControlBlock
from adapters.ego_mail.osci.errors import (
    ConversationMismatchError,
    ReplayedChallengeError,
    SequenceMismatchError,
)
from engine.identifiers import IdSource

LIFETIME = timedelta(hours=1)
_T = tables.dialog


@dataclass(frozen=True, slots=True)
class OpenDialog:
    """A dialog in the database."""

    conversation: str
    challenge: str
    sequence: int
    owner: Owner
    fetched: str | None


def new_challenge(ids: IdSource) -> str:
    """Return a fresh challenge."""
    return base64.b64encode(ids.token(16)).decode("ascii")


def new_conversation(ids: IdSource) -> str:
    """Return a fresh conversation id: digits only (order.xsd, Number)."""
    return str(int.from_bytes(ids.token(8), "big"))


def begin(connection: Connection, owner: Owner, ids: IdSource, now: datetime) -> OpenDialog:
    """Open a dialog with a client."""
    dialog = OpenDialog(new_conversation(ids), new_challenge(ids), -1, owner, None)
    connection.execute(delete(_T).where(_T.c.touched < format_time(now - LIFETIME)))
    connection.execute(
        insert(_T).values(
            conversation=dialog.conversation,
            challenge=dialog.challenge,
            sequence=-1,
            cipher=owner.cipher.public_bytes(Encoding.DER),
            signature=None if owner.signature is None else owner.signature.public_bytes(Encoding.DER),
            touched=format_time(now),
        )
    )
    return dialog


def find(connection: Connection, conversation: str, now: datetime) -> OpenDialog:
    """Return an open dialog; raise ConversationMismatchError where there is none."""
    row = connection.execute(select(_T).where(_T.c.conversation == conversation)).first()
    if row is None or row.touched < format_time(now - LIFETIME):
        raise ConversationMismatchError("no such dialog is open")
    owner = Owner(
        x509.load_der_x509_certificate(row.cipher),
        None if row.signature is None else x509.load_der_x509_certificate(row.signature),
    )
    return OpenDialog(row.conversation, row.challenge, row.sequence, owner, row.fetched)


def check_step(dialog: OpenDialog, control: ControlBlock) -> None:
    """Raise DialogError (subclasses) unless ``control`` is the dialog's next step."""
    if control.response != dialog.challenge:
        raise ReplayedChallengeError("the response does not fit the last challenge")
    if control.sequence != dialog.sequence + 1:
        raise SequenceMismatchError(f"step {control.sequence}, expected {dialog.sequence + 1}")


def advance(connection: Connection, dialog: OpenDialog, ids: IdSource, now: datetime) -> str:
    """Go one step on; what was fetched before counts as received now. Returns the next challenge."""
    challenge = new_challenge(ids)
    if dialog.fetched is not None:
        mark_received(connection, dialog.fetched, now)
    connection.execute(
        update(_T)
        .where(_T.c.conversation == dialog.conversation)
        .values(
            challenge=challenge,
            sequence=dialog.sequence + 1,
            fetched=None,
            touched=format_time(now),
        )
    )
    return challenge


def note_fetched(connection: Connection, dialog: OpenDialog, message_id: str) -> None:
    """Remember which delivery the next step will confirm."""
    connection.execute(update(_T).where(_T.c.conversation == dialog.conversation).values(fetched=message_id))


def end(connection: Connection, dialog: OpenDialog) -> None:
    """Close a dialog."""
    connection.execute(delete(_T).where(_T.c.conversation == dialog.conversation))
