"""The carrier ``ego_mail``: OSCI deliveries through the intermediary of the Virtuelle Poststelle."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from adapters.ego_mail.checking import check_mailbox
from adapters.ego_mail.checks import blockers_of, size_blocker
from adapters.ego_mail.errors import EgoMailSettingsError, NothingToSendError, UnsignedError
from adapters.ego_mail.inbox import Inbox, OsciIncoming
from adapters.ego_mail.letters import cover_text, letter, metadata_of, places, subject_line
from adapters.ego_mail.notices import prepare_notice
from adapters.ego_mail.offices import Offices
from adapters.ego_mail.osci.client import Client, Delivery
from adapters.ego_mail.osci.errors import (
    CertificateError,
    OsciError,
)
from adapters.ego_mail.osci.keys import Signer
from adapters.ego_mail.osci.metadata import write_metadata
from adapters.ego_mail.osci.trust import check_validity, expiry_warnings
from adapters.ego_mail.outgoing import Outgoing, rejected
from adapters.ego_mail.pieces import JoinedIncoming
from adapters.ego_mail.settings import Office, intermediary_of, terms_of
from adapters.ego_mail.splitting import size_of, split
from adapters.ego_mail.trial import open_mailbox
from adapters.signatures.verifying import Verifier
from engine.clock import LOCAL_ZONE
from engine.errors import DienstwegError, EnvironmentFaultError
from engine.exchange.abilities import Finding, Refusal, Tracked
from engine.exchange.ports import (
    AdapterContext,
    Assurance,
    Blocker,
    CarrierDescription,
    Envelope,
    FormClass,
    Health,
    Mailbox,
    Outcome,
    Part,
    Prepared,
    Rejected,
    Requirements,
    Unknown,
)
from engine.exchange.signers import ROLE, SUFFIX
from engine.exchange.substitutes import SEAL, admissible

ROLES = ("container", "document", "letter", "attachment", ROLE)
RECEIPT_WITHIN = "P5D"
"""Covers a weekend with holidays on both sides."""


class EgoMailCarrier:
    """Prepares signed and sealed deliveries, hands them over once, and asks process cards after a crash."""

    def __init__(self, context: AdapterContext) -> None:
        """Keep prepared bytes and arrivals under the installation's data folder."""
        home = context.home / "ego_mail"
        self._outgoing = Outgoing(home / "outgoing", context.clock)
        self._context = context
        self._clock = context.clock
        self._offices = Offices(context)
        self._inbox = Inbox(home / "incoming", self._offices, context.clock, Verifier(context))

    def describe(self) -> CarrierDescription:
        """Say what this carrier is."""
        return CarrierDescription(
            name="ego_mail",
            title="eGo-MAIL (Virtuelle Poststelle)",
            electronic=True,
            authenticates=Assurance.SIGNATURE,
            encrypts=True,
            roles=ROLES,
            facts={
                "created": "Creation on the process card (Laufzettel)",
                "forwarded": "Forwarding on the process card, which is no delivery",
                "received": "Reception on the process card",
            },
        )

    def check(self, sender: Mailbox | None, recipient: Mailbox, requirements: Requirements) -> list[Blocker]:
        """Look at terms, certificates and keys; asks nobody outside."""
        if sender is None:
            return [Blocker("no-mailbox", "sender", f"no own mailbox on {recipient.channel}")]
        try:
            office = self._offices.of(sender)
        except (OsciError, EgoMailSettingsError) as error:
            return [Blocker("bad-settings", "sender", str(error))]
        return blockers_of(office, recipient, requirements, self._clock.now())

    def prepare(
        self, envelope: Envelope, parts: Sequence[Part], sender: Mailbox | None, recipient: Mailbox
    ) -> Prepared:
        """Reserve a MessageId and write the signed and sealed delivery. Nothing of it is sent.

        Where one message may not hold all files they are split over several, each as its terms say.

        Asking for a MessageId is the one order that goes out; nobody but the intermediary learns of it.
        Raises NothingToSendError, EgoMailSettingsError, what the intermediary answers, UnreachableError.
        """
        wanted = tuple(part for part in parts if part.role in ROLES)
        if not wanted:
            raise NothingToSendError(f"no part of the roles {', '.join(ROLES)}", where=envelope.subject)
        if sender is None:
            raise EgoMailSettingsError("no own mailbox to send from", where=envelope.sender.authority_id)
        office = self._offices.of(sender)
        terms = terms_of(recipient, office.intermediary)
        pieces = [list(wanted)]
        if recipient.max_bytes is not None and not terms.per_file:
            pieces = split(wanted, recipient.max_bytes)
        for piece in pieces:
            blocker = size_blocker(recipient, terms, [size_of(part) for part in piece])
            if blocker is not None:
                details = {"refused": [blocker.code, blocker.side, blocker.message]}
                return Prepared(
                    envelope.dispatch_id, envelope.dispatch_id, wanted, sender, recipient, details
                )
        client = self._offices.client(office, terms.intermediary)
        signers = [office.keys.identity.signer] if office.keys.identity.signer else []
        if envelope.form is FormClass.WRITTEN:
            signers += self._seal(office, recipient, wanted)
        deliveries = [
            Delivery(
                [letter(cover_text(envelope, piece, place), piece, signers, [terms.certificate])],
                terms.certificate,
                subject_line(envelope, place),
                [write_metadata(metadata_of(envelope, sum(map(size_of, piece)), place))],
            )
            for place, piece in zip(places(len(pieces)), pieces, strict=True)
        ]
        first, details = self._outgoing.write(client, envelope.dispatch_id, deliveries)
        return Prepared(envelope.dispatch_id, first, wanted, sender, recipient, details)

    def transmit(self, prepared: Prepared) -> Outcome:
        """Send the prepared bytes. Where the answer is lost, the process card decides, else it is Unknown."""
        if "refused" in prepared.details:
            code, side, message = prepared.details["refused"]
            return Rejected(message, (Blocker(code, side, message),))
        ready = self._client_for(prepared)
        if not isinstance(ready, Client):
            return ready
        return self._outgoing.transmit(ready, prepared)

    def resolve(self, prepared: Prepared) -> Outcome:
        """Ask for the process card by MessageId (``Outgoing.resolve``)."""
        if "refused" in prepared.details:
            return self.transmit(prepared)
        ready = self._client_for(prepared)
        if not isinstance(ready, Client):
            return Unknown(ready.reason)
        return self._outgoing.resolve(ready, prepared)

    @property
    def receipt_within(self) -> str:
        """Within which time a recipient is to fetch, where its mailbox names none."""
        return str(self._context.settings.get("receipt_within", RECEIPT_WITHIN))

    def track(self, prepared: Prepared) -> Tracked | None:
        """Fetch the process card of a message that was handed over; raise what keeps us from it."""
        ready = self._client_for(prepared)
        if not isinstance(ready, Client):
            raise EgoMailSettingsError(ready.reason, where=prepared.recipient.authority_id)
        return self._outgoing.track(ready, prepared)

    def substitutes(self, sender: Mailbox) -> tuple[str, ...]:
        """Return the qualified seal, where the authority has one and its certificate is valid."""
        try:
            seal = self._offices.of(sender).keys.seal
            if seal is None:
                return ()
            check_validity(seal.certificate, self._clock.now())
        except (OsciError, EgoMailSettingsError):
            return ()
        return (SEAL,)

    def _seal(self, office: Office, recipient: Mailbox, parts: Sequence[Part]) -> list[Signer]:
        """Return the seal that the written form is to bear, or nothing where every file is signed.

        Raises UnsignedError: whatever asks for it, nothing in written form goes out unsigned.
        """
        names = {part.name for part in parts if part.role == ROLE}
        files = [part for part in parts if part.role != ROLE]
        if all(f"{part.name}{SUFFIX}" in names for part in files):
            return []
        if office.keys.seal is not None and SEAL in admissible(
            recipient, self._clock.now().astimezone(LOCAL_ZONE).date()
        ):
            return [office.keys.seal]
        raise UnsignedError("written form without signature or seal", where=recipient.authority_id)

    def collect(self, mailbox: Mailbox) -> Iterator[OsciIncoming | JoinedIncoming]:
        """Yield what waits; see ``Inbox.collect``."""
        return self._inbox.collect(mailbox)

    def prepare_notice(self, refusal: Refusal, folder: Path) -> Prepared | None:
        """Prepare to tell a sender that a message cannot be read; see ``notices.prepare_notice``."""
        return prepare_notice(self._offices, self._outgoing, refusal, folder)

    def trial_mailbox(
        self, authority_id: str, payload: str, folder: Path, partners: Sequence[str]
    ) -> Mailbox:
        """Open a mailbox at the trial intermediary of ``folder``, with keys of its own."""
        return open_mailbox(folder / "osci", authority_id, payload, self._clock)

    def check_mailbox(self, mailbox: Mailbox, own: Mailbox | None) -> list[Finding]:
        """Try an own mailbox with a dialog that fetches nothing, or look at a partner's certificates."""
        return check_mailbox(self._offices, mailbox, own, self._clock.now())

    def health(self) -> Health:
        """Open the own keys and look at their certificates' ends; asks nobody outside."""
        now = self._clock.now()
        authorities = self._offices.authorities()
        try:
            named = {authority: self._offices.named(authority) for authority in authorities}
        except DienstwegError as error:
            return Health(False, str(error), now)
        certificates = [
            (f"{authority} {label}", certificate)
            for authority, office in named.items()
            for label, certificate in office.keys.certificates()
        ]
        warnings = expiry_warnings(certificates, now)
        ready = f"ready, {len(authorities)} mailboxes with keys"
        message = "; ".join(str(each) for each in warnings) or ready
        return Health(all(each.days_left >= 0 for each in warnings), message, now)

    def _client_for(self, prepared: Prepared) -> Client | Rejected:
        """Return the client for a prepared dispatch, or why nothing can be sent now."""
        if prepared.sender is None:
            return rejected("no own mailbox to send from", "no-mailbox", "sender")
        try:
            office = self._offices.of(prepared.sender)
            intermediary = intermediary_of(prepared.recipient, office.intermediary)
            if intermediary.cipher is not None:
                check_validity(intermediary.cipher, self._clock.now())
            return self._offices.client(office, intermediary)
        except CertificateError as error:
            return rejected(str(error), "certificate", "channel")
        except (OsciError, EnvironmentFaultError) as error:
            return rejected(str(error), "bad-settings", "sender")
