"""eGo-MAIL keeps the carriers' contract, over TLS against a running intermediary and in a trial's folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from adapters.ego_mail import create
from adapters.ego_mail.osci.client import Client
from adapters.ego_mail.osci.errors import UnreachableError
from engine.identifiers import RandomIds
from tests.contracts.carrier_contract import CarrierContract, CarrierRig
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, context
from tests.ego_mail.conftest import World, pki, world

__all__ = ["pki", "world"]


def unreachable(*_: object) -> None:
    raise UnreachableError("no connection")


class TestEgoMail(CarrierContract):
    @pytest.fixture
    def rig(self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CarrierRig:
        @contextmanager
        def broken() -> Iterator[None]:
            with monkeypatch.context() as patched:
                patched.setattr(Client, "_exchange", unreachable)
                yield

        work = tmp_path / "work"
        work.mkdir()
        return CarrierRig(
            carrier=world.carrier(SAARBRUECKEN),
            sender=world.mailbox(SAARBRUECKEN),
            recipient=world.mailbox(HOMBURG),
            work=work,
            restarted=lambda: world.carrier(SAARBRUECKEN),
            receiver=world.carrier(HOMBURG),
            broken=broken,
        )


class TestTrial(CarrierContract):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> CarrierRig:
        home = tmp_path / "sender"
        carrier = create(context(home, ids=RandomIds()))
        share = tmp_path / "share"
        ids = [SAARBRUECKEN.authority_id, HOMBURG.authority_id]
        sender, recipient = (carrier.trial_mailbox(each, "xdomea", share, ids) for each in ids)
        work = tmp_path / "work"
        work.mkdir()
        return CarrierRig(
            carrier=carrier,
            sender=sender,
            recipient=recipient,
            work=work,
            restarted=lambda: create(context(home, ids=RandomIds())),
            receiver=create(context(tmp_path / "recipient", ids=RandomIds())),
        )
