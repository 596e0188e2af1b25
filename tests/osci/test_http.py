"""The way there: proxies, TLS and what web servers say instead of OSCI."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from adapters.ego_mail.intermediary.service import IntermediaryService
from adapters.ego_mail.intermediary.serving import Binding, running
from adapters.ego_mail.osci.errors import (
    HttpStatusError,
    LimitExceededError,
    OutcomeUnknownError,
    UnreachableError,
)
from adapters.ego_mail.osci.http import HttpTransport
from adapters.ego_mail.osci.wire import Outgoing
from tests.osci.conftest import Office
from tests.osci.pki import Authority, Party

ORDER = Outgoing(3, lambda: iter([b"a", b"bc"]))


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/osci?x=1"
        finally:
            server.shutdown()
            thread.join()


def test_a_web_server_that_refuses_or_fails() -> None:
    with answering(403, b"<html>") as uri, pytest.raises(HttpStatusError) as caught:
        HttpTransport().exchange(uri, ORDER)
    assert caught.value.status == 403
    with answering(502, b"<html>") as uri, pytest.raises(OutcomeUnknownError, match="502"):
        HttpTransport().exchange(uri, ORDER)


def test_an_osci_answer_under_status_500_is_read() -> None:
    with answering(500, b"MIME-Version: 1.0\r\n") as uri, HttpTransport().exchange(uri, ORDER) as spool:
        assert spool.size == 19


def test_an_answer_over_the_limit() -> None:
    with answering(200, b"x" * 2000) as uri, pytest.raises(LimitExceededError):
        HttpTransport().exchange(uri, ORDER, limit=1000)


@pytest.mark.parametrize("uri", ["ftp://x/", "https:///path", "nonsense"])
def test_addresses_that_are_none(uri: str) -> None:
    with pytest.raises(UnreachableError, match="address"):
        HttpTransport().exchange(uri, ORDER)


def test_a_server_that_shows_an_untrusted_tls_certificate(
    service: IntermediaryService, authority: Authority, tmp_path: Path
) -> None:
    key = rsa.generate_private_key(65537, 2048)
    days = timedelta(days=20_000)
    certificate = authority.issue("tls", key, sign=True, encrypt=True, ends=days, names=("127.0.0.1",))
    (tmp_path / "c.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    (tmp_path / "k.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    binding = Binding(tls_certificate=tmp_path / "c.pem", tls_key=tmp_path / "k.pem")
    with (
        running(service, binding) as uri,
        pytest.raises(UnreachableError, match=r"(?i)certificate verify failed"),
    ):
        HttpTransport(tls=ssl.create_default_context()).exchange(uri, ORDER)


def test_through_a_proxy(office: Office, alice: Party) -> None:
    seen: list[bytes] = []

    def copy(source: socket.socket, target: socket.socket) -> None:
        while piece := source.recv(65536):
            target.sendall(piece)

    def proxy(listener: socket.socket) -> None:
        client, _ = listener.accept()
        with client:
            request = b""
            while b"\r\n\r\n" not in request:
                request += client.recv(4096)
            seen.append(request.split(b"\r\n")[0])
            host, port = request.split()[1].decode().split(":")
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                up = threading.Thread(target=copy, args=(client, server))
                up.start()
                copy(server, client)
                client.shutdown(socket.SHUT_RDWR)
                up.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=proxy, args=(listener,))
        thread.start()
        office.transport = HttpTransport(timeout=20, proxy=("127.0.0.1", listener.getsockname()[1]))
        assert office.client(alice).message_id()
        thread.join()
    assert seen[0].startswith(b"CONNECT 127.0.0.1:")
