"""Exchange folders as they are on shares: half-written files, missing rights, full disks."""

import errno
import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.folder import create
from adapters.folder.carrier import FolderCarrier
from adapters.folder.faults import FolderFaultError, NothingToSendError, fault_of
from adapters.folder.places import FolderSettingsError
from engine.clock import TurnedClock
from engine.exchange.ports import Assurance, HandedOver, Mailbox, Part, Prepared, Rejected, Unknown
from tests.contracts.samples import (
    HOMBURG,
    NOON,
    SAARBRUECKEN,
    Envelopes,
    context,
    mailbox,
    requirements,
)


class Share:
    """A folder with a carrier on either side."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / "share"
        self.folder.mkdir()
        self.clock = TurnedClock(NOON)
        self.envelopes = Envelopes()
        self.sender = self.carrier("sender")
        self.receiver = self.carrier("receiver")

    def carrier(self, home: str) -> FolderCarrier:
        return create(context(self.root / home, clock=self.clock))

    def box(self, **settings: Any) -> Mailbox:
        return mailbox(HOMBURG, "xdomea+folder", str(self.folder), **settings)

    def prepare(
        self, recipient: Mailbox | None = None, name: str = "message.zip", parts: int = 1
    ) -> Prepared:
        envelope = self.envelopes.new()
        folder = self.root / envelope.dispatch_id
        folder.mkdir()
        made = []
        for number in range(parts):
            path = folder / (name if parts == 1 else f"{number}-{name}")
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("a", os.urandom(200))
            made.append(Part(path.name, "application/zip", path, "container"))
        return self.sender.prepare(envelope, made, None, recipient or self.box())

    def waiting(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())


@pytest.fixture
def share(tmp_path: Path) -> Share:
    return Share(tmp_path)


class TestWhoSentIt:
    def test_an_open_folder_proves_nothing(self, share: Share) -> None:
        share.sender.transmit(share.prepare())
        (incoming,) = share.receiver.collect(share.box())
        assert (incoming.sender_id, incoming.assurance) == (None, Assurance.NONE)

    def test_a_folder_of_one_sender_is_its_transport(self, share: Share) -> None:
        box = share.box(sender=SAARBRUECKEN.authority_id)
        share.sender.transmit(share.prepare(box))
        (incoming,) = share.receiver.collect(box)
        assert (incoming.sender_id, incoming.assurance) == (SAARBRUECKEN.authority_id, Assurance.TRANSPORT)

    def test_sub_folders_tell_senders_apart(self, share: Share) -> None:
        box = share.box(senders="subfolders")
        for sender in (SAARBRUECKEN.authority_id, "10043111"):
            (share.folder / sender).mkdir()
        prepared = share.prepare(box)
        share.sender.transmit(prepared)
        shutil.copy(prepared.parts[0].path, share.folder / "10043111" / "other.zip")
        shutil.copy(prepared.parts[0].path, share.folder / "stray.zip")
        found = {incoming.sender_id for incoming in share.receiver.collect(box)}
        assert found == {SAARBRUECKEN.authority_id, "10043111"}

    def test_contradicting_settings_are_refused(self, share: Share) -> None:
        with pytest.raises(FolderSettingsError, match="both"):
            list(share.receiver.collect(share.box(sender="1", senders="subfolders")))
        with pytest.raises(FolderSettingsError, match="'all'"):
            list(share.receiver.collect(share.box(senders="all")))


class TestHalfWritten:
    @pytest.mark.parametrize(
        "name", [".hidden", "~$open.docx", "a.zip.part", "a.TMP", "a.filepart", "a.crdownload"]
    )
    def test_temporary_names_are_left_alone(self, name: str, share: Share) -> None:
        (share.folder / name).write_bytes(b"x")
        assert [list(share.receiver.collect(share.box())) for _ in range(3)] == [[], [], []]

    def test_an_archive_is_taken_when_its_directory_is_there(self, share: Share) -> None:
        whole = share.prepare().parts[0].path.read_bytes()
        target = share.folder / "slow.zip"
        target.write_bytes(whole[:100])
        assert list(share.receiver.collect(share.box())) == []
        target.write_bytes(whole)
        assert len(list(share.receiver.collect(share.box()))) == 1

    def test_another_file_is_taken_when_it_rests(self, share: Share) -> None:
        target = share.folder / "letter.pdf"
        target.write_bytes(b"%PDF")
        assert list(share.receiver.collect(share.box())) == []
        target.write_bytes(b"%PDF more")
        assert list(share.receiver.collect(share.box())) == []
        assert len(list(share.receiver.collect(share.box()))) == 1

    def test_even_a_broken_archive_comes_in_the_end(self, share: Share) -> None:
        (share.folder / "broken.zip").write_bytes(b"no archive")
        assert list(share.receiver.collect(share.box())) == []
        (incoming,) = share.carrier("receiver").collect(share.box())
        assert incoming.parts[0].path.read_bytes() == b"no archive"

    def test_a_locked_file_is_left_alone(self, share: Share) -> None:
        share.sender.transmit(share.prepare())
        lock = share.folder / "message.zip.lock"
        lock.touch()
        assert list(share.receiver.collect(share.box())) == []
        lock.unlink()
        assert len(list(share.receiver.collect(share.box()))) == 1

    def test_where_ready_files_are_agreed_they_are_awaited_and_cleared_away(self, share: Share) -> None:
        box = share.box(ready=".ok")
        prepared = share.prepare(box)
        shutil.copy(prepared.parts[0].path, share.folder / "message.zip")
        assert [list(share.receiver.collect(box)) for _ in range(3)] == [[], [], []]
        (share.folder / "message.zip.ok").touch()
        (incoming,) = share.receiver.collect(box)
        incoming.acknowledge()
        assert share.waiting() == ["processed", "receipts"]

    def test_several_parts_come_as_one(self, share: Share) -> None:
        prepared = share.prepare(parts=3)
        assert isinstance(share.sender.transmit(prepared), HandedOver)
        (incoming,) = share.receiver.collect(share.box())
        assert [part.name for part in incoming.parts] == ["0-message.zip", "1-message.zip", "2-message.zip"]
        incoming.acknowledge()
        assert isinstance(share.sender.resolve(prepared), HandedOver)
        assert list(share.receiver.collect(share.box())) == []

    def test_folders_of_others_are_no_messages(self, share: Share) -> None:
        (share.folder / "Archiv 2025").mkdir()
        (share.folder / "Archiv 2025" / "alt.zip").write_bytes(b"x")
        assert [list(share.receiver.collect(share.box())) for _ in range(2)] == [[], []]


class TestTaking:
    def test_the_first_sight_is_the_arrival(self, share: Share) -> None:
        share.sender.transmit(share.prepare())
        (first,) = share.receiver.collect(share.box())
        share.clock.turn(timedelta(hours=3))
        (again,) = share.carrier("receiver").collect(share.box())
        assert first.received == again.received == NOON
        told = json.loads(again.evidence["folder.json"])
        assert told["name"] == "message.zip"
        assert told["modified"] == (share.folder / "message.zip").stat().st_mtime

    def test_what_still_grows_has_not_arrived(self, share: Share) -> None:
        whole = share.prepare().parts[0].path.read_bytes()
        target = share.folder / "slow.zip"
        target.write_bytes(whole[:100])
        assert list(share.receiver.collect(share.box())) == []
        share.clock.turn(timedelta(hours=1))
        target.write_bytes(whole)
        (incoming,) = share.receiver.collect(share.box())
        assert incoming.received == NOON + timedelta(hours=1)

    def test_what_went_and_came_back_arrives_when_it_comes_back(self, share: Share) -> None:
        prepared = share.prepare()
        share.sender.transmit(prepared)
        assert len(list(share.receiver.collect(share.box()))) == 1
        (share.folder / "message.zip").rename(share.root / "elsewhere.zip")
        assert list(share.receiver.collect(share.box())) == []
        share.clock.turn(timedelta(days=1))
        (share.root / "elsewhere.zip").rename(share.folder / "message.zip")
        (incoming,) = share.receiver.collect(share.box())
        assert incoming.received == NOON + timedelta(days=1)

    def test_a_receipt_tells_the_sender_when(self, share: Share) -> None:
        prepared = share.prepare()
        share.sender.transmit(prepared)
        (incoming,) = share.receiver.collect(share.box())
        share.clock.turn(timedelta(minutes=5))
        incoming.acknowledge()
        told = json.loads((share.folder / "receipts" / "message.zip.json").read_text())
        assert told["recipient"] == HOMBURG.authority_id
        outcome = share.sender.resolve(prepared)
        assert isinstance(outcome, HandedOver)
        assert outcome.facts == {"received": NOON}
        assert "receipt.json" in outcome.evidence

    def test_links_are_not_followed(self, share: Share) -> None:
        (share.root / "secret.zip").write_bytes(b"secret")
        (share.folder / "link.zip").symlink_to(share.root / "secret.zip")
        share.sender.transmit(share.prepare())
        collected = share.receiver.collect(share.box())
        assert next(collected).parts[0].name == "message.zip"
        with pytest.raises(FolderFaultError, match=r"link\.zip"):
            next(collected)

    def test_the_same_name_again_is_a_new_message(self, share: Share) -> None:
        references = set()
        for _ in range(2):
            share.sender.transmit(share.prepare())
            (incoming,) = share.receiver.collect(share.box())
            references.add(incoming.carrier_reference)
            incoming.acknowledge()
        assert len(references) == 2
        assert sorted(path.name for path in (share.folder / "processed").iterdir()) == [
            "message.2.zip",
            "message.zip",
        ]

    def test_an_acknowledgement_that_was_cut_short_is_made_up_for(self, share: Share) -> None:
        share.sender.transmit(share.prepare())
        (incoming,) = share.receiver.collect(share.box())
        incoming.acknowledge()
        shutil.move(share.folder / "processed" / "message.zip", share.folder / "message.zip")
        (again,) = share.receiver.collect(share.box())
        assert again.carrier_reference == incoming.carrier_reference
        again.acknowledge()
        assert share.waiting() == ["processed", "receipts"]

    def test_a_folder_that_is_gone_is_no_empty_folder(self, share: Share) -> None:
        share.folder.rmdir()
        with pytest.raises(FolderFaultError, match="not there"):
            list(share.receiver.collect(share.box()))

    def test_a_share_that_is_not_mounted_is_known_by_its_marker(self, share: Share) -> None:
        box = share.box(marker="exchange.txt")
        with pytest.raises(FolderFaultError, match="not there"):
            list(share.receiver.collect(box))
        outcome = share.sender.transmit(share.prepare(box))
        assert isinstance(outcome, Rejected)
        assert outcome.retry
        assert share.waiting() == []
        (share.folder / "exchange.txt").touch()
        assert isinstance(share.sender.transmit(share.prepare(box)), HandedOver)
        assert len(list(share.receiver.collect(box))) == 1


class Faulty:
    """Lets one call of the operating system fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def fails(self, owner: Any, name: str, number: int, when: Callable[..., bool] = lambda *_: True) -> None:
        real = getattr(owner, name)

        def failing(*args: Any, **more: Any) -> Any:
            if when(*args):
                raise OSError(number, os.strerror(number))
            return real(*args, **more)

        self.monkeypatch.setattr(owner, name, failing)


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Faulty:
    return Faulty(monkeypatch)


class TestFaults:
    @pytest.mark.parametrize(
        ("number", "code", "retry"),
        [
            (errno.ENOSPC, "disk-full", True),
            (errno.EDQUOT, "disk-full", True),
            (errno.EROFS, "read-only", False),
            (errno.EACCES, "unwritable", False),
            (errno.EPERM, "unwritable", False),
            (errno.ENOENT, "no-folder", True),
            (errno.ESTALE, "unreachable", True),
            (errno.EIO, "unreachable", True),
        ],
    )
    def test_nothing_goes_and_the_reason_is_said(
        self, number: int, code: str, retry: bool, share: Share, faulty: Faulty
    ) -> None:
        prepared = share.prepare()
        with faulty.monkeypatch.context():
            faulty.fails(os, "fsync", number)
            outcome = share.sender.transmit(prepared)
        assert isinstance(outcome, Rejected)
        assert (outcome.retry, outcome.blockers[0].code) == (retry, code)
        assert str(share.folder) in outcome.reason
        assert share.waiting() == []
        faulty.monkeypatch.undo()
        assert isinstance(share.sender.resolve(prepared), Rejected)
        assert isinstance(share.sender.transmit(prepared), HandedOver)

    def test_a_link_in_the_way_is_cleared_away_and_not_written_through(self, share: Share) -> None:
        prepared = share.prepare()
        target = share.root / "target"
        target.write_bytes(b"mine")
        (share.folder / f".dienstweg-{prepared.dispatch_id}.part").symlink_to(target)
        assert isinstance(share.sender.transmit(prepared), HandedOver)
        assert target.read_bytes() == b"mine"

    def test_a_rename_that_was_cut_off_is_unknown_until_looked_at(self, share: Share, faulty: Faulty) -> None:
        prepared = share.prepare()
        faulty.fails(Path, "rename", errno.EIO)
        assert isinstance(share.sender.transmit(prepared), Unknown)
        faulty.monkeypatch.undo()
        outcome = share.carrier("sender").resolve(prepared)
        assert isinstance(outcome, Rejected), "the temporary file is still there: it did not go"
        assert outcome.retry

    def test_gone_without_a_receipt_is_unknown(self, share: Share) -> None:
        """Shown, then the process dies before it notes that; a foreign system takes the file meanwhile."""
        prepared = share.prepare()
        share.sender.transmit(prepared)
        (share.folder / "message.zip").unlink()
        for note in (share.root / "sender").rglob("dispatches/*.json"):
            note.write_text('{"state": "intended"}')
        assert isinstance(share.carrier("sender").resolve(prepared), Unknown)

    def test_a_full_home_is_the_senders_fault(self, share: Share, faulty: Faulty) -> None:
        prepared = share.prepare()
        faulty.fails(Path, "replace", errno.ENOSPC)
        outcome = share.sender.transmit(prepared)
        assert isinstance(outcome, Rejected)
        assert [(each.code, each.side) for each in outcome.blockers] == [("no-journal", "sender")]
        assert share.waiting() == []

    def test_a_ready_file_that_fails_is_made_up_for(self, share: Share, faulty: Faulty) -> None:
        box = share.box(ready=".ok")
        prepared = share.prepare(box)
        faulty.fails(Path, "touch", errno.ENOSPC)
        assert isinstance(share.sender.transmit(prepared), Unknown)
        faulty.monkeypatch.undo()
        assert isinstance(share.sender.resolve(prepared), HandedOver)
        assert len(list(share.receiver.collect(box))) == 1

    def test_gone_but_noted_went(self, share: Share) -> None:
        prepared = share.prepare()
        share.sender.transmit(prepared)
        (share.folder / "message.zip").unlink()
        outcome = share.carrier("sender").resolve(prepared)
        assert isinstance(outcome, HandedOver)
        assert outcome.at == NOON

    def test_another_message_of_the_same_name_is_never_written_over(self, share: Share) -> None:
        first, second = share.prepare(), share.prepare()
        share.sender.transmit(first)
        before = (share.folder / "message.zip").read_bytes()
        outcome = share.sender.transmit(second)
        assert isinstance(outcome, Rejected)
        assert outcome.blockers[0].code == "name-taken"
        assert (share.folder / "message.zip").read_bytes() == before
        assert isinstance(share.sender.resolve(second), Rejected)

    def test_the_same_message_twice_is_one(self, share: Share) -> None:
        prepared = share.prepare()
        for _ in range(2):
            assert isinstance(share.sender.transmit(prepared), HandedOver)
        assert share.waiting() == ["message.zip"]

    def test_what_cannot_be_read_does_not_keep_the_rest_back(self, share: Share, faulty: Faulty) -> None:
        for name in ("a.zip", "b.zip"):
            share.sender.transmit(share.prepare(name=name))
        faulty.fails(shutil, "copyfile", errno.EACCES, lambda source, *_: Path(source).name == "a.zip")
        collected = share.receiver.collect(share.box())
        assert next(collected).parts[0].name == "b.zip"
        with pytest.raises(FolderFaultError, match=r"a\.zip"):
            next(collected)

    @pytest.mark.parametrize("settings", [{}, {"senders": "subfolders"}])
    def test_a_folder_that_cannot_be_listed_is_said(
        self, settings: dict[str, Any], share: Share, faulty: Faulty
    ) -> None:
        faulty.fails(Path, "iterdir", errno.EACCES)
        with pytest.raises(FolderFaultError, match="Permission denied"):
            list(share.receiver.collect(share.box(**settings)))

    def test_an_unknown_fault_may_pass(self) -> None:
        assert fault_of(OSError(errno.EIO, "")).retry
        assert fault_of(OSError("no number")).code == "unreachable"


@pytest.fixture
def small_disk(share: Share) -> Iterator[Share]:
    """Put a file system of 64 KiB under the share."""
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(share.folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("file systems can be mounted by root only")
    yield share
    subprocess.run(["umount", str(share.folder)], check=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="no mount on this system")
class TestRealFileSystems:
    def test_a_full_disk(self, small_disk: Share) -> None:
        prepared = small_disk.prepare()
        ballast = small_disk.folder / "ballast"
        ballast.write_bytes(bytes(64 << 10))
        outcome = small_disk.sender.transmit(prepared)
        assert isinstance(outcome, Rejected)
        assert (outcome.retry, outcome.blockers[0].code) == (True, "disk-full")
        assert small_disk.waiting() == ["ballast"]
        asked = requirements(small_disk.envelopes.new())
        assert [each.code for each in small_disk.sender.check(None, small_disk.box(), asked)] == ["disk-full"]
        ballast.unlink()
        assert isinstance(small_disk.sender.transmit(prepared), HandedOver)

    def test_a_read_only_disk(self, small_disk: Share) -> None:
        prepared = small_disk.prepare()
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk.folder)], check=True)
        outcome = small_disk.sender.transmit(prepared)
        assert isinstance(outcome, Rejected)
        assert (outcome.retry, outcome.blockers[0].code) == (False, "read-only")
        asked = requirements(small_disk.envelopes.new())
        assert [each.code for each in small_disk.sender.check(None, small_disk.box(), asked)] == [
            "unwritable"
        ]

    def test_an_acknowledgement_on_a_read_only_disk_is_made_up_for_later(self, small_disk: Share) -> None:
        small_disk.sender.transmit(small_disk.prepare())
        (incoming,) = small_disk.receiver.collect(small_disk.box())
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk.folder)], check=True)
        with pytest.raises(FolderFaultError, match="Read-only"):
            incoming.acknowledge()
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk.folder)], check=True)
        (again,) = small_disk.receiver.collect(small_disk.box())
        assert again.carrier_reference == incoming.carrier_reference
        again.acknowledge()
        assert list(small_disk.receiver.collect(small_disk.box())) == []


class TestCheck:
    def test_a_missing_folder(self, share: Share) -> None:
        share.folder.rmdir()
        asked = requirements(share.envelopes.new())
        assert [each.code for each in share.sender.check(None, share.box(), asked)] == ["no-folder"]

    def test_a_missing_sub_folder(self, share: Share) -> None:
        own = mailbox(SAARBRUECKEN, "xdomea+folder", "own")
        asked = requirements(share.envelopes.new())
        (blocker,) = share.sender.check(own, share.box(senders="subfolders"), asked)
        assert SAARBRUECKEN.authority_id in blocker.message

    def test_a_folder_without_the_right_to_write(self, share: Share, monkeypatch: pytest.MonkeyPatch) -> None:
        # Tests may run as root, whom no permission stops.
        monkeypatch.setattr(os, "access", lambda *_: False)
        asked = requirements(share.envelopes.new())
        assert [each.code for each in share.sender.check(None, share.box(), asked)] == ["unwritable"]

    def test_what_is_too_large(self, share: Share) -> None:
        asked = replace(requirements(share.envelopes.new()), total_bytes=1 << 60)
        box = replace(share.box(), max_bytes=1000)
        assert {each.code for each in share.sender.check(None, box, asked)} == {"too-large", "disk-full"}

    def test_bad_settings_block(self, share: Share) -> None:
        asked = requirements(share.envelopes.new())
        (blocker,) = share.sender.check(None, share.box(senders="all"), asked)
        assert blocker.code == "bad-settings"

    @pytest.mark.parametrize("authority", ["../other", "/etc", "a/b", "processed", ".hidden", ""])
    def test_a_sender_cannot_name_another_folder(self, authority: str, share: Share) -> None:
        own = replace(mailbox(SAARBRUECKEN, "xdomea+folder", "own"), authority_id=authority)
        asked = requirements(share.envelopes.new())
        (blocker,) = share.sender.check(own, share.box(senders="subfolders"), asked)
        assert blocker.code == "bad-settings"

    def test_a_dispatch_without_fitting_parts_is_refused(self, share: Share) -> None:
        with pytest.raises(NothingToSendError):
            share.sender.prepare(share.envelopes.new(), (), None, share.box())

    def test_health_needs_the_journal(self, share: Share, monkeypatch: pytest.MonkeyPatch) -> None:
        assert share.sender.health().ok
        monkeypatch.setattr(os, "access", lambda *_: False)
        assert not share.sender.health().ok
        (share.root / "blocked").write_text("a file")
        assert not create(context(share.root / "blocked")).health().ok
