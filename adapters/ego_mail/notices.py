"""Telling a sender that a message could not be processed, with our technical conditions (§ 3a(4) VwVfG)."""

import logging
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from adapters.ego_mail.letters import notice_text
from adapters.ego_mail.osci.client import Client, Delivery
from adapters.ego_mail.osci.content import Container, Data, Sealed
from adapters.ego_mail.osci.errors import OsciError
from adapters.ego_mail.osci.metadata import Code, MessageMetaData, PartyIdentifier, write_metadata
from engine.exchange.ports import Mailbox

SERVICE = "urn:dienstweg:notice"
TITLE = "Nachricht nicht verarbeitbar"
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
    marker: Path
    """Stands while the notice has gone and the message is not acknowledged yet."""

    def send(self) -> None:
        """Send the notice; once, unless the power fails in this very moment.

        Raises what keeps us from the intermediary; the message then stays unacknowledged. A notice that is
        refused must not hold the message up: the clerk has it either way.
        """
        if self.marker.exists():
            return
        try:
            self.client.store(self._delivery(), self.marker.parent)
        except OsciError as error:
            _log.warning("the sender of %s could not be told: %s", self.message_id, error)
        self.marker.touch()

    def _delivery(self) -> Delivery:
        conditions = {"Dateiformate": ", ".join(self.mailbox.formats) or "alle"}
        if self.mailbox.max_bytes is not None:
            conditions["Größe"] = f"höchstens {self.mailbox.max_bytes} Byte"
        text = notice_text(f"ags:{self.mailbox.authority_id}", self.reason, conditions)
        signer = self.client.identity.signer
        container = Container([Data(text.encode())], [signer] if signer else [])
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
