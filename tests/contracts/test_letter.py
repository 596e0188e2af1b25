"""The letter payload keeps the payloads' contract."""

import io
from pathlib import Path

import pytest
from PIL import Image

from adapters.letter import create
from tests.contracts.payload_contract import PayloadContract, PayloadRig
from tests.contracts.samples import HOMBURG, MemoryDocument, context, mailbox


def picture() -> bytes:
    target = io.BytesIO()
    Image.new("L", (60, 40), 200).save(target, "PNG")
    return target.getvalue()


def pdf() -> bytes:
    target = io.BytesIO()
    Image.new("L", (595, 842), 240).save(target, "PDF")
    return target.getvalue()


class TestLetter(PayloadContract):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> PayloadRig:
        work = tmp_path / "work"
        work.mkdir()
        return PayloadRig(
            payload=create(context(tmp_path / "home")),
            recipient=mailbox(HOMBURG, "letter+post", "Am Forum 5\n66424 Homburg"),
            work=work,
            reads_data=False,
            reads_documents=False,
            confirms=False,
            documents=(
                MemoryDocument("Bescheid Müller.pdf", pdf()),
                MemoryDocument("Foto.png", picture(), "image/png"),
            ),
        )
