"""The intermediary is killed at each of its orders: the delivery arrives once, and its sender learns it."""

import dataclasses
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from engine.errors import DienstwegError
from engine.exchange.ports import HandedOver, Prepared, Rejected
from tests.contracts.carrier_contract import plain_parts
from tests.contracts.samples import HOMBURG, SAARBRUECKEN, Envelopes
from tests.ego_mail.conftest import World, pem

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]


class Server:
    """The intermediary in a process; ``alive`` begins it anew where it has died, then it lives on."""

    def __init__(self, world: World, order: int, when: str) -> None:
        self.folder, self.deaths = world.folder, 0
        (self.folder / "operator").mkdir(exist_ok=True)
        (self.folder / "ca.pem").write_text(pem(world.pki.authority.certificate))
        operator = world.pki.operator
        for role, key, certificate in (
            ("cipher", operator.cipher_key, operator.cipher),
            ("signature", operator.signing_key, operator.signature),
        ):
            plain = key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            (self.folder / "operator" / f"{role}.key.pem").write_bytes(plain)
            (self.folder / "operator" / f"{role}.cer.pem").write_text(pem(certificate))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = self._begin(order, when)

    def _begin(self, order: int, when: str) -> "subprocess.Popen[bytes]":
        call = [self.folder, self.port, order, when]
        process = subprocess.Popen([sys.executable, "-m", "tests.ego_mail.mortal", *map(str, call)], cwd=ROOT)
        end = time.monotonic() + 120
        while time.monotonic() < end and process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
            else:
                return process
        raise AssertionError("the intermediary did not start")

    def alive(self) -> None:
        if self.process.poll() is not None:
            self.deaths += 1
            self.process = self._begin(0, "never")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def serve(world: World) -> Iterator[Callable[[int, str], Server]]:
    begun: list[Server] = []

    def begin(order: int, when: str) -> Server:
        begun.append(Server(world, order, when))
        return begun[-1]

    yield begin
    for server in begun:
        server.close()


def insistent(server: Server, action: Callable[[], Any]) -> Any:
    """Do what the work loop does: what fails is tried again, the server being back."""
    for _ in range(10):
        try:
            return action()
        except DienstwegError:
            server.alive()
    raise AssertionError("not done in ten attempts")


def delivered(server: Server, world: World, prepared: Prepared) -> None:
    begun = False
    for _ in range(10):
        carrier = world.carrier(SAARBRUECKEN)
        outcome: Any = carrier.resolve(prepared) if begun else Rejected("new", retry=True)
        begun = True
        if isinstance(outcome, Rejected) and outcome.retry:
            outcome = carrier.transmit(prepared)
        if isinstance(outcome, HandedOver):
            return
        server.alive()
    raise AssertionError(f"not handed over: {outcome}")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("order", [1, 2, 4, 5, 6, 7])
def test_a_server_that_dies_at_an_order_loses_and_doubles_nothing(
    world: World, tmp_path: Path, serve: Callable[[int, str], Server], order: int, when: str
) -> None:
    server = serve(order, when)
    world = dataclasses.replace(world, uri=f"https://127.0.0.1:{server.port}/")
    envelope = Envelopes().new()
    parts = plain_parts(envelope, tmp_path)
    boxes = world.mailbox(SAARBRUECKEN), world.mailbox(HOMBURG)
    prepared = insistent(server, lambda: world.carrier(SAARBRUECKEN).prepare(envelope, parts, *boxes))
    delivered(server, world, prepared)
    kept: dict[str, bytes] = {}

    def collect() -> None:
        for incoming in world.carrier(HOMBURG).collect(world.mailbox(HOMBURG)):
            kept[incoming.carrier_reference] = incoming.parts[0].path.read_bytes()
            incoming.acknowledge()

    for _ in range(3):
        insistent(server, collect)
    assert list(kept.values()) == [prepared.parts[0].path.read_bytes()]
    card = insistent(server, lambda: world.carrier(SAARBRUECKEN).resolve(prepared))
    assert isinstance(card, HandedOver)
    assert set(card.facts) == {"created", "forwarded", "received"}
    assert server.deaths == 1
