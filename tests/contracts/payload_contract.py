"""What every payload must do, ours and others'.

Inherit ``PayloadContract`` in a test module and give it a fixture ``rig``::

    class TestMine(PayloadContract):
        @pytest.fixture
        def rig(self, tmp_path): return PayloadRig(...)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from engine.exchange.errors import UnreadableError
from engine.exchange.ports import (
    Envelope,
    EvidenceLevel,
    Mailbox,
    Part,
    Payload,
    Reading,
    Requirements,
)
from tests.contracts.samples import ANSWER, HOMBURG, REQUEST, Envelopes, MemoryDocument, requirements

TEXT = MemoryDocument("Hinweis.txt", "für Groß und Klein\n".encode(), "text/plain")
NOTICE = MemoryDocument("Bescheid Müller.pdf", b"%PDF-1.4 not a real one", "application/pdf")


@dataclass
class PayloadRig:
    """A payload with a recipient, and what it is able to do."""

    payload: Payload
    recipient: Mailbox
    work: Path
    """An empty folder."""
    reads_data: bool = True
    """Whether ``read`` gives back data and message type; paper does not without a clerk."""
    reads_documents: bool = True
    """Whether ``read`` gives back the documents as they were."""
    confirms: bool = True
    """Whether the standard behind it has a confirmation of receipt."""
    documents: Sequence[MemoryDocument] = (NOTICE, TEXT)
    """What may be enclosed."""
    envelopes: Envelopes = field(default_factory=Envelopes)

    def build(self, envelope: Envelope) -> tuple[Part, ...]:
        return self.payload.build(envelope, self.recipient, self.folder("built"))

    def read(self, parts: Sequence[Part]) -> Reading:
        return self.payload.read(parts, self.folder("read"))

    def folder(self, name: str) -> Path:
        number = len(list(self.work.iterdir()))
        folder = self.work / f"{number}-{name}"
        folder.mkdir()
        return folder

    def asks(self, envelope: Envelope) -> Requirements:
        return requirements(envelope)


class PayloadContract:
    """The suite."""

    @pytest.fixture
    def rig(self) -> PayloadRig:
        raise NotImplementedError

    def test_names_itself(self, rig: PayloadRig) -> None:
        assert rig.payload.name == rig.recipient.channel.partition("+")[0]
        assert isinstance(rig.payload.level, EvidenceLevel)

    def test_finds_nothing_in_the_way(self, rig: PayloadRig) -> None:
        assert rig.payload.check(rig.recipient, rig.asks(rig.envelopes.new())) == []

    def test_builds_files_into_the_folder(self, rig: PayloadRig) -> None:
        folder = rig.folder("built")
        parts = rig.payload.build(rig.envelopes.new(documents=rig.documents), rig.recipient, folder)
        assert parts
        assert len({part.name for part in parts}) == len(parts)
        for part in parts:
            assert part.path.is_file()
            assert folder in part.path.parents
            assert part.media_type.count("/") == 1
            assert part.role

    def test_recognises_what_it_built_and_nothing_else(self, rig: PayloadRig) -> None:
        assert rig.payload.recognises(rig.build(rig.envelopes.new()))
        other = rig.folder("other") / "photo.jpg"
        other.write_bytes(b"\xff\xd8\xff no such thing")
        assert not rig.payload.recognises((Part(other.name, "image/jpeg", other, "document"),))
        assert not rig.payload.recognises(())

    def test_reads_what_it_built(self, rig: PayloadRig) -> None:
        envelope = rig.envelopes.new(documents=rig.documents)
        reading = rig.read(rig.build(envelope))
        assert reading.confirmation is None
        if rig.reads_data:
            assert reading.message_type == envelope.message_type.key
            assert reading.version == envelope.message_type.version
            assert reading.data == envelope.data
            assert reading.sender_id == envelope.sender.authority_id
            assert reading.sender_exchange == envelope.exchange_id
            assert reading.sender_reference == envelope.own_reference
        if rig.reads_documents:
            assert [(each.name, each.sha256, each.size) for each in reading.documents] == [
                (each.name, each.sha256, each.size) for each in rig.documents
            ]
            for document in reading.documents:
                with document.open() as content:
                    assert len(content.read()) == document.size

    def test_the_same_envelope_means_the_same(self, rig: PayloadRig) -> None:
        envelope = rig.envelopes.new(documents=rig.documents)
        first, second = rig.build(envelope), rig.build(envelope)
        assert [part.name for part in first] == [part.name for part in second]
        assert rig.read(first).data == rig.read(second).data

    def test_data_of_every_json_kind_survive(self, rig: PayloadRig) -> None:
        if not rig.reads_data:
            pytest.skip("this payload needs a clerk to read data")
        data = {
            "text": "Ärger mit „Gänsefüßchen“ – Łódź, Ñandú, ạ̈ und <tags> & ]]>",
            "leer": "",
            "rand": "  zwei  Leerzeichen \n neue Zeile\r\n\t",
            "zahl": 12.75,
            "groß": 9007199254740993,
            "wahr": True,
            "nichts": None,
            "liste": [1, "zwei", {"drei": [None]}],
            "karte": {"a b": {"ü": []}},
            "steuerzeichen": "a\u0001b",
        }
        free = replace(REQUEST, template=None)
        assert rig.read(rig.build(rig.envelopes.new(free, data=data))).data == data

    def test_an_answer_refers_to_what_it_answers(self, rig: PayloadRig) -> None:
        asked = rig.envelopes.new()
        answer = rig.envelopes.new(ANSWER, answer_to=asked.exchange_id, partner_reference="HOM-7/26")
        reading = rig.read(rig.build(answer))
        if rig.reads_data:
            assert ("exchange", asked.exchange_id) in [(each.kind, each.value) for each in reading.references]
            assert ("file-reference", "HOM-7/26") in [(each.kind, each.value) for each in reading.references]
        else:
            assert reading.references

    def test_confirms_in_the_words_of_its_standard(self, rig: PayloadRig) -> None:
        envelope = rig.envelopes.new()
        parts = rig.build(envelope)
        reading = rig.read(parts)
        answer = rig.payload.confirm(reading, parts, HOMBURG, rig.folder("confirmed"))
        assert bool(answer) == (rig.confirms and reading.confirmation_wanted)
        if answer:
            confirmation = rig.read(answer)
            assert confirmation.confirmation is not None
            assert confirmation.confirmation.kind == "received"
            assert envelope.exchange_id in [each.value for each in confirmation.references]
            assert rig.payload.confirm(confirmation, answer, HOMBURG, rig.folder("again")) == ()

    def test_damage_is_unreadable_and_leaves_nothing(self, rig: PayloadRig) -> None:
        parts = rig.build(rig.envelopes.new(documents=rig.documents))
        for part in parts:
            part.path.write_bytes(b"neither this nor that")
        folder = rig.folder("damaged")
        with pytest.raises(UnreadableError) as caught:
            rig.payload.read(parts, folder)
        assert str(caught.value)
        assert list(folder.iterdir()) == []
        assert isinstance(
            rig.payload.complain(parts, str(caught.value), HOMBURG, rig.folder("complaint")), tuple
        )
