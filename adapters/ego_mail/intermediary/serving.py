"""Running the trial intermediary: its keys, its folder, its socket."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from adapters.ego_mail.intermediary.app import create_app
from adapters.ego_mail.intermediary.service import IntermediaryService
from adapters.ego_mail.osci.errors import KeyFileError, UnreachableError
from adapters.ego_mail.osci.keys import KeyPair, load_pem
from engine.clock import Clock

VALIDITY = timedelta(days=365)
ROLES = ("cipher", "signature")


@dataclass(frozen=True, slots=True)
class TrialKeys:
    """The intermediary's own key pairs."""

    cipher: KeyPair
    signature: KeyPair


def make_keys(folder: Path, clock: Clock, name: str = "Dienstweg trial intermediary") -> TrialKeys:
    """Load the keys in ``folder``, or make self-signed ones, valid for a year, on first use."""
    write_keys(folder, clock, name)
    return TrialKeys(*(load_pem(folder / f"{role}.key.pem", folder / f"{role}.cer.pem") for role in ROLES))


def write_keys(folder: Path, clock: Clock, name: str, *, bits: int = 3072) -> None:
    """Make what is missing in ``folder`` of an owner's self-signed keys, valid for a year."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for role in ROLES:
        if not (folder / f"{role}.key.pem").exists():
            _make_pair(folder, role, name, clock.now(), bits)


def _make_pair(folder: Path, role: str, name: str, now: datetime, bits: int) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    title = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} ({role})")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(title)
        .issuer_name(title)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALIDITY)
        .add_extension(_usage(role), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{role}.key.pem"
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    (folder / f"{role}.cer.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _usage(role: str) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=role == "signature",
        content_commitment=role == "signature",
        key_encipherment=role == "cipher",
        data_encipherment=role == "cipher",
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(frozen=True, slots=True)
class Binding:
    """Where to listen, and with which TLS certificate."""

    host: str = "127.0.0.1"
    port: int = 0
    tls_certificate: Path | None = None
    tls_key: Path | None = None


def _server(service: IntermediaryService, binding: Binding) -> uvicorn.Server:
    if (binding.tls_certificate is None) != (binding.tls_key is None):
        raise KeyFileError("TLS needs certificate and key", hint="give both, or none")
    config = uvicorn.Config(
        create_app(service),
        host=binding.host,
        port=binding.port,
        ssl_certfile=None if binding.tls_certificate is None else str(binding.tls_certificate),
        ssl_keyfile=None if binding.tls_key is None else str(binding.tls_key),
        log_level="warning",
        ws="none",
        lifespan="off",
    )
    return uvicorn.Server(config)


def _listen(binding: Binding) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((binding.host, binding.port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        raise UnreachableError(
            f"cannot listen: {error}", where=f"{binding.host}:{binding.port}", hint="is the port taken?"
        ) from error
    return listener


def _address(binding: Binding, listener: socket.socket) -> str:
    scheme = "http" if binding.tls_certificate is None else "https"
    return f"{scheme}://{binding.host}:{listener.getsockname()[1]}/osci"


def serve(service: IntermediaryService, binding: Binding, announce: Callable[[str], None]) -> None:
    """Serve until interrupted; ``announce`` gets the address once callers can connect.

    Raises UnreachableError where the port cannot be had, KeyFileError for half a TLS configuration.
    """
    server = _server(service, binding)
    with _listen(binding) as listener:
        announce(_address(binding, listener))
        server.run(sockets=[listener])


@contextmanager
def running(service: IntermediaryService, binding: Binding | None = None) -> Iterator[str]:
    """Serve in a thread while the block runs, e.g. for tests and the demo; gives the address.

    Raises as ``serve`` does.
    """
    bound = binding or Binding()
    server = _server(service, bound)
    with _listen(bound) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            # The socket listens already, so callers can connect at once; their bytes wait in its queue.
            yield _address(bound, listener)
        finally:
            server.should_exit = True
            thread.join(timeout=30)
