"""What the intermediary keeps: message ids, deliveries with their process cards, and mailboxes."""

import base64
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import ColumnElement, Connection, Row, Select, insert, or_, select, update

from adapters.ego_mail.intermediary import tables
from adapters.ego_mail.osci import xml
from adapters.ego_mail.osci.cards import ProcessCard, Timestamp, format_time, parse_time, read_card
from adapters.ego_mail.osci.keys import fingerprint, subject
from adapters.ego_mail.osci.mime import OutPart
from adapters.ego_mail.osci.orders import Order
from adapters.ego_mail.osci.roles import (
    ADDRESSEE_CIPHER,
    ORIGINATOR_CIPHER,
    ORIGINATOR_SIGNATURE,
    Certificates,
    read_block,
    write_blocks,
)
from adapters.ego_mail.osci.selection import ById, ByModification, ByReception, Rule, Side
from adapters.ego_mail.osci.streams import FileBlob, chunks
from adapters.ego_mail.osci.wire import Incoming
from engine.identifiers import IdSource

_D = tables.delivery


@dataclass(frozen=True, slots=True)
class Owner:
    """A client as the mailboxes know it."""

    cipher: x509.Certificate
    signature: x509.Certificate | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A delivery to hand out."""

    card: ProcessCard
    certificates: Certificates
    package: xml.Element
    headers: Sequence[xml.Element]
    parts: Sequence[OutPart]


def issue_message_id(connection: Connection, ids: IdSource, now: datetime) -> str:
    """Make a MessageId that never came before."""
    # Readable when decoded: other libraries take the decoded bytes for text.
    value = base64.b64encode(str(ids.new()).encode("ascii")).decode("ascii")
    connection.execute(insert(tables.message_id).values(id=value, issued=format_time(now), used=False))
    return value


def use_message_id(connection: Connection, value: str) -> bool:
    """Mark a MessageId as used; False where it is not ours or was used before."""
    table = tables.message_id
    result = connection.execute(
        update(table).where(table.c.id == value, table.c.used.is_(False)).values(used=True)
    )
    return result.rowcount == 1


def open_mailbox(connection: Connection, certificate: x509.Certificate, now: datetime) -> None:
    """Open a mailbox for the owner of a cipher certificate, unless there is one."""
    key = fingerprint(certificate)
    table = tables.mailbox
    if connection.execute(select(table.c.fingerprint).where(table.c.fingerprint == key)).first():
        return
    connection.execute(
        insert(table).values(
            fingerprint=key,
            name=subject(certificate),
            certificate=certificate.public_bytes(Encoding.DER),
            opened=format_time(now),
        )
    )


def has_mailbox(connection: Connection, certificate: x509.Certificate) -> bool:
    """Tell whether the owner of a cipher certificate has a mailbox."""
    table = tables.mailbox
    key = fingerprint(certificate)
    return (
        connection.execute(select(table.c.fingerprint).where(table.c.fingerprint == key)).first() is not None
    )


# --- storing -------------------------------------------------------------------------------------


class Attachments:
    """Attachment files of deliveries: written before the database knows of them."""

    def __init__(self, home: Path, ids: IdSource) -> None:
        """Keep them below ``home``."""
        self._home = home
        self._ids = ids
        home.mkdir(parents=True, exist_ok=True)

    def keep(self, incoming: Incoming) -> list[tuple[str, str, str]]:
        """Write a message's attachments; returns content id, media type and file of each."""
        if not incoming.parts:
            return []
        folder = self._home / str(self._ids.new())
        folder.mkdir()
        kept = []
        for number, part in enumerate(incoming.parts):
            path = folder / str(number)
            with path.open("wb") as target:
                for piece in chunks(part.blob.open()):
                    target.write(piece)
            media_type = part.media_type or "application/octet-stream"
            kept.append((part.content_id, media_type, f"{folder.name}/{number}"))
        return kept

    def drop(self, kept: Sequence[tuple[str, str, str]]) -> None:
        """Remove what ``keep`` wrote, where the order was refused in the end."""
        for folder in {file.split("/")[0] for _, _, file in kept}:
            shutil.rmtree(self._home / folder, ignore_errors=True)

    def path(self, file: str) -> Path:
        """Return where a kept file is."""
        return self._home / file


def store(
    connection: Connection,
    incoming: Incoming,
    card: ProcessCard,
    kept: Sequence[tuple[str, str, str]],
) -> None:
    """Put a delivery into its mailbox."""
    message = incoming.message
    certificates = message.certificates
    addressee = certificates.get(ADDRESSEE_CIPHER)
    if addressee is None or message.package is None:
        raise ValueError("a delivery without addressee or package cannot be stored")
    now = format_time(card.recent_modification)
    connection.execute(
        insert(_D).values(
            message_id=card.message_id,
            addressee=fingerprint(addressee),
            originator_cipher=_print(certificates.get(ORIGINATOR_CIPHER)),
            originator_signature=_print(certificates.get(ORIGINATOR_SIGNATURE)),
            creation=now,
            modified=now,
            report=card.with_raw().raw,
            certificates=xml.canonical(write_blocks(certificates)[-1]),
            package=xml.canonical(message.package),
            headers=_join(message.headers),
            size=incoming.plain.size,
        )
    )
    for position, (content_id, media_type, file) in enumerate(kept):
        connection.execute(
            insert(tables.attachment).values(
                message_id=card.message_id,
                position=position,
                content_id=content_id,
                media_type=media_type,
                file=file,
            )
        )


def _print(certificate: x509.Certificate | None) -> str | None:
    return None if certificate is None else fingerprint(certificate)


def _join(headers: Sequence[xml.Element]) -> bytes:
    return b"".join([b"<Headers>", *(xml.canonical(each) for each in headers), b"</Headers>"])


# --- reading -------------------------------------------------------------------------------------


def find_delivery(connection: Connection, owner: Owner, rule: Rule | None) -> Row[tuple[object, ...]] | None:
    """Return the oldest delivery that waits, one by id, or the oldest that came since a date."""
    query = select(_D).where(_D.c.addressee == fingerprint(owner.cipher)).order_by(_D.c.number)
    if isinstance(rule, ById):
        query = query.where(_D.c.message_id == rule.message_ids[0])
    else:
        query = query.where(_D.c.reception.is_(None))
        if rule is not None:
            query = query.where(_D.c.creation >= format_time(rule.since))
    return connection.execute(query.limit(1)).first()


def others_wait(connection: Connection, owner: Owner, message_id: str) -> bool:
    """Tell whether other deliveries wait for this client."""
    query = select(_D.c.number).where(
        _D.c.addressee == fingerprint(owner.cipher),
        _D.c.reception.is_(None),
        _D.c.message_id != message_id,
    )
    return connection.execute(query.limit(1)).first() is not None


def find_cards(connection: Connection, owner: Owner, order: Order) -> list[ProcessCard]:
    """Return process cards of the client's messages, the longest unchanged first, one over the limit."""
    query = select(_D).where(_visible(owner, order.rule)).order_by(_D.c.modified, _D.c.number)
    rule = order.rule
    if isinstance(rule, ById):
        query = query.where(_D.c.message_id.in_(rule.message_ids))
    elif isinstance(rule, ByReception):
        query = _dated(query.where(_D.c.creation >= format_time(rule.since)), rule.not_received)
    elif isinstance(rule, ByModification):
        query = _dated(query.where(_D.c.modified >= format_time(rule.since)), rule.not_received)
    if order.limit is not None:
        query = query.limit(order.limit + 1)
    return [card_of(row) for row in connection.execute(query)]


def _dated(query: "Select[tuple[object, ...]]", not_received: bool) -> "Select[tuple[object, ...]]":
    return query.where(_D.c.reception.is_(None)) if not_received else query


def _visible(owner: Owner, rule: Rule | None) -> ColumnElement[bool]:
    addressee = _D.c.addressee == fingerprint(owner.cipher)
    originator: ColumnElement[bool] = _D.c.originator_cipher == fingerprint(owner.cipher)
    if owner.signature is not None:
        originator = or_(originator, _D.c.originator_signature == fingerprint(owner.signature))
    side = None if rule is None or isinstance(rule, ById) else rule.side
    if side is Side.ADDRESSEE:
        return addressee
    return originator if side is Side.ORIGINATOR else or_(addressee, originator)


def card_of(row: Row[tuple[object, ...]]) -> ProcessCard:
    """Build the process card of a stored delivery."""
    values = row._mapping
    card = read_card(xml.parse(values["report"]))
    return replace(
        card,
        recent_modification=parse_time(values["modified"]),
        creation=_stamp(values["creation"]),
        forwarding=_stamp(values["forwarding"]),
        reception=_stamp(values["reception"]),
    )


def _stamp(value: str | None) -> Timestamp | None:
    return None if value is None else Timestamp(plain=parse_time(value))


def load(connection: Connection, row: Row[tuple[object, ...]], attachments: Attachments) -> Stored:
    """Read a delivery as it was stored."""
    values = row._mapping
    table = tables.attachment
    query = select(table).where(table.c.message_id == values["message_id"]).order_by(table.c.position)
    parts = [
        OutPart(each.content_id, each.media_type, FileBlob(attachments.path(each.file)))
        for each in connection.execute(query)
    ]
    return Stored(
        card_of(row),
        Certificates.of(read_block(xml.parse(values["certificates"]))),
        xml.parse(values["package"]),
        tuple(xml.children(xml.parse(values["headers"]))),
        parts,
    )


def mark_forwarded(connection: Connection, message_id: str, now: datetime) -> None:
    """Note that the message to the recipient was built, the first time only."""
    _mark(connection, message_id, "forwarding", now)


def mark_received(connection: Connection, message_id: str, now: datetime) -> None:
    """Note that the recipient has the message, the first time only."""
    _mark(connection, message_id, "reception", now)


def _mark(connection: Connection, message_id: str, column: str, now: datetime) -> None:
    stamp = format_time(now)
    connection.execute(
        update(_D)
        .where(_D.c.message_id == message_id, _D.c[column].is_(None))
        .values({column: stamp, "modified": stamp})
    )
