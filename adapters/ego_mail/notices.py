"""Telling a sender that a message could not be processed, with our technical conditions (§ 3a(4) VwVfG)."""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from adapters.ego_mail.letters import notice_text
from adapters.ego_mail.offices import Offices
from adapters.ego_mail.osci.client import Client, Delivery
from adapters.ego_mail.osci.content import Container, Data, Sealed
from adapters.ego_mail.osci.dialog import Fetched
from adapters.ego_mail.osci.errors import OsciError
from adapters.ego_mail.osci.metadata import Code, MessageMetaData, PartyIdentifier, write_metadata
from adapters.ego_mail.outgoing import Outgoing
from adapters.ego_mail.settings import terms_of
from engine.exchange.abilities import Refusal
from engine.exchange.ports import Mailbox, Part, Prepared

SERVICE = "urn:dienstweg:notice"
TITLE = "Nachricht nicht verarbeitbar"
ANSWER_KEY = "Antwortschluessel.pem"
"""Evidence of an arrival: the certificate for which an answer to its sender can be encrypted."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """What is to be told about one message that came in."""

    client: Client
    mailbox: Mailbox
    message_id: str
    reader: x509.Certificate
    """The sender's cipher certificate."""
    reason: str

    def text(self) -> str:
        """Return what the sender reads: the reason, and this mailbox's technical conditions."""
        conditions = {"Dateiformate": ", ".join(self.mailbox.formats) or "alle"}
        if self.mailbox.max_bytes is not None:
            conditions["Größe"] = f"höchstens {self.mailbox.max_bytes} Byte"
        return notice_text(f"ags:{self.mailbox.authority_id}", self.reason, conditions)

    def send(self, marker: Path) -> None:
        """Send the notice; once, unless the power fails in this very moment.

        Raises what keeps us from the intermediary; the message then stays unacknowledged. A notice that is
        refused must not hold the message up: the clerk has it either way. ``marker`` stands while the notice
        has gone and the message is not acknowledged yet.
        """
        if marker.exists():
            return
        try:
            self.client.store(self.delivery(), marker.parent)
        except OsciError as error:
            _log.warning("the sender of %s could not be told: %s", self.message_id, error)
        marker.touch()

    def delivery(self) -> Delivery:
        """Return the notice as it is sent."""
        signer = self.client.identity.signer
        container = Container([Data(self.text().encode())], [signer] if signer else [])
        return Delivery(
            [Sealed(container, [self.reader])], self.reader, TITLE, [write_metadata(self._metadata())]
        )

    def _metadata(self) -> MessageMetaData:
        own = PartyIdentifier(f"ags:{self.mailbox.authority_id}", "xoev")
        now = self.client.clock.now()
        return MessageMetaData(
            author=own,
            reader=PartyIdentifier("unknown", "xoev"),
            message_id=self.client.ids.new().urn,
            service=SERVICE,
            business_scenario=TITLE,
            message_type=Code("notice", SERVICE, "1", TITLE),
            payload_schema=SERVICE,
            in_reply_to=[self.message_id],
            origin=now,
        )


def answer_key(fetched: Fetched, metadata: MessageMetaData | None) -> dict[str, bytes]:
    """Return as evidence whom a notice can be encrypted for; nothing for notices and tests: none is sent."""
    reader = fetched.originator_cipher
    if reader is None or (metadata is not None and (metadata.test or metadata.service == SERVICE)):
        return {}
    return {ANSWER_KEY: reader.public_bytes(Encoding.PEM)}


def prepare_notice(offices: Offices, outgoing: Outgoing, asked: Refusal, folder: Path) -> Prepared | None:
    """Prepare the notice of an arrival that was acknowledged already; see ``TellsSenders``."""
    keys = [proof for proof in asked.proofs if proof.name.rpartition("-")[2] == ANSWER_KEY]
    if not keys:
        return None
    own = asked.mailbox
    pem = keys[0].path.read_text(encoding="ascii")
    recipient = replace(
        own,
        authority_id=asked.sender_id or "",
        form_classes=(),
        settings={**own.settings, "certificate": pem},
    )
    office = offices.of(own)
    try:
        terms = terms_of(recipient, office.intermediary)
        client = offices.client(office, terms.intermediary)
        notice = Notice(client, own, asked.carrier_reference, terms.certificate, asked.reason)
        first, details = outgoing.write(client, asked.dispatch_id, [notice.delivery()])
    except OsciError as error:
        _log.warning("the sender of %s could not be told: %s", asked.carrier_reference, error)
        return None
    path = folder / "Hinweis.txt"
    path.write_text(notice.text(), encoding="utf-8")
    part = Part(path.name, "text/plain", path, "document")
    return Prepared(asked.dispatch_id, first, (part,), own, recipient, details)
