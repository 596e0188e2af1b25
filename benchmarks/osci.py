"""OSCI-Transport: messages a second and peak memory, client and trial intermediary over loopback sockets.

Both layers are signed and encrypted with 3072-bit keys, SQLite syncs every commit (synchronous FULL).
"""

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from adapters.ego_mail.intermediary.cases import IntermediarySettings
from adapters.ego_mail.intermediary.service import IntermediaryService
from adapters.ego_mail.intermediary.serving import make_keys, running
from adapters.ego_mail.osci.client import Client, Delivery, Identity, Intermediary
from adapters.ego_mail.osci.content import AttachedFile, Container, Data, Sealed
from adapters.ego_mail.osci.dialog import Dialog
from adapters.ego_mail.osci.http import HttpTransport
from adapters.ego_mail.osci.keys import LocalDecrypter, LocalSigner
from adapters.ego_mail.osci.streams import FileBlob, digest_of
from adapters.ego_mail.osci.trust import TrustStore
from benchmarks.result import Row
from engine.clock import SystemClock
from engine.identifiers import RandomIds

DESCRIPTION = "OSCI-Transport 1.2 over sockets: store, fetch and open, signed and encrypted on both layers"
SMALL = 10_000
LARGE = 30_000_000
COUNTS = {"quick": (30, 1), "full": (300, 5)}


@dataclass(frozen=True)
class Partner:
    signer: LocalSigner
    decrypter: LocalDecrypter


def partner(title: str) -> Partner:
    return Partner(LocalSigner(*self_signed(title)), LocalDecrypter(*self_signed(title)))


def self_signed(title: str) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(65537, 3072)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    now = SystemClock().now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return certificate, key


class Bench:
    """An intermediary in a thread, and two clients."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        clock, ids = SystemClock(), RandomIds()
        keys = make_keys(folder / "keys", clock)
        self._service = IntermediaryService(
            folder / "intermediary",
            Identity(keys.signature.signer(), keys.cipher.decrypter()),
            clock=clock,
            ids=ids,
            settings=IntermediarySettings(max_message_bytes=100_000_000),
        )
        self._running = running(self._service)
        uri = self._running.__enter__()
        self.alice, self.bob = partner("Alice"), partner("Bob")
        office = Intermediary(uri, keys.cipher.certificate, keys.signature.certificate)

        def client(party: Partner) -> Client:
            identity = Identity(party.signer, party.decrypter)
            trust = TrustStore(pinned=[self.alice.decrypter.certificate, self.bob.decrypter.certificate])
            return Client(office, identity, HttpTransport(), trust=trust, clock=clock, ids=ids)

        self.sender, self.receiver = client(self.alice), client(self.bob)

    def file(self, size: int) -> FileBlob:
        path = self._folder / f"{size}.bin"
        if not path.exists():
            with path.open("wb") as target:
                for _ in range(size // 10_000):
                    target.write(RandomIds().token(10_000))
        return FileBlob(path)

    def store(self, size: int) -> None:
        attached = AttachedFile("file.bin", self.file(size))
        container = Container([Data(b"<message/>"), attached], [self.alice.signer])
        certificate = self.bob.decrypter.certificate
        delivery = Delivery([Sealed(container, [certificate])], certificate, subject="benchmark")
        self.sender.store(delivery, self._folder)

    def fetch_all(self, size: int) -> int:
        count = 0
        expected = digest_of(self.file(size), hashes.SHA256())
        with Dialog(self.receiver) as dialog:
            while (fetched := dialog.fetch()) is not None:
                with fetched, fetched.open() as package:
                    (file,) = package.files()
                    assert digest_of(file.blob, hashes.SHA256()) == expected
                count += 1
        return count

    def round_trip(self, size: int) -> None:
        self.store(size)
        assert self.fetch_all(size) == 1

    def warm_up(self) -> None:
        self.round_trip(SMALL)

    def close(self) -> None:
        self._running.__exit__(None, None, None)
        self._service.close()


def measure(size: int, count: int) -> tuple[float, float, float, float]:
    """Return stores and fetches a second, and the CPU milliseconds of both sides for each."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        try:
            bench.warm_up()
            bench.file(size)
            instants, cpu = [time.perf_counter()], [time.process_time()]
            for _ in range(count):
                bench.store(size)
            instants.append(time.perf_counter())
            cpu.append(time.process_time())
            assert bench.fetch_all(size) == count
            instants.append(time.perf_counter())
            cpu.append(time.process_time())
            rates = [count / (after - before) for before, after in pairwise(instants)]
            costs = [1000 * (after - before) / count for before, after in pairwise(cpu)]
            return rates[0], rates[1], costs[0], costs[1]
        finally:
            bench.close()


def peak(size: int) -> tuple[float, float]:
    """Return peak memory of a fresh process in MB: at rest after one small message, and with ``size``."""
    script = f"from benchmarks.osci import print_peak; print_peak({size})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    rest, most = done.stdout.split()
    return float(rest), float(most)


def print_peak(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        bench.warm_up()
        rest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        bench.round_trip(size)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        bench.close()
    print(rest / 1000, most / 1000)


def run(scale: str) -> list[Row]:
    small, large = COUNTS[scale]
    small_stored, small_fetched, small_store_cpu, small_fetch_cpu = measure(SMALL, small)
    large_stored, large_fetched, large_store_cpu, large_fetch_cpu = measure(LARGE, large)
    rest, most = peak(LARGE)
    return [
        Row("10 kB: sent (GetMessageId + StoreDelivery)", small_stored, "messages/s"),
        Row("10 kB: fetched, decrypted, verified in one dialog", small_fetched, "messages/s"),
        Row("10 kB: CPU of both sides for sending one", small_store_cpu, "ms"),
        Row("10 kB: CPU of both sides for fetching one", small_fetch_cpu, "ms"),
        Row("30 MB: sent", large_stored, "messages/s"),
        Row("30 MB: fetched, decrypted, verified", large_fetched, "messages/s"),
        Row("30 MB: CPU of both sides for sending one", large_store_cpu, "ms"),
        Row("30 MB: CPU of both sides for fetching one", large_fetch_cpu, "ms"),
        Row("peak memory at rest, client and intermediary in one process", rest, "MB"),
        Row("peak memory with a 30 MB attachment there and back", most, "MB"),
    ]
