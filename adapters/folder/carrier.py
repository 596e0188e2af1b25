"""The carrier ``folder``: exchange folders as document systems and communicator clients offer them."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

from adapters.folder.faults import NothingToSendError, is_definite, rejected
from adapters.folder.inbox import FolderIncoming, Inbox, sync_folder
from adapters.folder.journal import Journal
from adapters.folder.places import (
    MANIFEST,
    PROCESSED,
    RECEIPTS,
    FolderMailbox,
    FolderSettingsError,
    digest,
    mailbox_of,
    temporary,
)
from engine.exchange.abilities import Finding
from engine.exchange.ports import (
    AdapterContext,
    Assurance,
    Blocker,
    CarrierDescription,
    Envelope,
    HandedOver,
    Health,
    Mailbox,
    Outcome,
    Part,
    Prepared,
    Rejected,
    Requirements,
    Unknown,
    channel_name,
)

ROLES = ("container", "document", "letter", "attachment")
_CHUNK = 1 << 20


class FolderCarrier:
    """Lays messages into folders under a temporary name, and shows them by one atomic rename."""

    def __init__(self, context: AdapterContext) -> None:
        """Keep the journal under the installation's data folder."""
        self._home = context.home / "folder"
        self._clock = context.clock
        self._journal = Journal(self._home)
        self._inbox = Inbox(self._journal, context.clock)

    def describe(self) -> CarrierDescription:
        """Say what this carrier is; whom it authenticates depends on the mailbox (see ``places``)."""
        return CarrierDescription(
            name="folder",
            title="Austauschordner",
            electronic=True,
            authenticates=Assurance.TRANSPORT,
            encrypts=False,
            roles=ROLES,
            facts={"created": "the message lies in the recipient's folder"},
        )

    def check(self, sender: Mailbox | None, recipient: Mailbox, requirements: Requirements) -> list[Blocker]:
        """Say whether the recipient's folder is there, writable and large enough."""
        try:
            return self._obstacles(mailbox_of(recipient), sender, recipient, requirements)
        except FolderSettingsError as error:
            return [_blocker("bad-settings", str(error))]

    def _obstacles(
        self,
        settings: FolderMailbox,
        sender: Mailbox | None,
        recipient: Mailbox,
        requirements: Requirements,
    ) -> list[Blocker]:
        owner = sender.authority_id if sender is not None else requirements.sender_id
        place = _place(settings, owner)
        if isinstance(place, Blocker):
            return [place]
        blockers = []
        if recipient.max_bytes is not None and requirements.total_bytes > recipient.max_bytes:
            message = f"{requirements.total_bytes} bytes; the mailbox takes {recipient.max_bytes}"
            blockers.append(_blocker("too-large", message))
        if shutil.disk_usage(place).free <= requirements.total_bytes:
            blockers.append(_blocker("disk-full", f"not enough space in {place}"))
        return blockers

    def check_mailbox(self, mailbox: Mailbox, own: Mailbox | None) -> list[Finding]:
        """Look whether the folder is there and can be written, a partner's with the own sub-folder in it."""
        try:
            settings = mailbox_of(mailbox)
            place = _place(settings, None if own is None or own == mailbox else own.authority_id)
        except FolderSettingsError as error:
            return [Finding("settings", str(error), fault=True)]
        if isinstance(place, Blocker):
            return [Finding(place.code, place.message, fault=True)]
        return [Finding("folder", f"{place} is there and can be written")]

    def prepare(
        self, envelope: Envelope, parts: Sequence[Part], sender: Mailbox | None, recipient: Mailbox
    ) -> Prepared:
        """Fix the name and the digests; several parts become one folder.

        Raises NothingToSendError where no part has a role of this carrier.
        """
        wanted = tuple(part for part in parts if part.role in ROLES)
        if not wanted:
            raise NothingToSendError(f"no part of the roles {', '.join(ROLES)}", where=envelope.subject)
        name = wanted[0].name if len(wanted) == 1 else envelope.dispatch_id
        return Prepared(
            dispatch_id=envelope.dispatch_id,
            carrier_reference=name,
            parts=wanted,
            sender=sender,
            recipient=recipient,
            details={
                "sender": envelope.sender.authority_id,
                "sha256": {part.name: digest(part.path) for part in wanted},
            },
        )

    def transmit(self, prepared: Prepared) -> Outcome:
        """Write, make durable, rename. Nothing is visible to the recipient before the rename."""
        settings = mailbox_of(prepared.recipient)
        if not settings.is_mounted():
            reason = f"the exchange folder {settings.root} is not there"
            return Rejected(reason, (Blocker("no-folder", "recipient", reason),), retry=True)
        place = settings.place_for(prepared.details["sender"])
        final = place / prepared.carrier_reference
        written = temporary(place, prepared.dispatch_id)
        try:
            if final.exists():
                return self._taken(prepared, final)
            self._write(prepared, written)
        except OSError as error:
            _remove(written)
            return rejected(error, str(place))
        try:
            self._journal.intend(prepared.dispatch_id)
        except OSError as error:
            _remove(written)
            reason = f"cannot write to the installation's data folder {self._home}: {error.strerror}"
            return Rejected(reason, (Blocker("no-journal", "sender", reason),), retry=True)
        try:
            written.rename(final)
        except OSError as error:
            if not is_definite(error):
                return Unknown(f"{final}: {error.strerror}")
            _remove(written)
            return rejected(error, str(place))
        sync_folder(place)
        return self._shown(prepared, settings, final)

    def resolve(self, prepared: Prepared) -> Outcome:
        """Look for the message, what the recipient made of it, and our own notes."""
        settings = mailbox_of(prepared.recipient)
        place = settings.place_for(prepared.details["sender"])
        final = place / prepared.carrier_reference
        noted = self._journal.done_at(prepared.dispatch_id)
        try:
            if final.exists() and self._digests(final) == prepared.details["sha256"]:
                return self._shown(prepared, settings, final, noted)
            taken = self._taken_by_recipient(prepared, place)
        except OSError as error:
            return Unknown(f"{place}: {error.strerror}")
        if taken is not None:
            return taken
        if noted is not None:
            return HandedOver(noted, facts={"created": noted})
        if not settings.is_mounted():
            return Unknown(f"the exchange folder {settings.root} is not there")
        if temporary(place, prepared.dispatch_id).exists() or not self._journal.intended(
            prepared.dispatch_id
        ):
            return Rejected("the message was not laid into the folder", retry=True)
        return Unknown(f"{final.name} is not in the folder any more, and there is no receipt")

    def collect(self, mailbox: Mailbox) -> Iterator[FolderIncoming]:
        """Yield what waits; see ``Inbox.collect``."""
        return self._inbox.collect(mailbox)

    def trial_mailbox(
        self, authority_id: str, payload: str, folder: Path, partners: Sequence[str]
    ) -> Mailbox:
        """Open a mailbox below ``folder`` for scenarios and training, with a sub-folder for each partner."""
        root = folder / authority_id
        for partner in partners:
            (root / partner).mkdir(parents=True, exist_ok=True)
        return Mailbox(
            authority_id=authority_id,
            channel=channel_name(payload, "folder"),
            address=str(root),
            valid_from=date(2020, 1, 1),
            formats=("application/pdf", "application/xml", "text/plain"),
            settings={"senders": "subfolders"},
        )

    def health(self) -> Health:
        """Say whether the carrier can keep its journal."""
        now = self._clock.now()
        try:
            self._home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return Health(False, f"{self._home}: {error.strerror}", now)
        writable = os.access(self._home, os.W_OK)
        return Health(writable, "ready" if writable else f"{self._home} is not writable", now)

    def _taken(self, prepared: Prepared, final: Path) -> Outcome:
        """Answer where the name is already there: the same message is ours, another one is in the way."""
        if self._digests(final) == prepared.details["sha256"]:
            return self._shown(prepared, mailbox_of(prepared.recipient), final)
        reason = f"another message called {final.name} was not collected yet"
        return Rejected(reason, (Blocker("name-taken", "recipient", reason),), retry=True)

    def _shown(
        self, prepared: Prepared, settings: FolderMailbox, final: Path, at: datetime | None = None
    ) -> HandedOver | Unknown:
        now = at or self._clock.now()
        if settings.ready is not None:
            try:
                final.with_name(final.name + settings.ready).touch()
            except OSError as error:
                return Unknown(f"the message lies there, but not its {settings.ready} file: {error.strerror}")
        # The message lies there; without the note, resolve finds it all the same.
        with suppress(OSError):
            self._journal.done(prepared.dispatch_id, now)
        evidence = {"path": str(final), "at": now.isoformat(), "sha256": prepared.details["sha256"]}
        return HandedOver(
            now,
            evidence={"folder.json": json.dumps(evidence, sort_keys=True).encode()},
            facts={"created": now},
        )

    def _taken_by_recipient(self, prepared: Prepared, place: Path) -> HandedOver | None:
        receipt = place / RECEIPTS / f"{prepared.carrier_reference}.json"
        if receipt.exists():
            content = receipt.read_bytes()
            said = _receipt(content)
            if said.get("sha256") == prepared.details["sha256"]:
                received = datetime.fromisoformat(said["received"])
                return HandedOver(received, {"receipt.json": content}, {"received": received})
        processed = place / PROCESSED / prepared.carrier_reference
        if processed.exists() and self._digests(processed) == prepared.details["sha256"]:
            return HandedOver(self._clock.now())
        return None

    def _write(self, prepared: Prepared, target: Path) -> None:
        _remove(target)
        if len(prepared.parts) == 1:
            _copy(prepared.parts[0].path, target)
            return
        target.mkdir()
        for part in prepared.parts:
            _copy(part.path, target / part.name)
        (target / MANIFEST).write_text(json.dumps(prepared.details["sha256"]), encoding="utf-8")
        sync_folder(target)

    @staticmethod
    def _digests(path: Path) -> dict[str, str]:
        if path.is_file():
            return {path.name: digest(path)}
        return {each.name: digest(each) for each in path.iterdir() if each.name != MANIFEST}


def _place(settings: FolderMailbox, sender: str | None) -> Path | Blocker:
    """Return where messages of ``sender`` are laid, or why none can be."""
    if not settings.is_mounted():
        return _blocker("no-folder", f"the exchange folder {settings.root} is not there")
    place = settings.root
    if settings.subfolders and sender is not None:
        place = settings.place_for(sender)
        if not place.is_dir():
            return _blocker("no-folder", f"the sender has no sub-folder {place}")
    if not os.access(place, os.W_OK | os.X_OK):
        return _blocker("unwritable", f"no right to write in {place}")
    return place


def _blocker(code: str, message: str) -> Blocker:
    return Blocker(code, "recipient", message)


def _receipt(content: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(content)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("wb") as write:
        shutil.copyfileobj(read, write, _CHUNK)
        write.flush()
        os.fsync(write.fileno())


def _remove(path: Path) -> None:
    """Clear away what was written in part; where that fails too, everybody ignores the temporary name."""
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
