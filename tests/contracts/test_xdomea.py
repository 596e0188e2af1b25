"""The payload xdomea keeps the payloads' contract, in every version it writes."""

from pathlib import Path

import pytest

from adapters.xdomea import create
from adapters.xdomea.versions import WRITABLE
from tests.contracts.payload_contract import PayloadContract, PayloadRig
from tests.contracts.samples import HOMBURG, context, mailbox


class TestXdomea(PayloadContract):
    @pytest.fixture(params=WRITABLE)
    def rig(self, request: pytest.FixtureRequest, tmp_path: Path) -> PayloadRig:
        work = tmp_path / "work"
        work.mkdir()
        return PayloadRig(
            payload=create(context(tmp_path / "home")),
            recipient=mailbox(HOMBURG, "xdomea+folder", "share", versions=[request.param]),
            work=work,
        )
