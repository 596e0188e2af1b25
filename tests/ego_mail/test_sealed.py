"""Nothing leaves without being sealed for the addressee, whatever its form class."""

from base64 import b64encode
from pathlib import Path

import pytest

from engine.exchange.ports import FormClass, Part
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, Envelopes
from tests.ego_mail.conftest import World

SECRET = b"Jutta Muster wohnt in der Talstrasse 1. "


@pytest.mark.parametrize("form", FormClass)
@pytest.mark.parametrize("max_bytes", [30_000_000, 1_000])
def test_files_and_text_are_sealed_on_every_path(
    world: World, tmp_path: Path, form: FormClass, max_bytes: int
) -> None:
    parts = []
    for name in ("Brief.pdf", "Anlage.pdf"):
        (tmp_path / name).write_bytes(SECRET * 20)
        parts.append(Part(name, "application/pdf", tmp_path / name, "attachment"))
        if form is FormClass.WRITTEN:
            (tmp_path / f"{name}.p7s").write_bytes(SECRET)
            parts.append(
                Part(f"{name}.p7s", "application/pkcs7-signature", tmp_path / f"{name}.p7s", "signature")
            )
    envelope = Envelopes().new(form=form, subject="Vollstreckung gegen Jutta Muster")
    boxes = world.mailbox(SAARBRUECKEN), world.mailbox(HOMBURG, max_bytes=max_bytes)
    world.carrier(SAARBRUECKEN).prepare(envelope, parts, *boxes)
    written = list((world.home(SAARBRUECKEN) / "ego_mail" / "outgoing").glob("*.osci"))
    assert len(written) == (1 if max_bytes > 1_000 else 2)
    for path in written:
        content = path.read_bytes()
        assert b"EncryptedData" in content
        assert SECRET not in content
        assert b64encode(SECRET * 3) not in content.replace(b"\n", b"").replace(b"\r", b"")
        assert b"Jutta Muster" not in content
