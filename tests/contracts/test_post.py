"""The post keeps the carriers' contract."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from adapters.post import create
from engine.exchange.ports import Envelope, Part
from tests.contracts.carrier_contract import CarrierContract, CarrierRig
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, context, mailbox


def letter(envelope: Envelope, folder: Path) -> tuple[Part, ...]:
    path = folder / "Brief.pdf"
    Image.new("L", (595, 842), 255).save(path, "PDF")
    return (Part(path.name, "application/pdf", path, "letter"),)


class TestPost(CarrierContract):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> CarrierRig:
        home = tmp_path / "home"
        home.mkdir()
        work = tmp_path / "work"
        work.mkdir()

        @contextmanager
        def broken() -> Iterator[None]:
            (home / "print").write_text("a file where the folder should be")
            yield
            (home / "print").unlink()

        return CarrierRig(
            carrier=create(context(home)),
            sender=mailbox(SAARBRUECKEN, "letter+post", "Rathausplatz 1\n66111 Saarbrücken"),
            recipient=mailbox(HOMBURG, "letter+post", "Am Forum 5\n66424 Homburg"),
            work=work,
            parts=letter,
            restarted=lambda: create(context(home)),
            comes_back=False,
            broken=broken,
        )
