"""Takes deliveries from the intermediary: each in a dialog of its own, acknowledged after the commit."""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from cryptography import x509

from adapters.ego_mail import notices
from adapters.ego_mail.errors import NotFetchedError
from adapters.ego_mail.evidence import FileEvidence
from adapters.ego_mail.facts import CARD
from adapters.ego_mail.letters import SERVICE
from adapters.ego_mail.notices import Notice
from adapters.ego_mail.offices import Offices
from adapters.ego_mail.osci.cards import ProcessCard
from adapters.ego_mail.osci.client import Client
from adapters.ego_mail.osci.dialog import Dialog, Fetched
from adapters.ego_mail.osci.errors import CertificateError, KeyFileError, MalformedMessageError, OsciError
from adapters.ego_mail.osci.keys import fingerprint, subject
from adapters.ego_mail.osci.metadata import MessageMetaData, find_metadata
from adapters.ego_mail.osci.opened import OpenedPackage, ReceivedContainer
from adapters.ego_mail.osci.selection import ById, ByReception, Side
from adapters.ego_mail.osci.streams import Blob, BytesBlob, chunks
from adapters.ego_mail.osci.trust import Use
from adapters.ego_mail.pieces import JoinedIncoming, Notes, Place, place_of, ready
from adapters.ego_mail.settings import Office, intermediary_of
from adapters.signatures.errors import SignatureSettingsError
from adapters.signatures.verifying import Verifier
from engine.clock import Clock
from engine.exchange.file_names import safe_names
from engine.exchange.ports import Assurance, Mailbox, Part

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
COVER = "Anschreiben.txt"
REMARKS = "Hinweise.txt"
RAW = "Nachricht.osci"
SIGNATURES = "Signaturen.txt"
BROKEN = "unreadable"
CONTENT = "container"
ANYWAY = ("text/plain", "application/zip")
_MEDIA_TYPE = re.compile(r"(?=.{3,120}\Z)[\w.+-]+/[\w.+-]+(?: ?;[ -~]*)?", re.ASCII)
"""At most as long as an arrival's files keep it."""
CONTAINERS = (".zip", ".xdomea", ".p7s", "nachrichtendaten.json")


@dataclass(slots=True)
class OsciIncoming:
    """A delivery that was fetched to local disk and is not acknowledged yet."""

    carrier_reference: str
    mailbox: Mailbox
    received: datetime
    sender_id: str | None
    assurance: Assurance
    parts: Sequence[Part]
    evidence: Mapping[str, bytes]
    _folder: Path = field(repr=False)
    _dialog: Dialog = field(repr=False)
    _told: Callable[[str], Notice | None] = field(repr=False)
    _notice: Notice | None = field(default=None, repr=False)
    unsuitable: str | None = None
    """Why it cannot be processed: it could not be opened, or its formats are not in the mailbox's terms."""
    place: Place | None = None
    """Which part of a dispatch it is, where that came in several messages."""
    _acknowledged: bool = False

    def tell_sender(self, reason: str) -> None:
        """Have the sender told ``reason`` before the acknowledgement; nobody is told twice."""
        if self._notice is None:
            self._notice = self._told(reason)

    def send_notice(self) -> None:
        """Send what the sender is to be told, if anything. Safe to repeat."""
        if self._notice is not None:
            self._notice.send(_marker(self._folder))

    def acknowledge(self) -> None:
        """End the dialog it was fetched in: now the intermediary notes the reception. Safe to repeat.

        The sender of what cannot be processed is told so first.

        Raises what the intermediary answers; the delivery then waits there still.
        """
        if self._acknowledged:
            return
        self.send_notice()
        self._dialog.exit()
        self._acknowledged = True
        _marker(self._folder).unlink(missing_ok=True)
        shutil.rmtree(self._folder, ignore_errors=True)


class Inbox:
    """Looks into own mailboxes at their intermediaries."""

    def __init__(self, home: Path, offices: Offices, clock: Clock, verifier: Verifier) -> None:
        """Keep what was fetched below ``home`` until it is acknowledged; verify signatures beside files."""
        self._verifier = verifier
        self._home = home
        self._notes = Notes(home / "pieces")
        self._offices = offices
        self._clock = clock

    def collect(self, mailbox: Mailbox) -> Iterator[OsciIncoming | JoinedIncoming]:
        """Yield what waits, oldest first; what cannot be fetched is reported after the rest.

        A delivery that cannot be opened is yielded as it came, for a clerk. Raises NotFetchedError, and what
        keeps us from the intermediary.
        """
        office = self._offices.of(mailbox)
        client = self._offices.client(office, intermediary_of(mailbox, office.intermediary))
        faults: list[str] = []

        def fetch(card: ProcessCard) -> OsciIncoming | None:
            try:
                return self._fetch(client, office, mailbox, card)
            except OsciError as error:
                faults.append(f"{card.message_id}: {error}")
                return None

        waiting = _waiting(client)
        yield from self._whole(waiting, fetch)
        yield from self._joined(waiting, fetch)
        if faults:
            raise NotFetchedError("; ".join(faults), where=mailbox.address)

    def _whole(
        self, waiting: Sequence[ProcessCard], fetch: Callable[[ProcessCard], "OsciIncoming | None"]
    ) -> Iterator[OsciIncoming]:
        """Yield the messages that are whole, and note the places of the others."""
        for card in waiting:
            if self._notes.known(card.message_id) is not None:
                continue
            incoming = fetch(card)
            if incoming is None:
                continue
            if incoming.place is None:
                yield incoming
            else:
                self._notes.keep(card.message_id, incoming.place)

    def _joined(
        self, waiting: Sequence[ProcessCard], fetch: Callable[[ProcessCard], "OsciIncoming | None"]
    ) -> Iterator[JoinedIncoming]:
        """Yield each dispatch of several messages that is complete or overdue; see ``pieces``."""
        known = {card.message_id: self._notes.known(card.message_id) for card in waiting}
        places = {message_id: place for message_id, place in known.items() if place is not None}
        for card in waiting:
            if card.message_id in places and self._notes.is_stored(card.message_id):
                del places[card.message_id]
                left = fetch(card)
                if left is not None:
                    left.acknowledge()
                    self._notes.forget(card.message_id)
        since = {card.message_id: card.recent_modification for card in waiting}
        for group in ready(places, since, self._clock.now()):
            cards: dict[int, ProcessCard] = {}
            for card in waiting:
                place = places.get(card.message_id)
                if place is not None and place.group == group:
                    cards.setdefault(place.number, card)
            fetched = [(places[card.message_id], fetch(card)) for _, card in sorted(cards.items())]
            found = [(place, piece) for place, piece in fetched if piece is not None]
            # What cannot be fetched now is reported, and tried again.
            if len(found) == len(cards):
                yield JoinedIncoming(found, self._notes)

    def _fetch(
        self, client: Client, office: Office, mailbox: Mailbox, card: ProcessCard
    ) -> OsciIncoming | None:
        # Not a context manager: the dialog ends with the acknowledgement, or is abandoned without it.
        dialog = Dialog(client)
        dialog.__enter__()
        fetched = dialog.fetch(ById(card.message_id))
        if fetched is None:
            return None
        folder = self._home / hashlib.sha256(card.message_id.encode()).hexdigest()[:32]
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        with fetched:
            raw = folder / RAW
            with raw.open("wb") as target:
                target.writelines(fetched.raw())
            taken = _Taken(folder, fetched, office, self._verifier).take()
        told = partial(self._notice, client, mailbox, fetched)
        place = place_of(_properties(fetched), taken.sender_id)
        small = {CARD: fetched.card.raw, **taken.evidence}
        small |= notices.answer_key(fetched, _metadata(fetched))
        creation = fetched.card.creation
        received = creation.plain if creation and creation.plain else fetched.card.recent_modification
        return OsciIncoming(
            carrier_reference=fetched.message_id,
            mailbox=mailbox,
            received=received,
            sender_id=taken.sender_id,
            assurance=taken.assurance,
            parts=taken.parts,
            evidence=FileEvidence(small, {RAW: raw}),
            _folder=folder,
            _dialog=dialog,
            _told=told,
            # Of several messages the whole is told, and once.
            _notice=None if taken.broken is None or place is not None else told(taken.broken),
            unsuitable=taken.broken or _formats(mailbox, taken.parts),
            place=place,
        )

    def _notice(self, client: Client, mailbox: Mailbox, fetched: Fetched, reason: str) -> Notice | None:
        """Return what the sender is to be told; notices are not answered by notices."""
        reader = fetched.originator_cipher
        if reader is None or _service(fetched) == notices.SERVICE:
            return None
        return Notice(client, mailbox, fetched.message_id, reader, reason)


def _marker(folder: Path) -> Path:
    """Return the note that stands while a sender was told of a message that is not acknowledged yet."""
    return folder.with_suffix(".told")


def _formats(mailbox: Mailbox, parts: Sequence[Part]) -> str | None:
    """Hold files against the mailbox's terms. Texts to read and containers are the message, not its files."""
    refused = sorted(
        {
            media_type
            for part in parts
            if (media_type := part.media_type.partition(";")[0].strip().lower()) not in mailbox.formats
            and media_type not in ANYWAY
            and not part.name.lower().endswith(CONTAINERS)
        }
    )
    if not mailbox.formats or not refused:
        return None
    return f"Dateiformate, die dieses Postfach nicht annimmt: {', '.join(refused)}"


def _waiting(client: Client) -> list[ProcessCard]:
    """Return the cards of what was not received yet, oldest first."""
    with Dialog(client) as dialog:
        cards = dialog.process_cards(ByReception(BEGINNING, Side.ADDRESSEE, not_received=True)).cards
    # An intermediary may not know the filter.
    return sorted(
        (card for card in cards if card.reception is None), key=lambda card: card.recent_modification
    )


@dataclass(slots=True)
class _Taken:
    """What came out of one delivery, and who sent it."""

    folder: Path
    fetched: Fetched
    office: Office
    verifier: Verifier
    parts: list[Part] = field(default_factory=list)
    evidence: dict[str, bytes] = field(default_factory=dict)
    sender_id: str | None = None
    assurance: Assurance = Assurance.NONE
    broken: str | None = None
    """Why the message could not be opened, or must not be believed."""

    def take(self) -> "_Taken":
        remarks: list[str] = []
        try:
            with self.fetched.open() as package:
                remarks += self._identify(package)
                self._write(package)
            remarks += self._signatures()
        except OsciError as error:
            self.broken = str(error)
            remarks.append(f"Die Nachricht kann nicht geöffnet werden: {error}")
            self.parts = [Part(RAW, "application/octet-stream", self.folder / RAW, BROKEN)]
            self._by_transport(remarks)
        if remarks:
            self.evidence[REMARKS] = ("\n".join(remarks) + "\n").encode()
        return self

    def _signatures(self) -> list[str]:
        """Verify the signatures beside the files. One that is broken leaves the message to a clerk."""
        try:
            found = self.verifier.beside(self.parts, self._sent)
        except (SignatureSettingsError, KeyFileError) as error:
            return [f"Die Signaturen der Dateien konnten nicht geprüft werden: {error}"]
        if found is None:
            return []
        self.evidence[SIGNATURES] = found.report().encode()
        if not found.broken:
            return []
        self.assurance = Assurance.NONE
        self.broken = f"Eine elektronische Signatur ist nicht gültig: {'; '.join(found.faults)}"
        return [self.broken]

    def _identify(self, package: OpenedPackage) -> list[str]:
        """Find the sender: best by a content signature over everything, else by the transport's."""
        remarks: list[str] = []
        signers = [_signers(container) for container in package.containers]
        common = set.intersection(*signers) if signers else set()
        known = {self.office.senders[each] for each in common if each in self.office.senders}
        if package.unopened:
            remarks.append(f"{package.unopened} verschlüsselte Teile sind für andere Leser bestimmt.")
        try:
            package.check_signers(self.office.trust, self._sent)
        except CertificateError as error:
            remarks.append(f"Die Signatur des Inhalts ist nicht vertrauenswürdig: {error}")
            known = set()
        if len(known) == 1:
            self.sender_id, self.assurance = known.pop(), Assurance.SIGNATURE
            return remarks
        if not common:
            remarks.append("Der Inhalt ist nicht (durchgehend) signiert.")
        return self._by_transport(remarks)

    def _by_transport(self, remarks: list[str]) -> list[str]:
        """Take who signed the order, as the intermediary passes it on; it proves less than the content."""
        certificate = self.fetched.originator_signature
        if certificate is None:
            remarks.append("Die Nachricht nennt keinen Absender.")
            return remarks
        owner = self.office.senders.get(fingerprint(certificate))
        if owner is None:
            remarks.append(f"Unbekannter Absender: {subject(certificate)}")
            return remarks
        if not self._believed(certificate, remarks):
            return remarks
        self.sender_id, self.assurance = owner, Assurance.TRANSPORT
        return remarks

    def _believed(self, certificate: x509.Certificate, remarks: list[str]) -> bool:
        try:
            self.office.trust.check(certificate, Use.SIGNATURE, self._sent)
        except CertificateError as error:
            remarks.append(f"Das Zertifikat des Absenders ist nicht vertrauenswürdig: {error}")
            return False
        return True

    @property
    def _sent(self) -> datetime:
        creation = self.fetched.card.creation
        return creation.plain if creation and creation.plain else self.fetched.card.recent_modification

    def _write(self, package: OpenedPackage) -> None:
        """Write files and texts to disk. Our own cover text repeats the message, so it is evidence only."""
        texts = [BytesBlob(each.data) for each in package.data()]
        if _service(self.fetched) == SERVICE and texts:
            self.evidence[COVER] = _read(texts.pop(0))
        wanted: list[tuple[str, str, Blob]] = [
            (file.name, file.media_type, file.blob) for file in package.files()
        ]
        wanted += [(f"Nachricht-{number}.txt", "text/plain", text) for number, text in enumerate(texts, 1)]
        names = safe_names(name for name, _, _ in wanted)
        for name, (_, media_type, blob) in zip(names, wanted, strict=True):
            path = self.folder / f"part-{len(self.parts)}"
            with path.open("wb") as target:
                target.writelines(chunks(blob.open()))
            self.parts.append(Part(name, _plain(media_type), path, CONTENT))


def _plain(media_type: str) -> str:
    """Return a media type as it came, or the one for anything where it is none: strangers write it."""
    return media_type if _MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream"


def _service(fetched: Fetched) -> str | None:
    """Return the service a message's metadata name, where it has any that can be read."""
    found = _metadata(fetched)
    return None if found is None else found.service


def _properties(fetched: Fetched) -> Mapping[str, str]:
    found = _metadata(fetched)
    return found.properties if found is not None and found.service == SERVICE else {}


def _metadata(fetched: Fetched) -> MessageMetaData | None:
    with suppress(MalformedMessageError):
        return find_metadata(fetched.headers)
    return None


def _signers(container: ReceivedContainer) -> set[str]:
    return {fingerprint(signature.certificate) for signature in container.signatures}


def _read(blob: Blob) -> bytes:
    with blob.open() as source:
        return source.read()
