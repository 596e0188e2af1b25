"""The document payload keeps the payloads' contract."""

from pathlib import Path

import pytest

from adapters.document import create
from tests.contracts.payload_contract import PayloadContract, PayloadRig
from tests.contracts.samples import HOMBURG, context, mailbox


class TestDocument(PayloadContract):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> PayloadRig:
        work = tmp_path / "work"
        work.mkdir()
        return PayloadRig(
            payload=create(context(tmp_path / "home")),
            recipient=mailbox(HOMBURG, "document+ego_mail", "https://osci.example"),
            work=work,
            confirms=False,
        )
