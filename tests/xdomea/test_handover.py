"""A youth case file goes from one authority to another, over an exchange folder, with all confirmations."""

import zipfile
from pathlib import Path

import pytest

from adapters.folder import create as create_folder
from adapters.folder.carrier import FolderCarrier
from adapters.xdomea import create
from adapters.xdomea.payload import XdomeaPayload
from engine.exchange.errors import UnreadableError
from engine.exchange.ports import Assurance, HandedOver, Incoming, Mailbox, Part, Reading
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, Envelopes, MemoryDocument, context, mailbox
from tests.xdomea.conftest import SCHEMAS, message_type

HANDOVER = message_type(
    {
        "message": "0401",
        "object": "file",
        "file": {
            "subject": "Jugendhilfe {{ data.kind }}",
            "filing_reference": "51.1",
            "confidentiality": "003",
        },
        "record": {"subject": "Hilfe zur Erziehung", "begin": "{{ data.beginn }}"},
    },
    key="fallabgabe",
)
DOCUMENTS = [
    MemoryDocument(f"{number:03} Hilfeplan.pdf", f"%PDF {number}".encode() * 50) for number in range(200)
]


class Office:
    """One installation's adapters with its own inbox."""

    def __init__(self, home: Path, versions: list[str]) -> None:
        settings = {"schemas": str(SCHEMAS)} if SCHEMAS.is_dir() else {}
        self.home = home
        self.payload: XdomeaPayload = create(context(home, settings))
        self.carrier: FolderCarrier = create_folder(context(home))
        self.inbox = home / "inbox"
        self.inbox.mkdir(parents=True)
        self.versions = versions

    def box(self, authority: str) -> Mailbox:
        party = HOMBURG if authority == HOMBURG.authority_id else SAARBRUECKEN
        return mailbox(party, "xdomea+folder", str(self.inbox), senders="subfolders", versions=self.versions)

    def folder(self, name: str) -> Path:
        made = self.home / name
        made.mkdir(parents=True, exist_ok=True)
        return made

    def receive(self, own: Mailbox) -> tuple[Incoming, Reading]:
        (incoming,) = self.carrier.collect(own)
        reading = self.payload.read(incoming.parts, self.folder(f"documents-{incoming.parts[0].name}"))
        incoming.acknowledge()
        return incoming, reading


@pytest.mark.parametrize("version", ["2.4.0", "3.1.0"])
def test_a_file_with_200_documents_is_handed_over(version: str, tmp_path: Path) -> None:
    old = Office(tmp_path / "old", ["2.4.0", "3.0.0", "3.1.0"])
    new = Office(tmp_path / "new", [version])
    (new.inbox / SAARBRUECKEN.authority_id).mkdir()
    (old.inbox / HOMBURG.authority_id).mkdir()
    to_new, to_old = new.box(HOMBURG.authority_id), old.box(SAARBRUECKEN.authority_id)
    envelopes = Envelopes()

    def deliver(office: Office, parts: tuple[Part, ...], recipient: Mailbox, sender: str) -> None:
        parties = (SAARBRUECKEN, HOMBURG) if sender == SAARBRUECKEN.authority_id else (HOMBURG, SAARBRUECKEN)
        envelope = envelopes.new(sender=parties[0], recipient=parties[1])
        prepared = office.carrier.prepare(envelope, parts, None, recipient)
        assert isinstance(office.carrier.transmit(prepared), HandedOver)

    envelope = envelopes.new(HANDOVER, data={"kind": "Mia Ł.", "beginn": "2024-05-01"}, documents=DOCUMENTS)
    sent = old.payload.build(envelope, to_new, old.folder("built"))
    prepared = old.carrier.prepare(envelope, sent, None, to_new)
    assert isinstance(old.carrier.transmit(prepared), HandedOver)

    (incoming,) = new.carrier.collect(to_new)
    assert (incoming.sender_id, incoming.assurance) == (SAARBRUECKEN.authority_id, Assurance.TRANSPORT)
    reading = new.payload.read(incoming.parts, new.folder("documents"))
    assert [(each.name, each.sha256) for each in reading.documents] == [
        (each.name, each.sha256) for each in DOCUMENTS
    ]
    kept = incoming.parts[0].path.rename(new.home / incoming.parts[0].name)
    parts = (Part(kept.name, "application/zip", kept, "container"),)

    receipt = new.payload.confirm(reading, parts, HOMBURG, new.folder("receipt"))
    assert bool(receipt) == (version == "3.1.0"), "2.4 has no 0403"
    if receipt:
        deliver(new, receipt, to_old, HOMBURG.authority_id)
        _, received = old.receive(to_old)
        assert received.confirmation is not None
        assert received.confirmation.kind == "received"
        assert envelope.exchange_id in [reference.value for reference in received.references]

    imported = new.payload.confirm_import(parts, HOMBURG, new.folder("import"))
    deliver(new, imported, to_old, HOMBURG.authority_id)
    _, confirmed = old.receive(to_old)
    assert confirmed.confirmation is not None
    assert confirmed.confirmation.kind == "imported"
    assert sent[0].name in [reference.value for reference in confirmed.references]


def test_a_broken_one_is_refused_with_an_answer_and_nothing_is_half_imported(tmp_path: Path) -> None:
    old, new = Office(tmp_path / "old", ["3.1.0"]), Office(tmp_path / "new", ["3.1.0"])
    (new.inbox / SAARBRUECKEN.authority_id).mkdir()
    box = new.box(HOMBURG.authority_id)
    envelope = Envelopes().new(
        HANDOVER, data={"kind": "Mia", "beginn": "2024-05-01"}, documents=DOCUMENTS[:20]
    )
    (part,) = old.payload.build(envelope, box, old.folder("built"))
    broken = old.folder("broken") / part.name
    with zipfile.ZipFile(part.path) as whole, zipfile.ZipFile(broken, "w") as target:
        for entry in whole.namelist()[:-1]:
            target.writestr(entry, whole.read(entry))
    parts = (Part(part.name, part.media_type, broken, part.role),)
    old.carrier.transmit(old.carrier.prepare(envelope, parts, None, box))
    (incoming,) = new.carrier.collect(box)
    target_folder = new.folder("documents")
    with pytest.raises(UnreadableError) as caught:
        new.payload.read(incoming.parts, target_folder)
    assert list(target_folder.iterdir()) == []
    answer = new.payload.complain(incoming.parts, str(caught.value), HOMBURG, new.folder("answer"))
    told = old.payload.read(answer, old.folder("told")).confirmation
    assert told is not None
    assert told.kind == "rejected"
    assert (told.reason or "").startswith("Dateien fehlen, heißen falsch oder wurden verändert. (")
    assert "not in the container" in (told.reason or "")
