"""The folder carrier keeps the carriers' contract, in each arrangement of its folders."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.folder import create
from tests.contracts.carrier_contract import CarrierContract, CarrierRig
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, context, mailbox


class TestFolder(CarrierContract):
    @pytest.fixture(params=["shared", "one-sender", "subfolders", "ready-files"])
    def rig(self, request: pytest.FixtureRequest, tmp_path: Path) -> CarrierRig:
        share = tmp_path / "share"
        share.mkdir()
        settings = {
            "shared": {},
            "one-sender": {"sender": SAARBRUECKEN.authority_id},
            "subfolders": {"senders": "subfolders"},
            "ready-files": {"ready": ".ok"},
        }[request.param]
        if request.param == "subfolders":
            (share / SAARBRUECKEN.authority_id).mkdir()

        @contextmanager
        def broken() -> Iterator[None]:
            hidden = tmp_path / "hidden"
            shutil.move(share, hidden)
            yield
            shutil.move(hidden, share)

        home = tmp_path / "sender"
        work = tmp_path / "work"
        work.mkdir()
        return CarrierRig(
            carrier=create(context(home)),
            sender=mailbox(SAARBRUECKEN, "xdomea+folder", str(tmp_path / "own")),
            recipient=mailbox(HOMBURG, "xdomea+folder", str(share), **settings),
            work=work,
            restarted=lambda: create(context(home)),
            receiver=create(context(tmp_path / "recipient")),
            broken=broken,
        )
